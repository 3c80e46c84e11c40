// Devices over HTTP: registered by id or token, of one user and one session, and unseen by others.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { open, type Djinn, type Person } from '../harness.ts'
import { signIn } from '../push/household.ts'

let djinn: Djinn
let ana: Person
let ben: Person
before(async () => {
  djinn = await open()
})
after(() => djinn.close())

async function people() {
  ana = await djinn.person()
  ben = await djinn.person()
}
const tokens = async (person: Person) =>
  ((await person.get('/api/devices')).body.data as { pushToken: string | null }[]).map((device) => device.pushToken)

test('a device is registered under the id that the app chose, and read back', async () => {
  await people()
  const id = newId()
  const made = await ana.post('/api/devices', { id, platform: 'ios', pushToken: 'a:1', name: 'Phone' })
  assert.equal(made.status, 201)
  assert.equal(made.headers['location'], `/api/devices/${id}`)
  const { createdAt, updatedAt, lastSeenAt, ...rest } = made.body
  assert.deepEqual(rest, { id, platform: 'ios', name: 'Phone', pushToken: 'a:1', current: true })
  assert.ok(createdAt && updatedAt && lastSeenAt)
  assert.deepEqual((await ana.get(`/api/devices/${id}`)).body, made.body)
  assert.deepEqual((await ana.get('/api/devices')).body, { data: [made.body], nextCursor: null })
})

test('registering again by id or by token changes the device, and what is left out stays', async () => {
  await people()
  const first = await ana.post('/api/devices', { platform: 'android', pushToken: 'b:1', name: 'Phone' })
  const byToken = await ana.post('/api/devices', { platform: 'android', pushToken: 'b:1' })
  assert.deepEqual([byToken.status, byToken.body.id, byToken.body.name], [200, first.body.id, 'Phone'])
  const byId = await ana.post('/api/devices', { id: first.body.id, platform: 'android', pushToken: 'b:2' })
  assert.deepEqual([byId.status, byId.body.pushToken], [200, 'b:2'])
  const without = await ana.post('/api/devices', { id: first.body.id, platform: 'android' })
  assert.equal(without.body.pushToken, 'b:2')
  const cleared = await ana.post('/api/devices', { id: first.body.id, platform: 'android', pushToken: null, name: null })
  assert.deepEqual([cleared.body.pushToken, cleared.body.name], [null, null])
  assert.deepEqual(await tokens(ana), [null])
})

test('a token moves to the user who registers it last, and the other one’s device is gone', async () => {
  await people()
  await ana.post('/api/devices', { platform: 'android', pushToken: 'c:1' })
  assert.equal((await ben.post('/api/devices', { platform: 'android', pushToken: 'c:1' })).status, 201)
  assert.deepEqual([await tokens(ana), await tokens(ben)], [[], ['c:1']])
})

test('an app that was installed anew takes its token along under a new id', async () => {
  await people()
  const old = await ana.post('/api/devices', { platform: 'android', pushToken: 'd:1' })
  const id = newId()
  assert.equal((await ana.post('/api/devices', { id, platform: 'android', pushToken: 'd:1' })).status, 201)
  assert.equal((await ana.get(`/api/devices/${old.body.id}`)).status, 404)
  assert.deepEqual(await tokens(ana), ['d:1'])
})

test('two users may have chosen the same id, and neither meets the other’s', async () => {
  await people()
  const id = newId()
  await ana.post('/api/devices', { id, platform: 'ios', pushToken: 'e:1' })
  assert.equal((await ben.get(`/api/devices/${id}`)).status, 404)
  assert.equal((await ben.patch(`/api/devices/${id}`, { name: 'Mine' })).status, 404)
  assert.equal((await ben.patch(`/api/devices/${id}`, { pushToken: 'e:1' })).status, 404)
  assert.equal((await ben.delete(`/api/devices/${id}`)).status, 404)
  assert.deepEqual(await tokens(ana), ['e:1'], 'a refused change takes no token away')
  assert.equal((await ben.post('/api/devices', { id, platform: 'web', pushToken: 'e:2' })).status, 201)
  assert.deepEqual([await tokens(ana), await tokens(ben)], [['e:1'], ['e:2']])
})

test('a device is of the session that tells its token, and a change of name moves it nowhere', async () => {
  await people()
  const { body } = await ana.post('/api/devices', { platform: 'android', pushToken: 'f:1' })
  const desk = await signIn(djinn, ana, 'Desk')
  const renamed = await desk.patch(`/api/devices/${body.id}`, { name: 'Her phone' })
  assert.deepEqual([renamed.body.name, renamed.body.current], ['Her phone', false])
  assert.equal((await ana.get(`/api/devices/${body.id}`)).body.current, true)
  assert.equal((await desk.patch(`/api/devices/${body.id}`, { pushToken: 'f:2' })).body.current, true)
  await ana.post('/api/auth/logout')
  assert.deepEqual(await tokens(desk), ['f:2'])
})

test('a forgotten device is gone, and forgetting it again is not found', async () => {
  await people()
  const { body } = await ana.post('/api/devices', { platform: 'android', pushToken: 'g:1' })
  assert.equal((await ana.delete(`/api/devices/${body.id}`)).status, 204)
  assert.equal((await ana.delete(`/api/devices/${body.id}`)).status, 404)
  assert.equal((await ana.get(`/api/devices/${body.id}`)).body.code, 'not-found')
})

test('the same key answers the same, and makes one device', async () => {
  await people()
  const headers = { 'idempotency-key': 'register' }
  const first = await ana.post('/api/devices', { platform: 'android', pushToken: 'h:1' }, headers)
  const second = await ana.post('/api/devices', { platform: 'android', pushToken: 'h:1' }, headers)
  assert.deepEqual([second.status, second.body, second.headers['idempotency-replayed']], [201, first.body, 'true'])
})

test('of more than 20 devices those seen longest ago go', async () => {
  await people()
  const ids: string[] = []
  for (let index = 0; index < 22; index++) {
    ids.push((await ana.post('/api/devices', { platform: 'web', pushToken: `i:${index}` })).body.id)
  }
  const { data } = (await ana.get('/api/devices')).body
  assert.deepEqual(
    (data as { id: string }[]).map((device) => device.id),
    ids.slice(2).toReversed(),
  )
})

test('what is not a device is refused where it stands', async () => {
  await people()
  const wrong: [object, string, string][] = [
    [{}, '/platform', 'required'],
    [{ platform: 'windows' }, '/platform', 'not-a-choice'],
    [{ platform: 'ios', pushToken: '' }, '/pushToken', 'malformed'],
    [{ platform: 'ios', pushToken: 'a b' }, '/pushToken', 'malformed'],
    [{ platform: 'ios', pushToken: 'x'.repeat(1_025) }, '/pushToken', 'too-large'],
    [{ platform: 'ios', name: '' }, '/name', 'too-small'],
    [{ platform: 'ios', id: 'phone' }, '/id', 'malformed-id'],
    [{ platform: 'ios', userId: ben.userId }, '/userId', 'unknown-field'],
  ]
  for (const [body, pointer, code] of wrong) {
    const reply = await ana.post('/api/devices', body)
    assert.equal(reply.status, 400, reply.text)
    assert.deepEqual([reply.body.errors[0].pointer, reply.body.errors[0].code], [pointer, code])
  }
  assert.equal((await djinn.call('GET', '/api/devices')).status, 401)
  assert.deepEqual(await tokens(ana), [])
})
