// Guesses which column of a CSV file is what: by the header's words where the cells agree, else by the cells alone.
import { UnreadableFile, type CsvMapping, type ReadOptions } from '../statement.ts'
import { amountColumns, cellsOf, Columns, type OtherColumns } from './csv-choice.ts'
import { directionOf, profileColumns } from './csv-columns.ts'
import { findHeader, readHeader } from './csv-headers.ts'
import type { CsvRecord, CsvTable } from './csv-table.ts'
import { findOrder, parseDate, type DateOrder, type WrittenDate } from './dates.ts'
import { findDecimal, isMoney, parseNumeral, type Decimal } from './numerals.ts'

export type Guess = {
  mapping: CsvMapping
  others: OtherColumns
  /** Index of the header among the records; null when there is none. */
  header: number | null
  /** The currency that the header of the amounts names. */
  currency: string | null
  /** The records of the data, blank ones left out. */
  rows: CsvRecord[]
  warnings: string[]
}

export function guessMapping(table: CsvTable, options: ReadOptions): Guess {
  const given = options.mapping ?? {}
  const isCurrency = (code: string): boolean => options.exponentOf(code) !== undefined
  const { records } = table
  const header = findHeader(given.skipRows === undefined ? records : records.slice(0, given.skipRows), isCurrency)
  const skipRows = given.skipRows ?? (header === undefined ? firstData(records) : header + 1)
  const rows = records.slice(skipRows).filter(({ cells }) => cells.some((cell) => cell !== ''))
  const headerCells = header === undefined ? [] : readHeader(records[header]?.cells ?? [], isCurrency)
  const columns = new Columns(headerCells, profileColumns(rows, table.width, isCurrency), rows.length)
  const blamed = rows[0]?.line ?? null
  columns.take(given.date, amountColumns(given.amount), given.direction, given.payee, given.note, given.currency)

  const date = given.date ?? columns.date()
  if (date === undefined) throw new UnreadableFile(blamed, 'no column of dates is found')
  const amount = given.amount ?? columns.amount()
  if (amount === undefined) throw new UnreadableFile(blamed, 'no column of amounts is found')
  const warnings: string[] = []
  const currency = given.currency === undefined ? columns.currency() : given.currency
  const amounts = amountColumns(amount).flatMap((column) => cellsOf(rows, column))
  const decimal = given.decimal ?? guessDecimal(amounts, options, warnings)
  const direction = given.direction === undefined ? guessDirection(columns, rows, amount, decimal) : given.direction
  const hints = { decimal, dollars: amounts.some((cell) => cell.includes('$')), options, currency: soleCode(rows, currency) }
  const dates = cellsOf(rows, date).flatMap((cell) => parseDate(cell) ?? [])
  const dateOrder = given.dateOrder ?? guessOrder(dates, hints, warnings)
  const others = columns.others(rows, date)
  const payee = given.payee === undefined ? columns.payee() : given.payee
  const note = given.note === undefined ? columns.note() : given.note
  const externalId = given.externalId === undefined ? columns.externalId(rows, date) : given.externalId
  return {
    mapping: {
      delimiter: table.delimiter,
      skipRows,
      date,
      dateOrder,
      decimal,
      amount,
      direction,
      payee,
      note,
      currency,
      externalId,
    },
    others,
    header: header ?? null,
    currency: amountColumns(amount).reduce<string | null>((code, at) => code ?? headerCells[at]?.currency ?? null, null),
    rows,
    warnings,
  }
}

/** Without a known header, data begins where a row has a date and an amount. */
function firstData(records: readonly CsvRecord[]): number {
  const found = records.slice(0, 200).findIndex(({ cells }) => cells.some((cell) => parseDate(cell)) && cells.some((cell) => isMoney(cell)))
  return Math.max(found, 0)
}

function soleCode(rows: readonly CsvRecord[], column: number | null): string | null {
  const codes = column === null ? new Set<string>() : new Set(cellsOf(rows, column))
  return codes.size === 1 ? ([...codes][0] ?? null) : null
}

function guessDecimal(amounts: string[], options: ReadOptions, warnings: string[]): Decimal {
  const exponent = options.currency === null ? 2 : (options.exponentOf(options.currency) ?? 2)
  const { decimal, sure } = findDecimal(amounts, exponent)
  if (!sure && amounts.length > 0) {
    warnings.push(`the amounts do not show their decimal mark; "${decimal}" is taken`)
  }
  return decimal
}

type OrderHints = { decimal: Decimal; dollars: boolean; currency: string | null; options: ReadOptions }

function guessOrder(dates: readonly WrittenDate[], hints: OrderHints, warnings: string[]): DateOrder {
  const found = findOrder(dates)
  if (found.mixed) warnings.push('some dates have the day first and some the month; the order most of them fit is taken')
  if (!found.ambiguous) return found.order ?? hints.options.dateOrder ?? 'ymd'
  if (hints.options.dateOrder) return hints.options.dateOrder
  const currency = hints.currency ?? hints.options.currency
  const american = hints.dollars || currency === 'USD' || (currency === null && found.separator === '/')
  const order = hints.decimal === ',' || found.separator === '.' || !american ? 'dmy' : 'mdy'
  const words = order === 'dmy' ? 'the day is taken to come first' : 'the month is taken to come first'
  warnings.push(`the dates do not show whether day or month comes first; ${words}`)
  return order
}

/** The column of directions, when amounts that it calls debits have no sign of their own. */
function guessDirection(columns: Columns, rows: readonly CsvRecord[], amount: CsvMapping['amount'], decimal: Decimal): number | null {
  if (!('column' in amount)) return null
  const column = columns.direction()
  if (column === null) return null
  let unsigned = 0
  let signed = 0
  for (const { cells } of rows) {
    if (directionOf(cells[column] ?? '') !== -1) continue
    const numeral = parseNumeral(cells[amount.column] ?? '', decimal)
    if (numeral?.decimal.startsWith('-')) signed++
    else if (numeral) unsigned++
  }
  if (unsigned <= signed) return null
  columns.take(column)
  return column
}
