// A service that really is overloaded refuses what is least critical, while writes go on and nothing of them is lost.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertRefused, open, type Djinn, type Person, type Reply } from '../harness.ts'
import { refusalsOf } from '../../src/http/openapi.ts'
import { sheddingOrder } from '../../src/http/shedding-rule.ts'
import { statement } from '../../src/resources/statement.ts'
import { limits } from '../../src/values/limits.ts'

const patient = { timeout: 120_000 }
const report = '/api/reports/spending?from=2026-01&to=2026-02'
const touch = statement('test.touch', {}, { one: 'int4' }, 'select 1 as one')

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const shedOf = async (djinn: Djinn) => {
  const text = await djinn.resources.metrics.text()
  return sheddingOrder.map((criticality) =>
    Number(new RegExp(`^djinn_shed_total\\{criticality="${criticality}"\\} (\\d+)$`, 'm').exec(text)![1]),
  )
}
const count = (replies: readonly Reply[], status: number) => replies.filter((reply) => reply.status === status).length

/** Someone with households enough that writers do not wait for each other. */
async function founder(djinn: Djinn, households: number): Promise<{ person: Person; write: (nth: number) => Promise<Reply> }> {
  const person = await djinn.person()
  const ids = [person.householdId]
  while (ids.length < households)
    ids.push((await person.post('/api/households', { name: 'Another', baseCurrency: 'EUR', timeZone: 'UTC' })).body.id)
  let keys = 0
  // As a phone does it: what waited too long for the database is sent again under its key.
  const write = async (nth: number) => {
    const headers = { 'djinn-household': ids[nth % ids.length]!, 'idempotency-key': `write ${++keys}` }
    for (;;) {
      const reply = await person.post('/api/accounts', { name: 'Current', kind: 'checking', currency: 'EUR' }, headers)
      if (reply.body.code !== 'unavailable' && reply.body.code !== 'timeout') return reply
    }
  }
  return { person, write }
}

test('every operation has a class that it is shed with, and refuses so by the document', async () => {
  await using djinn = await open()
  for (const operation of djinn.api.operations) {
    assert.ok(sheddingOrder.includes(operation.criticality), operation.name)
    assert.ok(refusalsOf(operation).includes('overloaded'), operation.name)
    const writes = operation.method !== 'GET' && operation.effect === 'write'
    // What asks by POST changes nothing, or signs somebody in or out.
    if (writes) assert.ok(['write', 'auth'].includes(operation.criticality), operation.name)
  }
})

test(
  'a pool that is full: reports are refused, each of them, while lists, sync and signing in are answered; the writes that waited are all done',
  patient,
  async () => {
    await using djinn = await open()
    const { database } = djinn.resources
    const { shedder } = djinn.api
    const { person, write } = await founder(djinn, 10)
    assert.equal((await person.get(report)).status, 200)
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const holders = Array.from({ length: limits.poolConnectionsMax }, () =>
      database.write({}, async (tx) => {
        await tx.run(touch, {})
        await held
      }),
    )
    while (database.poolState.idle > 0 || database.poolState.total < limits.poolConnectionsMax) await turn()
    const [, over] = limits.strain.poolWaiting
    const writes = Array.from({ length: over }, (_, nth) => write(nth))
    while (database.poolState.waiting < over) await turn()
    for (let looks = 0; looks < 5; looks++) shedder.look()
    assert.equal(shedder.level, 100)
    release()
    const [reports, lists, sync, health] = await Promise.all([
      Promise.all(Array.from({ length: 10 }, () => person.get(report))),
      Promise.all(Array.from({ length: 10 }, () => person.get('/api/accounts'))),
      person.get('/api/sync'),
      djinn.call('GET', '/health/ready'),
    ])
    const steps = [report, '/api/accounts'].map((path, index) => ({ id: `${index}`, method: 'GET', path }))
    const batch = await person.post('/api/batch', { operations: steps })
    await Promise.all(holders)
    assert.equal(count(await Promise.all(writes), 201), over)
    for (const one of reports) {
      assertRefused(one, 503, 'overloaded')
      assert.equal(one.headers['retry-after'], String(limits.shedRetryS))
    }
    assert.equal(count(lists, 200), 10)
    assert.deepEqual([sync.status, health.status], [200, 200])
    assert.deepEqual(
      batch.body.results.map((one: { status: number; headers: Record<string, string> }) => [one.status, one.headers['retry-after']]),
      [
        [503, '5'],
        [200, undefined],
      ],
    )
    assert.deepEqual(await shedOf(djinn), [11, 0, 0, 0, 0])
    while (shedder.level > 0) shedder.look()
    assert.equal((await person.get(report)).status, 200)
  },
)

test(
  'an event loop that is full: reports and lists are refused after a while, every write is taken, and when it is over all is answered again',
  patient,
  async () => {
    const lines: string[] = []
    const djinn = await open({ SHEDDING: 'on', LOG_LEVEL: 'info' }, (line) => lines.push(line))
    after(() => djinn.close())
    const { shedder } = djinn.api
    const { person, write } = await founder(djinn, 40)
    let burning = true
    // Each turn of the loop takes longer than is good, as with more requests than it can answer.
    const burn = () => {
      const untilMs = performance.now() + 60
      while (performance.now() < untilMs);
      if (burning) setImmediate(burn)
    }
    let written = 0
    const writer = async (nth: number) => {
      while (burning) {
        const { status, text } = await write(nth)
        assert.equal(status, 201, text)
        written++
      }
    }
    const writers = Promise.all(Array.from({ length: 80 }, (_, nth) => writer(nth)))
    setImmediate(burn)
    while (shedder.level < 200) await turn()
    const [reports, lists, health] = await Promise.all([
      Promise.all(Array.from({ length: 10 }, () => person.get(report))),
      Promise.all(Array.from({ length: 10 }, () => person.get('/api/accounts'))),
      djinn.call('GET', '/health'),
    ])
    burning = false
    await writers
    assert.equal(count(reports, 503), 10)
    assert.equal(count(lists, 503), 10)
    assert.equal(health.status, 200)
    const [ofReports, ofLists, , ofWrites, ofAuth] = await shedOf(djinn)
    assert.deepEqual([ofReports, ofLists, ofWrites, ofAuth], [10, 10, 0, 0])
    while (shedder.level > 0) await turn()
    assert.deepEqual(
      await Promise.all([report, '/api/accounts', '/api/sync'].map(async (path) => (await person.get(path)).status)),
      [200, 200, 200],
    )
    const [{ rows }] = (await djinn.sql<{ rows: number }>('select count(*)::int as rows from accounts')) as [{ rows: number }]
    assert.equal(rows, written, 'each write that was answered is there, once')
    await djinn.verify()
    const told = lines.filter((line) => /overloaded/.test(line)).map((line) => JSON.parse(line) as { msg: string; by?: string[] })
    assert.match(told[0]!.msg, /^overloaded/)
    assert.ok(told[0]!.by!.includes('loopMs'))
    assert.match(told.at(-1)!.msg, /^no longer/)
    assert.ok(!lines.some((line) => line.includes('"code":"overloaded"')), 'what is refused is counted, not logged')
  },
)
