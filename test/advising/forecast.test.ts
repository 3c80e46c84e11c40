// The line through the days, and the capacity of a server: what holds whatever the figures are.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { capacityOf, capacityRule } from '../../src/features/advising/capacity.ts'
import { hourMs } from '../../src/features/advising/evidence.ts'
import { dateOf, fit, forecastDay, forecastRule } from '../../src/features/advising/forecast.ts'
import { answersAt, evidence, GB, hour, type Draft } from './world.ts'

const today = 20_000
const lineOf = (slope: number, last: number, days: number) =>
  Array.from({ length: days }, (_, ago) => ({ day: today - ago, value: last - slope * ago }))

const growth = {
  slope: fc.integer({ min: 1, max: 1_000 }).map((n) => n / 10),
  last: fc.integer({ min: 0, max: 1_000 }),
  days: fc.integer({ min: forecastRule.daysMin, max: 30 }),
}

test('on a straight line the forecast is the first day on which it is at the threshold or above, and none beyond a year', () => {
  fc.assert(
    fc.property(fc.record(growth), fc.integer({ min: 1, max: 100_000 }), ({ slope, last, days }, more) => {
      const threshold = last + more
      const day = forecastDay(lineOf(slope, last, days), threshold, today)
      const ahead = Math.ceil(more / slope)
      // Where the line meets the threshold on a whole day, the last bit of a float decides for it or for the next.
      if (day === null) assert.ok(ahead >= forecastRule.daysAheadMax, `${ahead} days ahead`)
      else
        assert.ok(
          Math.abs(day - today - ahead) <=
            (Number.isInteger(more / slope) || Math.abs(more / slope - Math.round(more / slope)) < 1e-6 ? 1 : 0),
          `${day - today} is not ${ahead}`,
        )
    }),
  )
})

test('what does not grow, or was seen for less than a week, has no forecast', () => {
  fc.assert(
    fc.property(fc.record(growth), ({ slope, last, days }) => {
      assert.equal(forecastDay(lineOf(-slope, last, days), last + 1, today), null)
      assert.equal(forecastDay(lineOf(0, last, days), last + 1, today), null)
      assert.equal(forecastDay(lineOf(slope, last, forecastRule.daysMin - 1), last + 1, today), null)
    }),
  )
})

test('a higher threshold is never reached earlier, and neither unit nor order of the days matters', () => {
  const noisy = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 7, maxLength: 30 })
  fc.assert(
    fc.property(noisy, fc.integer({ min: 101, max: 300 }), fc.integer({ min: 1, max: 300 }), (values, threshold, more) => {
      const points = values.map((value, nth) => ({ day: today - values.length + nth, value }))
      const day = forecastDay(points, threshold, today)
      const later = forecastDay(points, threshold + more, today)
      if (day === null) assert.equal(later, null)
      else assert.ok(later === null || later >= day)
      assert.equal(forecastDay(points.toReversed(), threshold, today), day)
      // Powers of two scale floats without a rest.
      assert.equal(
        forecastDay(
          points.map((point) => ({ ...point, value: point.value * 1024 })),
          threshold * 1024,
          today,
        ),
        day,
      )
      if (day !== null) assert.ok(day > today && day <= today + forecastRule.daysAheadMax)
    }),
  )
})

test('what chance gives is no trend', () => {
  const values = [50, 20, 70, 30, 60, 10, 80, 40, 55, 25]
  assert.equal(
    forecastDay(
      values.map((value, nth) => ({ day: today - 10 + nth, value })),
      90,
      today,
    ),
    null,
  )
  assert.equal(fit([{ x: 1, y: 1 }]), null)
  assert.equal(
    fit([
      { x: 1, y: 1 },
      { x: 1, y: 2 },
      { x: 1, y: 3 },
    ]),
    null,
    'points above each other',
  )
  assert.equal(dateOf(20_604), '2026-05-31')
})

/** A busy hour: milliseconds of CPU for a request, requests, people. */
type Busy = { costMs: number; requests: number; registered: number; cpus: number; sizeMB: number; othersMs: number }
const busyHour = fc.record<Busy>({
  costMs: fc.integer({ min: 1, max: 20 }),
  requests: fc.integer({ min: capacityRule.requestsMin, max: 300_000 }),
  registered: fc.integer({ min: 1, max: 100_000 }),
  cpus: fc.constantFrom(2, 4, 8),
  sizeMB: fc.integer({ min: 30, max: 20_000 }),
  othersMs: fc.integer({ min: 0, max: 500_000 }),
})

function draftOf({ costMs, requests, registered, cpus, sizeMB, othersMs }: Busy): Draft {
  const ownMs = costMs * requests
  return {
    answers: answersAt(100, requests),
    cpuMs: ownMs / 2,
    statementMs: requests,
    machine: { cpus, busyMs: ownMs + othersMs, allMs: cpus * hourMs, diskBytes: 40 * GB, diskUsedBytes: 5 * GB },
    service: { databaseCpuMs: ownMs / 2, registered, users: Math.ceil(registered / 10), sizeBytes: sizeMB * 1024 * 1024 },
  }
}
const capacity = (busy: Busy) => capacityOf(evidence([hour(draftOf(busy))]))

test('capacity is the least of what each resource takes, and names it', () => {
  fc.assert(
    fc.property(busyHour, (busy) => {
      const { users, limitedBy, room, resources } = capacity(busy)
      const each = Object.values(resources).flatMap((resource) => (resource.users === null ? [] : [resource.users]))
      assert.equal(users, Math.min(...each))
      assert.equal(resources[limitedBy!]!.users, users)
      assert.ok(Number.isInteger(users) && users >= 0)
      assert.equal(room, Math.max(0, users - busy.registered))
    }),
  )
})

test('a request that costs more, or neighbours that take more, never raise what the CPUs take; more CPUs never lower it', () => {
  fc.assert(
    fc.property(busyHour, fc.integer({ min: 2, max: 5 }), (busy, times) => {
      const users = (of: Busy) => capacity(of).resources.cpu!.users!
      assert.ok(users({ ...busy, costMs: busy.costMs * times }) <= users(busy))
      assert.ok(users({ ...busy, othersMs: busy.othersMs * times }) <= users(busy))
      assert.ok(users({ ...busy, cpus: busy.cpus * times }) >= users(busy))
    }),
  )
})

test('twice the users who ask for twice as much find the same room on the CPUs and on the disk', () => {
  fc.assert(
    fc.property(busyHour, (busy) => {
      const one = capacity(busy).resources
      const two = capacity({
        ...busy,
        requests: busy.requests * 2,
        registered: busy.registered * 2,
        sizeMB: (busy.sizeMB - 24) * 2 + 24,
        othersMs: busy.othersMs,
      }).resources
      assert.ok(Math.abs(one.cpu!.users! - two.cpu!.users!) <= 1, `${one.cpu!.users} and ${two.cpu!.users}`)
      // What is on the disk does not grow with the draft, so those who are there already are the difference.
      assert.ok(Math.abs(two.disk!.users! - one.disk!.users! - busy.registered) <= 1)
    }),
  )
})

test('the CPUs take what the hour says: 2 CPUs, 4 ms a request, one request a second of 3,600 users', () => {
  const busy = { costMs: 4, requests: 3_600, registered: 3_600, cpus: 2, sizeMB: 24, othersMs: 0 }
  const { users, limitedBy, cpuMsPerRequest, requestsPerSecond, busiestHour, room } = capacity(busy)
  assert.deepEqual([cpuMsPerRequest, requestsPerSecond, users, limitedBy, room], [4, 400, 1_440_000, 'cpu', 1_436_400])
  assert.deepEqual([busiestHour!.requests, busiestHour!.requestsPerSecond, busiestHour!.activeUsers], [3_600, 1, 360])
})

test('what the service takes when nobody asks is no cost of a request', () => {
  const idleMs = 36_000
  const hours = Array.from({ length: 24 }, (_, ago) => {
    const requests = 10_000 - ago * 200
    const busyMs = idleMs + requests * 4
    return hour({
      hoursAgo: ago + 1,
      answers: answersAt(100, requests),
      cpuMs: busyMs,
      machine: { busyMs },
      service: { databaseCpuMs: 0, registered: 1_000, sizeBytes: 0 },
    })
  })
  const { cpuMsPerRequest, resources } = capacityOf(evidence(hours))
  assert.ok(Math.abs(cpuMsPerRequest! - 4) < 1e-6)
  assert.ok(Math.abs(resources.cpu!.users! - Math.floor((1_000 * (0.8 * 2 * hourMs - idleMs)) / 40_000)) <= 1)
})

test('memory bounds users only where it grew with them', () => {
  const hours = (grows: number) =>
    Array.from({ length: 24 }, (_, ago) =>
      hour({
        hoursAgo: ago + 1,
        answers: answersAt(100, 2_000 - ago),
        machine: { memoryUsedBytes: GB + grows * (100 - ago) },
        service: { users: 100 - ago, registered: 1_000 },
      }),
    )
  const flat = capacityOf(evidence(hours(0))).resources.memory!
  assert.equal(flat.users, null)
  const { users } = capacityOf(evidence(hours(1024 ** 2))).resources.memory!
  // 0.9 of 4 GB less 1 GB, a MB for each active user, of whom ten are registered.
  assert.equal(users, Math.floor((1_000 * (0.9 * 4 * 1024 - 1024)) / 100))
})

test('without enough requests, people or a machine that tells, it says what is missing', () => {
  assert.match(capacityOf(evidence([])).why!, /1000 requests/)
  const nobody = capacityOf(evidence([hour({ answers: answersAt(100, 2_000), service: { registered: 0 } })]))
  assert.match(nobody.why!, /nobody is registered/)
  const blind = capacityOf(evidence([hour({ answers: answersAt(100, 2_000), machine: null, statementMs: 0, service: { sizeBytes: 0 } })]))
  assert.deepEqual([blind.users, blind.cpuMsPerRequest], [null, null])
  assert.match(blind.why!, /nothing shows yet/)
})
