// MT940, SWIFT's customer statement, with the headers and habits of the large banks: pages, balances and entries.
import { decimalFromMinor } from '../../../values/money.ts'
import { UnreadableFile, type ReadOptions, type ReadResult, type StatementRow } from '../statement.ts'
import { joinByAccount, lastingReference, type StatementPart } from './accounts.ts'
import { amountOf, balanceMinor, readBalance, readEntryLine, type Balance, type Entry } from './mt940-entry.ts'
import { readFields, type Field } from './mt940-fields.ts'
import { narrate, type Narrative } from './mt940-narrative.ts'
import { decodeMt940 } from './mt940-text.ts'

/** Whether the bytes open as MT940; also true for its intraday report MT942, which the reader refuses. */
export function looksLikeMt940(bytes: Uint8Array): boolean {
  const fields = readFields(decodeMt940(bytes.subarray(0, 16384)))
  const has = (...tags: string[]): boolean => fields.some((field) => tags.includes(field.tag))
  return has('20', '25', '940') && has('60F', '60M', '61', '28', '28C', '34F')
}

/** A page of a statement: from its header to its closing balance. */
type Page = {
  line: number
  account: string | null
  opening: Balance | null
  closing: Balance | null
  entries: { entry: Field; narrative: Field[]; subfields: Field[] }[]
}

export function readMt940(bytes: Uint8Array, options: ReadOptions): ReadResult {
  const pages = readPages(readFields(decodeMt940(bytes)))
  if (pages.length === 0) throw new UnreadableFile(null, 'the file holds no MT940 statement')
  const warnings: string[] = []
  const parts = pages.map((page) => readPage(page, options, warnings))
  return { format: 'mt940', statements: joinByAccount(parts), mapping: null, warnings }
}

/** Groups the fields by page. A text belongs to the entry before it; behind a closing balance it is no entry's. */
function readPages(fields: readonly Field[]): Page[] {
  const pages: Page[] = []
  let page: Page | null = null
  let entry: Page['entries'][number] | null = null
  for (const field of fields) {
    const { tag, line } = field
    if (tag === '34F' || tag === '13D' || tag === '942') {
      throw new UnreadableFile(line, 'this is an MT942 message: an intraday report, not a statement')
    }
    // Banks leave out :20: now and then, so whatever a page can have but once opens the next one too.
    const repeated = (tag === '25' && page?.account) || (tag.startsWith('60') && page?.opening)
    if (tag === '20' || !page || repeated) {
      // A tag before the reference, such as Rabobank's :940:, opens no page of its own.
      if (page && page.account === null && !page.opening && page.entries.length === 0) pages.pop()
      const account: string | null = tag === '20' || tag === '25' || !page ? null : page.account
      page = { line, account, opening: null, closing: null, entries: [] }
      pages.push(page)
      entry = null
    }
    if (tag === '25' || tag === '25P') page.account = accountText(field)
    else if (tag === '60F' || tag === '60M') page.opening = readBalance(field)
    else if (tag === '62F' || tag === '62M') page.closing ??= readBalance(field)
    if (tag === '61') {
      if (page.closing) throw new UnreadableFile(line, 'a statement line follows the closing balance')
      entry = { entry: field, narrative: [], subfields: [] }
      page.entries.push(entry)
    } else if (tag === '86') entry?.narrative.push(field)
    else if (tag === 'NS') entry?.subfields.push(field)
    else entry = null
  }
  return pages
}

function readPage(page: Page, options: ReadOptions, warnings: string[]): StatementPart {
  const { opening, closing, line } = page
  if (!opening) throw new UnreadableFile(line, 'the statement has no opening balance (:60F: or :60M:)')
  if (!closing) {
    throw new UnreadableFile(opening.line, 'the statement has no closing balance (:62F: or :62M:): the file was cut off')
  }
  if (page.account === null) throw new UnreadableFile(line, 'the statement names no account (:25:)')
  const stated = opening.currency ?? closing.currency
  if (closing.currency !== null && closing.currency !== stated) {
    throw new UnreadableFile(closing.line, `the statement opens in ${stated} and closes in ${closing.currency}`)
  }
  const currency = stated ?? options.currency
  if (currency === null) throw new UnreadableFile(opening.line, 'the statement names no currency')
  const exponent = options.exponentOf(currency)
  if (exponent === undefined) {
    throw new UnreadableFile(opening.line, `'${currency}' is not a currency of ISO 4217 in force`)
  }
  const opens = requireMinor(opening, exponent, currency)
  const closes = requireMinor(closing, exponent, currency)
  let sum = opens
  const rows = page.entries.map(({ entry: field, narrative, subfields }): StatementRow => {
    const entry = readEntryLine(field, exponent, currency)
    if (entry.status === 'posted') sum += entry.amountMinor
    return rowOf(field.line, entry, narrate(narrative, subfields, entry.supplement), currency, options)
  })
  const account = accountKey(page.account, currency, options)
  if (sum !== closes) {
    // Exports of a selected period leave entries out, so the entries that are there are still good.
    warnings.push(
      `Account ${account}, line ${closing.line}: the opening balance and the entries make ` +
        `${decimalFromMinor(sum, exponent)} ${currency}, but the closing balance is ` +
        `${decimalFromMinor(closes, exponent)} ${currency}.`,
    )
  }
  const label = page.account === account ? null : page.account
  return { account, currency: stated, label, rows }
}

function rowOf(
  line: number,
  { date, amountMinor, status, bankReference }: Entry,
  { payee, rawPayee, note, original }: Narrative,
  currency: string,
  options: ReadOptions,
): StatementRow {
  const exponent = original === null ? undefined : options.exponentOf(original.currency)
  const minor = original && exponent !== undefined ? amountOf(original.amount, exponent) : undefined
  return {
    line,
    date,
    amountMinor,
    payee,
    rawPayee,
    note,
    externalId: lastingReference(bankReference),
    status,
    original:
      original && minor && original.currency !== currency
        ? { amountMinor: amountMinor < 0 ? -minor : minor, currency: original.currency }
        : null,
  }
}

function requireMinor(balance: Balance, exponent: number, currency: string): number {
  const minor = balanceMinor(balance, exponent)
  if (minor !== undefined) return minor
  throw new UnreadableFile(balance.line, `'${balance.amount}' is not an amount of ${currency}`)
}

/** The first line; :25P: has the bank's code on a second. */
function accountText(field: Field): string {
  const text = (field.lines[0] ?? '').replace(/\s+/g, ' ').trim()
  if (text === '') throw new UnreadableFile(field.line, 'the account (:25:) is empty')
  return text
}

/** The account without blanks and without the currency that Rabobank, ING and others put behind it. */
function accountKey(text: string, currency: string, options: ReadOptions): string {
  const account = text.replaceAll(' ', '')
  const code = account.slice(-3)
  const isCode = code === currency || options.exponentOf(code) !== undefined
  const before = account.slice(0, -3).replace(/\/$/, '')
  // A digit before the letters: the last letters of a British IBAN or of a name are no currency.
  return isCode && /\d$/.test(before) ? before : account
}
