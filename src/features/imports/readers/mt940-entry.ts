// The :61: line of MT940 and its balances: dates of two-digit years, marks, amounts with a comma, references.
import { dayFrom, type Day } from '../../../values/day.ts'
import { minorFromDecimal } from '../../../values/money.ts'
import { UnreadableFile } from '../statement.ts'
import type { Field } from './mt940-fields.ts'

export type Entry = {
  date: Day
  amountMinor: number
  status: 'pending' | 'posted'
  bankReference: string | null
  /** What stands behind the references or on the next line: a name, an account, a kind of entry. */
  supplement: string
}

export type Balance = { line: number; amount: string; negative: boolean; currency: string | null }

// Value date, entry date (or blanks), mark, third letter of the currency, amount, type, the rest.
const entryForm = /^(\d{6})(\d{4}| {4})?(RC|RD|EC|ED|C|D)([A-Z])?(\d*(?:,\d*)?)(?:[A-Z][^\n]{0,3})?([^\n]*)$/

/** Reads a :61: field, or refuses the file. */
export function readEntryLine(field: Field, exponent: number, currency: string): Entry {
  const first = (field.lines[0] ?? '').trim()
  const found = entryForm.exec(first)
  const refuse = (reason: string): never => {
    throw new UnreadableFile(field.line, reason)
  }
  if (!found) return refuse(`'${shorten(first)}' is not a statement line (:61:)`)
  const [, value = '', booked = '', mark = '', , amount = '', rest = ''] = found
  const unsigned = amountOf(amount, exponent)
  if (unsigned === undefined) return refuse(`'${shorten(amount)}' is not an amount of ${currency} in a statement line`)
  const date = dateOf(value, booked.trim())
  if (date === undefined) return refuse(`'${(value + booked).trim()}' is not a date of a statement line`)
  // A reversed credit takes money, a reversed debit gives it back.
  const leaves = mark === 'D' || mark === 'RC' || mark === 'ED'
  const expected = mark === 'EC' || mark === 'ED'
  const { bankReference, tail } = references(rest)
  return {
    date,
    amountMinor: leaves && unsigned !== 0 ? -unsigned : unsigned,
    status: expected ? 'pending' : 'posted',
    bankReference,
    supplement: [tail, ...field.lines.slice(1)].join('\n').trim(),
  }
}

/** Reads a balance field, or refuses the file. */
export function readBalance(field: Field): Balance {
  const text = (field.lines[0] ?? '').replace(/\s/g, '')
  const found = /^([CD])\d{6}([A-Z]{3})?(\d*(?:,\d*)?)$/.exec(text)
  if (!found || !/\d/.test(found[3] ?? '')) {
    throw new UnreadableFile(field.line, `'${shorten(text)}' is not a balance (:${field.tag}:)`)
  }
  return { line: field.line, amount: found[3] ?? '', negative: found[1] === 'D', currency: found[2] ?? null }
}

/** Minor units of a balance, or undefined when it has more digits than its currency. */
export function balanceMinor(balance: Balance, exponent: number): number | undefined {
  const unsigned = amountOf(balance.amount, exponent)
  return unsigned !== undefined && balance.negative && unsigned !== 0 ? -unsigned : unsigned
}

/** Amounts are `12,`, `12,5`, `,50` or `12,50`, often filled up with zeroes. */
export function amountOf(text: string, exponent: number): number | undefined {
  return minorFromDecimal(text.replace(',', '.'), exponent)
}

/** The day of booking when the line gives one, else the value date. */
function dateOf(value: string, booked: string): Day | undefined {
  const twoDigits = Number(value.slice(0, 2))
  const year = twoDigits >= 80 ? 1900 + twoDigits : 2000 + twoDigits
  const month = Number(value.slice(2, 4))
  const date = Number(value.slice(4))
  if (booked === '' || booked === '0000') {
    // Banks that count interest by months of 30 days date it 30 February.
    const days = month === 2 && (date === 29 || date === 30) ? [date, 29, 28] : [date]
    return days.map((day) => dayFrom(year, month, day)).find((day) => day !== undefined)
  }
  if (month < 1 || month > 12 || date < 1 || date > 31) return undefined
  const bookedMonth = Number(booked.slice(0, 2))
  // The booking has no year: around New Year it is the one that brings the two dates together.
  const turn = bookedMonth - month > 6 ? -1 : month - bookedMonth > 6 ? 1 : 0
  return dayFrom(year + turn, bookedMonth, Number(booked.slice(2)))
}

/** The rest of the line: the customer's reference, `//` and the bank's, and what some banks add behind. */
function references(rest: string): { bankReference: string | null; tail: string } {
  const slashes = rest.indexOf('//')
  if (slashes < 0) return { bankReference: null, tail: rest.slice(16) }
  const behind = rest.slice(slashes + 2)
  const code = behind.indexOf('/TRCD/')
  const bankReference = (code < 0 ? behind : behind.slice(0, code)).trim()
  return { bankReference: bankReference === '' ? null : bankReference, tail: '' }
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
