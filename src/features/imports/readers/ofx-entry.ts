// One STMTTRN element to one row of a statement.
import { UnreadableFile } from '../statement.ts'
import type { ReadOptions, StatementRow } from '../statement.ts'
import { childOf, valueOf } from './ofx-elements.ts'
import type { OfxElement } from './ofx-elements.ts'
import { convert, inverse, readAmount, readDay, readRate } from './ofx-values.ts'
import { cleanWhitespace } from './text.ts'

export type EntryContext = {
  /** The currency of the statement, for an entry that names none. */
  currency: string
  exponent: number
  exponentOf: ReadOptions['exponentOf']
  isPending: boolean
}

/** Whether an entry moves money: some banks list the day's balance among the entries, with a bare point for an amount. */
export function isMovement(entry: OfxElement): boolean {
  const amount = childOf(entry, 'TRNAMT')
  return !amount || /[^\s.,]/.test(amount.value)
}

/** Reads an entry; its `externalId` is the FITID as sent. */
export function readEntry(entry: OfxElement, context: EntryContext): StatementRow {
  const rawPayee = payeeOf(entry) ?? valueOf(entry, 'MEMO') ?? null
  const payee = longerName(cleanWhitespace(rawPayee ?? ''), cleanWhitespace(valueOf(entry, 'EXTDNAME') ?? '')) || null
  return {
    line: entry.line,
    date: dateOf(entry),
    ...amountsOf(entry, context),
    payee,
    rawPayee,
    note: noteOf(entry, payee ?? ''),
    externalId: valueOf(entry, 'FITID') ?? null,
    status: context.isPending ? 'pending' : 'posted',
  }
}

/** The reading of a currency code, or a refusal of the file. */
export function currencyOf(element: OfxElement, exponentOf: ReadOptions['exponentOf']): [string, number] {
  const code = element.value.toUpperCase()
  const exponent = exponentOf(code)
  if (exponent !== undefined) return [code, exponent]
  throw new UnreadableFile(element.line, `${element.name} has an unknown currency ${quote(element.value)}.`)
}

/** A bank's text within a reason: short, on one line. */
export function quote(text: string): string {
  const clean = cleanWhitespace(text.slice(0, 200))
  return `"${clean.length > 60 ? `${clean.slice(0, 60)}...` : clean}"`.toWellFormed()
}

function payeeOf(entry: OfxElement): string | undefined {
  const payee = childOf(entry, 'PAYEE')
  return (
    valueOf(entry, 'NAME') ??
    valueOf(payee, 'NAME') ??
    valueOf(childOf(entry, 'EXTDPAYEE'), 'NAME') ??
    (payee?.value || undefined) ??
    valueOf(entry, 'EXTDNAME')
  )
}

/** NAME holds 32 characters, and EXTDNAME the whole of a longer one. */
function longerName(name: string, extended: string): string {
  return startsWithWords(extended, name) || extended.toLowerCase().startsWith(name.toLowerCase()) ? extended : name
}

function noteOf(entry: OfxElement, payee: string): string | null {
  const parts: string[] = []
  for (const name of ['EXTDNAME', 'MEMO']) {
    const text = withoutPayee(cleanWhitespace(valueOf(entry, name) ?? ''), payee)
    if (text !== '' && !parts.includes(text)) parts.push(text)
  }
  const check = cleanWhitespace(valueOf(entry, 'CHECKNUM') ?? '')
  if (!/^0*$/.test(check)) parts.push(`Check ${check}`)
  return parts.join('; ') || null
}

/** Many banks open or end the memo with the payee, which is read already. */
function withoutPayee(text: string, payee: string): string {
  if (text.toLowerCase() === payee.toLowerCase()) return ''
  if (payee.length < 3) return text
  if (startsWithWords(text, payee)) return text.slice(payee.length).replace(/^[\s;,:|/-]+/, '')
  const end = text.length - payee.length
  const endsWithPayee = end > 0 && text.slice(end).toLowerCase() === payee.toLowerCase()
  return endsWithPayee && !/[\p{L}\p{N}]/u.test(text[end - 1] ?? '') ? trimmedEnd(text.slice(0, end)) : text
}

function startsWithWords(text: string, start: string): boolean {
  const isStart = text.slice(0, start.length).toLowerCase() === start.toLowerCase()
  return isStart && !/[\p{L}\p{N}]/u.test(text[start.length] ?? '')
}

/** Drops the separators at the end, one by one because a regular expression would search from each of them. */
function trimmedEnd(text: string): string {
  let end = text.length
  while (end > 0 && /[\s;,:|/-]/.test(text[end - 1] ?? '')) end--
  return text.slice(0, end)
}

function dateOf(entry: OfxElement): string {
  // A pending entry has no day of posting, but DTTRAN; DTUSER is when the customer made it.
  const element = ['DTPOSTED', 'DTTRAN', 'DTUSER'].map((name) => childOf(entry, name)).find((found) => found?.value)
  if (!element) throw new UnreadableFile(entry.line, `${entry.name} has no date (DTPOSTED).`)
  const day = readDay(element.value)
  if (day === undefined) throw new UnreadableFile(element.line, `${element.name} is not a date: ${quote(element.value)}.`)
  return day
}

/**
 * CURRENCY says that the amount is in another currency than the statement, ORIGCURRENCY that the bank converted it from
 * one; CURRATE is in both what one unit of the other currency is worth in that of the statement.
 */
function amountsOf(entry: OfxElement, context: EntryContext): Pick<StatementRow, 'amountMinor' | 'original'> {
  const foreign = foreignOf(entry, 'CURRENCY', context)
  const element = childOf(entry, 'TRNAMT')
  if (!element) throw new UnreadableFile(entry.line, `${entry.name} has no amount (TRNAMT).`)
  const sent = readAmount(element.value, foreign?.exponent ?? context.exponent)
  if (sent === undefined) {
    const currency = foreign?.currency ?? context.currency
    throw new UnreadableFile(element.line, `TRNAMT is not an amount in ${currency}: ${quote(element.value)}.`)
  }
  if (foreign) {
    const amountMinor = foreign.rate && convert(sent, foreign.rate, foreign.exponent, context.exponent)
    if (amountMinor !== undefined) return { amountMinor, original: { amountMinor: sent, currency: foreign.currency } }
    const reason = `TRNAMT is in ${foreign.currency} and CURRATE does not convert it to ${context.currency}.`
    throw new UnreadableFile(element.line, reason)
  }
  const from = foreignOf(entry, 'ORIGCURRENCY', context)
  const paid = from?.rate && convert(sent, inverse(from.rate), context.exponent, from.exponent)
  return { amountMinor: sent, original: from && paid !== undefined ? { amountMinor: paid, currency: from.currency } : null }
}

/** The other currency of an entry and its rate; undefined when the aggregate is absent or names the statement's own. */
function foreignOf(entry: OfxElement, name: 'CURRENCY' | 'ORIGCURRENCY', context: EntryContext) {
  const aggregate = childOf(entry, name)
  const symbol = childOf(aggregate, 'CURSYM') ?? aggregate
  if (!symbol?.value) return undefined
  const [currency, exponent] = currencyOf(symbol, context.exponentOf)
  return currency === context.currency ? undefined : { currency, exponent, rate: readRate(valueOf(aggregate, 'CURRATE')) }
}
