// What a caller's network is taken to be, by each of the hints and by all of them together.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { open, type Person, type Reply } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

const slow = { 'djinn-network': 'slow' }
const fast = { 'djinn-network': 'fast' }
let ana: Person

before(async () => {
  ana = await djinn.person()
  const accountId = await ana.account()
  for (let number = 1; number <= 21; number++) {
    assert.equal((await ana.post('/api/transactions', { accountId, date: '2026-01-31', amount: -number })).status, 201)
  }
})

/** Of which network the service took the caller to be, by what it answered. */
function networkOf(reply: Reply): string {
  assert.equal(reply.status, 200)
  if (reply.headers['djinn-quality'] === 'essential') {
    assert.deepEqual([reply.body.data.length, 'included' in reply.body], [10, false])
    return 'slow'
  }
  assert.deepEqual([reply.headers['djinn-quality'], reply.body.data.length], ['full', 20])
  return 'included' in reply.body ? 'fast' : 'ordinary'
}

const network = async (headers: Record<string, string>) => networkOf(await ana.get('/api/transactions', headers))

test('each sign of a slow network makes it slow by itself', async () => {
  for (const headers of [
    { 'save-data': 'on' },
    { 'save-data': ' ON ' },
    { 'save-data': '?1' },
    { ect: 'slow-2g' },
    { ect: '2g' },
    { ect: '3g' },
    { ect: '3G' },
    { downlink: '1.499' },
    { downlink: '0' },
    { rtt: '401' },
    { rtt: '3000' },
    { ...slow },
    { 'djinn-network': 'Slow' },
    { ect: '4g', downlink: '10', rtt: '50', 'save-data': 'on' },
    { downlink: '10', rtt: '500' },
  ] as Record<string, string>[]) {
    assert.equal(await network(headers), 'slow', JSON.stringify(headers))
  }
})

test('a network is fast when the app says so or when both its bandwidth and its delay are good', async () => {
  for (const headers of [{ ...fast }, { downlink: '5', rtt: '150' }, { downlink: '10', rtt: '0', ect: '4g', 'save-data': 'off' }] as Record<
    string,
    string
  >[]) {
    assert.equal(await network(headers), 'fast', JSON.stringify(headers))
  }
  for (const headers of [
    {},
    { ect: '4g' },
    { downlink: '1.5' },
    { downlink: '10' },
    { rtt: '400' },
    { rtt: '50' },
    { downlink: '4.9', rtt: '50' },
    { downlink: '10', rtt: '151' },
    { 'save-data': 'off' },
  ] as Record<string, string>[]) {
    assert.equal(await network(headers), 'ordinary', JSON.stringify(headers))
  }
})

test("the app's own word goes before every other sign", async () => {
  const bad = { 'save-data': 'on', ect: '2g', downlink: '0.1', rtt: '2000' }
  assert.equal(await network({ ...bad, ...fast }), 'fast')
  assert.equal(await network({ downlink: '10', rtt: '20', ...slow }), 'slow')
  assert.equal(await network({ ...bad, 'djinn-network': 'medium' }), 'slow')
})

test('hints that are malformed are none', async () => {
  for (const headers of [
    { 'save-data': 'once' },
    { 'save-data': 'online' },
    { 'save-data': '' },
    { 'save-data': '?10' },
    { ect: '5g' },
    { ect: '2g, 4g' },
    { ect: '"2g"' },
    { downlink: '-1' },
    { downlink: '1e-1' },
    { downlink: '0x1' },
    { downlink: 'NaN' },
    { downlink: '1.2.3' },
    { downlink: '1,0' },
    { rtt: '1e9' },
    { rtt: 'Infinity' },
    { rtt: '9999999' },
    { rtt: '500ms' },
    { downlink: 'Infinity', rtt: '10' },
    { 'djinn-network': 'medium' },
    { 'djinn-network': 'slow, fast' },
    { 'djinn-network': '' },
  ] as Record<string, string>[]) {
    assert.equal(await network(headers), 'ordinary', JSON.stringify(headers))
  }
})

test('a step of a batch is of the network of the batch unless it gives a hint itself', async () => {
  const operations = [
    { id: 'a', method: 'GET', path: '/api/transactions' },
    { id: 'b', method: 'GET', path: '/api/transactions', headers: { 'Djinn-Network': 'fast' } },
    { id: 'c', method: 'GET', path: '/api/transactions', headers: { ECT: '4g' } },
  ]
  const { body } = await ana.post('/api/batch', { operations }, slow)
  assert.deepEqual(body.results.map(networkOf), ['slow', 'fast', 'ordinary'])
})
