// Load shedding: looks at the process ten times a second, and refuses what is least critical while it is overloaded.
import type { Logger } from 'pino'
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'
import { Level, Tally, type Value } from '../resources/exposition.ts'
import type { Strain } from '../resources/strain.ts'
import type { Operation } from './operation.ts'
import { judge, next, sheddingOrder, wholeClass, type Shedding } from './shedding-rule.ts'

type Options = { on: boolean; look: () => Strain; log: Logger }

/** Coprime to 100: each hundred calls in a row meet every ticket once. */
const ticketStep = 61

/** Where a class begins: it is shed as far as the level goes beyond. */
export type ClassStart = number
export function classStartOf({ criticality }: Operation): ClassStart {
  return sheddingOrder.indexOf(criticality) * wholeClass
}

export class Shedder {
  readonly #options: Options
  readonly #counted: readonly Value[]
  #state: Shedding = { level: 0, over: 0 }
  #ticket = 0
  #timer: NodeJS.Timeout | undefined
  readonly instruments

  constructor(options: Options) {
    this.#options = options
    const shed = new Tally('djinn_shed_total', 'Calls refused because of overload, steps of batches included', ['criticality'])
    this.#counted = sheddingOrder.map((criticality) => shed.of(criticality))
    this.instruments = [
      shed,
      new Level('djinn_shedding_level', 'How many classes of calls are refused: 1 all reports, 2 lists too, 3 sync too', [], (level) =>
        level.set(this.#state.level / wholeClass),
      ),
    ]
  }

  get level(): number {
    return this.#state.level
  }

  start() {
    if (!this.#options.on) return
    this.#options.look()
    this.#timer = setInterval(() => this.look(), limits.shedLookMs)
    this.#timer.unref()
  }

  /** One look, and what follows from it. */
  look() {
    const before = this.#state.level
    const strain = this.#options.look()
    const verdict = judge(strain)
    this.#state = next(this.#state, verdict)
    if (before === 0 && this.level > 0)
      this.#options.log.warn({ ...strain, by: verdict.by }, 'overloaded: the least critical calls are refused')
    if (before > 0 && this.level === 0) this.#options.log.info('no longer overloaded: every call is taken')
  }

  /** Refuses a call of a class that is shed at the moment, or its part of it. */
  pass(classStart: ClassStart) {
    if (this.#state.level <= classStart) return
    this.#ticket = (this.#ticket + ticketStep) % wholeClass
    if (this.#ticket >= this.#state.level - classStart) return
    this.#counted[classStart / wholeClass]!.value++
    throw new Failure('overloaded', 'The service is too busy for this at the moment; try again shortly.', {
      retryAfterS: limits.shedRetryS,
    })
  }

  close() {
    clearInterval(this.#timer)
  }
}
