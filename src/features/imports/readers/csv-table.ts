// A CSV file as a table of cells: finds the delimiter, splits the text within limits, and knows every record's line.
import { CsvError, parse } from 'csv-parse/sync'
import { UnreadableFile, type CsvMapping } from '../statement.ts'
import { decodeText } from './text.ts'

export type Delimiter = CsvMapping['delimiter']

/** One record with the line it starts on; a blank line is a record as well, so that rows can be counted. */
export type CsvRecord = { line: number; cells: string[] }

export type CsvTable = { delimiter: Delimiter; records: CsvRecord[]; width: number }

export const bytesMax = 10 * 1024 * 1024
export const rowsMax = 50_000
const columnsMax = 200
const cellMax = 10_000
// Preambles, headers and footers are not rows of data; so many more records are let through.
const extraRows = 200
const delimiters: readonly Delimiter[] = [';', '\t', '|', ',']

/** The text of a file with every line ending as one newline. */
export function readText(bytes: Uint8Array): string {
  if (bytes.length > bytesMax) throw new UnreadableFile(null, 'the file is larger than 10 MiB')
  return decodeText(bytes).replace(/\r\n?/g, '\n')
}

export function readTable(bytes: Uint8Array, given: Delimiter | undefined): CsvTable {
  const text = readText(bytes)
  if (text.trim() === '') throw new UnreadableFile(null, 'the file is empty')
  // Excel's own first line names the delimiter.
  const named = /^\s{0,8}sep=([,;|\t])\n/i.exec(text)
  const body = named ? text.slice(named[0].length) : text
  const delimiter = given ?? (named?.[1] as Delimiter | undefined) ?? guessDelimiter(body, 1)
  if (delimiter === undefined) throw new UnreadableFile(1, 'no line has columns divided by comma, semicolon, tab or |')
  const firstLine = named ? named[0].split('\n').length : 1
  const records = numberLines(split(body, delimiter, firstLine), firstLine)
  return { delimiter, records, width: checkLimits(records) }
}

/** The delimiter that most lines agree on with at least two columns; undefined when fewer than `lines` do. */
export function guessDelimiter(text: string, lines: number): Delimiter | undefined {
  const head = text.slice(0, 65_536)
  let best: { delimiter: Delimiter; score: number } | undefined
  for (const delimiter of delimiters) {
    const agreeing = new Map<number, number>()
    for (const count of fieldCounts(head, delimiter)) agreeing.set(count, (agreeing.get(count) ?? 0) + 1)
    for (const [count, times] of agreeing) {
      if (count < 2 || times < lines) continue
      // More columns weigh more: the commas in decimal amounts divide every line into a few columns, too.
      const score = times * Math.min(count - 1, 10)
      if (!best || score > best.score) best = { delimiter, score }
    }
  }
  return best?.delimiter
}

/** How many fields each of the first records has that is not blank. */
function fieldCounts(head: string, delimiter: Delimiter): number[] {
  const counts: number[] = []
  let fields = 1
  let quoted = false
  let fieldStarts = true
  let blank = true
  for (let at = 0; at <= head.length && counts.length < 200; at++) {
    const character = head.charAt(at)
    if (quoted && character !== '') {
      // A doubled quote closes and opens again, which comes to the same here.
      if (character === '"') quoted = false
    } else if (character === '\n' || character === '') {
      if (!blank) counts.push(fields)
      fields = 1
      fieldStarts = true
      blank = true
    } else if (character === delimiter) {
      fields++
      fieldStarts = true
      blank = false
    } else if (character === '"' && (fieldStarts || head.charAt(at - 1) === '"')) {
      quoted = true
      fieldStarts = false
      blank = false
    } else if (character !== ' ') {
      fieldStarts = false
      blank = false
    }
  }
  return counts
}

function split(text: string, delimiter: Delimiter, firstLine: number): string[][] {
  refuseEndlessLines(text, firstLine)
  try {
    return parseRecords(text, delimiter, rowsMax + extraRows + 1)
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const done = typeof error['records'] === 'number' ? error['records'] : 0
    const line = firstLine + (done === 0 ? 0 : lineCount(parseRecords(text, delimiter, done)))
    const reason = error.code === 'CSV_QUOTE_NOT_CLOSED' ? 'a quote that opens here is never closed' : 'the row is too long'
    throw new UnreadableFile(line, reason)
  }
}

function parseRecords(text: string, delimiter: Delimiter, to: number): string[][] {
  return parse(text, {
    delimiter,
    to,
    record_delimiter: '\n',
    ltrim: true,
    relax_quotes: true,
    relax_column_count: true,
    max_record_size: columnsMax * cellMax,
  })
}

/** A line longer than the widest row allowed is refused before it becomes millions of cells. */
function refuseEndlessLines(text: string, firstLine: number): void {
  let line = firstLine
  for (let start = 0; start <= text.length; line++) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    if (end - start > columnsMax * cellMax) throw new UnreadableFile(line, 'the line is too long')
    start = end + 1
  }
}

function lineCount(records: readonly string[][]): number {
  return records.reduce((sum, cells) => sum + 1 + newlines(cells), 0)
}

function newlines(cells: readonly string[]): number {
  let count = 0
  for (const cell of cells) {
    for (let at = cell.indexOf('\n'); at >= 0; at = cell.indexOf('\n', at + 1)) count++
  }
  return count
}

function numberLines(rows: readonly string[][], firstLine: number): CsvRecord[] {
  let line = firstLine
  return rows.map((cells) => {
    const record = { line, cells: cells.map(bare) }
    line += 1 + newlines(cells)
    return record
  })
}

/** Takes off blanks, the quotes of a field that was not quoted by the rules, and Excel's way of keeping text: ="01". */
function bare(cell: string): string {
  const text = cell.trim()
  if (!text.endsWith('"') || text.length < 2) return text
  if (text.startsWith('="')) return text.slice(2, -1).trim()
  return text.startsWith('"') ? text.slice(1, -1).trim() : text
}

function checkLimits(records: readonly CsvRecord[]): number {
  let width = 0
  for (const { line, cells } of records) {
    if (cells.length > columnsMax) throw new UnreadableFile(line, `the row has more than ${columnsMax} columns`)
    if (cells.some((cell) => cell.length > cellMax)) {
      throw new UnreadableFile(line, `a cell is longer than ${cellMax} characters`)
    }
    width = Math.max(width, cells.length)
  }
  if (records.length > rowsMax + extraRows) {
    throw new UnreadableFile(null, `the file has more than ${rowsMax} rows`)
  }
  return width
}
