// What becomes of a transaction: deleted, restored, reconciled, in a closed account, in another currency.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { assertRefused, open, type Person, type Reply } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
before(async () => {
  ana = await djinn.person()
})

const date = '2026-01-31'

const path = (id: string) => `/api/transactions/${id}`

async function create(draft: Record<string, unknown>): Promise<Reply['body']> {
  const { status, body, text } = await ana.post('/api/transactions', { date, amount: -100, ...draft })
  assert.equal(status, 201, text)
  return body
}

/** Balance and pending balance. */
async function balances(accountId: string) {
  const { body } = await ana.get(`/api/accounts/${accountId}`)
  return [body.balance, body.pendingBalance]
}

test('a deleted transaction is gone until it is restored, and the balance with it', async () => {
  const accountId = await ana.account({ openingBalance: 1_000 })
  const was = await create({ accountId, splits: [{ amount: -1 }, { amount: -99 }] })
  assert.equal((await ana.delete(path(was.id))).status, 204)
  assert.equal((await ana.delete(path(was.id))).status, 204)
  assert.deepEqual(await balances(accountId), [1_000, 0])
  assertRefused(await ana.get(path(was.id)), 404, 'not-found')
  assertRefused(await ana.patch(path(was.id), { payee: 'x' }), 409, 'deleted')
  assertRefused(await ana.patch(path(was.id), { amount: -1 }), 409, 'deleted')
  assertRefused(await ana.post('/api/transactions', { id: was.id, accountId, date, amount: -100 }), 409, 'already-exists', '/id')
  assert.equal((await ana.get(`/api/transactions?account=${accountId}`)).body.data.length, 0)
  const back = await ana.post(`${path(was.id)}/restore`)
  assert.deepEqual(back.body, { ...was, updatedAt: back.body.updatedAt, revision: back.body.revision })
  assert.deepEqual(await balances(accountId), [900, 0])
  assertRefused(await ana.post(`${path(was.id)}/restore`), 409, 'not-deleted')
  assertRefused(await ana.post(`${path(newId())}/restore`), 404, 'not-found')
  assertRefused(await ana.delete(path(newId())), 404, 'not-found')
})

test('a transaction deleted more than 30 days ago stays deleted', async () => {
  const accountId = await ana.account()
  const { id } = await create({ accountId })
  await ana.delete(path(id))
  await djinn.sql(
    `with scope as materialized (select set_config('djinn.household', $1, true))
    update transactions set deleted_at = now() - interval '31 days' from scope where household_id = $1::uuid and id = $2`,
    [ana.householdId, id],
  )
  assertRefused(await ana.post(`${path(id)}/restore`), 409, 'restore-expired')
  assert.deepEqual(await balances(accountId), [0, 0])
})

test('an externalId is taken once in its account, until its row is deleted', async () => {
  const accountId = await ana.account()
  const elsewhere = await ana.account()
  const { id } = await create({ accountId, externalId: 'FITID 1' })
  assertRefused(
    await ana.post('/api/transactions', { accountId, date, amount: -5, externalId: 'FITID 1' }),
    409,
    'already-exists',
    '/externalId',
  )
  await create({ accountId: elsewhere, externalId: 'FITID 1' })
  await ana.delete(path(id))
  await create({ accountId, externalId: 'FITID 1' })
  assertRefused(await ana.post(`${path(id)}/restore`), 409, 'already-exists', '/externalId')
  assert.deepEqual(
    [await balances(accountId), await balances(elsewhere)],
    [
      [-100, 0],
      [-100, 0],
    ],
  )
})

test('a reconciled transaction keeps amount, date, account and life until it is unreconciled', async () => {
  const accountId = await ana.account()
  const other = await ana.account()
  const { id } = await create({ accountId, status: 'reconciled' })
  for (const change of [{ amount: -101 }, { date: '2026-02-01' }, { accountId: other }, { amount: -101, status: 'posted' }]) {
    assertRefused(await ana.patch(path(id), change), 409, 'transaction-reconciled')
  }
  assertRefused(await ana.delete(path(id)), 409, 'transaction-reconciled')
  const same = await ana.patch(path(id), { amount: -100, date, accountId, payee: 'Baker', note: 'rolls' })
  assert.deepEqual([same.status, same.body.payee, same.body.status], [200, 'Baker', 'reconciled'])
  assert.deepEqual(
    [await balances(accountId), await balances(other)],
    [
      [-100, 0],
      [0, 0],
    ],
  )
  assert.equal((await ana.patch(path(id), { status: 'posted' })).status, 200)
  assert.equal((await ana.patch(path(id), { amount: -101, accountId: other })).status, 200)
  assert.deepEqual(
    [await balances(accountId), await balances(other)],
    [
      [0, 0],
      [-101, 0],
    ],
  )
  assert.equal((await ana.delete(path(id))).status, 204)
})

test('a closed account takes no transaction and lets none go, but what moves no money may change', async () => {
  const closed = await ana.account()
  const other = await ana.account()
  const { id } = await create({ accountId: closed })
  const gone = await create({ accountId: closed })
  const elsewhere = await create({ accountId: other })
  await ana.delete(path(gone.id))
  await ana.patch(`/api/accounts/${closed}`, { closedAt: '2026-03-01T00:00:00Z' })
  for (const reply of [
    await ana.post('/api/transactions', { accountId: closed, date, amount: -1 }),
    await ana.patch(path(id), { amount: -101 }),
    await ana.patch(path(id), { date: '2026-02-01' }),
    await ana.patch(path(id), { status: 'pending' }),
    await ana.patch(path(id), { accountId: other }),
    await ana.patch(path(elsewhere.id), { accountId: closed }),
    await ana.delete(path(id)),
    await ana.post(`${path(gone.id)}/restore`),
  ]) {
    assertRefused(reply, 409, 'account-closed', '/accountId')
  }
  assert.deepEqual(
    [await balances(closed), await balances(other)],
    [
      [-100, 0],
      [-100, 0],
    ],
  )
  const noted = await ana.patch(path(id), { note: 'for the tax', status: 'reconciled' })
  assert.deepEqual([noted.body.note, noted.body.status], ['for the tax', 'reconciled'])
  await ana.patch(`/api/accounts/${closed}`, { closedAt: null })
  assert.equal((await ana.post(`${path(gone.id)}/restore`)).status, 200)
  assert.deepEqual(await balances(closed), [-200, 0])
})

test('an original amount carries its rate, exact to ten digits across exponents', async () => {
  const euros = await ana.account()
  const dinars = await ana.account({ currency: 'BHD' })
  const cases: [string, number, { amount: number; currency: string }, string | null][] = [
    [euros, -92, { amount: -100, currency: 'USD' }, '0.92'],
    [euros, -10_000, { amount: -16_123, currency: 'JPY' }, '0.0062023197'],
    [euros, -100, { amount: -300, currency: 'USD' }, '0.3333333333'],
    [euros, 200, { amount: 300, currency: 'USD' }, '0.6666666667'],
    [dinars, -1_000, { amount: -100, currency: 'USD' }, '1'],
    [dinars, -1, { amount: -1, currency: 'JPY' }, '0.001'],
    [euros, -1_000_000, { amount: -100, currency: 'USD' }, '10000'],
    [euros, -5, { amount: -5, currency: 'EUR' }, '1'],
    [euros, 0, { amount: -5, currency: 'USD' }, null],
    [euros, -5, { amount: 0, currency: 'USD' }, null],
  ]
  for (const [accountId, amount, original, rate] of cases) {
    const made = await create({ accountId, amount, original })
    assert.deepEqual(made.original, { ...original, rate })
    assert.deepEqual((await ana.get(path(made.id))).body.original, { ...original, rate })
  }
})

test('an original amount has the sign of the amount, and differs only in another currency', async () => {
  const accountId = await ana.account()
  const draft = { accountId, date, amount: -100 }
  const refused = (amount: number, currency: string, pointer: string) =>
    ana
      .post('/api/transactions', { ...draft, original: { amount, currency } })
      .then((reply) => assertRefused(reply, 422, 'currency-mismatch', pointer))
  await refused(100, 'USD', '/original/amount')
  await refused(-99, 'EUR', '/original/currency')
  assertRefused(
    await ana.post('/api/transactions', { ...draft, accountId: newId(), original: { amount: -1, currency: 'USD' } }),
    404,
    'account-not-found',
    '/accountId',
  )
  assert.deepEqual(await balances(accountId), [0, 0])
})

test('the rate follows a changed amount, account or original, and goes with the original', async () => {
  const accountId = await ana.account()
  const pounds = await ana.account({ currency: 'GBP' })
  const { id } = await create({ accountId, amount: -92, original: { amount: -100, currency: 'USD' } })
  const rateAfter = async (change: Record<string, unknown>) => (await ana.patch(path(id), change)).body.original?.rate
  assert.equal(await rateAfter({ amount: -80 }), '0.8')
  assert.equal(await rateAfter({ original: { amount: -160, currency: 'CHF' } }), '0.5')
  assert.equal(await rateAfter({ accountId: pounds, amount: -40 }), '0.25')
  assert.equal(await rateAfter({ payee: 'Inn' }), '0.25')
  assertRefused(await ana.patch(path(id), { amount: 40 }), 422, 'currency-mismatch', '/original/amount')
  assert.equal((await ana.patch(path(id), { original: null })).body.original, null)
  assert.deepEqual(
    [await balances(accountId), await balances(pounds)],
    [
      [0, 0],
      [-40, 0],
    ],
  )
})

test('the books hold after all of this', () => djinn.verify())
