// What the columns of a CSV file hold, by their cells: dates, amounts, currencies, directions or words.
import type { CsvRecord } from './csv-table.ts'
import { parseDate } from './dates.ts'
import { isMoney, isNumeral } from './numerals.ts'

/** Counts over a sample of rows. */
export type Profile = {
  filled: number
  dates: number
  /** Dates that cannot be mere numbers. */
  plainDates: number
  numerals: number
  /** Numerals with a decimal mark, a sign or a currency. */
  money: number
  currencies: number
  debitWords: number
  creditWords: number
  /** Cells with letters in them that are nothing of the above, and the length of these. */
  texts: number
  length: number
  distinct: number
}

// Enough rows to tell a column by; the order of dates and the decimal mark are decided over all rows elsewhere.
const sampleRows = 200

const debitWords = new Set(
  `d|dr|db|debit|debet|deb|s|soll|af|out|uit|-|withdrawal|money out|paid out|débit|debito|débito|dare|cargo|uscita
  |sortie|obciążenie|belastung|lastschrift|uttag|expense`.split(/\s*\|/),
)
const creditWords = new Set(
  `c|cr|credit|kredit|cred|h|haben|bij|in|+|deposit|money in|paid in|crédit|credito|crédito|avere|abono|entrata
  |entrée|uznanie|gutschrift|insättning|income`.split(/\s*\|/),
)

/** -1 for a word that says money left the account, 1 for one that says it came, undefined for any other. */
export function directionOf(text: string): -1 | 1 | undefined {
  const word = text.toLowerCase()
  return debitWords.has(word) ? -1 : creditWords.has(word) ? 1 : undefined
}

/** The code a cell of a currency column stands for; null for a sign that several currencies share. */
export function currencyCode(text: string): string | null {
  const named = { '€': 'EUR', euro: 'EUR', euros: 'EUR', '£': 'GBP', zł: 'PLN', kč: 'CZK' }[text.toLowerCase()]
  return named ?? (/^[A-Za-z]{3}$/.test(text) ? text.toUpperCase() : null)
}

export function profileColumns(rows: readonly CsvRecord[], width: number, isCurrency: (code: string) => boolean): Profile[] {
  const sample = rows.slice(0, sampleRows)
  return Array.from({ length: width }, (_, column) => {
    const profile: Profile = {
      filled: 0,
      dates: 0,
      plainDates: 0,
      numerals: 0,
      money: 0,
      currencies: 0,
      debitWords: 0,
      creditWords: 0,
      texts: 0,
      length: 0,
      distinct: 0,
    }
    const values = new Set<string>()
    for (const { cells } of sample) {
      const cell = cells[column] ?? ''
      if (cell === '') continue
      values.add(cell)
      count(profile, cell, isCurrency)
    }
    profile.distinct = values.size
    return profile
  })
}

function count(profile: Profile, cell: string, isCurrency: (code: string) => boolean): void {
  profile.filled++
  const direction = directionOf(cell)
  const code = currencyCode(cell)
  const isDate = parseDate(cell) !== undefined
  const isNumber = isNumeral(cell)
  if (direction === -1) profile.debitWords++
  if (direction === 1) profile.creditWords++
  if (code !== null && isCurrency(code)) profile.currencies++
  if (isDate) profile.dates++
  if (isDate && !/^\d{6}$/.test(cell)) profile.plainDates++
  if (isNumber) profile.numerals++
  if (isMoney(cell)) profile.money++
  if (!isDate && !isNumber && /\p{L}/u.test(cell)) {
    profile.texts++
    profile.length += cell.length
  }
}
