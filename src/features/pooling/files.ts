// The files of PgBouncer, each setting with its reason. Pure.
import { keepsStatements, type Version } from './version.ts'

export type Target = {
  /** What clients call the database. */
  name: string
  /** Where PostgreSQL itself is; a host that is a path is the folder of its socket. */
  host: string
  port: number
  database: string
  /** As in sslmode of a URL. */
  tls: string | null
  tlsAuthorityFile: string | null
}

export type Pooling = {
  version: Version
  target: Target
  listen: { host: string; port: number }
  userlistFile: string
  poolSize: number
  clients: number
}

/** The first line of a file that may be written anew. */
export const mark = 'Written by djinn pooler'

/** Room for each of our statements on each connection; how many there are is held by a test. */
export const preparedStatementsMax = 500

export function pgbouncerIni({ version, target, listen, userlistFile, poolSize, clients }: Pooling): string {
  const place = [`host=${quoted(target.host)}`, `port=${target.port}`, `dbname=${quoted(target.database)}`].join(' ')
  const kept = keepsStatements(version)
  return `; ${mark} for PgBouncer ${version.text}; written anew when it is run again.

[databases]
; The server itself, as DATABASE_DIRECT_URL names it.
${databaseName(target.name)} = ${place}

[pgbouncer]
listen_addr = ${listen.host}
listen_port = ${listen.port}

; Clients show the same SCRAM secret that PostgreSQL keeps, so no password stands in a file.
auth_type = scram-sha-256
auth_file = ${userlistFile}

; A connection of PostgreSQL is lent for one transaction. Djinn sets nothing on a connection that outlives its transaction.
pool_mode = transaction
; Connections to PostgreSQL; more than a few a CPU only wait for each other.
default_pool_size = ${poolSize}
; Connections from API processes: each opens up to 26, so ${clients} are ${Math.max(1, Math.floor(clients / 26))} of them at full load.
max_client_conn = ${clients}

${
  kept
    ? `; Each statement is prepared once a connection and not anew for each call; Djinn has about 300.\nmax_prepared_statements = ${preparedStatementsMax}`
    : `; PgBouncer ${version.text} loses prepared statements (1.21 is the first that keeps them): run Djinn with DATABASE_PREPARED_STATEMENTS=off.`
}

; A connection is renewed after an hour, so that memory that a backend has gathered goes back; an idle one ends after 10 minutes.
server_lifetime = 3600
server_idle_timeout = 600
; A server that was away is tried again every second, not every 15: writes come back within seconds of it.
server_login_retry = 1
server_connect_timeout = 5
; Who has waited so long for a connection has given up: a request ends after 30 seconds.
query_wait_timeout = 15
; Djinn opens connections with user, database, application_name and client_encoding, which PgBouncer follows. This one is sent by tools
; that rely on Java. Leave "options" out: what is ignored there is not in force, and nobody hears of it.
ignore_startup_parameters = extra_float_digits
${tlsLines(target)}`
}

export function userlist(logins: { name: string; secret: string }[]): string {
  return `; ${mark}. Keep it readable for the user of PgBouncer only.\n${logins.map(({ name, secret }) => `${listed(name)} ${listed(secret)}`).join('\n')}\n`
}

function tlsLines({ tls, tlsAuthorityFile }: Target): string {
  if (tls === null || tls === 'disable') return ''
  const mode = tls === 'no-verify' ? 'require' : tls
  const authority = tlsAuthorityFile === null ? '' : `server_tls_ca_file = ${tlsAuthorityFile}\n`
  return `\n; As sslmode of DATABASE_DIRECT_URL says.\nserver_tls_sslmode = ${mode}\n${authority}`
}

/** A value of a connection string: bare when plain, else in quotes that are doubled inside. */
function quoted(value: string): string {
  return /^[\w./:@-]+$/.test(value) ? value : `'${value.replaceAll("'", "''")}'`
}

function databaseName(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}

function listed(value: string): string {
  return `"${value.replaceAll('"', '""')}"`
}
