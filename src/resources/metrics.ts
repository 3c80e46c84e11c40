// What the service counts of itself, in memory: a scrape never touches the database. docs/metrics.md lists every name.
import { Registry, collectDefaultMetrics } from '@prometheus-io/client'
import { limits } from '../values/limits.ts'
import { expositionOf, Level, Tally, Timing, type Buckets, type Instrument, type Value } from './exposition.ts'

/** Buckets of requests' durations; the last has no bound. */
export const requestBoundsS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 30]
/** The targets of the database's p95 are among them. */
const statementBoundsS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.03, 0.05, 0.1, 0.5, 5]
const waitBoundsS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2]

/** The operation of requests that meet none. */
export const noOperation = 'none'
export const pushOutcomes = ['sent', 'deadToken', 'retry', 'rejected', 'expired'] as const
export const callers = ['user', 'feed', 'anonymous'] as const
export type Caller = (typeof callers)[number]
export type CacheName = 'system' | 'session'

const costlyRuntimeMetrics = ['resources', 'handles', 'requests'].flatMap((what) => [
  `nodejs_active_${what}`,
  `nodejs_active_${what}_total`,
])

export type Gauges = {
  connections: () => number
  streams: () => number
  pool: () => { total: number; idle: number; waiting: number }
}

type OfOperation = { durations: Buckets; errors: Value; byStatus: Map<number, Value>; longestMs: number }

/** What was counted since the start, in a form that can be held against an earlier one. */
export type Totals = {
  /** Of each operation its answers by the buckets of their durations. */
  answers: Map<string, readonly number[]>
  timeouts: number
  calls: { read: number; write: number }
  bytes: { public: number; private: number }
  /** `reads` are those outside of any write. */
  statements: Map<string, { calls: number; reads: number; totalMs: number }>
  poolWaits: { count: number; totalMs: number }
}

type OfStatement = { durations: Buckets; slow: Value | undefined; reads: number }

export class Metrics {
  /** What Node and its process tell, by the client library. */
  readonly #runtime = new Registry()
  readonly #instruments: Instrument[] = []
  readonly #durations = new Timing(
    'djinn_request_duration_seconds',
    'Time from the parsed request to its answer',
    'operation',
    requestBoundsS,
  )
  readonly #requests = new Tally('djinn_requests_total', 'Answered requests', ['operation', 'status'])
  readonly #errors = new Tally('djinn_errors_total', 'Answers of 500 and above', ['operation'], [[noOperation]])
  readonly #statements = new Timing(
    'djinn_statement_duration_seconds',
    'Time of a statement from sending to its last row',
    'statement',
    statementBoundsS,
  )
  readonly #slow = new Tally('djinn_slow_statements_total', 'Statements that took longer than 100 ms', ['statement'])
  readonly #poolWaits = new Timing('djinn_pool_wait_seconds', 'Time until the pool gave a connection', null, waitBoundsS)
  readonly #pushes = new Tally(
    'djinn_pushes_total',
    'Messages given to FCM, by what became of them',
    ['outcome'],
    pushOutcomes.map((outcome) => [outcome]),
  )
  readonly #features = new Tally('djinn_feature_calls_total', 'Operations called, steps of batches included', ['feature', 'caller'])
  readonly #timeouts = new Tally('djinn_timeouts_total', 'Requests that were ended for taking too long', ['operation'], [[noOperation]])
  readonly #calls = new Tally(
    'djinn_calls_total',
    'Operations called, steps of batches in place of the batch',
    ['effect'],
    [['read'], ['write']],
  )
  readonly #bytes = new Tally(
    'djinn_response_bytes_total',
    'Bytes of answers, as they were sent',
    ['visibility'],
    [['public'], ['private']],
  )
  readonly #caches = new Tally('djinn_cache_reads_total', 'Looks into a cache of the process', ['cache', 'outcome'])
  readonly #operations = new Map<string, OfOperation>()
  readonly #byStatement = new Map<string, OfStatement>()
  readonly #byFeature = new Map<string, Record<Caller, Value>>()
  readonly #roundTrips: Value
  readonly #callsOf = { read: this.#calls.of('read'), write: this.#calls.of('write') }
  readonly #bytesOf = { public: this.#bytes.of('public'), private: this.#bytes.of('private') }
  #timedOut = 0
  readonly #cacheReads: Record<CacheName, { hit: Value; miss: Value }>

  constructor(gauges: Gauges) {
    collectDefaultMetrics({ register: this.#runtime })
    // These walk all open connections at each scrape; djinn_active_connections is a number at hand.
    for (const name of costlyRuntimeMetrics) this.#runtime.removeSingleMetric(name)
    const roundTrips = new Tally('djinn_database_round_trips_total', 'Waits for the database')
    this.#roundTrips = roundTrips.of()
    const cache = (name: CacheName) => ({ hit: this.#caches.of(name, 'hit'), miss: this.#caches.of(name, 'miss') })
    this.#cacheReads = { system: cache('system'), session: cache('session') }
    this.add(
      this.#durations,
      this.#requests,
      this.#errors,
      this.#timeouts,
      this.#calls,
      this.#bytes,
      new Level('djinn_active_connections', 'Open connections to the API', [], (level) => level.set(gauges.connections())),
      new Level('djinn_event_streams', 'Open streams of live events', [], (level) => level.set(gauges.streams())),
      this.#statements,
      this.#slow,
      roundTrips,
      new Level('djinn_pool_connections', 'Connections of the pool, and requests that wait for one', ['state'], (level) => {
        const { total, idle, waiting } = gauges.pool()
        level.set(total - idle, 'busy')
        level.set(idle, 'idle')
        level.set(waiting, 'waited_for')
      }),
      this.#poolWaits,
      this.#caches,
      this.#features,
      this.#pushes,
    )
  }

  /** Adds instruments that others set. */
  add(...instruments: Instrument[]) {
    this.#instruments.push(...instruments)
  }

  get declared() {
    return this.#instruments.map((instrument) => instrument.declared)
  }

  get counted(): Counted {
    return { operations: this.#operations, statements: this.#byStatement, requestBoundsS, statementBoundsS, cacheReads: this.#cacheReads }
  }

  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE

  async text(): Promise<string> {
    return expositionOf(this.#instruments) + (await this.#runtime.metrics())
  }

  request(operation: string, status: number, durationMs: number) {
    let of = this.#operations.get(operation)
    if (of === undefined) {
      of = { durations: this.#durations.of(operation), errors: this.#errors.of(operation), byStatus: new Map(), longestMs: 0 }
      this.#operations.set(operation, of)
    }
    this.#durations.observeMs(durationMs, of.durations)
    let answered = of.byStatus.get(status)
    if (answered === undefined) of.byStatus.set(status, (answered = this.#requests.of(operation, String(status))))
    answered.value++
    if (status >= 500) of.errors.value++
    if (durationMs > of.longestMs) of.longestMs = durationMs
  }

  /** It was ended for taking too long. */
  timeout(operation: string) {
    this.#timeouts.of(operation).value++
    this.#timedOut++
  }

  /** Bytes that a cache between phone and server could keep are public. */
  answered(bytes: number, isPublic: boolean) {
    this.#bytesOf[isPublic ? 'public' : 'private'].value += bytes
  }

  statement(name: string, durationMs: number) {
    const of = this.#ofStatement(name)
    this.#statements.observeMs(durationMs, of.durations)
    if (durationMs > limits.slowStatementMs) (of.slow ??= this.#slow.of(name)).value++
  }

  /** A statement was sent outside of any write. */
  read(name: string) {
    this.#ofStatement(name).reads++
  }

  #ofStatement(name: string): OfStatement {
    let of = this.#byStatement.get(name)
    if (of === undefined) this.#byStatement.set(name, (of = { durations: this.#statements.of(name), slow: undefined, reads: 0 }))
    return of
  }

  /** An operation was entered; a feature is the part of the documentation that describes it. */
  called(feature: string, caller: Caller, effect: 'read' | 'write' | null) {
    if (effect) this.#callsOf[effect].value++
    let of = this.#byFeature.get(feature)
    if (of === undefined) {
      const value = (each: Caller) => this.#features.of(feature, each)
      this.#byFeature.set(feature, (of = { user: value('user'), feed: value('feed'), anonymous: value('anonymous') }))
    }
    of[caller].value++
  }

  cacheRead(cache: CacheName, hit: boolean) {
    this.#cacheReads[cache][hit ? 'hit' : 'miss'].value++
  }

  poolWait(durationMs: number) {
    this.#poolWaits.observeMs(durationMs, this.#poolWaits.of())
  }

  push(outcome: (typeof pushOutcomes)[number]) {
    this.#pushes.of(outcome).value++
  }

  roundTrip() {
    this.#roundTrips.value++
  }

  totals(): Totals {
    const waits = this.#poolWaits.of()
    return {
      answers: new Map([...this.#operations].map(([name, of]) => [name, [...of.durations.counts]])),
      timeouts: this.#timedOut,
      calls: { read: this.#callsOf.read.value, write: this.#callsOf.write.value },
      bytes: { public: this.#bytesOf.public.value, private: this.#bytesOf.private.value },
      statements: new Map(
        [...this.#byStatement].map(([name, { durations, reads }]) => [
          name,
          { calls: sum(durations.counts), reads, totalMs: durations.sum },
        ]),
      ),
      poolWaits: { count: sum(waits.counts), totalMs: waits.sum },
    }
  }

  /** The longest request of each operation since this was asked for the last time. */
  takeLongestMs(): Map<string, number> {
    const longest = new Map<string, number>()
    for (const [name, of] of this.#operations) {
      if (of.longestMs > 0) longest.set(name, of.longestMs)
      of.longestMs = 0
    }
    return longest
  }
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)
/** What was counted so far, by operation and by statement, for whoever keeps a history of it. */
export type Counted = {
  operations: ReadonlyMap<string, OfOperation>
  statements: ReadonlyMap<string, OfStatement>
  requestBoundsS: readonly number[]
  statementBoundsS: readonly number[]
  cacheReads: Readonly<Record<CacheName, { hit: Value; miss: Value }>>
}
