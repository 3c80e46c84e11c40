// Where one is signed in: the list, ending sessions, logout, password change, and how soon access ends everywhere.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { makeApi } from '../../src/app/api.ts'
import { openResources } from '../../src/app/resources.ts'
import { makePerson, open, type Person } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

/** Signs the same user in on another device. */
async function another(person: Person, deviceName?: string): Promise<Person> {
  const { status, body, text } = await djinn.call('POST', '/api/auth/login', {
    body: { email: person.email, password: person.password, ...(deviceName === undefined ? {} : { deviceName }) },
  })
  assert.equal(status, 200, text)
  return makePerson(djinn.call, { ...person, accessToken: body.accessToken, refreshToken: body.refreshToken })
}

/** Asks until the token is refused, which must be within the second. */
async function refused(person: Person) {
  const until = performance.now() + 1_000
  while ((await person.get('/api/me')).status !== 401) assert.ok(performance.now() < until, 'the token still works after 1 s')
  const { status, body } = await djinn.call('POST', '/api/auth/refresh', { body: { refreshToken: person.refreshToken } })
  assert.equal(status, 401)
  assert.equal(body.code, 'refresh-refused')
}

const devices = async (person: Person) =>
  (await person.get('/api/me/sessions')).body.data as { id: string; deviceName: string | null; current: boolean }[]

test('the list shows every session, newest use first, and which one asks', async () => {
  const ana = await djinn.person({ deviceName: 'Phone' })
  const tablet = await another(ana, 'Tablet')
  const browser = await another(ana)
  assert.deepEqual(
    (await devices(tablet)).map((each) => [each.deviceName, each.current]),
    [
      [null, false],
      ['Tablet', true],
      ['Phone', false],
    ],
  )
  await djinn.call('POST', '/api/auth/refresh', { body: { refreshToken: ana.refreshToken } })
  assert.deepEqual(
    (await devices(browser)).map((each) => each.deviceName),
    ['Phone', null, 'Tablet'],
  )
})

test('ending one session ends that one only', async () => {
  const ana = await djinn.person({ deviceName: 'Phone' })
  const tablet = await another(ana, 'Tablet')
  const browser = await another(ana, 'Browser')
  const lost = (await devices(ana)).find((each) => each.deviceName === 'Tablet')!
  assert.equal((await ana.delete(`/api/me/sessions/${lost.id}`)).status, 204)
  await refused(tablet)
  assert.equal((await browser.get('/api/me')).status, 200)
  assert.deepEqual(new Set((await devices(ana)).map((each) => each.deviceName)), new Set(['Browser', 'Phone']))
  assert.equal((await ana.delete(`/api/me/sessions/${lost.id}`)).status, 404, 'it is gone')
})

test('ending all others leaves the one that asks', async () => {
  const ana = await djinn.person()
  const others = [await another(ana), await another(ana)]
  assert.equal((await ana.delete('/api/me/sessions')).status, 204)
  for (const other of others) await refused(other)
  assert.deepEqual(
    (await devices(ana)).map((each) => each.current),
    [true],
  )
})

test("somebody else's session is as unknown as one that never was", async () => {
  const ana = await djinn.person()
  const mallory = await djinn.person()
  const [session] = await devices(ana)
  const foreign = await mallory.delete(`/api/me/sessions/${session!.id}`)
  const missing = await mallory.delete('/api/me/sessions/0192f0c0-0000-7000-8000-000000000000')
  for (const reply of [foreign, missing]) {
    assert.equal(reply.status, 404)
    assert.equal(reply.body.code, 'not-found')
    assert.equal(reply.body.detail, foreign.body.detail)
  }
  assert.equal((await ana.get('/api/me')).status, 200)
})

test('logout ends this session and leaves the others', async () => {
  const ana = await djinn.person()
  const tablet = await another(ana)
  assert.equal((await tablet.post('/api/auth/logout')).status, 204)
  await refused(tablet)
  assert.equal((await ana.get('/api/me')).status, 200)
})

test('logout without a token is 401', async () => {
  assert.equal((await djinn.call('POST', '/api/auth/logout')).status, 401)
})

test('a password change ends every other session, keeps this one, and the old password is dead', async () => {
  const ana = await djinn.person()
  const tablet = await another(ana)
  const newPassword = 'copper heron 6093 drizzle'
  assert.equal((await ana.post('/api/auth/password', { currentPassword: ana.password, newPassword })).status, 204)
  await refused(tablet)
  assert.equal((await ana.get('/api/me')).status, 200)
  const login = (password: string) => djinn.call('POST', '/api/auth/login', { body: { email: ana.email, password } })
  assert.equal((await login(ana.password)).status, 401)
  assert.equal((await login(newPassword)).status, 200)
})

test('a password change is refused with the wrong current password or a weak new one, and changes nothing', async () => {
  const ana = await djinn.person()
  const tablet = await another(ana)
  const newPassword = 'copper heron 6093 drizzle'
  const wrong = await ana.post('/api/auth/password', { currentPassword: 'a wrong phrase 1188', newPassword })
  assert.deepEqual([wrong.status, wrong.body.code, wrong.body.errors[0].pointer], [401, 'wrong-credentials', '/currentPassword'])
  const weak = await ana.post('/api/auth/password', { currentPassword: ana.password, newPassword: 'password123' })
  assert.deepEqual([weak.status, weak.body.code, weak.body.errors[0].pointer], [422, 'password-too-weak', '/newPassword'])
  assert.equal((await tablet.get('/api/me')).status, 200)
  assert.equal((await djinn.call('POST', '/api/auth/login', { body: { email: ana.email, password: ana.password } })).status, 200)
})

test('access that ends on one process ends on every other within 1 s', async () => {
  const resources = await openResources(djinn.resources.config)
  const api = await makeApi(resources)
  try {
    const url = await api.app.listen({ host: '127.0.0.1', port: 0 })
    const status = async (person: Person) =>
      (await fetch(`${url}/api/me`, { headers: { authorization: `Bearer ${person.accessToken}` } })).status
    const ana = await djinn.person()
    const tablet = await another(ana)
    const browser = await another(ana)
    const phone = await another(ana)
    for (const person of [tablet, browser, phone]) assert.equal(await status(person), 200, 'the other process has it in its cache')
    await tablet.post('/api/auth/logout')
    await browser.post('/api/auth/password', { currentPassword: ana.password, newPassword: 'copper heron 6093 drizzle' })
    const until = performance.now() + 1_000
    for (const person of [tablet, phone]) {
      while ((await status(person)) !== 401) assert.ok(performance.now() < until, 'the other process still knows the token after 1 s')
    }
    assert.equal(await status(browser), 200)
  } finally {
    await api.close()
    await resources.close()
  }
})

test('a user has at most 50 sessions: the one unused for longest ends first', async () => {
  const ana = await djinn.person()
  await djinn.sql(
    `insert into sessions (id, user_id, access_hash, access_expires_at, refresh_expires_at, last_used_at)
    select gen_random_uuid(), $1, sha256(n::text::bytea), now() + interval '1 hour', now() + interval '1 day', now() - interval '1 hour'
    from generate_series(1, 49) n`,
    [ana.userId],
  )
  await djinn.sql(`update sessions set last_used_at = now() - interval '1 day' where access_hash = sha256($1::bytea)`, [ana.accessToken])
  const tablet = await another(ana)
  await refused(ana)
  assert.equal((await devices(tablet)).length, 50)
})
