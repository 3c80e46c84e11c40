// The ECB's CSV: a column for each currency. One day as `27 February 2026` with blanks behind the commas (eurofxref.csv), or history as `2026-02-27`, newest first (eurofxref-hist.csv).
import { CsvError, parse } from 'csv-parse/sync'
import { isDay } from '../../../values/day.ts'
import { limits } from '../../../values/limits.ts'
import { checkCurrency, quote, RateCollector, UnreadableRates, type RateFile } from '../rate-file.ts'

const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']

/** More than the widest row has: a day and a rate of 25 characters for each currency. */
const rowLengthMax = limits.rateCurrenciesMax * 30

export function readEcbCsv(text: string, isInForce: (currency: string) => boolean): RateFile {
  const collector = new RateCollector(isInForce)
  let header: string[] | undefined
  let line = 1
  try {
    parse(text, {
      skip_empty_lines: true,
      trim: true,
      relax_column_count: true,
      max_record_size: rowLengthMax,
      // Each row is taken as it comes and kept no longer.
      on_record: (cells: string[], { lines }) => {
        line = lines
        if (header) readRow(cells, header, line, collector)
        else header = readHeader(cells, line)
        return null
      },
    })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const at = typeof error['lines'] === 'number' ? error['lines'] : line
    throw new UnreadableRates({ line: at, column: 1 }, `the row is no CSV: ${reasons[error.code] ?? 'its quotes are wrong'}`)
  }
  if (!header) throw new UnreadableRates(null, 'the file is empty')
  return collector.finish('ecb-csv')
}

const reasons: Record<string, string> = {
  CSV_MAX_RECORD_SIZE: 'it is too long',
  CSV_QUOTE_NOT_CLOSED: 'a quote is never closed',
}

/** The codes of the columns; the comma that ends each line of the ECB makes an empty last one. */
function readHeader(cells: string[], line: number): string[] {
  const [date, ...codes] = withoutLastEmpty(cells)
  if (date?.replace(/^\ufeff/, '') !== 'Date') {
    throw new UnreadableRates({ line, column: 1 }, `these are no rates of the ECB: the first column is ${quote(date ?? '')}, not "Date"`)
  }
  if (codes.length > limits.rateCurrenciesMax) {
    throw new UnreadableRates({ line, column: 1 }, `more than ${limits.rateCurrenciesMax} currencies`)
  }
  for (const [index, code] of codes.entries()) {
    const place = { line, column: index + 2 }
    checkCurrency(code, place)
    if (codes.indexOf(code) !== index) throw new UnreadableRates(place, `${code} has two columns`)
  }
  return codes
}

function readRow(cells: string[], codes: readonly string[], line: number, collector: RateCollector) {
  const [date = '', ...rates] = withoutLastEmpty(cells)
  // An empty rate in the last column looks like the comma that ends the line.
  if (rates.length === codes.length - 1 && cells.length > rates.length + 1) rates.push('')
  if (rates.length !== codes.length) {
    throw new UnreadableRates({ line, column: 1 }, `the row has ${rates.length} rates for ${codes.length} currencies`)
  }
  const day = isoDay(date)
  if (day === undefined || !isDay(day))
    throw new UnreadableRates({ line, column: 1 }, `${quote(date)} is no day such as 2026-02-27 or 27 February 2026`)
  for (const [index, rate] of rates.entries()) {
    if (rate !== 'N/A' && rate !== '') collector.add(codes[index]!, day, rate, { line, column: index + 2 })
  }
}

function withoutLastEmpty(cells: string[]): string[] {
  return cells.at(-1) === '' ? cells.slice(0, -1) : cells
}

function isoDay(text: string): string | undefined {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return text
  const [, date = '', name = '', year = ''] = /^(\d{1,2}) ([A-Z][a-z]+) (\d{4})$/.exec(text) ?? []
  const month = months.indexOf(name) + 1
  return month === 0 ? undefined : `${year}-${String(month).padStart(2, '0')}-${date.padStart(2, '0')}`
}
