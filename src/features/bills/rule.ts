// Reads the recurrence rule of RFC 5545 (3.3.10), with SKIP of RFC 7529, as far as it speaks of days.
import { isDay, type Day } from '../../values/day.ts'
import { limits } from '../../values/limits.ts'

export type Frequency = 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY'
/** What becomes of a day that its month lacks: left out, or moved to the day before or after. */
export type Skip = 'OMIT' | 'BACKWARD' | 'FORWARD'
/** `nth` 0 is every such weekday; weekdays count from Monday, 0. */
export type WeekdayRule = { nth: number; weekday: number }

export type Rule = {
  frequency: Frequency
  interval: number
  count: number | null
  until: Day | null
  weekStart: number
  months: readonly number[]
  weeks: readonly number[]
  yearDays: readonly number[]
  monthDays: readonly number[]
  weekdays: readonly WeekdayRule[]
  positions: readonly number[]
  skip: Skip
}

/** What is wrong with a rule, in words for whoever wrote it. */
export class RuleError extends Error {}

const weekdayNames = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']
const frequencies: ReadonlySet<string> = new Set(['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'])
const partNames = new Set(
  'FREQ INTERVAL COUNT UNTIL WKST BYMONTH BYWEEKNO BYYEARDAY BYMONTHDAY BYDAY BYSETPOS RSCALE SKIP BYHOUR BYMINUTE BYSECOND'.split(' '),
)

/** The rule of a text such as `FREQ=MONTHLY;BYMONTHDAY=31`, with or without `RRULE:` before it. Throws RuleError. */
export function parseRule(text: string): Rule {
  if (text.length > limits.billRuleLengthMax) throw new RuleError(`has more than ${limits.billRuleLengthMax} characters`)
  const parts = readParts(text.toUpperCase().replace(/^RRULE:/, ''))
  const rule: Rule = {
    frequency: readFrequency(parts),
    interval: readNumber(parts, 'INTERVAL', 1, limits.billIntervalMax) ?? 1,
    count: readNumber(parts, 'COUNT', 1, limits.billCountMax),
    until: readUntil(parts),
    weekStart: readWeekStart(parts),
    months: readNumbers(parts, 'BYMONTH', 12, false),
    weeks: readNumbers(parts, 'BYWEEKNO', 53, true),
    yearDays: readNumbers(parts, 'BYYEARDAY', 366, true),
    monthDays: readNumbers(parts, 'BYMONTHDAY', 31, true),
    weekdays: readWeekdays(parts),
    positions: readNumbers(parts, 'BYSETPOS', 366, true),
    skip: readSkip(parts),
  }
  checkTogether(rule)
  return rule
}

function readParts(text: string): Map<string, string> {
  const parts = new Map<string, string>()
  for (const part of text.replace(/;$/, '').split(';')) {
    const [, name, value] = /^([A-Z-]+)=(.+)$/.exec(part) ?? []
    if (name === undefined || value === undefined) throw new RuleError('must be parts such as FREQ=MONTHLY, divided by semicolons')
    if (!partNames.has(name)) throw new RuleError(`has no part ${name.slice(0, 20)}`)
    if (parts.has(name)) throw new RuleError(`has ${name} twice`)
    parts.set(name, value)
  }
  return parts
}

function readFrequency(parts: Map<string, string>): Frequency {
  const frequency = parts.get('FREQ')
  if (frequency === undefined) throw new RuleError('needs FREQ')
  const subDaily = ['BYHOUR', 'BYMINUTE', 'BYSECOND'].find((name) => parts.has(name))
  if (subDaily || ['HOURLY', 'MINUTELY', 'SECONDLY'].includes(frequency)) {
    throw new RuleError(`is of days: it takes no ${subDaily ?? `FREQ=${frequency}`}`)
  }
  if (!frequencies.has(frequency)) throw new RuleError('FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY')
  return frequency as Frequency
}

function readNumber(parts: Map<string, string>, name: string, min: number, max: number): number | null {
  const text = parts.get(name)
  if (text === undefined) return null
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max)) throw new RuleError(`${name} must be a whole number from ${min} to ${max}`)
  return value
}

function readNumbers(parts: Map<string, string>, name: string, max: number, signed: boolean): number[] {
  const text = parts.get(name)
  if (text === undefined) return []
  const values = text.split(',').map((each) => (/^[+-]?\d{1,3}$/.test(each) ? Number(each) : 0))
  if (values.some((value) => value === 0 || Math.abs(value) > max || (value < 0 && !signed))) {
    throw new RuleError(`${name} must be whole numbers from 1 to ${max}${signed ? `, or from -${max} to -1` : ''}, divided by commas`)
  }
  return [...new Set(values)]
}

function readWeekdays(parts: Map<string, string>): WeekdayRule[] {
  const text = parts.get('BYDAY')
  if (text === undefined) return []
  return text.split(',').map((each) => {
    const [, number, name] = /^([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)$/.exec(each) ?? []
    const nth = number === undefined ? 0 : Number(number)
    if (name === undefined || (number !== undefined && nth === 0) || Math.abs(nth) > 53) {
      throw new RuleError('BYDAY must be weekdays such as MO, 2TU or -1FR, divided by commas')
    }
    return { nth, weekday: weekdayNames.indexOf(name) }
  })
}

function readWeekStart(parts: Map<string, string>): number {
  const weekStart = weekdayNames.indexOf(parts.get('WKST') ?? 'MO')
  if (weekStart === -1) throw new RuleError('WKST must be a weekday such as MO')
  return weekStart
}

/** The day as it is written: of an instant too, since an app means the end of that day by it. */
function readUntil(parts: Map<string, string>): Day | null {
  const text = parts.get('UNTIL')
  if (text === undefined) return null
  const [, year, month, date] = /^(\d{4})(\d\d)(\d\d)(?:T\d{6}Z?)?$/.exec(text) ?? []
  const day = `${year}-${month}-${date}`
  if (!isDay(day)) throw new RuleError('UNTIL must be a day such as 20261231')
  return day
}

/** Without RSCALE and SKIP the 31st becomes the last day of a shorter month; RSCALE alone means what RFC 7529 says: it is left out. */
function readSkip(parts: Map<string, string>): Skip {
  const scale = parts.get('RSCALE')
  if (scale !== undefined && scale !== 'GREGORIAN' && scale !== 'GREGORY') throw new RuleError('RSCALE must be GREGORIAN')
  const skip = parts.get('SKIP') ?? (scale === undefined ? 'BACKWARD' : 'OMIT')
  if (skip !== 'OMIT' && skip !== 'BACKWARD' && skip !== 'FORWARD') throw new RuleError('SKIP must be OMIT, BACKWARD or FORWARD')
  return skip
}

/** What RFC 5545 forbids side by side. */
function checkTogether(rule: Rule) {
  const { frequency } = rule
  const refuse = (broken: boolean, message: string) => {
    if (broken) throw new RuleError(message)
  }
  refuse(rule.count !== null && rule.until !== null, 'takes COUNT or UNTIL, not both')
  refuse(rule.weeks.length > 0 && frequency !== 'YEARLY', 'takes BYWEEKNO with FREQ=YEARLY only')
  refuse(rule.yearDays.length > 0 && frequency !== 'YEARLY', 'takes BYYEARDAY with FREQ=YEARLY only')
  refuse(rule.monthDays.length > 0 && frequency === 'WEEKLY', 'takes no BYMONTHDAY with FREQ=WEEKLY')
  const numbered = rule.weekdays.some((each) => each.nth !== 0)
  refuse(numbered && frequency !== 'MONTHLY' && frequency !== 'YEARLY', 'takes numbered weekdays with FREQ=MONTHLY or YEARLY only')
  refuse(numbered && rule.weeks.length > 0, 'takes no numbered weekdays with BYWEEKNO')
  const others = [rule.months, rule.weeks, rule.yearDays, rule.monthDays, rule.weekdays]
  refuse(rule.positions.length > 0 && others.every((each) => each.length === 0), 'takes BYSETPOS with another BY part only')
}
