// Money: an integer of minor units with an ISO 4217 code. No floating point touches an amount.
import { currencies } from './currencies.ts'

export const amountMinorMax = Number.MAX_SAFE_INTEGER

/** Minor digits of an ISO 4217 code (EUR 2, JPY 0, BHD 3, CLF 4), or undefined when there is no such currency. */
export function exponentOf(code: string): number | undefined {
  return currencies.get(code)?.exponent
}

/**
 * Reads a decimal numeral with `.` as its point, for instance `-1234.5`, into minor units of `exponent` digits.
 * Zeroes past the exponent are dropped; any other digit there, or a value past +-(2^53-1), answers undefined.
 */
export function minorFromDecimal(text: string, exponent: number): number | undefined {
  const found = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text)
  if (!found) return undefined
  const [, sign, whole = '', fraction = ''] = found
  if (whole === '' && fraction === '') return undefined
  if (!/^0*$/.test(fraction.slice(exponent))) return undefined
  const digits = (whole + fraction.slice(0, exponent).padEnd(exponent, '0')).replace(/^0+(?=\d)/, '')
  if (digits.length > 16) return undefined
  const minor = digits === '' ? 0 : Number(digits)
  if (!Number.isSafeInteger(minor)) return undefined
  return sign === '-' && minor !== 0 ? -minor : minor
}

/** The numeral of an amount: `decimalFromMinor(-1234, 2)` is `-12.34`. */
export function decimalFromMinor(amountMinor: number, exponent: number): string {
  const digits = String(Math.abs(amountMinor)).padStart(exponent + 1, '0')
  const sign = amountMinor < 0 ? '-' : ''
  return exponent === 0 ? sign + digits : `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`
}

/**
 * Splits an amount by weights so that the parts sum to it exactly (largest remainder; ties go to the earlier part).
 * Weights are non-negative integers, at least one of them positive.
 */
export function allocate(amountMinor: number, weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + BigInt(weight), 0n)
  if (total <= 0n) throw new RangeError('allocate needs a positive weight')
  const sign = amountMinor < 0 ? -1n : 1n
  const amount = BigInt(Math.abs(amountMinor))
  const parts = weights.map((weight, index) => {
    const product = amount * BigInt(weight)
    return { index, whole: product / total, rest: product % total }
  })
  let left = amount - parts.reduce((sum, part) => sum + part.whole, 0n)
  for (const part of parts.toSorted((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest < b.rest ? 1 : -1))) {
    if (left === 0n) break
    part.whole += 1n
    left -= 1n
  }
  return parts.map((part) => Number(sign * part.whole))
}
