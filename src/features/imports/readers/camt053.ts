// CAMT.053, the ISO 20022 bank statement, in every version since 2: accounts, balances and entries of the message.
import { isDay, type Day } from '../../../values/day.ts'
import { minorFromDecimal } from '../../../values/money.ts'
import { UnreadableFile, type ReadOptions, type ReadResult, type StatementRow } from '../statement.ts'
import { joinByAccount, lastingReference, realReference, type StatementPart } from './accounts.ts'
import { narrateEntry, transactionsOf } from './camt053-details.ts'
import { find, readCamtXml, textAt, type Element } from './camt053-xml.ts'
import { decodeText } from './text.ts'

/** Whether the bytes open as CAMT; also true for its intraday reports and notifications, which the reader refuses. */
export function looksLikeCamt053(bytes: Uint8Array): boolean {
  const head = decodeText(bytes.subarray(0, 8192))
  return /^[\s\ufeff]*</.test(head) && /camt\.05[234]\.|BkToCstmr(?:Stmt|AcctRpt|DbtCdtNtfctn)/.test(head)
}

export function readCamt053(bytes: Uint8Array, options: ReadOptions): ReadResult {
  const parts: StatementPart[] = []
  const warnings: string[] = []
  let part: CamtPart | null = null
  let informational = 0
  // The stream tells of accounts, balances and entries only within a statement, so `part` is there for them.
  readCamtXml(decodeText(bytes, declaredEncoding(bytes)), {
    statement: (line) => {
      part = { account: '', currency: null, label: null, rows: [], line }
      parts.push(part)
    },
    account: (element) => {
      if (part) readAccount(part, element, options)
    },
    balance: (element) => {
      const currency = find(element, 'Amt')?.currency
      if (part && part.currency === null && currency) part.currency = knownCurrency(currency, element.line, options)
    },
    entry: (element) => {
      if (!part) return
      const status = statusOf(element)
      if (status === null) informational++
      else for (const row of readEntry(part, element, status, options)) part.rows.push(row)
    },
  })
  for (const each of parts) {
    if (each.account === '') throw new UnreadableFile((each as CamtPart).line, 'the statement names no account')
  }
  if (informational > 0) {
    const what = informational === 1 ? 'entry was' : 'entries were'
    warnings.push(`${informational} informational ${what} left out: the bank books nothing for them.`)
  }
  return { format: 'camt053', statements: joinByAccount(parts), mapping: null, warnings }
}

type CamtPart = StatementPart & { line: number }

/** What the XML declaration says of the encoding. */
function declaredEncoding(bytes: Uint8Array): string | null {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 200))
  return /<\?xml[^>]*?\sencoding=["']([A-Za-z0-9._-]+)["']/.exec(head)?.[1] ?? null
}

function readAccount(part: CamtPart, element: Element, options: ReadOptions): void {
  const account = textAt(element, 'Id', 'IBAN') ?? textAt(element, 'Id', 'Othr', 'Id')
  if (account === null) throw new UnreadableFile(element.line, 'the account has neither an IBAN nor another number')
  part.account = account.replace(/\s/g, '')
  part.label = textAt(element, 'Nm')
  const currency = textAt(element, 'Ccy')
  if (currency !== null) part.currency = knownCurrency(currency, find(element, 'Ccy')?.line ?? element.line, options)
}

/** The status of the row, or null for an entry that is only for information. Older versions have no `Cd` in `Sts`. */
function statusOf(entry: Element): StatementRow['status'] | null {
  const status = find(entry, 'Sts')
  const code = textAt(status, 'Cd') ?? status?.text.trim() ?? ''
  if (code === 'INFO') return null
  if (code === 'PDNG' || code === 'FUTR') return 'pending'
  // A statement reports booked entries: a bank's own status, or none, says no different.
  if (code === 'BOOK' || code === '') return 'posted'
  throw new UnreadableFile(status?.line ?? entry.line, `unknown entry status '${shorten(code)}'`)
}

function readEntry(part: CamtPart, entry: Element, status: StatementRow['status'], options: ReadOptions): StatementRow[] {
  const amount = find(entry, 'Amt')
  if (!amount) throw new UnreadableFile(entry.line, 'an entry has no amount')
  const stated = amount.currency ?? part.currency
  if (stated === null) throw new UnreadableFile(amount.line, 'an amount has no currency')
  const currency = knownCurrency(stated, amount.line, options)
  part.currency ??= currency
  if (currency !== part.currency) {
    const reason = `an entry is in ${currency}, but its account is in ${part.currency}`
    throw new UnreadableFile(amount.line, reason)
  }
  const exponent = options.exponentOf(currency) ?? 0
  const unsigned = minorOf(amount.text, exponent)
  if (unsigned === undefined) {
    throw new UnreadableFile(amount.line, `'${shorten(amount.text.trim())}' is not an amount of ${currency}`)
  }
  // The message definition lets the indicator speak of this entry, not of the one reversed: a credit whose RvslInd is
  // true takes back a debit. So the reversal indicator never changes the sign.
  const direction = textAt(entry, 'CdtDbtInd')
  if (direction !== 'CRDT' && direction !== 'DBIT') {
    throw new UnreadableFile(entry.line, 'an entry does not say whether it is a credit or a debit (CdtDbtInd)')
  }
  const sign = direction === 'CRDT' ? 1 : -1
  const amountMinor = unsigned === 0 ? 0 : sign * unsigned
  const row = { date: dateOf(entry), status }
  const transactions = transactionsOf(entry)
  const settings = { account: part.account, currency, exponentOf: options.exponentOf, credit: sign > 0 }

  const split = transactions.length > 1 ? splitBatch(transactions, amountMinor, currency, exponent, sign) : null
  const entryId = realReference(textAt(entry, 'AcctSvcrRef'))
  const entryRef = lastingReference(textAt(entry, 'NtryRef'))
  if (!split) {
    // Of several payments booked as one amount, none is the entry's own.
    const single = transactions.length === 1 ? transactions[0] : undefined
    const externalId = entryId ?? realReference(textAt(single, 'Refs', 'AcctSvcrRef')) ?? entryRef
    return [{ line: entry.line, amountMinor, ...row, externalId, ...narrateEntry(entry, single, amountMinor, settings) }]
  }
  const ownIds = transactions.map((each) => realReference(textAt(each, 'Refs', 'AcctSvcrRef')))
  const ownIdsDiffer = new Set(ownIds).size === ownIds.length
  return transactions.map((each, index) => {
    const batchId = entryId ?? entryRef
    const numbered = batchId === null ? null : `${batchId}/${index + 1}`
    const own = ownIdsDiffer ? (ownIds[index] ?? null) : null
    const minor = split[index] ?? 0
    const narrated = narrateEntry(entry, each, minor, { ...settings, credit: minor >= 0 })
    // The entry's own words are of the whole batch and would stand at each payment: kept only where nothing else is.
    return { line: each.line, amountMinor: minor, ...row, externalId: own ?? numbered, ...narrated }
  })
}

/** The signed amounts of a batch when each payment has one in the account's currency and they sum to the entry. */
function splitBatch(transactions: readonly Element[], total: number, currency: string, exponent: number, sign: number): number[] | null {
  const amounts: number[] = []
  let sum = 0
  for (const each of transactions) {
    const candidates = [find(each, 'Amt'), find(each, 'AmtDtls', 'TxAmt', 'Amt')]
    const amount = candidates.find((candidate) => candidate?.currency === currency)
    const minor = amount && minorOf(amount.text, exponent)
    if (minor === undefined) return null
    const direction = textAt(each, 'CdtDbtInd')
    const own = direction === 'CRDT' ? 1 : direction === 'DBIT' ? -1 : sign
    const signed = minor === 0 ? 0 : own * minor
    sum += signed
    amounts.push(signed)
  }
  return sum === total ? amounts : null
}

/** The booking date as the bank wrote it, without moving a time to another zone; else the value date. */
function dateOf(entry: Element): Day {
  const element = [find(entry, 'BookgDt'), find(entry, 'ValDt')].find((each) => dateText(each) !== null)
  const text = dateText(element)
  if (!element || text === null) throw new UnreadableFile(entry.line, 'an entry has neither a booking nor a value date')
  // What follows the day is a time or a zone.
  const day = text.slice(0, 10)
  if (!isDay(day) || !/^(?:[TZ+-]|$)/.test(text.slice(10))) {
    throw new UnreadableFile(element.line, `'${shorten(text)}' is not a date`)
  }
  return day
}

function dateText(choice: Element | undefined): string | null {
  return textAt(choice, 'Dt') ?? textAt(choice, 'DtTm')
}

/** Amounts carry no sign in this format: the indicator has it. */
function minorOf(text: string, exponent: number): number | undefined {
  const trimmed = text.trim()
  return /^[\d.]+$/.test(trimmed) ? minorFromDecimal(trimmed, exponent) : undefined
}

function knownCurrency(text: string, line: number, options: ReadOptions): string {
  const currency = text.trim()
  if (options.exponentOf(currency) !== undefined) return currency
  throw new UnreadableFile(line, `'${shorten(currency)}' is not a currency of ISO 4217 in force`)
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}
