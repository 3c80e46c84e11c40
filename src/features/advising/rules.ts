// Every trigger of more machinery: what is measured, over which window, and the threshold that it must not pass. Pure.
import {
  backupSlowdown,
  busiestStatement,
  connections,
  cpuPercent,
  databaseCpuPercent,
  dayMs,
  diskPercent,
  hourMs,
  longestOperation,
  memoryPercent,
  p95Ms,
  processesApart,
  publicPercent,
  readsPerWrite,
  registered,
  within,
  type Evidence,
  type Hour,
} from './evidence.ts'
import type { Point } from './forecast.ts'
import type { Step } from './servers.ts'

export type Rule = {
  /** `step-what`, stable: people and programs know a trigger by it. */
  trigger: string
  step: Step
  says: string
  unit: string
  threshold: (evidence: Evidence) => number
  windowMs: number
  /** The measured or declared value; null while it is not known. */
  value: (evidence: Evidence) => number | null
  /** The same day by day, for a forecast; without it none is made. */
  daily?: (evidence: Evidence) => Point[]
  /** From which part of the threshold on it is soon; without it only a forecast says so. */
  soonFrom?: number
}

const busiest = (hours: readonly Hour[], of: (hour: Hour) => number | null): number | null => {
  const known = hours.map(of).filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}

/**
 * Each stretch of 24 hours back from now: a calendar day that has only begun would look like one on which little happened. So would the
 * oldest stretch, of which the beginning is missing: it is left out.
 */
function daily(hours: readonly Hour[], nowMs: number, of: (day: Hour[]) => number | null): Point[] {
  const last = Math.ceil(nowMs / hourMs) - 1
  const today = Math.floor(nowMs / dayMs)
  const oldest = hours[0] ? last - hours[0].hour : 0
  return [...Map.groupBy(hours, ({ hour }) => Math.floor((last - hour) / 24))].flatMap(([ago, ofDay]) => {
    const value = ago > 0 && oldest < ago * 24 + 23 ? null : of(ofDay)
    return value === null ? [] : [{ day: today - ago, value }]
  })
}

type Core = Pick<Rule, 'trigger' | 'step' | 'says' | 'unit'> & { threshold: number | Rule['threshold']; soonFrom?: number }

const fixed = (threshold: Core['threshold']) => (typeof threshold === 'number' ? () => threshold : threshold)

/** Of the busiest hour of the last day. */
function hourly(core: Core, of: (hour: Hour) => number | null, from: 'hours' | 'fairHours' = 'fairHours'): Rule {
  return {
    soonFrom: 0.8,
    ...core,
    threshold: fixed(core.threshold),
    windowMs: dayMs,
    value: (evidence) => busiest(within(evidence[from], evidence.nowMs, dayMs), of),
    daily: (evidence) => daily(evidence[from], evidence.nowMs, (hours) => busiest(hours, of)),
  }
}

/** Of all hours of the last day together. */
function dayLong(core: Core, of: (hours: readonly Hour[]) => number | null, from: 'hours' | 'fairHours' = 'hours'): Rule {
  return {
    ...core,
    threshold: fixed(core.threshold),
    windowMs: dayMs,
    value: (evidence) => of(within(evidence[from], evidence.nowMs, dayMs)),
    daily: (evidence) => daily(evidence[from], evidence.nowMs, of),
  }
}

/** What was declared holds until something else is. */
function declared(core: Core, fact: string): Rule {
  return { ...core, threshold: fixed(core.threshold), windowMs: 0, value: ({ facts }) => facts.get(fact) ?? null }
}

/** The target of the API's p95 at the stage that the service is in. */
export function p95TargetMs(users: number): number {
  return users < 1_000 ? 500 : users < 10_000 ? 200 : 100
}

export const rules: readonly Rule[] = [
  hourly(
    {
      trigger: 'redis-processes',
      step: 'redis',
      says: 'API processes without one view of sessions, limits and locks',
      unit: 'processes',
      threshold: 1,
      soonFrom: Infinity,
    },
    processesApart,
    'hours',
  ),
  declared(
    { trigger: 'redis-durable-cache', step: 'redis', says: 'a cache must survive restarts', unit: 'declared', threshold: 0 },
    'durable-cache',
  ),
  hourly(
    { trigger: 'redis-database-cpu', step: 'redis', says: 'CPU of the database, an hour long', unit: '%', threshold: 60 },
    databaseCpuPercent,
  ),
  hourly(
    {
      trigger: 'redis-same-statement',
      step: 'redis',
      says: 'calls of one and the same statement by reads',
      unit: 'per minute',
      threshold: 100,
    },
    (hour) => busiestStatement(hour)?.perMinute ?? null,
    'hours',
  ),
  hourly({ trigger: 'redis-p95', step: 'redis', says: 'p95 of answers', unit: 'ms', threshold: 200 }, p95Ms),
  dayLong(
    { trigger: 'replica-reads', step: 'replica', says: 'reads for each write', unit: 'to 1', threshold: 10, soonFrom: 0.8 },
    readsPerWrite,
  ),
  hourly(
    { trigger: 'replica-database-cpu', step: 'replica', says: 'CPU of the database, an hour long', unit: '%', threshold: 80 },
    databaseCpuPercent,
  ),
  {
    trigger: 'replica-backups',
    step: 'replica',
    says: 'p95 while a backup runs, against p95 otherwise',
    unit: 'times',
    threshold: () => 1.5,
    windowMs: 7 * dayMs,
    value: ({ pieces, nowMs }) => backupSlowdown(pieces.filter(({ slot }) => slot * 300_000 > nowMs - 7 * dayMs)),
  },
  dayLong(
    {
      trigger: 'cdn-public-bytes',
      step: 'cdn',
      says: 'bytes of answers that are the same for everybody',
      unit: '%',
      threshold: 50,
      soonFrom: 0.8,
    },
    publicPercent,
  ),
  declared(
    { trigger: 'cdn-far-users', step: 'cdn', says: 'round trip of users far away', unit: 'ms', threshold: 200, soonFrom: 0.8 },
    'far-users-ms',
  ),
  dayLong(
    { trigger: 'queue-long-operations', step: 'queue', says: 'the longest operation', unit: 's', threshold: 5, soonFrom: 0.8 },
    (hours) => (hours.some(({ all }) => all.watchedMs > 0) ? (longestOperation(hours)?.ms ?? 0) / 1_000 : null),
    'fairHours',
  ),
  dayLong(
    { trigger: 'queue-timeouts', step: 'queue', says: 'requests that were ended for taking too long', unit: 'a day', threshold: 0 },
    (hours) => (hours.length === 0 ? null : hours.reduce((sum, { all }) => sum + all.timeouts, 0)),
    'fairHours',
  ),
  hourly({ trigger: 'server-cpu', step: 'server', says: 'CPU of the machine, an hour long', unit: '%', threshold: 60 }, cpuPercent),
  hourly({ trigger: 'server-memory', step: 'server', says: 'memory in use', unit: '%', threshold: 80 }, memoryPercent, 'hours'),
  hourly({ trigger: 'server-disk', step: 'server', says: 'disk in use', unit: '%', threshold: 80 }, diskPercent, 'hours'),
  hourly(
    { trigger: 'server-connections', step: 'server', says: 'connections to PostgreSQL', unit: 'connections', threshold: 80 },
    connections,
    'hours',
  ),
  hourly({ trigger: 'horizontal-cpu', step: 'horizontal', says: 'CPU of the machine, an hour long', unit: '%', threshold: 80 }, cpuPercent),
  hourly({ trigger: 'horizontal-memory', step: 'horizontal', says: 'memory in use', unit: '%', threshold: 90 }, memoryPercent, 'hours'),
  hourly(
    {
      trigger: 'horizontal-p95',
      step: 'horizontal',
      says: 'p95 of answers, against the target for so many users',
      unit: 'ms',
      threshold: (evidence) => p95TargetMs(registered(evidence)),
    },
    p95Ms,
  ),
  declared(
    { trigger: 'horizontal-zero-downtime', step: 'horizontal', says: 'a restart may not cost a request', unit: 'declared', threshold: 0 },
    'zero-downtime',
  ),
  declared(
    {
      trigger: 'microservices-team',
      step: 'microservices',
      says: 'people who change the code',
      unit: 'people',
      threshold: 20,
      soonFrom: 0.8,
    },
    'team-size',
  ),
  declared(
    { trigger: 'microservices-contexts', step: 'microservices', says: 'clear bounded contexts', unit: 'declared', threshold: 0 },
    'bounded-contexts',
  ),
  declared(
    { trigger: 'microservices-scaling', step: 'microservices', says: 'parts that scale differently', unit: 'declared', threshold: 0 },
    'uneven-scaling',
  ),
]
