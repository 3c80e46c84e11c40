// Every trigger at, below and above its threshold, what it is not, and the fix that is cheaper.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { advise, verdictOf, type Advice } from '../../src/features/advising/advice.ts'
import { hourMs } from '../../src/features/advising/evidence.ts'
import { facts as knownFacts } from '../../src/features/advising/facts.ts'
import { p95TargetMs, rules } from '../../src/features/advising/rules.ts'
import { slotMs, type Piece } from '../../src/features/advising/measures.ts'
import { answersAt, evidence, GB, hour, nowMs } from './world.ts'

type World = { pieces?: Piece[]; facts?: Record<string, number> }

function judge({ pieces = [], facts = {} }: World, trigger: string): Advice {
  return advise(evidence(pieces, { facts })).advice.find((one) => one.trigger === trigger)!
}

const cpu = (percent: number): World => ({ pieces: [hour({ machine: { busyMs: (percent / 100) * 2 * hourMs } })] })
const databaseCpu = (percent: number): World => ({ pieces: [hour({ service: { databaseCpuMs: (percent / 100) * 2 * hourMs } })] })
const memory = (percent: number): World => ({ pieces: [hour({ machine: { memoryBytes: 100 * GB, memoryUsedBytes: percent * GB } })] })
const disk = (percent: number): World => ({ pieces: [hour({ machine: { diskBytes: 100 * GB, diskUsedBytes: percent * GB } })] })
const declared =
  (name: string) =>
  (value: number): World => ({ facts: { [name]: value } })
/** 95 of 100 answers within a bound: the p95 is the bound itself. */
const p95 = (ms: number): World => ({
  pieces: [hour({ answers: answersAt(ms, 950).map((count, index) => count + answersAt(5_000, 50)[index]!) })],
})

/** A world with the trigger's value; and values at, below and above the threshold, with the verdict below it. */
const tables: Record<
  string,
  { world: (value: number) => World; at: number; below: number; far: number; above: number; belowIs?: string; atIs?: string }
> = {
  'redis-processes': {
    world: (many) => ({ pieces: Array.from({ length: many }, (_, nth) => hour({ process: `p${nth}`, service: nth === 0 ? {} : null })) }),
    at: 1,
    below: 1,
    far: 1,
    above: 2,
    belowIs: 'not yet',
    atIs: 'not yet',
  },
  'redis-durable-cache': { world: declared('durable-cache'), at: 0, below: 0, far: 0, above: 1, belowIs: 'not yet', atIs: 'not yet' },
  'redis-database-cpu': { world: databaseCpu, at: 60, below: 59, far: 40, above: 61 },
  'redis-same-statement': {
    world: (perMinute) => ({
      pieces: [hour({ statements: { 'accounts.list': { calls: perMinute * 60, totalMs: 60 } }, statementMs: 600 })],
    }),
    at: 100,
    below: 99,
    far: 20,
    above: 101,
  },
  'replica-reads': { world: (ratio) => ({ pieces: [hour({ reads: ratio * 100, writes: 100 })] }), at: 10, below: 9, far: 3, above: 11 },
  'replica-database-cpu': { world: databaseCpu, at: 80, below: 79, far: 40, above: 81 },
  'cdn-public-bytes': {
    world: (percent) => ({ pieces: [hour({ publicBytes: percent * 1e6, privateBytes: (100 - percent) * 1e6 })] }),
    at: 50,
    below: 49,
    far: 10,
    above: 51,
  },
  'cdn-far-users': { world: declared('far-users-ms'), at: 200, below: 199, far: 50, above: 201 },
  'queue-long-operations': {
    world: (seconds) => ({ pieces: [hour({ longestMs: { 'imports.create': seconds * 1_000 } })] }),
    at: 5,
    below: 4.9,
    far: 1,
    above: 5.1,
  },
  'queue-timeouts': {
    world: (timeouts) => ({ pieces: [hour({ timeouts })] }),
    at: 0,
    below: 0,
    far: 0,
    above: 1,
    belowIs: 'not yet',
    atIs: 'not yet',
  },
  'server-cpu': { world: cpu, at: 60, below: 59, far: 20, above: 61 },
  'server-memory': { world: memory, at: 80, below: 79, far: 20, above: 81 },
  'server-disk': { world: disk, at: 80, below: 79, far: 20, above: 81 },
  'server-connections': {
    world: (connections) => ({ pieces: [hour({ service: { connections } })] }),
    at: 80,
    below: 79,
    far: 20,
    above: 81,
  },
  'horizontal-cpu': { world: cpu, at: 80, below: 79, far: 20, above: 81 },
  'horizontal-memory': { world: memory, at: 90, below: 89, far: 20, above: 91 },
  'horizontal-zero-downtime': { world: declared('zero-downtime'), at: 0, below: 0, far: 0, above: 1, belowIs: 'not yet', atIs: 'not yet' },
  'microservices-team': { world: declared('team-size'), at: 20, below: 19, far: 6, above: 21 },
  'microservices-contexts': { world: declared('bounded-contexts'), at: 0, below: 0, far: 0, above: 1, belowIs: 'not yet', atIs: 'not yet' },
  'microservices-scaling': { world: declared('uneven-scaling'), at: 0, below: 0, far: 0, above: 1, belowIs: 'not yet', atIs: 'not yet' },
}

for (const [trigger, { world, at, below, far, above, belowIs = 'soon', atIs = 'soon' }] of Object.entries(tables)) {
  test(`${trigger}: not yet, soon, and now only above its threshold`, () => {
    const cases = [
      [far, 'not yet'],
      [below, belowIs],
      [at, atIs],
      [above, 'now'],
    ] as const
    for (const [value, verdict] of cases) {
      const one = judge(world(value), trigger)
      assert.deepEqual([one.value, one.threshold, one.verdict], [value, at, verdict], `${trigger} of ${value}`)
    }
    assert.ok(judge(world(above), trigger).cheaperFix, 'there is something to try first')
    assert.equal(judge(world(far), trigger).cheaperFix, null)
    const unknown = judge({}, trigger)
    assert.deepEqual([unknown.value, unknown.verdict, unknown.cheaperFix, unknown.forecastDate], [null, 'not yet', null, null])
  })
}

test('p95: below, at and above 200 ms, and against the target of so many users', () => {
  for (const [ms, verdict] of [
    [100, 'not yet'],
    [200, 'soon'],
    [500, 'now'],
  ] as const) {
    const one = judge(p95(ms), 'redis-p95')
    assert.deepEqual([one.value, one.threshold, one.verdict], [ms, 200, verdict])
  }
  for (const [registered, target] of [
    [999, 500],
    [1_000, 200],
    [9_999, 200],
    [10_000, 100],
  ] as const) {
    assert.equal(p95TargetMs(registered), target)
    const one = (ms: number) => judge({ pieces: [hour({ answers: answersAt(ms), service: { registered } })] }, 'horizontal-p95')
    // All answers lie between the bound before and this one: 95 of 100 are just below it.
    assert.deepEqual([one(target).threshold, one(target).verdict], [target, 'soon'])
    assert.equal(one(target === 100 ? 200 : target === 200 ? 500 : 1_000).verdict, 'now')
  }
})

test('backups: p95 while one runs against p95 otherwise', () => {
  const quiet = hour({ answers: answersAt(100), hoursAgo: 2 })
  const during = (ms: number) => [quiet, hour({ answers: answersAt(ms), service: { backup: true } })]
  assert.deepEqual(
    [judge({ pieces: during(100) }, 'replica-backups').value, judge({ pieces: during(100) }, 'replica-backups').verdict],
    [1, 'not yet'],
  )
  assert.equal(judge({ pieces: during(200) }, 'replica-backups').verdict, 'now')
  assert.equal(judge({ pieces: [quiet] }, 'replica-backups').value, null, 'no backup was seen')
  assert.equal(judge({ pieces: during(200).slice(1) }, 'replica-backups').value, null, 'there is nothing to hold it against')
  const [first, second] = during(200)
  const weekAgo = [first!, { ...second!, slot: second!.slot - (8 * 24 * hourMs) / slotMs }]
  assert.equal(judge({ pieces: weekAgo }, 'replica-backups').value, null)
})

test('every trigger of the contract has its rule, a name of its own and a table here', () => {
  const names = rules.map(({ trigger }) => trigger)
  assert.equal(new Set(names).size, names.length)
  const tested = new Set([...Object.keys(tables), 'redis-p95', 'horizontal-p95', 'replica-backups'])
  assert.deepEqual(
    names.filter((name) => !tested.has(name)),
    [],
  )
  assert.equal(names.length, tested.size)
  assert.deepEqual(
    [...new Set(rules.map(({ step }) => step))],
    ['redis', 'replica', 'cdn', 'queue', 'server', 'horizontal', 'microservices'],
  )
})

test('docs/advisor.md has every trigger with its threshold and fact, and no others', () => {
  const rows = [...readFileSync('docs/advisor.md', 'utf8').matchAll(/^\| `(\w+-[\w-]+)` \| [^|]* \| (\d[\d.]*)[^|]* \| ([^|]*) \|$/gm)]
  const nothing = evidence([])
  assert.deepEqual(
    rows.map(([, trigger, threshold]) => [trigger, Number(threshold)]),
    rules.map((rule) => [rule.trigger, rule.threshold(nothing)]),
  )
  const told = rows.flatMap(([, , , of]) => /^declared: `(.*)`$/.exec(of!)?.[1] ?? [])
  assert.deepEqual(told.toSorted(), knownFacts.map(({ name }) => name).toSorted())
})

test('an answer has these fields in this order, whatever is known', () => {
  for (const pieces of [[], [hour()]]) {
    const { advice, capacity } = advise(evidence(pieces))
    for (const one of advice) {
      assert.deepEqual(Object.keys(one), [
        'trigger',
        'verdict',
        'value',
        'threshold',
        'unit',
        'windowMs',
        'cheaperFix',
        'costEurPerMonth',
        'forecastDate',
      ])
    }
    assert.equal(capacity.users, null)
    assert.ok(capacity.why)
  }
})

test('what lies before the window does not count, the busiest hour within it does', () => {
  const busy = { machine: { busyMs: 1.9 * hourMs } }
  assert.equal(judge({ pieces: [hour({ ...busy, hoursAgo: 26 }), hour()] }, 'server-cpu').verdict, 'not yet')
  assert.equal(judge({ pieces: [hour({ ...busy, hoursAgo: 23 }), hour()] }, 'server-cpu').verdict, 'now')
})

test('a restart, in which one process follows the other, makes no two of them', () => {
  const half = { watchedMs: hourMs / 2, servedMs: hourMs / 2 }
  assert.equal(judge({ pieces: [hour(half), hour({ ...half, process: 'q', service: null })] }, 'redis-processes').value, 1)
  assert.equal(
    judge({ pieces: [hour(), hour({ process: 'worker', servedMs: 0, service: null })] }, 'redis-processes').value,
    1,
    'a worker serves nobody',
  )
})

test('processes that share by Redis have their one view already', () => {
  const beside = (sharedMs: number) => [hour({ sharedMs }), hour({ process: 'q', service: null, sharedMs })]
  assert.equal(judge({ pieces: beside(0) }, 'redis-processes').verdict, 'now')
  assert.equal(judge({ pieces: beside(hourMs) }, 'redis-processes').verdict, 'not yet')
  const [one, other] = beside(0)
  for (const { measures } of [one!, other!]) delete measures.sharedMs
  assert.equal(judge({ pieces: [one!, other!] }, 'redis-processes').value, 2, 'what was kept by an older version')
})

test('a burst of minutes is no load that lasts, and a few requests have no p95', () => {
  const minute = { watchedMs: 60_000, machine: { busyMs: 120_000, allMs: 120_000 }, service: { watchedMs: 60_000, databaseCpuMs: 120_000 } }
  for (const trigger of ['server-cpu', 'horizontal-cpu', 'redis-database-cpu'])
    assert.equal(judge({ pieces: [hour(minute)] }, trigger).value, null, trigger)
  assert.equal(judge({ pieces: [hour({ answers: answersAt(1_000, 19) })] }, 'redis-p95').value, null)
})

test('of several machines the busiest counts', () => {
  const pieces = [
    hour({ machine: { busyMs: 0.2 * hourMs } }),
    hour({ host: 'two', process: 'q', service: null, machine: { busyMs: 1.8 * hourMs } }),
  ]
  assert.equal(judge({ pieces }, 'horizontal-cpu').value, 90)
  assert.equal(judge({ pieces }, 'redis-processes').value, 2)
})

const slow: Piece = hour({ answers: answersAt(1_000), reads: 900, writes: 100, machine: { busyMs: 1.9 * hourMs } })
const index = {
  name: 'transactions_by_date',
  table: 'transactions',
  definition: 'create index transactions_by_date on transactions (date)',
}
const kind = { query: 'select\n  sum(amount) from x', calls: 50, meanUs: 400_000, totalUs: 20_000_000 }

test('the cheaper fix is what the evidence shows, the cheapest first', () => {
  const fix = (piece: Piece, now: Parameters<typeof evidence>[1] = {}) =>
    advise(evidence([piece], now)).advice.find(({ trigger }) => trigger === 'redis-p95')!.cheaperFix!
  const { measures } = slow
  const serviceOf = (draft: object): Piece => ({ ...slow, measures: { ...measures, ...draft } })
  assert.match(
    fix(slow, { missing: [index], slowest: [kind] }),
    /^make the missing index transactions_by_date on transactions again: create index /,
  )
  assert.match(fix(slow, { missing: [index, { ...index, name: 'other' }] }), /and 1 more \(djinn inspect lists them\)/)
  const scanned = serviceOf({ service: { ...measures.service!, scannedRows: { journal: 5_000_000 } } })
  assert.match(fix(scanned, { slowest: [kind] }), /^find the statement that reads journal from end to end \(5000 rows for each answer\)/)
  assert.match(
    fix(slow, { slowest: [kind] }),
    /^make the slow statement faster \(400 ms on average, 50 calls, 100 % of the time of slow ones\): select sum\(amount\) from x$/,
  )
  const cold = serviceOf({ service: { ...measures.service!, blocksHit: 90_000, blocksRead: 10_000 } })
  assert.match(fix(cold), /^90 % of blocks are found in PostgreSQL's buffers/)
  assert.match(fix(serviceOf({ poolWaits: 100, poolWaitMs: 5_000 })), /^requests wait 50 ms for a connection: a bigger pool/)
  assert.match(fix(slow), /^a bigger server: CX32, 4 CPUs and 8 GB for EUR 7\.59 a month$/)
  const largest = serviceOf({ machine: { ...measures.machine!, cpus: 8, memoryBytes: 16 * GB } })
  assert.equal(fix(largest), 'nothing cheaper is left to try on this server')
})

test('a missing index is told even where nothing has tripped, and only of triggers that it can help', () => {
  const { advice } = advise(evidence([hour()], { missing: [index] }))
  const told = advice.filter(({ cheaperFix }) => cheaperFix !== null)
  assert.ok(told.length >= 5 && told.every(({ verdict, cheaperFix }) => verdict === 'not yet' && cheaperFix!.includes(index.name)))
  assert.ok(!told.some(({ trigger }) => /memory|disk|team|cdn|reads/.test(trigger)))
})

test('what an index made slow that is back says nothing, and still does while it is missing', () => {
  const then = hour({ answers: answersAt(1_000), service: { missing: [index.name] } })
  const verdict = (missing: (typeof index)[]) =>
    advise(evidence([then], { missing })).advice.find(({ trigger }) => trigger === 'redis-p95')!.verdict
  assert.deepEqual([verdict([index]), verdict([])], ['now', 'not yet'])
})

test('what a step adds to the bill is the difference along the path', () => {
  const costs = (cpus: number, memoryBytes: number) =>
    Object.fromEntries(
      advise(evidence([hour({ machine: { cpus, memoryBytes } })])).advice.map(({ trigger, costEurPerMonth }) => [
        trigger.split('-')[0]!,
        costEurPerMonth,
      ]),
    )
  const none = { redis: 0, cdn: 0, queue: 0, replica: 3.79, horizontal: 9.18, microservices: 3.79 }
  assert.deepEqual(costs(2, 3.7 * GB), { ...none, server: 3.8 })
  assert.deepEqual(costs(4, 7.6 * GB), { ...none, server: 7.9 })
  assert.deepEqual(costs(8, 15.3 * GB), { ...none, server: 9.18 }, 'beyond the largest it is another beside it')
})

test('soon is near the threshold or near in time', () => {
  assert.equal(verdictOf(80, 100, 0.8, null), 'soon')
  assert.equal(verdictOf(79.9, 100, 0.8, null), 'not yet')
  assert.equal(verdictOf(10, 100, 0.8, 30), 'soon')
  assert.equal(verdictOf(10, 100, 0.8, 31), 'not yet')
  assert.equal(verdictOf(null, 100, 0.8, 1), 'not yet')
  assert.equal(verdictOf(100.001, 100, 0.8, null), 'now')
})

test('a value that grows from day to day has a date, one that has tripped has none', () => {
  const days = (from: number, step: number) =>
    Array.from({ length: 10 }, (_, ago) => hour({ hoursAgo: 24 * ago + 1, machine: { busyMs: ((from - ago * step) / 100) * 2 * hourMs } }))
  const growing = judge({ pieces: days(40, 2) }, 'server-cpu')
  assert.deepEqual(
    [growing.value, growing.verdict, growing.forecastDate],
    [40, 'soon', '2026-06-11'],
    '40 % in the day until 1 June, 2 more each day',
  )
  const tripped = judge({ pieces: days(70, 2) }, 'server-cpu')
  assert.deepEqual([tripped.verdict, tripped.forecastDate], ['now', null])
  assert.equal(judge({ pieces: days(40, -2) }, 'server-cpu').forecastDate, null)
  assert.equal(new Date(nowMs).toISOString().slice(0, 10), '2026-06-01')
})

test('a day that has only begun, or whose beginning is not known, bends no trend', () => {
  // Busy at noon, each day alike; now it is morning.
  const noon = (daysAgo: number) => hour({ hoursAgo: 24 * daysAgo + 20, machine: { busyMs: 0.5 * 2 * hourMs } })
  const night = (daysAgo: number) => hour({ hoursAgo: 24 * daysAgo + 8, machine: { busyMs: 0.01 * 2 * hourMs } })
  const days = Array.from({ length: 10 }, (_, ago) => [night(ago), noon(ago)]).flat()
  const since = days.toSorted((one, other) => one.slot - other.slot).slice(1)
  for (const pieces of [days, since]) {
    const one = judge({ pieces }, 'server-cpu')
    assert.deepEqual([one.value, one.forecastDate], [50, null])
  }
})

test('after a crash the database counts its users anew, and the target stays what it was', () => {
  const pieces = [hour({ hoursAgo: 2, service: { registered: 20_000 } }), hour({ service: { registered: 0 } })]
  assert.equal(judge({ pieces }, 'horizontal-p95').threshold, 100)
})

test('each fact that can be declared is what a trigger waits for', () => {
  for (const { name } of knownFacts) {
    const { advice } = advise(evidence([], { facts: { [name]: 1_000 } }))
    assert.equal(advice.filter(({ value }) => value === 1_000).length, 1, name)
  }
})
