// A short run against a whole service, what it reports, and how it is exported.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Connections } from '../../src/load/connections.ts'
import { mix } from '../../src/load/mix.ts'
import { reportPage } from '../../src/load/report-page.ts'
import { reportText } from '../../src/load/report-text.ts'
import { planOf, ready, runLoad, type Wanted } from '../../src/load/run.ts'
import { signUp } from '../../src/load/sessions.ts'
import type { VegetaTarget } from '../../src/load/vegeta.ts'
import { vegetaLines } from '../../src/load/vegeta.ts'
import { makeOps } from '../../src/app/ops.ts'
import { dayOf } from '../../src/values/day.ts'
import { open, type Djinn } from '../harness.ts'

const today = dayOf(Date.now(), 'UTC')

function wantedOf(djinn: Djinn, users: number): Wanted {
  const url = new URL(djinn.url)
  return {
    ...{ url, ops: null, scenario: 'normal', arrivals: 'poisson', seed: 11, today, connections: 40 },
    stretches: [{ seconds: 3, fromPerS: 50, toPerS: 50 }],
    sessions: (connections, progress) => signUp(connections, url, users, today, progress),
    say: () => {},
    signal: new AbortController().signal,
  }
}

test('a short run has every operation of the mix, no errors, and a report in the form that is documented', async (t) => {
  await using djinn = await open()
  const ops = makeOps(djinn.resources, () => djinn.url)
  t.after(() => ops.close())
  const opsUrl = new URL(await ops.listen({ host: '127.0.0.1', port: 0 }))
  const report = await runLoad({ ...wantedOf(djinn, 20), ops: opsUrl })

  await t.test('all requests were answered, without an error', () => {
    assert.ok(report.sent > 90, `${report.sent} were sent`)
    assert.deepEqual([report.total.count, report.total.errors, report.unanswered], [report.sent, 0, 0], JSON.stringify(report.total))
    const none = report.operations.filter((one) => one.count === 0).map((one) => one.name)
    assert.deepEqual(none, [])
    assert.ok((report.total.outcomes['304'] ?? 0) > 0, 'some had nothing new')
  })

  await t.test('what was added is in the books, and they are right', async () => {
    const adds =
      report.operations.find((one) => one.name === 'add')!.count + 2 * report.operations.find((one) => one.name === 'batch')!.count
    const [row] = await djinn.sql<{ count: string }>('select count(*) from transactions')
    assert.equal(Number(row!.count), 20 * 30 + adds)
    await djinn.verify()
  })

  await t.test('the JSON has the members that docs/load.md names', () => {
    const quantiles = ['p50', 'p90', 'p95', 'p99', 'p999', 'max']
    const figures = ['count', 'perSecond', 'errors', 'outcomes', 'codes', 'correctedMs', 'rawMs']
    const read = JSON.parse(JSON.stringify(report)) as typeof report
    assert.deepEqual(Object.keys(read), [
      ...['report', 'version', 'setting', 'startedAt', 'seconds', 'interrupted', 'planned', 'sent', 'unanswered', 'connections', 'total'],
      ...['operations', 'overTime', 'histogram', 'generator', 'server', 'machine', 'targets'],
    ])
    assert.deepEqual(Object.keys(read.total), figures)
    assert.deepEqual(Object.keys(read.total.correctedMs), quantiles)
    assert.deepEqual(
      read.operations.map((one) => [one.name, one.plannedShare]),
      mix.map((one) => [one.name, one.share]),
    )
    assert.equal(read.overTime.length, 3)
    assert.equal(
      read.histogram.reduce((sum, step) => sum + step.count, 0),
      read.sent,
    )
    assert.ok(read.server!.statements > read.sent / 2 && read.server!.openConnections >= 40, JSON.stringify(read.server))
    assert.deepEqual(
      read.targets.map((target) => target.name),
      ['p95, corrected', 'errors', 'database p95'],
    )
    assert.equal(read.targets[1]!.met, true)
  })

  await t.test('the text says it in lines, the page in plots that need nothing else', () => {
    const text = reportText(report)
    for (const { name } of mix) assert.match(text, new RegExp(`^${name} +\\d`, 'm'))
    assert.match(text, /the generator was the limit in \d+ of \d+ seconds/)
    const page = reportPage(report)
    assert.equal(page.match(/<svg /g)?.length, 5)
    assert.equal(page.match(/<polyline class="s\d" points="[^"]+"/g)?.length, 7)
    assert.doesNotMatch(page, /NaN|Infinity|undefined|<script|<link|src=|url\(/)
    assert.ok(!page.replace(report.setting.url, '').includes('http'), 'it asks no other server for anything')
  })
})

test('the export is the same plan as lines for vegeta, which the service takes', async () => {
  await using djinn = await open()
  const wanted = wantedOf(djinn, 3)
  const connections = new Connections(wanted.url)
  try {
    const phones = await ready(wanted, connections)
    const planned = [...planOf(wanted, phones.length)]
    const lines = [...vegetaLines(planned, phones, wanted.url, wanted.seed, today)]
    assert.equal(lines.length, planned.length)
    const targets = lines.map((line) => JSON.parse(line) as VegetaTarget)
    const writes = new Set<string>()
    for (const [at, { method, url, header, body }] of targets.entries()) {
      assert.ok(url.startsWith(`${djinn.url}/api/`))
      assert.equal(method, planned[at]!.step === 'add' || planned[at]!.step === 'batch' ? 'POST' : 'GET')
      assert.match(header['Authorization']![0]!, /^Bearer /)
      if (method === 'POST') writes.add(header['Idempotency-Key']![0]!)
      const text = body === undefined ? undefined : Buffer.from(body, 'base64').toString()
      const headers = Object.fromEntries(Object.entries(header).map(([name, values]) => [name, values[0]!]))
      const answer = await fetch(url, { method, headers, ...(text === undefined ? {} : { body: text }) })
      await answer.arrayBuffer()
      assert.ok([200, 201, 304].includes(answer.status), `${method} ${url}: ${answer.status}`)
    }
    assert.equal(writes.size, targets.filter((target) => target.method === 'POST').length)
  } finally {
    connections.close()
  }
})

test('an interrupted run reports what it has', async () => {
  await using djinn = await open()
  const interrupt = new AbortController()
  const wanted = wantedOf(djinn, 2)
  const report = await runLoad({
    ...wanted,
    stretches: [{ seconds: 600, fromPerS: 50, toPerS: 50 }],
    signal: interrupt.signal,
    say: (what) => {
      if (what.startsWith('requests sent')) interrupt.abort()
    },
  })
  assert.equal(report.interrupted, true)
  assert.ok(report.sent > 0 && report.seconds < 600)
  assert.equal(report.total.count + report.unanswered, report.sent)
})

test('a server that cannot be reached, and a token that is nobody’s, are told in a sentence', async () => {
  await using djinn = await open()
  const wanted = wantedOf(djinn, 1)
  const stranger = { accessToken: 'x'.repeat(40), userId: 'nobody', householdId: 'nowhere' }
  await assert.rejects(runLoad({ ...wanted, sessions: async () => [stranger] }), /token 1: \/api\/sync answered 401 unauthenticated/)
  await assert.rejects(runLoad({ ...wanted, url: new URL('http://127.0.0.1:1') }), /127\.0\.0\.1:1 takes no connection; is it running\?/)
})
