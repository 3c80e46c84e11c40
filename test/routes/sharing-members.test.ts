// Members over HTTP: who sees whom, who changes roles, who leaves, and that somebody always owns the household.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { assertRefused, open, type Person, type Reply, type StepResult } from '../harness.ts'
import { inside, invite, join, member, memberPath, membersPath, rolesIn, type Role } from './members.ts'

const djinn = await open()
after(() => djinn.close())

const state = (household: string) =>
  djinn.sql('select revision::int, entries::int, head from revisions where household_id = $1', [household])

test('owners see who belongs to the household and by which address; others see names, and their own address', async () => {
  const ana = await djinn.person({ displayName: 'Ana' })
  const ben = await member(djinn, ana, 'editor', { displayName: 'Ben' })
  const cleo = await member(djinn, ana, 'viewer')
  const seen = async (person: Person) =>
    (await person.get(membersPath(ana))).body.data.map((row: Record<string, unknown>) => [
      row['userId'],
      row['displayName'],
      row['email'],
      row['role'],
    ])
  assert.deepEqual(await seen(ana), [
    [ana.userId, 'Ana', ana.email, 'owner'],
    [ben.userId, 'Ben', ben.email, 'editor'],
    [cleo.userId, '', cleo.email, 'viewer'],
  ])
  assert.deepEqual(await seen(ben), [
    [ana.userId, 'Ana', null, 'owner'],
    [ben.userId, 'Ben', ben.email, 'editor'],
    [cleo.userId, '', null, 'viewer'],
  ])
  assert.deepEqual(
    (await seen(cleo)).map((row: unknown[]) => row[2]),
    [null, null, cleo.email],
  )
})

test('the list takes fields, and is not modified until a member or a name is', async () => {
  const ana = await djinn.person()
  const ben = await member(djinn, ana, 'viewer')
  const { body, headers } = await ana.get(`${membersPath(ana)}?fields=userId,role`)
  assert.deepEqual(body, {
    data: [
      { userId: ana.userId, role: 'owner' },
      { userId: ben.userId, role: 'viewer' },
    ],
    nextCursor: null,
  })
  const tag = headers['etag']!
  const again = () => ana.get(`${membersPath(ana)}?fields=userId,role`, { 'if-none-match': tag })
  assert.equal((await again()).status, 304)
  await ana.patch(memberPath(ana, ben), { role: 'editor' })
  assert.equal((await again()).status, 200)
  const named = (await ana.get(membersPath(ana))).headers['etag']!
  await ben.patch('/api/me', { displayName: 'Benjamin' })
  assert.equal((await ana.get(membersPath(ana), { 'if-none-match': named })).status, 200)
  assertRefused(await ana.get(`${membersPath(ana)}?fields=password`), 400, 'invalid-request', '?fields')
})

test('each role may do what it may, and no more', async () => {
  const ana = await djinn.person()
  const people: Record<Role, Person> = {
    owner: await member(djinn, ana, 'owner'),
    editor: await member(djinn, ana, 'editor'),
    viewer: await member(djinn, ana, 'viewer'),
  }
  const target = await member(djinn, ana, 'viewer')
  const pending = await invite(ana, { role: 'viewer' })
  const household = `/api/households/${ana.householdId}`
  const accountId = await ana.account()
  const entry = { accountId, date: '2026-01-31', amount: -5 }
  const calls: [string, string, unknown, Record<Role, number>][] = [
    ['GET', '/api/accounts', undefined, { owner: 200, editor: 200, viewer: 200 }],
    ['GET', household, undefined, { owner: 200, editor: 200, viewer: 200 }],
    ['GET', membersPath(ana), undefined, { owner: 200, editor: 200, viewer: 200 }],
    ['POST', '/api/transactions', entry, { owner: 201, editor: 201, viewer: 403 }],
    ['PATCH', household, { name: 'Home' }, { owner: 200, editor: 403, viewer: 403 }],
    ['GET', '/api/audit', undefined, { owner: 200, editor: 403, viewer: 403 }],
    ['PATCH', memberPath(ana, target), { role: 'editor' }, { owner: 200, editor: 403, viewer: 403 }],
    ['GET', `${household}/invitations`, undefined, { owner: 200, editor: 403, viewer: 403 }],
    ['POST', `${household}/invitations`, { role: 'viewer' }, { owner: 201, editor: 403, viewer: 403 }],
    ['DELETE', `${household}/invitations/${pending.id}`, undefined, { owner: 204, editor: 403, viewer: 403 }],
    ['DELETE', memberPath(ana, target), undefined, { owner: 204, editor: 403, viewer: 403 }],
    ['POST', `${household}/restore`, undefined, { owner: 409, editor: 403, viewer: 403 }],
  ]
  for (const role of ['viewer', 'editor', 'owner'] as const) {
    for (const [method, path, body, expected] of calls) {
      const was = await state(ana.householdId)
      const reply = await people[role].call(method, path, { headers: inside(ana), ...(body === undefined ? {} : { body }) })
      assert.equal(reply.status, expected[role], `${role}: ${method} ${path}: ${reply.text}`)
      if (reply.status === 403) {
        assertRefused(reply, 403, 'forbidden')
        assert.deepEqual(await state(ana.householdId), was, 'nothing is written')
      }
    }
  }
})

test('who is no member is answered as if there were no household: 404, on every call', async () => {
  const ana = await djinn.person()
  const stranger = await djinn.person()
  const invitation = await invite(ana, { role: 'viewer' })
  const was = await state(ana.householdId)
  const calls: [string, (household: string) => string, unknown?][] = [
    ['GET', (id) => `/api/households/${id}`],
    ['PATCH', (id) => `/api/households/${id}`, { name: 'Mine' }],
    ['DELETE', (id) => `/api/households/${id}`],
    ['POST', (id) => `/api/households/${id}/restore`],
    ['GET', (id) => `/api/households/${id}/members`],
    ['PATCH', (id) => `/api/households/${id}/members/${stranger.userId}`, { role: 'owner' }],
    ['DELETE', (id) => `/api/households/${id}/members/${ana.userId}`],
    ['DELETE', (id) => `/api/households/${id}/members/${stranger.userId}`],
    ['GET', (id) => `/api/households/${id}/invitations`],
    ['POST', (id) => `/api/households/${id}/invitations`, { role: 'owner' }],
    ['DELETE', (id) => `/api/households/${id}/invitations/${invitation.id}`],
  ]
  const told = ({ status, body }: Reply) => ({ status, ...body, instance: '', requestId: '' })
  for (const [method, path, body] of calls) {
    const sent = body === undefined ? {} : { body }
    const missing = await stranger.call(method, path(newId()), sent)
    assertRefused(missing, 404, 'not-found')
    assert.deepEqual(told(await stranger.call(method, path(ana.householdId), sent)), told(missing), `${method} ${path('')}`)
    assert.equal((await djinn.call(method, path(ana.householdId), sent)).status, 401)
  }
  assert.deepEqual(await state(ana.householdId), was)
})

test("the path says which household is meant, whatever the header says; another's member is none of this one", async () => {
  const ana = await djinn.person()
  const ben = await member(djinn, ana, 'viewer')
  const listed = await ben.get(membersPath(ana), { 'djinn-household': ben.householdId })
  assert.equal(listed.body.data.length, 2)
  assert.equal((await ben.get(membersPath(ben), inside(ana))).body.data.length, 1)
  // An owner at home is no owner there.
  assertRefused(await ben.patch(memberPath(ana, ben), { role: 'owner' }, { 'djinn-household': ben.householdId }), 403, 'forbidden')
  for (const userId of [newId(), (await djinn.person()).userId]) {
    assertRefused(await ana.patch(`${membersPath(ana)}/${userId}`, { role: 'viewer' }), 404, 'not-found')
    assertRefused(await ana.delete(`${membersPath(ana)}/${userId}`), 404, 'not-found')
  }
  assertRefused(await ana.patch(`${membersPath(ana)}/x`, { role: 'viewer' }), 400, 'invalid-request', '/path/userId')
})

test('a role is changed by an owner, with its revision, once however often it is sent', async () => {
  const ana = await djinn.person()
  const ben = await member(djinn, ana, 'viewer')
  const sent = () => ana.patch(memberPath(ana, ben), { role: 'editor' }, { 'idempotency-key': 'one' })
  const changed = await sent()
  assert.equal(changed.status, 200)
  const [now] = await state(ana.householdId)
  assert.deepEqual([changed.body.userId, changed.body.role, changed.body.revision], [ben.userId, 'editor', now!['revision']])
  const again = await sent()
  assert.deepEqual([again.status, again.body, again.headers['idempotency-replayed']], [200, changed.body, 'true'])
  const same = await ana.patch(memberPath(ana, ben), { role: 'editor' })
  assert.deepEqual(same.body, changed.body, 'no change, no new revision of the member')
  for (const [body, pointer] of [
    [{}, '/role'],
    [{ role: 'admin' }, '/role'],
    [{ role: null }, '/role'],
    [{ role: 'viewer', email: 'x@example.org' }, '/email'],
  ] as const) {
    assertRefused(await ana.patch(memberPath(ana, ben), body), 400, 'invalid-request', pointer)
  }
  const tag = changed.headers['etag']!
  assert.equal((await ana.patch(memberPath(ana, ben), { role: 'viewer' }, { 'if-match': tag })).status, 200)
  assertRefused(await ana.patch(memberPath(ana, ben), { role: 'owner' }, { 'if-match': tag }), 412, 'precondition-failed')
})

test('hand-over: the new owner owns, the old one steps down or leaves', async () => {
  const ana = await djinn.person()
  const ben = await member(djinn, ana, 'editor')
  assertRefused(await ana.patch(memberPath(ana, ana), { role: 'editor' }), 409, 'last-owner', '/role')
  assertRefused(await ana.delete(memberPath(ana, ana)), 409, 'last-owner')
  assert.equal((await ana.patch(memberPath(ana, ben), { role: 'owner' })).status, 200)
  assert.equal((await ana.patch(memberPath(ana, ana), { role: 'editor' })).status, 200)
  assertRefused(await ana.patch(memberPath(ana, ana), { role: 'owner' }), 403, 'forbidden')
  assert.equal((await ana.patch(`/api/households/${ana.householdId}`, { name: 'x' })).status, 403)
  assert.equal((await ben.patch(`/api/households/${ana.householdId}`, { name: "Ben's" })).status, 200)
  assert.equal((await ana.delete(memberPath(ana, ana))).status, 204)
  assert.deepEqual(await rolesIn(djinn, ana.householdId), { [ben.userId]: 'owner' })
  assertRefused(await ana.get(`/api/households/${ana.householdId}`), 404, 'not-found')
  assert.deepEqual((await ana.get('/api/households')).body.data, [])
  // Nobody is locked out for good: who has none left founds another.
  const founded = await ana.post('/api/households', { name: 'New', baseCurrency: 'EUR', timeZone: 'UTC' })
  assert.equal(founded.status, 201)
  assert.equal((await ana.get(`/api/households/${founded.body.id}`)).status, 200)
})

test('both steps of a hand-over in one atomic batch are one; in the wrong order nothing is done', async () => {
  const ana = await djinn.person()
  const ben = await member(djinn, ana, 'editor')
  const step = (id: string, person: Person, role: Role) => ({ id, method: 'PATCH', path: memberPath(ana, person), body: { role } })
  const up = step('up', ben, 'owner')
  const down = step('down', ana, 'viewer')
  const wrong = await ana.post('/api/batch', { atomic: true, operations: [down, up] })
  assert.deepEqual(
    wrong.body.results.map((result: StepResult) => [result.status, result.body.code]),
    [
      [409, 'last-owner'],
      [424, 'batch-undone'],
    ],
  )
  assert.deepEqual(await rolesIn(djinn, ana.householdId), { [ana.userId]: 'owner', [ben.userId]: 'editor' })
  const right = await ana.post('/api/batch', { atomic: true, operations: [up, down] })
  assert.deepEqual(
    right.body.results.map((result: StepResult) => result.status),
    [200, 200],
    right.text,
  )
  assert.deepEqual(await rolesIn(djinn, ana.householdId), { [ana.userId]: 'viewer', [ben.userId]: 'owner' })
})

test('an atomic batch is of the household in its paths, and of one only', async () => {
  const ana = await djinn.person()
  const ben = await member(djinn, ana, 'owner')
  const rename = (id: string, household: string) => ({ id, method: 'PATCH', path: `/api/households/${household}`, body: { name: 'Both' } })
  const mixed = await ben.post('/api/batch', { atomic: true, operations: [rename('a', ana.householdId), rename('b', ben.householdId)] })
  assertRefused(mixed, 400, 'not-in-batch')
  const account = { id: 'c', method: 'POST', path: '/api/accounts', body: { name: 'C', kind: 'cash', currency: 'EUR' } }
  const there = await ben.post('/api/batch', { atomic: true, operations: [rename('a', ana.householdId), account] }, inside(ana))
  assert.deepEqual(
    there.body.results.map((result: StepResult) => result.status),
    [200, 201],
    there.text,
  )
  assert.equal((await ana.get('/api/accounts')).body.data.length, 1)
  assert.equal((await ben.get('/api/accounts')).body.data.length, 0)
})

test('owners who all step down or leave at once leave one', async () => {
  for (let round = 0; round < 5; round++) {
    const ana = await djinn.person()
    const owners = [ana, await member(djinn, ana, 'owner'), await member(djinn, ana, 'owner'), await member(djinn, ana, 'owner')]
    const replies = await Promise.all(
      owners.map((owner, index) =>
        (index + round) % 2 === 0 ? owner.patch(memberPath(ana, owner), { role: 'viewer' }) : owner.delete(memberPath(ana, owner)),
      ),
    )
    const refused = replies.filter((reply) => reply.status === 409)
    assert.equal(refused.length, 1, replies.map((reply) => reply.text).join())
    assertRefused(refused[0]!, 409, 'last-owner')
    const left = Object.values(await rolesIn(djinn, ana.householdId)).filter((role) => role === 'owner')
    assert.deepEqual(left, ['owner'])
  }
})

test('two owners who remove each other at once: one stays', async () => {
  const ana = await djinn.person()
  const ben = await member(djinn, ana, 'owner')
  const replies = await Promise.all([ana.delete(memberPath(ana, ben)), ben.delete(memberPath(ana, ana))])
  assert.deepEqual(new Set(replies.map((reply) => reply.status)), new Set([204, 404]))
  assert.equal(Object.keys(await rolesIn(djinn, ana.householdId)).length, 1)
})

test('anybody leaves; what they wrote stays, and the household moves on by a revision', async () => {
  const ana = await djinn.person()
  const ben = await member(djinn, ana, 'editor')
  const accountId = (await ben.post('/api/accounts', { name: 'Joint', kind: 'checking', currency: 'EUR' }, inside(ana))).body.id
  const [was] = await state(ana.householdId)
  assert.equal((await ben.delete(memberPath(ana, ben))).status, 204)
  const [now] = await state(ana.householdId)
  assert.equal(now!['revision'], Number(was!['revision']) + 1)
  assert.equal((await ana.get(`/api/accounts/${accountId}`)).status, 200)
  assertRefused(await ben.delete(memberPath(ana, ben)), 404, 'not-found')
  await join(ana, ben, 'viewer')
  assert.equal((await ben.get(`/api/accounts/${accountId}`, inside(ana))).status, 200)
})

test('an owner removes another owner, and a viewer leaves a household that has no other way out', async () => {
  const ana = await djinn.person()
  const ben = await member(djinn, ana, 'owner')
  const cleo = await member(djinn, ana, 'viewer')
  assert.equal((await ben.delete(memberPath(ana, ana))).status, 204)
  assert.equal((await cleo.delete(memberPath(ana, cleo))).status, 204)
  assert.deepEqual(await rolesIn(djinn, ana.householdId), { [ben.userId]: 'owner' })
})

test('the books hold after all of this', () => djinn.verify())
