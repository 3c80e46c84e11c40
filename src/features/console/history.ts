// The last quarter of an hour in figures, a row every five seconds, in a ring that is as large at the start as it will ever be.
import { performance } from 'node:perf_hooks'
import { limits } from '../../values/limits.ts'
import type { Counted } from '../../resources/metrics.ts'
import { quantileOf } from '../../values/quantile.ts'

/** What a row holds, in this order; what is not known is NaN here and null on its way out. */
export const columns = [
  'atMs',
  'requestsPerS',
  'refusedPerS',
  'errorsPerS',
  'p50Ms',
  'p95Ms',
  'p99Ms',
  'statementsPerS',
  'statementP95Ms',
  'poolBusy',
  'poolIdle',
  'poolWaiting',
  'connections',
  'streams',
  'residentBytes',
  'processCpuShare',
  'loopShare',
  'machineCpuShare',
  'machineMemoryShare',
  'databaseConnections',
  'databaseHitShare',
  'databaseCpuShare',
  'cacheHitShare',
] as const
export type Column = (typeof columns)[number]

/** Totals of the whole service, as the watch last found them. */
export type ServiceTotals = { atMs: number; connections: number; blocksHit: number; blocksRead: number; cpuSeconds: number | null }

/** Where the figures come from; nothing here asks the database. */
export type Sources = {
  counted: () => Counted
  pool: () => { total: number; idle: number; waiting: number }
  connections: () => number
  streams: () => number
  cpus: number
  machine: () => { cpu: { busy: number; idle: number; stolen: number } | null; memory: { bytes: number; availableBytes: number } | null }
  service: () => ServiceTotals | null
}

type Totals = {
  requests: number
  refused: number
  errors: number
  durations: Float64Array
  statements: number
  statementDurations: Float64Array
  cacheHits: number
  cacheMisses: number
}

export class History {
  readonly #sources: Sources
  readonly #now: () => number
  readonly #rows = new Float64Array(limits.consoleHistoryRows * columns.length)
  #written = 0
  #timer: NodeJS.Timeout | undefined
  #lastMs: number
  #totals: Totals
  #cpu = process.cpuUsage()
  #loop = performance.eventLoopUtilization()
  #machineCpu: { busy: number; idle: number; stolen: number } | null = null
  #machineCpuShare = Number.NaN
  #service: ServiceTotals | null = null
  #hitShare = Number.NaN
  #databaseCpuShare = Number.NaN

  constructor(sources: Sources, now: () => number = Date.now) {
    this.#sources = sources
    this.#now = now
    this.#lastMs = now()
    this.#totals = this.#total()
  }

  start() {
    this.#timer = setInterval(() => this.note(), limits.consoleSampleMs)
    this.#timer.unref()
  }

  stop() {
    clearInterval(this.#timer)
  }

  /** Rows that are younger than a moment, oldest first. */
  since(moment: number): (number | null)[][] {
    const rows: (number | null)[][] = []
    for (let number = Math.max(0, this.#written - limits.consoleHistoryRows); number < this.#written; number++) {
      const start = (number % limits.consoleHistoryRows) * columns.length
      if (this.#rows[start]! <= moment) continue
      rows.push(Array.from(this.#rows.subarray(start, start + columns.length), (value) => (Number.isNaN(value) ? null : rounded(value))))
    }
    return rows
  }

  /** Writes a row of what happened since the last one. */
  note() {
    const atMs = this.#now()
    const seconds = (atMs - this.#lastMs) / 1_000
    // After a clock that was set back the rows would be out of order: the history begins anew.
    if (seconds <= 0) {
      this.#lastMs = atMs
      this.#written = 0
      return
    }
    const { pool, connections, streams, cpus, machine } = this.#sources
    const counted = this.#sources.counted()
    const totals = this.#total()
    const before = this.#totals
    const durations = totals.durations.map((count, index) => count - before.durations[index]!)
    const statementDurations = totals.statementDurations.map((count, index) => count - before.statementDurations[index]!)
    const hits = totals.cacheHits - before.cacheHits
    const misses = totals.cacheMisses - before.cacheMisses
    const poolNow = pool()
    const { cpu, memory } = machine()
    const used = process.cpuUsage(this.#cpu)
    const row: Record<Column, number | null> = {
      atMs,
      requestsPerS: (totals.requests - before.requests) / seconds,
      refusedPerS: (totals.refused - before.refused) / seconds,
      errorsPerS: (totals.errors - before.errors) / seconds,
      p50Ms: milliseconds(quantileOf(0.5, durations, counted.requestBoundsS)),
      p95Ms: milliseconds(quantileOf(0.95, durations, counted.requestBoundsS)),
      p99Ms: milliseconds(quantileOf(0.99, durations, counted.requestBoundsS)),
      statementsPerS: (totals.statements - before.statements) / seconds,
      statementP95Ms: milliseconds(quantileOf(0.95, statementDurations, counted.statementBoundsS)),
      poolBusy: poolNow.total - poolNow.idle,
      poolIdle: poolNow.idle,
      poolWaiting: poolNow.waiting,
      connections: connections(),
      streams: streams(),
      residentBytes: process.memoryUsage.rss(),
      processCpuShare: (used.user + used.system) / 1_000_000 / seconds / cpus,
      loopShare: performance.eventLoopUtilization(this.#loop).utilization,
      machineCpuShare: this.#shareOfMachine(cpu),
      machineMemoryShare: memory === null ? null : 1 - memory.availableBytes / memory.bytes,
      ...this.#ofService(cpus),
      cacheHitShare: hits + misses > 0 ? hits / (hits + misses) : null,
    }
    const start = (this.#written % limits.consoleHistoryRows) * columns.length
    columns.forEach((column, index) => (this.#rows[start + index] = row[column] ?? Number.NaN))
    this.#written++
    this.#lastMs = atMs
    this.#totals = totals
    this.#cpu = process.cpuUsage()
    this.#loop = performance.eventLoopUtilization()
  }

  /** It is looked at less often than a row is written: in between, the last share stands. */
  #shareOfMachine(cpu: { busy: number; idle: number; stolen: number } | null): number {
    const before = this.#machineCpu
    if (cpu !== before) {
      const busy = cpu && before ? cpu.busy + cpu.stolen - before.busy - before.stolen : 0
      const all = cpu && before ? busy + cpu.idle - before.idle : 0
      this.#machineCpuShare = all > 0 ? busy / all : Number.NaN
      this.#machineCpu = cpu
    }
    return this.#machineCpuShare
  }

  #ofService(cpus: number): Pick<Record<Column, number | null>, 'databaseConnections' | 'databaseHitShare' | 'databaseCpuShare'> {
    const now = this.#sources.service()
    const before = this.#service
    if (now?.atMs !== before?.atMs) {
      const seconds = now && before ? (now.atMs - before.atMs) / 1_000 : 0
      const hits = now && before ? now.blocksHit - before.blocksHit : 0
      const blocks = now && before ? hits + now.blocksRead - before.blocksRead : 0
      this.#hitShare = blocks > 0 && hits >= 0 ? hits / blocks : Number.NaN
      const cpuKnown = seconds > 0 && now?.cpuSeconds != null && before?.cpuSeconds != null
      this.#databaseCpuShare = cpuKnown ? Math.max(0, now.cpuSeconds! - before.cpuSeconds!) / seconds / cpus : Number.NaN
      this.#service = now
    }
    return {
      databaseConnections: now?.connections ?? null,
      databaseHitShare: this.#hitShare,
      databaseCpuShare: this.#databaseCpuShare,
    }
  }

  #total(): Totals {
    const { operations, statements, requestBoundsS, statementBoundsS, cacheReads } = this.#sources.counted()
    const totals: Totals = {
      ...{ requests: 0, refused: 0, errors: 0, statements: 0 },
      durations: new Float64Array(requestBoundsS.length + 1),
      statementDurations: new Float64Array(statementBoundsS.length + 1),
      ...{ cacheHits: cacheReads.system.hit.value, cacheMisses: cacheReads.system.miss.value },
    }
    for (const { durations, errors, byStatus } of operations.values()) {
      durations.counts.forEach((count, index) => {
        totals.durations[index]! += count
        totals.requests += count
      })
      totals.errors += errors.value
      for (const [status, { value }] of byStatus) if (status >= 400 && status < 500) totals.refused += value
    }
    for (const { durations } of statements.values()) {
      durations.counts.forEach((count, index) => {
        totals.statementDurations[index]! += count
        totals.statements += count
      })
    }
    return totals
  }
}

function milliseconds(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1_000
}

/** Three places are more than a plot shows, and half the bytes. */
function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
