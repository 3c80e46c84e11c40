// The audit trail over HTTP: what each change leaves in it, and who reads it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { open, type Person, type Reply } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

type Entry = {
  number: number
  revision: number
  kind: string
  entityId: string
  operation: string
  changes: Record<string, unknown>
  actorId: string
  actorName: string
  deviceId: string
  requestId: string
  hash: string
}

let ana: Person
before(async () => {
  ana = await djinn.person({ displayName: 'Ana' })
})

const date = '2026-01-31'

async function entries(person: Person, query: string): Promise<Entry[]> {
  const { status, body, text } = await person.get(`/api/audit?${query}`)
  assert.equal(status, 200, text)
  return body.data
}

async function newest(person = ana): Promise<number> {
  return (await entries(person, 'limit=1'))[0]!.number
}

/** The entries that the work leaves, oldest first. */
async function left(work: () => Promise<unknown>): Promise<Entry[]> {
  const was = await newest()
  await work()
  return (await entries(ana, 'limit=100')).filter((entry) => entry.number > was).toReversed()
}

function assertRefused(reply: Reply, status: number, code: string, pointer: string) {
  assert.deepEqual([reply.status, reply.body.code, reply.body.errors[0]?.pointer], [status, code, pointer], reply.text)
}

test('the life of an account is told with values before and after, newest first', async () => {
  const { body: made } = await ana.post(
    '/api/accounts',
    { name: 'Current', kind: 'checking', currency: 'EUR', openingBalance: 5 },
    { 'x-request-id': 'request-1' },
  )
  const path = `/api/accounts/${made.id}`
  const { body: patched } = await ana.patch(path, { name: 'Household', note: '' }, { 'x-request-id': 'request-2' })
  await ana.delete(path, { 'x-request-id': 'request-3' })
  const { body: restored } = await ana.post(`${path}/restore`, undefined, { 'x-request-id': 'request-4' })
  const told = await entries(ana, `entity=${made.id}`)
  assert.deepEqual(
    told.map((entry) => [entry.operation, entry.kind, entry.entityId, entry.requestId, entry.actorId, entry.actorName]),
    ['restore', 'delete', 'update', 'create'].map((operation, index) => [
      ...[operation, 'account', made.id, `request-${4 - index}`, ana.userId, 'Ana'],
    ]),
  )
  const [restore, remove, update, create] = told
  assert.deepEqual(
    [restore!.revision, remove!.revision, update!.revision, create!.revision],
    [restored.revision, patched.revision + 1, patched.revision, made.revision],
  )
  assert.deepEqual(create!.changes, { name: 'Current', kind: 'checking', currency: 'EUR', note: '', opening_balance: 5 })
  assert.deepEqual(update!.changes, { name: ['Current', 'Household'] })
  const [gone] = (remove!.changes['deleted_at'] as (string | null)[]).slice(1)
  assert.equal(typeof gone, 'string')
  assert.deepEqual(restore!.changes, { deleted_at: [gone, null] })
  const sessions = (await ana.get('/api/me/sessions')).body.data.map((session: { id: string }) => session.id)
  assert.ok(sessions.includes(create!.deviceId))
})

test('one transaction of several rows leaves an entry for each, at one revision', async () => {
  const [fromAccountId, toAccountId] = [await ana.account(), await ana.account()]
  let transfer: Reply | undefined
  const told = await left(async () => {
    transfer = await ana.post('/api/transfers', { fromAccountId, toAccountId, date, amount: 5 })
  })
  const { id, from, to, revision } = transfer!.body
  assert.deepEqual(
    new Set(told.map((entry) => `${entry.kind} ${entry.entityId} ${entry.operation} ${entry.revision}`)),
    new Set([`transfer ${id} create ${revision}`, ...[from, to].map((leg) => `transaction ${leg.id} create ${revision}`)]),
  )
  assert.equal(told.length, 3)
  const amounts = told.filter((entry) => entry.kind === 'transaction').map((entry) => entry.changes['amount'])
  assert.deepEqual(new Set(amounts), new Set([-5, 5]))
})

test('balances, which the database derives, are not told as changes', async () => {
  const accountId = await ana.account()
  const told = await left(() => ana.post('/api/transactions', { accountId, date, amount: -5 }))
  assert.deepEqual(
    told.map((entry) => entry.kind),
    ['transaction'],
  )
})

test('reads, repeats and refusals leave no entry', async () => {
  const sent = { id: newId(), name: 'Current', kind: 'checking', currency: 'EUR' }
  await ana.post('/api/accounts', sent, { 'idempotency-key': 'one' })
  const accountId = sent.id
  const told = await left(async () => {
    await ana.get('/api/accounts')
    await ana.post('/api/accounts', sent)
    await ana.post('/api/accounts', sent, { 'idempotency-key': 'one' })
    await ana.post('/api/accounts', { ...sent, name: 'Other' })
    await ana.post('/api/accounts', { name: 'x' })
    await ana.patch(`/api/accounts/${newId()}`, { name: 'x' })
    await ana.patch(`/api/accounts/${accountId}`, { name: 'x' }, { 'if-match': '"0.AAAAAAAAAAA"' })
    await ana.patch(`/api/accounts/${accountId}`, { name: sent.name })
    await ana.post('/api/transactions', { accountId, date, amount: -2, splits: [{ amount: -1 }, { amount: -2 }] })
    await ana.post('/api/transfers', { fromAccountId: accountId, toAccountId: newId(), date, amount: 1 })
  })
  assert.deepEqual(told, [])
})

test('a household begins its trail with its founding, its owner and its categories', async () => {
  const ben = await djinn.person()
  const kinds = new Set((await entries(ben, 'limit=100')).map((entry) => entry.kind))
  assert.deepEqual(kinds, new Set(['household', 'member', 'category']))
  const [member] = await entries(ben, 'kind=member')
  assert.deepEqual([member!.entityId, member!.changes], [ben.userId, { user_id: ben.userId, role: 'owner' }])
  const [household] = await entries(ben, 'kind=household')
  assert.deepEqual([household!.entityId, household!.operation], [ben.householdId, 'create'])
  const founded = household!.number
  assert.equal((await ben.patch(`/api/households/${ben.householdId}`, { name: 'Home' })).status, 200)
  const [change] = await entries(ben, 'kind=household')
  assert.ok(change!.number > founded)
  assert.equal((change!.changes['name'] as string[])[1], 'Home')
})

test('a walk over the trail meets every number once, while new entries come', async () => {
  const last = await newest()
  const met: Entry[] = []
  let cursor = ''
  do {
    let listed: Reply | undefined
    const { statements, roundTrips } = await djinn.count(async () => {
      listed = await ana.get(`/api/audit?limit=10${cursor}`)
    })
    assert.equal(roundTrips, 1, statements.join())
    met.push(...listed!.body.data)
    cursor = listed!.body.nextCursor === null ? '' : `&cursor=${listed!.body.nextCursor}`
    await ana.account()
  } while (cursor !== '')
  assert.deepEqual(
    met.map((entry) => entry.number),
    Array.from({ length: last }, (_, index) => last - index),
  )
  assert.equal(new Set(met.map((entry) => entry.hash)).size, last)
  for (const entry of met) assert.match(entry.hash, /^[0-9a-f]{64}$/)
})

test('a cursor goes on in its own trail with its own filters only', async () => {
  const cursor: string = (await ana.get('/api/audit?limit=2&kind=account')).body.nextCursor
  const next = await entries(ana, `limit=2&kind=account&cursor=${cursor}`)
  assert.deepEqual(
    next.map((entry) => entry.kind),
    ['account', 'account'],
  )
  const ben = await djinn.person()
  for (const reply of [
    await ana.get(`/api/audit?limit=2&cursor=${cursor}`),
    await ana.get(`/api/audit?limit=2&kind=category&cursor=${cursor}`),
    await ana.get(`/api/audit?kind=account&entity=${newId()}&cursor=${cursor}`),
    await ana.get(`/api/audit?kind=account&cursor=${cursor.slice(0, -2)}`),
    await ana.get(`/api/accounts?cursor=${cursor}`),
    await ben.get(`/api/audit?limit=2&kind=account&cursor=${cursor}`),
  ]) {
    assertRefused(reply, 400, 'invalid-cursor', '?cursor')
  }
})

test('filters and fields are checked by name', async () => {
  assertRefused(await ana.get('/api/audit?kind=password'), 400, 'invalid-request', '?kind')
  assertRefused(await ana.get('/api/audit?entity=x'), 400, 'invalid-request', '?entity')
  assertRefused(await ana.get('/api/audit?limit=101'), 400, 'invalid-request', '?limit')
  assertRefused(await ana.get('/api/audit?actor=x'), 400, 'invalid-request', '?actor')
  assertRefused(await ana.get('/api/audit?fields=salt'), 400, 'invalid-request', '?fields')
  const [entry] = await entries(ana, 'limit=1&fields=number,kind')
  assert.deepEqual(Object.keys(entry!), ['number', 'kind'])
})

test('a household reads its own trail and nobody writes one', async () => {
  const ben = await djinn.person()
  const accountId = await ana.account()
  assert.equal((await entries(ana, `entity=${accountId}`)).length, 1)
  assert.deepEqual(await entries(ben, `entity=${accountId}`), [])
  assert.equal((await ben.get('/api/audit', { 'djinn-household': ana.householdId })).status, 404)
  for (const method of ['POST', 'PATCH', 'DELETE']) assert.equal((await ana.call(method, '/api/audit')).status, 405)
})

test('the books hold after all of this, the chain of the trail included', () => djinn.verify())
