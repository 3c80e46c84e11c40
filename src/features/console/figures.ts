// What the console's panels are filled with: counters in memory, what the watch found last, and a count of people that is made behind the answer.
import { setTimeout } from 'node:timers/promises'
import type { Counted } from '../../resources/metrics.ts'
import { scrub } from '../../resources/log.ts'
import type { Database } from '../../resources/database.ts'
import { limits } from '../../values/limits.ts'
import { quantileOf } from '../../values/quantile.ts'
import { countPeople } from './store.ts'

export type StatementFigures = { statement: string; calls: number; slow: number; meanMs: number; p95Ms: number; totalMs: number }

/** The statements that cost most since the start of this process. */
export function busiestStatements({ statements, statementBoundsS }: Counted): StatementFigures[] {
  const figures: StatementFigures[] = []
  for (const [statement, { durations, slow }] of statements) {
    const calls = durations.counts.reduce((sum, count) => sum + count, 0)
    if (calls === 0) continue
    figures.push({
      statement,
      calls,
      slow: slow?.value ?? 0,
      meanMs: durations.sum / calls,
      p95Ms: quantileOf(0.95, durations.counts, statementBoundsS)! * 1_000,
      totalMs: durations.sum,
    })
  }
  return figures.toSorted((one, other) => other.totalMs - one.totalMs).slice(0, limits.consoleStatementsShown)
}

/** Texts of errors and of other people's statements may hold what is nobody's business. */
export function clean(text: string): string {
  return scrub(text.slice(0, limits.consoleTextLengthMax))
}

export type People = { users: number; households: number }

/** How many there are, at most a minute old while somebody looks; only the first answer waits for it, and not for long. */
export class PeopleCount {
  readonly #database: Database
  readonly #now: () => number
  #askedMs = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined
  latest: People | null = null

  constructor(database: Database, now: () => number = Date.now) {
    this.#database = database
    this.#now = now
  }

  async look(): Promise<People | null> {
    const isFirst = this.#askedMs === Number.NEGATIVE_INFINITY
    if (this.#asking === undefined && this.#now() - this.#askedMs >= limits.consoleCountMs) {
      this.#askedMs = this.#now()
      this.#asking = this.#ask()
    }
    if (isFirst) await Promise.race([this.#asking, setTimeout(limits.consoleCountWaitMs, undefined, { ref: false })])
    return this.latest
  }

  /** What is asked for is there. */
  async settled() {
    await this.#asking
  }

  async #ask() {
    try {
      const [people] = await this.#database.write({}, (tx) => tx.run(countPeople, {}), 'djinn_keeper')
      this.latest = people!
    } catch {
      // Without a database the panel says that it is not known.
      this.latest = null
    } finally {
      this.#asking = undefined
    }
  }
}
