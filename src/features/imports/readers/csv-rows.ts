// The rows of a CSV file by a mapping: each is an entry, unreadable with a reason, or no entry at all.
import type { CsvMapping, ReadOptions, StatementRow, UnreadableRow } from '../statement.ts'
import { UnreadableFile } from '../statement.ts'
import { currencyCode, directionOf } from './csv-columns.ts'
import type { Guess } from './csv-guess.ts'
import type { CsvRecord } from './csv-table.ts'
import { parseDate, readDate } from './dates.ts'
import { currencyOfMarker, isMoney, parseNumeral, readAmount } from './numerals.ts'
import { cleanWhitespace } from './text.ts'

/** An entry with what tells the statements of one file apart. */
export type PlacedRow = { row: StatementRow; currency: string | null; account: string | null; accountName: string | null }

export type RowsRead = { placed: PlacedRow[]; unreadable: UnreadableRow[]; warnings: string[] }

type Outcome = { placed: PlacedRow } | { unreadable: UnreadableRow; closing: boolean } | 'repeated header' | 'not carried out'

const pendingWords = /pending|vorgemerkt|authori[sz]ed|in behandeling|en attente|pendiente|in attesa|pendente|oczekuj|reserv/i
const voidWords = /^(?:declined|reverted|failed|cancell?ed|denied|rejected|expired|abgelehnt|storniert|geannuleerd)$/i
const closingWords = /total|sum[am]|som\b|balance|saldo|solde|stand\b|end of|report|page \d/i
// Two lines quoted as one cell are a memo; a whole entry within a cell means that a quote is missing.
const missingQuote = 'a quote that opens here is not closed before the next entry'

export function readRows(guess: Guess, delimiter: string, options: ReadOptions, header: readonly string[]): RowsRead {
  const reader = new RowReader(guess, options)
  const outcomes = guess.rows.map((record): Outcome => {
    if (swallowsEntry(record, guess.mapping, delimiter)) throw new UnreadableFile(record.line, missingQuote)
    if (header.length > 0 && sameCells(record.cells, header)) return 'repeated header'
    return reader.read(record)
  })
  const closes = (outcome: Outcome): boolean => typeof outcome === 'object' && 'closing' in outcome && outcome.closing
  const firstEntry = outcomes.findIndex((outcome) => !closes(outcome))
  const lastEntry = outcomes.findLastIndex((outcome) => !closes(outcome))
  const read: RowsRead = { placed: [], unreadable: [], warnings: reader.warnings() }
  let notCarriedOut = 0
  let closing = 0
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome === 'not carried out') notCarriedOut++
    else if (outcome === 'repeated header') continue
    else if ('placed' in outcome) read.placed.push(outcome.placed)
    else if (outcome.closing && (firstEntry < 0 || index < firstEntry || index > lastEntry)) closing++
    else read.unreadable.push(outcome.unreadable)
  }
  if (closing > 0) read.warnings.push(`${count(closing, 'row')} without a date, such as totals and balances, skipped`)
  if (notCarriedOut > 0) read.warnings.push(`${count(notCarriedOut, 'entry', 'entries')} that failed or were reverted, skipped`)
  return read
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}

class RowReader {
  readonly #guess: Guess
  readonly #options: ReadOptions
  readonly #debitsSigned: boolean
  #fees = 0

  constructor(guess: Guess, options: ReadOptions) {
    this.#guess = guess
    this.#options = options
    this.#debitsSigned = debitsAreSigned(guess)
  }

  warnings(): string[] {
    // Which sign a fee has, and whether the amount has it already, differs from bank to bank.
    return this.#fees === 0 ? [] : [`${count(this.#fees, 'row')} with a fee in a column of its own, which is not counted`]
  }

  read(record: CsvRecord): Outcome {
    const { mapping, others } = this.#guess
    const { line, cells } = record
    const state = at(cells, others.status)
    if (voidWords.test(state)) return 'not carried out'
    const refuse = (reason: string, closing = false): Outcome => ({
      unreadable: { line, reason, text: textOf(cells, mapping.delimiter) },
      closing,
    })

    const status = state.length < 100 && pendingWords.test(state) ? 'pending' : 'posted'
    let written = at(cells, mapping.date)
    if (written === '' && status === 'pending') written = at(cells, others.otherDate)
    const date = readDate(written, mapping.dateOrder)
    if (date === undefined) {
      const noDate = parseDate(written) === undefined
      const reason = written === '' ? 'no date' : `not a date in the order ${mapping.dateOrder}: "${written.slice(0, 40)}"`
      return refuse(reason, noDate && isClosing(cells))
    }

    const currency = this.#currencyOf(cells)
    if (typeof currency === 'object' && currency !== null) return refuse(currency.reason)
    const amount = this.#amount(cells, currency)
    if ('reason' in amount) return refuse(amount.reason)
    const ownCurrency = amount.currency ?? currency

    const fee = parseNumeral(at(cells, others.fee), mapping.decimal)
    if (fee && /[1-9]/.test(fee.decimal)) this.#fees++
    const payee = at(cells, mapping.payee)
    const note = at(cells, mapping.note)
    const row: StatementRow = {
      line,
      date,
      amountMinor: amount.minor,
      payee: cleanWhitespace(payee) || null,
      rawPayee: payee || note || null,
      note: cleanWhitespace(note) || null,
      externalId: at(cells, mapping.externalId) || null,
      status,
      original: this.#original(cells, ownCurrency, amount.minor),
    }
    const account = at(cells, others.account).replace(/\s/g, '') || null
    return { placed: { row, currency: ownCurrency, account, accountName: at(cells, others.accountName) || null } }
  }

  /** The currency the row or the header names; null when neither does, and a reason when it is none. */
  #currencyOf(cells: readonly string[]): string | null | { reason: string } {
    const { mapping, currency } = this.#guess
    const cell = at(cells, mapping.currency)
    if (cell === '') return currency
    const code = currencyCode(cell)
    if (code !== null && this.#options.exponentOf(code) !== undefined) return code
    return { reason: `"${cell.slice(0, 40)}" is not a currency` }
  }

  #amount(cells: readonly string[], currency: string | null): { minor: number; currency: string | null } | { reason: string } {
    const { mapping } = this.#guess
    if ('column' in mapping.amount) {
      const amount = this.#read(at(cells, mapping.amount.column), currency)
      if ('reason' in amount) return amount
      const inverted = mapping.amount.invert ? flip(amount.minor) : amount.minor
      if (mapping.direction === null) return { ...amount, minor: inverted }
      const word = at(cells, mapping.direction)
      const direction = directionOf(word)
      if (direction === undefined) return { reason: `"${word.slice(0, 40)}" says neither debit nor credit` }
      return { ...amount, minor: direction === -1 ? flip(inverted) : inverted }
    }
    const debit = at(cells, mapping.amount.debit)
    const credit = at(cells, mapping.amount.credit)
    if (debit === '' && credit === '') return { reason: 'no amount' }
    const out = debit === '' ? undefined : this.#read(debit, currency)
    const into = credit === '' ? undefined : this.#read(credit, currency)
    if (out && 'reason' in out) return out
    if (into && 'reason' in into) return into
    if (out && into && out.minor !== 0 && into.minor !== 0) return { reason: 'both a debit and a credit' }
    if (into && (into.minor !== 0 || !out)) return into
    if (!out) return { reason: 'no amount' }
    return { ...out, minor: this.#debitsSigned ? out.minor : flip(out.minor) }
  }

  #read(cell: string, currency: string | null): { minor: number; currency: string | null } | { reason: string } {
    const { mapping } = this.#guess
    if (cell === '') return { reason: 'no amount' }
    const numeral = parseNumeral(cell, mapping.decimal)
    const named = currency ?? currencyOfMarker(numeral?.marker ?? null)
    if (named !== null && this.#options.exponentOf(named) === undefined) return { reason: `"${named}" is not a currency` }
    const amount = readAmount(cell, mapping.decimal, this.#exponent(named))
    return 'reason' in amount ? amount : { minor: amount.minor, currency: named }
  }

  #exponent(currency: string | null): number {
    const code = currency ?? this.#options.currency
    return code === null ? 2 : (this.#options.exponentOf(code) ?? 2)
  }

  /** What was paid abroad, when it was in another currency and can be read; the row's own sign is the right one. */
  #original(cells: readonly string[], currency: string | null, amountMinor: number): StatementRow['original'] {
    const { mapping, others } = this.#guess
    const cell = at(cells, others.originalAmount)
    if (cell === '') return null
    const marker = parseNumeral(cell, mapping.decimal)?.marker ?? null
    const code = currencyCode(at(cells, others.originalCurrency)) ?? currencyOfMarker(marker)
    const exponent = code === null ? undefined : this.#options.exponentOf(code)
    if (code === null || exponent === undefined || code === (currency ?? this.#options.currency)) return null
    const amount = readAmount(cell, mapping.decimal, exponent)
    if ('reason' in amount) return null
    const size = Math.abs(amount.minor)
    return { amountMinor: amountMinor < 0 ? flip(size) : size, currency: code }
  }
}

/** Banks print debits with a minus or without; a file whose debits all have one means it. */
function debitsAreSigned({ mapping, rows }: Guess): boolean {
  if ('column' in mapping.amount) return false
  let negative = 0
  for (const { cells } of rows) {
    const decimal = parseNumeral(at(cells, mapping.amount.debit), mapping.decimal)?.decimal
    if (decimal === undefined || !/[1-9]/.test(decimal)) continue
    if (!decimal.startsWith('-')) return false
    negative++
  }
  return negative > 0
}

/** Totals, balances and closing remarks: rows that name such a thing, or that have no amount to lose. */
function isClosing(cells: readonly string[]): boolean {
  return cells.some((cell) => closingWords.test(cell.slice(0, 200))) || !cells.some(isMoney)
}

function swallowsEntry({ cells }: CsvRecord, mapping: CsvMapping, delimiter: string): boolean {
  return cells.some((cell) => {
    if (!cell.includes('\n')) return false
    return cell.split('\n').some((line, index) => {
      const parts = index === 0 ? [] : line.split(delimiter)
      const date = (parts[mapping.date] ?? '').replaceAll('"', '')
      return parts.length > 2 && parts.length >= mapping.date && parseDate(date) !== undefined
    })
  })
}

function sameCells(cells: readonly string[], header: readonly string[]): boolean {
  return cells.length === header.length && cells.every((cell, index) => cell === header[index])
}

function at(cells: readonly string[], column: number | null): string {
  return column === null ? '' : (cells[column] ?? '')
}

function flip(minor: number): number {
  return minor === 0 ? 0 : -minor
}

function textOf(cells: readonly string[], delimiter: string): string {
  return cleanWhitespace(cells.join(delimiter === '\t' ? ' ' : delimiter)).slice(0, 200)
}
