// Transactions over HTTP, one at a time.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { assertRefused, open, type Person, type Reply } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
let categoryId: string
before(async () => {
  ana = await djinn.person()
  categoryId = (await ana.post('/api/categories', { name: 'Coffee', kind: 'expense' })).body.id
})

const amountMax = Number.MAX_SAFE_INTEGER
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

test('a transaction is added in at most three round trips, in the currency of its account', async () => {
  const accountId = await ana.account({ currency: 'JPY', openingBalance: 1_000 })
  let made: Reply | undefined
  const { roundTrips } = await djinn.count(async () => {
    made = await ana.post('/api/transactions', { accountId, date: '2028-02-29', amount: -250 })
  })
  assert.ok(roundTrips <= 3, `${roundTrips} round trips`)
  const { status, headers, body } = made!
  assert.equal(status, 201)
  assert.equal(headers['location'], path(body.id))
  assert.deepEqual(
    { ...body, id: '', createdAt: '', updatedAt: '', revision: 0 },
    {
      ...{ id: '', accountId, currency: 'JPY', date: '2028-02-29', amount: -250, payee: '', rawPayee: null, note: '', categoryId: null },
      ...{ splits: null, status: 'posted', original: null, externalId: null, importId: null, transfer: null },
      ...{ createdAt: '', updatedAt: '', revision: 0 },
    },
  )
  assert.deepEqual((await ana.get(path(body.id))).body, body)
  assert.deepEqual(await balances(accountId), [750, 0])
})

test('reading one transaction takes one round trip', async () => {
  const { id } = await create({ accountId: await ana.account() })
  const { statements, roundTrips } = await djinn.count(() => ana.get(path(id)))
  assert.deepEqual(statements, ['transactions.byIds'])
  assert.equal(roundTrips, 1)
})

test('the same id with the same content answers the row that is there, and the balance moves once', async () => {
  const accountId = await ana.account()
  const sent = {
    ...{ id: newId(), accountId, date, amount: -100, payee: 'Café', note: 'two', categoryId, externalId: 'bank-1' },
    ...{ splits: [{ amount: -60, categoryId }, { amount: -40 }], original: { amount: -108, currency: 'USD' } },
  }
  const first = await ana.post('/api/transactions', sent)
  const again = await ana.post('/api/transactions', sent)
  assert.deepEqual([first.status, again.status], [201, 200], again.text)
  assert.deepEqual(again.body, first.body)
  assert.deepEqual(await balances(accountId), [-100, 0])
})

test('the same id with other content is refused and changes nothing', async () => {
  const accountId = await ana.account()
  const sent = {
    ...{ id: newId(), accountId, date, amount: -100, payee: 'Café', categoryId },
    ...{ splits: [{ amount: -60 }, { amount: -40 }], original: { amount: -108, currency: 'USD' } },
  }
  const first = await ana.post('/api/transactions', sent)
  const other: Record<string, unknown>[] = [
    { accountId: await ana.account() },
    { date: '2026-02-01' },
    { amount: -101, splits: null },
    { payee: 'Cafe' },
    { payee: undefined },
    { note: 'new' },
    { categoryId: null },
    { splits: [{ amount: -61 }, { amount: -39 }] },
    { splits: [{ amount: -40 }, { amount: -60 }] },
    { splits: undefined },
    { status: 'pending' },
    { externalId: 'bank-2' },
    { original: { amount: -109, currency: 'USD' } },
    { original: { amount: -108, currency: 'CHF' } },
    { original: undefined },
  ]
  for (const change of other) {
    const reply = await ana.post('/api/transactions', { ...sent, ...change })
    assert.deepEqual([reply.status, reply.body.code], [409, 'already-exists'], JSON.stringify(change))
  }
  assert.deepEqual((await ana.get(path(sent.id))).body, first.body)
  assert.deepEqual(await balances(accountId), [-100, 0])
})

test('splits sum to the amount, on creation and after each change', async () => {
  const accountId = await ana.account()
  const draft = { accountId, date, amount: -100 }
  for (const splits of [
    [{ amount: -60 }, { amount: -41 }],
    [{ amount: -100 }, { amount: 1 }],
    [{ amount: 60 }, { amount: 40 }],
    [{ amount: -amountMax }, { amount: -amountMax }],
  ]) {
    assertRefused(await ana.post('/api/transactions', { ...draft, splits }), 422, 'split-sum-mismatch', '/splits')
  }
  assert.deepEqual(await balances(accountId), [0, 0])
  // Parts of either sign may make up an amount: a refund within a purchase.
  const { id, splits } = await create({ ...draft, splits: [{ amount: -130, categoryId, note: 'beans' }, { amount: 30 }] })
  assert.deepEqual(splits, [
    { amount: -130, categoryId, note: 'beans' },
    { amount: 30, categoryId: null, note: '' },
  ])
  assertRefused(await ana.patch(path(id), { amount: -101 }), 422, 'split-sum-mismatch', '/splits')
  assertRefused(await ana.patch(path(id), { splits: [{ amount: -130 }, { amount: 31 }] }), 422, 'split-sum-mismatch', '/splits')
  assert.deepEqual(await balances(accountId), [-100, 0])
  const both = await ana.patch(path(id), { amount: -101, splits: [{ amount: -50 }, { amount: -51 }] })
  assert.deepEqual([both.status, both.body.amount], [200, -101])
  const whole = await ana.patch(path(id), { splits: null, amount: -7 })
  assert.deepEqual([whole.body.splits, whole.body.amount], [null, -7])
  assert.deepEqual(await balances(accountId), [-7, 0])
})

test('splits are 2 to 50 parts with amounts', async () => {
  const accountId = await ana.account()
  const parts = (count: number) => Array.from({ length: count }, () => ({ amount: -1 }))
  for (const [splits, pointer] of [
    [parts(1), '/splits'],
    [[], '/splits'],
    [parts(51), '/splits'],
    [[{ amount: -1 }, { categoryId }], '/splits/1/amount'],
    [[{ amount: -1 }, { amount: '1' }], '/splits/1/amount'],
    [[{ amount: -1 }, { amount: 1, categoryId: 'x' }], '/splits/1/categoryId'],
    [[{ amount: -1 }, { amount: 1, payee: 'x' }], '/splits/1/payee'],
  ] as const) {
    assertRefused(await ana.post('/api/transactions', { accountId, date, amount: -splits.length, splits }), 400, 'invalid-request', pointer)
  }
  assert.equal((await create({ accountId, amount: -50, splits: parts(50) })).splits.length, 50)
})

test('amounts are whole numbers within +-(2^53-1)', async () => {
  const accountId = await ana.account()
  for (const amount of [true, null, '1', [1], {}, 1.5]) {
    assertRefused(await ana.post('/api/transactions', { accountId, date, amount }), 400, 'invalid-request', '/amount')
  }
  for (const amount of ['9007199254740992', '-9007199254740993', '1e400', 'NaN', '0x10', '01', '1_000']) {
    const { status } = await ana.call('POST', '/api/transactions', {
      raw: `{"accountId":"${accountId}","date":"${date}","amount":${amount}}`,
      headers: { 'content-type': 'application/json' },
    })
    assert.equal(status, 400, amount)
  }
  assert.deepEqual(await balances(accountId), [0, 0])
  const { id } = await create({ accountId, amount: amountMax })
  await create({ accountId, amount: -amountMax })
  // Nor may what flows through a month leave the range, whatever the balance.
  assertRefused(await ana.post('/api/transactions', { accountId, date, amount: -1 }), 422, 'amount-out-of-range')
  await create({ accountId, amount: -amountMax, date: '2026-02-28' })
  assert.deepEqual(await balances(accountId), [-amountMax, 0])
  assertRefused(await ana.delete(path(id)), 422, 'amount-out-of-range')
  assertRefused(await ana.post('/api/transactions', { accountId, date: '2026-03-31', amount: -1 }), 422, 'amount-out-of-range')
  await create({ accountId, amount: amountMax, status: 'pending' })
  assertRefused(
    await ana.post('/api/transactions', { accountId, date: '2026-03-31', amount: 1, status: 'pending' }),
    422,
    'amount-out-of-range',
  )
  assert.deepEqual(await balances(accountId), [-amountMax, amountMax])
  assert.equal((await create({ accountId, amount: 0 })).amount, 0)
})

test('a field of the wrong kind, or one that is not ours to set, is refused at its place', async () => {
  const { id, accountId } = await create({ accountId: await ana.account() })
  const wrong: [string, unknown][] = [
    ...['2026-02-29', '2026-13-01', '1899-12-31', '2200-01-01', '2026-1-1', '2026-01-31T00:00:00Z', 20_260_131].map(
      (day): [string, unknown] => ['/date', day],
    ),
    ['/accountId', null],
    ['/payee', 'x'.repeat(201)],
    ['/payee', 'a\u0008b'],
    ['/note', 'x'.repeat(2_001)],
    ['/status', 'cleared'],
    ['/original', { amount: -1 }],
    ...['currency', 'rawPayee', 'importId', 'transfer', 'revision', 'editedFields', 'householdId'].map((name): [string, unknown] => [
      `/${name}`,
      null,
    ]),
  ]
  for (const [pointer, value] of wrong) {
    const field = { [pointer.slice(1)]: value }
    const expected = pointer === '/original' ? '/original/currency' : pointer
    assertRefused(await ana.post('/api/transactions', { accountId, date, amount: -1, ...field }), 400, 'invalid-request', expected)
    assertRefused(await ana.patch(path(id), field), 400, 'invalid-request', expected)
  }
  // What the bank called it stays as it was first told.
  assertRefused(await ana.patch(path(id), { externalId: 'x' }), 400, 'invalid-request', '/externalId')
})

test('an account or category that is not there is refused at its place', async () => {
  const { id, accountId } = await create({ accountId: await ana.account() })
  const missing = newId()
  const draft = { accountId, date, amount: -2 }
  assertRefused(await ana.post('/api/transactions', { ...draft, accountId: missing }), 404, 'account-not-found', '/accountId')
  assertRefused(await ana.post('/api/transactions', { ...draft, categoryId: missing }), 404, 'category-not-found', '/categoryId')
  const splits = [{ amount: -1 }, { amount: -1, categoryId: missing }]
  assertRefused(await ana.post('/api/transactions', { ...draft, splits }), 404, 'category-not-found', '/splits')
  assertRefused(await ana.patch(path(id), { accountId: missing }), 404, 'account-not-found', '/accountId')
  assertRefused(await ana.patch(path(id), { categoryId: missing }), 404, 'category-not-found', '/categoryId')
  assert.deepEqual(await balances(accountId), [-100, 0])
})

test('a patch changes what it names, and the balances follow', async () => {
  const from = await ana.account()
  const to = await ana.account({ currency: 'USD' })
  const was = await create({ accountId: from, payee: 'Shop', note: 'n', categoryId, status: 'pending' })
  assert.deepEqual(await balances(from), [0, -100])
  const posted = await ana.patch(path(was.id), { status: 'posted', payee: '' })
  const stamps = { updatedAt: posted.body.updatedAt, revision: posted.body.revision }
  assert.deepEqual(posted.body, { ...was, status: 'posted', payee: '', ...stamps })
  assert.ok(stamps.revision > was.revision)
  assert.deepEqual(await balances(from), [-100, 0])
  await ana.patch(path(was.id), { amount: 40, date: '2026-02-28' })
  assert.deepEqual(await balances(from), [40, 0])
  const moved = await ana.patch(path(was.id), { accountId: to })
  assert.deepEqual([moved.body.accountId, moved.body.currency, moved.body.amount], [to, 'USD', 40])
  assert.deepEqual(
    [await balances(from), await balances(to)],
    [
      [0, 0],
      [40, 0],
    ],
  )
  assert.deepEqual((await ana.get(path(was.id))).body, moved.body)
  assertRefused(await ana.patch(path(newId()), { payee: 'x' }), 404, 'not-found')
})

test('the books hold after all of this', () => djinn.verify())
