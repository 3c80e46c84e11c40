// Writes down what this process saw, a row for every five minutes, once a minute: what the advisor judges later, from wherever it runs.
import type { Logger } from 'pino'
import { availableParallelism, hostname } from 'node:os'
import { limits } from '../../values/limits.ts'
import { newId } from '../../values/id.ts'
import type { Database } from '../../resources/database.ts'
import { missingIndexes, readIndexNames, shippedIndexes, type ShippedIndex } from '../../resources/indexes.ts'
import { requestBoundsS, type Totals } from '../../resources/metrics.ts'
import {
  join,
  noMeasures,
  slotMs,
  slotOf,
  statementsKept,
  tablesKept,
  top,
  type MachineUse,
  type Measures,
  type ServiceUse,
} from './measures.ts'
import { readBackup, writeEvidence } from './store.ts'

/** What the round of watching found; the shapes are those of its feature. */
export type Look = {
  machine: {
    memory: { bytes: number; availableBytes: number } | null
    cpu: { busy: number; idle: number; stolen: number } | null
    disks: Record<string, { bytes: number; availableBytes: number }>
  }
  /** Null while another process gathers. */
  gathered: {
    users: number
    sizeBytes: number
    database: { connections: number; connectionsMax: number; blocksHit: number; blocksRead: number }
    databaseCpuSeconds: number | null
    replication: { replicas: number }
    tables: { name: string; liveRows: number; sequentialRows: number }[]
  } | null
}

export type RecorderOptions = {
  database: Database
  log: Logger
  metrics: { totals: () => Totals; takeLongestMs: () => Map<string, number> }
  /** Whether this process serves the API at the moment. */
  serving: () => boolean
  /** Whether it shares limits and sessions with others. */
  sharing: () => boolean
  nowMs?: () => number
  /** Seconds of CPU that this process has used. */
  cpuSeconds?: () => number
}

/** Whoever reads a download decides how long it takes. */
const downloads = new Set(['exports.create', 'me.export'])
export const bucketCount = requestBoundsS.length + 1
const roundsBetweenWrites = limits.watchSlowRounds
const longMs = 1_000

type Counted = { atMs: number; totals: Totals; cpuMs: number; machine: Look['machine']; gathered: Look['gathered'] }

export class Recorder {
  readonly #options: RecorderOptions
  readonly #process = newId()
  readonly #host = hostname().slice(0, 255)
  /** Read from the migrations with the first round, not at the start. */
  #shipped: readonly ShippedIndex[] | undefined
  #before: Counted | undefined
  #slot = 0
  #measures: Measures = noMeasures(bucketCount)
  #missing: string[] = []
  #backup = false
  #rounds = 0
  #failing = false

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  /** After each round of watching. What cannot be written is told once, and never stands in the round's way. */
  async note(look: Look) {
    try {
      const nowMs = this.#options.nowMs?.() ?? Date.now()
      const due = this.#rounds++ % roundsBetweenWrites === 0
      if (due && look.gathered) await this.#lookAtDatabase()
      if (this.#before && slotOf(nowMs) !== this.#slot) {
        // The stretch since the last round is of the slot in which it began.
        this.#add(look, nowMs)
        await this.write()
        this.#measures = noMeasures(bucketCount)
      } else if (this.#before) this.#add(look, nowMs)
      else this.#before = this.#count(look, nowMs)
      this.#slot = slotOf(nowMs)
      if (due) await this.write()
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#options.log.warn({ err: error }, 'what the advisor judges could not be written')
      this.#failing = true
    }
  }

  async write() {
    if (this.#measures.watchedMs === 0) return
    const row = { slot: this.#slot, process: this.#process, minutes: slotMs / 60_000, host: this.#host, measures: this.#measures }
    await this.#options.database.write({}, (tx) => tx.run(writeEvidence, row), 'djinn_keeper')
  }

  async close() {
    await this.write().catch(() => {})
  }

  async #lookAtDatabase() {
    const [indexes, [backup]] = await this.#options.database.write(
      {},
      (tx) => Promise.all([tx.run(readIndexNames, {}), tx.run(readBackup, {})]),
      'djinn_keeper',
    )
    this.#missing = missingIndexes(indexes, (this.#shipped ??= shippedIndexes())).map(({ name }) => name)
    this.#backup = backup!.running
  }

  #count({ machine, gathered }: Look, atMs: number): Counted {
    const cpuMs = 1_000 * (this.#options.cpuSeconds?.() ?? process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6)
    return { atMs, totals: this.#options.metrics.totals(), cpuMs, machine, gathered }
  }

  #add(look: Look, nowMs: number) {
    const before = this.#before!
    const now = this.#count(look, nowMs)
    this.#before = now
    const watchedMs = Math.max(0, now.atMs - before.atMs)
    this.#measures = join(
      this.#measures,
      {
        ...requestsBetween(before.totals, now.totals),
        watchedMs,
        servedMs: this.#options.serving() ? watchedMs : 0,
        sharedMs: this.#options.serving() && this.#options.sharing() ? watchedMs : 0,
        longestMs: longestOf(this.#options.metrics.takeLongestMs()),
        cpuMs: Math.max(0, Math.round(now.cpuMs - before.cpuMs)),
        machine: machineBetween(before.machine, now.machine),
        service: now.gathered && this.#serviceBetween(before.gathered, now.gathered, watchedMs),
      },
      'after',
    )
  }

  #serviceBetween(before: Look['gathered'], now: NonNullable<Look['gathered']>, watchedMs: number): ServiceUse | null {
    // What was counted while another process gathered is in its row.
    if (!before) return null
    const { databaseCpuSeconds: cpuBefore } = before
    const { databaseCpuSeconds: cpuNow, database } = now
    const scanned = new Map(before.tables.map((table) => [table.name, table.sequentialRows]))
    return {
      watchedMs,
      databaseCpuMs: cpuNow === null || cpuBefore === null ? null : Math.max(0, Math.round((cpuNow - cpuBefore) * 1_000)),
      connections: database.connections,
      connectionsMax: database.connectionsMax,
      blocksHit: Math.max(0, database.blocksHit - before.database.blocksHit),
      blocksRead: Math.max(0, database.blocksRead - before.database.blocksRead),
      users: now.users,
      registered: now.tables.find(({ name }) => name === 'users')?.liveRows ?? 0,
      sizeBytes: now.sizeBytes,
      replicas: now.replication.replicas,
      missing: this.#missing,
      backup: this.#backup,
      scannedRows: top(
        Object.fromEntries(
          now.tables
            .filter((table) => table.liveRows >= limits.largeTableRows)
            .map((table) => [table.name, table.sequentialRows - (scanned.get(table.name) ?? table.sequentialRows)] as const)
            .filter(([, rows]) => rows > 0),
        ),
        tablesKept,
        (rows) => rows,
      ),
    }
  }
}

function requestsBetween(before: Totals, now: Totals) {
  const answers = Array<number>(bucketCount).fill(0)
  for (const [name, counts] of now.answers) {
    if (downloads.has(name)) continue
    const known = before.answers.get(name)
    counts.forEach((count, index) => (answers[index]! += count - (known?.[index] ?? 0)))
  }
  const used = [...now.statements].map(([name, { reads, totalMs }]) => {
    const known = before.statements.get(name)
    return [name, { calls: reads - (known?.reads ?? 0), totalMs: Math.round(totalMs - (known?.totalMs ?? 0)) }] as const
  })
  // What is part of a write no cache can answer.
  const read = used.filter(([, { calls }]) => calls > 0)
  return {
    answers,
    timeouts: now.timeouts - before.timeouts,
    reads: now.calls.read - before.calls.read,
    writes: now.calls.write - before.calls.write,
    publicBytes: now.bytes.public - before.bytes.public,
    privateBytes: now.bytes.private - before.bytes.private,
    statements: top(Object.fromEntries(read), statementsKept, ({ calls }) => calls),
    statementMs: used.reduce((sum, [, { totalMs }]) => sum + totalMs, 0),
    poolWaits: now.poolWaits.count - before.poolWaits.count,
    poolWaitMs: Math.round(now.poolWaits.totalMs - before.poolWaits.totalMs),
  }
}

function longestOf(longest: Map<string, number>): Record<string, number> {
  const long = [...longest].filter(([name, ms]) => ms >= longMs && !downloads.has(name))
  return Object.fromEntries(long.map(([name, ms]) => [name, Math.round(ms)]))
}

function machineBetween(before: Look['machine'], now: Look['machine']): MachineUse | null {
  if (!now.memory || !now.cpu || !before.cpu) return null
  // A disk that holds nothing of ours cannot fill with us; PostgreSQL's comes first.
  const disk = now.disks['data'] ?? now.disks['service']
  const ms = (of: 'busy' | 'idle' | 'stolen') => Math.max(0, Math.round((now.cpu![of] - before.cpu![of]) * 1_000))
  return {
    cpus: availableParallelism(),
    // What other guests of the host took is not there for us either.
    busyMs: ms('busy') + ms('stolen'),
    allMs: ms('busy') + ms('idle') + ms('stolen'),
    memoryBytes: now.memory.bytes,
    memoryUsedBytes: now.memory.bytes - now.memory.availableBytes,
    diskBytes: disk?.bytes ?? 0,
    diskUsedBytes: disk ? disk.bytes - disk.availableBytes : 0,
  }
}
