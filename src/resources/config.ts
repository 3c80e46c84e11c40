// The configuration, read from the environment once and checked whole before anything is opened.
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { BlockList, isIP } from 'node:net'
import { limits } from '../values/limits.ts'
import { addressOf } from './database-url.ts'
import { refusalOfUrl } from './download.ts'
import { readKeyFile } from './key-file.ts'
import { openKey, sealingKey, type SealingKey } from './sealed-stream.ts'
import { readServiceAccount, type ServiceAccount } from './service-account.ts'

/** A variable whose value cannot be used; the process exits with 78 (EX_CONFIG) and this one line. */
export class ConfigError extends Error {
  readonly variable: string
  constructor(variable: string, reason: string) {
    // A value that is quoted may have line ends of its own.
    super(`${variable}: ${reason.replaceAll(/\s/g, ' ')}`)
    this.name = 'ConfigError'
    this.variable = variable
  }
}

export type Environment = Record<string, string | undefined>

export type Config = ReturnType<typeof readConfig>

/** Reads and checks the environment; throws ConfigError naming the first variable that is wrong. */
export function readConfig(environment: Environment = process.env) {
  const text = (name: string): string | undefined => {
    const file = environment[`${name}_FILE`]
    if (file) {
      if (environment[name]) throw new ConfigError(name, `is set beside ${name}_FILE; set one of them`)
      let content: string
      try {
        content = readFileSync(file, 'utf8').trim()
      } catch (error) {
        throw new ConfigError(`${name}_FILE`, `cannot be read (${(error as NodeJS.ErrnoException).code})`)
      }
      if (content === '') throw new ConfigError(`${name}_FILE`, 'is empty')
      return content
    }
    const value = environment[name]
    return value === undefined || value === '' ? undefined : value
  }
  const integer = (name: string, standard: number, min: number, max: number): number => {
    const value = text(name)
    if (value === undefined) return standard
    if (!/^\d+$/.test(value) || Number(value) < min || Number(value) > max) {
      throw new ConfigError(name, `must be a whole number from ${min} to ${max}, not "${value}"`)
    }
    return Number(value)
  }
  const oneOf = <T extends string>(name: string, standard: T, choices: readonly T[]): T => {
    const value = text(name) ?? standard
    if (!choices.includes(value as T)) throw new ConfigError(name, `must be one of ${choices.join(', ')}, not "${value}"`)
    return value as T
  }
  const postgresUrl = (name: string, value: string | undefined): string | undefined => {
    if (value === undefined) return undefined
    const url = URL.canParse(value) ? new URL(value) : undefined
    if (!url || !['postgres:', 'postgresql:'].includes(url.protocol)) {
      throw new ConfigError(name, 'must be a URL such as postgres://user:password@host:5432/database')
    }
    if (url.pathname.length < 2) throw new ConfigError(name, 'names no database')
    if (!isPercentEncoded(value)) throw new ConfigError(name, 'has a % that stands for no character; write it as %25')
    if (production) refuseWeakPassword(name, url)
    return value
  }
  const redisUrl = (name: string): string | undefined => {
    const value = text(name)
    if (value === undefined) return undefined
    const url = URL.canParse(value) ? new URL(value) : undefined
    if (!url || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '' || !/^\/?\d{0,5}$/.test(url.pathname)) {
      throw new ConfigError(name, 'must be a URL such as redis://:password@host:6379 or rediss://user:password@host:6379/0')
    }
    if (!isPercentEncoded(value)) throw new ConfigError(name, 'has a % that stands for no character; write it as %25')
    if (production) refuseWeakPassword(name, url)
    return value
  }
  const webUrl = (name: string): string | undefined => {
    const value = text(name)
    if (value !== undefined && !(URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol))) {
      throw new ConfigError(name, `must be an http or https URL, not "${value}"`)
    }
    return value?.replace(/\/$/, '')
  }
  const serviceAccount = (name: string): ServiceAccount | undefined => {
    const value = text(name)
    try {
      return value === undefined ? undefined : readServiceAccount(value)
    } catch (error) {
      throw new ConfigError(name, (error as Error).message)
    }
  }
  const host = (name: string, standard: string): string => {
    const value = text(name) ?? standard
    if (!isIP(value) && !/^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/.test(value)) {
      throw new ConfigError(name, `must be a host name or an address, not "${value}"`)
    }
    return value
  }

  const production = oneOf('NODE_ENV', 'development', ['development', 'production', 'test']) === 'production'
  const databaseUrl = postgresUrl('DATABASE_URL', text('DATABASE_URL'))
  const replicaUrls = (text('DATABASE_REPLICA_URLS')?.split(',') ?? []).map((url) => postgresUrl('DATABASE_REPLICA_URLS', url.trim())!)
  refuseReplicas('DATABASE_REPLICA_URLS', replicaUrls, databaseUrl)
  const smtpUrl = text('SMTP_URL')
  if (smtpUrl !== undefined && !(/^smtps?:\/\/./.test(smtpUrl) && URL.canParse(smtpUrl)))
    throw new ConfigError('SMTP_URL', 'must be smtp://... or smtps://...')
  const mailFrom = text('MAIL_FROM')
  if (smtpUrl !== undefined && mailFrom === undefined) throw new ConfigError('MAIL_FROM', 'must be set when SMTP_URL is')
  if (mailFrom !== undefined && !/^[^\r\n]*[^\s@<]+@[^\s@>]+>?$/.test(mailFrom)) {
    throw new ConfigError('MAIL_FROM', 'must be an address such as Djinn <djinn@example.org>')
  }
  const appUrl = webUrl('APP_URL')
  if (smtpUrl !== undefined && appUrl === undefined) {
    throw new ConfigError('APP_URL', 'must be set when SMTP_URL is: mailed links lead to the app')
  }
  const secretsKey = text('SECRETS_KEY')
  if (secretsKey !== undefined && (secretsKey.length < 32 || new Set(secretsKey).size < 10)) {
    throw new ConfigError('SECRETS_KEY', 'must be 32 random characters or more, for instance of `openssl rand -base64 32`')
  }
  const opsPassword = text('OPS_PASSWORD')
  if (opsPassword !== undefined && (opsPassword.length < 12 || isDefaultPassword(opsPassword))) {
    throw new ConfigError('OPS_PASSWORD', 'must be 12 characters or more, and no default')
  }
  const opsUrl = webUrl('OPS_URL')
  if (opsUrl !== undefined && new URL(opsUrl).pathname !== '/')
    throw new ConfigError('OPS_URL', 'must have no path, such as https://ops.example.org')
  const opsSignIn = oneOf('OPS_SIGN_IN', 'remote', ['remote', 'always'])
  for (const [name, set] of [
    ['OPS_URL', opsUrl !== undefined],
    ['OPS_SIGN_IN', opsSignIn === 'always'],
  ] as const) {
    if (set && opsPassword === undefined) throw new ConfigError('OPS_PASSWORD', `must be set when ${name} is`)
  }
  const ratesUrl = text('RATES_URL')
  const ratesRefusal = ratesUrl === undefined ? undefined : refusalOfUrl(ratesUrl)
  if (ratesRefusal !== undefined) throw new ConfigError('RATES_URL', ratesRefusal)
  const backupFolder = text('BACKUP_FOLDER')
  const backupKey = (name: string): SealingKey => {
    const file = environment[name]
    if (file === undefined || file === '') return openKey
    try {
      return sealingKey(readKeyFile(file))
    } catch (error) {
      throw new ConfigError(name, (error as Error).message)
    }
  }
  const fcmAccount = serviceAccount('FCM_SERVICE_ACCOUNT')
  const fcmUrl = webUrl('FCM_URL') ?? 'https://fcm.googleapis.com'
  const config = {
    production,
    host: host('HOST', '127.0.0.1'),
    port: integer('PORT', 8080, 0, 65_535),
    /** How long requests are still taken after the process was asked to end, where a balancer asks whether it is ready. */
    drainMs: integer('DRAIN_SECONDS', 2, 0, 60) * 1_000,
    opsHost: host('OPS_HOST', '127.0.0.1'),
    opsPort: integer('OPS_PORT', 9464, 0, 65_535),
    /** Who may come to the console on the operators' port. */
    console: { password: opsPassword, always: opsSignIn === 'always', url: opsUrl === undefined ? undefined : new URL(opsUrl) },
    dataDir: folder('DJINN_DATA_DIR', text('DJINN_DATA_DIR') ?? '.djinn'),
    databaseUrl,
    databaseDirectUrl: postgresUrl('DATABASE_DIRECT_URL', text('DATABASE_DIRECT_URL')) ?? databaseUrl,
    /** Where reads may go beside the database: streaming replicas of it. */
    databaseReplicaUrls: replicaUrls,
    databasePreparedStatements: oneOf('DATABASE_PREPARED_STATEMENTS', 'on', ['on', 'off']) === 'on',
    /** Where limits and sessions are shared with other processes; without it each has its own. */
    redisUrl: redisUrl('REDIS_URL'),
    trustedProxies: proxies('TRUSTED_PROXIES', text('TRUSTED_PROXIES')),
    rate: {
      anonymous: integer('RATE_LIMIT_ANONYMOUS', 10, 1, 1_000_000),
      authenticated: integer('RATE_LIMIT_AUTHENTICATED', 100, 1, 1_000_000),
      premium: integer('RATE_LIMIT_PREMIUM', 1_000, 1, 1_000_000),
      login: integer('RATE_LIMIT_LOGIN', 10, 1, 1_000_000),
    },
    /** What seals secrets that are read back; without it, a secret that lies in the database itself. */
    secretsKey,
    smtpUrl,
    mailFrom,
    appUrl,
    /** Push by Firebase Cloud Messaging; without it, people are told in their inbox only. */
    fcm: fcmAccount === undefined ? undefined : { account: fcmAccount, url: fcmUrl },
    /** Where the exchange rates of the day are fetched from; without it, they are imported by hand. */
    ratesUrl,
    /** Where backups lie, and what they are sealed with. Set, the log of the embedded database is followed into it while it is served. */
    backups: { folder: backupFolder === undefined ? undefined : folder('BACKUP_FOLDER', backupFolder), key: backupKey('BACKUP_KEY_FILE') },
    /** Whether this process works the queue beside serving. */
    worker: oneOf('WORKER', 'on', ['on', 'off']) === 'on',
    /** Whether the least critical calls are refused while the process is overloaded. */
    shedding: oneOf('SHEDDING', 'on', ['on', 'off']) === 'on',
    logLevel: oneOf('LOG_LEVEL', 'info', ['silent', 'error', 'warn', 'info', 'debug']),
  }
  if (config.port !== 0 && config.port === config.opsPort && config.host === config.opsHost) {
    throw new ConfigError('OPS_PORT', 'must differ from PORT')
  }
  return config
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

function isDefaultPassword(password: string): boolean {
  return /^(postgres|password|djinn|changeme|secret)/i.test(password)
}

function refuseWeakPassword(name: string, url: URL) {
  const password = decodeURIComponent(url.password) || (url.searchParams.get('password') ?? '')
  if (password !== '' && (password.length < 12 || isDefaultPassword(password))) {
    throw new ConfigError(name, 'carries a default or short password; production needs 12 characters or more')
  }
}

/** Several of one address would be one replica, and the primary itself is none. */
function refuseReplicas(name: string, urls: readonly string[], databaseUrl: string | undefined) {
  if (urls.length > limits.replicasMax) throw new ConfigError(name, `names ${urls.length} replicas; ${limits.replicasMax} are the most`)
  const servers = urls.map((url) => serverOf(url))
  const twice = servers.find((server, index) => servers.indexOf(server) !== index)
  if (twice !== undefined) throw new ConfigError(name, `names ${twice} twice`)
  if (databaseUrl !== undefined && servers.includes(serverOf(databaseUrl))) {
    throw new ConfigError(name, `names ${serverOf(databaseUrl)}, which DATABASE_URL does`)
  }
}

function serverOf(url: string): string {
  const { host, port } = addressOf(url)
  return `${host}:${port}`
}

/** A folder that is there or can be made: what is there of its path are folders. */
function folder(name: string, path: string): string {
  for (let above = resolve(path); ; above = dirname(above)) {
    const there = statSync(above, { throwIfNoEntry: false })
    if (there && !there.isDirectory()) throw new ConfigError(name, `must be a folder; ${above} is none`)
    if (there) return resolve(path)
  }
}

/** The addresses whose X-Forwarded-For is believed: a comma-separated list of addresses and CIDR blocks. */
function proxies(name: string, value: string | undefined): BlockList | undefined {
  if (value === undefined) return undefined
  const list = new BlockList()
  for (const part of value.split(',').map((piece) => piece.trim())) {
    const [address = '', prefix] = part.split('/')
    const family = isIP(address)
    if (!family || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) {
      throw new ConfigError(name, `must list addresses or CIDR blocks, not "${part}"`)
    }
    const type = family === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, type)
    else if (Number(prefix) > (family === 6 ? 128 : 32)) throw new ConfigError(name, `"${part}" has too long a prefix`)
    else list.addSubnet(address, Number(prefix), type)
  }
  return list
}
