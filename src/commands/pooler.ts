// djinn pooler: writes the files of a PgBouncer that stands before this database.
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { mark, pgbouncerIni, userlist, type Target } from '../features/pooling/files.ts'
import { keepsStatements, versionOf, type Version } from '../features/pooling/version.ts'
import { readConfig } from '../resources/config.ts'
import { addressOf } from '../resources/database-url.ts'
import { scramSecret, SecretsRefused } from '../resources/login-secrets.ts'
import { installedPgBouncer } from '../resources/pgbouncer-binary.ts'
import { placeFile } from '../resources/private-file.ts'
import { limits } from '../values/limits.ts'

type Options = {
  dir: string
  poolSize: string
  clients: string
  listen: string
  versionOf?: string
  clearPassword?: boolean
  json?: boolean
}

export function poolerCommand(): Command {
  return new Command('pooler')
    .description('Write pgbouncer.ini and userlist.txt for a PgBouncer before this database: transaction mode, each setting explained')
    .option('--dir <folder>', 'where to write them', 'pgbouncer')
    .option('--pool-size <count>', 'connections to PostgreSQL', String(limits.connectionsMax))
    .option('--clients <count>', 'connections from API processes', '100')
    .option('--listen <address>', 'where PgBouncer listens', '127.0.0.1:6432')
    .option('--version-of <version>', 'the PgBouncer it is for, such as 1.25; the one installed here unless given')
    .option('--clear-password', 'take the password of DATABASE_URL into userlist.txt, where PostgreSQL shows its secrets to nobody')
    .option('--json', 'report as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  DATABASE_URL=postgres://djinn_api:...@127.0.0.1/djinn DATABASE_DIRECT_URL=postgres://postgres:...@127.0.0.1/djinn \\\n' +
        '    djinn pooler --dir /etc/pgbouncer && systemctl restart pgbouncer',
    )
    .action(pooler)
}

async function pooler(options: Options) {
  const poolSize = count('--pool-size', options.poolSize, 1_000)
  const clients = count('--clients', options.clients, 100_000)
  if (clients < poolSize) throw new Error(`--clients (${clients}) must not be fewer than --pool-size (${poolSize})`)
  const listen = address(options.listen)
  const config = readConfig()
  if (config.databaseUrl === undefined) throw new Error('DATABASE_URL is not set: the embedded PostgreSQL needs no pooler')
  const { user: login, password, database } = addressOf(config.databaseUrl)
  const target = targetOf(config.databaseDirectUrl!, database)
  if (target.port === listen.port && (target.host === listen.host || target.host === 'localhost')) {
    throw new Error(`DATABASE_DIRECT_URL leads to ${options.listen}, where PgBouncer listens: it must name PostgreSQL itself`)
  }
  const version = wantedVersion(options.versionOf)
  if (options.clearPassword && password === null) throw new Error('--clear-password: DATABASE_URL carries no password')
  const secret = options.clearPassword ? password! : await secretOf(config.databaseDirectUrl!, login)
  const folder = resolve(options.dir)
  const files = { ini: join(folder, 'pgbouncer.ini'), userlist: join(folder, 'userlist.txt') }
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const setAside = [
    ...(placeFile(files.userlist, userlist([{ name: login, secret }]), 0o600, mark) ? [`${files.userlist}.before`] : []),
    ...(placeFile(files.ini, pgbouncerIni({ version, target, listen, userlistFile: files.userlist, poolSize, clients }), 0o644, mark)
      ? [`${files.ini}.before`]
      : []),
  ]
  const url = `postgres://${encodeURIComponent(login)}:...@${hostIn(listen.host)}:${listen.port}/${encodeURIComponent(database)}`
  const preparedStatements = keepsStatements(version)
  if (options.json) {
    console.log(JSON.stringify({ files, setAside, version: version.text, preparedStatements, poolSize, clients, listen, databaseUrl: url }))
    return
  }
  const lines = [
    `Written for PgBouncer ${version.text}, in transaction mode with ${poolSize} connections for ${clients} clients:`,
    `  ${files.ini}\n  ${files.userlist}`,
    ...setAside.map((file) => `What was there is in ${file}.`),
    'Both must belong to the user that PgBouncer runs as. Start it anew with them (systemctl restart pgbouncer), then run Djinn with',
    `  DATABASE_URL=${url}   (the password stays the same)`,
    '  DATABASE_DIRECT_URL=... PostgreSQL itself, as now',
  ]
  if (!preparedStatements) {
    lines.push(
      '  DATABASE_PREPARED_STATEMENTS=off',
      `PgBouncer ${version.text} loses prepared statements; 1.21 or newer keeps them and is faster.`,
    )
  }
  console.log(lines.join('\n'))
}

function count(option: string, text: string, most: number): number {
  const value = Number(text)
  if (!/^\d{1,9}$/.test(text) || value < 1 || value > most) {
    throw new Error(`${option} must be a whole number from 1 to ${most}, not ${JSON.stringify(text)}`)
  }
  return value
}

function address(text: string): { host: string; port: number } {
  const [, v6, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([a-zA-Z0-9.-]+|\*)):(\d{1,5})$/.exec(text) ?? []
  const host = v6 ?? plain
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new Error(`--listen must be an address and a port such as 127.0.0.1:6432, not ${JSON.stringify(text)}`)
  }
  return { host, port: Number(port) }
}

const hostIn = (host: string) => (host === '*' || host === '0.0.0.0' || host === '::' ? 'HOST' : host.includes(':') ? `[${host}]` : host)

function wantedVersion(given: string | undefined): Version {
  const said = given ?? installedPgBouncer()
  if (said === undefined) throw new Error('no pgbouncer is installed here: install it, or say which it is for with --version-of 1.25')
  const version = versionOf(said)
  if (!version) throw new Error(`--version-of must be a version such as 1.25, not ${JSON.stringify(said)}`)
  return version
}

function targetOf(directUrl: string, name: string): Target {
  const { host, port, database } = addressOf(directUrl)
  const { searchParams } = new URL(directUrl)
  return { name, host, port, database, tls: searchParams.get('sslmode'), tlsAuthorityFile: searchParams.get('sslrootcert') }
}

async function secretOf(directUrl: string, login: string): Promise<string> {
  try {
    return await scramSecret(directUrl, login)
  } catch (error) {
    if (!(error instanceof SecretsRefused)) throw error
    throw new Error(`${error.message}, or take the password of DATABASE_URL in clear text with --clear-password`, { cause: error })
  }
}
