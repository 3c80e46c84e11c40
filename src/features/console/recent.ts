// What each operation did in the last five minutes: what is counted now, less what was counted then.
import type { Counted } from '../../resources/metrics.ts'
import { limits } from '../../values/limits.ts'
import { quantileOf } from '../../values/quantile.ts'

export type OperationFigures = {
  operation: string
  requests: number
  refused: number
  errors: number
  /** Since the process started. */
  errorsInAll: number
  p50Ms: number | null
  p95Ms: number | null
  p99Ms: number | null
}

type Then = { refused: number; errors: number; counts: number[] }
type Snapshot = { atMs: number; operations: Map<string, Then> }

export class Recent {
  readonly #counted: () => Counted
  readonly #now: () => number
  #snapshots: Snapshot[]
  #timer: NodeJS.Timeout | undefined

  constructor(counted: () => Counted, now: () => number = Date.now) {
    this.#counted = counted
    this.#now = now
    this.#snapshots = [this.#snapshot()]
  }

  start() {
    this.#timer = setInterval(() => this.note(), limits.consoleSnapshotMs)
    this.#timer.unref()
  }

  stop() {
    clearInterval(this.#timer)
  }

  note() {
    this.#snapshots.push(this.#snapshot())
    if (this.#snapshots.length > limits.consoleSnapshots) this.#snapshots.shift()
  }

  /** Those that were called since the oldest snapshot, or ever failed; the busiest first. */
  figures(): { sinceMs: number; operations: OperationFigures[] } {
    const then = this.#snapshots[0]!
    const { operations, requestBoundsS } = this.#counted()
    const figures: OperationFigures[] = []
    for (const [operation, { durations, errors, byStatus }] of operations) {
      const before = then.operations.get(operation)
      const counts = durations.counts.map((count, index) => count - (before?.counts[index] ?? 0))
      const requests = counts.reduce((sum, count) => sum + count, 0)
      if (requests === 0 && errors.value === 0) continue
      const quantile = (share: number) => {
        const seconds = quantileOf(share, counts, requestBoundsS)
        return seconds === null ? null : Math.round(seconds * 10_000) / 10
      }
      figures.push({
        operation,
        requests,
        refused: refusedOf(byStatus) - (before?.refused ?? 0),
        errors: errors.value - (before?.errors ?? 0),
        errorsInAll: errors.value,
        p50Ms: quantile(0.5),
        p95Ms: quantile(0.95),
        p99Ms: quantile(0.99),
      })
    }
    return { sinceMs: then.atMs, operations: figures.toSorted((one, other) => other.requests - one.requests) }
  }

  #snapshot(): Snapshot {
    const operations = new Map<string, Then>()
    for (const [operation, { durations, errors, byStatus }] of this.#counted().operations) {
      operations.set(operation, { refused: refusedOf(byStatus), errors: errors.value, counts: [...durations.counts] })
    }
    return { atMs: this.#now(), operations }
  }
}

function refusedOf(byStatus: ReadonlyMap<number, { value: number }>): number {
  let refused = 0
  for (const [status, { value }] of byStatus) if (status >= 400 && status < 500) refused += value
  return refused
}
