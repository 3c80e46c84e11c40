// The values of OFX elements: days, amounts and rates, as banks write them.
import { dayFrom } from '../../../values/day.ts'
import type { Day } from '../../../values/day.ts'
import { minorFromDecimal } from '../../../values/money.ts'

const dateForm = /^(\d{4})([-/.]?)(\d{2})\2(\d{2})(?:[T ]?[\d:]{2,8}(?:[.,:]\d{0,9})?)?\s*(?:\[[^\]]{0,40}\]?|[A-Z]{1,5}|[+-]\d\d:?\d\d)?$/
const rateForm = /^\+?(\d{1,12})(?:[.,](\d{0,12}))?$/

/** The calendar day as the bank wrote it: `20240131235959.000[-5:EST]` is the 31st wherever it is read. */
export function readDay(text: string): Day | undefined {
  const found = dateForm.exec(text)
  return found ? dayFrom(Number(found[1]), Number(found[3]), Number(found[4])) : undefined
}

/**
 * Minor units of an amount with `.` or `,` as its point and possibly grouped thousands; undefined when it is no numeral,
 * has more digits than the currency, or may be read in two ways a thousandfold apart.
 */
export function readAmount(text: string, exponent: number): number | undefined {
  if (text.length > 60) return undefined
  const numeral = text.replace(/[\s'’]/g, '').replace(/^[−–]/, '-')
  const point = pointOf(numeral, exponent)
  if (point === undefined) return undefined
  const whole = point === '' ? numeral : numeral.slice(0, numeral.lastIndexOf(point))
  const fraction = point === '' ? '' : `.${numeral.slice(numeral.lastIndexOf(point) + 1)}`
  const separator = /[.,]/.exec(whole)?.[0]
  if (separator !== undefined && !isGrouped(whole, separator)) return undefined
  return minorFromDecimal(whole.replaceAll(/[.,]/g, '') + fraction, exponent)
}

/** The decimal point of a numeral, '' when it has none, undefined when that cannot be told. */
function pointOf(numeral: string, exponent: number): '.' | ',' | '' | undefined {
  const dots = numeral.split('.').length - 1
  const commas = numeral.split(',').length - 1
  if (dots > 0 && commas > 0) {
    const last = numeral.lastIndexOf('.') > numeral.lastIndexOf(',') ? '.' : ','
    return (last === '.' ? dots : commas) === 1 ? last : undefined
  }
  if (dots + commas === 0 || dots > 1 || commas > 1) return ''
  const point = dots === 1 ? '.' : ','
  if (exponent === 3 || !/^[+-]?[1-9]\d{0,2}[.,]\d{3}$/.test(numeral)) return point
  // `1,234` and `1.234`: a currency without minor units has thousands there, elsewhere a `.` is the point OFX asks for,
  // while a `,` may be meant either way.
  if (exponent === 0) return ''
  return point === '.' ? point : undefined
}

/** Whether the digits are grouped by thousands, or as in India by hundreds above the first thousand. */
function isGrouped(whole: string, separator: string): boolean {
  const groups = whole.replace(/^[+-]/, '').split(separator)
  const first = groups.shift() ?? ''
  const last = groups.pop() ?? ''
  return /^\d{1,3}$/.test(first) && /^\d{3}$/.test(last) && groups.every((group) => /^\d{2,3}$/.test(group))
}

export type Rate = { numerator: bigint; denominator: bigint }

/** A positive rate of exchange, or undefined. */
export function readRate(text: string | undefined): Rate | undefined {
  const found = rateForm.exec(text?.trim() ?? '')
  if (!found) return undefined
  const [, whole = '', fraction = ''] = found
  const numerator = BigInt(whole + fraction)
  return numerator === 0n ? undefined : { numerator, denominator: 10n ** BigInt(fraction.length) }
}

export function inverse(rate: Rate): Rate {
  return { numerator: rate.denominator, denominator: rate.numerator }
}

/** An amount times a rate, from one currency's exponent to another's, halves away from zero; undefined past the range. */
export function convert(amountMinor: number, rate: Rate, fromExponent: number, toExponent: number): number | undefined {
  const product = BigInt(Math.abs(amountMinor)) * rate.numerator * 10n ** BigInt(toExponent)
  const divisor = rate.denominator * 10n ** BigInt(fromExponent)
  const minor = Number((product * 2n + divisor) / (divisor * 2n))
  if (!Number.isSafeInteger(minor)) return undefined
  return amountMinor < 0 && minor !== 0 ? -minor : minor
}
