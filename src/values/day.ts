// Calendar days as `YYYY-MM-DD` strings: they sort, compare and travel as they are.

export type Day = string

const form = /^(\d{4})-(\d{2})-(\d{2})$/
const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

export const dayMin: Day = '1900-01-01'
export const dayMax: Day = '2199-12-31'

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

/** Whether the text is a real day of the Gregorian calendar within `dayMin` and `dayMax`. */
export function isDay(text: string): text is Day {
  const found = form.exec(text)
  return found !== null && dayFrom(Number(found[1]), Number(found[2]), Number(found[3])) !== undefined
}

/** The day of a year, month (1 to 12) and day of month, or undefined when the calendar has none or it is out of range. */
export function dayFrom(year: number, month: number, date: number): Day | undefined {
  if (year < 1900 || year > 2199) return undefined
  const days = month === 2 && isLeapYear(year) ? 29 : monthDays[month - 1]
  if (days === undefined || !Number.isInteger(date) || date < 1 || date > days) return undefined
  return `${year}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`
}

/** The day `days` after (or before, when negative). */
export function addDays(day: Day, days: number): Day {
  return new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10)
}

/** Whole days from `from` to `to`, negative when `to` is earlier. */
export function daysBetween(from: Day, to: Day): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000)
}

type Span = { day: Day; fromMs: number; toMs: number }
const lastSpans = new Map<string, Span>()

/** The day of an instant (milliseconds of the epoch) in an IANA zone. Each zone's last day is kept: nearly every request asks for it again. */
export function dayOf(instantMs: number, timeZone: string): Day {
  const last = lastSpans.get(timeZone)
  if (last && instantMs >= last.fromMs && instantMs < last.toMs) return last.day
  const date = Temporal.Instant.fromEpochMilliseconds(instantMs).toZonedDateTimeISO(timeZone).toPlainDate()
  const span = {
    day: date.toString(),
    fromMs: date.toZonedDateTime(timeZone).epochMilliseconds,
    toMs: date.add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds,
  }
  lastSpans.set(timeZone, span)
  return span.day
}
