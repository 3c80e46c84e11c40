// GET /api/rates: what one euro was in other currencies on a day.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { assertRefused, open, type Person } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
before(async () => {
  ana = await djinn.person()
  await djinn.sql(
    `insert into exchange_rates (currency, day, rate, source) values ('USD', '2024-03-08', 1.08, 'test'), ('USD', '2024-03-11', 1.0925, 'test'),
    ('JPY', '2024-03-08', 160.45, 'test'), ('BHD', '2024-02-01', 0.41, 'test')`,
  )
})

test('the rates in force on a day, in the order asked, with nulls where there is none', async () => {
  const { status, body } = await ana.get('/api/rates?on=2024-03-10&currencies=JPY,USD,EUR,BHD,USD')
  assert.equal(status, 200)
  assert.deepEqual(body, {
    base: 'EUR',
    data: [
      { currency: 'JPY', day: '2024-03-08', rate: '160.45' },
      { currency: 'USD', day: '2024-03-08', rate: '1.08' },
      { currency: 'EUR', day: '2024-03-10', rate: '1' },
      { currency: 'BHD', day: null, rate: null },
    ],
  })
})

test('without currencies, all that have a rate', async () => {
  const { body } = await ana.get('/api/rates?on=2024-03-11')
  assert.deepEqual(
    body.data.map((row: { currency: string }) => row.currency),
    ['EUR', 'JPY', 'USD'],
  )
})

test('it takes one statement and any session, and nobody without one', async () => {
  const { statements } = await djinn.count(() => ana.get('/api/rates?on=2024-03-11'))
  assert.deepEqual(
    statements.filter((name) => name.startsWith('rates.')),
    ['rates.on'],
  )
  assertRefused(await djinn.call('GET', '/api/rates?on=2024-03-11'), 401, 'unauthenticated')
})

test('unchanged it is 304, and a new rate makes another tag', async () => {
  const path = '/api/rates?on=2024-05-02&currencies=USD'
  const { headers } = await ana.get(path)
  const tag = { 'if-none-match': headers['etag']! }
  assert.equal((await ana.get(path, tag)).status, 304)
  await djinn.sql(`insert into exchange_rates (currency, day, rate, source) values ('USD', '2024-05-02', 1.07, 'test')`)
  const { status, body } = await ana.get(path, tag)
  assert.deepEqual([status, body.data[0].rate], [200, '1.07'])
})

test('what is no day or no currency is refused where it stands', async () => {
  assertRefused(await ana.get('/api/rates'), 400, 'invalid-request', '?on')
  assertRefused(await ana.get('/api/rates?on=2024-02-30'), 400, 'invalid-request', '?on')
  for (const list of ['', 'usd', 'USD,', 'USD;JPY', 'HRK', 'USD,XXX', 'USD, JPY', 'A'.repeat(801)]) {
    assertRefused(await ana.get(`/api/rates?on=2024-03-11&currencies=${encodeURIComponent(list)}`), 400, 'invalid-request', '?currencies')
  }
  assertRefused(await ana.get('/api/rates?on=2024-03-11&base=USD'), 400, 'invalid-request', '?base')
})

test('it can be a step of a batch', async () => {
  const { body } = await ana.post('/api/batch', {
    operations: [{ id: '1', method: 'GET', path: '/api/rates?on=2024-03-11&currencies=USD' }],
  })
  assert.deepEqual(body.results[0].body.data, [{ currency: 'USD', day: '2024-03-11', rate: '1.0925' }])
})
