// What the first look shows: each value beside its threshold, red where it is over. Pure.
import { limits } from '../../values/limits.ts'
import type { ShippedIndex } from '../../resources/indexes.ts'
import type { Row as RowOf } from '../../resources/statement.ts'
import type {
  readActivity,
  readBloat,
  readQueue,
  readReplicas,
  readServer,
  readSlowKinds,
  readTableState,
  readUnusedIndexes,
} from './store.ts'

export type Check = {
  section: string
  check: string
  /** Null where it cannot be known. */
  value: number | null
  unit: string
  threshold: number | null
  /** On which side of the threshold trouble lies. */
  over: 'above' | 'below'
  verdict: 'ok' | 'red' | 'unknown'
  /** What is meant, the worst first. */
  details: string[]
}

export type Host = {
  cpus: number
  load: number
  /** Of all CPUs, over the time of the look. */
  cpuPercent: number | null
  memory: { bytes: number; availableBytes: number } | null
  disks: Record<string, { bytes: number; availableBytes: number }>
}

export type DatabaseLook = {
  server: RowOf<(typeof readServer)['columns']>
  activity: RowOf<(typeof readActivity)['columns']>[]
  tables: RowOf<(typeof readTableState)['columns']>[]
  unused: RowOf<(typeof readUnusedIndexes)['columns']>[]
  missing: ShippedIndex[]
  bloat: RowOf<(typeof readBloat)['columns']>[]
  replicas: RowOf<(typeof readReplicas)['columns']>[]
  queue: RowOf<(typeof readQueue)['columns']>
  slow: RowOf<(typeof readSlowKinds)['columns']>[]
}

export const thresholds = {
  cpuPercent: 80,
  /** Of the load average of a minute: programs that run or wait, for each CPU. */
  loadPerCpu: 2,
  memoryPercent: 80,
  diskPercent: 80,
  connections: 80,
  transactionS: 60,
  hitPercent: 95,
  deadRowsPercent: 20,
  bloatPercent: 40,
  lagS: 10,
  queueWaitS: 300,
  /** A table is read from end to end so often, on average by each scan, only for want of an index. */
  scannedRows: 10_000,
  /** PostgreSQL vacuums by force at 200 million and stops at 2,000 million. */
  transactionIdsMillions: 500,
} as const

export const looked = {
  detailsMax: 5,
  unusedIndexBytesMin: 8 * 1024 * 1024,
  bloatBytesMin: 8 * 1024 * 1024,
  /** Statistics of less time say nothing of what is never used. */
  statisticsDaysMin: 7,
  hitBlocksMin: 10_000,
  /** A statement that was slow once or twice is no kind. */
  callsMin: 5,
} as const

type Draft = Omit<Check, 'verdict' | 'over' | 'details'> & { over?: Check['over']; details?: string[] }

/** Over its threshold is beyond it, not at it. */
export function judged({ over = 'above', details = [], ...draft }: Draft): Check {
  const { value, threshold } = draft
  const isRed = value !== null && threshold !== null && (over === 'above' ? value > threshold : value < threshold)
  return {
    ...draft,
    value: value === null ? null : Math.round(value * 100) / 100,
    over,
    details: details.slice(0, looked.detailsMax),
    verdict: value === null ? 'unknown' : isRed ? 'red' : 'ok',
  }
}

const oneLine = (text: string | null) => (text ?? '').replaceAll(/\s+/g, ' ').trim()
const share = (part: number, of: number) => (of > 0 ? (100 * part) / of : 0)
const mb = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`
const gb = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GB`
const highest = (values: number[]) => Math.max(0, ...values)

export function hostChecks({ cpus, load, cpuPercent, memory, disks }: Host): Check[] {
  return [
    judged({ section: 'host', check: 'CPU', value: cpuPercent, unit: '%', threshold: thresholds.cpuPercent, details: [`${cpus} CPUs`] }),
    judged({ section: 'host', check: 'load for each CPU', value: load / cpus, unit: 'programs', threshold: thresholds.loadPerCpu }),
    judged({
      section: 'host',
      check: 'memory',
      value: memory && share(memory.bytes - memory.availableBytes, memory.bytes),
      unit: '%',
      threshold: thresholds.memoryPercent,
      details: memory ? [`${gb(memory.availableBytes)} of ${gb(memory.bytes)} left`] : [],
    }),
    ...Object.entries(disks).map(([name, { bytes, availableBytes }]) =>
      judged({
        section: 'disk',
        check: name === 'data' ? "of PostgreSQL's data" : 'of the service',
        value: share(bytes - availableBytes, bytes),
        unit: '%',
        threshold: thresholds.diskPercent,
        details: [`${gb(availableBytes)} of ${gb(bytes)} left`],
      }),
    ),
  ]
}

/** Where PostgreSQL is on another machine, that one's disk and CPU are to be looked at there. */
export const elsewhere = judged({
  section: 'disk',
  check: "of PostgreSQL's data",
  value: null,
  unit: '%',
  threshold: thresholds.diskPercent,
  details: ['PostgreSQL is on another machine, or its folder is not told: look there'],
})

export const unreachable = (reason: string) =>
  judged({ section: 'database', check: 'answers', value: 0, unit: 'of 1', threshold: 1, over: 'below', details: [reason] })

export function databaseChecks(look: DatabaseLook): Check[] {
  return [
    ...serverChecks(look),
    ...lockChecks(look),
    ...statementChecks(look),
    ...indexChecks(look),
    ...tableChecks(look),
    ...restChecks(look),
  ]
}

function serverChecks({ server }: DatabaseLook): Check[] {
  const blocks = server.blocksHit + server.blocksRead
  return [
    judged({
      section: 'database',
      check: 'connections',
      value: server.connections,
      unit: 'connections',
      threshold: Math.min(thresholds.connections, Math.floor(server.connectionsMax * 0.8)),
      details: [
        `PostgreSQL ${oneLine(server.version)}, up for ${Math.floor(server.uptimeS / 3_600)} h, allows ${server.connectionsMax}; ${mb(server.sizeBytes)}`,
      ],
    }),
    judged({
      section: 'database',
      check: 'blocks found in buffers',
      value: blocks < looked.hitBlocksMin ? null : share(server.blocksHit, blocks),
      unit: '%',
      threshold: thresholds.hitPercent,
      over: 'below',
      details:
        blocks < looked.hitBlocksMin ? [`only ${blocks} blocks were asked for so far`] : ['since statistics began; djinn tune --check'],
    }),
    judged({
      section: 'database',
      check: 'transactions since the last freeze',
      value: server.transactionIds / 1e6,
      unit: 'million',
      threshold: thresholds.transactionIdsMillions,
    }),
  ]
}

function lockChecks({ activity }: DatabaseLook): Check[] {
  const waiting = activity.filter(({ waits }) => waits)
  const seconds = (ms: number) => Math.max(0, Math.round(ms / 1_000))
  const told = (one: (typeof activity)[number]) =>
    `pid ${one.pid} (${oneLine(one.application) || 'no name'}, ${one.state ?? 'unknown'}) for ${seconds(one.openMs)} s: ${oneLine(one.query)}`
  return [
    judged({
      section: 'locks',
      check: 'waiting for a lock',
      value: waiting.length,
      unit: 'connections',
      threshold: 0,
      details: waiting.map((one) => `${told(one)} - waits for pid ${one.blockers.join(', ')}`),
    }),
    judged({
      section: 'locks',
      check: 'longest open transaction',
      value: highest(activity.map(({ openMs }) => openMs)) / 1_000,
      unit: 's',
      threshold: thresholds.transactionS,
      details: activity.filter(({ openMs }) => openMs > thresholds.transactionS * 1_000).map(told),
    }),
  ]
}

function statementChecks({ slow }: DatabaseLook): Check[] {
  const kinds = slow.filter(({ calls }) => calls >= looked.callsMin)
  return [
    judged({
      section: 'statements',
      check: `kinds with a mean above ${limits.slowStatementMs} ms`,
      value: kinds.length,
      unit: 'kinds',
      threshold: 0,
      details: kinds.map(
        ({ query, calls, meanUs }) => `${Math.round(meanUs / 1_000)} ms on average, ${calls} calls: ${oneLine(query).slice(0, 160)}`,
      ),
    }),
  ]
}

function indexChecks({ missing, unused, server }: DatabaseLook): Check[] {
  const days = (server.statisticsS ?? server.uptimeS) / 86_400
  const known = days >= looked.statisticsDaysMin
  return [
    judged({
      section: 'indexes',
      check: 'missing',
      value: missing.length,
      unit: 'indexes',
      threshold: 0,
      details: missing.map(({ definition }) => `${definition};`),
    }),
    judged({
      section: 'indexes',
      check: `unused, of ${mb(looked.unusedIndexBytesMin)} and more`,
      value: known ? unused.length : null,
      unit: 'indexes',
      threshold: 0,
      details: known
        ? unused.map(({ name, table, bytes }) => `${name} on ${table}, ${mb(bytes)}`)
        : [`statistics are ${Math.floor(days)} days old; from ${looked.statisticsDaysMin} days on they say what is never used`],
    }),
  ]
}

function tableChecks({ tables, bloat }: DatabaseLook): Check[] {
  const large = tables.filter(({ liveRows }) => liveRows >= limits.largeTableRows)
  const scanned = large
    .map((table) => ({ ...table, rowsPerScan: table.sequentialScans > 0 ? table.sequentialRows / table.sequentialScans : 0 }))
    .filter((table) => table.sequentialScans >= 100)
    .toSorted((one, other) => other.sequentialRows - one.sequentialRows)
  const dead = large
    .map((table) => ({ ...table, percent: share(table.deadRows, table.deadRows + table.liveRows) }))
    .toSorted((one, other) => other.percent - one.percent)
  const loose = bloat
    .map((one) => ({ ...one, percent: share(Math.max(0, one.bytes - one.packedBytes), one.bytes) }))
    .toSorted((one, other) => other.percent - one.percent)
  return [
    judged({
      section: 'tables',
      check: 'rows read by each scan from end to end',
      value: highest(scanned.map(({ rowsPerScan }) => Math.round(rowsPerScan))),
      unit: 'rows',
      threshold: thresholds.scannedRows,
      details: scanned
        .filter(({ rowsPerScan }) => rowsPerScan > thresholds.scannedRows)
        .map(({ name, sequentialScans, rowsPerScan }) => `${name}: ${sequentialScans} scans of ${Math.round(rowsPerScan)} rows`),
    }),
    judged({
      section: 'tables',
      check: 'dead rows of a table',
      value: highest(dead.map(({ percent }) => percent)),
      unit: '%',
      threshold: thresholds.deadRowsPercent,
      details: dead
        .filter(({ percent }) => percent > thresholds.deadRowsPercent)
        .map(({ name, percent, vacuumedAt }) => `${name}: ${Math.round(percent)} %, vacuumed ${vacuumedAt ?? 'never'}`),
    }),
    judged({
      section: 'tables',
      check: 'bloat of a table, estimated',
      value: highest(loose.map(({ percent }) => percent)),
      unit: '%',
      threshold: thresholds.bloatPercent,
      details: loose
        .filter(({ percent }) => percent > thresholds.bloatPercent)
        .map(({ name, percent, bytes }) => `${name}: ${Math.round(percent)} % of ${mb(bytes)}; vacuum full, or pg_repack`),
    }),
  ]
}

function restChecks({ replicas, queue, server }: DatabaseLook): Check[] {
  return [
    judged({
      section: 'replication',
      check: 'lag of the slowest replica',
      value: highest(replicas.map(({ lagMs }) => lagMs)) / 1_000,
      unit: 's',
      threshold: thresholds.lagS,
      details:
        replicas.length === 0
          ? [server.standby ? 'this is a replica itself' : 'there is none']
          : replicas.map(({ name, state, lagBytes }) => `${name ?? 'no name'}: ${state ?? 'unknown'}, ${mb(lagBytes)} behind`),
    }),
    judged({
      section: 'queue',
      check: 'longest wait of a due job',
      value: queue.oldestDueS,
      unit: 's',
      threshold: thresholds.queueWaitS,
      details: [`${queue.due} due, ${queue.running} running`],
    }),
    judged({ section: 'queue', check: 'dead letters', value: queue.dead, unit: 'jobs', threshold: 0 }),
    judged({
      section: 'backups',
      check: 'age of the last',
      value: null,
      unit: 'h',
      threshold: 26,
      details: ['no backup is known: nobody has told Djinn of one yet'],
    }),
  ]
}
