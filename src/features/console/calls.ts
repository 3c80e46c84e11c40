// What the page asks for: each call with its path, whether it changes something, and what it answers.
import { z } from 'zod'
import type { Logger } from 'pino'
import type { Database } from '../../resources/database.ts'
import type { Metrics } from '../../resources/metrics.ts'
import type { Queue } from '../../resources/queue.ts'
import { newId } from '../../values/id.ts'
import { limits } from '../../values/limits.ts'
import { busiestStatements, clean, PeopleCount } from './figures.ts'
import { columns, type History } from './history.ts'
import type { Recent } from './recent.ts'

/** A flag as it stands; `choices` are those of a `choice`. */
export type ShownFlag = {
  name: string
  kind: 'choice' | 'switch' | 'share'
  value: string
  default: string
  takes: string
  summary: string
  choices: readonly string[]
  changedAt: string | null
  changedBy: string | null
  reason: string | null
}

/** How flags are read and set. */
export type FlagDesk = {
  list: () => Promise<ShownFlag[]>
  set: (wanted: { name: string; value: string; by: string; reason: string | null }) => Promise<unknown>
}

/** What the watch knows, as far as the panels show it. */
export type WatchView = {
  figures: () => Promise<GatheredView | null>
  machine: () => {
    disks: Record<string, { bytes: number; availableBytes: number }>
    memory: { bytes: number; availableBytes: number } | null
  }
  slowest: () => readonly { statement: string; durationMs: number; atMs: number; plan: string | null }[]
}
type GatheredView = {
  atMs: number
  users: number
  database: Record<string, number>
  databaseCpuSeconds: number | null
  replication: { replicas: number; lagMs: number; lagBytes: number }
  jobs: { due: number; scheduled: number; running: number; dead: number; oldestDueMs: number }
  tables: readonly {
    name: string
    liveRows: number
    deadRows: number
    sequentialScans: number
    indexScans: number
    sequentialRows: number
  }[]
  sizeBytes: number
  slowStatements: readonly { query: string; calls: number; meanUs: number; totalUs: number }[]
}

export type ConsoleParts = {
  version: string
  /** Null where this process serves no API. */
  apiAddress: () => string | null
  log: Logger
  metrics: Metrics
  /** For what is of nobody: counts of people. */
  database: Database
  queue: Queue
  watch: WatchView
  history: History
  recent: Recent
  listening: () => boolean
  /** Whether whatever writes is refused at the moment. */
  readOnly: () => boolean
  flags: FlagDesk
  /** Passed on as it is: triggers and capacity. */
  advise: () => Promise<object>
}

export type Asked = { query: URLSearchParams; body: unknown; operator: string }
type Run = (asked: Asked) => unknown
export type Call = { method: 'GET' | 'POST'; path: string; run: Run }

const jobIds = z.strictObject({ ids: z.array(z.int().positive()).min(1).max(limits.consoleJobsMax) })
const flagValue = z.strictObject({
  name: z.string().min(1).max(100),
  value: z.string().min(1).max(100),
  reason: z.string().max(limits.consoleTextLengthMax).nullish(),
})

export function makeCalls(parts: ConsoleParts): Call[] {
  const { metrics, queue, watch, history, recent, log } = parts
  const people = new PeopleCount(parts.database)
  // A process that started again begins another history, and the page with it.
  const boot = newId()
  const live: Run = async ({ query }) => {
    const since = Number(query.get('since') ?? 0)
    const gathered = await watch.figures()
    const { memory, disks } = watch.machine()
    return {
      ...{ boot, nowMs: Date.now(), everyMs: limits.consoleSampleMs, columns, rows: history.since(since) },
      service: {
        version: parts.version,
        api: parts.apiAddress(),
        startedAtMs: Math.round(performance.timeOrigin),
        process: process.pid,
        databaseReachable: parts.listening(),
        readOnly: parts.readOnly(),
      },
      ...{ memory, disks, people: await people.look() },
      gathered: gathered && {
        ...{ atMs: gathered.atMs, users: gathered.users, jobs: gathered.jobs, sizeBytes: gathered.sizeBytes },
        ...{ connectionsMax: gathered.database['connectionsMax'], replication: gathered.replication },
      },
    }
  }
  const database: Run = async () => {
    const gathered = await watch.figures()
    return {
      gathered: gathered && {
        ...{ atMs: gathered.atMs, sizeBytes: gathered.sizeBytes, replication: gathered.replication, database: gathered.database },
        tables: gathered.tables.toSorted((one, other) => other.liveRows + other.deadRows - one.liveRows - one.deadRows).slice(0, 15),
        slowStatements: gathered.slowStatements.map((one) => ({ ...one, query: clean(one.query) })),
      },
      busiest: busiestStatements(metrics.counted),
      slow: watch.slowest().toSorted((one, other) => other.atMs - one.atMs),
    }
  }
  const jobs: Run = async () => {
    const [tasks, letters] = await Promise.all([queue.byTask(), queue.deadLetters()])
    const shown = letters.slice(0, limits.consoleJobsMax)
    return { tasks, deadInAll: letters.length, dead: shown.map((one) => ({ ...one, error: one.error && clean(one.error) })) }
  }
  const onLetters =
    (what: 'retried' | 'discarded', work: (ids: readonly number[]) => Promise<number>): Run =>
    async ({ body, operator }) => {
      const { ids } = jobIds.parse(body)
      const count = await work(ids)
      log.info({ operator, jobs: ids, count }, `dead letters were ${what} from the console`)
      return { count }
    }
  const setFlag: Run = async ({ body, operator }) => {
    const { name, value, reason = null } = flagValue.parse(body)
    await parts.flags.set({ name, value, by: operator, reason })
    return { flags: await parts.flags.list() }
  }
  return [
    { method: 'GET', path: '/console/live', run: live },
    { method: 'GET', path: '/console/operations', run: () => recent.figures() },
    { method: 'GET', path: '/console/statements', run: database },
    { method: 'GET', path: '/console/jobs', run: jobs },
    { method: 'POST', path: '/console/jobs/retry', run: onLetters('retried', (ids) => queue.retry(ids)) },
    { method: 'POST', path: '/console/jobs/discard', run: onLetters('discarded', (ids) => queue.discard(ids)) },
    { method: 'GET', path: '/console/flags', run: async () => ({ flags: await parts.flags.list() }) },
    { method: 'POST', path: '/console/flags', run: setFlag },
    { method: 'GET', path: '/console/advice', run: parts.advise },
  ]
}
