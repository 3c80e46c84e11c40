// Atomic batches: all writes are one transaction in one household, and one failure undoes all.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { open, type Person, type Reply, type StepResult } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

type Step = { method: string; path: string; headers?: Record<string, string>; body?: unknown }

const date = '2026-01-31'
const get = (path: string, headers: Record<string, string> = {}): Step => ({ method: 'GET', path, headers })
const create = (draft: object = {}): Step => ({
  method: 'POST',
  path: '/api/accounts',
  body: { name: 'Purse', kind: 'cash', currency: 'EUR', ...draft },
})
const spend = (accountId: string, amount: number, draft: object = {}): Step => ({
  method: 'POST',
  path: '/api/transactions',
  body: { accountId, date, amount, ...draft },
})

const send = (person: Person, steps: Step[], headers: Record<string, string> = {}): Promise<Reply> =>
  person.post('/api/batch', { operations: steps.map((step, index) => ({ id: `s${index}`, ...step })), atomic: true }, headers)

async function batch(person: Person, steps: Step[], headers: Record<string, string> = {}): Promise<StepResult[]> {
  const { status, body, text } = await send(person, steps, headers)
  assert.equal(status, 200, text)
  assert.deepEqual(
    body.results.map((result: StepResult) => result.id),
    steps.map((_, index) => `s${index}`),
  )
  return body.results
}

const codes = (results: StepResult[]) => results.map(({ status, body }) => (status < 400 ? status : body.code))

/** Everything that a write would move: rows, balances, rollups, the journal, revisions and kept answers. */
async function books(person: Person) {
  const tables = ['accounts', 'transactions', 'transfers', 'categories', 'monthly_totals', 'journal', 'revisions', 'replica_digests']
  const contents = tables.map((table) =>
    djinn.sql(`select * from ${table} t where household_id = $1 order by t::text`, [person.householdId]),
  )
  return [...(await Promise.all(contents)), await djinn.sql('select * from idempotency_keys where user_id = $1', [person.userId])]
}

async function assertUndone(person: Person, steps: Step[], culprit: number, code: string, headers: Record<string, string> = {}) {
  const was = await books(person)
  const results = await batch(person, steps, headers)
  assert.deepEqual(
    codes(results),
    steps.map((_, index) => (index === culprit ? code : 'batch-undone')),
  )
  for (const [index, { status, headers: given, body }] of results.entries()) {
    assert.equal(given['content-type'], 'application/problem+json; charset=utf-8')
    assert.ok(body.requestId)
    if (index !== culprit) assert.deepEqual([status, body.detail.includes(`"s${culprit}"`)], [424, true])
  }
  assert.deepEqual(await books(person), was)
}

test('all writes of an atomic batch are of one revision, and reads see the writes before them', async () => {
  const ana = await djinn.person()
  const [first, second, transfer] = [newId(), newId(), newId()]
  const results = await batch(ana, [
    get('/api/accounts'),
    create({ id: first }),
    create({ id: second, name: 'Chest' }),
    spend(first, -7),
    get(`/api/accounts/${first}?fields=balance`),
    { method: 'POST', path: '/api/transfers', body: { id: transfer, fromAccountId: first, toAccountId: second, date, amount: 3 } },
    get('/api/accounts?fields=name,balance'),
    { method: 'PATCH', path: `/api/accounts/${second}`, body: { name: 'Coffer' } },
    { method: 'DELETE', path: `/api/transfers/${transfer}` },
    get('/api/accounts?fields=name,balance'),
  ])
  assert.deepEqual(codes(results), [200, 201, 201, 201, 200, 201, 200, 200, 204, 200])
  assert.deepEqual([results[0]!.body.data, results[4]!.body], [[], { balance: -7 }])
  const lists = [results[6]!, results[9]!].map((result) => result.body.data)
  assert.deepEqual(lists, [
    [
      { name: 'Purse', balance: -10 },
      { name: 'Chest', balance: 3 },
    ],
    [
      { name: 'Purse', balance: -7 },
      { name: 'Coffer', balance: 0 },
    ],
  ])
  assert.deepEqual((await ana.get('/api/accounts?fields=name,balance')).body.data, lists[1])
  assert.equal(new Set([1, 2, 3, 5, 7].map((index) => results[index]!.body.revision)).size, 1)
  await djinn.verify()
})

test('a conditional read behind a write of the batch is never 304 from the revision of before', async () => {
  const ana = await djinn.person()
  const path = `/api/accounts/${await ana.account()}`
  const row = (await ana.get(path)).headers['etag']!
  const list = (await ana.get('/api/accounts')).headers['etag']!
  const results = await batch(ana, [
    get(path, { 'if-none-match': row }),
    get('/api/accounts', { 'if-none-match': list }),
    { method: 'PATCH', path, body: { name: 'New' } },
    get(path, { 'if-none-match': row }),
    get('/api/accounts', { 'if-none-match': list }),
  ])
  assert.deepEqual(codes(results), [304, 304, 200, 200, 200])
  assert.deepEqual([results[3]!.body.name, results[4]!.body.data[0].name], ['New', 'New'])
})

test('a list read between two writes of a batch has a tag that is not that of the list afterwards', async () => {
  const ana = await djinn.person()
  const [, between] = await batch(ana, [create(), get('/api/accounts'), create()])
  assert.equal(between!.body.data.length, 1)
  const later = await ana.get('/api/accounts', { 'if-none-match': between!.headers['etag'] ?? '"none"' })
  assert.deepEqual([later.status, later.body.data.length], [200, 2])
})

test('one refusal undoes all, the journal, balances and digests included, wherever it stands', async () => {
  const ana = await djinn.person()
  const accountId = await ana.account()
  const good = [create(), spend(accountId, -5), get('/api/accounts')]
  const bad: [Step, string][] = [
    [spend(newId(), -1), 'account-not-found'],
    [spend(accountId, -1, { payee: 5 }), 'invalid-request'],
    [spend(accountId, -3, { splits: [{ amount: -1 }, { amount: -1 }] }), 'split-sum-mismatch'],
    [{ method: 'DELETE', path: `/api/accounts/${accountId}` }, 'in-use'],
    [
      { method: 'PATCH', path: `/api/accounts/${accountId}`, body: { name: 'x' }, headers: { 'if-match': '"0.AAAAAAAAAAA"' } },
      'precondition-failed',
    ],
    [get(`/api/accounts/${newId()}`), 'not-found'],
    [get('/api/nothing'), 'not-found'],
    [{ method: 'DELETE', path: '/api/accounts' }, 'method-not-allowed'],
    [get('/api/accounts', { 'x-other': '1' }), 'invalid-request'],
    [{ method: 'POST', path: '/api/batch', body: { operations: [] } }, 'not-in-batch'],
    [{ method: 'POST', path: '/api/imports' }, 'not-in-batch'],
  ]
  for (const [step, code] of bad) {
    await assertUndone(ana, [...good, step], 3, code)
    await assertUndone(ana, [...good, step, ...good], 3, code)
  }
  await assertUndone(ana, [bad[0]![0], ...good], 0, 'account-not-found')
  assert.deepEqual(codes(await batch(ana, good)), [201, 201, 200])
  await djinn.verify()
})

test('of two steps that fail the first is named', async () => {
  const ana = await djinn.person()
  const accountId = await ana.account()
  await assertUndone(ana, [create(), spend(newId(), -1), spend(accountId, -1), spend(newId(), -1)], 1, 'account-not-found')
})

test('what the database checks at the end of a transaction is the failure of the step that broke it', async () => {
  const ana = await djinn.person()
  const [fromAccountId, toAccountId] = [await ana.account(), await ana.account()]
  const transfer = (await ana.post('/api/transfers', { fromAccountId, toAccountId, date, amount: 5 })).body
  // Nothing in the API breaks a transfer; a trigger of this test does, with a right that the service has not.
  await djinn.sql(`create function tilt() returns trigger language plpgsql security definer as $$ begin
    if new.note = 'tilt' then update transactions set amount = 6 where household_id = new.household_id and id = '${transfer.to.id}'; end if;
    return null; end $$`)
  await djinn.sql('create trigger tilt after update on transactions for each row execute function tilt()')
  try {
    await assertUndone(
      ana,
      [create(), { method: 'PATCH', path: `/api/transactions/${transfer.from.id}`, body: { note: 'tilt' } }, create()],
      1,
      'currency-mismatch',
    )
  } finally {
    await djinn.sql('drop function tilt cascade')
  }
})

test('a key inside of an atomic batch keeps its answer with the commit, and nothing when it is undone', async () => {
  const ana = await djinn.person()
  const keyed = { ...create(), headers: { 'idempotency-key': 'one' } }
  await assertUndone(ana, [keyed, spend(newId(), -1)], 1, 'account-not-found')
  const [made, twin] = await batch(ana, [keyed, keyed])
  assert.deepEqual([made!.headers['idempotency-replayed'], twin!.headers['idempotency-replayed']], [undefined, 'true'])
  assert.equal(twin!.body.id, made!.body.id)
  const alone = await ana.post('/api/accounts', keyed.body, { 'idempotency-key': 'one' })
  assert.deepEqual([alone.headers['idempotency-replayed'], alone.body], ['true', made!.body])
  assert.equal((await ana.get('/api/accounts')).body.data.length, 1)
})

test('an atomic batch repeated with its key replays every write and changes nothing', async () => {
  const ana = await djinn.person()
  const path = `/api/accounts/${await ana.account()}`
  const steps: Step[] = [create(), { method: 'PATCH', path, body: { name: 'New' } }, { method: 'DELETE', path }]
  const first = await batch(ana, steps, { 'idempotency-key': 'whole' })
  const was = await books(ana)
  const again = await batch(ana, steps, { 'idempotency-key': 'whole' })
  assert.deepEqual(
    again.map(({ status, body, headers }) => [status, body, headers['idempotency-replayed']]),
    first.map(({ status, body }) => [status, body, 'true']),
  )
  assert.deepEqual(await books(ana), was)
  await assertUndone(ana, [create({ name: 'Other' }), ...steps.slice(1)], 0, 'idempotency-key-reused', { 'idempotency-key': 'whole' })
})

test('steps of two households, or of none, make the batch no atomic one: 400 and nothing done', async () => {
  const ana = await djinn.person()
  const { body: second } = await ana.post('/api/households', { name: 'Cabin', baseCurrency: 'EUR', timeZone: 'UTC' })
  const there = { 'djinn-household': second.id as string }
  const was = await books(ana)
  for (const [steps, pointer] of [
    [[create(), { ...create(), headers: there }], '/operations/1/headers/Djinn-Household'],
    [[create(), get('/api/me')], '/operations/1/path'],
    [[get('/api/households'), create()], '/operations/0/path'],
  ] as const) {
    const { status, body } = await send(ana, [...steps])
    assert.deepEqual([status, body.code, body.errors[0].pointer], [400, 'not-in-batch', pointer])
  }
  assert.deepEqual(await books(ana), was)
  assert.deepEqual(
    codes(
      await batch(ana, [
        { ...create(), headers: there },
        { ...create(), headers: there },
      ]),
    ),
    [201, 201],
  )
  assert.deepEqual(codes(await batch(ana, [create()], there)), [201])
  assert.equal((await ana.get('/api/accounts', there)).body.data.length, 3)
  assert.deepEqual(await books(ana), was)
})

test("another household's ids and name are 404, and the batch is undone", async () => {
  const [ana, ben] = [await djinn.person(), await djinn.person()]
  const foreign = await ben.account()
  const was = await books(ben)
  await assertUndone(ana, [create(), { method: 'PATCH', path: `/api/accounts/${foreign}`, body: { name: 'x' } }], 1, 'not-found')
  await assertUndone(ana, [create(), spend(foreign, -1)], 1, 'account-not-found')
  for (const household of [ben.householdId, newId(), 'x']) {
    await assertUndone(ana, [create(), create()], 0, 'not-found', { 'djinn-household': household })
  }
  assert.deepEqual(await books(ben), was)
})

test('thirty atomic batches of one household at once all go through', async () => {
  const ana = await djinn.person()
  const [one, two] = [await ana.account({ name: 'One' }), await ana.account({ name: 'Two' })]
  const atOnce = async (count: number) => {
    const replies = await Promise.all(
      Array.from({ length: count }, (_, index) => {
        const [first, second] = index % 2 ? [one, two] : [two, one]
        return batch(ana, [
          get('/api/accounts'),
          spend(first, -1),
          { method: 'POST', path: '/api/transfers', body: { fromAccountId: second, toAccountId: first, date, amount: 1 } },
          spend(second, -1),
          { method: 'PATCH', path: `/api/accounts/${first}`, body: { note: `n${count} ${index}` } },
        ])
      }),
    )
    for (const results of replies) assert.deepEqual(codes(results), [200, 201, 201, 201, 200])
  }
  // A connection's first write compiles the triggers, under the household's lock: thirty of those in a row pass the limit of a wait.
  await atOnce(10)
  await atOnce(20)
  await atOnce(30)
  const { data } = (await ana.get('/api/accounts?fields=balance')).body
  assert.equal(data[0].balance + data[1].balance, -120)
  await djinn.verify()
})

test('an atomic batch of reads alone, and one whose writes find all done, raise no revision', async () => {
  const ana = await djinn.person()
  const id = newId()
  const path = `/api/accounts/${id}`
  await batch(ana, [create({ id })], { 'idempotency-key': 'whole' })
  const was = await books(ana)
  assert.deepEqual(codes(await batch(ana, [get('/api/accounts'), get(path)])), [200, 200])
  assert.deepEqual(codes(await batch(ana, [create({ id })], { 'idempotency-key': 'whole' })), [201])
  assert.deepEqual(await books(ana), was)
})
