// From evidence to advice: a verdict for every trigger, its cheaper fix, its price and when it will trip. Pure.
import { servers } from '../../values/servers.ts'
import { dayMs, type Evidence } from './evidence.ts'
import { capacityOf, type Capacity } from './capacity.ts'
import { cheaperFix, isOfLoad, machineOf, missingIndexFix, scarceOf } from './fixes.ts'
import { dateOf, forecastDay } from './forecast.ts'
import { rules, type Rule } from './rules.ts'
import { costOf } from './servers.ts'

export type Verdict = 'not yet' | 'soon' | 'now'

export type Advice = {
  trigger: string
  verdict: Verdict
  /** Null while it was not measured, or not declared. */
  value: number | null
  threshold: number
  unit: string
  /** What the value is of; 0 for what was declared. */
  windowMs: number
  /** Null where there is nothing to fix. */
  cheaperFix: string | null
  /** What the step adds to the bill. */
  costEurPerMonth: number
  /** When the trend passes the threshold; null without a trend, and once it has. */
  forecastDate: string | null
}

export type Answer = { advice: Advice[]; capacity: Capacity }

/** What trips within so many days is soon. */
export const soonDays = 30

export function verdictOf(value: number | null, threshold: number, soonFrom: number | undefined, daysAhead: number | null): Verdict {
  if (value === null) return 'not yet'
  if (value > threshold) return 'now'
  if (daysAhead !== null && daysAhead <= soonDays) return 'soon'
  return soonFrom !== undefined && threshold > 0 && value >= threshold * soonFrom ? 'soon' : 'not yet'
}

export function advise(evidence: Evidence): Answer {
  return { advice: rules.map((rule) => judge(rule, evidence)), capacity: capacityOf(evidence) }
}

function judge(rule: Rule, evidence: Evidence): Advice {
  const { trigger, unit, windowMs, soonFrom } = rule
  const threshold = rule.threshold(evidence)
  const value = rule.value(evidence)
  const today = Math.floor(evidence.nowMs / dayMs)
  const trips = value === null || value > threshold ? null : forecastDay(rule.daily?.(evidence) ?? [], threshold, today)
  const verdict = verdictOf(value, threshold, soonFrom, trips === null ? null : trips - today)
  const machine = machineOf(evidence.hours) ?? servers[0]!
  return {
    trigger,
    verdict,
    value: value === null ? null : Math.round(value * 100) / 100,
    threshold,
    unit,
    windowMs,
    cheaperFix: verdict !== 'not yet' ? cheaperFix(rule, evidence) : isOfLoad(trigger) ? missingIndexFix(evidence) : null,
    costEurPerMonth: costOf(rule.step, machine, scarceOf(trigger)),
    forecastDate: trips === null ? null : dateOf(trips),
  }
}
