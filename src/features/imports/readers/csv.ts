// Reads CSV exports of banks: the mapping of the columns is guessed unless given, and answered with the rows.
import type { CsvMapping, ReadOptions, ReadResult, Statement } from '../statement.ts'
import { UnreadableFile } from '../statement.ts'
import { accountOf } from './csv-account.ts'
import { amountColumns } from './csv-choice.ts'
import { guessMapping } from './csv-guess.ts'
import { readRows, type PlacedRow } from './csv-rows.ts'
import { bytesMax, guessDelimiter, readTable, readText, rowsMax, type CsvTable } from './csv-table.ts'

/** Whether the bytes are a table of text and none of the other formats, which are text as well. */
export function looksLikeCsv(bytes: Uint8Array): boolean {
  if (bytes.length > bytesMax) return false
  // An even number of bytes keeps UTF-16 whole.
  const text = readText(bytes.subarray(0, 65_536)).trimStart()
  if (/^(?:[<{[!]|OFXHEADER|%PDF|PK\x03|:\d\d[A-Z]?:)/.test(text) || /^:20:/m.test(text)) return false
  const controls = text.match(/[\x01-\x08\x0e-\x1f]/g)?.length ?? 0
  return controls * 100 <= text.length && guessDelimiter(text, 2) !== undefined
}

export function readCsv(bytes: Uint8Array, options: ReadOptions): ReadResult {
  const given = options.mapping ?? {}
  if (given.delimiter !== undefined) checkOneOf('delimiter', given.delimiter, [',', ';', '\t', '|'])
  const table = readTable(bytes, given.delimiter)
  checkMapping(given, table)
  const guess = guessMapping(table, options)
  const { mapping, rows } = guess
  if (rows.length > rowsMax) throw new UnreadableFile(null, `the file has more than ${rowsMax} rows`)
  const header = guess.header === null ? [] : (table.records[guess.header]?.cells ?? [])
  const read = readRows(guess, table.delimiter, options, header)
  const warnings = [...guess.warnings, ...read.warnings]
  const [worst] = read.unreadable
  if (worst && read.unreadable.length > read.placed.length) {
    const reason = `${read.unreadable.length} of ${read.unreadable.length + read.placed.length} rows cannot be read`
    throw new UnreadableFile(worst.line, `${reason}; the first: ${worst.reason}`)
  }
  if (read.placed.length === 0) warnings.push('the file has no entries')
  if (dropRepeatedIds(read.placed)) {
    warnings.push(`column ${mapping.externalId} repeats values, so they are not taken as ids`)
    mapping.externalId = null
  }
  if (allPositive(read.placed) && mapping.direction === null) {
    warnings.push('no amount is negative; if these are charges of a card, the sign has to be inverted')
  }
  const account = accountOf(table.records.slice(0, guess.header ?? mapping.skipRows))
  const statements = toStatements(read.placed, account)
  statements[0]?.unreadable.push(...read.unreadable)
  return { format: 'csv', statements, mapping, warnings }
}

/** One statement for each account and currency; a file of a single one has a single statement, even without rows. */
function toStatements(placed: readonly PlacedRow[], preamble: { key: string; label: string | null } | null): Statement[] {
  const groups = new Map<string, { key: string; currencies: Map<string | null, Statement> }>()
  const fallback = preamble?.key ?? 'csv'
  for (const { row, currency, account, accountName } of placed) {
    const key = account ?? (preamble ? fallback : (accountName ?? fallback))
    const group = groups.get(key) ?? { key, currencies: new Map<string | null, Statement>() }
    groups.set(key, group)
    let statement = group.currencies.get(currency)
    if (!statement) {
      statement = { key, currency, label: accountName ?? preamble?.label ?? null, rows: [], unreadable: [] }
      group.currencies.set(currency, statement)
    }
    statement.rows.push(row)
  }
  const statements = [...groups.values()].flatMap(({ currencies }) => {
    const several = [...currencies.values()]
    for (const statement of several) {
      if (several.length > 1 && statement.currency !== null) statement.key += `-${statement.currency}`
    }
    return several
  })
  if (statements.length > 0) return statements
  return [{ key: fallback, currency: null, label: preamble?.label ?? null, rows: [], unreadable: [] }]
}

/** Ids that repeat tell nothing apart; answers whether there were any. */
function dropRepeatedIds(placed: readonly PlacedRow[]): boolean {
  const ids = placed.flatMap(({ row }) => row.externalId ?? [])
  if (new Set(ids).size === ids.length) return false
  for (const { row } of placed) row.externalId = null
  return true
}

function allPositive(placed: readonly PlacedRow[]): boolean {
  return placed.length > 2 && placed.every(({ row }) => row.amountMinor > 0)
}

/** Refuses a given mapping that cannot be of this file. */
function checkMapping(given: Partial<CsvMapping>, { records, width }: CsvTable): void {
  const columns: [string, number | null | undefined][] = [
    ['date', given.date],
    ['direction', given.direction],
    ['payee', given.payee],
    ['note', given.note],
    ['currency', given.currency],
    ['externalId', given.externalId],
  ]
  for (const column of amountColumns(given.amount)) columns.push(['amount', column])
  for (const [name, column] of columns) {
    if (column === null || column === undefined) continue
    if (!Number.isInteger(column) || column < 0 || column >= width) {
      throw new UnreadableFile(null, `mapping: ${name} is column ${column}, but the file has columns 0 to ${width - 1}`)
    }
  }
  const { skipRows } = given
  if (skipRows !== undefined && (!Number.isInteger(skipRows) || skipRows < 0 || skipRows > records.length)) {
    throw new UnreadableFile(null, `mapping: skipRows is ${skipRows}, but the file has ${records.length} rows`)
  }
  if (given.dateOrder !== undefined) checkOneOf('dateOrder', given.dateOrder, ['ymd', 'dmy', 'mdy'])
  if (given.decimal !== undefined) checkOneOf('decimal', given.decimal, ['.', ','])
  if (given.amount && 'debit' in given.amount && given.amount.debit === given.amount.credit) {
    throw new UnreadableFile(null, 'mapping: amount has one column for both debit and credit')
  }
}

function checkOneOf(name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) throw new UnreadableFile(null, `mapping: ${name} is none of ${allowed.join(' ')}`)
}
