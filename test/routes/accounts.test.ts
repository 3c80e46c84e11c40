// Accounts over HTTP.
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

const amountMax = Number.MAX_SAFE_INTEGER
const draft = { name: 'Current', kind: 'checking', currency: 'EUR' }

async function balances(id: string) {
  const { body } = await ana.get(`/api/accounts/${id}?fields=openingBalance,balance,pendingBalance`)
  return [body.openingBalance, body.balance, body.pendingBalance]
}

async function spend(accountId: string, amount: number, more: Record<string, unknown> = {}): Promise<string> {
  const { status, body, text } = await ana.post('/api/transactions', { accountId, date: '2026-01-31', amount, ...more })
  assert.equal(status, 201, text)
  return body.id
}

test('a list of accounts takes one round trip to the database', async () => {
  await ana.account()
  await ana.get('/api/accounts')
  const { statements, roundTrips } = await djinn.count(() => ana.get('/api/accounts'))
  assert.deepEqual(statements, ['accounts.list'])
  assert.equal(roundTrips, 1)
})

test('an account opens with its opening balance, in at most three round trips', async () => {
  let made: Reply | undefined
  const { roundTrips } = await djinn.count(async () => {
    made = await ana.post('/api/accounts', { ...draft, openingBalance: -1_250, note: 'joint' })
  })
  assert.ok(roundTrips <= 3, `${roundTrips} round trips`)
  const { status, headers, body } = made!
  assert.equal(status, 201)
  assert.equal(headers['location'], `/api/accounts/${body.id}`)
  assert.deepEqual(
    { ...body, id: '', createdAt: '', updatedAt: '', revision: 0 },
    {
      ...{ id: '', name: 'Current', kind: 'checking', currency: 'EUR', institutionId: null, note: 'joint', openingBalance: -1_250 },
      ...{ balance: -1_250, pendingBalance: 0, closedAt: null, createdAt: '', updatedAt: '', revision: 0 },
    },
  )
  assert.deepEqual((await ana.get(`/api/accounts/${body.id}`)).body, body)
})

test('the same id with the same content answers the account that is there; other content is refused', async () => {
  const id = newId()
  const sent = { ...draft, id, openingBalance: 500 }
  const first = await ana.post('/api/accounts', sent)
  assert.equal(first.status, 201)
  const again = await ana.post('/api/accounts', sent)
  assert.equal(again.status, 200)
  assert.deepEqual(again.body, first.body)
  for (const other of [{ name: 'Other' }, { kind: 'cash' }, { currency: 'USD' }, { openingBalance: 501 }, { note: 'new' }]) {
    assertRefused(await ana.post('/api/accounts', { ...sent, ...other }), 409, 'already-exists', '/id')
  }
  // What is left out has its default, so this is another account than the one with 500.
  assertRefused(await ana.post('/api/accounts', { ...draft, id }), 409, 'already-exists', '/id')
  assert.deepEqual((await ana.get(`/api/accounts/${id}`)).body, first.body)
})

test('what the database keeps, and what is not a field, cannot be sent', async () => {
  const id = await ana.account({ openingBalance: 7 })
  for (const name of ['balance', 'pendingBalance', 'revision', 'householdId', 'createdAt', 'role', 'closed']) {
    assertRefused(await ana.post('/api/accounts', { ...draft, [name]: 1 }), 400, 'invalid-request', `/${name}`)
    assertRefused(await ana.patch(`/api/accounts/${id}`, { [name]: 1 }), 400, 'invalid-request', `/${name}`)
  }
  assertRefused(await ana.patch(`/api/accounts/${id}`, { id: newId() }), 400, 'invalid-request', '/id')
  assert.deepEqual(await balances(id), [7, 7, 0])
})

test('a field of the wrong kind is refused at its place', async () => {
  const wrong: [string, unknown][] = [
    ['/name', ''],
    ['/name', 'x'.repeat(101)],
    ['/name', 'bell\u0007'],
    ['/name', null],
    ['/kind', 'piggyBank'],
    ['/currency', 'eur'],
    ['/currency', 'XXQ'],
    ['/id', 'not-an-id'],
    ['/id', newId().toUpperCase()],
    ...[true, null, '1', [1], 1.5].map((amount): [string, unknown] => ['/openingBalance', amount]),
  ]
  for (const [pointer, value] of wrong) {
    assertRefused(await ana.post('/api/accounts', { ...draft, [pointer.slice(1)]: value }), 400, 'invalid-request', pointer)
  }
  assertRefused(await ana.post('/api/accounts', { kind: 'cash', currency: 'EUR' }), 400, 'invalid-request', '/name')
  assertRefused(
    await ana.post('/api/accounts', { ...draft, institutionId: 'no-such-bank' }),
    422,
    'institution-not-found',
    '/institutionId',
  )
})

test('balances reach the ends of the range and go no further', async () => {
  const rich = await ana.account({ openingBalance: amountMax })
  const poor = await ana.account({ openingBalance: -amountMax })
  assert.deepEqual(await balances(rich), [amountMax, amountMax, 0])
  assertRefused(await ana.post('/api/transactions', { accountId: rich, date: '2026-01-31', amount: 1 }), 422, 'amount-out-of-range')
  assertRefused(await ana.post('/api/transactions', { accountId: poor, date: '2026-01-31', amount: -1 }), 422, 'amount-out-of-range')
  await spend(rich, -1)
  for (const beyond of [amountMax + 1, -amountMax - 1]) {
    assertRefused(await ana.patch(`/api/accounts/${poor}`, { openingBalance: beyond }), 400, 'invalid-json', '/openingBalance')
  }
  assert.deepEqual(await balances(rich), [amountMax, amountMax - 1, 0])
  assert.deepEqual(await balances(poor), [-amountMax, -amountMax, 0])
})

test('posted and reconciled rows move the balance, pending ones the pending balance', async () => {
  const id = await ana.account({ openingBalance: 1_000 })
  await spend(id, -100)
  await spend(id, -20, { status: 'reconciled' })
  await spend(id, -3, { status: 'pending' })
  assert.deepEqual(await balances(id), [1_000, 880, -3])
  assert.equal((await ana.patch(`/api/accounts/${id}`, { openingBalance: 0 })).body.balance, -120)
  assert.deepEqual(await balances(id), [0, -120, -3])
})

test('a patch changes what it names and nothing else', async () => {
  const id = await ana.account({ note: 'old', openingBalance: 5 })
  const was = (await ana.get(`/api/accounts/${id}`)).body
  const { status, body } = await ana.patch(`/api/accounts/${id}`, { name: 'Household', kind: 'savings' })
  assert.equal(status, 200)
  assert.ok(body.revision > was.revision)
  assert.deepEqual(body, { ...was, name: 'Household', kind: 'savings', updatedAt: body.updatedAt, revision: body.revision })
  assertRefused(await ana.patch(`/api/accounts/${newId()}`, { name: 'x' }), 404, 'not-found')
})

test('the currency stays once there are transactions', async () => {
  const id = await ana.account()
  assert.equal((await ana.patch(`/api/accounts/${id}`, { currency: 'USD' })).body.currency, 'USD')
  await spend(id, -100)
  assertRefused(await ana.patch(`/api/accounts/${id}`, { currency: 'EUR' }), 409, 'in-use', '/currency')
  assert.equal((await ana.patch(`/api/accounts/${id}`, { currency: 'USD', name: 'Dollars' })).body.name, 'Dollars')
})

test('a closed account says since when, in UTC, and opens again', async () => {
  const id = await ana.account()
  const closed = await ana.patch(`/api/accounts/${id}`, { closedAt: '2026-03-01T01:30:00.5+02:00' })
  assert.equal(closed.body.closedAt, '2026-02-28T23:30:00.5Z')
  assert.equal((await ana.patch(`/api/accounts/${id}`, { closedAt: null })).body.closedAt, null)
  for (const closedAt of [
    '2026-03-01',
    'yesterday',
    '0000-01-01T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-01-01T00:00:00+23:59',
    1,
    true,
  ]) {
    assertRefused(await ana.patch(`/api/accounts/${id}`, { closedAt }), 400, 'invalid-request', '/closedAt')
  }
})

test('an account with transactions is not deleted; one without is, again and again, and comes back', async () => {
  const id = await ana.account({ name: 'Cash', kind: 'cash', openingBalance: 12 })
  const was = (await ana.get(`/api/accounts/${id}`)).body
  const transaction = await spend(id, -5)
  assertRefused(await ana.delete(`/api/accounts/${id}`), 409, 'in-use')
  assert.deepEqual(await balances(id), [12, 7, 0])
  assert.equal((await ana.delete(`/api/transactions/${transaction}`)).status, 204)
  assert.equal((await ana.delete(`/api/accounts/${id}`)).status, 204)
  assert.equal((await ana.delete(`/api/accounts/${id}`)).status, 204)
  assertRefused(await ana.get(`/api/accounts/${id}`), 404, 'not-found')
  assertRefused(await ana.patch(`/api/accounts/${id}`, { name: 'x' }), 409, 'deleted')
  assertRefused(await ana.post('/api/accounts', { ...draft, id }), 409, 'already-exists', '/id')
  assertRefused(
    await ana.post('/api/transactions', { accountId: id, date: '2026-01-31', amount: 1 }),
    404,
    'account-not-found',
    '/accountId',
  )
  assertRefused(await ana.post(`/api/transactions/${transaction}/restore`), 404, 'account-not-found', '/accountId')
  const back = await ana.post(`/api/accounts/${id}/restore`)
  assert.equal(back.status, 200)
  assert.deepEqual(back.body, { ...was, updatedAt: back.body.updatedAt, revision: back.body.revision })
  assertRefused(await ana.post(`/api/accounts/${id}/restore`), 409, 'not-deleted')
  assertRefused(await ana.post(`/api/accounts/${newId()}/restore`), 404, 'not-found')
  assertRefused(await ana.delete(`/api/accounts/${newId()}`), 404, 'not-found')
})

test('an account deleted more than 30 days ago stays deleted', async () => {
  const id = await ana.account()
  await ana.delete(`/api/accounts/${id}`)
  const age = (days: number) =>
    djinn.sql(
      `with scope as materialized (select set_config('djinn.household', $1, true))
      update accounts set deleted_at = now() - make_interval(days => $3) from scope where household_id = $1::uuid and id = $2`,
      [ana.householdId, id, days],
    )
  await age(31)
  assertRefused(await ana.post(`/api/accounts/${id}/restore`), 409, 'restore-expired')
  await age(29)
  assert.equal((await ana.post(`/api/accounts/${id}/restore`)).status, 200)
})

test('accounts are listed by id, each once, deleted ones left out', async () => {
  const ben = await djinn.person()
  const ids: string[] = []
  for (let count = 0; count < 7; count++) ids.push(await ben.account({ name: `Account ${count}` }))
  await ben.delete(`/api/accounts/${ids[3]}`)
  const met: string[] = []
  let cursor = ''
  do {
    const { body } = await ben.get(`/api/accounts?limit=2${cursor}`)
    met.push(...body.data.map((row: { id: string }) => row.id))
    cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`
  } while (cursor !== '')
  assert.deepEqual(met, ids.toSpliced(3, 1).toSorted())
})

test('the books hold after all of this', () => djinn.verify())
