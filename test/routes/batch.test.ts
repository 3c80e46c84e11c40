// The batch: up to ten calls in one request, each answered exactly as if it had been sent alone.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { open, type Person, type Reply, type StepResult } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

type Step = { id?: string; method: string; path: string; headers?: Record<string, string>; body?: unknown }

const date = '2026-01-31'
const get = (path: string, headers: Record<string, string> = {}): Step => ({ method: 'GET', path, headers })
const named = (steps: Step[]) => steps.map((step, index) => ({ id: `s${index}`, ...step }))

async function batch(person: Person, steps: Step[], headers: Record<string, string> = {}): Promise<StepResult[]> {
  const operations = named(steps)
  const { status, body, text } = await person.post('/api/batch', { operations }, headers)
  assert.equal(status, 200, text)
  assert.deepEqual(
    body.results.map((result: StepResult) => result.id),
    operations.map((step) => step.id),
  )
  return body.results
}

/** Headers of the connection and of the request as a whole; the others are of the answer. */
const outer =
  /^(date|connection|keep-alive|transfer-encoding|content-(length|encoding)|x-(request-id|content-type-options)|cache-control|vary|ratelimit.*|www-.*)$/

function told({ status, headers, body }: Reply | StepResult) {
  const { requestId, ...rest } = body !== null && typeof body === 'object' ? body : { requestId: undefined }
  if (status >= 400) assert.ok(requestId, 'a refusal names its request')
  const kept = Object.entries(headers).filter(([name]) => !outer.test(name))
  return { status, headers: Object.fromEntries(kept), body: body !== null && typeof body === 'object' ? rest : body || null }
}

async function assertAsAlone(person: Person, steps: Step[]) {
  const alone: Reply[] = []
  for (const { method, path, headers, body } of steps) {
    alone.push(await person.call(method, path, { ...(headers ? { headers } : {}), ...(body === undefined ? {} : { body }) }))
  }
  const together = await batch(person, steps)
  steps.forEach((step, index) => {
    assert.deepEqual(told(together[index]!), told(alone[index]!), `${step.method} ${step.path}`)
    const vary = together[index]!.headers['vary']
    if (vary !== undefined) assert.equal(vary, alone[index]!.headers['vary'])
  })
}

async function furnished() {
  const ana = await djinn.person()
  const accountId = await ana.account()
  const savingsId = await ana.account({ name: 'Savings', kind: 'savings' })
  const transactionIds: string[] = []
  for (let number = 0; number < 12; number++) {
    const made = await ana.post('/api/transactions', { accountId, date, amount: -100 - number, payee: `a b?c+d%${number}` })
    transactionIds.push(made.body.id)
  }
  const made = await ana.post('/api/transfers', { fromAccountId: accountId, toAccountId: savingsId, date, amount: 5 })
  return { ana, accountId, savingsId, transactionIds, transferId: made.body.id as string }
}

test('reads are answered as if sent alone: status, body and headers', async () => {
  const { ana, accountId, transactionIds, transferId } = await furnished()
  await assertAsAlone(ana, [
    get('/api/accounts'),
    get(`/api/accounts/${accountId}`),
    get(`/api/transactions/${transactionIds[0]}?fields=id,amount`),
    get('/api/transactions?limit=2&amountMax=-101'),
    get('/api/transactions', { 'djinn-network': 'slow' }),
    get('/api/transactions?limit=3', { downlink: '10', rtt: '50' }),
    get(`/api/transfers/${transferId}`),
    get('/api/households'),
    get('/api/me'),
    get('/api/audit?limit=3'),
  ])
})

test('conditional reads are answered 304 as if sent alone', async () => {
  const { ana, accountId } = await furnished()
  const paths = ['/api/accounts', `/api/accounts/${accountId}`, '/api/transactions?limit=2', '/api/me', '/api/households']
  const steps = []
  for (const path of paths) steps.push(get(path, { 'if-none-match': (await ana.get(path)).headers['etag']! }))
  await assertAsAlone(ana, [...steps, get('/api/accounts', { 'If-None-Match': '"0.other"' })])
  assert.deepEqual(
    (await batch(ana, steps)).map(({ status, body }) => [status, body]),
    paths.map(() => [304, null]),
  )
})

test('query strings mean what they mean alone', async () => {
  const { ana } = await furnished()
  const queries = ['q=a+b', 'q=b%3Fc', 'q=b?c', 'q=%zz', 'q=c%2Bd&limit=1', 'limit=1&limit=2', 'limit', 'limit=', '&&limit=2&', '=x']
  for (const part of [
    queries.slice(0, 5),
    queries.slice(5),
    ['q=d%251', '__proto__=1', 'toString=1', 'q=a=b', 'q=%00', 'q=a;b', '?limit=1'],
  ])
    await assertAsAlone(
      ana,
      part.map((query) => get(`/api/transactions?${query}`)),
    )
})

test('refusals are answered as if sent alone and spare the rest', async () => {
  const { ana, accountId, transactionIds } = await furnished()
  const ben = await djinn.person()
  const foreign = await ben.account()
  await assertAsAlone(ana, [
    get('/api/accounts/x'),
    get(`/api/accounts/${foreign}`),
    get('/api/transactions?fields=salt'),
    get('/api/transactions?cursor=AAAA'),
    get('/api/accounts', { 'djinn-household': ben.householdId }),
    { method: 'POST', path: '/api/accounts', body: { name: 1 } },
    { method: 'PATCH', path: `/api/transactions/${transactionIds[0]}`, body: { amount: 1 }, headers: { 'if-match': '"0.AAAAAAAAAAA"' } },
    { method: 'PATCH', path: `/api/accounts/${foreign}`, body: { name: 'x' } },
    { method: 'DELETE', path: `/api/accounts/${accountId}` },
    get('/api/me'),
  ])
  assert.equal((await ben.get(`/api/accounts/${foreign}`)).body.name, 'Current')
})

test('paths and methods that are not there are answered as if sent alone', async () => {
  const ana = await djinn.person()
  await assertAsAlone(ana, [
    get('/api/nothing'),
    get('/api/'),
    get('/api/accounts/'),
    get('/api//accounts'),
    get('/api/Accounts'),
    get(`/api/accounts/${newId()}/more`),
    { method: 'PATCH', path: '/api/accounts', body: {} },
    { method: 'POST', path: `/api/accounts/${newId()}`, body: {} },
    { method: 'DELETE', path: '/api/households' },
    get('/api/accounts'),
  ])
  await assertAsAlone(ana, [get('/api/accounts/%41'), get('/api/accounts/%2F'), get('/api/%61ccounts'), get('/api/accounts/a%20b')])
})

test('writes of a batch do what they do one after the other, for a twin household', async () => {
  const [ana, ben] = [await djinn.person(), await djinn.person()]
  const [first, second, transaction, transfer] = [newId(), newId(), newId(), newId()]
  const account = { kind: 'checking', currency: 'EUR' }
  const steps: Step[] = [
    { method: 'POST', path: '/api/accounts', body: { ...account, id: first, name: 'One' } },
    { method: 'POST', path: '/api/accounts', body: { ...account, id: first, name: 'Other' } },
    { method: 'POST', path: '/api/accounts', body: { ...account, id: second, name: 'Two', openingBalance: 10 } },
    { method: 'POST', path: '/api/transactions', body: { id: transaction, accountId: first, date, amount: -7 } },
    { method: 'POST', path: '/api/transfers', body: { id: transfer, fromAccountId: first, toAccountId: second, date, amount: 3 } },
    { method: 'PATCH', path: `/api/transactions/${transaction}?fields=id,note`, body: { note: 'late' } },
    { method: 'GET', path: '/api/accounts' },
    { method: 'DELETE', path: `/api/transactions/${transaction}` },
    { method: 'POST', path: `/api/transactions/${transaction}/restore` },
    { method: 'GET', path: '/api/transactions' },
  ]
  const alone: Reply[] = []
  for (const { method, path, body } of steps) alone.push(await ana.call(method, path, body === undefined ? {} : { body }))
  const together = await batch(ben, steps)
  // Instants are those of the clock, and tags are of one household.
  const timeless = (reply: Reply | StepResult) => {
    const { status, headers, body } = told(reply)
    const text = JSON.stringify(body).replaceAll(/"\d{4}-\d\d-\d\dT[^"]*"/g, '"an instant"')
    return { status, body: JSON.parse(text), headers: Object.keys(headers).toSorted(), location: headers['location'] }
  }
  assert.deepEqual(together.map(timeless), alone.map(timeless))
  assert.deepEqual(
    together.map((result) => result.status),
    [201, 409, 201, 201, 201, 200, 200, 204, 200, 200],
  )
  await djinn.verify()
})

test('a read sees the writes before it in the batch and not those behind it', async () => {
  const ana = await djinn.person()
  const create = (name: string): Step => ({ method: 'POST', path: '/api/accounts', body: { name, kind: 'cash', currency: 'EUR' } })
  const list = get('/api/accounts?fields=name')
  const results = await batch(ana, [list, create('One'), list, list, create('Two'), list])
  assert.deepEqual(
    [0, 2, 3, 5].map((index) => results[index]!.body.data.map((row: { name: string }) => row.name)),
    [[], ['One'], ['One'], ['One', 'Two']],
  )
})

test('a batch takes 1 to 10 operations with ids of their own', async () => {
  const ana = await djinn.person()
  const read = (id: string) => ({ id, method: 'GET', path: '/api/me' })
  const refusals: [unknown, string, string][] = [
    [{ operations: [] }, '/operations', 'too-small'],
    [{ operations: Array.from({ length: 11 }, (_, index) => read(`s${index}`)) }, '/operations', 'too-large'],
    [{ operations: [read('same'), read('same')] }, '/operations', 'invalid'],
    [{ operations: [read('')] }, '/operations/0/id', 'too-small'],
    [{ operations: [read('x'.repeat(65))] }, '/operations/0/id', 'too-large'],
    [{ operations: [{ ...read('a'), method: 'PUT' }] }, '/operations/0/method', 'not-a-choice'],
    [{ operations: [{ ...read('a'), method: 'get' }] }, '/operations/0/method', 'not-a-choice'],
    [{ operations: [read('a'), { ...read('b'), path: 'https://example.org/api/me' }] }, '/operations/1/path', 'malformed'],
    [{ operations: [{ ...read('a'), path: '/health' }] }, '/operations/0/path', 'malformed'],
    [{ operations: [{ ...read('a'), extra: 1 }] }, '/operations/0/extra', 'unknown-field'],
    [{ operations: [{ ...read('a'), headers: { 'if-match': 1 } }] }, '/operations/0/headers/if-match', 'wrong-type'],
    [{ operations: [read('a')], atomic: 'yes' }, '/atomic', 'wrong-type'],
    [{}, '/operations', 'required'],
  ]
  for (const [sent, pointer, code] of refusals) {
    const { status, body } = await ana.post('/api/batch', sent)
    assert.deepEqual([status, body.code, body.errors[0].pointer, body.errors[0].code], [400, 'invalid-request', pointer, code])
  }
  const ten = Array.from({ length: 10 }, () => get('/api/me'))
  assert.ok((await batch(ana, ten)).every((result) => result.status === 200))
})

test('calls without a session, uploads, streams and batches in batches are refused one by one', async () => {
  const ana = await djinn.person()
  const refused = djinn.api.operations.filter(
    (one) =>
      one.access === 'anonymous' || one.access === 'signed' || one.body === 'file' || one.effect === 'stream' || one.path === '/api/batch',
  )
  assert.ok(refused.length >= 10)
  for (let index = 0; index < refused.length; index += 9) {
    const part = refused.slice(index, index + 9)
    const steps = part.map((one) => ({ method: one.method, path: one.path.replaceAll(/\{\w+\}/g, 'x') }))
    const results = await batch(ana, [...steps, get('/api/me')])
    part.forEach((one, at) => {
      const { status, body } = results[at]!
      assert.deepEqual([status, body.code, body.errors[0].pointer], [400, 'not-in-batch', `/operations/${at}/path`], one.name)
    })
    assert.equal(results.at(-1)!.status, 200)
  }
})

test('a header that a step does not take is refused for that step, whatever its case', async () => {
  const ana = await djinn.person()
  const unknown = ['Authorization', 'X-Request-Id', 'cookie', 'host', 'Accept-Encoding', 'x-forwarded-for']
  const results = await batch(ana, [...unknown.map((name) => get('/api/me', { [name]: 'x' })), get('/api/accounts', { ACCEPT: '*/*' })])
  unknown.forEach((name, index) => {
    const { status, body } = results[index]!
    assert.deepEqual([status, body.code, body.errors[0].pointer], [400, 'invalid-request', `${name.toLowerCase()}:`])
  })
  assert.equal(results.at(-1)!.status, 200)
})

test('a batch needs a session', async () => {
  const body = { operations: named([get('/api/me')]) }
  const reply = await djinn.call('POST', '/api/batch', { body })
  assert.deepEqual([reply.status, reply.body.code], [401, 'unauthenticated'])
})

test("each step is held to the caller's role in the household that it names, the batch's unless it says another", async () => {
  const [ana, ben] = [await djinn.person(), await djinn.person()]
  const accountId = await ana.account({ name: 'Shared' })
  await djinn.sql(
    `with scope as (select set_config('djinn.household', $1::text, true))
    insert into memberships (household_id, user_id, role) select $1::uuid, $2::uuid, 'viewer' from scope`,
    [ana.householdId, ben.userId],
  )
  const own = { 'djinn-household': ben.householdId }
  const create = (name: string): Step => ({ method: 'POST', path: '/api/accounts', body: { name, kind: 'cash', currency: 'EUR' } })
  const results = await batch(
    ben,
    [
      get(`/api/accounts/${accountId}`),
      create('Theirs'),
      { ...create('Mine'), headers: own },
      get('/api/audit'),
      { method: 'PATCH', path: `/api/accounts/${accountId}`, body: { name: 'x' } },
      get(`/api/accounts/${accountId}`, own),
    ],
    { 'djinn-household': ana.householdId },
  )
  assert.deepEqual(
    results.map(({ status, body }) => [status, body.code ?? body.name]),
    [
      [200, 'Shared'],
      [403, 'forbidden'],
      [201, 'Mine'],
      [403, 'forbidden'],
      [403, 'forbidden'],
      [404, 'not-found'],
    ],
  )
  assert.equal((await ana.get('/api/accounts')).body.data.length, 1)
})

test('a step may name a household that was founded the moment before', async () => {
  const ana = await djinn.person()
  for (let round = 0; round < 10; round++) {
    const { body } = await ana.post('/api/households', { name: 'Cabin', baseCurrency: 'EUR', timeZone: 'UTC' })
    const [found] = await batch(ana, [get('/api/accounts', { 'Djinn-Household': body.id })])
    assert.deepEqual([found!.status, found!.body.data], [200, []])
  }
})
