// Repeats, limits and costs of a batch: a key counts as it does alone, every operation is charged, and reads share statements.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { open, type Person, type Reply, type StepResult } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

type Step = { id?: string; method: string; path: string; headers?: Record<string, string>; body?: unknown }

const draft = { name: 'Purse', kind: 'cash', currency: 'EUR' }
const get = (path: string): Step => ({ method: 'GET', path })
const create = (id: string, name = 'Purse'): Step => ({ id, method: 'POST', path: '/api/accounts', body: { ...draft, name } })
const keyed = (step: Step, key: string): Step => ({ ...step, headers: { 'Idempotency-Key': key } })
const send = (person: Person, steps: Step[], headers: Record<string, string> = {}): Promise<Reply> =>
  person.post('/api/batch', { operations: steps.map((step, index) => ({ id: `s${index}`, ...step })) }, headers)

async function batch(person: Person, steps: Step[], headers: Record<string, string> = {}): Promise<StepResult[]> {
  const { status, body, text } = await send(person, steps, headers)
  assert.equal(status, 200, text)
  return body.results
}

const accounts = async (person: Person): Promise<string[]> =>
  (await person.get('/api/accounts?limit=100')).body.data.map((row: { name: string }) => row.name)

const replayed = (result: StepResult) => result.headers['idempotency-replayed'] === 'true'
const without = ({ headers: { 'idempotency-replayed': _mark, ...headers }, ...rest }: StepResult) => ({ ...rest, headers })

test("a step's key replays its write, refuses another body, and leaves the other steps alone", async () => {
  const ana = await djinn.person()
  const first = await batch(ana, [keyed(create('a'), 'one'), create('b', 'Chest')])
  const again = await batch(ana, [keyed(create('a'), 'one'), create('b', 'Chest'), keyed(create('c', 'Jar'), 'one')])
  assert.deepEqual(
    [first[0]!, ...again].map((result) => [result.status, replayed(result)]),
    [
      [201, false],
      [201, true],
      [201, false],
      [422, false],
    ],
  )
  assert.deepEqual(without(again[0]!), first[0])
  assert.deepEqual([again[2]!.body.code, again[2]!.body.errors[0].pointer], ['idempotency-key-reused', 'Idempotency-Key:'])
  assert.deepEqual(await accounts(ana), ['Purse', 'Chest', 'Chest'])
})

test('a key sent alone and then in a batch replays, and the other way round', async () => {
  const ana = await djinn.person()
  const alone = await ana.post('/api/accounts', draft, { 'idempotency-key': 'one' })
  const [result] = await batch(ana, [keyed(create('a'), 'one')])
  assert.deepEqual([result!.status, replayed(result!), result!.body], [201, true, alone.body])
  for (const name of ['etag', 'location', 'content-type']) assert.equal(result!.headers[name], alone.headers[name])
  const [made] = await batch(ana, [keyed(create('a', 'Chest'), 'two')])
  const repeat = await ana.post('/api/accounts', { ...draft, name: 'Chest' }, { 'idempotency-key': 'two' })
  assert.deepEqual([repeat.status, repeat.headers['idempotency-replayed'], repeat.body], [201, 'true', made!.body])
  assert.deepEqual(await accounts(ana), ['Purse', 'Chest'])
})

test('two steps of one batch with one key make one row', async () => {
  const ana = await djinn.person()
  const [one, two] = await batch(ana, [keyed(create('a'), 'same'), keyed(create('b'), 'same')])
  assert.deepEqual([one!.status, replayed(one!), two!.status, replayed(two!)], [201, false, 201, true])
  assert.equal(two!.body.id, one!.body.id)
  assert.equal((await accounts(ana)).length, 1)
})

test("a key that is malformed is the step's 400", async () => {
  const ana = await djinn.person()
  const results = await batch(
    ana,
    ['', 'x'.repeat(256), 'a\nb', 'cl\u00e9'].map((key, index) => keyed(create(`s${index}`), key)),
  )
  for (const { status, body } of results) {
    assert.deepEqual([status, body.code, body.errors[0].pointer], [400, 'invalid-idempotency-key', 'Idempotency-Key:'])
  }
  assert.deepEqual(await accounts(ana), [])
})

test('a repeated batch with a key replays each write and reads anew', async () => {
  const ana = await djinn.person()
  const path = `/api/accounts/${await ana.account({ name: 'Old' })}`
  const steps: Step[] = [
    create('a'),
    { id: 'b', method: 'PATCH', path, body: { name: 'New' } },
    get('/api/accounts?fields=name'),
    { id: 'd', method: 'DELETE', path },
    get('/api/accounts?fields=name'),
  ]
  const first = await batch(ana, steps, { 'idempotency-key': 'whole' })
  const again = await batch(ana, steps, { 'idempotency-key': 'whole' })
  assert.deepEqual(
    first.map((result) => [result.status, replayed(result)]),
    [201, 200, 200, 204, 200].map((status) => [status, false]),
  )
  assert.deepEqual(again.map(replayed), [true, true, false, true, false])
  for (const index of [0, 1, 3]) assert.deepEqual(without(again[index]!), first[index])
  assert.deepEqual(again[2]!.body.data, [{ name: 'Purse' }])
  assert.deepEqual(await accounts(ana), ['Purse'])
})

test('the key of a batch with another body in a step is 422 for that step', async () => {
  const ana = await djinn.person()
  await batch(ana, [create('a'), create('b')], { 'idempotency-key': 'whole' })
  const [same, other] = await batch(ana, [create('a'), create('b', 'Chest')], { 'idempotency-key': 'whole' })
  assert.deepEqual([same!.status, replayed(same!)], [201, true])
  assert.deepEqual([other!.status, other!.body.code], [422, 'idempotency-key-reused'])
  assert.deepEqual(await accounts(ana), ['Purse', 'Purse'])
})

test('the key of a batch is one as alone: up to 255 characters, with steps of any name, refused when malformed', async () => {
  const ana = await djinn.person()
  for (const [key, id] of [
    ['x'.repeat(255), 'a'.repeat(64)],
    ['short', '\u00e9 \u{1f4b6}'],
  ] as const) {
    const results = [await batch(ana, [create(id)], { 'idempotency-key': key }), await batch(ana, [create(id)], { 'idempotency-key': key })]
    assert.deepEqual(
      results.map(([result]) => [result!.status, replayed(result!)]),
      [
        [201, false],
        [201, true],
      ],
    )
  }
  assert.equal((await accounts(ana)).length, 2)
  for (const key of ['', 'x'.repeat(256), 'cl\u00e9']) {
    const { status, body } = await send(ana, [create('a')], { 'idempotency-key': key })
    assert.deepEqual([status, body.code, body.errors[0].pointer], [400, 'invalid-idempotency-key', 'Idempotency-Key:'])
  }
  assert.equal((await accounts(ana)).length, 2)
})

test('the keys of batches and their steps never run into one another', async () => {
  const ana = await djinn.person()
  const made = [
    await batch(ana, [create('b/c')], { 'idempotency-key': 'a' }),
    await batch(ana, [create('c')], { 'idempotency-key': 'a/b' }),
    await batch(ana, [keyed(create('x'), 'a/b/c')]),
  ]
  assert.deepEqual(
    made.map(([result]) => [result!.status, replayed(result!)]),
    made.map(() => [201, false]),
  )
  assert.equal((await accounts(ana)).length, 3)
})

test("a step's own key goes before the batch's", async () => {
  const ana = await djinn.person()
  await batch(ana, [keyed(create('a'), 'own')], { 'idempotency-key': 'whole' })
  const alone = await ana.post('/api/accounts', draft, { 'idempotency-key': 'own' })
  assert.equal(alone.headers['idempotency-replayed'], 'true')
  assert.equal((await accounts(ana)).length, 1)
})

test('every operation is charged: those beyond the minute are 429 with Retry-After and are not carried out', async () => {
  await using small = await open({ RATE_LIMIT_AUTHENTICATED: '6' })
  const ana = await small.person()
  const results = await batch(ana, [get('/api/me'), get('/api/nothing'), create('c'), get('/api/accounts'), create('e')])
  assert.deepEqual(
    results.map((result) => result.status),
    [200, 404, 201, 200, 201],
  )
  const [paid, ...refused] = await batch(ana, [get('/api/accounts?fields=name'), create('b', 'Late'), get('/api/me')])
  assert.deepEqual([paid!.status, paid!.body.data.length], [200, 2])
  for (const { status, headers, body } of refused) {
    assert.deepEqual([status, body.code], [429, 'rate-limited'])
    assert.ok(Number(headers['retry-after']) >= 1 && Number(headers['retry-after']) <= 60)
    assert.equal(headers['ratelimit-policy'], '"authenticated";q=6;w=60')
    assert.match(headers['ratelimit'] ?? '', /^"authenticated";r=0;t=\d+$/)
  }
  const whole = await send(ana, [get('/api/me')])
  assert.deepEqual([whole.status, whole.body.code], [429, 'rate-limited'])
  assert.equal((await small.sql('select 1 from accounts')).length, 2)
})

test('an atomic batch that the minute does not hold is undone, all of it', async () => {
  await using small = await open({ RATE_LIMIT_AUTHENTICATED: '2' })
  const ana = await small.person()
  const operations = ['a', 'b', 'c'].map((id) => create(id))
  const { body } = await ana.post('/api/batch', { operations, atomic: true })
  assert.deepEqual(
    body.results.map((result: StepResult) => [result.status, result.body.code]),
    [
      [424, 'batch-undone'],
      [424, 'batch-undone'],
      [429, 'rate-limited'],
    ],
  )
  assert.equal((await small.sql('select 1 from accounts')).length, 0)
})

test('ten reads over ten transactions take at most four statements, and ten equal reads one', async () => {
  const ana = await djinn.person()
  const accountId = await ana.account()
  const ids: string[] = []
  for (let number = 1; number <= 10; number++) {
    ids.push((await ana.post('/api/transactions', { accountId, date: '2026-01-31', amount: -number })).body.id)
  }
  let results: StepResult[] = []
  const cost = async (steps: Step[]) => {
    const { statements } = await djinn.count(async () => void (results = await batch(ana, steps)))
    return statements
  }
  const ten = await cost(ids.map((id) => get(`/api/transactions/${id}`)))
  assert.deepEqual(
    results.map((result) => result.body.amount),
    [-1, -2, -3, -4, -5, -6, -7, -8, -9, -10],
  )
  assert.ok(ten.length <= 4, ten.join())
  const equal = await cost(ids.map(() => get('/api/transactions?limit=3')))
  assert.deepEqual(equal, ['transactions.list'])
  assert.equal(new Set(results.map((result) => JSON.stringify(result.body))).size, 1)
  const mixed = await cost([
    ...ids.slice(0, 8).map((id) => get(`/api/transactions/${id}`)),
    get(`/api/accounts/${accountId}`),
    get(`/api/accounts/${newId()}`),
  ])
  assert.deepEqual(mixed.toSorted(), ['accounts.byIds', 'transactions.byIds'])
  assert.deepEqual([results[8]!.status, results[9]!.status], [200, 404])
})

test('the answer tells what is left of the limit after all of its operations', async () => {
  const ana = await djinn.person()
  const left = (headers: Record<string, string>) => Number(/r=(\d+)/.exec(headers['ratelimit'] ?? '')![1])
  const before = left((await ana.get('/api/me')).headers)
  const operations = Array.from({ length: 4 }, (_, index) => ({ id: String(index), method: 'GET', path: '/api/me' }))
  assert.equal(left((await ana.post('/api/batch', { operations })).headers), before - 4)
})
