// What a run records, in a space that does not grow with its length: histograms by operation and by stretch of time.
import { Histogram } from './histogram.ts'
import { mix, type StepName } from './mix.ts'

export const binsMax = 120

export class Tally {
  readonly corrected = new Histogram()
  readonly raw = new Histogram()
  /** How often each outcome came: a status, or a fault without an answer. */
  readonly outcomes = new Map<string, number>()
  /** Refusal codes, those of a batch's steps too. */
  readonly codes = new Map<string, number>()
  errors = 0
  count = 0
}

export class Bin {
  readonly corrected = new Histogram()
  due = 0
  answered = 0
  errors = 0
  lagMsMax = 0
}

export type Settled = {
  step: StepName
  dueMs: number
  sentMs: number
  endMs: number
  outcome: string
  error: boolean
  codes: readonly string[]
}

export class Recorder {
  readonly steps = new Map<StepName, Tally>(mix.map(({ name }) => [name, new Tally()]))
  readonly total = new Tally()
  readonly lag = new Histogram()
  readonly bins: Bin[]
  readonly binMs: number
  sent = 0

  constructor(seconds: number) {
    const binS = Math.max(1, Math.ceil(seconds / binsMax))
    this.binMs = binS * 1_000
    this.bins = Array.from({ length: Math.max(1, Math.ceil(seconds / binS)) }, () => new Bin())
  }

  /** A request was due then and is given to the connections now. */
  dispatched(dueMs: number, nowMs: number) {
    this.sent++
    this.lag.add(nowMs - dueMs)
    const bin = this.#bin(dueMs)
    bin.due++
    bin.lagMsMax = Math.max(bin.lagMsMax, nowMs - dueMs)
  }

  /** Corrected is measured from when the request was due, raw from when its bytes went; faults have no service time of their own. */
  settled({ step, dueMs, sentMs, endMs, outcome, error, codes }: Settled) {
    for (const tally of [this.steps.get(step)!, this.total]) {
      tally.count++
      tally.corrected.add(endMs - dueMs)
      tally.raw.add(endMs - sentMs)
      tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1)
      for (const code of codes) tally.codes.set(code, (tally.codes.get(code) ?? 0) + 1)
      if (error) tally.errors++
    }
    const due = this.#bin(dueMs)
    due.corrected.add(endMs - dueMs)
    if (error) due.errors++
    this.#bin(endMs).answered++
  }

  #bin(atMs: number): Bin {
    return this.bins[Math.max(0, Math.min(this.bins.length - 1, Math.floor(atMs / this.binMs)))]!
  }
}
