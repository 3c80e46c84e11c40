// Idempotency-Key: a repeat runs nothing twice and answers the same.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { withClient } from '../cluster.ts'
import { open, type Person, type Reply } from '../harness.ts'
import { exchange, head } from './wire.ts'

const djinn = await open()
after(() => djinn.close())

const draft = { name: 'Purse', kind: 'cash', currency: 'EUR' }
const create = (person: Person, key: string, body: unknown = draft) => person.post('/api/accounts', body, { 'idempotency-key': key })
const count = async (person: Person) =>
  (await djinn.sql<{ count: number }>('select count(*)::int as count from accounts where household_id = $1', [person.householdId]))[0]!
    .count

function assertReplay(first: Reply, again: Reply) {
  assert.equal(first.headers['idempotency-replayed'], undefined)
  assert.equal(again.headers['idempotency-replayed'], 'true')
  assert.equal(again.status, first.status)
  assert.equal(again.text, first.text)
  for (const name of ['location', 'etag', 'content-type']) assert.equal(again.headers[name], first.headers[name], name)
}

test('a repeated POST answers the same bytes and makes one row', async () => {
  const ana = await djinn.person()
  const first = await create(ana, 'key-1')
  assert.equal(first.status, 201)
  assertReplay(first, await create(ana, 'key-1'))
  assertReplay(first, await create(ana, 'key-1'))
  assert.equal(await count(ana), 1)
})

test('a repeat raises no revision and writes no history', async () => {
  const ana = await djinn.person()
  await create(ana, 'key-1')
  const state = () =>
    djinn.sql(
      'select revision, (select count(*) from journal j where j.household_id = r.household_id) from revisions r where household_id = $1',
      [ana.householdId],
    )
  const before = await state()
  await create(ana, 'key-1')
  assert.deepEqual(await state(), before)
})

test('a repeated PATCH answers what it answered then, whatever happened since', async () => {
  const ana = await djinn.person()
  const path = `/api/accounts/${await ana.account()}`
  const first = await ana.patch(path, { name: 'First' }, { 'idempotency-key': 'rename' })
  await ana.patch(path, { name: 'Second' })
  assertReplay(first, await ana.patch(path, { name: 'First' }, { 'idempotency-key': 'rename' }))
  assert.equal((await ana.get(path)).body.name, 'Second')
})

test('a repeated DELETE answers 204 again and does not delete what was restored', async () => {
  const ana = await djinn.person()
  const path = `/api/accounts/${await ana.account()}`
  const first = await ana.delete(path, { 'idempotency-key': 'gone' })
  assert.equal(first.status, 204)
  assert.equal((await ana.post(`${path}/restore`)).status, 200)
  assertReplay(first, await ana.delete(path, { 'idempotency-key': 'gone' }))
  assert.equal((await ana.get(path)).status, 200)
})

test('the key with another body is 422 and changes nothing, and the first answer stays', async () => {
  const ana = await djinn.person()
  const first = await create(ana, 'key-1')
  const other = await create(ana, 'key-1', { ...draft, name: 'Chest' })
  assert.deepEqual([other.status, other.body.code, other.body.errors[0].pointer], [422, 'idempotency-key-reused', 'Idempotency-Key:'])
  assertReplay(first, await create(ana, 'key-1'))
  assert.equal(await count(ana), 1)
})

test('the key for another household of the same user is 422, not the first answer', async () => {
  const ana = await djinn.person()
  const { body: second } = await ana.post('/api/households', { name: 'Cabin', baseCurrency: 'EUR', timeZone: 'UTC' })
  assert.equal((await create(ana, 'key-1')).status, 201)
  const other = await ana.post('/api/accounts', draft, { 'idempotency-key': 'key-1', 'djinn-household': second.id })
  assert.deepEqual([other.status, other.body.code], [422, 'idempotency-key-reused'])
})

test('a key counts per user, method and path', async () => {
  const ana = await djinn.person()
  const ben = await djinn.person()
  const mine = await create(ana, 'shared')
  const theirs = await create(ben, 'shared')
  assert.deepEqual([theirs.status, theirs.headers['idempotency-replayed']], [201, undefined])
  assert.notEqual(theirs.body.id, mine.body.id)
  const path = `/api/accounts/${mine.body.id}`
  for (const reply of [
    await ana.post('/api/categories', { name: 'Hats', kind: 'expense' }, { 'idempotency-key': 'shared' }),
    await ana.patch(path, { name: 'Tin' }, { 'idempotency-key': 'shared' }),
    await ana.delete(path, { 'idempotency-key': 'shared' }),
  ]) {
    assert.ok(reply.status < 300, reply.text)
    assert.equal(reply.headers['idempotency-replayed'], undefined)
  }
})

test('twenty requests with one key at once make one row; the others are told to wait or get the same answer', async () => {
  const ana = await djinn.person()
  const replies = await Promise.all(Array.from({ length: 20 }, () => create(ana, 'storm')))
  const made = replies.filter((reply) => reply.status === 201)
  assert.equal(new Set(made.map((reply) => reply.body.id)).size, 1)
  assert.equal(made.filter((reply) => reply.headers['idempotency-replayed'] === undefined).length, 1)
  for (const reply of replies.filter((each) => each.status !== 201)) {
    assert.deepEqual([reply.status, reply.body.code], [409, 'idempotency-in-progress'])
    assert.ok(Number(reply.headers['retry-after']) >= 1)
  }
  assert.equal(await count(ana), 1)
})

test('while the first still runs the second is 409 with Retry-After at once, and is answered afterwards', async () => {
  const ana = await djinn.person()
  await withClient(djinn.adminUrl, async (blocker) => {
    await blocker.query('begin')
    await blocker.query('select 1 from revisions where household_id = $1 for update', [ana.householdId])
    const first = create(ana, 'slow')
    const waiting = `select 1 from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())`
    const until = performance.now() + 3_000
    while ((await djinn.sql(waiting)).length === 0) assert.ok(performance.now() < until, 'the first does not wait')
    const second = await create(ana, 'slow')
    assert.deepEqual([second.status, second.body.code], [409, 'idempotency-in-progress'])
    assert.ok(Number(second.headers['retry-after']) >= 1)
    await blocker.query('commit')
    assert.equal((await first).status, 201)
    assertReplay(await first, await create(ana, 'slow'))
  })
  assert.equal(await count(ana), 1)
})

test('a refused request leaves its key free for the corrected one', async () => {
  const ana = await djinn.person()
  assert.equal((await create(ana, 'again', { ...draft, currency: 'XXY' })).status, 400)
  assert.equal((await create(ana, 'again', { ...draft, institutionId: 'no-such-bank' })).status, 422)
  const path = `/api/accounts/${await ana.account()}`
  const stale = await ana.patch(path, { name: 'Late' }, { 'idempotency-key': 'again', 'if-match': '"0.stale"' })
  assert.equal(stale.status, 412)
  assert.equal((await ana.patch(path, { name: 'Late' }, { 'idempotency-key': 'again' })).status, 200)
  const made = await create(ana, 'again')
  assert.deepEqual([made.status, made.headers['idempotency-replayed']], [201, undefined])
})

test('keys of 1 and of 255 characters are taken, also with blanks and marks inside', async () => {
  const ana = await djinn.person()
  for (const key of ['k', 'x'.repeat(255), 'a b~!"#$%&\'()*+,-./:;<=>?@[]^_`{|}']) {
    const first = await create(ana, key)
    assert.equal(first.status, 201, key)
    assertReplay(first, await create(ana, key))
  }
})

for (const [what, key] of [
  ['empty', ''],
  ['of 256 characters', 'x'.repeat(256)],
  ['of 300 characters', 'x'.repeat(300)],
  ['with a tab', 'a\tb'],
  ['beyond ASCII', 'cl\u00e9'],
] as const) {
  test(`a key that is ${what} is 400 and writes nothing`, async () => {
    const ana = await djinn.person()
    const body = JSON.stringify(draft)
    const request = head('POST', '/api/accounts', {
      Authorization: `Bearer ${ana.accessToken}`,
      'Content-Type': 'application/json',
      'Content-Length': String(body.length),
      'Idempotency-Key': key,
    })
    const { status, body: answer } = await exchange(djinn.url, Buffer.from(request + body, 'latin1'))
    const problem = JSON.parse(answer.toString())
    assert.deepEqual([status, problem.code, problem.errors[0].pointer], [400, 'invalid-idempotency-key', 'Idempotency-Key:'])
    assert.equal(await count(ana), 0)
  })
}

test('a line end in a key cannot forge a header', async () => {
  const ana = await djinn.person()
  const body = JSON.stringify(draft)
  const request = head('POST', '/api/accounts', {
    Authorization: `Bearer ${ana.accessToken}`,
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
    'Idempotency-Key': 'a\nX-Forged: 1',
  })
  const { status } = await exchange(djinn.url, request + body)
  assert.equal(status, 400)
  assert.equal(await count(ana), 0)
})

test('sign-in keeps no answer: its tokens are stored nowhere, so every repeat is a session of its own', async () => {
  const ana = await djinn.person()
  const login = () =>
    djinn.call('POST', '/api/auth/login', { body: { email: ana.email, password: ana.password }, headers: { 'idempotency-key': 'in' } })
  const [one, two] = [await login(), await login()]
  assert.deepEqual([one.status, two.status], [200, 200])
  assert.notEqual(one.body.accessToken, two.body.accessToken)
})
