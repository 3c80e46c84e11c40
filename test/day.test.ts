// Calendar days: which one it is where, over changes of clocks and of the date line.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dayOf } from '../src/values/day.ts'

test('an instant is of the day that it is in its zone', () => {
  for (const [instant, zone, day] of [
    ['2026-03-29T00:30:00Z', 'Europe/Madrid', '2026-03-29'],
    ['2026-03-28T22:59:59.999Z', 'Europe/Madrid', '2026-03-28'],
    ['2026-03-28T23:00:00Z', 'Europe/Madrid', '2026-03-29'],
    ['2026-03-29T21:59:59Z', 'Europe/Madrid', '2026-03-29'],
    ['2026-03-29T22:00:00Z', 'Europe/Madrid', '2026-03-30'],
    ['2026-10-25T22:59:59Z', 'Europe/Madrid', '2026-10-25'],
    // Midnight itself was skipped that day.
    ['2018-11-04T02:59:59Z', 'America/Sao_Paulo', '2018-11-03'],
    ['2018-11-04T03:00:00Z', 'America/Sao_Paulo', '2018-11-04'],
    // The whole 30th was.
    ['2011-12-30T09:59:59Z', 'Pacific/Apia', '2011-12-29'],
    ['2011-12-30T10:00:00Z', 'Pacific/Apia', '2011-12-31'],
    ['2026-01-01T00:00:00Z', 'Pacific/Kiritimati', '2026-01-01'],
    ['2025-12-31T09:59:59Z', 'Pacific/Kiritimati', '2025-12-31'],
  ] as const) {
    assert.equal(dayOf(Date.parse(instant), zone), day, `${instant} in ${zone}`)
  }
})

test('asked in any order, a zone answers as the calendar does', () => {
  const zone = 'Europe/Lisbon'
  for (let index = 0; index < 2_000; index++) {
    const instantMs = Date.UTC(2025, 0, 1) + ((index * 7_919_333_111) % (730 * 86_400_000))
    const plain = new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(instantMs)
    assert.equal(dayOf(instantMs, zone), plain)
  }
})
