// Signing in with a second factor: what is asked, what is taken once, and what stops whoever guesses.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { withClient } from '../cluster.ts'
import { assertRefused, open, type Person } from '../harness.ts'
import { enableSecondFactor, forgetUsedCodes } from './authenticator.ts'

const djinn = await open()
after(() => djinn.close())

const login = (person: Pick<Person, 'email' | 'password'>, totp?: string) =>
  djinn.call('POST', '/api/auth/login', {
    body: { email: person.email, password: person.password, ...(totp === undefined ? {} : { totp }) },
  })

async function guarded() {
  const person = await djinn.person()
  const app = await enableSecondFactor(person)
  await forgetUsedCodes(djinn, person)
  return { person, app }
}

const sessionsOf = async (person: Person) =>
  (
    await djinn.sql<{ count: number }>('select count(*)::int as count from sessions where user_id = $1 and revoked_at is null', [
      person.userId,
    ])
  )[0]!.count
const codesLeft = async (person: Person) => (await person.get('/api/me/second-factor')).body.recoveryCodesLeft as number

test('the right password asks for the code, opens no session, and with the code signs in', async () => {
  const { person, app } = await guarded()
  const asked = await login(person)
  assertRefused(asked, 401, 'second-factor-required', '/totp')
  assert.equal(asked.headers['cache-control'], 'no-store')
  assert.equal(await sessionsOf(person), 1)
  const { status, body } = await login(person, app.code())
  assert.equal(status, 200)
  assert.equal(body.user.id, person.userId)
  assert.equal((await djinn.call('GET', '/api/me', { headers: { authorization: `Bearer ${body.accessToken}` } })).status, 200)
})

test('a wrong password is answered alike whether a second factor is on, with a code and without', async () => {
  const { person, app } = await guarded()
  const plain = await djinn.person()
  const answers = []
  for (const email of [person.email, plain.email, 'unheard-of@example.org']) {
    for (const totp of [undefined, app.code(), app.recoveryCodes[0], '000000']) {
      const { status, body, headers } = await login({ email, password: 'not the password 77' }, totp)
      const { requestId: _, ...problem } = body
      answers.push({ status, problem, cache: headers['cache-control'] })
    }
  }
  for (const answer of answers) assert.deepEqual(answer, answers[0])
  assert.equal(answers[0]!.problem.code, 'wrong-credentials')
  assert.equal(await codesLeft(person), 10, 'a code is not looked at before the password')
  assert.equal((await login(person, app.code())).status, 200)
})

test('a wrong code is wrong-credentials at /totp, whatever it looks like', async () => {
  const { person, app } = await guarded()
  for (const totp of [app.wrong(), '', '12345', '1234567', 'abcdef', 'AAAA-AAAA-AAAA-AAAA', '\u{1F511}\u{1F511}']) {
    assertRefused(await login(person, totp), 401, 'wrong-credentials', '/totp')
  }
  assertRefused(await login(person, 'x'.repeat(65)), 400, 'invalid-request', '/totp')
  assert.equal(await sessionsOf(person), 1)
})

test('a code is good once, and so is every one before it', async () => {
  const { person, app } = await guarded()
  const before = app.code(-1)
  const now = app.code()
  assert.equal((await login(person, now)).status, 200)
  assertRefused(await login(person, now), 401, 'wrong-credentials', '/totp')
  assertRefused(await login(person, before), 401, 'wrong-credentials', '/totp')
  assert.equal((await login(person, app.code(1))).status, 200)
})

test('the code that confirmed the setup does not sign in', async () => {
  const person = await djinn.person()
  const app = await enableSecondFactor(person)
  assertRefused(await login(person, app.code(-1)), 401, 'wrong-credentials', '/totp')
  assert.equal((await login(person, app.code(1))).status, 200)
})

test('a code is taken with the blank that apps show in it', async () => {
  const { person, app } = await guarded()
  const code = app.code()
  assert.equal((await login(person, `${code.slice(0, 3)} ${code.slice(3)}`)).status, 200)
})

test('of ten sign-ins at once with one code one goes through', async () => {
  const { person, app } = await guarded()
  const code = app.code()
  const replies = await Promise.all(Array.from({ length: 10 }, () => login(person, code)))
  assert.equal(replies.filter((reply) => reply.status === 200).length, 1)
  for (const reply of replies.filter((each) => each.status !== 200)) assertRefused(reply, 401, 'wrong-credentials', '/totp')
  assert.equal(await sessionsOf(person), 2)
})

test('a recovery code signs in once, however it is typed, and of ten at once one goes through', async () => {
  const { person, app } = await guarded()
  const [first, second, third] = app.recoveryCodes as [string, string, string]
  assert.equal((await login(person, first.toLowerCase().replaceAll('-', ''))).status, 200)
  assertRefused(await login(person, first), 401, 'wrong-credentials', '/totp')
  assert.equal((await login(person, ` ${second.replaceAll('-', ' ')}`)).status, 200)
  assert.equal(await codesLeft(person), 8)
  const replies = await Promise.all(Array.from({ length: 10 }, () => login(person, third)))
  assert.equal(replies.filter((reply) => reply.status === 200).length, 1)
  assert.equal(await codesLeft(person), 7)
  assert.equal(await sessionsOf(person), 4)
})

test('the recovery code of somebody else is wrong', async () => {
  const [ana, ben] = [await guarded(), await guarded()]
  assertRefused(await login(ana.person, ben.app.recoveryCodes[0]), 401, 'wrong-credentials', '/totp')
  assert.equal(await codesLeft(ben.person), 10)
})

test('ten wrong codes, sent at once from many addresses, stop all others for a while, and the owner goes on', async () => {
  const { person, app } = await guarded()
  const replies = await Promise.all(Array.from({ length: 25 }, () => login(person, app.wrong())))
  const refused = replies.filter((reply) => reply.status === 401)
  assert.equal(refused.length, 10)
  for (const reply of replies.filter((each) => each.status !== 401)) {
    assertRefused(reply, 429, 'rate-limited')
    const waitS = Number(reply.headers['retry-after'])
    assert.ok(waitS > 14 * 60 && waitS <= 15 * 60, `${waitS}`)
  }
  // A right one is not looked at either, nor spent.
  assert.equal((await login(person, app.code())).status, 429)
  assert.equal((await login(person, app.recoveryCodes[0])).status, 429)
  assert.equal(
    (await person.post('/api/me/second-factor/disable', { password: person.password, code: app.code() })).status,
    429,
    'no way round by another call',
  )
  assert.equal(await codesLeft(person), 10)
  // Whoever guesses learns nothing more without a code, and the owner's session goes on and may change the password.
  assertRefused(await login(person), 401, 'second-factor-required', '/totp')
  const newPassword = 'glacier pinwheel 6072 tundra'
  assert.equal((await person.post('/api/auth/password', { currentPassword: person.password, newPassword })).status, 204)
  assertRefused(await login(person, app.code()), 401, 'wrong-credentials')
  await djinn.sql(
    `update second_factors set wrong_at = array(select at - interval '15 minutes' from unnest(wrong_at) at) where user_id = $1`,
    [person.userId],
  )
  assert.equal((await login({ email: person.email, password: newPassword }, app.code())).status, 200)
})

test('wrong codes count over all calls that take one, and only for their account', async () => {
  const { person, app } = await guarded()
  const other = await guarded()
  const wrong = { password: person.password, code: app.wrong() }
  for (const path of ['', '/recovery-codes', '/disable']) {
    for (let tries = 0; tries < 3; tries++) {
      assertRefused(await person.post(`/api/me/second-factor${path}`, wrong), 401, 'wrong-credentials', '/code')
    }
  }
  assertRefused(await login(person, app.wrong()), 401, 'wrong-credentials', '/totp')
  assertRefused(await login(person, app.code()), 429, 'rate-limited')
  assert.equal((await login(other.person, other.app.code())).status, 200)
})

test('attempts count against the limit of address and account too', async () => {
  await using strict = await open({ RATE_LIMIT_LOGIN: '5' })
  const person = await strict.person()
  const app = await enableSecondFactor(person)
  const attempt = (totp?: string) =>
    strict.call('POST', '/api/auth/login', { body: { email: person.email, password: person.password, ...(totp ? { totp } : {}) } })
  const statuses = []
  // Signing up and setting up counted already.
  for (let tries = 0; tries < 4; tries++) statuses.push((await attempt(tries % 2 === 0 ? undefined : app.wrong())).status)
  assert.deepEqual(statuses, [401, 401, 401, 429])
})

test('a sign-in that waits while the second factor is being turned on does not get past it', async () => {
  const person = await djinn.person()
  const app = await enableSecondFactor(person)
  await djinn.sql(
    'update second_factors set secret = null, enabled_at = null, pending_secret = secret, pending_until = now() where user_id = $1',
    [person.userId],
  )
  assert.equal((await login(person)).status, 200)
  await withClient(djinn.adminUrl, async (blocker) => {
    await blocker.query('begin')
    await blocker.query('select 1 from users where id = $1 for no key update', [person.userId])
    await blocker.query('update second_factors set secret = pending_secret, enabled_at = now() where user_id = $1', [person.userId])
    const waiting = login(person)
    const until = performance.now() + 3_000
    while ((await djinn.sql('select 1 from pg_locks where not granted')).length === 0) assert.ok(performance.now() < until)
    await blocker.query('commit')
    assertRefused(await waiting, 401, 'second-factor-required', '/totp')
  })
  assert.equal((await login(person, app.code(1))).status, 200)
})

test('a sign-in with the old password that waits while it is changed does not get in', async () => {
  const person = await djinn.person()
  await withClient(djinn.adminUrl, async (blocker) => {
    await blocker.query('begin')
    await blocker.query(`update users set password_hash = password_hash || 'x' where id = $1`, [person.userId])
    const waiting = login(person)
    const until = performance.now() + 3_000
    while ((await djinn.sql('select 1 from pg_locks where not granted')).length === 0) assert.ok(performance.now() < until)
    await blocker.query('commit')
    assertRefused(await waiting, 401, 'wrong-credentials')
  })
})

test('refreshing asks for no code, nor does changing the password', async () => {
  const { person } = await guarded()
  const { status, body } = await djinn.call('POST', '/api/auth/refresh', { body: { refreshToken: person.refreshToken } })
  assert.equal(status, 200)
  const changed = await djinn.call('POST', '/api/auth/password', {
    body: { currentPassword: person.password, newPassword: 'glacier pinwheel 6072 tundra' },
    headers: { authorization: `Bearer ${body.accessToken}` },
  })
  assert.equal(changed.status, 204)
  assertRefused(await login({ email: person.email, password: 'glacier pinwheel 6072 tundra' }), 401, 'second-factor-required', '/totp')
})

test('a sign-in costs three round trips without a second factor, and four with one', async () => {
  const plain = await djinn.person()
  const { person, app } = await guarded()
  const without = await djinn.count(() => login(plain))
  const having = await djinn.count(() => login(person, app.code()))
  assert.ok(without.roundTrips <= 3, `${without.roundTrips}: ${without.statements.join(', ')}`)
  assert.ok(having.roundTrips <= 4, `${having.roundTrips}: ${having.statements.join(', ')}`)
})

test('a step that was accepted is not taken back by whatever code runs, nor is a used recovery code', async () => {
  const { person, app } = await guarded()
  assert.equal((await login(person, app.code())).status, 200)
  assert.equal((await login(person, app.recoveryCodes[0])).status, 200)
  for (const [text, constraint] of [
    ['update second_factors set last_step = last_step - 1 where user_id = $1', 'last_step_rises'],
    ['update recovery_codes set used_at = null where user_id = $1', 'recovery_code_stays_used'],
  ] as const) {
    await assert.rejects(djinn.sql(text, [person.userId]), { code: '23514', constraint })
  }
})
