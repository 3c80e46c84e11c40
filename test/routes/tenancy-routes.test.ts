// Another household's ids are as good as none: on every route, in every body, and in the header.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { open, type Person, type Reply } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
let ben: Person
/** Ben's rows by the first words of their paths; `gone` are deleted ones, which a restore would look for. */
let foreign: Record<string, { live: string; gone?: string }>

const date = '2026-01-31'

async function twice(make: () => Promise<Reply>, path: string) {
  const [live, gone] = [(await make()).body.id as string, (await make()).body.id as string]
  assert.ok(live && gone)
  assert.equal((await ben.delete(`${path}/${gone}`)).status, 204)
  return { live, gone }
}

before(async () => {
  ana = await djinn.person()
  ben = await djinn.person()
  const [fromAccountId, toAccountId] = [await ben.account(), await ben.account()]
  const imported = await ben.upload(`/api/imports?accountId=${fromAccountId}`, 'Date,Amount,Payee\n2026-01-31,-5.00,Baker\n')
  assert.equal(imported.status, 201, imported.text)
  await djinn.sql(`select tell_members($1, 'billReminder', 'bill', '{}', null)`, [ben.householdId])
  const category = () => ben.post('/api/categories', { name: 'x', kind: 'expense' })
  const account = { name: 'Current', kind: 'checking', currency: 'EUR' }
  const transfer = { fromAccountId, toAccountId, date, amount: 5 }
  const rule = {
    name: 'x',
    match: 'all',
    conditions: [{ field: 'payee', operator: 'is', value: 'x' }],
    actions: { payee: 'y' },
  }
  foreign = {
    '/api/rules': await twice(() => ben.post('/api/rules', rule), '/api/rules'),
    '/api/rules/runs': { live: (await ben.post('/api/rules/run', {})).body.id },
    '/api/accounts': await twice(() => ben.post('/api/accounts', account), '/api/accounts'),
    '/api/categories': await twice(category, '/api/categories'),
    '/api/transactions': await twice(
      () => ben.post('/api/transactions', { accountId: fromAccountId, date, amount: -5 }),
      '/api/transactions',
    ),
    '/api/transfers': await twice(() => ben.post('/api/transfers', transfer), '/api/transfers'),
    '/api/bills': await twice(
      () => ben.post('/api/bills', { payee: 'Rent', amountMin: -5, amountMax: -5, schedule: { startsOn: date, rule: 'FREQ=MONTHLY' } }),
      '/api/bills',
    ),
    '/api/budgets': await twice(
      async () => ben.post('/api/budgets', { categoryId: (await category()).body.id, amount: 5, period: 'monthly' }),
      '/api/budgets',
    ),
    '/api/imports': { live: imported.body.id },
    '/api/feeds': await twice(() => ben.post('/api/feeds', { accountId: fromAccountId, name: 'Bank' }), '/api/feeds'),
    '/api/households': { live: ben.householdId },
    '/api/devices': { live: (await ben.post('/api/devices', { platform: 'ios', pushToken: 'token' })).body.id },
    '/api/notifications': { live: (await ben.get('/api/notifications')).body.data[0].id },
    '/api/me/sessions': { live: (await ben.get('/api/me/sessions')).body.data[0].id },
  }
})

/** Bodies of operations that take no empty one. */
const bodies: Record<string, object> = { 'bills.skip': { status: 'skipped' }, 'bills.pay': { transactionId: newId() } }

/** Everything that a write to Ben's or Ana's household would move. */
const state = () => djinn.sql('select household_id, revision, entries, head from revisions order by household_id')

/** What an answer tells, without what differs between any two requests. */
function told(reply: Reply) {
  const { instance: _instance, requestId: _requestId, ...body } = reply.body
  const { 'x-request-id': _header, date: _date, ratelimit: _ratelimit, ...headers } = reply.headers
  return { status: reply.status, body, headers }
}

test("on every route with an id, another household's is answered like a missing one: 404", async () => {
  const was = await state()
  // A signed call is refused before anything is looked for: feeds-signature.test.ts.
  const operations = djinn.api.operations.filter((operation) => operation.path.includes('{id}') && operation.access !== 'signed')
  assert.ok(operations.length >= 20)
  for (const operation of operations) {
    const [noun] = operation.path.split('/{id}')
    const rows = foreign[noun!]
    assert.ok(rows, `this test knows a foreign row of ${noun}`)
    const path = operation.path.replace('{date}', date).replace('{transactionId}', newId())
    const call = (id: string) =>
      ana.call(
        operation.method,
        path.replace('{id}', id).replace(/\{\w+\}/, newId()),
        operation.body && operation.body !== 'file' ? { body: bodies[operation.name] ?? {} } : {},
      )
    const missing = await call(newId())
    assert.deepEqual([missing.status, missing.body.code], [404, 'not-found'], `${operation.name}: ${missing.text}`)
    for (const id of Object.values(rows)) assert.deepEqual(told(await call(id)), told(missing), operation.name)
  }
  assert.deepEqual(await state(), was)
})

test("another household's account or category in a body is answered like a missing one, and nothing is written", async () => {
  const accountId = await ana.account()
  const transaction = (await ana.post('/api/transactions', { accountId, date, amount: -2 })).body.id
  const transfer = (await ana.post('/api/transfers', { fromAccountId: accountId, toAccountId: await ana.account(), date, amount: 5 })).body
    .id
  const category = (await ana.post('/api/categories', { name: 'x', kind: 'expense' })).body.id
  const budget = (await ana.post('/api/budgets', { categoryId: category, amount: 5, period: 'monthly' })).body.id
  const draft = { accountId, date, amount: -2 }
  const move = { fromAccountId: accountId, toAccountId: accountId, date, amount: 5 }
  const accounts: [string, string, string, (id: string) => object][] = [
    ['POST', '/api/transactions', '/accountId', (id) => ({ ...draft, accountId: id })],
    ['POST', '/api/transactions', '/accountId', (id) => ({ ...draft, accountId: id, original: { amount: -2, currency: 'USD' } })],
    ['PATCH', `/api/transactions/${transaction}`, '/accountId', (id) => ({ accountId: id })],
    ['POST', '/api/transfers', '/fromAccountId', (id) => ({ ...move, fromAccountId: id })],
    ['POST', '/api/transfers', '/toAccountId', (id) => ({ ...move, toAccountId: id })],
    ['PATCH', `/api/transfers/${transfer}`, '/fromAccountId', (id) => ({ fromAccountId: id })],
    ['PATCH', `/api/transfers/${transfer}`, '/toAccountId', (id) => ({ toAccountId: id, toAmount: 5 })],
  ]
  const rule = { name: 'x', match: 'all', conditions: [{ field: 'payee', operator: 'is', value: 'x' }], actions: { payee: 'y' } }
  const ruleId = (await ana.post('/api/rules', rule)).body.id
  const looking = (value: string) => [{ field: 'account', operator: 'is', value }]
  accounts.push(
    ['POST', '/api/rules', '/conditions', (id) => ({ ...rule, conditions: looking(id) })],
    ['PATCH', `/api/rules/${ruleId}`, '/conditions', (id) => ({ conditions: looking(id) })],
    ['POST', '/api/rules/preview', '/rule/conditions/0/value', (id) => ({ rule: { ...rule, conditions: looking(id) } })],
    ['POST', '/api/rules/preview', '/accountId', (id) => ({ accountId: id })],
    ['POST', '/api/rules/run', '/accountId', (id) => ({ accountId: id })],
  )
  const categories: typeof accounts = [
    ['POST', '/api/rules', '/actions/categoryId', (id) => ({ ...rule, actions: { categoryId: id } })],
    ['PATCH', `/api/rules/${ruleId}`, '/actions/categoryId', (id) => ({ actions: { categoryId: id } })],
    ['POST', '/api/rules/preview', '/rule/actions/categoryId', (id) => ({ rule: { ...rule, actions: { categoryId: id } } })],
    ['POST', '/api/transactions', '/categoryId', (id) => ({ ...draft, categoryId: id })],
    ['POST', '/api/transactions', '/splits', (id) => ({ ...draft, splits: [{ amount: -1 }, { amount: -1, categoryId: id }] })],
    ['PATCH', `/api/transactions/${transaction}`, '/categoryId', (id) => ({ categoryId: id })],
    ['PATCH', `/api/transactions/${transaction}`, '/splits', (id) => ({ splits: [{ amount: -1 }, { amount: -1, categoryId: id }] })],
    ['POST', '/api/categories', '/parentId', (id) => ({ name: 'x', kind: 'expense', parentId: id })],
    ['PATCH', `/api/categories/${category}`, '/parentId', (id) => ({ parentId: id })],
    ['POST', '/api/budgets', '/categoryId', (id) => ({ categoryId: id, amount: 5, period: 'monthly' })],
    ['PATCH', `/api/budgets/${budget}`, '/categoryId', (id) => ({ categoryId: id })],
  ]
  const was = await state()
  for (const [code, noun, cases] of [
    ['account-not-found', '/api/accounts', accounts],
    ['category-not-found', '/api/categories', categories],
  ] as const) {
    for (const [method, path, pointer, body] of cases) {
      const missing = await ana.call(method, path, { body: body(newId()) })
      assert.deepEqual([missing.body.code, missing.body.errors[0]?.pointer], [code, pointer], `${method} ${path}: ${missing.text}`)
      for (const id of Object.values(foreign[noun]!)) {
        assert.deepEqual(told(await ana.call(method, path, { body: body(id) })), told(missing), `${method} ${path}`)
      }
    }
  }
  assert.deepEqual(await state(), was)
})

test("another household's account or category in a query is answered like a missing one", async () => {
  const account = foreign['/api/accounts']!.live
  for (const query of [`account=${account}`, `category=${foreign['/api/categories']!.live}`]) {
    assert.deepEqual((await ana.get(`/api/transactions?${query}`)).body, { data: [], nextCursor: null })
  }
  const was = await state()
  const file = 'Date,Amount,Payee\n2026-01-31,-5.00,Baker\n'
  const missing = await ana.upload(`/api/imports?accountId=${newId()}`, file)
  assert.equal(missing.body.code, 'account-not-found', missing.text)
  assert.deepEqual(told(await ana.upload(`/api/imports?accountId=${account}`, file)), told(missing))
  assert.deepEqual(await state(), was)
})

test('an id that another household uses is free to choose, and each household has its own row', async () => {
  const accountId = await ana.account({ id: foreign['/api/accounts']!.live, name: "Ana's" })
  const drafts: [string, Record<string, unknown>][] = [
    ['/api/categories', { name: "Ana's", kind: 'income' }],
    ['/api/transactions', { accountId, date, amount: -7 }],
    ['/api/transfers', { fromAccountId: accountId, toAccountId: await ana.account(), date, amount: 9 }],
  ]
  for (const [path, draft] of drafts) {
    const id = foreign[path]!.live
    const was = (await ben.get(`${path}/${id}`)).body
    const made = await ana.post(path, { id, ...draft })
    assert.equal(made.status, 201, made.text)
    assert.deepEqual((await ana.get(`${path}/${id}`)).body, made.body)
    assert.deepEqual((await ben.get(`${path}/${id}`)).body, was)
    assert.equal((await ana.delete(`${path}/${id}`)).status, 204)
    assert.deepEqual((await ben.get(`${path}/${id}`)).body, was)
  }
  assert.equal((await ana.get(`/api/accounts/${accountId}`)).body.name, "Ana's")
  assert.equal((await ben.get(`/api/accounts/${accountId}`)).body.name, 'Current')
})

test('the header of a household one does not belong to is answered like that of a missing one: 404', async () => {
  const was = await state()
  const operations = djinn.api.operations.filter(
    (operation) => ['viewer', 'editor', 'owner'].includes(operation.access) && operation.householdIn !== 'path',
  )
  assert.ok(operations.length >= 25)
  for (const operation of operations) {
    const [noun] = operation.path.split('/{id}')
    const path = operation.path.replace('{id}', foreign[noun!]?.live ?? newId())
    const sent = operation.body && operation.body !== 'file' ? { body: {} } : {}
    const call = (household: string) => ana.call(operation.method, path, { ...sent, headers: { 'djinn-household': household } })
    const missing = await call(newId())
    assert.deepEqual([missing.status, missing.body.code], [404, 'not-found'], `${operation.name}: ${missing.text}`)
    assert.equal(missing.body.errors[0].pointer, 'Djinn-Household:')
    for (const household of [ben.householdId, 'x', `${ana.householdId},${ben.householdId}`]) {
      assert.deepEqual(told(await call(household)), told(missing), `${operation.name} in ${household}`)
    }
  }
  assert.deepEqual(await state(), was)
})

test('lists show the rows of one household only', async () => {
  const carla = await djinn.person()
  for (const path of [
    '/api/accounts',
    '/api/transactions',
    '/api/transfers',
    '/api/imports',
    '/api/budgets',
    '/api/feeds',
    '/api/rules',
    '/api/rules/runs',
  ]) {
    assert.deepEqual((await carla.get(path)).body, { data: [], nextCursor: null }, path)
  }
  const households = (await carla.get('/api/households')).body.data
  assert.deepEqual(
    households.map((row: { id: string }) => row.id),
    [carla.householdId],
  )
})

test('the books hold after all of this', () => djinn.verify())
