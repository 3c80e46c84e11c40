// The rule of shedding: what counts as too much, how the level moves, and which calls it takes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pino } from 'pino'
import type { Criticality, Operation } from '../../src/http/operation.ts'
import { classStartOf, Shedder } from '../../src/http/shedding.ts'
import { judge, next, sheddingOrder, type Shedding, type Verdict } from '../../src/http/shedding-rule.ts'
import type { Strain } from '../../src/resources/strain.ts'
import { Failure } from '../../src/values/failure.ts'
import { limits } from '../../src/values/limits.ts'

const idle: Strain = { loopMs: 1, requests: 200, poolWaiting: 0, readsInFlight: 3, heapShare: 0.2, memoryShare: 0.1 }

test('each signal by itself is calm, nothing new, too much or severe', () => {
  const cases: [Partial<Strain>, Verdict['state'], (keyof Strain)[], number?][] = [
    [{}, 'calm', []],
    [{ loopMs: 24 }, 'calm', []],
    [{ loopMs: 25 }, 'steady', ['loopMs']],
    [{ loopMs: 50 }, 'over', ['loopMs']],
    [{ loopMs: 1_000 }, 'severe', ['loopMs']],
    [{ poolWaiting: 49 }, 'calm', []],
    [{ poolWaiting: 99 }, 'steady', ['poolWaiting']],
    [{ poolWaiting: 100 }, 'over', ['poolWaiting'], 100],
    [{ poolWaiting: 449 }, 'over', ['poolWaiting'], 100],
    [{ poolWaiting: 100, readsInFlight: 150 }, 'over', ['poolWaiting', 'readsInFlight'], 300],
    [{ poolWaiting: 450 }, 'severe', ['poolWaiting']],
    [{ readsInFlight: 74 }, 'calm', []],
    [{ readsInFlight: 150 }, 'over', ['readsInFlight']],
    [{ readsInFlight: 3_000 }, 'severe', ['readsInFlight']],
    [{ heapShare: 0.84 }, 'steady', ['heapShare']],
    [{ heapShare: 0.85 }, 'over', ['heapShare']],
    [{ heapShare: 0.95 }, 'severe', ['heapShare']],
    [{ memoryShare: 0.7 }, 'over', ['memoryShare']],
    [{ memoryShare: 0.9 }, 'severe', ['memoryShare']],
    [{ loopMs: 60, poolWaiting: 60, heapShare: 0.9 }, 'over', ['loopMs', 'heapShare']],
  ]
  const usual = { calm: 0, steady: 0, over: 300, severe: 500 }
  for (const [strain, state, by, most = usual[state]] of cases) {
    assert.deepEqual(judge({ ...idle, ...strain }), { state, most, by }, JSON.stringify(strain))
  }
})

test('a loop that is late with hardly a request to answer is not the requests’ fault', () => {
  assert.equal(judge({ ...idle, loopMs: 5_000, requests: limits.shedRequestsMin - 1 }).state, 'calm')
  assert.equal(judge({ ...idle, loopMs: 5_000, requests: limits.shedRequestsMin }).state, 'severe')
  assert.equal(judge({ ...idle, poolWaiting: 100, requests: 0 }).state, 'over', 'what waits for the pool was asked for by somebody')
})

type State = Verdict['state'] | 'poolOver'
const verdicts = {
  calm: { state: 'calm', most: 0 },
  steady: { state: 'steady', most: 0 },
  poolOver: { state: 'over', most: 100 },
  over: { state: 'over', most: 300 },
  severe: { state: 'severe', most: 500 },
} as const
const walk = (states: readonly State[], start: Shedding = { level: 0, over: 0 }) =>
  states.reduce((shedding, state) => next(shedding, verdicts[state]), start)
const times = (count: number, state: State) => Array<State>(count).fill(state)

test('the level rises by the second look in a row, a quarter of a class each, and falls by a tenth when it is calm', () => {
  const cases: [State[], number][] = [
    [['over'], 0],
    [['over', 'over'], 25],
    [times(5, 'over'), 100],
    [times(13, 'over'), 300],
    [times(100, 'over'), 300],
    [times(21, 'severe'), 500],
    [times(100, 'severe'), 500],
    [times(100, 'poolOver'), 100],
    [[...times(13, 'over'), ...times(5, 'poolOver')], 250],
    [[...times(100, 'severe'), 'over'], 490],
    [[...times(100, 'severe'), ...times(20, 'over')], 300],
    [[...times(5, 'over'), 'calm'], 90],
    [[...times(5, 'over'), ...times(10, 'calm')], 0],
    [[...times(5, 'over'), ...times(10, 'steady')], 90],
    [[...times(100, 'severe'), ...times(50, 'calm')], 0],
  ]
  for (const [states, level] of cases) assert.equal(walk(states).level, level, states.join())
})

const anyState = fc.constantFrom<State>('calm', 'steady', 'poolOver', 'over', 'severe')

test('whatever is seen: the level stays in its bounds, reaches writes by what is severe only, and goes to nothing again', () => {
  fc.assert(
    fc.property(fc.array(anyState, { maxLength: 200 }), (states) => {
      let state: Shedding = { level: 0, over: 0 }
      for (const one of states) {
        const before = state
        state = next(state, verdicts[one])
        assert.ok(Number.isInteger(state.level) && state.level >= 0 && state.level <= 500)
        if (one === 'calm' || one === 'steady') assert.ok(state.level <= before.level)
        if (state.level > 300) assert.ok(one === 'severe' || state.level < before.level)
      }
      assert.equal(walk(times(5_000 / limits.shedLookMs, 'calm'), state).level, 0, 'within 5 s')
      assert.equal(walk(times(500, 'steady'), state).level, 0, 'no state of the machine keeps it up for ever')
    }),
  )
})

test('it does not flap: a look now and then that finds too much changes nothing, and between calm and too much it hardly moves', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom<State>('calm', 'steady'), { maxLength: 100 }), (between) => {
      assert.equal(walk(between.flatMap((one): State[] => ['over', one])).level, 0)
    }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 300 }), (level) => {
      assert.ok(walk(times(10, 'steady'), { level, over: 0 }).level >= level - 10, 'a second of it takes a tenth of a class')
    }),
  )
})

/** A shedder that has seen as many looks as bring it to the level, and how many of a hundred calls of each class it refuses. */
function refusedAt(level: number): Record<Criticality, number> {
  let strain = { ...idle, readsInFlight: 3_000 }
  const shedder = new Shedder({ on: false, look: () => strain, log: pino({ level: 'silent' }) })
  while (shedder.level < Math.ceil(level / 25) * 25) shedder.look()
  strain = { ...idle, readsInFlight: 75 }
  while (shedder.level > level) shedder.look()
  assert.equal(shedder.level, level)
  const refused = sheddingOrder.map((criticality): [Criticality, number] => {
    const start = classStartOf({ criticality } as Operation)
    let count = 0
    for (let call = 0; call < 100; call++) {
      try {
        shedder.pass(start)
      } catch (error) {
        assert.ok(error instanceof Failure && error.code === 'overloaded' && error.retryAfterS === limits.shedRetryS)
        count++
      }
    }
    return [criticality, count]
  })
  const text = shedder.instruments[0]!.text()
  for (const [criticality, count] of refused)
    assert.match(text, new RegExp(`djinn_shed_total\\{criticality="${criticality}"\\} ${count}\n`))
  return Object.fromEntries(refused) as Record<Criticality, number>
}

test('reports go first, then lists, then sync, then writes, auth last; of a class its part, exactly', () => {
  const cases: [number, number[]][] = [
    [0, [0, 0, 0, 0, 0]],
    [1, [1, 0, 0, 0, 0]],
    [25, [25, 0, 0, 0, 0]],
    [99, [99, 0, 0, 0, 0]],
    [100, [100, 0, 0, 0, 0]],
    [137, [100, 37, 0, 0, 0]],
    [200, [100, 100, 0, 0, 0]],
    [250, [100, 100, 50, 0, 0]],
    [300, [100, 100, 100, 0, 0]],
    [360, [100, 100, 100, 60, 0]],
    [400, [100, 100, 100, 100, 0]],
    [500, [100, 100, 100, 100, 100]],
  ]
  for (const [level, refused] of cases) assert.deepEqual(Object.values(refusedAt(level)), refused, `at ${level}`)
})
