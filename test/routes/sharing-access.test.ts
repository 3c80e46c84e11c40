// What a membership gives and takes, on every process at once: sessions, batches, kept answers, sync, event streams, pokes.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertRefused, open, type Person, type StepResult } from '../harness.ts'
import { withClient } from '../cluster.ts'
import { Stream } from './event-streams.ts'
import { accept, inside, invite, join, member, memberPath, openAnother, within1s } from './members.ts'
import { Replica, syncPath, until } from './replica.ts'

const djinn = await open()
const another = await openAnother(djinn)
after(async () => {
  await another.close()
  await djinn.close()
})

const patient = { timeout: 20_000 }
const draft = { name: 'Purse', kind: 'cash', currency: 'EUR' }

test('a member who is removed on one process has no access on any within 1 s', async () => {
  const ana = await djinn.person()
  const accountId = await ana.account()
  const ben = await member(djinn, ana, 'editor')
  const there = another.as(ben)
  for (const each of [ben, there]) assert.equal((await each.get('/api/accounts', inside(ana))).status, 200, 'the session is remembered')
  assert.equal((await ana.delete(memberPath(ana, ben))).status, 204)
  for (const each of [ben, there]) {
    const reply = await within1s('a list', 404, () => each.get('/api/accounts', inside(ana)))
    assertRefused(reply, 404, 'not-found', 'Djinn-Household:')
    const calls: [string, string, unknown?][] = [
      ['GET', `/api/accounts/${accountId}`],
      ['PATCH', `/api/accounts/${accountId}`, { name: 'x' }],
      ['DELETE', `/api/accounts/${accountId}`],
      ['POST', '/api/accounts', draft],
      ['GET', `/api/households/${ana.householdId}`],
      ['GET', `/api/households/${ana.householdId}/members`],
      ['GET', '/api/audit'],
    ]
    for (const [method, path, body] of calls) {
      assertRefused(await each.call(method, path, { headers: inside(ana), ...(body === undefined ? {} : { body }) }), 404, 'not-found')
    }
    assert.equal((await each.get('/api/accounts')).status, 200, 'the own household is untouched')
  }
})

test('a role that is changed on one process holds on every other within 1 s, downwards and upwards', async () => {
  const ana = await djinn.person()
  const ben = another.as(await member(djinn, ana, 'editor'))
  assert.equal((await ben.post('/api/accounts', draft, inside(ana))).status, 201)
  await ana.patch(memberPath(ana, ben), { role: 'viewer' })
  assertRefused(await ben.post('/api/accounts', draft, inside(ana)), 403, 'forbidden')
  assert.equal((await ben.get('/api/accounts', inside(ana))).status, 200)
  await ana.patch(memberPath(ana, ben), { role: 'owner' })
  await within1s('the audit', 200, () => ben.get('/api/audit', inside(ana)))
})

test('not one write of a removed or demoted member lands behind the removal, however little their session has heard', async () => {
  const ana = await djinn.person()
  const ben = await member(djinn, ana, 'owner')
  const cleo = await member(djinn, ana, 'editor')
  for (const person of [ben, cleo]) await person.get('/api/accounts', inside(ana))
  // The writes wait for the household behind whoever sends their authors away.
  await withClient(djinn.adminUrl, async (client) => {
    await client.query('begin')
    await client.query(`select set_config('djinn.household', $1, true), raise_revision($1::uuid)`, [ana.householdId])
    const writes = [
      ben.patch(`/api/households/${ana.householdId}`, { name: 'Taken' }),
      ben.patch(memberPath(ana, ana), { role: 'viewer' }),
      cleo.post('/api/accounts', draft, inside(ana)),
      cleo.post('/api/accounts', draft, { ...inside(ana), 'idempotency-key': 'late' }),
    ]
    await until('they wait', async () => {
      const [{ waiting }] = (await djinn.sql<{ waiting: number }>(
        `select count(*)::int as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )) as [{ waiting: number }]
      return waiting === writes.length
    })
    await client.query(`update memberships set role = 'editor' where household_id = $1 and user_id = $2`, [ana.householdId, ben.userId])
    await client.query('delete from memberships where household_id = $1 and user_id = $2', [ana.householdId, cleo.userId])
    await client.query('commit')
    const replies = await Promise.all(writes)
    assert.deepEqual(
      replies.map((reply) => [reply.status, reply.body.code]),
      [
        [403, 'forbidden'],
        [403, 'forbidden'],
        [404, 'not-found'],
        [404, 'not-found'],
      ],
    )
  })
  assert.deepEqual((await ana.get('/api/accounts')).body.data, [])
  assert.notEqual((await ana.get(`/api/households/${ana.householdId}`)).body.name, 'Taken')
})

test('whoever joins through one process is a member on the other from the first call', async () => {
  const ana = await djinn.person()
  const accountId = await ana.account()
  for (const ask of [
    (each: Person) => each.get(`/api/accounts/${accountId}`, inside(ana)),
    (each: Person) => each.get(`/api/households/${ana.householdId}/members`),
  ]) {
    const ben = another.as(await djinn.person())
    assert.equal((await ben.get('/api/accounts')).status, 200)
    assertRefused(await ask(ben), 404, 'not-found')
    const { token } = await invite(ana, { role: 'viewer' })
    const joined = await djinn.call('POST', '/api/invitations/accept', {
      body: { token },
      headers: { authorization: `Bearer ${ben.accessToken}` },
    })
    assert.equal(joined.status, 200, joined.text)
    assert.equal((await ask(ben)).status, 200)
  }
})

test('a batch of a removed member is refused step by step, and a kept answer is not given again', async () => {
  const ana = await djinn.person()
  const ben = await member(djinn, ana, 'editor')
  const key = { ...inside(ana), 'idempotency-key': 'purse' }
  const step = (id: string, method: string, path: string, body?: unknown) => ({ id, method, path, ...(body === undefined ? {} : { body }) })
  const operations = [step('write', 'POST', '/api/accounts', draft), step('read', 'GET', '/api/accounts')]
  const batch = (atomic: boolean) =>
    ben.post('/api/batch', { atomic, operations }, { ...inside(ana), 'idempotency-key': `batch ${atomic}` })
  const statuses = (reply: { body: { results: StepResult[] } }) => reply.body.results.map((result) => result.status)
  const rename = () => ben.patch(`/api/households/${ana.householdId}`, { name: 'Ours' }, { 'idempotency-key': 'rename' })
  assert.equal((await ben.post('/api/accounts', draft, key)).status, 201)
  assert.equal((await ben.post('/api/accounts', draft, key)).headers['idempotency-replayed'], 'true')
  for (const atomic of [true, false]) assert.deepEqual(statuses(await batch(atomic)), [201, 200])
  await ana.patch(memberPath(ana, ben), { role: 'owner' })
  await within1s('an owner renames', 200, rename)
  const accounts = (await ana.get('/api/accounts')).body.data.length

  await ana.patch(memberPath(ana, ben), { role: 'viewer' })
  await within1s('a viewer has no kept answer of an owner', 403, rename)
  assertRefused(await ben.post('/api/accounts', draft, key), 403, 'forbidden')
  await ana.delete(memberPath(ana, ben))
  await within1s('nor has a stranger', 404, rename)
  assertRefused(await ben.post('/api/accounts', draft, key), 404, 'not-found')
  assert.deepEqual(statuses(await batch(true)), [404, 424])
  assert.deepEqual(statuses(await batch(false)), [404, 404])
  assert.equal((await ana.get('/api/accounts')).body.data.length, accounts)
})

test('sync brings a household that is joined, its change of role, and takes it away again', async () => {
  const ana = await djinn.person()
  const accountId = await ana.account()
  const ben = await djinn.person()
  const replica = new Replica()
  await replica.pull(ben)
  await join(ana, ben, 'viewer')
  await replica.pull(ben)
  assert.equal(replica.tables['accounts']!.get(accountId)!.householdId, ana.householdId)
  assert.equal(replica.tables['households']!.get(ana.householdId)!['role'], 'viewer')
  await ana.patch(memberPath(ana, ben), { role: 'editor' })
  await replica.pull(ben)
  assert.equal(replica.tables['households']!.get(ana.householdId)!['role'], 'editor')
  const tag = (await ben.get(syncPath({ cursor: replica.cursor! }))).headers['etag']!
  await ana.delete(memberPath(ana, ben))
  const page = await within1s('what is lost is told', 200, () => ben.get(syncPath({ cursor: replica.cursor! }), { 'if-none-match': tag }))
  assert.deepEqual(page.body.removed, [{ type: 'households', id: ana.householdId, householdId: ana.householdId }])
  await replica.pull(ben)
  assert.deepEqual([replica.rows('households').length, replica.tables['accounts']!.has(accountId)], [1, false])
})

test('an open stream, on whichever process, is told that the household is lost and hears nothing of it from then on', patient, async () => {
  const ana = await djinn.person()
  const ben = await member(djinn, ana, 'viewer')
  const streams = [await Stream.open(djinn.url, ben), await Stream.open(another.url, ben)]
  try {
    for (const stream of streams) await stream.poke().then(() => stream.poke())
    await ana.account()
    for (const stream of streams) assert.equal((await stream.next())!.data.householdId, ana.householdId)
    await ana.delete(memberPath(ana, ben))
    for (const stream of streams) {
      let event = await stream.next()
      // The removal is a write of the household: whoever hears of it first may hear it as such.
      while (event!.event === 'revision') event = await stream.next()
      assert.deepEqual([event!.event, event!.data], ['lost', { householdId: ana.householdId }])
      assert.ok(!event!.id.includes(ana.householdId))
    }
    await ana.account()
    await another.as(ana).post('/api/accounts', draft)
    await ben.account()
    for (const stream of streams) {
      const event = await stream.next()
      assert.deepEqual([event!.event, event!.data.householdId], ['revision', ben.householdId], 'of the own household, nothing in between')
    }
    await join(ana, ben, 'viewer')
    for (const stream of streams) assert.equal((await stream.next())!.data.householdId, ana.householdId, 'gained again')
  } finally {
    for (const stream of streams) stream.close()
  }
})

test('the inbox of a household goes with the membership', async () => {
  const ana = await djinn.person()
  const ben = await member(djinn, ana, 'viewer')
  const accountId = await ana.account()
  await ana.post('/api/transactions', { accountId, date: '2026-01-31', amount: -5 })
  const inbox = async () => (await ben.get('/api/notifications')).body.data.length
  assert.equal(await inbox(), 1)
  await ana.delete(memberPath(ana, ben))
  assert.equal(await inbox(), 0)
})

test('phones of a removed member are not poked, and are not sent what was queued before', async () => {
  const { setStage } = await import('../push/household.ts')
  await using stage = await setStage()
  const { ana, ben } = stage
  await ben.post('/api/devices', { platform: 'android', pushToken: 'phone-ben' })
  await stage.spend()
  assert.equal((await ana.delete(memberPath(ana, ben))).status, 204)
  await stage.spend()
  await stage.hurry()
  await stage.work()
  assert.deepEqual(
    stage.fcm.sendings.filter((message) => JSON.stringify(message).includes('ben')),
    [],
  )
})

test('who accepts is told of nothing before, and hears as a member from then on', async () => {
  const ana = await djinn.person()
  const ben = await djinn.person()
  const { token } = await invite(ana, { role: 'viewer' })
  const stream = await Stream.open(djinn.url, ben)
  try {
    await stream.poke()
    await ana.account()
    await accept(ben, token)
    const event = await stream.next()
    assert.deepEqual([event!.event, event!.data.householdId], ['revision', ana.householdId])
  } finally {
    stream.close()
  }
})

test('the books hold after all of this', () => djinn.verify())
