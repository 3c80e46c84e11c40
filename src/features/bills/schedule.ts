// The days of a schedule: a recurrence rule from its first day on, moved off weekends when asked. Pure, and bounded by the calendar of days.
import { dayMax, type Day } from '../../values/day.ts'
import { parseRule, RuleError, type Rule } from './rule.ts'
import { dayNumber, daysInMonth, monthOf, textOf, weekdayOf, weekOf, yearDays, yearOf } from './calendar.ts'

export type Weekend = 'keep' | 'before' | 'after'
/** As the API has it. Days are of no zone: whoever asks says which day is today. */
export type Schedule = { startsOn: Day; rule: string; weekend: Weekend }

type Compiled = {
  rule: Rule
  start: number
  end: number
  months: ReadonlySet<number>
  yearDays: ReadonlySet<number>
  weeks: ReadonlySet<number>
  plainWeekdays: ReadonlySet<number>
  /** `nth * 7 + weekday` of numbered ones. */
  numbered: ReadonlySet<number>
  /** Days of a month, from 1 or from the end: the rule's, or the first day's. None when weekdays, weeks or days of the year say which. */
  monthDays: readonly number[]
}

const lastNumber = dayNumber(dayMax)
/** Who gives no day for so long gives none any more: the rarest, a leap day on a given weekday, is 40 years away at most. */
const gapDaysMax = 60 * 366

/** The days from `from` to `to`, both included, in order; `most` at most. */
export function scheduledDays(schedule: Schedule, endsOn: Day | null, from: Day, to: Day, most = Infinity): Day[] {
  const found: Day[] = []
  if (most <= 0) return found
  // A shift moves a day by two at most.
  const [first, last] = [dayNumber(from), dayNumber(to)]
  let previous = -Infinity
  for (const day of ruleDays(compile(schedule, endsOn), first - 2)) {
    if (day > last + 2) break
    const moved = shift(day, schedule.weekend)
    if (moved < first || moved > last || moved === previous) continue
    previous = moved
    found.push(textOf(moved))
    if (found.length >= most) break
  }
  return found
}

/** The first day on or after `from`, or null when there is none. */
export function firstScheduledDay(schedule: Schedule, endsOn: Day | null, from: Day): Day | null {
  return scheduledDays(schedule, endsOn, from, dayMax, 1)[0] ?? null
}

/** Why the rule cannot be taken, in words; null when it can. */
export function problemOfRule(startsOn: Day, rule: string): string | null {
  try {
    const found = firstScheduledDay({ startsOn, rule, weekend: 'keep' }, null, startsOn)
    return found === null ? 'never comes to a day' : null
  } catch (error) {
    if (error instanceof RuleError) return error.message
    throw error
  }
}

function shift(day: number, weekend: Weekend): number {
  const weekday = weekdayOf(day)
  if (weekday < 5 || weekend === 'keep') return day
  const moved = weekend === 'before' ? day - (weekday - 4) : day + (7 - weekday)
  return moved > lastNumber ? day : moved
}

function compile(schedule: Schedule, endsOn: Day | null): Compiled {
  const rule = parseRule(schedule.rule)
  const start = dayNumber(schedule.startsOn)
  const ends = [rule.until, endsOn].filter((day) => day !== null).map(dayNumber)
  const first = monthOf(start)
  const saysDays = rule.monthDays.length + rule.weekdays.length + rule.weeks.length + rule.yearDays.length > 0
  const fromStart = !saysDays && (rule.frequency === 'MONTHLY' || rule.frequency === 'YEARLY')
  // What the rule leaves open is the first day's: its weekday, its day of the month, its month.
  const weekdayOpen = rule.weekdays.length === 0 && (rule.frequency === 'WEEKLY' || (rule.weeks.length > 0 && onlyWeeks(rule)))
  const monthOpen = fromStart && rule.frequency === 'YEARLY' && rule.months.length === 0
  return {
    rule,
    start,
    end: Math.min(lastNumber, ...ends),
    months: new Set(monthOpen ? [first.month] : rule.months),
    yearDays: new Set(rule.yearDays),
    weeks: new Set(rule.weeks),
    plainWeekdays: new Set(weekdayOpen ? [weekdayOf(start)] : rule.weekdays.filter((each) => each.nth === 0).map((each) => each.weekday)),
    numbered: new Set(rule.weekdays.filter((each) => each.nth !== 0).map((each) => each.nth * 7 + each.weekday)),
    monthDays: fromStart ? [first.date] : rule.monthDays,
  }
}

function onlyWeeks(rule: Rule): boolean {
  return rule.yearDays.length === 0 && rule.monthDays.length === 0
}

/** The days that the rule gives, each once and in order; with COUNT they are counted from the first, else those before `from` are passed over. */
function* ruleDays(compiled: Compiled, from: number): Generator<number> {
  const { rule, start, end } = compiled
  const begin = rule.count === null ? Math.max(from, start) : start
  let left = rule.count ?? Infinity
  let last = begin - 1
  for (const { first, days } of periods(compiled, begin)) {
    if (first > end || first - last > gapDaysMax) return
    for (const day of positioned(days, rule.positions)) {
      if (day < start || day <= last) continue
      if (day > end || left === 0) return
      last = day
      left--
      if (day >= from) yield day
    }
  }
}

type Period = { first: number; days: readonly number[] }
const none: readonly number[] = []

/** Each period that the interval keeps, from the one around `from` on, with its days in order. Whoever reads it ends it. */
function* periods(compiled: Compiled, from: number): Generator<Period> {
  const { rule, start } = compiled
  const { interval } = rule
  if (rule.frequency === 'DAILY') {
    for (let day = start + Math.floor((from - start) / interval) * interval; ; day += interval) {
      yield { first: day, days: fitsDaily(compiled, day) ? [day] : none }
    }
  } else if (rule.frequency === 'WEEKLY') {
    const firstWeek = start - ((weekdayOf(start) - rule.weekStart + 7) % 7)
    const step = interval * 7
    for (let week = firstWeek + Math.floor((from - firstWeek) / step) * step; ; week += step) {
      yield { first: week, days: daysOfWeek(compiled, week) }
    }
  } else {
    const origin = monthOf(start)
    const near = monthOf(from)
    const monthly = rule.frequency === 'MONTHLY'
    // A day moved forward lies in the month behind its own, so the search begins one month earlier.
    const passed = monthly ? (near.year - origin.year) * 12 + near.month - origin.month - 1 : near.year - origin.year
    for (let index = Math.max(0, Math.floor(passed / interval) * interval); ; index += interval) {
      const months = monthly ? origin.month - 1 + index : 0
      const year = origin.year + (monthly ? Math.floor(months / 12) : index)
      const month = (months % 12) + 1
      yield {
        first: yearOf(year) + daysBefore(year, month),
        days: monthly ? daysOfMonth(compiled, year, month) : daysOfYear(compiled, year),
      }
    }
  }
}

function fitsDaily({ rule, months, monthDays, plainWeekdays }: Compiled, day: number): boolean {
  if (plainWeekdays.size > 0 && !plainWeekdays.has(weekdayOf(day))) return false
  if (months.size === 0 && monthDays.length === 0) return true
  const { year, month, date } = monthOf(day)
  if (months.size > 0 && !months.has(month)) return false
  return rule.monthDays.length === 0 || monthDays.includes(date) || monthDays.includes(date - daysInMonth(year, month) - 1)
}

function daysOfWeek({ months, plainWeekdays }: Compiled, week: number): number[] {
  const days: number[] = []
  for (let day = week; day < week + 7; day++) {
    if (plainWeekdays.has(weekdayOf(day)) && (months.size === 0 || months.has(monthOf(day).month))) days.push(day)
  }
  return days
}

function daysOfMonth(compiled: Compiled, year: number, month: number): number[] {
  if (compiled.months.size > 0 && !compiled.months.has(month)) return []
  const first = yearOf(year) + daysBefore(year, month)
  const length = daysInMonth(year, month)
  const span = { first, length }
  if (compiled.monthDays.length === 0) return range(first, length).filter((day) => fitsWeekday(compiled, day, span))
  return movedDays(compiled, first, length).filter((day) => fitsWeekday(compiled, day, span))
}

function daysOfYear(compiled: Compiled, year: number): number[] {
  const { rule, months } = compiled
  const first = yearOf(year)
  const length = yearDays(year)
  const candidates: number[] = []
  for (let month = 1; month <= 12; month++) {
    if (months.size > 0 && !months.has(month)) continue
    const begin = first + daysBefore(year, month)
    const inMonth = daysInMonth(year, month)
    const days = compiled.monthDays.length > 0 ? movedDays(compiled, begin, inMonth) : range(begin, inMonth)
    // Numbered weekdays count within the months that the rule names, else within the year.
    const span = months.size > 0 ? { first: begin, length: inMonth } : { first, length }
    // A day that was moved into the next month may be there again.
    candidates.push(...days.filter((day) => day !== candidates.at(-1) && fitsWeekday(compiled, day, span)))
  }
  if (rule.yearDays.length === 0 && rule.weeks.length === 0) return candidates
  return candidates.filter((day) => fitsYear(compiled, day, first, length))
}

function fitsYear({ rule, yearDays: days, weeks }: Compiled, day: number, first: number, length: number): boolean {
  const ofYear = day - first + 1
  if (days.size > 0 && !days.has(ofYear) && !days.has(ofYear - length - 1)) return false
  if (weeks.size === 0) return true
  const { week, weeksOfYear } = weekOf(day, rule.weekStart)
  return weeks.has(week) || weeks.has(week - weeksOfYear - 1)
}

/** Whether a day is one of the weekdays; numbered ones count within the span from both of its ends. */
function fitsWeekday({ plainWeekdays, numbered }: Compiled, day: number, span: { first: number; length: number }): boolean {
  if (plainWeekdays.size === 0 && numbered.size === 0) return true
  const weekday = weekdayOf(day)
  if (plainWeekdays.has(weekday)) return true
  if (numbered.size === 0) return false
  const fromStart = Math.floor((day - span.first) / 7) + 1
  const fromEnd = -(Math.floor((span.first + span.length - 1 - day) / 7) + 1)
  return numbered.has(fromStart * 7 + weekday) || numbered.has(fromEnd * 7 + weekday)
}

/** The named days of a month, in order; those that it lacks are left out or moved, as SKIP says (RFC 7529, 4.1). */
function movedDays({ rule, monthDays }: Compiled, first: number, length: number): number[] {
  const days = new Set<number>()
  for (const each of monthDays) {
    const date = each > 0 ? each : length + 1 + each
    if (date >= 1 && date <= length) days.add(first + date - 1)
    else if (rule.skip === 'BACKWARD') days.add(date < 1 ? first - 1 : first + length - 1)
    else if (rule.skip === 'FORWARD') days.add(date < 1 ? first : first + length)
  }
  return [...days].toSorted((a, b) => a - b)
}

function positioned(days: readonly number[], positions: readonly number[]): readonly number[] {
  if (positions.length === 0 || days.length === 0) return days
  const chosen = positions.map((position) => days[position > 0 ? position - 1 : days.length + position])
  return [...new Set(chosen.filter((day) => day !== undefined))].toSorted((a, b) => a - b)
}

function range(first: number, length: number): number[] {
  return Array.from({ length }, (_, index) => first + index)
}

function daysBefore(year: number, month: number): number {
  let days = 0
  for (let each = 1; each < month; each++) days += daysInMonth(year, each)
  return days
}
