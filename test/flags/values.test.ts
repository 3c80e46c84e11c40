// Values of flags, and the side of a share that a user is on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { featureNames, flagNames, flags, readFlagValue, seedOf, shareOf, standingOf, valuesOf, wholeShare } from '../../src/values/flags.ts'
import { newId } from '../../src/values/id.ts'

test('every flag takes its default, says what it takes, and what it is for', () => {
  for (const name of flagNames) {
    assert.equal(readFlagValue(name, flags[name].default), flags[name].default)
    assert.ok(valuesOf(name).includes(flags[name].default), name)
    assert.match(flags[name].summary, /^[A-Z].{20,}[^.]$/, name)
    assert.match(name, /^[a-zA-Z]{1,40}$/, 'as the table holds it')
  }
})

test('a value has one spelling, and what is none is none', () => {
  const cases: [string, string | null][] = [
    ['on', 'on'],
    ['off', 'off'],
    ['25%', '25%'],
    ['025%', '25%'],
    ['12.50%', '12.5%'],
    ['0.01%', '0.01%'],
    ['0%', 'off'],
    ['0.00%', 'off'],
    ['100%', 'on'],
    ['100.00%', 'on'],
    ...['100.01%', '101%', '-1%', '25', '%', '1e1%', '0.001%', ' 25%', 'On', 'true', '', 'open', '٣%', '25%\n'].map(
      (text): [string, null] => [text, null],
    ),
  ]
  for (const [text, value] of cases) assert.equal(readFlagValue('imports', text), value, JSON.stringify(text))
  for (const text of ['25%', 'maybe', 'open']) assert.equal(readFlagValue('readOnly', text), null)
  for (const text of ['on', 'OPEN', '', 'constructor']) assert.equal(readFlagValue('registration', text), null)
})

test('a share is counted exactly, whatever its decimals', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: wholeShare - 1 }), (parts) => {
      const kept = readFlagValue('imports', `${parts / 100}%`)!
      assert.equal(shareOf(kept), parts)
    }),
  )
  assert.deepEqual(['on', 'off'].map(shareOf), [wholeShare, 0])
})

test('a user keeps their side, and a share that grows takes nobody out', () => {
  fc.assert(
    fc.property(
      fc.uuid(),
      fc.constantFrom(...featureNames),
      fc.tuple(fc.nat(wholeShare), fc.nat(wholeShare)),
      (user, feature, [one, other]) => {
        const standing = standingOf(seedOf(feature), user)
        assert.equal(standing, standingOf(seedOf(feature), user))
        assert.ok(Number.isInteger(standing) && standing >= 0 && standing < wholeShare)
        const [smaller, larger] = [Math.min(one, other), Math.max(one, other)]
        assert.ok(!(standing < smaller) || standing < larger)
      },
    ),
  )
})

test('where a user stands is the same in every version: these are kept for ever', () => {
  const user = '01890a5d-ac96-774b-bcce-b302099a8057'
  assert.deepEqual(
    featureNames.map((name) => standingOf(seedOf(name), user)),
    [8889, 4828, 2157, 5402, 8474, 2341, 374, 9311],
  )
})

test('a share gets its part of the users, ids that were made one after the other too, and each flag another part', () => {
  const users = Array.from({ length: 20_000 }, () => newId())
  const standings = new Map(featureNames.map((name) => [name, users.map((user) => standingOf(seedOf(name), user))]))
  for (const [name, ofUsers] of standings) {
    for (const share of [100, 2_500, 5_000]) {
      const inside = ofUsers.filter((standing) => standing < share).length
      const expected = (users.length * share) / wholeShare
      // Six standard deviations of a fair draw.
      assert.ok(Math.abs(inside - expected) < 6 * Math.sqrt(expected * (1 - share / wholeShare)), `${name} ${share}: ${inside}`)
    }
  }
  const [imports, exports] = [standings.get('imports')!, standings.get('exports')!]
  const both = users.filter((_, index) => imports[index]! < 5_000 && exports[index]! < 5_000).length
  assert.ok(Math.abs(both - users.length / 4) < 6 * Math.sqrt((users.length * 3) / 16), `${both} are in both halves`)
})
