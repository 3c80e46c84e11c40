// Slow statements in the log, each at most once a minute with its plan, which is asked for after the answer has gone.
import type { Logger } from 'pino'
import { limits } from '../../values/limits.ts'
import { planOf } from '../../resources/plan.ts'
import { declaredStatements } from '../../resources/statement.ts'

export type Role = 'djinn_app' | 'djinn_keeper'
/** `plan` is null where PostgreSQL would not tell it. */
export type SlowStatement = { statement: string; durationMs: number; atMs: number; plan: string | null }

type Known = { silentUntilMs: number; more: number }

export class SlowStatements {
  readonly #url: string
  readonly #log: Logger
  readonly #now: () => number
  readonly #known = new Map<string, Known>()
  #waiting = 0
  #working: Promise<void> = Promise.resolve()
  #started = false
  /** The last one of each statement, for the console. */
  readonly latest = new Map<string, SlowStatement>()

  /** `url` leads past any pooler, as a user that may take both roles. */
  constructor(url: string, log: Logger, now: () => number = Date.now) {
    this.#url = url
    this.#log = log
    this.#now = now
  }

  start() {
    this.#started = true
  }

  /** A statement took longer than 100 ms. */
  note(statement: string, durationMs: number, role: Role) {
    if (!this.#started) return
    const atMs = this.#now()
    const known = this.#known.get(statement) ?? { silentUntilMs: 0, more: 0 }
    this.#known.set(statement, known)
    if (atMs < known.silentUntilMs || this.#waiting >= limits.slowStatementsWaitingMax) {
      known.more++
      return
    }
    known.silentUntilMs = atMs + limits.slowStatementLogMs
    const { more } = known
    known.more = 0
    this.#waiting++
    this.#working = this.#working.then(async () => {
      await this.#tell({ statement, durationMs: Math.round(durationMs), atMs }, role, more)
      this.#waiting--
    })
  }

  async #tell(slow: Omit<SlowStatement, 'plan'>, role: Role, more: number) {
    const text = declaredStatements().get(slow.statement)?.text
    let plan: string | null = null
    try {
      if (text !== undefined && this.#started) plan = await planOf(this.#url, role, text)
    } catch (error) {
      this.#log.debug({ err: error, statement: slow.statement }, 'the plan of a slow statement is not to be had')
    }
    this.latest.set(slow.statement, { ...slow, plan })
    const { statement, durationMs } = slow
    this.#log.info({ statement, durationMs, ...(more > 0 ? { sinceTheLast: more } : {}), plan }, 'a slow statement')
  }

  /** What waits is told. */
  async settled() {
    await this.#working
  }

  async close() {
    this.#started = false
    await this.#working
  }
}
