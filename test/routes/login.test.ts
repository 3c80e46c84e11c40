// Signing in: what it answers, and that it never says whether an address is known.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { open, type Sent } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

const password = 'saffron turbine 4417 mossy gable'
const login = (body: Record<string, unknown>) => djinn.call('POST', '/api/auth/login', { body })
const withToken = (token: string): Sent => ({ headers: { authorization: `Bearer ${token}` } })
const registered = await djinn.call('POST', '/api/auth/register', { body: { email: 'resident@example.org', password } })
assert.equal(registered.status, 201)

test('the right password answers working tokens and the user', async () => {
  const { status, body, headers } = await login({ email: 'resident@example.org', password, deviceName: 'Tablet' })
  assert.equal(status, 200)
  assert.equal(headers['cache-control'], 'no-store')
  assert.deepEqual(body.user, registered.body.user)
  assert.notEqual(body.accessToken, registered.body.accessToken)
  assert.equal((await djinn.call('GET', '/api/me', withToken(body.accessToken))).status, 200)
})

test('every sign-in is a session of its own, and the older ones stay', async () => {
  const tokens = await Promise.all([1, 2, 3].map(async () => (await login({ email: 'resident@example.org', password })).body))
  assert.equal(new Set(tokens.flatMap((each) => [each.accessToken, each.refreshToken])).size, 6)
  for (const { accessToken } of tokens) assert.equal((await djinn.call('GET', '/api/me', withToken(accessToken))).status, 200)
})

test('the address counts in any case and spelling', async () => {
  for (const email of ['RESIDENT@EXAMPLE.ORG', 'resident@ｅｘａｍｐｌｅ.org'])
    assert.equal((await login({ email, password })).status, 200, email)
})

test('the password counts in either Unicode composition, and otherwise to the letter', async () => {
  const composed = 'caf\u00e9 brisk 7140 pylon'
  await djinn.call('POST', '/api/auth/register', { body: { email: 'accent@example.org', password: composed } })
  assert.equal((await login({ email: 'accent@example.org', password: composed.normalize('NFD') })).status, 200)
  assert.equal((await login({ email: 'accent@example.org', password: composed.toUpperCase() })).status, 401)
  assert.equal((await login({ email: 'accent@example.org', password: `${composed} ` })).status, 401)
})

test('a wrong password and an unknown address are answered alike', async () => {
  const wrong = await login({ email: 'resident@example.org', password: 'not that phrase 9024' })
  const unknown = await login({ email: 'stranger@example.org', password: 'not that phrase 9024' })
  for (const { status, body, headers } of [wrong, unknown]) {
    assert.equal(status, 401)
    assert.equal(body.code, 'wrong-credentials')
    assert.equal(headers['www-authenticate'], 'Bearer')
  }
  const varying = new Set(['x-request-id', 'date', 'ratelimit'])
  const comparable = ({ status, headers, body }: typeof wrong) => ({
    status,
    headers: Object.entries(headers).filter(([name]) => !varying.has(name)),
    body: { ...body, requestId: null },
  })
  assert.deepEqual(comparable(wrong), comparable(unknown))
})

test('an unknown address costs a hash as a known one does', async () => {
  const time = async (email: string) => {
    const started = performance.now()
    await login({ email, password: 'not that phrase 9024' })
    return performance.now() - started
  }
  const known: number[] = []
  const unknown: number[] = []
  for (let round = 0; round < 15; round++) {
    known.push(await time('resident@example.org'))
    unknown.push(await time('stranger@example.org'))
  }
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[7]!
  // A hash takes some 30 ms, a request without one about 2 ms: far more than what a busy machine adds to one of the two.
  assert.ok(median(unknown) > median(known) / 2, `known ${median(known)} ms, unknown ${median(unknown)} ms`)
})

test('a signed-out user at another address is not locked out by wrong attempts elsewhere', async () => {
  await using limited = await open({ RATE_LIMIT_LOGIN: '3', TRUSTED_PROXIES: '127.0.0.1' })
  const ana = await limited.person()
  const attempt = (from: string, phrase: string) =>
    limited.call('POST', '/api/auth/login', { body: { email: ana.email, password: phrase }, headers: { 'x-forwarded-for': from } })
  const statuses: number[] = []
  for (let round = 0; round < 5; round++) statuses.push((await attempt('192.0.2.7', 'a wrong phrase 1188')).status)
  assert.deepEqual(statuses, [401, 401, 401, 429, 429])
  assert.equal((await attempt('192.0.2.7', ana.password)).status, 429, 'not even the right password passes a spent window')
  assert.equal((await attempt('198.51.100.9', ana.password)).status, 200)
})

test('anything but a live bearer token is 401, and so is none where one is needed', async () => {
  const headers: (Record<string, string> | undefined)[] = [
    undefined,
    { authorization: 'Bearer ' },
    { authorization: 'Bearer not-a-token' },
    { authorization: `Basic ${Buffer.from('resident@example.org:x').toString('base64')}` },
    { authorization: registered.body.accessToken },
    { authorization: `Bearer ${registered.body.refreshToken}` },
    { authorization: `Bearer ${registered.body.accessToken.toLowerCase()}` },
    { authorization: `Bearer ${'x'.repeat(5_000)}` },
  ]
  for (const sent of headers) {
    const { status, body, headers: answered } = await djinn.call('GET', '/api/me', sent ? { headers: sent } : {})
    assert.equal(status, 401, JSON.stringify(sent)?.slice(0, 80))
    assert.equal(body.code, 'unauthenticated')
    assert.equal(body.errors[0].pointer, 'Authorization:')
    assert.equal(answered['www-authenticate'], 'Bearer')
  }
})

test('a dead token is refused on anonymous routes too, so that an app notices', async () => {
  const { status } = await djinn.call('GET', '/api/system/currencies', withToken('dead'))
  assert.equal(status, 401)
})

test('an access token ends when its time is over', async () => {
  const { accessToken } = (await login({ email: 'resident@example.org', password })).body
  await djinn.sql(`update sessions set access_expires_at = now() - interval '1 second' where access_hash = sha256($1::bytea)`, [
    accessToken,
  ])
  assert.equal((await djinn.call('GET', '/api/me', withToken(accessToken))).status, 401)
})

for (const [body, pointer, code] of [
  [{ email: 'resident@example.org' }, '/password', 'required'],
  [{ password }, '/email', 'required'],
  [{ email: 'resident@example.org', password: 12_345_678 }, '/password', 'wrong-type'],
  [{ email: ['resident@example.org'], password }, '/email', 'wrong-type'],
  [{ email: 'resident@example.org', password: 'x'.repeat(1_025) }, '/password', 'too-large'],
  [{ email: 'resident@example.org', password, deviceName: '' }, '/deviceName', 'too-small'],
  [{ email: 'resident@example.org', password, admin: true }, '/admin', 'unknown-field'],
] as const) {
  test(`a sign-in with ${pointer} ${code} is 400`, async () => {
    const { status, body: problem } = await login(body)
    assert.equal(status, 400)
    assert.deepEqual(
      problem.errors.map((each: { pointer: string; code: string }) => [each.pointer, each.code]),
      [[pointer, code]],
    )
  })
}
