// The cheaper fix to try before a step is taken, chosen from the evidence. Pure.
import type { Server } from '../../values/servers.ts'
import {
  bufferHitPercent,
  busiestStatement,
  count,
  dayMs,
  longestOperation,
  publicPercent,
  readsPerWrite,
  within,
  type Evidence,
  type Hour,
} from './evidence.ts'
import type { Rule } from './rules.ts'
import { nextServer, type Scarce } from './servers.ts'

/** What a trigger's value comes from: it decides which fixes can help. */
type Cause = 'load' | 'memory' | 'disk' | 'other'
const causes: Record<string, Cause> = {
  'redis-database-cpu': 'load',
  'redis-p95': 'load',
  'replica-database-cpu': 'load',
  'queue-long-operations': 'load',
  'queue-timeouts': 'load',
  'server-cpu': 'load',
  'horizontal-cpu': 'load',
  'horizontal-p95': 'load',
  'server-memory': 'memory',
  'horizontal-memory': 'memory',
  'server-disk': 'disk',
}

const shown = 120
const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim().slice(0, shown)
const percent = (share: number) => `${Math.round(share * 100)} %`

/** A missing index is told whatever the verdict: it costs nothing to make and slows everything that needs it. */
export function missingIndexFix({ missing }: Evidence): string | null {
  if (missing.length === 0) return null
  const more = missing.length > 1 ? ` and ${missing.length - 1} more (djinn inspect lists them)` : ''
  return `make the missing index ${missing[0]!.name} on ${missing[0]!.table} again${more}: ${missing[0]!.definition}`
}

export const isOfLoad = (trigger: string) => causes[trigger] === 'load'
export const scarceOf = (trigger: string): Scarce => (causes[trigger] === 'memory' ? 'memoryBytes' : 'cpus')

/** In the order of what it costs: an index, a statement, a setting, the pool, a bigger server; then the step itself. */
export function cheaperFix(rule: Rule, evidence: Evidence): string {
  const hours = within(evidence.fairHours, evidence.nowMs, dayMs)
  const cause = causes[rule.trigger] ?? 'other'
  if (cause === 'load') {
    return (
      missingIndexFix(evidence) ??
      scannedTable(hours) ??
      slowStatement(evidence) ??
      tooFewBuffers(hours) ??
      busyPool(hours) ??
      longOperation(rule, hours) ??
      biggerServer(hours, 'cpus') ??
      'nothing cheaper is left to try on this server'
    )
  }
  if (cause === 'memory')
    return tooFewBuffers(hours) ?? biggerServer(hours, 'memoryBytes') ?? 'nothing cheaper is left to try on this server'
  if (cause === 'disk') return largestOnDisk(hours)
  return special(rule, hours)
}

type Hours = readonly Hour[]

function scannedTable(hours: Hours): string | null {
  const rows = new Map<string, number>()
  for (const { all } of hours)
    for (const [table, read] of Object.entries(all.service?.scannedRows ?? {})) rows.set(table, (rows.get(table) ?? 0) + read)
  const [first] = [...rows].toSorted(([, one], [, other]) => other - one)
  const answers = count(hours.flatMap(({ all }) => all.answers))
  // Vacuum and reports read tables from end to end too; what costs each answer thousands of rows is a statement without an index.
  if (!first || answers === 0 || first[1] / answers < 1_000) return null
  return `find the statement that reads ${first[0]} from end to end (${Math.round(first[1] / answers)} rows for each answer) and give it an index: djinn inspect, then the log's plans`
}

function slowStatement({ slowest }: Evidence): string | null {
  const all = slowest.reduce((sum, { totalUs }) => sum + totalUs, 0)
  const [first] = slowest.toSorted((one, other) => other.totalUs - one.totalUs)
  if (!first || first.calls < 10) return null
  return `make the slow statement faster (${Math.round(first.meanUs / 1_000)} ms on average, ${first.calls} calls, ${percent(first.totalUs / all)} of the time of slow ones): ${oneLine(first.query)}`
}

function tooFewBuffers(hours: Hours): string | null {
  const hit = bufferHitPercent(hours)
  return hit === null || hit >= 95
    ? null
    : `${Math.floor(hit)} % of blocks are found in PostgreSQL's buffers (95 % should be): djinn tune --check, then --apply`
}

/** A connection should be there at once. */
const poolWaitMsMax = 20

function busyPool(hours: Hours): string | null {
  const waits = count(hours.map(({ all }) => all.poolWaits))
  const meanMs = waits === 0 ? 0 : count(hours.map(({ all }) => all.poolWaitMs)) / waits
  return meanMs <= poolWaitMsMax
    ? null
    : `requests wait ${Math.round(meanMs)} ms for a connection: a bigger pool (djinn pooler --pool-size), within the connections that PostgreSQL allows`
}

function longOperation({ trigger }: Rule, hours: Hours): string | null {
  const longest = /p95|long-operations/.test(trigger) ? longestOperation(hours) : null
  return longest && `make ${longest.name} shorter or smaller: its longest call took ${(longest.ms / 1_000).toFixed(1)} s`
}

function biggerServer(hours: Hours, scarce: Scarce): string | null {
  const next = serverAfter(hours, scarce)
  return (
    next &&
    `a bigger server: ${next.name}, ${next.cpus} CPUs and ${Math.round(next.memoryBytes / 1024 ** 3)} GB for EUR ${next.eurPerMonth} a month`
  )
}

export function machineOf(hours: Hours) {
  return (
    hours.findLast(({ hosts }) => hosts.some(({ machine }) => machine !== null))?.hosts.find(({ machine }) => machine !== null)?.machine ??
    null
  )
}

function serverAfter(hours: Hours, scarce: Scarce): Server | null {
  const machine = machineOf(hours)
  return machine && nextServer(machine, scarce)
}

function largestOnDisk(hours: Hours): string {
  const service = hours.findLast(({ all }) => all.service !== null)?.all.service
  const machine = machineOf(hours)
  const share = service && machine && machine.diskUsedBytes > 0 ? service.sizeBytes / machine.diskUsedBytes : 1
  return share < 0.5
    ? `the database is ${percent(share)} of what is in use: look what else grew (du -xh / | sort -h), old logs and backups first`
    : 'a volume of its own for PostgreSQL (EUR 0.05 a GB), or the next server'
}

function special({ trigger }: Rule, hours: Hours): string {
  switch (trigger) {
    case 'redis-processes': {
      const next = serverAfter(hours, 'cpus')
      return next
        ? `one API process on a bigger server (${next.name}, EUR ${next.eurPerMonth}) needs no shared state`
        : 'sessions end everywhere at once by LISTEN already; let the balancer keep a phone on one process, and limits hold nearly'
    }
    case 'redis-durable-cache':
      return 'a table: PostgreSQL survives restarts, and a row by its key takes less than 1 ms'
    case 'redis-same-statement': {
      const found = hours
        .map(busiestStatement)
        .filter((each) => each !== null)
        .toSorted((one, other) => other.perMinute - one.perMinute)
      const [first] = found
      return first
        ? `${first.name} is the one, with ${percent(first.share)} of the time of all statements: a cache saves no more than that; let phones ask with If-None-Match and /api/sync, which cost one key lookup`
        : 'let phones ask with If-None-Match and /api/sync, which cost one key lookup'
    }
    case 'replica-reads': {
      const ratio = readsPerWrite(hours)
      return `while the database's CPU is below 60 % a replica gives nothing: let phones ask with If-None-Match and /api/sync${ratio === null ? '' : ` (${Math.round(ratio)} reads for each write now)`}`
    }
    case 'replica-backups':
      return 'run the backup in the quietest hour, at a bounded rate'
    case 'cdn-public-bytes': {
      const share = publicPercent(hours)
      return `let apps keep public answers as their Cache-Control allows (5 minutes, then If-None-Match)${share === null ? '' : `: ${Math.round(share)} % of the bytes are such`}`
    }
    case 'cdn-far-users':
      return 'fewer round trips first: /api/batch and /api/sync; then a server in the region where most users are'
    case 'server-connections':
      return 'PgBouncer before PostgreSQL: djinn pooler'
    case 'horizontal-zero-downtime':
      return 'restarts of one process take 2 s, and phones repeat with Idempotency-Key: deploy in the quietest hour'
    default:
      return 'a folder a part, as now: features never import each other, so each can be given to one team'
  }
}
