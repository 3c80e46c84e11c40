// One's own profile and preferences.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { open } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

test('the profile shows the user and nothing secret', async () => {
  const ana = await djinn.person({ displayName: 'Reader' })
  const { status, body, headers } = await ana.get('/api/me')
  assert.equal(status, 200)
  assert.deepEqual(Object.keys(body).toSorted(), ['createdAt', 'displayName', 'email', 'id', 'locale', 'preferences', 'tier'])
  assert.deepEqual(
    [body.id, body.email, body.displayName, body.locale, body.tier, body.preferences],
    [ana.userId, ana.email, 'Reader', null, 'standard', {}],
  )
  assert.equal(headers['cache-control'], 'private, no-cache')
})

test('a change answers the changed profile, keeps the rest, and is read back', async () => {
  const ana = await djinn.person({ displayName: 'Before' })
  const preferences = { theme: 'dark', pageSize: 50, weekly: true, greeting: 'día 火 🌱', cleared: null }
  const patched = await ana.patch('/api/me', { locale: 'pt-BR', preferences })
  assert.equal(patched.status, 200)
  assert.deepEqual([patched.body.displayName, patched.body.locale, patched.body.preferences], ['Before', 'pt-BR', preferences])
  assert.deepEqual((await ana.get('/api/me')).body, patched.body)
})

test('preferences are replaced as a whole', async () => {
  const ana = await djinn.person()
  await ana.patch('/api/me', { preferences: { one: 1, two: 2 } })
  assert.deepEqual((await ana.patch('/api/me', { preferences: { three: 3 } })).body.preferences, { three: 3 })
  assert.deepEqual((await ana.patch('/api/me', { displayName: 'Kept' })).body.preferences, { three: 3 })
  assert.deepEqual((await ana.patch('/api/me', { preferences: {} })).body.preferences, {})
})

test('a display name can be emptied', async () => {
  const ana = await djinn.person({ displayName: 'Before' })
  assert.equal((await ana.patch('/api/me', { displayName: '' })).body.displayName, '')
})

test('a change is seen by the other sessions of the user and by nobody else', async () => {
  const ana = await djinn.person()
  const ben = await djinn.person()
  const { body: tablet } = await djinn.call('POST', '/api/auth/login', { body: { email: ana.email, password: ana.password } })
  await ana.patch('/api/me', { displayName: 'Renamed' })
  const seen = await djinn.call('GET', '/api/me', { headers: { authorization: `Bearer ${tablet.accessToken}` } })
  assert.equal(seen.body.displayName, 'Renamed')
  assert.equal((await ben.get('/api/me')).body.displayName, '')
})

test('fields chosen by name answer alone', async () => {
  const ana = await djinn.person()
  assert.deepEqual((await ana.get('/api/me?fields=email,tier')).body, { email: ana.email, tier: 'standard' })
  const { status, body } = await ana.get('/api/me?fields=email,passwordHash')
  assert.equal(status, 400)
  assert.deepEqual([body.errors[0].pointer, body.errors[0].code], ['?fields', 'unknown-field'])
})

test('what the user is must not be changed here', async () => {
  const ana = await djinn.person()
  const before = (await ana.get('/api/me')).body
  for (const [field, value] of Object.entries({
    tier: 'premium',
    email: 'other@example.org',
    id: '0192f0c0-0000-7000-8000-000000000000',
    createdAt: '2020-01-01T00:00:00Z',
    passwordHash: 'x',
    role: 'owner',
  })) {
    const { status, body } = await ana.patch('/api/me', { [field]: value })
    assert.equal(status, 400, field)
    assert.deepEqual(
      body.errors.map((each: { pointer: string; code: string }) => [each.pointer, each.code]),
      [[`/${field}`, 'unknown-field']],
    )
  }
  assert.deepEqual((await ana.get('/api/me')).body, before)
})

for (const [what, sent, pointer, code] of [
  ['a locale that is none', { locale: 'not a locale' }, '/locale', 'malformed'],
  ['a name with a control character', { displayName: 'a\u001bb' }, '/displayName', 'control-character'],
  ['a name of 101 characters', { displayName: 'x'.repeat(101) }, '/displayName', 'too-large'],
  ['a null name', { displayName: null }, '/displayName', 'wrong-type'],
  ['preferences as a list', { preferences: [] }, '/preferences', 'wrong-type'],
  [
    'more than 50 preferences',
    { preferences: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`name${index}`, 1])) },
    '/preferences',
    'invalid',
  ],
] as const) {
  test(`${what} is 400`, async () => {
    const ana = await djinn.person()
    const { status, body } = await ana.patch('/api/me', sent)
    assert.equal(status, 400)
    assert.deepEqual(
      body.errors.map((each: { pointer: string; code: string }) => [each.pointer, each.code]),
      [[pointer, code]],
    )
  })
}

test('a preference that is an object, a list or a long text is 400 and points at its name', async () => {
  const ana = await djinn.person()
  for (const value of [{ deep: 1 }, [1], 'x'.repeat(201)]) {
    const { status, body } = await ana.patch('/api/me', { preferences: { 'a/b~c': value } })
    assert.equal(status, 400)
    assert.equal(body.errors[0].pointer, '/preferences/a~1b~0c')
  }
  assert.deepEqual((await ana.get('/api/me')).body.preferences, {})
})

test('without a token the profile is 401', async () => {
  for (const method of ['GET', 'PATCH']) {
    const { status, body } = await djinn.call(method, '/api/me', method === 'PATCH' ? { body: {} } : {})
    assert.equal(status, 401)
    assert.equal(body.code, 'unauthenticated')
  }
})
