// The first look at the database. Pure.
import { limits } from '../../values/limits.ts'
import type { ShippedIndex } from '../../resources/indexes.ts'
import type { readSlowKinds } from '../../resources/slow-kinds.ts'
import type { Row as RowOf } from '../../resources/statement.ts'
import { judged, looked, share, thresholds, type Check } from './check.ts'
import type {
  readBackupState,
  readActivity,
  readBloat,
  readQueue,
  readReplicas,
  readServer,
  readTableState,
  readUnusedIndexes,
} from './store.ts'

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
  backups: RowOf<(typeof readBackupState)['columns']>
}

const oneLine = (text: string | null) => (text ?? '').replaceAll(/\s+/g, ' ').trim()
const mb = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`
const highest = (values: number[]) => Math.max(0, ...values)

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

function restChecks({ replicas, queue, server, backups }: DatabaseLook): Check[] {
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
    ...backupChecks(backups),
  ]
}

function backupChecks({ baseAgeS, base, encrypted, drillAgeS, drillMs, follows, lagBytes }: DatabaseLook['backups']): Check[] {
  return [
    judged({
      section: 'backups',
      check: 'age of the last',
      value: baseAgeS === null ? null : Math.max(0, baseAgeS) / 3_600,
      unit: 'h',
      threshold: thresholds.backupHours,
      details: base === null ? ['none was made yet: djinn backup'] : [`${base}, ${encrypted ? 'encrypted' : 'not encrypted'}`],
    }),
    judged({
      section: 'backups',
      check: 'age of the last drill',
      value: drillAgeS === null ? null : Math.max(0, drillAgeS) / 86_400,
      unit: 'days',
      threshold: thresholds.drillDays,
      details:
        drillMs === null
          ? ['whether they can be restored was not tried yet: djinn backup --drill']
          : [`restored and proved in ${Math.ceil(drillMs / 1_000)} s`],
    }),
    judged({
      section: 'backups',
      check: 'the log is followed',
      value: follows === null ? null : Number(follows),
      unit: 'of 1',
      threshold: 1,
      over: 'below',
      details:
        follows === null
          ? ['only the moments of backups can be restored; with BACKUP_FOLDER, or djinn backup --follow, every one']
          : [`${mb(lagBytes ?? 0)} of it are not safe yet`],
    }),
  ]
}
