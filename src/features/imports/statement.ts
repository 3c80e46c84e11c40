// What every reader of a bank file answers, and how it refuses: one shape for all formats.
import type { Day } from '../../values/day.ts'

export type ImportFormat = 'ofx' | 'qfx' | 'qif' | 'csv' | 'camt053' | 'mt940'

/** One booked or pending entry of a bank statement, as the bank sent it. */
export type StatementRow = {
  /** 1-based line of the file where the entry starts. */
  line: number
  date: Day
  /** Minor units of the statement's currency; negative is money leaving the account. */
  amountMinor: number
  /** The other party, cleaned for reading; null when the file names none. */
  payee: string | null
  /** The bank's own words for the other party or the entry, unclean; what duplicates are counted by. */
  rawPayee: string | null
  /** Memo, remittance information and the like. */
  note: string | null
  /** The bank's id of the entry when it promises to be stable (FITID, AcctSvcrRef, EndToEndId is not one); else null. */
  externalId: string | null
  status: 'pending' | 'posted'
  /** The amount in the currency of purchase when the file gives one; `amountMinor` has the sign of the row. */
  original: { amountMinor: number; currency: string } | null
}

/** An entry that could not be read while the rest of the file could (CSV and QIF only). */
export type UnreadableRow = { line: number; reason: string; text: string }

/** One account's part of a file. */
export type Statement = {
  /** Stable within the file and between files of the same account: the bank's account number or IBAN, else the format's name. */
  key: string
  /** ISO 4217 code; null when the file does not say and the account's own currency is to be taken. */
  currency: string | null
  /** What the file calls the account or its kind, for people to recognise it; null when it says nothing. */
  label: string | null
  rows: StatementRow[]
  unreadable: UnreadableRow[]
}

/** How the columns of a CSV file are taken; guessed, shown, and changeable by the caller. Columns count from 0. */
export type CsvMapping = {
  delimiter: ',' | ';' | '\t' | '|'
  /** Rows before the first data row that are not data (preamble and header). */
  skipRows: number
  date: number
  dateOrder: 'ymd' | 'dmy' | 'mdy'
  decimal: '.' | ','
  /** One signed column, or two columns of which one is filled; `invert` flips the sign (card statements). */
  amount: { column: number; invert: boolean } | { debit: number; credit: number }
  /** Column that says debit or credit in words (D/C, Af/Bij, S/H) when amounts are unsigned. */
  direction: number | null
  payee: number | null
  note: number | null
  currency: number | null
  externalId: number | null
}

export type ReadOptions = {
  /** Minor digits by ISO 4217 code; undefined for an unknown code. */
  exponentOf: (currency: string) => number | undefined
  /** Currency to take where the file names none: the chosen account's. */
  currency: string | null
  /** CSV only: the mapping to use instead of guessing; partial mappings complete the guess. */
  mapping?: Partial<CsvMapping>
  /** QIF and CSV: order of day and month when the file itself does not decide it. */
  dateOrder?: 'dmy' | 'mdy'
}

export type ReadResult = { format: ImportFormat; statements: Statement[]; mapping: CsvMapping | null; warnings: string[] }

/** A file that cannot be read whole: nothing of it is imported. `line` is 1-based, null when no line is to blame. */
export class UnreadableFile extends Error {
  readonly line: number | null
  constructor(line: number | null, reason: string) {
    super(reason)
    this.name = 'UnreadableFile'
    this.line = line
  }
}
