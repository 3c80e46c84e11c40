// The simulation of growth: fresh in its page, never cheaper with more users, and each setup takes what it is chosen for.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { counts, eurPerUserMax, lineOf, measured, needs, table, takes } from '../../rigs/growth/model.ts'

test('the page has the table that the command makes now', () => {
  assert.ok(
    readFileSync('docs/scaling.md', 'utf8').includes(`<!-- growth -->\n${table(measured)}\n<!-- /growth -->`),
    'node rigs/growth/growth.ts --write',
  )
})

test('the mix is whole, and 100,000 users ask for 1,000 requests a second', () => {
  assert.ok(Math.abs(measured.kinds.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9)
  assert.ok(Math.abs(needs(100_000, measured).perSecond - 1_000) < 1e-9)
})

test('more users never cost less, each setup takes them, and from 2,000 on a user costs less than the target', () => {
  let before = 0
  for (const users of [...counts, 2_000].toSorted((one, other) => one - other)) {
    const line = lineOf(users, measured)
    assert.ok(takes(line.setup, users, measured) && line.eurPerMonth >= before, String(users))
    assert.equal(line.eurPerUser < eurPerUserMax, users >= 2_000, String(users))
    before = line.eurPerMonth
  }
})

test('requests that cost more, or come more often, bring a step forward', () => {
  const dear = { ...measured, kinds: measured.kinds.map((kind) => ({ ...kind, apiMs: kind.apiMs * 40, databaseMs: kind.databaseMs * 40 })) }
  assert.equal(lineOf(5_000, measured).setup.step, 'one server: CX22')
  assert.equal(lineOf(5_000, dear).setup.step, 'one server: CX32')
  assert.ok(lineOf(1_000_000, { ...measured, peakFactor: 60 }).setup.shards > 1)
})
