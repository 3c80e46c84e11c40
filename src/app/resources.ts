// Opens everything the service holds, in order, and closes it in reverse.
import type { Logger } from 'pino'
import { type Config } from '../resources/config.ts'
import { Announcements } from '../resources/announcements.ts'
import { Database } from '../resources/database.ts'
import type { DatabaseObserver } from '../resources/transaction.ts'
import { Recorder } from '../features/advising/recorder.ts'
import { Flags } from '../features/flags/flags.ts'
import { Watch } from '../features/watching/watch.ts'
import { apiUrl, openEmbedded } from '../resources/embedded.ts'
import { makeLog } from '../resources/log.ts'
import { makeMailer, type Mailer } from '../resources/mailer.ts'
import { Metrics } from '../resources/metrics.ts'
import { migrate } from '../resources/migrations.ts'
import { Notifications } from '../resources/notifications.ts'
import { passageOf } from '../resources/passage.ts'
import { PushGateway } from '../resources/push-gateway.ts'
import { Queue } from '../resources/queue.ts'
import { RedisFigures } from '../resources/redis-figures.ts'
import { Redis } from '../resources/redis.ts'
import { ReplicaMetrics } from '../resources/replica-metrics.ts'
import { Replicas } from '../resources/replicas.ts'
import { statement } from '../resources/statement.ts'
import { Vault } from '../resources/vault.ts'
import { limits } from '../values/limits.ts'

const readInstallation = statement(
  'installation.read',
  {},
  { cursorSecret: 'bytea', epoch: 'uuid' },
  'select cursor_secret as "cursorSecret", epoch from installation',
)

export type Resources = {
  config: Config
  log: Logger
  database: Database
  /** The same database past any pooler, as the role that owns the schema: for jobs, which are of no user and of all households. */
  directDatabase: Database
  /** Where reads of households may go beside the database; null where no replica is configured. */
  replicas: Replicas | null
  directUrl: string
  queue: Queue
  /** Null where push is not configured. */
  pushGateway: PushGateway | null
  notifications: Notifications
  announcements: Announcements
  /** Null without REDIS_URL; opened by whoever serves the API. */
  redis: Redis | null
  redisFigures: RedisFigures
  mailer: Mailer | null
  metrics: Metrics
  /** What is switched off at the moment. */
  flags: Flags
  /** What is known of the machine and of the whole service, once it is started. */
  watch: Watch
  vault: Vault
  installation: { cursorSecret: Buffer; epoch: string }
  /** Whether the database is our own, so that a demo household may be made in it. */
  embedded: boolean
  /** Open connections to the API, set by whoever serves it. */
  connections: { open: number }
  /** Whether this process serves the API, likewise. */
  serving: { api: boolean }
  /** Open streams of live events, likewise. */
  streams: { open: () => number }
  close: () => Promise<void>
}

type DatabaseUrls = { url: string; directUrl: string; embedded: boolean; close: () => Promise<void> }

/** The configured database, or the embedded one started and migrated. */
async function openDatabase(config: Config, log: Logger): Promise<DatabaseUrls> {
  if (config.databaseUrl !== undefined) {
    return { url: config.databaseUrl, directUrl: config.databaseDirectUrl!, embedded: false, close: async () => {} }
  }
  const embedded = await openEmbedded({ dataDir: config.dataDir, log: (message) => log.info(message) })
  try {
    await migrate(embedded.adminUrl)
    const url = await apiUrl(embedded)
    return { url, directUrl: embedded.adminUrl, embedded: true, close: embedded.stop }
  } catch (error) {
    await embedded.stop()
    throw error
  }
}

/** A table, a function, a schema or a role that the migrations make is not there. */
const isUnmigrated = (error: unknown) => ['42P01', '42883', '3F000', '22023'].includes((error as { code?: string }).code ?? '')

/** Runs the work on one connection of the administrator's URL, for commands that serve nobody. */
export async function withDatabase<T>(config: Config, work: (database: Database, url: string) => Promise<T>): Promise<T> {
  const urls = await openDatabase(config, makeLog(config.logLevel))
  const database = new Database({ url: urls.directUrl, connectionsMax: 1, preparedStatements: config.databasePreparedStatements })
  try {
    return await work(database, urls.directUrl)
  } catch (error) {
    throw isUnmigrated(error) ? new Error(`${(error as Error).message}: run djinn migrate first`, { cause: error }) : error
  } finally {
    await database.close()
    await urls.close()
  }
}

/** A database that a restore has brought back and that nobody else uses. */
export function openRestored(url: string): Database {
  return new Database({ url, connectionsMax: 2 })
}

/** Runs the work with the URL of the role that owns the schema; `settings` are those of an embedded server that this starts. */
export async function withOwnerUrl<T>(
  config: Config,
  work: (url: string) => Promise<T>,
  settings: Record<string, string> = {},
): Promise<T> {
  if (config.databaseDirectUrl !== undefined) return await work(config.databaseDirectUrl)
  const embedded = await openEmbedded({ dataDir: config.dataDir, settings, log: (message) => makeLog(config.logLevel).info(message) })
  try {
    return await work(embedded.adminUrl)
  } finally {
    await embedded.stop()
  }
}

/** Whether prepared statements can be used on the way to each URL; what stands in their way is told. */
async function statementsKept(config: Config, { url, directUrl, embedded }: DatabaseUrls, log: Logger) {
  if (embedded) return { pooled: config.databasePreparedStatements, direct: config.databasePreparedStatements }
  const passage = await passageOf(url)
  const directPassage = directUrl === url ? passage : await passageOf(directUrl)
  if (passage === 'losingPooler' && config.databasePreparedStatements) {
    log.warn(
      'the pooler before DATABASE_URL loses prepared statements, so they are switched off: PgBouncer keeps them from 1.21 on, with max_prepared_statements (djinn pooler writes its files)',
    )
  }
  if (directPassage !== 'direct') {
    log.warn('DATABASE_DIRECT_URL leads through a pooler: jobs and live events need the database itself')
  }
  return {
    pooled: config.databasePreparedStatements && passage !== 'losingPooler',
    direct: config.databasePreparedStatements && directPassage !== 'losingPooler',
  }
}

/** Opens all; `watch` is told of every statement and round trip besides the metrics, and `writeLog` gets the lines of the log. */
export async function openResources(config: Config, watch: DatabaseObserver = {}, writeLog?: (line: string) => void): Promise<Resources> {
  const log = makeLog(config.logLevel, writeLog)
  const closers: (() => Promise<void> | void)[] = []
  const close = async () => {
    for (const closer of closers.toReversed()) await closer()
    closers.length = 0
  }
  try {
    const urls = await openDatabase(config, log)
    closers.push(urls.close)
    if (!urls.embedded) {
      const ran = await migrate(urls.directUrl)
      if (ran.length > 0) log.info({ migrations: ran }, 'migrated')
    }
    const kept = await statementsKept(config, urls, log)
    const connections = { open: 0 }
    const serving = { api: false }
    const streams: Resources['streams'] = { open: () => 0 }
    const metrics: Metrics = new Metrics({
      connections: () => connections.open,
      streams: () => streams.open(),
      pool: () => database.poolState,
    })
    const push = config.fcm !== undefined
    const readingObserver: DatabaseObserver = {
      statement: (name, durationMs, failed) => {
        metrics.statement(name, durationMs)
        if (durationMs > limits.slowStatementMs) watchOfService.slow.note(name, durationMs, 'djinn_app')
        watch.statement?.(name, durationMs, failed)
      },
      roundTrip: (first) => {
        metrics.roundTrip()
        watch.roundTrip?.(first)
      },
      read: (name) => metrics.read(name),
      poolWait: (durationMs) => metrics.poolWait(durationMs),
    }
    const database: Database = new Database({
      url: urls.url,
      push,
      preparedStatements: kept.pooled,
      log: (message, error) => log.warn({ err: error }, message),
      observer: {
        ...readingObserver,
        committed: (household, revision, session) => announcements.announce(household, revision, session),
      },
    })
    closers.push(() => database.close())
    const notifications = new Notifications(urls.directUrl, (message, error) => log.warn({ err: error }, message))
    closers.push(() => notifications.close())
    const flags = new Flags({ database, notifications, log })
    metrics.add(...flags.instruments)
    closers.push(() => flags.close())
    const announcements = new Announcements(notifications)
    closers.push(() => announcements.close())
    const directDatabase = new Database({
      url: urls.directUrl,
      push,
      preparedStatements: kept.direct,
      connectionsMax: limits.queueConcurrency + 1,
      log: (message, error) => log.warn({ err: error }, message),
      observer: {
        statement: (name, durationMs) => {
          metrics.statement(name, durationMs)
          if (durationMs > limits.slowStatementMs) watchOfService.slow.note(name, durationMs, 'djinn_keeper')
        },
      },
    })
    closers.push(() => directDatabase.close())
    const replicaMetrics = new ReplicaMetrics()
    metrics.add(...replicaMetrics.instruments)
    const replicas =
      config.databaseReplicaUrls.length === 0
        ? null
        : new Replicas({
            urls: config.databaseReplicaUrls,
            primary: database,
            direct: directDatabase,
            preparedStatements: config.databasePreparedStatements,
            observer: readingObserver,
            metrics: replicaMetrics,
            log,
          })
    if (replicas) closers.push(() => replicas.close())
    const queue = new Queue({ url: urls.directUrl, database: directDatabase, log })
    closers.push(() => queue.stop())
    const watchOfService: Watch = new Watch({
      database: directDatabase,
      directUrl: urls.directUrl,
      metrics,
      log,
      dataDir: config.dataDir,
      embedded: urls.embedded,
      onRound: (found) => recorder.note(found),
    })
    const recorder = new Recorder({
      database: directDatabase,
      log,
      metrics,
      serving: () => serving.api,
      sharing: () => config.redisUrl !== undefined,
    })
    closers.push(() => recorder.close())
    closers.push(() => watchOfService.close())
    const pushGateway = config.fcm === undefined ? null : new PushGateway(config.fcm)
    const mailer = makeMailer(config.smtpUrl, config.mailFrom)
    if (mailer) closers.push(() => mailer.close())
    const redisFigures = new RedisFigures()
    metrics.add(...redisFigures.instruments)
    const redis = config.redisUrl === undefined ? null : new Redis({ url: config.redisUrl, log, figures: redisFigures })
    if (redis) closers.push(() => redis.close())
    const [installation] = await database.reader({}).run(readInstallation, {})
    await Promise.all([notifications.open(), database.warm(limits.poolConnectionsIdle)])
    await Promise.all([flags.open(), replicas?.open()])
    return {
      config,
      log,
      database,
      directDatabase,
      replicas,
      directUrl: urls.directUrl,
      queue,
      pushGateway,
      notifications,
      announcements,
      redis,
      redisFigures,
      mailer,
      metrics,
      flags,
      watch: watchOfService,
      vault: new Vault(config.secretsKey ?? installation!.cursorSecret),
      installation: installation!,
      embedded: urls.embedded,
      connections,
      streams,
      serving,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
