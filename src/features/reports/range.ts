// Months of a report as `YYYY-MM`: which ones are asked for, and the days they begin and end with.
import { z } from 'zod'
import { addDays, dayMax, dayMin, isDay, type Day } from '../../values/day.ts'
import { Failure } from '../../values/failure.ts'

export type Month = string

const [monthMin, monthMax] = [dayMin.slice(0, 7), dayMax.slice(0, 7)]

export const month = z
  .string()
  .refine((text) => isDay(`${text}-01`), {
    error: `must be a month from ${monthMin} to ${monthMax}, such as 2026-02`,
    params: { code: 'malformed-month' },
  })
  .meta({ pattern: '^\\d{4}-\\d{2}$', description: 'A calendar month.' })

export const monthOf = (day: Day): Month => day.slice(0, 7)
export const firstDay = (of: Month): Day => `${of}-01`
export const lastDay = (of: Month): Day => addDays(firstDay(addMonths(of, 1)), -1)

export function addMonths(to: Month, months: number): Month {
  const index = Number(to.slice(0, 4)) * 12 + Number(to.slice(5)) - 1 + months
  return `${String(Math.floor(index / 12)).padStart(4, '0')}-${String((index % 12) + 1).padStart(2, '0')}`
}

/** The months asked for, ascending: unless given they end with the month of today, and are the 12 up to there. */
export function monthsOf(given: { from?: Month | undefined; to?: Month | undefined }, today: Day, most: number): [Month, ...Month[]] {
  const to = given.to ?? monthOf(today)
  const standard = addMonths(to, -11)
  const from = given.from ?? (standard < monthMin ? monthMin : standard)
  if (from > to) throw outOfRange('?from', `The months go from ${from} to ${to}: the first comes behind the last.`)
  const months: [Month, ...Month[]] = [from]
  for (let next = addMonths(from, 1); next <= to; next = addMonths(next, 1)) {
    if (months.length === most) throw outOfRange('?from', `A report takes at most ${most} months; from ${from} to ${to} there are more.`)
    months.push(next)
  }
  return months
}

function outOfRange(pointer: string, detail: string): Failure {
  return new Failure('invalid-request', detail, { errors: [{ pointer, code: 'out-of-range', detail }] })
}

/**
 * How to reach the end of a day from sums of whole months: from those before `monthAfter`, by the days of the edge, which are added when the day is
 * in the first half of its month and taken away when it is in the second.
 */
export function edgeOf(day: Day): { monthAfter: Day; edgeFirst: Day; edgeLast: Day; edgeSign: 1 | -1 } {
  const own = monthOf(day)
  return Number(day.slice(8)) <= 15
    ? { monthAfter: firstDay(own), edgeFirst: firstDay(own), edgeLast: day, edgeSign: 1 }
    : { monthAfter: addDays(lastDay(own), 1), edgeFirst: addDays(day, 1), edgeLast: lastDay(own), edgeSign: -1 }
}

/** The same for an instant among the months (UTC) in which balances became known. */
export function knownEdgeOf(instant: string): { knownMonth: string; knownMonthAfter: string; early: boolean } {
  const at = new Date(instant)
  const begin = (months: number) => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + months, 1)).toISOString()
  return { knownMonth: begin(0), knownMonthAfter: begin(1), early: at.getUTCDate() <= 15 }
}
