// The scenarios, as stretches of time with a rate at each end, and the moments at which requests are due.
import type { Random } from './random.ts'

export type Stretch = { seconds: number; fromPerS: number; toPerS: number }
export type Scenario = { stretches: readonly Stretch[]; connections: number; why: string }
export type Arrivals = 'poisson' | 'constant'

export const scenarioNames = ['normal', 'peak', 'sustained', 'spike'] as const
export type ScenarioName = (typeof scenarioNames)[number]

const steady = (perS: number, seconds: number): Stretch => ({ seconds, fromPerS: perS, toPerS: perS })

export const scenarios: Record<ScenarioName, Scenario> = {
  normal: { stretches: [steady(100, 60)], connections: 500, why: '100/s for a minute: an ordinary hour' },
  peak: { stretches: [steady(1_000, 60)], connections: 5_000, why: '1,000/s for a minute over 5,000 connections: the day after payday' },
  sustained: { stretches: [steady(500, 3_600)], connections: 2_500, why: '500/s for an hour: what leaks or grows shows' },
  spike: {
    stretches: [{ seconds: 10, fromPerS: 0, toPerS: 2_000 }, steady(2_000, 20)],
    connections: 5_000,
    why: 'from 0 to 2,000/s within 10 s, held for 20 s: everybody was notified at once',
  },
}

/** Of one run, whatever is asked for. */
export const ratePerSMax = 10_000
export const secondsMax = 4 * 3_600

/** The scenario with its highest rate and its length set, its form kept. */
export function scaled(stretches: readonly Stretch[], to: { ratePerS?: number; seconds?: number }): Stretch[] {
  const rate = to.ratePerS === undefined ? 1 : to.ratePerS / highestRate(stretches)
  const time = to.seconds === undefined ? 1 : to.seconds / secondsOf(stretches)
  return stretches.map((one) => ({ seconds: one.seconds * time, fromPerS: one.fromPerS * rate, toPerS: one.toPerS * rate }))
}

export function secondsOf(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, one) => sum + one.seconds, 0)
}

export function highestRate(stretches: readonly Stretch[]): number {
  return Math.max(...stretches.map((one) => Math.max(one.fromPerS, one.toPerS)))
}

/**
 * The moments, in ms from the start, at which requests are due: steps of one (constant) or exponentially distributed ones
 * (Poisson) through the integral of the rate. Nothing that is answered changes them.
 */
export function* arrivals(stretches: readonly Stretch[], kind: Arrivals, random: Random): Generator<number> {
  const step = () => (kind === 'constant' ? 1 : -Math.log(1 - random()))
  let startS = 0
  let due = kind === 'constant' ? 0.5 : step()
  for (const { seconds, fromPerS, toPerS } of stretches) {
    const growth = (toPerS - fromPerS) / seconds
    const requests = ((fromPerS + toPerS) / 2) * seconds
    while (due < requests) {
      const afterS = growth === 0 ? due / fromPerS : (Math.sqrt(fromPerS ** 2 + 2 * growth * due) - fromPerS) / growth
      yield (startS + afterS) * 1_000
      due += step()
    }
    due -= requests
    startS += seconds
  }
}
