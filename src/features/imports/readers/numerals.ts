// Amounts as banks write them, in the American and the European manner, into minor units without rounding.
import { minorFromDecimal } from '../../../values/money.ts'

export type Decimal = '.' | ','

/** A numeral as `minorFromDecimal` takes it, and the ISO code or symbol of a currency that stood beside it. */
export type Numeral = { decimal: string; marker: string | null }

// No cell longer than this is an amount; it also bounds the work on hostile text.
const longest = 60
const minuses = new Set(['-', '\u2212', '\u2012', '\u2013', '\ufe63', '\uff0d'])
const localMarkers = new Set(['kr', 'kr.', 'zł', 'zl', 'fr', 'fr.', 'sfr', 'sfr.', 'kč', 'ft', 'lei', 'rs', 'rs.', 'rm', 'r'])
// A letter behind the amount is the bank's debit or credit, as in `12,34 S` or `12.34 DR`.
const sides = new Map([
  ['dr', '-'],
  ['d', '-'],
  ['s', '-'],
  ['cr', ''],
  ['c', ''],
  ['h', ''],
])
const symbols = new Map([
  ['€', 'EUR'],
  ['£', 'GBP'],
  ['zł', 'PLN'],
  ['zl', 'PLN'],
  ['kč', 'CZK'],
  ['euro', 'EUR'],
])

/** Reads one amount whose decimal mark is known; undefined when the text is none, or groups its digits in another way. */
export function parseNumeral(text: string, decimal: Decimal): Numeral | undefined {
  const peeled = peel(text)
  if (!peeled) return undefined
  const at = peeled.core.lastIndexOf(decimal)
  const whole = at < 0 ? peeled.core : peeled.core.slice(0, at)
  const fraction = at < 0 ? '' : peeled.core.slice(at + 1)
  if (!/^\d*$/.test(fraction)) return undefined
  const digits = ungroup(whole, decimal)
  if (digits === undefined || digits + fraction === '') return undefined
  return { decimal: `${peeled.sign}${digits}${fraction === '' ? '' : `.${fraction}`}`, marker: peeled.marker }
}

export type Amount = { minor: number; marker: string | null }

/** An amount in minor units, or the reason why the text is none. */
export function readAmount(text: string, decimal: Decimal, exponent: number): Amount | { reason: string } {
  const numeral = parseNumeral(text, decimal)
  if (!numeral) return { reason: `not an amount with "${decimal}" as its decimal mark: "${text.slice(0, 40)}"` }
  const minor = minorFromDecimal(numeral.decimal, exponent)
  if (minor !== undefined) return { minor, marker: numeral.marker }
  const fraction = numeral.decimal.split('.')[1] ?? ''
  if (/[1-9]/.test(fraction.slice(exponent))) {
    return { reason: `"${text.slice(0, 40)}" has more digits behind the decimal mark than the currency's ${exponent}` }
  }
  return { reason: `the amount "${text.slice(0, 40)}" is too large` }
}

/** The code or the one currency a marker beside an amount stands for; null for a sign that several share, as `$`. */
export function currencyOfMarker(marker: string | null): string | null {
  if (marker === null) return null
  return symbols.get(marker.toLowerCase()) ?? (/^[A-Z]{3}$/.test(marker) ? marker : null)
}

/** Whether the text is an amount in one manner or the other. */
export function isNumeral(text: string): boolean {
  return parseNumeral(text, '.') !== undefined || parseNumeral(text, ',') !== undefined
}

/** Whether the text shows itself as money: by a decimal mark, a sign or a currency, and not by digits alone. */
export function isMoney(text: string): boolean {
  return isNumeral(text) && !/^\s*\d+\s*$/.test(text)
}

/**
 * The decimal mark of a file by all its amounts. `sure` is false when only amounts such as 1.234 speak, which may be
 * one thousand or one and a bit; thousands are taken then, unless the currency has three minor digits.
 */
export function findDecimal(amounts: Iterable<string>, exponent: number): { decimal: Decimal; sure: boolean } {
  const sure = { '.': 0, ',': 0 }
  const likely = { '.': 0, ',': 0 }
  let seen = 0
  for (const amount of amounts) {
    const core = peel(amount)?.core
    if (core === undefined) continue
    seen++
    const vote = voteOf(core)
    if (vote) (vote.sure ? sure : likely)[vote.decimal]++
  }
  if (sure['.'] + sure[','] > 0) return { decimal: sure[','] > sure['.'] ? ',' : '.', sure: true }
  if (likely['.'] + likely[','] === 0) return { decimal: '.', sure: seen > 0 }
  const thousands = likely[','] > likely['.'] ? ',' : '.'
  if (exponent === 3) return { decimal: likely[','] > likely['.'] ? '.' : ',', sure: false }
  return { decimal: thousands, sure: false }
}

/** What one numeral says of the decimal mark; a likely vote is for the mark that its only one is not. */
function voteOf(core: string): { decimal: Decimal; sure: boolean } | undefined {
  const comma = core.lastIndexOf(',')
  const point = core.lastIndexOf('.')
  if (comma < 0 && point < 0) return undefined
  const last: Decimal = comma > point ? ',' : '.'
  const other: Decimal = last === ',' ? '.' : ','
  const [before = '', after = '', more] = core.split(last)
  if (more !== undefined) return { decimal: other, sure: true }
  if (comma >= 0 && point >= 0) return { decimal: last, sure: true }
  if (after.length !== 3 || !/^[1-9]\d{0,2}$/.test(before)) return { decimal: last, sure: true }
  return { decimal: other, sure: false }
}

type Peeled = { core: string; sign: '' | '-'; marker: string | null }

/** Takes signs, brackets and currencies off both ends; undefined when what stands there is none of these. */
function peel(text: string): Peeled | undefined {
  if (text.length > longest) return undefined
  let start = text.search(/\d/)
  if (start < 0) return undefined
  let end = text.length
  while (!isDigit(text.charCodeAt(end - 1))) end--
  // `.50` begins with its mark, but the point of `Rs.50` belongs to the currency.
  if (/[.,]/.test(text.charAt(start - 1)) && !/\p{L}/u.test(text.charAt(start - 2))) start--
  // `12,-` and `12.--` are Dutch and Swiss for no cents.
  const suffix = text.slice(end).replace(/^[.,](?:[-\u2013]{1,2}|$|(?=\s))/, '')
  const before = affix(text.slice(0, start))
  const behind = affix(suffix)
  if (!before || !behind) return undefined
  const brackets = before.open === 1 && behind.close === 1
  if (!brackets && before.open + behind.close > 0) return undefined
  if (before.close + behind.open > 0) return undefined
  const signs = before.minus + before.plus + behind.minus + behind.plus
  let minus = before.minus + behind.minus > 0 || brackets
  let signed = signs + (brackets ? 1 : 0)
  let marker: string | null = null
  for (const [index, word] of [...before.words, ...behind.words].entries()) {
    const side = index < before.words.length ? undefined : sides.get(word.toLowerCase())
    if (side !== undefined) {
      signed++
      minus ||= side === '-'
    } else if (marker === null && isMarker(word)) marker = word
    else return undefined
  }
  if (signed > 1) return undefined
  return { core: text.slice(start, end), sign: minus ? '-' : '', marker }
}

type Affix = { minus: number; plus: number; open: number; close: number; words: string[] }

function affix(text: string): Affix | undefined {
  const found: Affix = { minus: 0, plus: 0, open: 0, close: 0, words: [] }
  let word = ''
  for (const character of text) {
    const isMinus = minuses.has(character)
    if (isMinus) found.minus++
    else if (character === '+') found.plus++
    else if (character === '(') found.open++
    else if (character === ')') found.close++
    else if (!/\s/.test(character)) {
      word += character
      continue
    }
    if (word !== '') found.words.push(word)
    word = ''
  }
  if (word !== '') found.words.push(word)
  return found.words.length > 2 ? undefined : found
}

function isMarker(word: string): boolean {
  if (word.length > 4) return false
  if (/^[A-Z]{3}$/.test(word) || /^[A-Z]{0,2}\p{Sc}[A-Z]{0,2}$/u.test(word)) return true
  return localMarkers.has(word.toLowerCase()) || symbols.has(word.toLowerCase())
}

/** The digits of a whole part without its separators; undefined when they do not stand at the thousands. */
function ungroup(whole: string, decimal: Decimal): string | undefined {
  if (/^\d*$/.test(whole)) return whole
  const groups = whole.split(/\D/)
  const separators = new Set(whole.replace(/\d/g, '').replace(/\s/g, ' ').replaceAll('\u2019', "'"))
  const [separator = ''] = separators
  if (separators.size !== 1 || separator === decimal || !",.' ".includes(separator)) return undefined
  const [first = '', ...rest] = groups
  if (!/^[1-9]\d{0,2}$/.test(first) || rest.at(-1)?.length !== 3) return undefined
  // Lakhs and crores are grouped by two digits, with commas only.
  const grouped = rest.every(({ length }) => length === 3 || (length === 2 && separator === ',' && first.length < 3))
  return grouped ? groups.join('') : undefined
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}
