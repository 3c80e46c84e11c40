// Requests go when they are due, whatever has come back, and what they waited for is measured.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Connections } from '../../src/load/connections.ts'
import { drive } from '../../src/load/drive.ts'
import type { Planned } from '../../src/load/mix.ts'
import { Phone } from '../../src/load/phone.ts'
import { Recorder } from '../../src/load/recorder.ts'
import { answerJson, openStub } from './stub.ts'

const session = { accessToken: 'token', userId: 'user', householdId: 'household' }
const page = { data: [], nextCursor: null }

function* lists(count: number, everyMs: number): Generator<Planned> {
  for (let index = 0; index < count; index++) yield { index, atMs: index * everyMs, phone: 0, step: 'list' }
}

async function run(url: URL, count: number, everyMs: number, connectionCount: number, drainMs: number) {
  const connections = new Connections(url)
  const recorder = new Recorder(10)
  try {
    await connections.openAll(connectionCount)
    const unanswered = await drive({
      ...{ url, connections, recorder, seed: 1, today: '2026-03-01', drainMs },
      plan: lists(count, everyMs),
      phones: [new Phone(session)],
      watch: { dispatched: () => {} },
      signal: new AbortController().signal,
    })
    return { recorder, unanswered, connections }
  } finally {
    connections.close()
  }
}

test('all requests are sent though not one is answered', async () => {
  const stub = await openStub(() => {})
  const { recorder, unanswered } = await run(stub.url, 60, 2, 60, 0)
  assert.equal(recorder.sent, 60)
  assert.equal(unanswered, 60)
  assert.equal(recorder.total.count, 0)
})

test('a server that stalls for 2 s shows in the corrected latency of all who were due then, in the raw one of its one request', async () => {
  const stub = await openStub((_request, response, seen) => {
    if (seen === 100) setTimeout(() => answerJson(response, page), 2_000)
    else answerJson(response, page)
  })
  const { recorder, unanswered, connections } = await run(stub.url, 600, 5, 1, 30_000)
  assert.deepEqual([unanswered, recorder.total.count, recorder.total.errors], [0, 600, 0])
  const { corrected, raw } = recorder.total
  // One request in 600 took long, and the 300 that were due in the first 1.5 s of it waited for half a second and more.
  assert.equal(raw.countFrom(1_900), 1)
  assert.ok(corrected.countFrom(480) >= 300, `${corrected.countFrom(480)} waited`)
  assert.ok(corrected.quantileMs(0.99) > 1_500)
  assert.ok(connections.waited >= 300, `${connections.waited} found no connection`)
})

test('what the server ends while idle is opened again, and a request on its way then is sent again', async () => {
  const stub = await openStub((_request, response, seen) => {
    if (seen % 10 === 0) response.socket!.destroy()
    else answerJson(response, page)
  })
  const { recorder, connections } = await run(stub.url, 60, 1, 1, 5_000)
  assert.equal(recorder.total.count, 60)
  assert.equal(recorder.total.errors, 0)
  assert.equal(connections.reopened, 6)
  assert.equal(stub.seen.length, 66)
})

test('faults and refusals are counted by what they were', async () => {
  const stub = await openStub((_request, response, seen) => {
    if (seen % 3 === 0) response.writeHead(200, { 'content-length': 7 }).end('not JSO')
    else if (seen % 3 === 1) answerJson(response, { code: 'rate-limited' }, 429)
    else answerJson(response, page)
  })
  const { recorder } = await run(stub.url, 60, 1, 2, 5_000)
  assert.deepEqual(Object.fromEntries(recorder.total.outcomes), { 200: 20, 429: 20, broken: 20 })
  assert.deepEqual(Object.fromEntries(recorder.total.codes), { 'rate-limited': 20 })
  assert.equal(recorder.total.errors, 40)
})
