// What is measured, under which names, and that no input makes more of it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { makeOps } from '../../src/app/ops.ts'
import { parseSamples, type Sample } from '../../src/load/ops-metrics.ts'
import { expositionOf, Tally, Timing } from '../../src/resources/exposition.ts'
import { declaredStatements } from '../../src/resources/statement.ts'
import { limits } from '../../src/values/limits.ts'
import { refusalCodes } from '../../src/values/refusal-codes.ts'
import { databaseUrl, withClient } from '../cluster.ts'
import { open, type Djinn } from '../harness.ts'

async function scrape(djinn: Djinn): Promise<string> {
  const ops = makeOps(djinn.resources, () => '')
  try {
    const answer = await ops.inject('/metrics')
    assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
    return answer.body
  } finally {
    await ops.close()
  }
}

const samplesOf = async (djinn: Djinn) => parseSamples(await scrape(djinn))

function valueOf(samples: Sample[], name: string, labels: Record<string, string> = {}): number | undefined {
  return samples.find((each) => each.name === name && Object.entries(labels).every(([label, value]) => each.labels[label] === value))?.value
}

/** Without what measures and their buckets add: the metric that a sample is of. */
const metricOf = (name: string, histograms: Set<string>) => {
  const base = name.replace(/_(?:bucket|sum|count)$/, '')
  return histograms.has(base) ? base : name
}

test('docs/metrics.md lists what is exposed: every name, type and label, and nothing else', async () => {
  await using djinn = await open()
  const person = await djinn.person()
  await person.get('/api/accounts')
  // A table or a collection of garbage is not there before something happened to it.
  djinn.resources.metrics.statement('accounts.list', limits.slowStatementMs + 1)
  await djinn.resources.watch.look()
  const body = await scrape(djinn)
  const types = new Map([...body.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map((found) => [found[1]!, found[2]!]))
  const histograms = new Set([...types].filter(([, type]) => type !== 'gauge' && type !== 'counter').map(([name]) => name))
  const labels = new Map([...types.keys()].map((name) => [name, new Set<string>()]))
  for (const sample of parseSamples(body)) {
    for (const label of Object.keys(sample.labels)) labels.get(metricOf(sample.name, histograms))?.add(label)
  }
  for (const { name, labels: declared } of djinn.resources.metrics.declared) labels.set(name, new Set([...labels.get(name)!, ...declared]))
  const listed = [...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \| ([^|]+) \|$/gm)]
  assert.deepEqual(
    listed.map(([, name, type]) => `${name} ${type}`).toSorted(),
    [...types].map(([name, type]) => `${name} ${type}`).toSorted(),
  )
  for (const [, name = '', , told = ''] of listed) {
    const seen = [...labels.get(name)!].filter((label) => label !== 'le' && label !== 'quantile')
    if (name === 'nodejs_gc_duration_seconds') continue
    assert.deepEqual((told.match(/\w+/g) ?? []).toSorted(), seen.toSorted(), name)
  }
})

test('what requests say makes no series: paths, methods, statuses, headers and bodies of any kind', async () => {
  await using djinn = await open()
  const person = await djinn.person()
  const series = async () =>
    (await samplesOf(djinn)).filter(({ name }) => name.startsWith('djinn_')).map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`)
  const hostile = async (mark: string) => {
    await djinn.call('GET', `/api/${mark}`)
    await djinn.call('GET', `/${mark}/../${encodeURIComponent(`"}\n${mark} 1`)}`)
    await djinn.call('PUT', '/api/accounts')
    await djinn.call('OPTIONS', `/api/accounts/${mark}`)
    await person.get(`/api/accounts/${mark}`)
    await person.get(`/api/transactions?q=${mark}&limit=${mark}`)
    await person.post('/api/accounts', { [mark]: mark })
    await person.get('/api/accounts', { 'djinn-household': mark, 'x-request-id': mark, 'user-agent': mark })
    await djinn.call('GET', '/api/me', { headers: { authorization: `Bearer ${mark}` } })
    await djinn.call('POST', `/api/feeds/${mark}/push`, { body: { mark } })
    await person.post('/api/batch', { operations: [{ id: mark, method: 'GET', path: `/api/${mark}` }] })
    await text(connect(Number(new URL(djinn.url).port), '127.0.0.1').end(`${mark} / HTTP/1.1\r\n\r\n`))
  }
  await hostile('one')
  const before = await series()
  for (const mark of ['two', 'three', '__proto__', 'x'.repeat(40)]) await hostile(mark)
  assert.deepEqual(await series(), before)
  const operations = new Set([...djinn.api.operations.map(({ name }) => name), 'none'])
  const features = new Set(djinn.api.operations.map(({ tag }) => tag))
  const statuses = new Set([
    '200',
    '201',
    '202',
    '204',
    '304',
    '410',
    '422',
    ...Object.values(refusalCodes).map(([status]) => String(status)),
  ])
  for (const { labels } of await samplesOf(djinn)) {
    if (labels['operation'] !== undefined) assert.ok(operations.has(labels['operation']), labels['operation'])
    if (labels['status'] !== undefined) assert.ok(statuses.has(labels['status']), labels['status'])
    if (labels['statement'] !== undefined) assert.ok(declaredStatements().has(labels['statement']), labels['statement'])
    if (labels['feature'] !== undefined) assert.ok(features.has(labels['feature']), labels['feature'])
  }
  assert.ok(operations.size + declaredStatements().size < limits.metricSeriesMax)
})

test('a metric that reached its limit counts the rest as other, and labels are escaped', () => {
  const tally = new Tally('pots_total', 'Pots', ['kind', 'shelf'])
  for (let number = 0; number < limits.metricSeriesMax + 50; number++) tally.of(String(number), 'top').value++
  const samples = parseSamples(tally.text())
  assert.equal(samples.length, limits.metricSeriesMax + 1)
  assert.equal(valueOf(samples, 'pots_total', { kind: 'other', shelf: 'other' }), 50)
  const odd = new Tally('odd_total', 'Odd', ['kind'])
  odd.of('a"b\\c\nd').value++
  assert.equal(odd.text(), 'odd_total{kind="a\\"b\\\\c\\nd"} 1\n')
})

test('a histogram counts a bound as within it, adds up, and ends in +Inf', () => {
  const timing = new Timing('wait_seconds', 'Wait', null, [0.01, 0.1])
  for (const durationMs of [1, 10, 10.1, 100, 5_000]) timing.observeMs(durationMs, timing.of())
  assert.equal(
    expositionOf([timing]),
    '# HELP wait_seconds Wait\n# TYPE wait_seconds histogram\nwait_seconds_bucket{le="0.01"} 2\nwait_seconds_bucket{le="0.1"} 4\n' +
      'wait_seconds_bucket{le="+Inf"} 5\nwait_seconds_sum 5.1211\nwait_seconds_count 5\n',
  )
})

test('a scrape asks the database nothing and is short with every series there is', async () => {
  await using djinn = await open()
  const { metrics } = djinn.resources
  for (const { name } of djinn.api.operations) for (const status of [200, 400, 404, 500]) metrics.request(name, status, 3)
  for (const name of declaredStatements().keys()) metrics.statement(name, 200)
  await djinn.resources.watch.look()
  const { statements, roundTrips } = await djinn.count(() => scrape(djinn))
  assert.deepEqual({ statements, roundTrips }, { statements: [], roundTrips: 0 })
  assert.ok((await scrape(djinn)).length < 2_000_000, 'Prometheus reads it ten times a minute')
})

test('requests, errors, cache reads, features and round trips are counted where they happen', async () => {
  await using djinn = await open()
  const person = await djinn.person()
  await person.get('/api/accounts')
  await person.post('/api/batch', {
    operations: [
      { id: 'a', method: 'GET', path: '/api/accounts' },
      { id: 'b', method: 'GET', path: '/api/categories' },
    ],
  })
  await djinn.call('GET', '/api/system/currencies')
  await djinn.call('GET', '/api/system/currencies')
  const samples = await samplesOf(djinn)
  assert.equal(valueOf(samples, 'djinn_requests_total', { operation: 'accounts.list', status: '200' }), 1)
  assert.equal(valueOf(samples, 'djinn_request_duration_seconds_count', { operation: 'accounts.list' }), 1)
  assert.equal(valueOf(samples, 'djinn_errors_total', { operation: 'accounts.list' }), 0)
  assert.equal(valueOf(samples, 'djinn_feature_calls_total', { feature: 'Accounts', caller: 'user' }), 2)
  assert.equal(valueOf(samples, 'djinn_feature_calls_total', { feature: 'Categories', caller: 'user' }), 1)
  assert.equal(valueOf(samples, 'djinn_feature_calls_total', { feature: 'Identity', caller: 'anonymous' }), 1)
  assert.equal(valueOf(samples, 'djinn_cache_reads_total', { cache: 'system', outcome: 'hit' }), 1)
  assert.equal(valueOf(samples, 'djinn_cache_reads_total', { cache: 'session', outcome: 'miss' }), 1)
  assert.equal(valueOf(samples, 'djinn_cache_reads_total', { cache: 'session', outcome: 'hit' }), 1)
  assert.equal(valueOf(samples, 'djinn_calls_total', { effect: 'read' }), 5, 'a list, two steps, and a system table twice')
  assert.equal(valueOf(samples, 'djinn_calls_total', { effect: 'write' }), 1, 'the registration; a batch is what its steps are')
  for (const visibility of ['public', 'private']) assert.ok(valueOf(samples, 'djinn_response_bytes_total', { visibility })! > 100)
  assert.equal(valueOf(samples, 'djinn_timeouts_total', { operation: 'none' }), 0)
  const { statements } = djinn.resources.metrics.totals()
  assert.ok(statements.get('accounts.list')!.reads >= 1)
  assert.deepEqual(
    [...statements].filter(([name, { reads }]) => name.startsWith('users.') && reads > 0),
    [],
    'a registration reads nothing outside of its write',
  )
  assert.ok(valueOf(samples, 'djinn_pool_wait_seconds_count')! > 0)
  assert.ok(valueOf(samples, 'djinn_active_connections')! > 0)
})

test('a database that is gone is counted as errors, and what is of the whole service ends instead of standing still', async () => {
  await using djinn = await open()
  const person = await djinn.person()
  await djinn.resources.watch.look()
  assert.notEqual(valueOf(await samplesOf(djinn), 'djinn_active_users'), undefined)
  const name = new URL(djinn.adminUrl).pathname.slice(1)
  await withClient(databaseUrl(djinn.adminUrl, 'postgres'), async (client) => {
    await client.query(`alter database ${name} with allow_connections false`)
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
  })
  const { status } = await person.get('/api/accounts')
  assert.ok(status >= 500)
  await djinn.resources.watch.look()
  const samples = await samplesOf(djinn)
  assert.equal(valueOf(samples, 'djinn_errors_total', { operation: 'accounts.list' }), 1)
  assert.equal(valueOf(samples, 'djinn_requests_total', { operation: 'accounts.list', status: String(status) }), 1)
  assert.equal(valueOf(samples, 'djinn_active_users'), undefined)
  assert.equal(valueOf(samples, 'djinn_database_connections'), undefined)
  assert.notEqual(valueOf(samples, 'djinn_machine_memory_bytes'), undefined)
})
