// Reads QIF files of Quicken and of banks: entries of bank, card and cash accounts, with the accounts they belong to.
import type { ReadOptions, ReadResult, Statement, StatementRow } from '../statement.ts'
import { UnreadableFile } from '../statement.ts'
import { dayIn, findOrder, parseDate, readDate, type DateOrder } from './dates.ts'
import { findDecimal, readAmount, type Decimal } from './numerals.ts'
import { qifSections, type QifEntry } from './qif-sections.ts'
import { cleanWhitespace, decodeText } from './text.ts'

const bytesMax = 10 * 1024 * 1024
const entriesMax = 50_000

export function looksLikeQif(bytes: Uint8Array): boolean {
  return /^\s{0,200}!(?:type:|account|option:|clear:)/i.test(decodeText(bytes.subarray(0, 1024)))
}

export function readQif(bytes: Uint8Array, options: ReadOptions): ReadResult {
  if (bytes.length > bytesMax) throw new UnreadableFile(null, 'the file is larger than 10 MiB')
  const { sections, skipped } = qifSections(decodeText(bytes))
  if (sections.length === 0) throw new UnreadableFile(null, 'no list of bank, card or cash transactions in the file')
  const entries = sections.flatMap((section) => section.entries)
  if (entries.length > entriesMax) throw new UnreadableFile(null, `the file has more than ${entriesMax} entries`)

  const warnings = [...skipped].map(([list, times]) => `entries of the list "${list}" skipped: ${times}`)
  const exponent = options.currency === null ? 2 : (options.exponentOf(options.currency) ?? 2)
  const { decimal, sure } = findDecimal(entries.flatMap(amountsOf), exponent)
  if (!sure && entries.length > 0) warnings.push(`the amounts do not show their decimal mark; "${decimal}" is taken`)
  const order = orderOf(entries, decimal, options, warnings)
  const categories = entries.filter(({ hasCategory }) => hasCategory).length
  if (categories > 0) warnings.push(`categories and transfer accounts are not taken over: ${categories}`)

  const manner = { order, decimal, exponent }
  const statements = new Map<string, Statement>()
  // Lists of several kinds without a name are several accounts; the first keeps the plain key.
  const plainKind = sections.find(({ account }) => account === null)?.kind
  for (const { account, kind, entries: ofSection } of sections) {
    const key = account ?? (kind === plainKind ? 'qif' : `qif-${kind.replaceAll(' ', '-')}`)
    const statement = statements.get(key) ?? { key, currency: null, label: account ?? kind, rows: [], unreadable: [] }
    statements.set(key, statement)
    for (const entry of ofSection) {
      const read = readEntry(entry, manner)
      if ('reason' in read) {
        const text = cleanWhitespace(entry.text).slice(0, 200)
        statement.unreadable.push({ line: entry.line, reason: read.reason, text })
      } else statement.rows.push(read)
    }
  }
  return { format: 'qif', statements: [...statements.values()], mapping: null, warnings }
}

type Manner = { order: DateOrder; decimal: Decimal; exponent: number }

function readEntry(entry: QifEntry, { order, decimal, exponent }: Manner): StatementRow | { reason: string } {
  if (entry.joined) return { reason: 'two entries without a ^ between them' }
  if (entry.date === null) return { reason: 'no date' }
  const date = readDate(entry.date, order)
  if (date === undefined) return { reason: `not a date in the order ${order}: "${entry.date.slice(0, 40)}"` }
  if (entry.amount === null) return { reason: 'no amount' }
  const amount = readAmount(entry.amount, decimal, exponent)
  if ('reason' in amount) return amount
  let sum = 0
  for (const part of entry.splits) {
    const split = readAmount(part, decimal, exponent)
    if ('reason' in split) return { reason: `a split is ${split.reason}` }
    sum += split.minor
  }
  if (entry.splits.length > 0 && sum !== amount.minor) return { reason: 'the splits do not sum to the amount' }
  const check = entry.number !== null && /^\d{1,20}$/.test(entry.number) ? `Check ${entry.number}` : null
  const note = [check, entry.memo && cleanWhitespace(entry.memo)].filter(Boolean).join(', ')
  return {
    line: entry.line,
    date,
    amountMinor: amount.minor,
    payee: (entry.payee && cleanWhitespace(entry.payee)) || null,
    rawPayee: entry.payee || entry.memo || null,
    note: note || null,
    externalId: null,
    status: 'posted',
    original: null,
  }
}

function amountsOf(entry: QifEntry): string[] {
  return entry.amount === null ? entry.splits : [entry.amount, ...entry.splits]
}

function orderOf(entries: readonly QifEntry[], decimal: Decimal, options: ReadOptions, warnings: string[]): DateOrder {
  const dates = entries.flatMap(({ date }) => (date === null ? [] : (parseDate(date) ?? [])))
  const found = findOrder(dates.filter((date) => dayIn(date, 'ymd') ?? dayIn(date, 'dmy') ?? dayIn(date, 'mdy')))
  if (found.mixed) warnings.push('some dates have the day first and some the month; the order most of them fit is taken')
  if (!found.ambiguous) return found.order ?? options.dateOrder ?? 'mdy'
  if (options.dateOrder) return options.dateOrder
  const order = decimal === ',' || found.separator === '.' ? 'dmy' : 'mdy'
  const words = order === 'dmy' ? 'the day is taken to come first' : 'the month is taken to come first'
  warnings.push(`the dates do not show whether day or month comes first; ${words}`)
  return order
}
