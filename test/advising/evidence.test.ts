// What a process saw is kept in the database, put together by the hour, and forgotten; nothing of it is counted twice or lost.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pino } from 'pino'
import { adviceOf, explainedAdviceOf } from '../../src/app/advice.ts'
import { makeTasks } from '../../src/app/tasks.ts'
import { count } from '../../src/features/advising/evidence.ts'
import { declare, undeclare } from '../../src/features/advising/judge.ts'
import {
  byHour,
  byHost,
  join,
  noMeasures,
  slotMs,
  slotOf,
  slotsOfHour,
  type Measures,
  type Piece,
} from '../../src/features/advising/measures.ts'
import { bucketCount, Recorder, type Look } from '../../src/features/advising/recorder.ts'
import { Metrics } from '../../src/resources/metrics.ts'
import { limits } from '../../src/values/limits.ts'
import { newId } from '../../src/values/id.ts'
import { open, type Djinn } from '../harness.ts'
import { answersAt, machine, service } from './world.ts'

const some = (most: number) => fc.integer({ min: 0, max: most })
const measures: fc.Arbitrary<Measures> = fc.record({
  watchedMs: some(slotMs),
  servedMs: some(slotMs),
  sharedMs: some(slotMs),
  answers: fc.array(some(100), { minLength: bucketCount, maxLength: bucketCount }),
  longestMs: fc.dictionary(fc.constantFrom('a', 'b', 'c'), some(9_000)),
  timeouts: some(5),
  reads: some(100),
  writes: some(100),
  publicBytes: some(1_000),
  privateBytes: some(1_000),
  statements: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.record({ calls: some(100), totalMs: some(100) })),
  statementMs: some(1_000),
  poolWaits: some(10),
  poolWaitMs: some(10),
  cpuMs: some(1_000),
  machine: fc.option(fc.record({ busyMs: some(1_000), memoryUsedBytes: some(1_000) }).map(machine)),
  service: fc.option(
    fc
      .record({
        databaseCpuMs: fc.option(some(1_000)),
        users: some(50),
        missing: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')),
        blocksHit: some(9),
      })
      .map(service),
  ),
})

const sorted = (value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .map(([key, each]) => [key, sorted(each)] as const)
          .toSorted(([one], [other]) => (one < other ? -1 : 1)),
      )
    : value

test('stretches are put together in whatever order, and nothing is lost', () => {
  fc.assert(
    fc.property(measures, measures, measures, (one, two, three) => {
      const left = join(join(one, two, 'after'), three, 'after')
      assert.deepEqual(sorted(left), sorted(join(one, join(two, three, 'after'), 'after')))
      assert.deepEqual(sorted(left), sorted(join(join(three, one, 'after'), two, 'after')))
      assert.equal(count(left.answers), count(one.answers) + count(two.answers) + count(three.answers))
      assert.deepEqual(sorted(join(one, noMeasures(bucketCount), 'after')), sorted(one))
    }),
  )
})

test('by the hour there is one piece a host, and every count is what it was', () => {
  const piece = fc.record<Piece>({
    slot: some(40),
    minutes: fc.constant(5),
    host: fc.constantFrom('one', 'two'),
    process: fc.uuid(),
    measures,
  })
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 30 }), (pieces) => {
      const hours = byHour(pieces)
      assert.equal(new Set(hours.map(({ slot, host }) => `${slot} ${host}`)).size, hours.length)
      for (const { slot, minutes } of hours) assert.deepEqual([slot % slotsOfHour, minutes], [0, 60])
      for (const what of ['reads', 'writes', 'cpuMs', 'watchedMs', 'timeouts'] as const) {
        const sum = (of: Piece[]) => count(of.map((each) => each.measures[what]))
        assert.equal(sum(hours), sum(pieces), what)
      }
      // Put together twice it stays as it is: the job may run again.
      assert.deepEqual(byHour(hours).map(sorted), hours.map(sorted))
    }),
  )
})

test('processes beside each other on a host see one machine, those of different hosts two', () => {
  const seen = { ...noMeasures(bucketCount), machine: machine({ busyMs: 100, allMs: 200 }) }
  const at = (host: string, process: string): Piece => ({ slot: 1, minutes: 5, host, process, measures: seen })
  const hosts = byHost([at('one', 'p'), at('one', 'q'), at('two', 'r')])
  assert.deepEqual(
    [...hosts.values()].map((of) => of.machine!.busyMs),
    [100, 100],
  )
})

const idle = { connections: () => 0, streams: () => 0, pool: () => ({ total: 0, idle: 0, waiting: 0 }) }
const look = (draft: Partial<NonNullable<Look['gathered']>> | null = {}, busy = 0): Look => ({
  machine: {
    memory: { bytes: 4e9, availableBytes: 3e9 },
    cpu: { busy, idle: 100 - busy, stolen: 0 },
    disks: { data: { bytes: 100, availableBytes: 60 } },
  },
  gathered: draft && {
    users: 3,
    sizeBytes: 1_000,
    database: { connections: 4, connectionsMax: 100, blocksHit: 0, blocksRead: 0 },
    databaseCpuSeconds: 0,
    replication: { replicas: 0 },
    tables: [],
    ...draft,
  },
})

function recording(djinn: Djinn) {
  const clock = { nowMs: 1_000 * slotMs, cpuS: 0 }
  const metrics = new Metrics(idle)
  const make = () =>
    new Recorder({
      database: djinn.resources.directDatabase,
      log: pino({ level: 'silent' }),
      metrics,
      serving: () => true,
      sharing: () => false,
      nowMs: () => clock.nowMs,
      cpuSeconds: () => clock.cpuS,
    })
  return { clock, metrics, recorder: make(), make }
}

const kept = async (djinn: Djinn) =>
  (
    await djinn.sql<{ slot: string; minutes: number; measures: Measures }>(
      'select slot, minutes, measures from evidence order by slot, process',
    )
  ).map((row) => ({ ...row, slot: Number(row.slot) }))

test('rounds of a slot are one row, which the next slot leaves as it was', async () => {
  await using djinn = await open()
  const { clock, metrics, recorder } = recording(djinn)
  await recorder.note(look())
  for (let round = 0; round < 5; round++) {
    clock.nowMs += 10_000
    clock.cpuS += 1
    metrics.request('accounts.list', 200, 50)
    metrics.request('me.export', 200, 50_000)
    metrics.statement('accounts.list', 2)
    metrics.read('accounts.list')
    metrics.statement('replay.begin', 3)
    metrics.called('Accounts', 'user', 'read')
    metrics.answered(100, false)
    await recorder.note(
      look(
        {
          databaseCpuSeconds: round + 1,
          database: { connections: 4 + round, connectionsMax: 100, blocksHit: 10 * round, blocksRead: round },
        },
        round + 1,
      ),
    )
  }
  clock.nowMs += slotMs
  metrics.request('imports.create', 201, 7_000)
  await recorder.note(look(null, 6))
  await recorder.close()
  const [first, ...others] = await kept(djinn)
  assert.deepEqual(others, [], 'the second slot has seen nothing yet')
  const { measures: seen } = first!
  assert.deepEqual([first!.slot, first!.minutes, seen.watchedMs], [1_000, 5, 50_000 + slotMs])
  assert.deepEqual(
    [count(seen.answers), seen.reads, seen.privateBytes, seen.cpuMs],
    [6, 5, 500, 5_000],
    'a download is none of the answers',
  )
  assert.deepEqual(seen.longestMs, { 'imports.create': 7_000 })
  assert.deepEqual(seen.statements, { 'accounts.list': { calls: 5, totalMs: 10 } })
  assert.deepEqual([seen.machine!.busyMs, seen.machine!.allMs, seen.machine!.diskUsedBytes], [6_000, 6_000, 40])
  assert.deepEqual(
    [seen.service!.databaseCpuMs, seen.service!.connections, seen.service!.blocksHit, seen.service!.watchedMs],
    [5_000, 8, 40, 50_000],
  )
})

test('a database that was started anew counts from zero, and takes nothing from what was', async () => {
  await using djinn = await open()
  const { clock, recorder } = recording(djinn)
  for (const [blocksHit, databaseCpuSeconds] of [
    [100, 10],
    [150, 15],
    [5, 1],
    [25, 3],
  ] as const) {
    await recorder.note(look({ databaseCpuSeconds, database: { connections: 1, connectionsMax: 100, blocksHit, blocksRead: 0 } }))
    clock.nowMs += 10_000
  }
  await recorder.close()
  const [row] = await kept(djinn)
  assert.deepEqual([row!.measures.service!.blocksHit, row!.measures.service!.databaseCpuMs], [70, 7_000])
})

test('evidence that cannot be written costs nothing else, and is written when it can be', async () => {
  await using djinn = await open()
  const { clock, metrics, recorder } = recording(djinn)
  await djinn.sql('alter table evidence rename to elsewhere')
  for (let round = 0; round < 7; round++) {
    metrics.request('accounts.list', 200, 50)
    await recorder.note(look())
    clock.nowMs += 10_000
  }
  await djinn.sql('alter table elsewhere rename to evidence')
  await recorder.close()
  assert.equal(count((await kept(djinn))[0]!.measures.answers), 6, 'all but what came before the first round')
})

test('each row is a few hundred bytes, with everything in it', async () => {
  await using djinn = await open()
  const names = Array.from({ length: 20 }, (_, nth) => `some.quite.long.name.of.${nth}`)
  const full: Measures = {
    ...noMeasures(bucketCount),
    answers: answersAt(100, 123_456),
    longestMs: Object.fromEntries(names.slice(0, 5).map((name) => [name, 12_345])),
    statements: Object.fromEntries(names.slice(0, 5).map((name) => [name, { calls: 123_456, totalMs: 123_456 }])),
    machine: machine(),
    service: service({ missing: names, scannedRows: Object.fromEntries(names.slice(0, 5).map((name) => [name, 1e9])) }),
  }
  await djinn.sql(`insert into evidence values (1, $1, 5, 'host', $2)`, [newId(), full])
  const [size] = await djinn.sql<{ bytes: number }>('select pg_column_size(measures) as bytes from evidence')
  assert.ok(size!.bytes < 4_096, `${size!.bytes} bytes`)
})

test('what is older than two days is kept by the hour, what is older than 30 days not at all', async () => {
  await using djinn = await open()
  const nowMs = Date.now()
  const now = slotOf(nowMs)
  const day = 24 * slotsOfHour
  const measured = (reads: number) => ({ ...noMeasures(bucketCount), watchedMs: slotMs, reads, answers: answersAt(100, 1) })
  const oldHour = Math.floor((now - 5 * day) / slotsOfHour) * slotsOfHour
  for (let nth = 0; nth < slotsOfHour; nth++) {
    for (const process of [newId(), newId()])
      await djinn.sql(`insert into evidence values ($1, $2, 5, 'host', $3)`, [oldHour + nth, process, measured(1)])
  }
  await djinn.sql(`insert into evidence values ($1, $2, 5, 'host', $3)`, [now - 1, newId(), measured(7)])
  await djinn.sql(`insert into evidence values ($1, $2, 60, 'host', $3)`, [now - 31 * day, newId(), measured(9)])
  const { keepEvidence } = makeTasks(djinn.resources, () => nowMs)
  await keepEvidence!({})
  const rows = await kept(djinn)
  assert.deepEqual(
    rows.map(({ slot, minutes, measures: { reads, answers } }) => [slot, minutes, reads, count(answers)]),
    [
      [oldHour, 60, 24, 24],
      [now - 1, 5, 7, 1],
    ],
  )
  await keepEvidence!({})
  assert.deepEqual(await kept(djinn), rows, 'twice is as once')
  assert.ok(limits.evidenceFineHours >= 24)
})

test('what was declared is judged until it is taken back', async () => {
  await using djinn = await open()
  const { directDatabase } = djinn.resources
  const team = async () => (await adviceOf(directDatabase)).advice.find(({ trigger }) => trigger === 'microservices-team')!
  await declare(directDatabase, { name: 'team-size', value: 6 })
  assert.deepEqual([(await team()).value, (await team()).verdict], [6, 'not yet'])
  await declare(directDatabase, { name: 'team-size', value: 25 })
  assert.deepEqual([(await team()).value, (await team()).verdict], [25, 'now'])
  assert.equal(await undeclare(directDatabase, 'team-size'), true)
  assert.equal(await undeclare(directDatabase, 'team-size'), false)
  assert.equal((await team()).value, null)
  const explained = await explainedAdviceOf(directDatabase)
  assert.ok(explained.advice.every(({ step, says }) => step && says))
})

test('evidence of more rows than a statement may answer is read to its end', async () => {
  await using djinn = await open()
  const slot = slotOf(Date.now()) - 20
  const empty = noMeasures(bucketCount)
  await djinn.sql(`insert into evidence select $1 + n % 12, gen_random_uuid(), 5, 'host ' || n, $2 from generate_series(1, 2500) n`, [
    slot,
    { ...empty, reads: 11, writes: 1 },
  ])
  const { advice } = await adviceOf(djinn.resources.directDatabase)
  assert.equal(advice.find(({ trigger }) => trigger === 'replica-reads')!.value, 11)
})

test('neither the app nor a member of a household reads or writes evidence', async () => {
  await using djinn = await open()
  for (const table of ['evidence', 'declared_facts']) {
    const [may] = await djinn.sql<{ may: boolean }>(
      `select bool_or(has_table_privilege('djinn_app', $1, what)) as may from unnest(array['select', 'insert', 'update', 'delete']) what`,
      [table],
    )
    assert.equal(may!.may, false, table)
  }
})
