// Calls: sessions that stay fresh, refusals with their code, and no answer told apart from both.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Api, ApiError, OfflineError } from '../../src/client/index.ts'
import { open, type Person } from '../harness.ts'
import { answering, Device, losing } from './device.ts'

const djinn = await open()
after(() => djinn.close())

/** Ends the access token, as its hour does. */
async function expire(person: Person) {
  await djinn.sql("update sessions set access_expires_at = now() - interval '1 second' where user_id = $1", [person.userId])
  // Sessions are remembered; a change that is told of empties the memory.
  await djinn.sql("select pg_notify('djinn_sessions', id::text) from sessions where user_id = $1", [person.userId])
  while ((await person.get('/api/me')).status !== 401);
}

test('signing up, reading and signing out by typed calls', async () => {
  const kept: unknown[] = []
  const api = new Api({ url: `${djinn.url}/`, onTokens: (tokens) => void kept.push(tokens) })
  assert.equal(api.signedIn, false)
  const { status, body } = await api.call('auth.register', {
    body: { email: 'typed@example.org', password: 'correct horse battery staple' },
  })
  assert.equal(status, 201)
  assert.equal(api.signedIn, true)
  assert.equal(kept.length, 1)
  const made = await api.call('accounts.create', { body: { name: 'Current', kind: 'checking', currency: 'EUR' } })
  const read = await api.call('accounts.read', { params: { id: made.body.id }, query: { fields: 'id,name' } })
  assert.deepEqual(read.body, { id: made.body.id, name: 'Current' })
  const list = await api.call('transactions.list', { query: { account: made.body.id, limit: 5 } })
  assert.deepEqual(list.body.data, [])
  assert.ok('accessToken' in body)
  assert.equal((await api.call('auth.logout')).status, 204)
  await api.forgetTokens()
  assert.deepEqual([api.signedIn, kept.at(-1)], [false, null])
  await assert.rejects(api.call('accounts.list'), { code: 'unauthenticated', status: 401 })
})

test('a refusal carries its code, status, request and document', async () => {
  const device = await Device.open(djinn, await djinn.person())
  const refused = device.api.call('accounts.read', {
    params: { id: '01890a5d-ac96-774b-bcce-b302099a8057' },
    headers: { 'x-request-id': 'a-request-of-the-app' },
  })
  await assert.rejects(refused, (error) => {
    assert.ok(error instanceof ApiError)
    assert.deepEqual(
      [error.status, error.code, error.requestId, error.problem['title'], error.retryAfterMs],
      [404, 'not-found', 'a-request-of-the-app', 'There is no such thing', null],
    )
    return true
  })
})

test('a refusal in the words of a proxy is a refusal all the same', async () => {
  const device = await Device.open(djinn, await djinn.person())
  device.network = answering('GET /api/accounts', 502, '<h1>Bad gateway</h1>', { 'content-type': 'text/html', 'retry-after': '3' })
  await assert.rejects(device.api.call('accounts.list'), { name: 'ApiError', status: 502, code: 'unknown', retryAfterMs: 3_000 })
})

test('no answer is not a refusal', async () => {
  const api = new Api({ url: 'http://127.0.0.1:1' })
  await assert.rejects(api.call('system.currencies'), OfflineError)
  const slow = new Api({ url: djinn.url, timeoutMs: 20, fetch: (_input, init) => untilAborted(init!.signal!) })
  await assert.rejects(slow.call('system.currencies'), OfflineError)
  const cut = new Api({ url: djinn.url, fetch: () => Promise.resolve(brokenAnswer()) })
  await assert.rejects(cut.call('system.currencies'), OfflineError)
})

async function untilAborted(signal: AbortSignal): Promise<Response> {
  return await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
}

/** The connection breaks in the middle of the body. */
function brokenAnswer(): Response {
  const body = new ReadableStream({ pull: (controller) => controller.error(new TypeError('terminated')) })
  return new Response(body, { headers: { 'content-type': 'application/json' } })
}

test('an access token that ran out is refreshed once for all calls at that time', async () => {
  const person = await djinn.person()
  const device = await Device.open(djinn, person)
  await expire(person)
  const calls = 5
  const { promise: allRefused, resolve: refused } = Promise.withResolvers<void>()
  let refusals = 0
  device.network = async (_request, send) => {
    const answer = await send()
    if (answer.status !== 401) return answer
    // None goes on before each has its refusal.
    if (++refusals === calls) refused()
    await allRefused
    return answer
  }
  const answers = await Promise.all(Array.from({ length: calls }, () => device.api.call('accounts.list')))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  assert.equal(device.requests.filter((request) => request === 'POST /api/auth/refresh').length, 1)
  assert.equal(device.kept.length, 1)
  assert.notEqual(device.tokens!.refreshToken, person.refreshToken)
  await device.api.call('accounts.list')
  assert.equal(device.requests.filter((request) => request === 'POST /api/auth/refresh').length, 1)
})

test('a lost answer to the refresh is asked for again with the old token, and the session goes on', async () => {
  const person = await djinn.person()
  const device = await Device.open(djinn, person)
  await expire(person)
  let lost = 0
  const lose = losing('POST /api/auth/refresh')
  device.network = async (request, send, init) =>
    request === 'POST /api/auth/refresh' && ++lost === 1 ? await lose(request, send, init) : await send()
  assert.equal((await device.api.call('accounts.list')).status, 200)
  assert.equal(lost, 2)
  assert.equal(device.kept.length, 1)
  await expire({
    ...person,
    get: (path) => djinn.call('GET', path, { headers: { authorization: `Bearer ${device.tokens!.accessToken}` } }),
  })
  assert.equal((await device.api.call('accounts.list')).status, 200, 'the next refresh works with the token that was given again')
})

test('answers to the refresh that are all lost leave the session as it was', async () => {
  const person = await djinn.person()
  const device = await Device.open(djinn, person)
  await expire(person)
  device.network = losing('POST /api/auth/refresh')
  await assert.rejects(device.api.call('accounts.list'), OfflineError)
  assert.deepEqual(device.kept, [])
  assert.equal(device.api.signedIn, true)
  device.network = (_request, send) => send()
  assert.equal((await device.api.call('accounts.list')).status, 200)
})

test('a refresh that the server puts off does not end the session', async () => {
  const person = await djinn.person()
  const device = await Device.open(djinn, person)
  await expire(person)
  device.network = answering('POST /api/auth/refresh', 503, '{"status":503,"code":"unavailable"}', {
    'content-type': 'application/problem+json',
    'retry-after': '1',
  })
  await assert.rejects(device.api.call('accounts.list'), { code: 'unavailable', retryAfterMs: 1_000 })
  assert.equal(device.api.signedIn, true)
  assert.equal((await device.api.call('accounts.list')).status, 200)
})

test('a session that the server ended is forgotten, once, and what waits stays on the device', async () => {
  const person = await djinn.person()
  const account = await person.account()
  const device = await Device.synced(djinn, person)
  await device.client.create('transactions', { accountId: account, date: '2026-03-01', amount: -1 })
  assert.equal((await person.post('/api/auth/logout')).status, 204)
  while ((await person.get('/api/me')).status !== 401);
  await assert.rejects(device.client.sync(), { code: 'refresh-refused' })
  assert.deepEqual([device.kept, device.api.signedIn, device.client.waiting], [[null], false, 1])

  await device.api.call('auth.login', { body: { email: person.email, password: person.password } })
  await device.client.sync()
  assert.equal(device.client.waiting, 0)
})
