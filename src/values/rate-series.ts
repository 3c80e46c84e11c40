// The rates of one currency over time, and which of them is in force on a day: the rule of the SQL function rates_on, for many days at once.
import { addDays, type Day } from './day.ts'
import { limits } from './limits.ts'

/** Days, ascending, with the rate of each, as `rates_between` has them. */
export type RateSeries = { days: readonly Day[]; rates: readonly string[] }

/** The rate of the day or the latest before it, at most 10 days older; undefined when there is none: never a guess, never a later one. */
export function rateInForce({ days, rates }: RateSeries, day: Day): { rate: string; day: Day } | undefined {
  let low = 0
  let high = days.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (days[middle]! <= day) low = middle + 1
    else high = middle
  }
  const found = days[low - 1]
  if (found === undefined || found < addDays(day, -limits.rateAgeDaysMax)) return undefined
  return { rate: rates[low - 1]!, day: found }
}
