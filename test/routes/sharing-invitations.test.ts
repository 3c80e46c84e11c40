// Invitations over HTTP: made by owners, told once, accepted once, and worth nothing to anybody else.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { assertRefused, open, type Person, type StepResult } from '../harness.ts'
import { accept, inside, invite, join, member, memberPath, rolesIn } from './members.ts'

const djinn = await open({ APP_URL: 'https://app.example.org/' })
after(() => djinn.close())

const path = (owner: Person) => `/api/households/${owner.householdId}/invitations`
const preview = (person: Person, token: string) => person.post('/api/invitations/preview', { token })

/** Fails unless the token is worth nothing to the person, in both calls, and says why no better than any other. */
async function assertWorthless(person: Person, token: string) {
  for (const reply of [await preview(person, token), await accept(person, token)]) {
    assertRefused(reply, 422, 'link-expired', '/token')
    assert.equal(reply.body.detail, 'The invitation was used, revoked, is too old, or is for somebody else; ask for a new one.')
  }
}

/** Makes it end at this instant, which is long after it was made. */
const expire = (id: string) =>
  djinn.sql(
    `with scope as (select set_config('djinn.household', household_id::text, true) from invitations where id = $1)
     update invitations set created_at = now() - interval '2 days', expires_at = now() - interval '1 second' from scope where id = $1`,
    [id],
  )

test('an invitation tells its token once, with a link into the app, and lasts seven days', async () => {
  const ana = await djinn.person({ displayName: 'Ana' })
  const reply = await ana.post(path(ana), { role: 'editor' })
  assert.equal(reply.status, 201, reply.text)
  assert.equal(reply.headers['cache-control'], 'no-store')
  const { token, link, ...shown } = reply.body
  assert.match(token, /^[A-Za-z0-9_-]{64}$/)
  assert.equal(link, `https://app.example.org/join#token=${token}`)
  assert.deepEqual([shown.role, shown.email, shown.invitedBy, shown.mailed], ['editor', null, ana.userId, false])
  assert.equal(Date.parse(shown.expiresAt) - Date.parse(shown.createdAt), 7 * 24 * 3_600_000)
  const { mailed: _mailed, ...listed } = shown
  const { body, text } = await ana.get(path(ana))
  assert.deepEqual(body, { data: [listed], nextCursor: null })
  assert.ok(!text.includes(token))
  assert.deepEqual((await ana.get(`${path(ana)}?fields=role`)).body.data, [{ role: 'editor' }])
  const [kept] = await djinn.sql<{ hash: Buffer }>('select hash from invitation_tokens where household_id = $1', [ana.householdId])
  assert.deepEqual(kept!.hash, createHash('sha256').update(token).digest(), 'of the token a hash is kept')
  const dump = JSON.stringify([
    await djinn.sql('select * from invitations'),
    await djinn.sql('select * from journal where household_id = $1', [ana.householdId]),
  ])
  assert.ok(!dump.includes(token))
})

test('what it may not be is refused at its place', async () => {
  const ana = await djinn.person()
  for (const [body, pointer] of [
    [{}, '/role'],
    [{ role: 'admin' }, '/role'],
    [{ role: 'editor', email: 'nobody' }, '/email'],
    [{ role: 'editor', email: null }, '/email'],
    [{ role: 'editor', expiresInHours: 0 }, '/expiresInHours'],
    [{ role: 'editor', expiresInHours: 721 }, '/expiresInHours'],
    [{ role: 'editor', expiresInHours: 1.5 }, '/expiresInHours'],
    [{ role: 'editor', token: 'mine' }, '/token'],
  ] as const) {
    assertRefused(await ana.post(path(ana), body), 400, 'invalid-request', pointer)
  }
  assert.deepEqual((await ana.get(path(ana))).body.data, [])
  const long = await invite(ana, { role: 'viewer', expiresInHours: 720 })
  assert.equal(Date.parse(long.expiresAt) - Date.parse(long.createdAt), 30 * 24 * 3_600_000)
  for (const token of ['', 'x'.repeat(201), 7]) {
    assertRefused(await ana.post('/api/invitations/accept', { token }), 400, 'invalid-request', '/token')
  }
  assert.equal((await djinn.call('POST', '/api/invitations/accept', { body: { token: long.token } })).status, 401)
  assert.equal((await djinn.call('POST', '/api/invitations/preview', { body: { token: long.token } })).status, 401)
})

test('whoever has the token sees what it leads to, joins in its role, and nobody after them', async () => {
  const ana = await djinn.person()
  await ana.patch(`/api/households/${ana.householdId}`, { name: 'Harbour 7' })
  const [ben, cleo] = [await djinn.person(), await djinn.person()]
  const { token, expiresAt, id } = await invite(ana, { role: 'editor' })
  assert.deepEqual((await preview(ben, token)).body, { household: { name: 'Harbour 7' }, role: 'editor', expiresAt })
  assertRefused(await ben.get(`/api/households/${ana.householdId}`), 404, 'not-found')
  const joined = await accept(ben, token)
  assert.equal(joined.status, 200, joined.text)
  assert.deepEqual(joined.body, (await ben.get(`/api/households/${ana.householdId}`)).body)
  assert.deepEqual([joined.body.name, joined.body.role], ['Harbour 7', 'editor'])
  const account = { name: 'Joint', kind: 'checking', currency: 'EUR' }
  assert.equal((await ben.post('/api/accounts', account, inside(ana))).status, 201, 'at once, in the session that joined')
  await assertWorthless(cleo, token)
  assert.deepEqual((await ana.get(path(ana))).body.data, [], 'it is not open any more')
  assertRefused(await ana.delete(`${path(ana)}/${id}`), 422, 'link-expired')
  assert.deepEqual(await rolesIn(djinn, ana.householdId), { [ana.userId]: 'owner', [ben.userId]: 'editor' })
})

test('an accept that is sent again by whoever joined by it is answered the same, with and without a key', async () => {
  const ana = await djinn.person()
  const ben = await djinn.person()
  const { token } = await invite(ana, { role: 'viewer' })
  const first = await accept(ben, token, { 'idempotency-key': 'join' })
  const [was] = await djinn.sql('select revision, entries from revisions where household_id = $1', [ana.householdId])
  const keyed = await accept(ben, token, { 'idempotency-key': 'join' })
  const bare = await accept(ben, token)
  assert.deepEqual([first.body, keyed.body, bare.body], [first.body, first.body, first.body])
  assert.equal(keyed.headers['idempotency-replayed'], 'true')
  assert.deepEqual(await djinn.sql('select revision, entries from revisions where household_id = $1', [ana.householdId]), [was])
  await ana.delete(memberPath(ana, ben))
  // Removed, they do not come back by what they used, and are not even told again what they were.
  await assertWorthless(ben, token)
  assertRefused(await accept(ben, token, { 'idempotency-key': 'join' }), 422, 'link-expired')
})

test('of twenty who accept at once one joins', async () => {
  const ana = await djinn.person()
  const people = await Promise.all(Array.from({ length: 20 }, () => djinn.person()))
  const { token } = await invite(ana, { role: 'viewer' })
  const replies = await Promise.all(people.map((person) => accept(person, token)))
  assert.equal(replies.filter((reply) => reply.status === 200).length, 1)
  for (const reply of replies.filter((each) => each.status !== 200)) assertRefused(reply, 422, 'link-expired', '/token')
  assert.equal(Object.keys(await rolesIn(djinn, ana.householdId)).length, 2)
})

test('one who accepts twenty times at once joins once and is answered alike', async () => {
  const ana = await djinn.person()
  const ben = await djinn.person()
  const { token } = await invite(ana, { role: 'editor' })
  const replies = await Promise.all(Array.from({ length: 20 }, () => accept(ben, token)))
  for (const reply of replies) assert.deepEqual([reply.status, reply.body], [200, replies[0]!.body], reply.text)
  const entries = await djinn.sql(`select from journal where household_id = $1 and kind = 'member' and entity_id = $2`, [
    ana.householdId,
    ben.userId,
  ])
  assert.equal(entries.length, 1)
})

test('unknown, malformed, expired, revoked: one answer', async () => {
  const ana = await djinn.person()
  const ben = await djinn.person()
  const { token } = await invite(ana, { role: 'viewer' })
  const other = await djinn.person()
  const elsewhere = Buffer.concat([
    Buffer.from(other.householdId.replaceAll('-', ''), 'hex'),
    Buffer.from(token, 'base64url').subarray(16),
  ]).toString('base64url')
  for (const bad of [
    'x',
    token.slice(0, -1),
    `${token}A`,
    token.replace(/.$/, (last: string) => (last === 'A' ? 'B' : 'A')),
    elsewhere,
    newId(),
  ]) {
    await assertWorthless(ben, bad)
  }
  const expired = await invite(ana, { role: 'viewer', expiresInHours: 1 })
  await expire(expired.id)
  await assertWorthless(ben, expired.token)
  const revoked = await invite(ana, { role: 'viewer' })
  assert.equal((await ana.delete(`${path(ana)}/${revoked.id}`)).status, 204)
  await assertWorthless(ben, revoked.token)
  assert.equal((await ana.delete(`${path(ana)}/${revoked.id}`)).status, 204, 'revoking again succeeds')
  assert.equal((await ana.delete(`${path(ana)}/${expired.id}`)).status, 204)
  assertRefused(await ana.delete(`${path(ana)}/${newId()}`), 404, 'not-found')
  const foreign = await invite(other, { role: 'viewer' })
  assertRefused(await ana.delete(`${path(ana)}/${foreign.id}`), 404, 'not-found')
  assert.equal((await accept(ben, token)).status, 200, 'the one they were made from is still good')
})

test('an invitation that names an address is for its user only, however the address is spelt', async () => {
  const ana = await djinn.person()
  const [ben, cleo] = [await djinn.person(), await djinn.person()]
  const { token, email } = await invite(ana, { role: 'editor', email: ben.email.toUpperCase() })
  assert.equal(email, ben.email.toUpperCase())
  await assertWorthless(cleo, token)
  assert.equal((await preview(ben, token)).status, 200)
  assert.equal((await accept(ben, token)).status, 200)
  // Addresses of strangers are no part of a trail that cannot forget them.
  const told = await djinn.sql<{ changes: object }>(`select changes from journal where household_id = $1 and kind = 'invitation'`, [
    ana.householdId,
  ])
  assert.ok(told.length >= 2)
  assert.ok(!JSON.stringify(told).toLowerCase().includes(ben.email))
})

test('a member keeps the higher role: an invitation raises it, or changes nothing and stays open', async () => {
  const ana = await djinn.person()
  const ben = await member(djinn, ana, 'viewer')
  await join(ana, ben, 'editor')
  assert.equal((await rolesIn(djinn, ana.householdId))[ben.userId], 'editor')
  const lower = await invite(ana, { role: 'viewer' })
  const kept = await accept(ben, lower.token)
  assert.deepEqual([kept.status, kept.body.role], [200, 'editor'])
  const own = await accept(ana, lower.token)
  assert.deepEqual([own.status, own.body.role], [200, 'owner'], 'an owner who tries the own link takes it from nobody')
  const cleo = await djinn.person()
  assert.equal((await accept(cleo, lower.token)).status, 200)
  assert.deepEqual(await rolesIn(djinn, ana.householdId), { [ana.userId]: 'owner', [ben.userId]: 'editor', [cleo.userId]: 'viewer' })
})

test('who is no owner any more leaves no open door behind', async () => {
  const ana = await djinn.person()
  const ben = await member(djinn, ana, 'owner')
  const cleo = await djinn.person()
  const { token } = await invite(ben, { role: 'owner' }, ana.householdId)
  assert.equal((await preview(cleo, token)).status, 200)
  await ana.patch(memberPath(ana, ben), { role: 'editor' })
  await assertWorthless(cleo, token)
  assert.deepEqual((await ana.get(path(ana))).body.data, [])
  await ana.delete(memberPath(ana, ben))
  await assertWorthless(ben, token)
})

test('a household has at most 20 open invitations, and at most 50 members', async () => {
  const ana = await djinn.person()
  const made = await Promise.all(Array.from({ length: 20 }, () => invite(ana, { role: 'viewer' })))
  assertRefused(await ana.post(path(ana), { role: 'viewer' }), 409, 'limit-reached')
  assert.equal((await ana.delete(`${path(ana)}/${made[0].id}`)).status, 204)
  const { token } = await invite(ana, { role: 'viewer' })
  const crowd = await Promise.all(Array.from({ length: 49 }, () => djinn.person()))
  await djinn.sql(
    `with scope as (select set_config('djinn.household', $1::text, true))
     insert into memberships (household_id, user_id, role) select $1::uuid, id, 'viewer' from scope, unnest($2::uuid[]) id`,
    [ana.householdId, crowd.map((person) => person.userId)],
  )
  const ben = await djinn.person()
  assertRefused(await accept(ben, token), 409, 'limit-reached')
  await ana.delete(memberPath(ana, crowd[0]!))
  assert.equal((await accept(ben, token)).status, 200, 'the refused accept did not use it up')
})

test('a user belongs to at most 50 households, also when two are joined at once', async () => {
  const ben = await djinn.person()
  for (let nth = 0; nth < 48; nth++) {
    const draft = { name: `No. ${nth}`, baseCurrency: 'EUR', timeZone: 'UTC' }
    assert.equal((await ben.post('/api/households', draft)).status, 201)
  }
  const [ana, cleo] = [await djinn.person(), await djinn.person()]
  const tokens = [(await invite(ana, { role: 'viewer' })).token, (await invite(cleo, { role: 'viewer' })).token]
  const replies = await Promise.all(tokens.map((token) => accept(ben, token)))
  assert.deepEqual(new Set(replies.map((reply) => reply.status)), new Set([200, 409]), replies.map((reply) => reply.text).join())
  assertRefused(
    replies.find((reply) => reply.status === 409)!,
    409,
    'limit-reached',
  )
  assert.equal((await ben.get('/api/households')).body.data.length, 50)
})

test('a step of a batch may be in the household that the step before it joined', async () => {
  const ana = await djinn.person()
  const accountId = await ana.account()
  const ben = await djinn.person()
  const { token } = await invite(ana, { role: 'viewer' })
  const operations = [
    { id: 'join', method: 'POST', path: '/api/invitations/accept', body: { token } },
    { id: 'read', method: 'GET', path: `/api/accounts/${accountId}`, headers: inside(ana) },
    { id: 'write', method: 'PATCH', path: `/api/accounts/${accountId}`, headers: inside(ana), body: { name: 'Mine' } },
  ]
  const { body, text } = await ben.post('/api/batch', { operations })
  assert.deepEqual(
    body.results.map((result: StepResult) => result.status),
    [200, 200, 403],
    text,
  )
})

test('joining costs four round trips at most', async () => {
  const ana = await djinn.person()
  const ben = await djinn.person()
  await ben.get('/api/me')
  const { token } = await invite(ana, { role: 'viewer' })
  const { roundTrips, statements } = await djinn.count(() => accept(ben, token))
  assert.ok(roundTrips <= 4, statements.join())
})

test('the books hold after all of this', () => djinn.verify())
