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

export type Verdict = 'calm' | 'steady' | 'over' | 'severe'
/** `over` counts the looks in a row that found too much. */
export type Shedding = { level: number; over: number }

const signals: [keyof Strain, keyof typeof limits.strain][] = [
  ['loopMs', 'loopMs'],
  ['poolWaiting', 'poolWaiting'],
  ['readsInFlight', 'readsInFlight'],
  ['heapShare', 'heapShare'],
  ['memoryShare', 'memoryShare'],
]
const verdicts: readonly Verdict[] = ['calm', 'steady', 'over', 'severe']

/** Below the first number of a signal is calm, from the second on too much, from the third on severe; between the first two nothing is new. */
export function judge(strain: Strain): { verdict: Verdict; by: (keyof Strain)[] } {
  let worst = 0
  let by: (keyof Strain)[] = []
  for (const [name, limit] of signals) {
    // A loop that is late with few requests to answer is kept from its CPU by others, or does other work: refusing would not help it.
    if (name === 'loopMs' && strain.requests < limits.shedRequestsMin) continue
    const reached = limits.strain[limit].filter((bound) => strain[name] >= bound).length
    if (reached > worst) by = []
    if (reached >= worst && reached > 0) by.push(name)
    worst = Math.max(worst, reached)
  }
  return { verdict: verdicts[worst]!, by }
}

/**
 * The level after one more look. It rises by two looks in a row, fast, and falls slowly; writes and auth are reached by what is severe only.
 * What is neither too much nor calm lowers it very slowly: no state of the machine keeps it up for ever.
 */
export function next({ level, over }: Shedding, verdict: Verdict): Shedding {
  if (verdict === 'calm') return { level: Math.max(0, level - limits.shedStepDown), over: 0 }
  if (verdict === 'steady') return { level: Math.max(0, level - limits.shedStepSlow), over: 0 }
  const most = verdict === 'severe' ? levelMax : optionalMax
  const rises = over + 1 >= limits.shedLooksMin
  if (level > most) return { level: Math.max(most, level - limits.shedStepDown), over: over + 1 }
  return { level: rises ? Math.min(most, level + limits.shedStepUp) : level, over: over + 1 }
}
