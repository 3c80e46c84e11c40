// Splitting and converting lose no minor unit, for currencies of exponent 0, 2, 3 and 4.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { convert, convertParts, isRate, type Conversion } from '../../src/values/conversion.ts'
import { allocate, amountMinorMax, exponentOf } from '../../src/values/money.ts'

const codes = ['JPY', 'EUR', 'BHD', 'CLF'] as const
const exponent = fc.constantFrom(...codes.map((code) => exponentOf(code)!))
const rate = fc
  .tuple(fc.bigInt({ min: 1n, max: 10n ** 14n - 1n }), fc.integer({ min: 0, max: 12 }))
  .map(([digits, scale]) => {
    const text = String(digits).padStart(scale + 1, '0')
    return scale === 0 ? text.slice(-12) : `${text.slice(0, -scale)}.${text.slice(-scale)}`.replace(/^\d+(?=\d{12}\.)/, '')
  })
  .filter(isRate)
/** Rates from 0.1 to 300: with everyday amounts no sum leaves the range. */
const publishedRate = fc
  .integer({ min: 1_000, max: 3_000_000 })
  .map((digits) => `${Math.trunc(digits / 10_000)}.${String(digits % 10_000).padStart(4, '0')}`)
const conversion = fc.record({ fromExponent: exponent, toExponent: exponent, fromRate: rate, toRate: rate })
const published = fc.record({ fromExponent: exponent, toExponent: exponent, fromRate: publishedRate, toRate: publishedRate })
const amount = fc.integer({ min: -amountMinorMax, max: amountMinorMax })
const everyday = fc.integer({ min: -5_000_000, max: 5_000_000 })
const parts = fc.array(everyday, { minLength: 1, maxLength: 50 })

/** The exact value as numerator and denominator, worked out the long way: to euros, then from euros. */
function exact(amountMinor: bigint, { fromExponent, toExponent, fromRate, toRate }: Conversion): [bigint, bigint] {
  const scale = 12
  const scaled = (text: string) => {
    const [whole = '', fraction = ''] = text.split('.')
    return BigInt(whole + fraction.padEnd(scale, '0'))
  }
  return [amountMinor * scaled(toRate) * 10n ** BigInt(toExponent), scaled(fromRate) * 10n ** BigInt(fromExponent)]
}

const eurToUsd: Conversion = { fromExponent: 2, toExponent: 2, fromRate: '1', toRate: '1.0912' }

test('the currencies of these tests have 0, 2, 3 and 4 minor digits', () => {
  assert.deepEqual(codes.map(exponentOf), [0, 2, 3, 4])
})

test('known amounts convert to known amounts, between all numbers of minor digits', () => {
  const cases: [number, Conversion, number | undefined][] = [
    [10_000, eurToUsd, 10_912],
    [10_912, { ...eurToUsd, fromRate: '1.0912', toRate: '1' }, 10_000],
    [10_000, { fromExponent: 2, toExponent: 0, fromRate: '1', toRate: '163.27' }, 16_327],
    [16_327, { fromExponent: 0, toExponent: 2, fromRate: '163.27', toRate: '1' }, 10_000],
    [10_000, { fromExponent: 2, toExponent: 3, fromRate: '1', toRate: '0.4102' }, 41_020],
    [41_020, { fromExponent: 3, toExponent: 0, fromRate: '0.4102', toRate: '163.27' }, 16_327],
    [1, { fromExponent: 4, toExponent: 2, fromRate: '0.02', toRate: '1' }, 1],
    // 0.5 of a minor unit goes away from zero, less goes towards it.
    [1, { ...eurToUsd, toRate: '0.5' }, 1],
    [-1, { ...eurToUsd, toRate: '0.5' }, -1],
    [1, { ...eurToUsd, toRate: '0.499999999999' }, 0],
    [-1, { ...eurToUsd, toRate: '0.499999999999' }, 0],
    [0, eurToUsd, 0],
    // Doubles would make 1.005 * 100 into 100.49999999999999.
    [100, { ...eurToUsd, toRate: '1.005' }, 101],
    [amountMinorMax, { ...eurToUsd, toRate: '1' }, amountMinorMax],
    [amountMinorMax, { ...eurToUsd, toRate: '1.000000000001' }, undefined],
    [-amountMinorMax, { ...eurToUsd, toRate: '2' }, undefined],
  ]
  for (const [from, how, to] of cases) assert.equal(convert(from, how), to, `${from} ${JSON.stringify(how)}`)
  assert.ok(Object.is(convert(-1, { ...eurToUsd, toRate: '0.1' }), 0), 'no negative zero')
})

test('a conversion is within half a minor unit of the exact value, and away from zero when it is in the middle', () => {
  fc.assert(
    fc.property(amount, conversion, (amountMinor, how) => {
      const [numerator, denominator] = exact(BigInt(amountMinor), how)
      const converted = convert(amountMinor, how)
      const absolute = numerator < 0n ? -numerator : numerator
      if (converted === undefined) return assert.ok(2n * absolute >= (2n * BigInt(amountMinorMax) + 1n) * denominator)
      const off = 2n * (absolute - BigInt(Math.abs(converted)) * denominator)
      assert.ok(off >= -denominator && off < denominator, `${converted}`)
      assert.ok(converted === 0 || converted < 0 === amountMinor < 0)
    }),
  )
})

test('to the own currency and back nothing changes', () => {
  fc.assert(
    fc.property(amount, exponent, rate, (amountMinor, digits, one) => {
      assert.equal(convert(amountMinor, { fromExponent: digits, toExponent: digits, fromRate: one, toRate: one }), amountMinor)
    }),
  )
})

test('what goes out is converted like what comes in', () => {
  fc.assert(
    fc.property(amount, conversion, (amountMinor, how) => {
      const converted = convert(amountMinor, how)
      assert.equal(convert(-amountMinor, how), converted === undefined ? undefined : converted === 0 ? 0 : -converted)
    }),
  )
  fc.assert(
    fc.property(parts, published, (amounts, how) => {
      if (amounts.reduce((sum, part) => sum + part, 0) === 0) return
      const negated = convertParts(
        amounts.map((part) => (part === 0 ? 0 : -part)),
        how,
      )
      assert.deepEqual(
        negated,
        convertParts(amounts, how)?.map((part) => (part === 0 ? 0 : -part)),
      )
    }),
  )
})

test('a finer currency takes an amount and gives it back whole', () => {
  fc.assert(
    fc.property(everyday, fc.constantFrom(2, 3, 4), fc.integer({ min: 1, max: 99_999 }), (amountMinor, toExponent, digits) => {
      // At more than one unit of the finer currency for one of ours, no amount is between two of its minor units.
      const there = { fromExponent: 0, toExponent, fromRate: '1', toRate: `1.${String(digits).padStart(5, '0')}` }
      const back = { fromExponent: toExponent, toExponent: 0, fromRate: there.toRate, toRate: '1' }
      assert.equal(convert(convert(amountMinor, there)!, back), amountMinor)
    }),
  )
})

test('converted parts sum to the conversion of their sum, and each is within one minor unit of its own value', () => {
  fc.assert(
    fc.property(parts, published, (amounts, how) => {
      const converted = convertParts(amounts, how)
      const whole = convert(
        amounts.reduce((sum, part) => sum + part, 0),
        how,
      )
      assert.ok(converted && whole !== undefined)
      assert.equal(
        converted.reduce((sum, part) => sum + part, 0),
        whole,
      )
      for (const [index, part] of converted.entries()) {
        const [numerator, denominator] = exact(BigInt(amounts[index]!), how)
        const off = numerator - BigInt(part) * denominator
        assert.ok(off < denominator && off > -denominator, `part ${index} of ${amounts[index]} became ${part}`)
        if (amounts[index] === 0) assert.equal(part, 0)
      }
    }),
  )
})

test('an amount that is split and converted is the amount converted, whichever is done first', () => {
  const weights = fc
    .array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 20 })
    .filter((each) => each.some((weight) => weight > 0))
  fc.assert(
    fc.property(everyday, weights, published, (amountMinor, shares, how) => {
      const split = allocate(amountMinor, shares)
      const sum = (all: readonly number[]) => all.reduce((total, one) => total + one, 0)
      assert.equal(sum(split), amountMinor)
      const whole = convert(amountMinor, how)!
      assert.equal(sum(convertParts(split, how)!), whole)
      assert.equal(sum(allocate(whole, shares)), whole)
    }),
  )
})

test('splits are within one minor unit of their share, never of the other sign, and none for a weight of 0', () => {
  const weights = fc
    .array(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), { minLength: 1, maxLength: 50 })
    .filter((each) => each.some((weight) => weight > 0))
  fc.assert(
    fc.property(amount, weights, (amountMinor, shares) => {
      const split = allocate(amountMinor, shares)
      const total = shares.reduce((sum, weight) => sum + BigInt(weight), 0n)
      assert.equal(
        split.reduce((sum, part) => sum + BigInt(part), 0n),
        BigInt(amountMinor),
      )
      for (const [index, part] of split.entries()) {
        const off = BigInt(amountMinor) * BigInt(shares[index]!) - BigInt(part) * total
        assert.ok(off < total && off > -total)
        assert.ok(part === 0 || part < 0 === amountMinor < 0)
        if (shares[index] === 0) assert.equal(part, 0)
      }
    }),
  )
})

test('equal remainders go to the earlier part', () => {
  assert.deepEqual(allocate(100, [1, 1, 1]), [34, 33, 33])
  assert.deepEqual(allocate(-100, [1, 1, 1]), [-34, -33, -33])
  assert.deepEqual(convertParts([1, 1, 1], { ...eurToUsd, toRate: '0.5' }), [1, 1, 0])
  assert.deepEqual(convertParts([-1, -1, -1], { ...eurToUsd, toRate: '0.5' }), [-1, -1, 0])
  assert.deepEqual(convertParts([], eurToUsd), [])
  assert.throws(() => allocate(1, [0, 0]), RangeError)
})

test('parts past the range are no parts, nor is a sum past it', () => {
  assert.equal(convertParts([amountMinorMax, amountMinorMax], { ...eurToUsd, toRate: '1' }), undefined)
  assert.equal(convertParts([amountMinorMax, -amountMinorMax], { ...eurToUsd, toRate: '2' }), undefined)
  assert.deepEqual(convertParts([amountMinorMax, amountMinorMax], { ...eurToUsd, toRate: '0.5' }), [4503599627370496, 4503599627370495])
})

test('what is no rate and no exponent is refused', () => {
  for (const text of [
    '0',
    '0.00',
    '-1',
    '+1',
    '1e3',
    '',
    '.5',
    '1.',
    ' 1',
    '1,5',
    'NaN',
    'Infinity',
    '1'.repeat(13),
    `1.${'1'.repeat(13)}`,
    '1\n',
  ]) {
    assert.equal(isRate(text), false, text)
    assert.throws(() => convert(1, { ...eurToUsd, toRate: text }), RangeError, text)
    assert.throws(() => convertParts([1], { ...eurToUsd, fromRate: text }), RangeError, text)
  }
  for (const digits of [-1, 0.5, Number.NaN]) assert.throws(() => convert(1, { ...eurToUsd, toExponent: digits }), RangeError)
})
