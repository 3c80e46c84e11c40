// Amounts from one currency to another: exact fractions of whole numbers, rounded once, and parts that sum to their whole.
import { amountMinorMax } from './money.ts'

/**
 * From which currency to which: minor digits of both (ISO 4217) and their rates, units for one euro, as decimal numerals (`1.0912`; the euro's is `1`).
 */
export type Conversion = { fromExponent: number; toExponent: number; fromRate: string; toRate: string }

/** The form of a rate: at most 12 digits before and behind the point, as `exchange_rates` takes it; one of zeroes only is none. */
const rateForm = /^(\d{1,12})(?:\.(\d{1,12}))?$/

/** Whether the text is a rate: a positive decimal numeral without sign or exponent. */
export function isRate(text: string): boolean {
  return rateForm.test(text) && /[1-9]/.test(text)
}

/**
 * Converts minor units into minor units, rounded once, half away from zero. A result past +-(2^53-1) answers undefined.
 * Throws RangeError for a rate or an exponent that is none.
 */
export function convert(amountMinor: number, conversion: Conversion): number | undefined {
  const { numerator, denominator } = factorOf(conversion)
  return safe(roundHalfAway(BigInt(amountMinor) * numerator, denominator))
}

/**
 * Converts parts so that the results sum to the conversion of their sum: each is less than one minor unit off its exact value, those with the largest
 * remainder are rounded up (ties go to the earlier part), and a part of 0 stays 0. A result or sum past +-(2^53-1) answers undefined.
 */
export function convertParts(partsMinor: readonly number[], conversion: Conversion): number[] | undefined {
  const { numerator, denominator } = factorOf(conversion)
  const total = partsMinor.reduce((sum, part) => sum + BigInt(part), 0n)
  // Counted in the direction of the sum, so that what goes out is converted like what comes in.
  const sign = total < 0n ? -1n : 1n
  const parts = partsMinor.map((part, index) => {
    const product = sign * BigInt(part) * numerator
    const whole = floor(product, denominator)
    return { index, whole, rest: product - whole * denominator }
  })
  const converted = roundHalfAway(sign * total * numerator, denominator)
  let left = converted - parts.reduce((sum, part) => sum + part.whole, 0n)
  for (const part of parts.toSorted((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest < b.rest ? 1 : -1))) {
    if (left === 0n) break
    part.whole += 1n
    left -= 1n
  }
  if (safe(converted) === undefined) return undefined
  const results = parts.flatMap((part) => safe(sign * part.whole) ?? [])
  return results.length === parts.length ? results : undefined
}

/** What one minor unit is worth in the other currency's, as a fraction of positive whole numbers. */
export function factorOf({ fromExponent, toExponent, fromRate, toRate }: Conversion): { numerator: bigint; denominator: bigint } {
  const from = fractionOf(fromRate)
  const to = fractionOf(toRate)
  return {
    numerator: to.digits * from.power * powerOfTen(toExponent),
    denominator: from.digits * to.power * powerOfTen(fromExponent),
  }
}

/** `1.0912` is 10912 by 10^4. */
function fractionOf(rate: string): { digits: bigint; power: bigint } {
  const found = rateForm.exec(rate)
  if (!found || !isRate(rate)) throw new RangeError(`${rate} is no exchange rate`)
  const [, whole = '', fraction = ''] = found
  return { digits: BigInt(whole + fraction), power: powerOfTen(fraction.length) }
}

function powerOfTen(exponent: number): bigint {
  if (!Number.isInteger(exponent) || exponent < 0) throw new RangeError(`${exponent} is no number of minor digits`)
  return 10n ** BigInt(exponent)
}

function floor(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator
  return numerator < 0n && quotient * denominator !== numerator ? quotient - 1n : quotient
}

export function roundHalfAway(numerator: bigint, denominator: bigint): bigint {
  const doubled = 2n * (numerator < 0n ? -numerator : numerator) + denominator
  const rounded = doubled / (2n * denominator)
  return numerator < 0n ? -rounded : rounded
}

function safe(amountMinor: bigint): number | undefined {
  const amount = Number(amountMinor)
  return amountMinor >= -BigInt(amountMinorMax) && amountMinor <= BigInt(amountMinorMax) ? amount : undefined
}
