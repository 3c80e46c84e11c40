// Dates as banks write them: in any order of day, month and year, with many separators or none, or a month in words.
import { dayFrom, type Day } from '../../../values/day.ts'

export type DateOrder = 'ymd' | 'dmy' | 'mdy'

/** A date taken apart but not yet understood: `parts` as written, or with the month named and so in no doubt. */
export type WrittenDate =
  | { kind: 'named'; year: number; month: number; day: number; monthFirst: boolean }
  | { kind: 'numbers'; parts: [string, string, string]; separator: string; thisCentury: boolean }

// No cell longer than this is a date, whatever follows it (a time, a zone); it also bounds the work on hostile text.
const longest = 60
const numbersForm = /^(\d{1,4})( ?[-/.'] {0,2}| )(\d{1,2})( ?[-/.'] {0,2}| )(\d{1,4})(?!\d)\.?/
const compactForm = /^(\d{8}|\d{6})(?:\d{6})?(?![\d.,])/
const timeForm = /^[T ,;]{1,3}\d{1,2}[:.hH]?\d{2}/
const orders = ['dmy', 'mdy', 'ymd'] as const
const languages = ['en', 'en-GB', 'de', 'nl', 'fr', 'es', 'it', 'pt', 'pl', 'sv']

/** Takes a date or date-time apart; undefined when the text is no date in any order. */
export function parseDate(text: string): WrittenDate | undefined {
  if (text.length > longest) return undefined
  const written = text.trim()
  if (!/\d/.test(written)) return undefined
  return parseNumbers(written) ?? parseCompact(written) ?? parseNamed(written)
}

/** The day a written date means under an order; undefined when the calendar has no such day. */
export function dayIn(date: WrittenDate, order: DateOrder): Day | undefined {
  if (date.kind === 'named') return dayFrom(date.year, date.month, date.day)
  const [first, second, third] = date.parts
  // A year of four digits stands where it stands, whatever the order of the other dates.
  const actual = first.length === 4 ? 'ymd' : order
  const [year, month, day] = actual === 'ymd' ? [first, second, third] : actual === 'dmy' ? [third, second, first] : [third, first, second]
  if (month.length > 2 || day.length > 2) return undefined
  if (date.thisCentury ? year !== third : year.length !== 4 && year.length !== 2) return undefined
  return dayFrom(fullYear(year, date.thisCentury), Number(month), Number(day))
}

export function readDate(text: string, order: DateOrder): Day | undefined {
  const date = parseDate(text)
  return date && dayIn(date, order)
}

/** What the dates of a whole file say of their order; `ambiguous` when day and month could be swapped throughout. */
export type OrderFound = {
  order: DateOrder | undefined
  ambiguous: boolean
  /** Whether some dates fit one order and some only the other. */
  mixed: boolean
  /** How the dates are separated where they are ambiguous: '' when there is nothing between the parts. */
  separator: string
}

/** Decides the order over all dates of a file: one part above 12 decides for every row. */
export function findOrder(dates: Iterable<WrittenDate>): OrderFound {
  const fits = { ymd: 0, dmy: 0, mdy: 0 }
  const years = { ymd: new Set<string>(), dmy: new Set<string>(), mdy: new Set<string>() }
  const found: OrderFound = { order: undefined, ambiguous: false, mixed: false, separator: '' }
  let settled: DateOrder | undefined
  let onlyDmy = 0
  let onlyMdy = 0
  for (const date of dates) {
    if (date.kind === 'named') settled ??= date.monthFirst ? 'mdy' : 'dmy'
    else if (date.parts[0].length === 4) settled = 'ymd'
    else {
      found.separator ||= date.separator
      const days = { ymd: dayIn(date, 'ymd'), dmy: dayIn(date, 'dmy'), mdy: dayIn(date, 'mdy') }
      for (const order of orders) {
        const day = days[order]
        if (day === undefined) continue
        fits[order]++
        years[order].add(day.slice(0, 4))
      }
      if (days.dmy && !days.mdy) onlyDmy++
      if (days.mdy && !days.dmy) onlyMdy++
    }
  }
  const most = Math.max(fits.dmy, fits.mdy, fits.ymd)
  if (most === 0) return { ...found, order: settled }
  const best = orders.filter((order) => fits[order] === most)
  const dayOrMonthFirst = best.filter((order) => order !== 'ymd')
  // Years of two digits may stand first: a statement spans few years, so the order that gives the fewest is meant.
  const fewest = Math.min(...dayOrMonthFirst.map((order) => years[order].size))
  if (best.includes('ymd') && years.ymd.size < fewest) return { ...found, order: 'ymd' }
  found.mixed = onlyDmy > 0 && onlyMdy > 0
  if (dayOrMonthFirst.length === 2) return { ...found, ambiguous: true }
  return { ...found, order: dayOrMonthFirst[0] ?? 'ymd' }
}

function parseNumbers(text: string): WrittenDate | undefined {
  const found = numbersForm.exec(text)
  if (!found) return undefined
  const [whole, first = '', before = '', second = '', after = '', third = ''] = found
  if (!endsAsDate(text.slice(whole.length))) return undefined
  // Quicken writes the years from 2000 on behind an apostrophe, blanks for leading zeroes included.
  const thisCentury = after.includes("'")
  if (first.length === 3 || third.length === 3 || (first.length === 4 && third.length > 2)) return undefined
  if (first.length !== 4 && third.length === 1 && !thisCentury) return undefined
  return { kind: 'numbers', parts: [first, second, third], separator: before.trim(), thisCentury }
}

function parseCompact(text: string): WrittenDate | undefined {
  const found = compactForm.exec(text)
  if (!found) return undefined
  const [whole, digits = ''] = found
  if (!endsAsDate(text.slice(whole.length))) return undefined
  const halves = { kind: 'numbers', separator: '', thisCentury: false } as const
  if (digits.length === 6) return { ...halves, parts: [digits.slice(0, 2), digits.slice(2, 4), digits.slice(4)] }
  // 20 to 21 in front can be a day as well, but then the year behind is before 1900 and no day at all.
  if (dayFrom(Number(digits.slice(0, 4)), Number(digits.slice(4, 6)), Number(digits.slice(6))) !== undefined) {
    return { ...halves, parts: [digits.slice(0, 4), digits.slice(4, 6), digits.slice(6)] }
  }
  return { ...halves, parts: [digits.slice(0, 2), digits.slice(2, 4), digits.slice(4)] }
}

/** Day, month in words and year, in any order that can be told apart: `31 Jan 2024`, `Jan 31, 2024`, `2024-Jan-31`. */
function parseNamed(text: string): WrittenDate | undefined {
  const pieces = text.match(/\p{L}[\p{L}\p{M}]*|\d+|[^\p{L}\d]+/gu) ?? []
  const numbers: string[] = []
  let month: number | undefined
  let monthFirst = false
  let length = 0
  for (const piece of pieces) {
    length += piece.length
    if (/^\d/.test(piece)) numbers.push(piece)
    else if (/^\p{L}/u.test(piece)) {
      const named = monthNumber(piece)
      if (named !== undefined && month === undefined) {
        month = named
        monthFirst = numbers.length === 0
      } else if (!passedOver.test(plain(piece))) return undefined
    } else if (!/^[ \-/.,']{1,3}$/.test(piece)) return undefined
    if (numbers.length === 2) break
  }
  const [first = '', second = ''] = numbers
  if (month === undefined || !endsAsDate(text.slice(length).replace(/^\./, ''))) return undefined
  const [day, year] = first.length === 4 ? [second, first] : [first, second]
  if (day.length > 2 || day === '' || (year.length !== 4 && year.length !== 2)) return undefined
  return { kind: 'named', year: fullYear(year, false), month, day: Number(day), monthFirst }
}

function endsAsDate(rest: string): boolean {
  return rest === '' || timeForm.test(rest)
}

/** Two digits from 70 on are of the last century: no bank had files to export before. */
function fullYear(year: string, thisCentury: boolean): number {
  const number = Number(year)
  if (year.length === 4) return number
  return thisCentury || number < 70 ? 2000 + number : 1900 + number
}

// Days of the week, ordinal endings and the words between the parts of a date in the languages below.
const passedOver = /^(mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|ma|wo|vr|za|zo|st|nd|rd|th|de|of)$/
let months: Map<string, number> | undefined

function monthNumber(word: string): number | undefined {
  months ??= monthNames()
  return months.get(plain(word))
}

/** Month names of all languages, long and short, as in dates and alone (Slavic languages decline them). */
function monthNames(): Map<string, number> {
  const names = new Map<string, number>()
  for (const language of languages) {
    for (const month of ['long', 'short'] as const) {
      for (const day of [undefined, 'numeric'] as const) {
        const format = new Intl.DateTimeFormat(language, { month, day, timeZone: 'UTC' })
        for (let number = 1; number <= 12; number++) {
          const part = format.formatToParts(Date.UTC(2024, number - 1, 1)).find(({ type }) => type === 'month')
          const name = part ? plain(part.value) : ''
          if (name !== '' && !names.has(name)) names.set(name, number)
        }
      }
    }
  }
  // Short forms people and banks write that the locale data does not have.
  for (const [name, number] of [
    ['sept', 9],
    ['mrz', 3],
    ['maer', 3],
    ['maerz', 3],
    ['okt', 10],
    ['dez', 12],
  ] as const) {
    names.set(name, number)
  }
  return names
}

function plain(word: string): string {
  return word
    .normalize('NFD')
    .replace(/[^\p{L}]/gu, '')
    .toLowerCase()
}
