// Households over HTTP: one's own, further ones, and those of others.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { asRole } from '../database/app-role.ts'
import { assertRefused, open, type Person, type Reply } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
before(async () => {
  ana = await djinn.person({ currency: 'CHF', timeZone: 'Europe/Zurich' })
})

const draft = { name: 'Allotment', baseCurrency: 'EUR', timeZone: 'Europe/Madrid' }

/** A new person who has this role in Ana's household, besides a household of their own. */
async function member(role: 'owner' | 'editor' | 'viewer'): Promise<Person> {
  const person = await djinn.person()
  await asRole(djinn, { household: ana.householdId, user: ana.userId }, (run) =>
    run('insert into memberships (household_id, user_id, role) values ($1, $2, $3)', [ana.householdId, person.userId, role]),
  )
  return person
}

test('everyone has a household of their own from the start, in the currency and zone of the sign-up', async () => {
  const { status, body } = await ana.get('/api/households')
  assert.equal(status, 200)
  assert.deepEqual(
    body.data.map((row: Record<string, unknown>) => [row['id'], row['baseCurrency'], row['timeZone'], row['role']]),
    [[ana.householdId, 'CHF', 'Europe/Zurich', 'owner']],
  )
  assert.equal(body.nextCursor, null)
  assert.deepEqual((await ana.get(`/api/households/${ana.householdId}`)).body, body.data[0])
})

test('another household is founded in at most three round trips, furnished, and apart from the first', async () => {
  const ben = await djinn.person()
  await ben.get('/api/households')
  await ben.account()
  let made: Reply | undefined
  const { roundTrips } = await djinn.count(async () => {
    made = await ben.post('/api/households', draft)
  })
  assert.ok(roundTrips <= 3, `${roundTrips} round trips`)
  const { status, headers, body } = made!
  assert.equal(status, 201, made!.text)
  assert.equal(headers['location'], `/api/households/${body.id}`)
  assert.deepEqual(
    { ...body, id: '', createdAt: '', updatedAt: '', revision: 0 },
    { id: '', ...draft, role: 'owner', createdAt: '', updatedAt: '', revision: 0 },
  )
  // A new session: a running one may take a moment to hear of a new household.
  ben.accessToken = (await ben.post('/api/auth/login', { email: ben.email, password: ben.password })).body.accessToken
  const there = { 'djinn-household': body.id }
  const furnished = await ben.get('/api/categories?limit=100', there)
  assert.equal(furnished.status, 200, furnished.text)
  assert.ok(furnished.body.data.length > 20)
  assert.deepEqual((await ben.get('/api/accounts', there)).body.data, [])
  assert.equal((await ben.get('/api/accounts')).body.data.length, 1)
  const account = await ben.post('/api/accounts', { name: 'Seeds', kind: 'cash', currency: 'EUR' }, there)
  assertRefused(await ben.get(`/api/accounts/${account.body.id}`), 404, 'not-found')
  assert.equal((await ben.get(`/api/accounts/${account.body.id}`, there)).status, 200)
  const own = (await ben.get('/api/households')).body.data.map((row: { id: string }) => row.id)
  assert.deepEqual(new Set(own), new Set([ben.householdId, body.id]))
})

test('the same id with the same content answers the household that is there; other content is refused', async () => {
  const ben = await djinn.person()
  const sent = { ...draft, id: newId() }
  const first = await ben.post('/api/households', sent)
  const again = await ben.post('/api/households', sent)
  assert.deepEqual([first.status, again.status], [201, 200], again.text)
  assert.deepEqual(again.body, first.body)
  for (const other of [{ name: 'Garden' }, { baseCurrency: 'USD' }, { timeZone: 'Europe/Rome' }]) {
    assertRefused(await ben.post('/api/households', { ...sent, ...other }), 409, 'already-exists', '/id')
  }
  const counted = await djinn.sql<{ count: string }>('select count(*) from memberships where household_id = $1', [sent.id])
  assert.equal(counted[0]!.count, '1')
})

test('the id of a household one does not belong to is taken, and nobody joins it that way', async () => {
  const ben = await djinn.person()
  const { name, baseCurrency, timeZone } = (await ana.get(`/api/households/${ana.householdId}`)).body
  const members = () => djinn.sql('select user_id, role from memberships where household_id = $1 order by user_id', [ana.householdId])
  const was = await members()
  const reply = await ben.post('/api/households', { id: ana.householdId, name, baseCurrency, timeZone })
  assertRefused(reply, 409, 'already-exists', '/id')
  assert.deepEqual(await members(), was)
  assertRefused(await ben.get(`/api/households/${ana.householdId}`), 404, 'not-found')
})

test('a field of the wrong kind, or one that is not ours to set, is refused at its place', async () => {
  const wrong: [string, unknown][] = [
    ['/name', ''],
    ['/name', 'x'.repeat(101)],
    ['/baseCurrency', 'EURO'],
    ['/baseCurrency', 'XXQ'],
    ['/timeZone', 'Mars/Olympus'],
    ['/timeZone', ''],
    ['/role', 'owner'],
    ['/revision', 1],
  ]
  for (const [pointer, value] of wrong) {
    const field = { [pointer.slice(1)]: value }
    assertRefused(await ana.post('/api/households', { ...draft, ...field }), 400, 'invalid-request', pointer)
    assertRefused(await ana.patch(`/api/households/${ana.householdId}`, field), 400, 'invalid-request', pointer)
  }
  for (const missing of ['name', 'baseCurrency', 'timeZone']) {
    assertRefused(await ana.post('/api/households', { ...draft, [missing]: undefined }), 400, 'invalid-request', `/${missing}`)
  }
})

test('its owner changes name, base currency and time zone', async () => {
  const was = (await ana.get(`/api/households/${ana.householdId}`)).body
  const { status, body } = await ana.patch(`/api/households/${ana.householdId}`, { name: 'Home', timeZone: 'Europe/Madrid' })
  assert.equal(status, 200)
  assert.ok(body.revision > was.revision)
  assert.deepEqual(body, { ...was, name: 'Home', timeZone: 'Europe/Madrid', updatedAt: body.updatedAt, revision: body.revision })
  assert.deepEqual((await ana.get(`/api/households/${ana.householdId}`)).body, body)
})

test('an editor writes the books but not the household; a viewer only reads', async () => {
  const there = { 'djinn-household': ana.householdId }
  const accountId = await ana.account({ currency: 'CHF' })
  const editor = await member('editor')
  const viewer = await member('viewer')
  for (const person of [editor, viewer]) {
    assert.equal((await person.get(`/api/accounts/${accountId}`, there)).status, 200)
    assertRefused(await person.patch(`/api/households/${ana.householdId}`, { name: 'Mine' }), 403, 'forbidden')
    assertRefused(await person.get('/api/audit', there), 403, 'forbidden')
    const own = (await person.get(`/api/households/${ana.householdId}`)).body
    assert.equal(own.role, person === editor ? 'editor' : 'viewer')
  }
  const entry = { accountId, date: '2026-01-31', amount: -5 }
  const made = await editor.post('/api/transactions', entry, there)
  assert.equal(made.status, 201, made.text)
  const [was] = await djinn.sql('select revision, entries from revisions where household_id = $1', [ana.householdId])
  for (const operation of djinn.api.operations.filter((each) => each.access === 'editor' && each.effect === 'write')) {
    const path = operation.path.replace('{id}', made.body.id)
    const reply = await viewer.call(operation.method, path, { headers: there, ...(operation.body ? { body: {} } : {}) })
    assertRefused(reply, 403, 'forbidden')
  }
  assert.deepEqual(await djinn.sql('select revision, entries from revisions where household_id = $1', [ana.householdId]), [was])
  assert.equal((await ana.get(`/api/accounts/${accountId}`)).body.balance, -5)
})

test('without a header a member of several households works in their own', async () => {
  const editor = await member('editor')
  const accountId = await editor.account()
  assert.equal((await ana.get(`/api/accounts/${accountId}`)).status, 404)
  assert.equal((await editor.get(`/api/accounts/${accountId}`, { 'djinn-household': editor.householdId })).status, 200)
  assert.equal((await editor.get('/api/accounts')).body.data.length, 1)
})

test('the books hold after all of this', () => djinn.verify())
