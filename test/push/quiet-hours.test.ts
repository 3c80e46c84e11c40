// Quiet hours by the wall clock of a zone: over midnight, and where clocks are put forward or back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { quietUntil, wordsOf } from '../../src/features/push/notification.ts'

const cases: [why: string, from: string, to: string, zone: string, now: string, until: string | null][] = [
  ['before it begins', '13:00', '15:00', 'UTC', '2026-02-28T12:59:59Z', null],
  ['as it begins', '13:00', '15:00', 'UTC', '2026-02-28T13:00:00Z', '2026-02-28T15:00:00Z'],
  ['the last moment', '13:00', '15:00', 'UTC', '2026-02-28T14:59:59Z', '2026-02-28T15:00:00Z'],
  ['as it ends', '13:00', '15:00', 'UTC', '2026-02-28T15:00:00Z', null],
  ['over midnight, before it', '22:00', '07:00', 'UTC', '2026-02-28T23:30:00Z', '2026-03-01T07:00:00Z'],
  ['over midnight, after it', '22:00', '07:00', 'UTC', '2026-03-01T06:59:00Z', '2026-03-01T07:00:00Z'],
  ['over midnight, as it ends', '22:00', '07:00', 'UTC', '2026-03-01T07:00:00Z', null],
  ['over midnight, by day', '22:00', '07:00', 'UTC', '2026-03-01T12:00:00Z', null],
  ['from midnight on', '00:00', '06:00', 'UTC', '2026-03-01T00:00:00Z', '2026-03-01T06:00:00Z'],
  ['until midnight', '20:00', '00:00', 'UTC', '2026-02-28T21:00:00Z', '2026-03-01T00:00:00Z'],
  ['all but a minute', '07:01', '07:00', 'UTC', '2026-03-01T07:01:00Z', '2026-03-02T07:00:00Z'],
  ['in a zone ahead', '22:00', '07:30', 'Asia/Kathmandu', '2026-02-28T17:00:00Z', '2026-03-01T01:45:00Z'],
  ['in a zone behind', '22:00', '07:00', 'America/Los_Angeles', '2026-03-01T06:30:00Z', '2026-03-01T15:00:00Z'],
  ['the short night in spring', '22:00', '07:00', 'Europe/Madrid', '2026-03-28T21:00:00Z', '2026-03-29T05:00:00Z'],
  ['the long night in autumn', '22:00', '07:00', 'Europe/Madrid', '2026-10-24T20:00:00Z', '2026-10-25T06:00:00Z'],
  // 02:30 is not on the clock that night: 03:30 stands for it.
  ['an end that the clock leaves out', '22:00', '02:30', 'Europe/Madrid', '2026-03-29T00:59:00Z', '2026-03-29T01:30:00Z'],
  ['past the end that the clock leaves out', '22:00', '02:30', 'Europe/Madrid', '2026-03-29T01:30:00Z', null],
  ['a beginning that the clock leaves out', '02:30', '06:00', 'Europe/Madrid', '2026-03-29T01:15:00Z', null],
  ['after a beginning that the clock leaves out', '02:30', '06:00', 'Europe/Madrid', '2026-03-29T01:30:00Z', '2026-03-29T04:00:00Z'],
  // 02:30 comes twice: people sleep until the second one.
  ['an end that comes twice, before the first', '22:00', '02:30', 'Europe/Madrid', '2026-10-25T00:15:00Z', '2026-10-25T01:30:00Z'],
  ['an end that comes twice, between', '22:00', '02:30', 'Europe/Madrid', '2026-10-25T00:45:00Z', '2026-10-25T01:30:00Z'],
  ['an end that comes twice, after the second', '22:00', '02:30', 'Europe/Madrid', '2026-10-25T01:30:00Z', null],
  ['a beginning that comes twice, at the first', '02:30', '06:00', 'Europe/Madrid', '2026-10-25T00:30:00Z', '2026-10-25T05:00:00Z'],
  ['a beginning that comes twice, before the second', '02:30', '06:00', 'Europe/Madrid', '2026-10-25T01:15:00Z', '2026-10-25T05:00:00Z'],
  ['a day that was skipped', '22:00', '07:00', 'Pacific/Apia', '2011-12-30T08:30:00Z', '2011-12-30T17:00:00Z'],
]

for (const [why, from, to, timeZone, now, until] of cases) {
  test(`quiet from ${from} to ${to} in ${timeZone}: ${why}`, () => {
    const end = quietUntil(Date.parse(now), { from, to, timeZone })
    assert.equal(end === null ? null : new Date(end).toISOString(), until === null ? null : new Date(until).toISOString())
  })
}

test('quiet hours end later than now and within a day and a bit, and then it is not quiet', () => {
  const minute = fc
    .integer({ min: 0, max: 1_439 })
    .map((of) => `${String(Math.floor(of / 60)).padStart(2, '0')}:${String(of % 60).padStart(2, '0')}`)
  const zone = fc.constantFrom('UTC', 'Europe/Madrid', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Africa/Casablanca')
  const instant = fc.integer({ min: Date.parse('2020-01-01'), max: Date.parse('2040-01-01') })
  fc.assert(
    fc.property(minute, minute, zone, instant, (from, to, timeZone, nowMs) => {
      if (from === to) return
      const end = quietUntil(nowMs, { from, to, timeZone })
      if (end === null) return
      assert.ok(end > nowMs && end - nowMs <= 25 * 3_600_000)
      assert.equal(quietUntil(end, { from, to, timeZone }), null)
    }),
  )
})

test('the words name who did it, if they have a name, and how many there were', () => {
  const told = (data: Record<string, unknown>, actorName: string | null = 'Ana', event = 'transactionReceived') =>
    wordsOf({ id: 'n', householdId: 'h', event, data, actorName }).body
  assert.equal(told({ kind: 'transaction' }), 'Ana added a transaction.')
  assert.equal(told({ kind: 'transaction' }, null), 'A member of your household added a transaction.')
  assert.equal(told({ kind: 'transfer' }), 'Ana made a transfer.')
  assert.equal(told({ kind: 'import', count: 1 }), 'Ana imported a transaction.')
  assert.equal(told({ kind: 'transactions', count: 12 }), 'Ana added 12 transactions.')
  assert.equal(told({ level: 80 }, null, 'budgetExceeded'), 'A budget has reached 80 %.')
  assert.equal(told({}, null, 'billReminder'), 'A bill is due soon.')
})
