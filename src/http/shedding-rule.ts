// The rule of shedding: how a strained process comes to refuse the least critical calls, and how it stops. Pure.
import type { Strain } from '../resources/strain.ts'
import { limits } from '../values/limits.ts'
import type { Criticality } from './operation.ts'

/** What is shed first stands first. */
export const sheddingOrder = ['report', 'list', 'sync', 'write', 'auth'] as const satisfies readonly Criticality[]

/** The level is in percent of a class: 100 sheds all reports, 150 half of the lists besides, 500 everything. */
export const wholeClass = 100
const optionalMax = 3 * wholeClass
const levelMax = sheddingOrder.length * wholeClass

/** `most` is how far the level may go for what was found. */
export type Verdict = { state: 'calm' | 'steady' | 'over' | 'severe'; most: number; by: (keyof Strain)[] }
/** `over` counts the looks in a row that found too much. */
export type Shedding = { level: number; over: number }

/**
 * What refusing helps against each signal. Of what can be shed, only reports wait for the pool: a household that is written to by a
 * hundred at once fills it, and nobody's lists are to blame. A database that is busy altogether shows in the reads.
 */
const helps = {
  loopMs: optionalMax,
  poolWaiting: wholeClass,
  readsInFlight: optionalMax,
  heapShare: optionalMax,
  memoryShare: optionalMax,
} as const
const signals = Object.keys(helps) as (keyof typeof helps)[]
const states = ['calm', 'steady', 'over', 'severe'] as const

/** Below the first bound of a signal is calm, from the second on too much, from the third on severe; between the first two nothing is new. */
export function judge(strain: Strain): Verdict {
  let worst = 0
  let most = 0
  let by: (keyof Strain)[] = []
  for (const signal of signals) {
    // A loop that is late with few requests to answer is kept from its CPU by others, or does other work: refusing would not help it.
    if (signal === 'loopMs' && strain.requests < limits.shedRequestsMin) continue
    const reached = limits.strain[signal].filter((bound) => strain[signal] >= bound).length
    if (reached === 3) most = levelMax
    else if (reached === 2) most = Math.max(most, helps[signal])
    if (reached > worst) by = []
    if (reached >= worst && reached > 0) by.push(signal)
    worst = Math.max(worst, reached)
  }
  return { state: states[worst]!, most, by }
}

/**
 * The level after one more look. It rises by two looks in a row, fast, and falls slowly; writes and auth are reached by what is severe only.
 * What is neither too much nor calm lowers it very slowly: no state of the machine keeps it up for ever.
 */
export function next({ level, over }: Shedding, { state, most }: Pick<Verdict, 'state' | 'most'>): Shedding {
  if (state === 'calm') return { level: Math.max(0, level - limits.shedStepDown), over: 0 }
  if (state === 'steady') return { level: Math.max(0, level - limits.shedStepSlow), over: 0 }
  if (level > most) return { level: Math.max(most, level - limits.shedStepDown), over: over + 1 }
  const rises = over + 1 >= limits.shedLooksMin
  return { level: rises ? Math.min(most, level + limits.shedStepUp) : level, over: over + 1 }
}
