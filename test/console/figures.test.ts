// What the console shows is what happened: history, operations, statements, people, jobs; and its files are those that are listed.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import pg from 'pg'
import { files } from '../../src/features/console/files.ts'
import { PeopleCount } from '../../src/features/console/figures.ts'
import { columns, History, type Column, type ServiceTotals, type Sources } from '../../src/features/console/history.ts'
import { quantileOf } from '../../src/values/quantile.ts'
import { Recent } from '../../src/features/console/recent.ts'
import { Metrics } from '../../src/resources/metrics.ts'
import { limits } from '../../src/values/limits.ts'
import { open, type Djinn } from '../harness.ts'
import { openOps, refused, send, Visitor, type Ops } from './visitor.ts'

let djinn: Djinn
let ops: Ops
before(async () => {
  djinn = await open()
  ops = await openOps(djinn)
})
after(async () => {
  await ops.close()
  await djinn.close()
})

const idle = { connections: () => 3, streams: () => 1, pool: () => ({ total: 5, idle: 4, waiting: 2 }) }

function historyOf(found: Partial<Sources> = {}) {
  let nowMs = 1_000_000
  const metrics = new Metrics(idle)
  const sources: Sources = {
    ...{ counted: () => metrics.counted, cpus: 2, ...idle },
    machine: () => ({ cpu: null, memory: { bytes: 100, availableBytes: 25 } }),
    service: () => null,
    ...found,
  }
  const history = new History(sources, () => nowMs)
  const next = (ms: number = limits.consoleSampleMs) => {
    nowMs += ms
    history.note()
  }
  const last = (name: Column) => history.since(0).at(-1)![columns.indexOf(name)]!
  return { history, metrics, next, last, now: () => nowMs }
}

test('a row tells what happened since the one before', () => {
  const { metrics, next, last, history, now } = historyOf()
  for (let call = 0; call < 50; call++) metrics.request('accounts.list', 200, 4)
  metrics.request('accounts.list', 404, 4)
  metrics.request('accounts.create', 500, 400)
  metrics.statement('accounts.read', 2)
  next()
  assert.deepEqual(
    (['requestsPerS', 'refusedPerS', 'errorsPerS', 'statementsPerS', 'poolBusy', 'poolWaiting', 'connections', 'streams'] as const).map(
      last,
    ),
    [10.4, 0.2, 0.2, 0.2, 1, 2, 3, 1],
  )
  assert.equal(last('machineMemoryShare'), 0.75)
  assert.ok(last('p50Ms') > 2.5 && last('p50Ms') <= 5 && last('p99Ms') > 200 && last('p99Ms') <= 500)
  next()
  assert.deepEqual([last('requestsPerS'), history.since(0).at(-1)![columns.indexOf('p95Ms')]], [0, null])
  assert.equal(history.since(0).length, 2)
  assert.equal(history.since(now() - 1).length, 1)
  assert.deepEqual(history.since(now()), [])
  next(-60_000)
  assert.deepEqual(history.since(0), [], 'a clock that is set back begins anew, or rows would be out of order')
  next()
  assert.equal(history.since(0).length, 1)
})

test('the ring keeps a quarter of an hour, in order, whatever comes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 400 }), (rows) => {
      const { history, next } = historyOf()
      for (let row = 0; row < rows; row++) next()
      const moments = history.since(0).map(([atMs]) => atMs!)
      assert.equal(moments.length, Math.min(rows, limits.consoleHistoryRows))
      moments.forEach((atMs, index) => index > 0 && assert.equal(atMs - moments[index - 1]!, limits.consoleSampleMs))
    }),
    { numRuns: 30 },
  )
})

test('shares of the service stand between two looks of the watch, and end when it finds nothing', () => {
  let found: ServiceTotals | null = { atMs: 0, connections: 7, blocksHit: 100, blocksRead: 100, cpuSeconds: 10 }
  const { next, last } = historyOf({ service: () => found })
  next()
  assert.deepEqual([last('databaseConnections'), last('databaseHitShare')], [7, null])
  found = { atMs: 10_000, connections: 8, blocksHit: 190, blocksRead: 110, cpuSeconds: 15 }
  for (let row = 0; row < 2; row++) {
    next()
    assert.deepEqual([last('databaseConnections'), last('databaseHitShare'), last('databaseCpuShare')], [8, 0.9, 0.25])
  }
  found = null
  next()
  assert.deepEqual([last('databaseConnections'), last('databaseHitShare'), last('databaseCpuShare')], [null, null, null])
})

test('a quantile lies within the bucket that holds it', () => {
  const bounds = [1, 2.5, 5, 10, 30]
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.001, max: 29.9, noNaN: true }), { minLength: 1 }),
      fc.constantFrom(0.5, 0.95, 0.99),
      (values, share) => {
        const counts = Array<number>(bounds.length + 1).fill(0)
        for (const value of values) counts[bounds.findIndex((bound) => value <= bound)]!++
        const actual = values.toSorted((one, other) => one - other)[Math.ceil(share * values.length) - 1]!
        const upper = bounds.find((bound) => actual <= bound)!
        const lower = bounds[bounds.indexOf(upper) - 1] ?? 0
        const estimate = quantileOf(share, counts, bounds)!
        assert.ok(estimate >= lower && estimate <= upper, `${estimate} of ${actual}`)
      },
    ),
  )
  assert.equal(quantileOf(0.5, [0, 0], [1]), null)
  assert.equal(quantileOf(0.5, [0, 3], [1]), 1, 'beyond the last bound it is the last bound')
})

test('operations are those of the last five minutes, with errors of before', () => {
  let nowMs = 0
  const metrics = new Metrics(idle)
  const recent = new Recent(
    () => metrics.counted,
    () => nowMs,
  )
  metrics.request('old.call', 500, 3)
  for (let minute = 0; minute < 6; minute++) {
    nowMs += limits.consoleSnapshotMs
    recent.note()
  }
  metrics.request('new.call', 200, 3)
  metrics.request('new.call', 403, 3)
  const { sinceMs, operations } = recent.figures()
  assert.equal(sinceMs, limits.consoleSnapshotMs)
  assert.deepEqual(
    operations.map(({ operation, requests, refused: refusals, errors, errorsInAll }) => [
      operation,
      requests,
      refusals,
      errors,
      errorsInAll,
    ]),
    [
      ['new.call', 2, 1, 0, 0],
      ['old.call', 0, 0, 0, 1],
    ],
  )
})

test('people are counted behind the answer, and at most once a minute', async () => {
  await djinn.person()
  const second = await djinn.person()
  assert.equal((await second.delete(`/api/households/${second.householdId}`)).status, 204)
  let nowMs = 0
  const people = new PeopleCount(djinn.resources.directDatabase, () => nowMs)
  await people.look()
  await people.settled()
  const counted = people.latest!
  assert.equal(counted.users - counted.households, 1)
  await djinn.person()
  assert.equal((await people.look())!.users, counted.users)
  nowMs += limits.consoleCountMs
  await people.look()
  await people.settled()
  assert.equal(people.latest!.users, counted.users + 1)
})

test('the live answer has history, service and machine, and only what is new since', async () => {
  await djinn.resources.watch.look()
  const told = await send(ops.port, 'GET', '/console/live?since=0')
  // oxlint-disable-next-line no-explicit-any -- an answer of many shapes
  const { boot, columns: names, rows, service, gathered } = told.body as Record<string, any>
  assert.equal(typeof boot, 'string')
  assert.deepEqual(names, [...columns])
  assert.ok(Array.isArray(rows))
  assert.deepEqual([service['api'], service['databaseReachable']], [djinn.url, true])
  assert.ok(gathered['connectionsMax'] > 0 && gathered['sizeBytes'] > 0)
  assert.equal(told.headers['cache-control'], 'no-store')
})

test('a process that does not gather asks for itself, once a round', async () => {
  const { watch } = djinn.resources
  await djinn.sql(`update watchers set process = gen_random_uuid(), until = now() + interval '1 minute'`)
  await watch.look()
  assert.equal(watch.gathered, null)
  const { statements } = await djinn.count(async () => {
    const [first, second] = await Promise.all([watch.figures(), watch.figures()])
    assert.equal(first, second)
    assert.ok(first!.database.connections > 0)
  })
  assert.deepEqual(statements, [], 'on the direct connection, past requests')
  assert.equal(watch.latest, await watch.figures())
})

test('statements are told by name, with the plan of slow ones, and no secret of an error passes', async () => {
  const { watch } = djinn.resources
  watch.slow.start()
  watch.slow.note('accounts.list', 250, 'djinn_app')
  await watch.slow.settled()
  const { body } = await send(ops.port, 'GET', '/console/statements')
  assert.ok((body['busiest'] as { statement: string }[]).length > 0)
  const [slow] = body['slow'] as { statement: string; plan: string | null }[]
  assert.equal(slow!.statement, 'accounts.list')

  await djinn.sql('select enqueue($1, $2, $3)', ['poison', {}, 'cup'])
  await djinn.sql('update graphile_worker._private_jobs set attempts = max_attempts, last_error = $1', [
    'no push to ana@example.org with {"password":"hunter2hunter2"}',
  ])
  const jobs = await send(ops.port, 'GET', '/console/jobs')
  const [letter] = jobs.body['dead'] as { error: string; task: string }[]
  assert.equal(letter!.task, 'poison')
  assert.doesNotMatch(letter!.error, /ana@|hunter2/)
  await djinn.sql('delete from graphile_worker._private_jobs')
})

test('dead letters are retried and discarded as asked, and a job that somebody has retried is not discarded', async () => {
  const visitor = new Visitor(ops.port)
  await visitor.get('/console/session')
  for (const key of ['one', 'two', 'three']) await djinn.sql('select enqueue($1, $2, $3)', ['poison', {}, key])
  await djinn.sql('update graphile_worker._private_jobs set attempts = max_attempts')
  const ids = async () => ((await visitor.get('/console/jobs')).body['dead'] as { id: number }[]).map((letter) => letter.id)
  const [one, two, three] = (await ids()) as [number, number, number]
  assert.deepEqual((await visitor.change('/console/jobs/retry', { ids: [one] })).body, { count: 1 })
  assert.deepEqual((await visitor.change('/console/jobs/discard', { ids: [one, two] })).body, { count: 1 })
  assert.deepEqual(await ids(), [three])
  assert.deepEqual(
    (await djinn.sql('select key from graphile_worker.jobs order by id')).flatMap((row) => Object.values(row)),
    ['one', 'three'],
  )
  for (const body of [{}, { ids: [] }, { ids: ['1'] }, { ids: [1.5] }, { ids: [1], more: 1 }, [], null, { ids: Array(201).fill(1) }]) {
    refused(await visitor.change('/console/jobs/discard', body), 400, 'invalid-request')
  }
})

test('the advisor’s answer is shown, each trigger with its step and its words', async () => {
  const { status, body, text } = await send(ops.port, 'GET', '/console/advice')
  assert.equal(status, 200, text)
  const advice = body['advice'] as { trigger: string; step: string; says: string; verdict: string }[]
  assert.ok(advice.length > 20)
  for (const { trigger, step, says, verdict } of advice) {
    assert.ok(trigger.startsWith(`${step}-`) && says !== '', trigger)
    assert.match(verdict, /^(not yet|soon|now)$/)
  }
  assert.equal((body['capacity'] as { users: number | null }).users, null, 'an hour is not over yet')
})

test('a flag takes what it takes, and a refusal says what that is', async () => {
  const visitor = new Visitor(ops.port)
  await visitor.get('/console/session')
  const told = await visitor.change('/console/flags', { name: 'imports', value: '12.5%', reason: 'a little at a time' })
  const flag = (told.body['flags'] as Record<string, unknown>[]).find((each) => each['name'] === 'imports')!
  assert.deepEqual([flag['value'], flag['changedBy'], flag['reason']], ['12.5%', 'loopback', 'a little at a time'])
  const bad = [{ name: 'imports', value: '101%' }, { name: 'nothing', value: 'on' }, { name: 'imports', value: true }, { name: 'imports' }]
  for (const body of bad) refused(await visitor.change('/console/flags', body), 400, 'invalid-request')
  assert.match((await visitor.change('/console/flags', { name: 'readOnly', value: 'maybe' })).text, /on, off/)
  await djinn.sql('delete from flags')
})

/** Nobody can connect any more, and who was connected is not. */
async function withoutDatabase(cut: Djinn) {
  const url = new URL(cut.adminUrl)
  const name = url.pathname.slice(1)
  url.pathname = '/postgres'
  const admin = new pg.Client({ connectionString: url.href })
  await admin.connect()
  await admin.query(`alter database "${name}" with allow_connections false`)
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
  await admin.end()
}

test('without its database the console goes on to show what it knows, and says what it does not', async () => {
  await using cut = await open()
  const port = await openOps(cut)
  await withoutDatabase(cut)
  const live = await send(port.port, 'GET', '/console/live')
  assert.deepEqual([live.status, live.body['gathered'], live.body['people']], [200, null, null], live.text)
  assert.equal((await send(port.port, 'GET', '/console/operations')).status, 200)
  const statements = await send(port.port, 'GET', '/console/statements')
  assert.deepEqual([statements.status, statements.body['gathered']], [200, null])
  for (const path of ['/console/jobs', '/console/flags']) refused(await send(port.port, 'GET', path), 503, 'unavailable')
  await port.close()
})

test('what is served are the files of the folder and the packages, and nothing beside or above them', async () => {
  const here = readdirSync('console').map((file) => (file === 'index.html' ? '/console/' : `/console/${file}`))
  const own = [...files.keys()].filter((path) => !path.startsWith('/console/packages/'))
  assert.deepEqual(own.toSorted(), here.toSorted())
  for (const [path, { contentType }] of files) {
    const told = await send(ops.port, 'GET', path)
    assert.deepEqual([told.status, told.headers['content-type']], [200, contentType], path)
    assert.equal(told.headers['x-content-type-options'], 'nosniff')
    assert.equal((await send(ops.port, 'GET', path, { 'if-none-match': told.headers.etag! })).status, 304)
    refused(await send(ops.port, 'POST', path), 405, 'method-not-allowed')
  }
  const page = readFileSync('console/index.html', 'utf8')
  for (const [, target] of page.matchAll(/(?:src|href)="(\/console[^"]*)"|"(\/console\/packages\/[^"]*)"/g)) {
    if (target) assert.ok(files.has(target), target)
  }
  const beside = [
    ...[
      '/console/../package.json',
      '/console/%2e%2e/package.json',
      '/console/..%2fpackage.json',
      '/console//etc/passwd',
      '/console/index.html',
    ],
    ...[
      '/console/packages/',
      '/console/packages/..%2f..%2f..%2fpackage.json',
      '/console/main.js/',
      '/console/main.js%00',
      '/console/MAIN.JS',
    ],
    ...['/console/packages/preact/package.json', '/console/.%2e/src/djinn.ts', '/console/\\..\\package.json'],
  ]
  for (const path of beside) assert.equal((await send(ops.port, 'GET', path)).status, 404, path)
})

test('the page allows no script and no style but its own files and its import map', async () => {
  const { headers } = await send(ops.port, 'GET', '/console/')
  const policy = String(headers['content-security-policy'])
  assert.match(policy, /^default-src 'none'; script-src 'self' 'sha256-[A-Za-z0-9+/=]{44}'; style-src 'self';/)
  assert.doesNotMatch(policy, /unsafe|\*|https?:/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.equal((await send(ops.port, 'GET', '/')).headers.location, '/console/')
})
