// Transfers over HTTP: two legs that are made, changed and deleted as one.
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

const path = (id: string) => `/api/transfers/${id}`
const legPath = (id: string) => `/api/transactions/${id}`

async function accounts(...currencies: string[]): Promise<string[]> {
  const ids: string[] = []
  for (const currency of currencies) ids.push(await ana.account({ currency, openingBalance: 1_000 }))
  return ids
}

async function create(draft: Record<string, unknown>): Promise<Reply['body']> {
  const { status, body, text } = await ana.post('/api/transfers', { date, amount: 100, ...draft })
  assert.equal(status, 201, text)
  return body
}

async function balances(ids: string[]) {
  return await Promise.all(ids.map(async (id) => (await ana.get(`/api/accounts/${id}`)).body.balance as number))
}

const told = (transfer: Reply['body']) =>
  [transfer.from, transfer.to].map((leg) => [leg.accountId, leg.currency, leg.amount, leg.date, leg.note])

test('a transfer is two equal and opposite legs, made in at most three round trips', async () => {
  const [from, to] = await accounts('EUR', 'EUR')
  let made: Reply | undefined
  const { roundTrips } = await djinn.count(async () => {
    made = await ana.post('/api/transfers', { fromAccountId: from, toAccountId: to, date, amount: 100, note: 'rent' })
  })
  assert.ok(roundTrips <= 3, `${roundTrips} round trips`)
  const { status, headers, body } = made!
  assert.equal(status, 201)
  assert.equal(headers['location'], path(body.id))
  assert.deepEqual(told(body), [
    [from, 'EUR', -100, date, 'rent'],
    [to, 'EUR', 100, date, 'rent'],
  ])
  assert.deepEqual(body.from.transfer, { id: body.id, side: 'from', transactionId: body.to.id, accountId: to })
  assert.deepEqual(body.to.transfer, { id: body.id, side: 'to', transactionId: body.from.id, accountId: from })
  assert.deepEqual((await ana.get(path(body.id))).body, body)
  for (const leg of [body.from, body.to]) assert.deepEqual((await ana.get(legPath(leg.id))).body, leg)
  assert.deepEqual(await balances([from!, to!]), [900, 1_100])
})

test('across currencies each leg has its own amount', async () => {
  const [euros, dollars] = await accounts('EUR', 'USD')
  const draft = { fromAccountId: euros, toAccountId: dollars, date, amount: 100 }
  assertRefused(await ana.post('/api/transfers', draft), 422, 'currency-mismatch', '/toAmount')
  const transfer = await create({ ...draft, toAmount: 108 })
  assert.deepEqual(told(transfer), [
    [euros, 'EUR', -100, date, ''],
    [dollars, 'USD', 108, date, ''],
  ])
  assert.deepEqual(await balances([euros!, dollars!]), [900, 1_108])
})

test('in one currency what arrives is what left', async () => {
  const [from, to] = await accounts('EUR', 'EUR')
  const draft = { fromAccountId: from, toAccountId: to, date, amount: 100 }
  assertRefused(await ana.post('/api/transfers', { ...draft, toAmount: 99 }), 422, 'currency-mismatch', '/toAmount')
  assert.deepEqual(await balances([from!, to!]), [1_000, 1_000])
  await create({ ...draft, toAmount: 100 })
  assert.deepEqual(await balances([from!, to!]), [900, 1_100])
})

test('a transfer needs two accounts that are there, and positive amounts', async () => {
  const [from, to, closed] = await accounts('EUR', 'EUR', 'EUR')
  await ana.patch(`/api/accounts/${closed}`, { closedAt: '2026-01-01T00:00:00Z' })
  const draft = { fromAccountId: from, toAccountId: to, date, amount: 100 }
  const post = (change: Record<string, unknown>) => ana.post('/api/transfers', { ...draft, ...change })
  assertRefused(await post({ toAccountId: from }), 422, 'transfer-to-itself', '/toAccountId')
  assertRefused(await post({ fromAccountId: newId() }), 404, 'account-not-found', '/fromAccountId')
  assertRefused(await post({ toAccountId: newId() }), 404, 'account-not-found', '/toAccountId')
  assertRefused(await post({ toAccountId: closed }), 409, 'account-closed')
  assertRefused(await post({ fromAccountId: closed }), 409, 'account-closed')
  for (const amount of [0, -1, 1.5, '1', null, true]) {
    assertRefused(await post({ amount }), 400, 'invalid-request', '/amount')
    assertRefused(await post({ toAmount: amount }), 400, 'invalid-request', '/toAmount')
  }
  assertRefused(await post({ amount: Number.MAX_SAFE_INTEGER }), 422, 'amount-out-of-range')
  assertRefused(await post({ status: 'pending' }), 400, 'invalid-request', '/status')
  assert.deepEqual(await balances([from!, to!, closed!]), [1_000, 1_000, 1_000])
})

test('the same id with the same content answers the transfer that is there; other content is refused', async () => {
  const [from, to, third] = await accounts('EUR', 'USD', 'USD')
  const sent = { id: newId(), fromAccountId: from, toAccountId: to, date, amount: 100, toAmount: 110, note: 'n' }
  const first = await ana.post('/api/transfers', sent)
  const again = await ana.post('/api/transfers', sent)
  assert.deepEqual([first.status, again.status], [201, 200], again.text)
  assert.deepEqual(again.body, first.body)
  const other = [
    { amount: 101 },
    { toAmount: 111 },
    { toAmount: undefined },
    { date: '2026-02-01' },
    { note: undefined },
    { toAccountId: third },
    { fromAccountId: third },
  ]
  for (const change of other) assertRefused(await ana.post('/api/transfers', { ...sent, ...change }), 409, 'already-exists', '/id')
  assert.deepEqual(await balances([from!, to!, third!]), [900, 1_110, 1_000])
})

test('a transaction that took the id of a leg keeps its transfer out', async () => {
  const [from, to] = await accounts('EUR', 'EUR')
  const made = await create({ fromAccountId: from, toAccountId: to })
  const ben = await djinn.person()
  const taken = await ben.post('/api/transactions', { id: made.from.id, accountId: await ben.account(), date, amount: -7 })
  assert.equal(taken.status, 201)
  const draft = { id: made.id, fromAccountId: await ben.account(), toAccountId: await ben.account(), date, amount: 100 }
  assertRefused(await ben.post('/api/transfers', draft), 409, 'already-exists', '/id')
  assertRefused(await ben.get(path(made.id)), 404, 'not-found')
})

test('a patch changes both legs at once, in at most three round trips', async () => {
  const [from, to, third] = await accounts('EUR', 'EUR', 'EUR')
  const { id } = await create({ fromAccountId: from, toAccountId: to })
  let changed: Reply | undefined
  const { roundTrips } = await djinn.count(async () => {
    changed = await ana.patch(path(id), { amount: 250, date: '2026-02-28', note: 'more' })
  })
  assert.ok(roundTrips <= 3, `${roundTrips} round trips`)
  assert.deepEqual(told(changed!.body), [
    [from, 'EUR', -250, '2026-02-28', 'more'],
    [to, 'EUR', 250, '2026-02-28', 'more'],
  ])
  assert.deepEqual((await ana.get(path(id))).body, changed!.body)
  assert.deepEqual(await balances([from!, to!]), [750, 1_250])
  await ana.patch(path(id), { toAccountId: third })
  assert.deepEqual(await balances([from!, to!, third!]), [750, 1_000, 1_250])
  const turned = await ana.patch(path(id), { fromAccountId: third, toAccountId: from })
  assert.equal(turned.status, 200, turned.text)
  assert.deepEqual(await balances([from!, to!, third!]), [1_250, 1_000, 750])
})

test('a patch that would leave no transfer behind is refused and changes nothing', async () => {
  const [from, to, dollars] = await accounts('EUR', 'EUR', 'USD')
  const was = await create({ fromAccountId: from, toAccountId: to })
  const patch = (change: Record<string, unknown>) => ana.patch(path(was.id), change)
  assertRefused(await patch({ toAccountId: from }), 422, 'transfer-to-itself', '/toAccountId')
  assertRefused(await patch({ fromAccountId: to }), 422, 'transfer-to-itself', '/toAccountId')
  assertRefused(await patch({ fromAccountId: to, toAmount: 5 }), 422, 'transfer-to-itself', '/toAccountId')
  assertRefused(await patch({ toAccountId: newId() }), 404, 'account-not-found', '/toAccountId')
  assertRefused(await patch({ fromAccountId: newId() }), 404, 'account-not-found', '/fromAccountId')
  assertRefused(await patch({ toAccountId: dollars }), 422, 'currency-mismatch', '/toAmount')
  assertRefused(await patch({ toAmount: 99 }), 422, 'currency-mismatch', '/toAmount')
  assertRefused(await patch({ id: newId() }), 400, 'invalid-request', '/id')
  assertRefused(await ana.patch(path(newId()), { note: 'x' }), 404, 'not-found')
  assert.deepEqual((await ana.get(path(was.id))).body, was)
  assert.deepEqual(await balances([from!, to!, dollars!]), [900, 1_100, 1_000])
})

test('a patch across currencies says what arrives when what leaves changes', async () => {
  const [euros, dollars, more] = await accounts('EUR', 'USD', 'USD')
  const { id } = await create({ fromAccountId: euros, toAccountId: dollars, toAmount: 110 })
  assertRefused(await ana.patch(path(id), { amount: 200 }), 422, 'currency-mismatch', '/toAmount')
  assert.equal((await ana.patch(path(id), { amount: 200, toAmount: 215 })).status, 200)
  assert.equal((await ana.patch(path(id), { toAccountId: more, date: '2026-02-01' })).body.to.amount, 215)
  assert.deepEqual(await balances([euros!, dollars!, more!]), [800, 1_000, 1_215])
  // In one currency again, the other amount follows.
  const same = await ana.patch(path(id), { fromAccountId: dollars })
  assert.deepEqual([same.body.from.amount, same.body.to.amount], [-200, 200], same.text)
  assert.deepEqual(await balances([euros!, dollars!, more!]), [1_000, 800, 1_200])
})

test('both legs are deleted and restored as one, in at most three round trips each', async () => {
  const [from, to] = await accounts('EUR', 'EUR')
  const was = await create({ fromAccountId: from, toAccountId: to })
  const deleting = await djinn.count(async () => assert.equal((await ana.delete(path(was.id))).status, 204))
  assert.ok(deleting.roundTrips <= 3, `${deleting.roundTrips} round trips`)
  assert.equal((await ana.delete(path(was.id))).status, 204)
  assert.deepEqual(await balances([from!, to!]), [1_000, 1_000])
  assertRefused(await ana.get(path(was.id)), 404, 'not-found')
  assertRefused(await ana.patch(path(was.id), { note: 'x' }), 409, 'deleted')
  const again = { id: was.id, fromAccountId: from, toAccountId: to, date, amount: 100 }
  assertRefused(await ana.post('/api/transfers', again), 409, 'already-exists', '/id')
  for (const leg of [was.from, was.to]) {
    assertRefused(await ana.get(legPath(leg.id)), 404, 'not-found')
    assertRefused(await ana.post(`${legPath(leg.id)}/restore`), 409, 'part-of-transfer')
  }
  let back: Reply | undefined
  const restoring = await djinn.count(async () => {
    back = await ana.post(`${path(was.id)}/restore`)
  })
  assert.ok(restoring.roundTrips <= 3, `${restoring.roundTrips} round trips`)
  assert.deepEqual(told(back!.body), told(was))
  assert.deepEqual(await balances([from!, to!]), [900, 1_100])
  assertRefused(await ana.post(`${path(was.id)}/restore`), 409, 'not-deleted')
  assertRefused(await ana.post(`${path(newId())}/restore`), 404, 'not-found')
  assertRefused(await ana.delete(path(newId())), 404, 'not-found')
})

test('a leg is not changed or deleted alone, but carries payee, category and status of its own', async () => {
  const [from, to] = await accounts('EUR', 'EUR')
  const was = await create({ fromAccountId: from, toAccountId: to })
  const categoryId = (await ana.post('/api/categories', { name: 'Rent', kind: 'expense' })).body.id
  for (const change of [
    { amount: -101 },
    { date: '2026-02-01' },
    { accountId: to },
    { splits: [{ amount: -50 }, { amount: -50 }] },
    { original: { amount: -110, currency: 'USD' } },
  ]) {
    const reply = await ana.patch(legPath(was.from.id), change)
    assertRefused(reply, 409, 'part-of-transfer')
    assert.equal(reply.body.transferId, was.id)
  }
  for (const leg of [was.from, was.to]) assertRefused(await ana.delete(legPath(leg.id)), 409, 'part-of-transfer')
  assert.deepEqual((await ana.get(path(was.id))).body, was)
  const own = await ana.patch(legPath(was.from.id), { payee: 'Landlord', categoryId, note: 'May', status: 'reconciled' })
  assert.equal(own.status, 200, own.text)
  assert.deepEqual((await ana.get(path(was.id))).body.from, own.body)
  assert.deepEqual(await balances([from!, to!]), [900, 1_100])
})

test('a reconciled leg or a closed account holds the whole transfer', async () => {
  const [from, to] = await accounts('EUR', 'EUR')
  const { id, to: leg } = await create({ fromAccountId: from, toAccountId: to })
  await ana.patch(legPath(leg.id), { status: 'reconciled' })
  assertRefused(await ana.patch(path(id), { amount: 101 }), 409, 'transaction-reconciled')
  assertRefused(await ana.delete(path(id)), 409, 'transaction-reconciled')
  await ana.patch(legPath(leg.id), { status: 'posted' })
  await ana.patch(`/api/accounts/${from}`, { closedAt: '2026-03-01T00:00:00Z' })
  assertRefused(await ana.patch(path(id), { amount: 101 }), 409, 'account-closed')
  assertRefused(await ana.delete(path(id)), 409, 'account-closed')
  assert.deepEqual(await balances([from!, to!]), [900, 1_100])
  assert.equal((await ana.patch(path(id), { note: 'kept' })).body.to.note, 'kept')
})

test('transfers are listed newest first, each once, in one round trip a page', async () => {
  const ben = await djinn.person()
  const [fromAccountId, toAccountId] = [await ben.account(), await ben.account()]
  const ids: string[] = []
  for (let count = 0; count < 5; count++) {
    ids.push((await ben.post('/api/transfers', { fromAccountId, toAccountId, date, amount: count + 1 })).body.id)
  }
  await ben.delete(path(ids[1]!))
  const met: string[] = []
  let cursor = ''
  do {
    let listed: Reply | undefined
    const { roundTrips } = await djinn.count(async () => {
      listed = await ben.get(`/api/transfers?limit=2${cursor}`)
    })
    assert.equal(roundTrips, 1)
    met.push(...listed!.body.data.map((row: { id: string }) => row.id))
    cursor = listed!.body.nextCursor === null ? '' : `&cursor=${listed!.body.nextCursor}`
  } while (cursor !== '')
  assert.deepEqual(met, ids.toSpliced(1, 1).toSorted().toReversed())
})

test('the books hold after all of this', () => djinn.verify())
