// Mailed links: finishing a sign-up and choosing a new password, with a real mail server.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { makePerson, open, type Person, type Reply } from '../harness.ts'
import { enableSecondFactor } from './authenticator.ts'
import { openMailbox } from './mailbox.ts'

const mailbox = await openMailbox()
const djinn = await open({ SMTP_URL: mailbox.url, MAIL_FROM: 'djinn@example.org', APP_URL: 'https://app.example.org/' })
after(async () => {
  await djinn.close()
  await mailbox.close()
})

const password = 'walnut ferry 3958 amber socket'
const newPassword = 'glacier pinwheel 6072 tundra'
const post = (path: string, body: unknown) => djinn.call('POST', path, { body })
const register = (email: string, more: object = {}) => post('/api/auth/register', { email, password, ...more })
const recovery = (email: string) => post('/api/auth/recovery', { email })
const login = (email: string, phrase: string) => post('/api/auth/login', { email, password: phrase })

let people = 0
/** Signs somebody up by the mailed link. */
async function newcomer(): Promise<Person> {
  const email = `newcomer${++people}@example.org`
  assert.equal((await register(email)).status, 202)
  const { token } = await mailbox.letter(email)
  const { status, body, text } = await post('/api/auth/register/confirm', { token, password })
  assert.equal(status, 201, text)
  const { accessToken, refreshToken } = body
  return makePerson(djinn.call, { email, password, userId: body.user.id, householdId: body.household.id, accessToken, refreshToken })
}

/** Waits until every request for a mail is worked off; each new one wakes the worker. */
async function allHandled() {
  const until = performance.now() + 10_000
  while ((await djinn.sql('select 1 from email_requests where handled_at is null')).length > 0) assert.ok(performance.now() < until)
}

function assertAlike(one: Reply, other: Reply) {
  const varying = new Set(['x-request-id', 'date', 'ratelimit'])
  const comparable = ({ status, headers, text }: Reply) => [status, Object.entries(headers).filter(([name]) => !varying.has(name)), text]
  assert.deepEqual(comparable(one), comparable(other))
}

function assertExpired({ status, body }: Reply) {
  assert.deepEqual([status, body.code, body.errors[0].pointer], [422, 'link-expired', '/token'])
}

test('a sign-up answers 202, exists only once the mailed link is followed, and then has what was asked for', async () => {
  const email = 'patient@example.org'
  const { status, body } = await register(email, { displayName: 'Patient', currency: 'CHF', timeZone: 'Europe/Zurich' })
  assert.deepEqual([status, body], [202, { status: 'check-email' }])
  assert.equal((await login(email, password)).status, 401)
  const letter = await mailbox.letter(email)
  assert.match(letter.text, /https:\/\/app\.example\.org\/confirm#token=/)
  const confirmed = await post('/api/auth/register/confirm', { token: letter.token, password, deviceName: 'Phone' })
  assert.equal(confirmed.status, 201)
  assert.equal(confirmed.headers['cache-control'], 'no-store')
  assert.deepEqual([confirmed.body.user.email, confirmed.body.user.displayName], [email, 'Patient'])
  assert.deepEqual([confirmed.body.household.baseCurrency, confirmed.body.household.timeZone], ['CHF', 'Europe/Zurich'])
  assert.equal((await login(email, password)).status, 200)
})

test('the document says that a sign-up may answer 202', async () => {
  const { body } = await djinn.call('GET', '/api/openapi.json')
  assert.ok(body.paths['/api/auth/register'].post.responses['202'])
})

test('a sign-up with a known address answers as one with an unknown address, and its mail carries no link', async () => {
  const ana = await newcomer()
  const known = await register(ana.email)
  const unknown = await register('unheard-of@example.org')
  assertAlike(known, unknown)
  const letter = await mailbox.letter(ana.email, 2)
  assert.equal(letter.token, null)
  assert.match(letter.text, /account already/)
  assert.equal((await login(ana.email, ana.password)).status, 200)
})

test('a sign-up link works once, and not after a day', async () => {
  const email = 'late@example.org'
  await register(email)
  await register(email)
  const [first, second] = [await mailbox.letter(email, 1), await mailbox.letter(email, 2)]
  await djinn.sql(`update email_links set expires_at = now() - interval '1 second' where hash = sha256($1::bytea)`, [first.token])
  assertExpired(await post('/api/auth/register/confirm', { token: first.token, password }))
  assert.equal((await post('/api/auth/register/confirm', { token: second.token, password })).status, 201)
  assertExpired(await post('/api/auth/register/confirm', { token: second.token, password }))
})

test('a sign-up is finished only with its password, so that nobody opens an account for the owner of the address', async () => {
  const email = 'hijack@example.org'
  await register(email)
  const { token } = await mailbox.letter(email)
  const { status, body } = await post('/api/auth/register/confirm', { token, password: newPassword })
  assert.deepEqual([status, body.code, body.errors[0].pointer], [401, 'wrong-credentials', '/password'])
  assert.equal((await login(email, password)).status, 401)
  assert.equal((await post('/api/auth/register/confirm', { token, password })).status, 201)
})

test('a new password ends the other links that could set one', async () => {
  const ana = await newcomer()
  await recovery(ana.email)
  await recovery(ana.email)
  const [first, second] = [await mailbox.letter(ana.email, 2), await mailbox.letter(ana.email, 3)]
  assert.equal((await post('/api/auth/recovery/confirm', { token: first.token, newPassword })).status, 204)
  assertExpired(await post('/api/auth/recovery/confirm', { token: second.token, newPassword: 'yet another phrase 8415' }))
})

test('a second sign-up link for the same address finds the address taken', async () => {
  const email = 'twice@example.org'
  await register(email)
  await register(email)
  const [first, second] = [await mailbox.letter(email, 1), await mailbox.letter(email, 2)]
  assert.equal((await post('/api/auth/register/confirm', { token: first.token, password })).status, 201)
  const { status, body } = await post('/api/auth/register/confirm', { token: second.token, password })
  assert.deepEqual([status, body.code], [409, 'email-taken'])
})

test('a recovery link sets the new password once and ends every session', async () => {
  const ana = await newcomer()
  const { body: tablet } = await login(ana.email, ana.password)
  assert.deepEqual((await recovery(ana.email)).body, { status: 'check-email' })
  const { token, text } = await mailbox.letter(ana.email, 2)
  assert.match(text, /https:\/\/app\.example\.org\/recover#token=/)
  assert.equal((await post('/api/auth/recovery/confirm', { token, newPassword })).status, 204)
  const until = performance.now() + 1_000
  for (const accessToken of [ana.accessToken, tablet.accessToken]) {
    const status = async () => (await djinn.call('GET', '/api/me', { headers: { authorization: `Bearer ${accessToken}` } })).status
    while ((await status()) !== 401) assert.ok(performance.now() < until, 'a token still works 1 s after the recovery')
  }
  for (const { refreshToken } of [ana, tablet]) assert.equal((await post('/api/auth/refresh', { refreshToken })).status, 401)
  assert.equal((await login(ana.email, ana.password)).status, 401)
  assert.equal((await login(ana.email, newPassword)).status, 200)
  assertExpired(await post('/api/auth/recovery/confirm', { token, newPassword: 'yet another phrase 8415' }))
  assert.equal((await login(ana.email, newPassword)).status, 200)
})

test('of ten uses of one recovery link at once exactly one works', async () => {
  const ana = await newcomer()
  await recovery(ana.email)
  const { token } = await mailbox.letter(ana.email, 2)
  const replies = await Promise.all(
    Array.from({ length: 10 }, (_, index) => post('/api/auth/recovery/confirm', { token, newPassword: `${newPassword} ${index}` })),
  )
  assert.deepEqual(
    replies.map((reply) => reply.status).toSorted((a, b) => a - b),
    [204, ...Array.from({ length: 9 }, () => 422)],
  )
  const winner = replies.findIndex((reply) => reply.status === 204)
  assert.equal((await login(ana.email, `${newPassword} ${winner}`)).status, 200)
})

test('a recovery link is kept as a hash and ends within 10 minutes', async () => {
  const ana = await newcomer()
  await recovery(ana.email)
  const { token } = await mailbox.letter(ana.email, 2)
  const kept = await djinn.sql<{ short: boolean; plain: boolean }>(
    `select expires_at <= now() + interval '10 minutes' as short, position($1 in l::text) > 0 as plain
    from email_links l where hash = sha256($1::bytea)`,
    [token],
  )
  assert.deepEqual(kept, [{ short: true, plain: false }])
  await djinn.sql(`update email_links set expires_at = now() - interval '1 second' where hash = sha256($1::bytea)`, [token])
  assertExpired(await post('/api/auth/recovery/confirm', { token, newPassword }))
  assert.equal((await login(ana.email, ana.password)).status, 200)
})

test('asking for an unknown address answers alike and mails nobody', async () => {
  const ana = await newcomer()
  assertAlike(await recovery('nobody-here@example.org'), await recovery(ana.email))
  await mailbox.letter(ana.email, 2)
  await allHandled()
  assert.equal(mailbox.letters.filter((letter) => letter.to === 'nobody-here@example.org').length, 0)
})

test('a link of one purpose does not serve the other, and a made-up one serves none', async () => {
  const ana = await newcomer()
  await recovery(ana.email)
  const { token } = await mailbox.letter(ana.email, 2)
  assertExpired(await post('/api/auth/register/confirm', { token, password }))
  await register('purpose@example.org')
  const { token: confirm } = await mailbox.letter('purpose@example.org')
  assertExpired(await post('/api/auth/recovery/confirm', { token: confirm, newPassword }))
  assertExpired(await post('/api/auth/recovery/confirm', { token: 'made-up', newPassword }))
  assert.equal((await post('/api/auth/recovery/confirm', { token, newPassword })).status, 204)
})

test('a weak new password is refused and leaves the link usable', async () => {
  const ana = await newcomer()
  await recovery(ana.email)
  const { token } = await mailbox.letter(ana.email, 2)
  const weak = await post('/api/auth/recovery/confirm', { token, newPassword: 'password123' })
  assert.deepEqual([weak.status, weak.body.code, weak.body.errors[0].pointer], [422, 'password-too-weak', '/newPassword'])
  assert.equal((await post('/api/auth/recovery/confirm', { token, newPassword })).status, 204)
})

test('an address that the mail server refuses does not hold up or repeat the mail of others', async () => {
  mailbox.refused.add('bounces@example.org')
  const others = Array.from({ length: 5 }, (_, index) => `neighbour${index}@example.org`)
  await Promise.all(['bounces@example.org', ...others].map((email) => register(email)))
  for (const email of others) await mailbox.letter(email)
  // Another round of the worker would send again what the first took back.
  await register('afterwards@example.org')
  await mailbox.letter('afterwards@example.org')
  await allHandled()
  for (const email of others) assert.equal(mailbox.letters.filter((letter) => letter.to === email).length, 1, email)
  assert.equal(mailbox.refusals, 1)
})

test('while the mail server puts everybody off, requests answer as ever and the mail follows later', async () => {
  mailbox.busy = true
  const [{ status }] = await Promise.all([register('deferred@example.org'), mailbox.puttingOff()])
  assert.equal(status, 202)
  mailbox.busy = false
  await register('next@example.org')
  await mailbox.letter('next@example.org')
  const { token } = await mailbox.letter('deferred@example.org')
  assert.equal((await post('/api/auth/register/confirm', { token, password })).status, 201)
})

test('asking again and again for one address is limited', async () => {
  await using limited = await open({
    SMTP_URL: mailbox.url,
    MAIL_FROM: 'djinn@example.org',
    APP_URL: 'https://app.example.org',
    RATE_LIMIT_LOGIN: '2',
  })
  const ask = (email: string) => limited.call('POST', '/api/auth/recovery', { body: { email } })
  const replies = [await ask('flooded@example.org'), await ask('flooded@example.org'), await ask('flooded@example.org')]
  assert.deepEqual(
    replies.map((reply) => reply.status),
    [202, 202, 429],
  )
  assert.ok(Number(replies[2]!.headers['retry-after']) > 0)
  assert.equal((await ask('spared@example.org')).status, 202)
})

test('a link sets the password and neither signs in nor takes the second factor away', async () => {
  const ana = await newcomer()
  const app = await enableSecondFactor(ana)
  assert.equal((await recovery(ana.email)).status, 202)
  const { token } = await mailbox.letter(ana.email, 2)
  const recovered = await post('/api/auth/recovery/confirm', { token, newPassword })
  assert.deepEqual([recovered.status, recovered.text], [204, ''])
  const asked = await login(ana.email, newPassword)
  assert.deepEqual([asked.status, asked.body.code], [401, 'second-factor-required'])
  const { status } = await post('/api/auth/login', { email: ana.email, password: newPassword, totp: app.code(1) })
  assert.equal(status, 200)
})
