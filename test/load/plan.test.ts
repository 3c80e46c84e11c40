// What is sent when: scenarios, arrivals and the mix, all of it by the seed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mix, plan, type Planned } from '../../src/load/mix.ts'
import { randomOf, shuffled } from '../../src/load/random.ts'
import { arrivals, highestRate, scaled, scenarioNames, scenarios, secondsOf } from '../../src/load/scenario.ts'
import { tooFewTokens } from '../../src/load/run.ts'

const everyMs = function* (count: number) {
  for (let at = 0; at < count; at++) yield at
}

test('the shares of the mix sum to 1', () => {
  const sum = mix.reduce((total, one) => total + Math.round(one.share * 100), 0)
  assert.equal(sum, 100)
})

test('a long plan has every operation in its share', () => {
  const requests = 200_000
  const counts = Map.groupBy(plan(everyMs(requests), 500, 100, randomOf(7)), (planned) => planned.step)
  for (const { name, share } of mix) {
    const is = counts.get(name)!.length / requests
    assert.ok(Math.abs(is - share) < 0.005, `${name}: ${is} for ${share}`)
  }
})

test('equal seeds plan equal requests, others do not', () => {
  const planned = (seed: number) => [...plan(everyMs(1_000), 40, 10, randomOf(seed))]
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      assert.deepEqual(planned(seed), planned(seed))
      assert.notDeepEqual(planned(seed), planned(seed + 1))
    }),
    { numRuns: 20 },
  )
})

test('a phone starts before anything else, all three calls in a row, and all phones have their turn', () => {
  const byPhone = Map.groupBy(plan(everyMs(20_000), 50, 10, randomOf(3)), (planned) => planned.phone)
  assert.equal(byPhone.size, 50)
  for (const requests of byPhone.values()) {
    const steps = requests.map((planned: Planned) => planned.step)
    for (const [at, step] of steps.entries()) {
      if (step === 'config' && at + 2 < steps.length) assert.deepEqual(steps.slice(at, at + 3), ['config', 'sync', 'accounts'])
    }
  }
  const starts = [...byPhone.values()].map((requests) => requests.filter((planned) => planned.step === 'config').length)
  // Some 32 each; dealt at random they would lie 25 apart.
  assert.ok(Math.max(...starts) - Math.min(...starts) <= 8, starts.join())
})

test('a phone has one session at a time, however many there are', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 50 }), fc.nat(), (phones, rate, seed) => {
      const planned = [...plan(everyMs(500), phones, rate, randomOf(seed))]
      assert.deepEqual(
        planned.map((one) => one.index),
        planned.map((_one, at) => at),
      )
      assert.ok(planned.every((one) => one.phone >= 0 && one.phone < phones))
    }),
  )
})

test('constant arrivals are as many as the rate says, evenly, and Poisson ones nearly as many, in order', () => {
  const steady = [{ seconds: 10, fromPerS: 100, toPerS: 100 }]
  const even = [...arrivals(steady, 'constant', randomOf(1))]
  assert.equal(even.length, 1_000)
  for (const [at, moment] of even.entries()) assert.ok(Math.abs(moment - (at * 10 + 5)) < 0.01)
  for (const name of scenarioNames) {
    const stretches = scaled(scenarios[name].stretches, { seconds: 20 })
    const expected = stretches.reduce((sum, one) => sum + (one.seconds * (one.fromPerS + one.toPerS)) / 2, 0)
    const moments = [...arrivals(stretches, 'poisson', randomOf(5))]
    // Five standard deviations of a Poisson count.
    assert.ok(Math.abs(moments.length - expected) < 5 * Math.sqrt(expected), `${name}: ${moments.length} for ${expected}`)
    assert.ok(moments.every((moment, at) => moment >= (moments[at - 1] ?? 0) && moment <= 20_000))
  }
})

test('the scenarios are 100/s, 1,000/s, 500/s for an hour, and from 0 to 2,000/s', () => {
  const facts = scenarioNames.map((name) => [name, highestRate(scenarios[name].stretches), secondsOf(scenarios[name].stretches)])
  assert.deepEqual(facts, [
    ['normal', 100, 60],
    ['peak', 1_000, 60],
    ['sustained', 500, 3_600],
    ['spike', 2_000, 30],
  ])
  assert.equal(scenarios.spike.stretches[0]!.fromPerS, 0)
  // A quarter of the ramp brings a sixteenth of its requests: the rate rises evenly.
  const ramp = [...arrivals(scenarios.spike.stretches.slice(0, 1), 'constant', randomOf(1))]
  assert.equal(ramp.length, 10_000)
  assert.equal(ramp.filter((moment) => moment < 2_500).length, 625)
})

test('tokens that are too few for the usual limit are told beforehand', () => {
  assert.equal(tooFewTokens(100, 100), null)
  assert.match(tooFewTokens(1_000, 100)!, /each of 100 tokens makes 672 requests a minute/)
})

test('a shuffle keeps every number once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 200 }), fc.nat(), (count, seed) => {
      const numbers = shuffled(randomOf(seed), count)
      assert.deepEqual(
        numbers.toSorted((one, other) => one - other),
        Array.from({ length: count }, (_, at) => at),
      )
    }),
  )
})
