// Feeds as members manage them: the secret is shown once, rotated with an overlap, and kept nowhere in clear.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { assertRefused, open, type Person, type Reply } from '../harness.ts'
import { join } from '../push/household.ts'
import { makeFeed, push, row, send, type Feed } from './feed-pushes.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
let account: string
before(async () => {
  ana = await djinn.person({ displayName: 'Ana' })
})
beforeEach(async () => {
  account = await ana.account()
})

const create = (draft: object = {}, headers = {}) => ana.post('/api/feeds', { accountId: account, name: 'Bank', ...draft }, headers)

/** Everything that PostgreSQL keeps, as text: a row of each table. */
async function everythingKept(): Promise<string> {
  const tables = await djinn.sql<{ name: string }>(
    `select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname in ('public', 'graphile_worker')`,
  )
  const texts = await Promise.all(tables.map(({ name }) => djinn.sql<{ text: string }>(`select t::text as text from ${name} t`)))
  return texts.flatMap((rows) => rows.map(({ text }) => text)).join('\n')
}

test('a feed is made with a secret of 32 bytes that no later answer has', async () => {
  const made = await create()
  assert.equal(made.status, 201, made.text)
  const { secret, ...feed } = made.body
  assert.match(secret, /^[\w-]{43}$/)
  assert.equal(Buffer.from(secret, 'base64url').length, 32)
  assert.equal(made.headers['cache-control'], 'no-store')
  assert.deepEqual(feed.counts, { pushes: 0, created: 0, updated: 0, removed: 0 })
  assert.deepEqual([feed.accountId, feed.name, feed.paused, feed.oldKeys, feed.lastPushAt], [account, 'Bank', false, [], null])
  const path = `/api/feeds/${feed.id}`
  assert.deepEqual((await ana.get(path)).body, feed)
  assert.deepEqual((await ana.patch(path, { name: 'Other bank' })).body.secret, undefined)
  assert.ok(!(await ana.get('/api/feeds?limit=100')).text.includes(secret))
  assert.ok(!(await ana.get('/api/audit?limit=100')).text.includes(secret))
})

test('a repeat with the same id answers the feed that is there, without its secret', async () => {
  const id = newId()
  assert.equal((await create({ id })).status, 201)
  const again = await create({ id })
  assert.deepEqual([again.status, again.body.id, again.body.secret], [200, id, undefined])
  assertRefused(await create({ id, name: 'Other' }), 409, 'already-exists', '/id')
})

test('a repeat with the same Idempotency-Key answers the same secret, which is kept sealed', async () => {
  const headers = { 'idempotency-key': 'make a feed' }
  const first = await create({}, headers)
  const again = await create({}, headers)
  assert.deepEqual([again.status, again.text, again.headers['idempotency-replayed']], [201, first.text, 'true'])
  assertRefused(await create({ name: 'Other' }, headers), 422, 'idempotency-key-reused')
  const rotate = () => ana.post(`/api/feeds/${first.body.id}/rotate`, {}, headers)
  const [rotated, rotatedAgain] = [await rotate(), await rotate()]
  assert.equal(rotated.status, 200, rotated.text)
  assert.equal(rotatedAgain.text, rotated.text)
  const [kept] = await djinn.sql<{ count: number }>(`select count(*)::int as count from idempotency_keys where path like '/api/feeds%'`)
  assert.equal(kept!.count, 2)
  const everything = await everythingKept()
  for (const secret of [first.body.secret, rotated.body.secret]) {
    for (const form of [secret, Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('base64url')]) {
      assert.ok(!everything.includes(form), 'the secret lies nowhere in clear')
    }
  }
  assert.ok(everything.includes(first.body.keyId), 'the search would find it')
})

test('the app’s own role cannot read a sealed secret back', async () => {
  await makeFeed(ana, account)
  const read = djinn.sql(`select set_config('djinn.household', '${ana.householdId}', true), set_config('role', 'djinn_app', true);
    select secret from feed_keys`)
  await assert.rejects(read, { code: '42501' })
})

test('after a rotation both secrets work, after an immediate one only the new one', async () => {
  const old = await makeFeed(ana, account)
  const rotate = async (body: object): Promise<Feed> => (await ana.post(`/api/feeds/${old.id}/rotate`, body)).body
  const second = await rotate({})
  assert.notEqual(second.secret, old.secret)
  const { body } = await ana.get(`/api/feeds/${old.id}`)
  assert.deepEqual([body.keyId, body.oldKeys.map((key: { keyId: string }) => key.keyId)], [second.keyId, [old.keyId]])
  assert.ok(Math.abs(Date.parse(body.oldKeys[0].expiresAt) - Date.now() - 24 * 3_600_000) < 60_000)
  assert.equal((await push(djinn, old, [row('a')])).created, 1)
  assert.equal((await push(djinn, second, [row('b')])).created, 1)
  assertRefused(await send(djinn, { ...old, secret: second.secret }, { transactions: [] }), 401, 'feed-refused')
  const third = await rotate({ immediately: true })
  for (const gone of [old, second]) assertRefused(await send(djinn, gone, { transactions: [] }), 401, 'feed-refused')
  assert.equal((await push(djinn, third, [row('a'), row('b')])).unchanged, 2)
  assert.deepEqual((await ana.get(`/api/feeds/${old.id}`)).body.oldKeys, [])
})

test('an old secret ends with its overlap', async () => {
  const old = await makeFeed(ana, account)
  const { body: next } = await ana.post(`/api/feeds/${old.id}/rotate`)
  await djinn.sql(`update feed_keys set expires_at = now() where key_id = $1`, [old.keyId])
  assertRefused(await send(djinn, old, { transactions: [] }), 401, 'feed-refused')
  assert.equal((await send(djinn, next, { transactions: [] })).status, 200)
  await ana.post(`/api/feeds/${old.id}/rotate`)
  assert.deepEqual(await djinn.sql('select key_id from feed_keys where key_id = $1', [old.keyId]), [], 'the next rotation sweeps it')
})

test('every change of a feed is in the audit trail, rotations too', async () => {
  const feed = await makeFeed(ana, account)
  await ana.patch(`/api/feeds/${feed.id}`, { paused: true })
  const { body: rotated } = await ana.post(`/api/feeds/${feed.id}/rotate`)
  await ana.delete(`/api/feeds/${feed.id}`)
  const { data } = (await ana.get(`/api/audit?kind=feed&entity=${feed.id}`)).body
  const told = data.map((entry: Reply['body']) => [entry.operation, Object.keys(entry.changes)])
  assert.deepEqual(told, [
    ['delete', ['deleted_at']],
    ['update', ['key_id']],
    ['update', ['paused']],
    ['create', ['name', 'key_id', 'paused', 'account_id']],
  ])
  assert.deepEqual(data[1].changes.key_id, [feed.keyId, rotated.keyId])
})

test('a deleted feed takes nothing from that moment on, and another feed into its account goes on where it ended', async () => {
  const feed = await makeFeed(ana, account)
  await push(djinn, feed, [row('a')])
  assert.equal((await ana.delete(`/api/feeds/${feed.id}`)).status, 204)
  assertRefused(await send(djinn, feed, { transactions: [row('b')] }), 401, 'feed-refused')
  assert.equal((await ana.delete(`/api/feeds/${feed.id}`)).status, 204, 'again')
  assertRefused(await ana.get(`/api/feeds/${feed.id}`), 404, 'not-found')
  assertRefused(await ana.patch(`/api/feeds/${feed.id}`, { name: 'x' }), 409, 'deleted')
  assertRefused(await ana.post(`/api/feeds/${feed.id}/rotate`), 409, 'deleted')
  const next = await makeFeed(ana, account)
  assert.deepEqual((await push(djinn, next, [row('a'), row('c')])).created, 1)
})

test('a paused feed refuses what is signed, and goes on when it is let', async () => {
  const feed = await makeFeed(ana, account)
  await ana.patch(`/api/feeds/${feed.id}`, { paused: true })
  assertRefused(await send(djinn, feed, { transactions: [row('a')] }), 409, 'feed-paused')
  assertRefused(await send(djinn, { ...feed, secret: 'wrong' }, { transactions: [row('a')] }), 401, 'feed-refused')
  await ana.patch(`/api/feeds/${feed.id}`, { paused: false })
  assert.equal((await push(djinn, feed, [row('a')])).created, 1)
})

test('a closed account and a deleted one refuse a push with their own codes, and a new feed', async () => {
  const feed = await makeFeed(ana, account)
  await ana.patch(`/api/accounts/${account}`, { closedAt: '2026-02-01T00:00:00Z' })
  assertRefused(await send(djinn, feed, { transactions: [row('a')] }), 409, 'account-closed')
  assertRefused(await create(), 409, 'account-closed', '/accountId')
  await ana.patch(`/api/accounts/${account}`, { closedAt: null })
  await ana.delete(`/api/accounts/${account}`)
  assertRefused(await send(djinn, feed, { transactions: [row('a')] }), 404, 'account-not-found')
  assertRefused(await create(), 404, 'account-not-found', '/accountId')
  await ana.post(`/api/accounts/${account}/restore`)
  assert.equal((await push(djinn, feed, [row('a')])).created, 1)
})

test('the account of a feed is not forgotten with what is old, so that the trail can name it', async () => {
  const feed = await makeFeed(ana, account)
  await ana.delete(`/api/accounts/${account}`)
  const forget = () => djinn.sql(`select set_config('role', 'djinn_keeper', true); select forget_deleted(now() + interval '1 day', 1000)`)
  await forget()
  assert.equal((await ana.get(`/api/feeds/${feed.id}`)).status, 200)
  assert.equal((await ana.post(`/api/accounts/${account}/restore`)).status, 200)
})

test('reads are told of pushes that raised no revision', async () => {
  const feed = await makeFeed(ana, account)
  await push(djinn, feed, [row('a')])
  const first = await ana.get(`/api/feeds/${feed.id}`)
  const list = await ana.get('/api/feeds?limit=100')
  const same = await ana.get(`/api/feeds/${feed.id}`, { 'if-none-match': first.headers['etag']! })
  assert.equal(same.status, 304)
  const revision = async () => (await djinn.sql('select revision from revisions where household_id = $1', [ana.householdId]))[0]
  const was = await revision()
  await push(djinn, feed, [row('a')])
  assert.deepEqual(await revision(), was, 'nothing new raises nothing')
  const again = await ana.get(`/api/feeds/${feed.id}`, { 'if-none-match': first.headers['etag']! })
  assert.deepEqual([again.status, again.body.counts], [200, { pushes: 2, created: 1, updated: 0, removed: 0 }])
  assert.ok(again.body.lastPushAt > first.body.lastPushAt)
  assert.equal((await ana.get('/api/feeds?limit=100', { 'if-none-match': list.headers['etag']! })).status, 200)
  assert.equal((await ana.patch(`/api/feeds/${feed.id}`, { name: 'New' }, { 'if-match': first.headers['etag']! })).status, 200)
  assertRefused(
    await ana.patch(`/api/feeds/${feed.id}`, { name: 'Newer' }, { 'if-match': first.headers['etag']! }),
    412,
    'precondition-failed',
  )
})

test('a change made offline merges with another one, and collides with one of the same field', async () => {
  const { body: feed } = await create()
  const path = `/api/feeds/${feed.id}`
  await ana.patch(path, { paused: true })
  assert.equal((await ana.patch(path, { name: 'Mine', baseRevision: feed.revision })).body.paused, true)
  assertRefused(await ana.patch(path, { name: 'Other', baseRevision: feed.revision }), 409, 'conflict', '/name')
})

test('a viewer reads feeds and changes none; a stranger finds none', async () => {
  const feed = await makeFeed(ana, account)
  const ben = await djinn.person()
  const eve = await djinn.person()
  await join(djinn, ana.householdId, ben.userId)
  await djinn.sql(
    `select set_config('djinn.household', '${ana.householdId}', true);
     update memberships set role = 'viewer' where household_id = '${ana.householdId}' and user_id = '${ben.userId}'`,
  )
  const there = { 'djinn-household': ana.householdId }
  assert.equal((await ben.get(`/api/feeds/${feed.id}`, there)).status, 200)
  for (const [method, path, body] of [
    ['POST', '/api/feeds', { accountId: account, name: 'Mine' }],
    ['PATCH', `/api/feeds/${feed.id}`, { paused: true }],
    ['DELETE', `/api/feeds/${feed.id}`, undefined],
    ['POST', `/api/feeds/${feed.id}/rotate`, {}],
  ] as const) {
    assertRefused(await ben.call(method, path, { headers: there, ...(body ? { body } : {}) }), 403, 'forbidden')
    if (path !== '/api/feeds') assertRefused(await eve.call(method, path, body ? { body } : {}), 404, 'not-found')
  }
  assertRefused(await eve.post('/api/feeds', { accountId: account, name: 'Mine' }), 404, 'account-not-found', '/accountId')
  assert.equal((await push(djinn, feed, [row('a')])).created, 1, 'nothing of it was done')
})

test('two households may choose the same id: the key tells which feed is meant', async () => {
  const ben = await djinn.person()
  const his = await ben.account()
  const id = newId()
  const [one, two] = [await makeFeed(ana, account, { id }), await makeFeed(ben, his, { id })]
  await push(djinn, one, [row('a')])
  await push(djinn, two, [row('a'), row('b')])
  assert.equal((await ana.get(`/api/transactions?account=${account}`)).body.data.length, 1)
  assert.equal((await ben.get(`/api/transactions?account=${his}`)).body.data.length, 2)
  assertRefused(await send(djinn, { ...two, secret: one.secret }, { transactions: [] }), 401, 'feed-refused')
})

test('a household has at most 100 feeds; deleting one makes room', async () => {
  const carla = await djinn.person()
  const of = await carla.account()
  await djinn.sql(
    `select set_config('djinn.household', '${carla.householdId}', true);
     insert into feeds (household_id, id, account_id, name, key_id)
       select '${carla.householdId}', gen_random_uuid(), '${of}', 'Bank', 'full' || n from generate_series(1, 100) n;
     insert into feed_keys (household_id, feed_id, key_id, secret) select household_id, id, key_id, '' from feeds where household_id = '${carla.householdId}'`,
  )
  assertRefused(await carla.post('/api/feeds', { accountId: of, name: 'One more' }), 409, 'limit-reached')
  const [any] = (await carla.get('/api/feeds?limit=1')).body.data
  await carla.delete(`/api/feeds/${any.id}`)
  assert.equal((await carla.post('/api/feeds', { accountId: of, name: 'One more' })).status, 201)
})

test('the books hold after all of this', () => djinn.verify())
