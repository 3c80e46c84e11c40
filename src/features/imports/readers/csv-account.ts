// The account a CSV file is of, as the lines above its header tell: an IBAN, or a number behind a word for account.
import type { CsvRecord } from './csv-table.ts'

const accountWords =
  /^(?:account(?: (?:number|no\.?|nr\.?))?|(?:kunden)?konto(?:nummer|nr\.?)?|rekening(?:nummer)?|(?:num[eé]ro de )?compte|cuenta|conto|conta|iban|rachunek|numer rachunku)$/i

/** Key and label of the account; null when the lines name none. */
export function accountOf(preamble: readonly CsvRecord[]): { key: string; label: string | null } | null {
  for (const { cells } of preamble) {
    for (const [index, cell] of cells.entries()) {
      if (cell.length > 200) continue
      const iban = ibanIn(cell)
      const before = cells[index - 1] ?? ''
      if (iban) return { key: iban, label: labelOf(before) }
      // The number stands in the next cell or behind a colon in the same.
      const [word = '', behind = ''] = cell.split(':', 2)
      const number = (behind.trim() || (cells[index + 1] ?? '')).trim()
      if (accountWords.test(word.trim()) && isNumber(number)) return { key: number.replace(/\s/g, ''), label: null }
    }
  }
  return null
}

function ibanIn(cell: string): string | null {
  for (const [found] of cell.matchAll(/\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}/g)) {
    const compact = found.replaceAll(' ', '')
    // Words may follow the number without more than a blank between.
    for (let length = Math.min(compact.length, 34); length >= 15; length--) {
      if (isIban(compact.slice(0, length))) return compact.slice(0, length)
    }
  }
  return null
}

function isIban(text: string): boolean {
  let rest = 0
  for (const character of text.slice(4) + text.slice(0, 4)) {
    const value = Number.parseInt(character, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}

function isNumber(text: string): boolean {
  return text.length <= 40 && /^[\w*./ -]+$/.test(text) && (text.match(/\d/g)?.length ?? 0) >= 4
}

/** What the cell before the number says, when it is a name of the account and not the word for one. */
function labelOf(text: string): string | null {
  const label = text.replace(/:$/, '').trim()
  return label === '' || label.length > 60 || accountWords.test(label) || !/\p{L}/u.test(label) ? null : label
}
