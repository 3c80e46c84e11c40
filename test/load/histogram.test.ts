// The histogram of the load generator against exact quantiles.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Histogram, relativeErrorMax } from '../../src/load/histogram.ts'

const halfMicrosecondMs = 0.0005
const shares = [0.001, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1]
/** From below a microsecond to some twenty minutes, every order of magnitude as likely. */
const valuesMs = fc.array(
  fc.double({ min: -4, max: 6.1, noNaN: true }).map((power) => 10 ** power),
  { minLength: 1, maxLength: 300 },
)

function of(values: readonly number[]): Histogram {
  const histogram = new Histogram()
  for (const value of values) histogram.add(value)
  return histogram
}

test('a quantile lies within 1/128 of the exact one, at every order of magnitude', () => {
  fc.assert(
    fc.property(valuesMs, (values) => {
      const histogram = of(values)
      const sorted = values.toSorted((one, other) => one - other)
      for (const share of shares) {
        const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1]!
        const told = histogram.quantileMs(share)
        assert.ok(Math.abs(told - exact) <= exact * relativeErrorMax + halfMicrosecondMs, `${share}: ${told} for ${exact}`)
      }
      assert.equal(histogram.maxMs, sorted.at(-1))
      assert.equal(histogram.count, values.length)
    }),
  )
})

test('two histograms merged are the one of all values', () => {
  fc.assert(
    fc.property(valuesMs, valuesMs, (some, others) => {
      const merged = of(some)
      merged.merge(of(others))
      const whole = of([...some, ...others])
      for (const share of shares) assert.equal(merged.quantileMs(share), whole.quantileMs(share))
      assert.equal(merged.countFrom(10), whole.countFrom(10))
    }),
  )
})

test('the steps count every value once, without a gap', () => {
  fc.assert(
    fc.property(valuesMs, (values) => {
      const steps = of(values).steps()
      assert.equal(
        steps.reduce((sum, step) => sum + step.count, 0),
        values.length,
      )
      for (const [index, step] of steps.entries()) if (index > 0) assert.equal(step.fromMs, steps[index - 1]!.toMs)
    }),
  )
})

test('nothing recorded is 0, and what is longer than it can tell counts as its longest', () => {
  assert.deepEqual([new Histogram().quantileMs(0.5), new Histogram().steps()], [0, []])
  const histogram = of([1e9])
  assert.equal(histogram.count, 1)
  assert.ok(histogram.quantileMs(0.5) > 2_000_000)
})
