// The second factor of one's own account: set up, confirmed, renewed, turned off.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertRefused, open, type Person } from '../harness.ts'
import { enableSecondFactor, forgetUsedCodes, scan } from './authenticator.ts'

const djinn = await open()
after(() => djinn.close())

const path = '/api/me/second-factor'
const state = async (person: Person) => (await person.get(path)).body
const off = { enabled: false, enabledAt: null, recoveryCodesLeft: 0 }
const login = (person: Person, totp?: string) =>
  djinn.call('POST', '/api/auth/login', { body: { email: person.email, password: person.password, ...(totp ? { totp } : {}) } })

test('without one the account says so, and signs in by the password alone', async () => {
  const ana = await djinn.person()
  const { body, headers } = await ana.get(path)
  assert.deepEqual(body, off)
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal((await login(ana)).status, 200)
  assert.equal((await login(ana, '123456')).status, 200, 'a code that nobody asked for is left aside')
})

test('beginning answers a secret and its URI and changes nothing', async () => {
  const ana = await djinn.person()
  const { status, body, headers } = await ana.post(path, { password: ana.password })
  assert.equal(status, 200)
  assert.equal(headers['cache-control'], 'no-store')
  assert.match(body.secret, /^[A-Z2-7]{32}$/)
  assert.equal(
    body.uri,
    `otpauth://totp/Djinn:${encodeURIComponent(ana.email)}?secret=${body.secret}&issuer=Djinn&algorithm=SHA1&digits=6&period=30`,
  )
  assert.equal(body.expiresIn, 600)
  assert.deepEqual(await state(ana), off)
  assert.equal((await login(ana)).status, 200)
})

test('beginning takes the password', async () => {
  const ana = await djinn.person()
  assertRefused(await ana.post(path, { password: 'not the password 77' }), 401, 'wrong-credentials', '/password')
  assertRefused(await ana.post(path, {}), 400, 'invalid-request', '/password')
  assertRefused(await ana.post(`${path}/confirm`, { code: '123456' }), 404, 'not-found')
})

test('a wrong first code turns nothing on, and the right one still does', async () => {
  const ana = await djinn.person()
  const app = scan((await ana.post(path, { password: ana.password })).body.uri)
  for (const code of [app.wrong(), '', '12345', 'abcdef', '1234567890']) {
    assertRefused(await ana.post(`${path}/confirm`, { code }), 401, 'wrong-credentials', '/code')
  }
  assert.deepEqual(await state(ana), off)
  const { status, body, headers } = await ana.post(`${path}/confirm`, { code: app.code() })
  assert.equal(status, 200)
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(new Set(body.recoveryCodes).size, 10)
  assert.deepEqual(await state(ana), { enabled: true, enabledAt: body.enabledAt, recoveryCodesLeft: 10 })
})

test('beginning again replaces what waits; a confirmed one is no longer waiting', async () => {
  const ana = await djinn.person()
  const first = scan((await ana.post(path, { password: ana.password })).body.uri)
  const second = scan((await ana.post(path, { password: ana.password })).body.uri)
  assertRefused(await ana.post(`${path}/confirm`, { code: first.code() }), 401, 'wrong-credentials', '/code')
  assert.equal((await ana.post(`${path}/confirm`, { code: second.code() })).status, 200)
  assertRefused(await ana.post(`${path}/confirm`, { code: second.code() }), 404, 'not-found')
})

test('what waits for longer than ten minutes is gone', async () => {
  const ana = await djinn.person()
  const app = scan((await ana.post(path, { password: ana.password })).body.uri)
  await djinn.sql(`update second_factors set pending_until = pending_until - interval '10 minutes' where user_id = $1`, [ana.userId])
  assertRefused(await ana.post(`${path}/confirm`, { code: app.code() }), 404, 'not-found')
  assert.deepEqual(await state(ana), off)
})

test('turning it on ends every other session and keeps this one', async () => {
  const ana = await djinn.person()
  const { body: elsewhere } = await login(ana)
  const at = (token: string) => djinn.call('GET', '/api/me', { headers: { authorization: `Bearer ${token}` } })
  assert.equal((await at(elsewhere.accessToken)).status, 200)
  await enableSecondFactor(ana)
  const until = performance.now() + 5_000
  while ((await at(elsewhere.accessToken)).status !== 401) assert.ok(performance.now() < until, 'the other session goes on')
  assertRefused(
    await djinn.call('POST', '/api/auth/refresh', { body: { refreshToken: elsewhere.refreshToken } }),
    401,
    'refresh-refused',
    '/refreshToken',
  )
  assert.equal((await ana.get('/api/me')).status, 200)
  assert.equal((await ana.get('/api/me/sessions')).body.data.length, 1)
})

test('for a new phone it is begun with a code of the old one, which stays in force until the new one is confirmed', async () => {
  const ana = await djinn.person()
  const old = await enableSecondFactor(ana)
  const { enabledAt } = await state(ana)
  assertRefused(await ana.post(path, { password: ana.password }), 401, 'second-factor-required', '/code')
  assertRefused(await ana.post(path, { password: ana.password, code: old.wrong() }), 401, 'wrong-credentials', '/code')
  const begun = await ana.post(path, { password: ana.password, code: old.code(1) })
  assert.equal(begun.status, 200, begun.text)
  assert.deepEqual(await state(ana), { enabled: true, enabledAt, recoveryCodesLeft: 10 })
  await forgetUsedCodes(djinn, ana)
  assert.equal((await login(ana, old.code())).status, 200)
  const phone = scan(begun.body.uri)
  const confirmed = await ana.post(`${path}/confirm`, { code: phone.code() })
  assert.equal(confirmed.status, 200, confirmed.text)
  await forgetUsedCodes(djinn, ana)
  assertRefused(await login(ana, old.code()), 401, 'wrong-credentials', '/totp')
  assertRefused(await login(ana, old.recoveryCodes[0]), 401, 'wrong-credentials', '/totp')
  assert.equal((await login(ana, phone.code())).status, 200)
  assert.equal((await login(ana, confirmed.body.recoveryCodes[0])).status, 200)
})

test('new recovery codes take password and code, and void the old ones', async () => {
  const ana = await djinn.person()
  const app = await enableSecondFactor(ana)
  const renew = (body: object) => ana.post(`${path}/recovery-codes`, { password: ana.password, code: app.code(1), ...body })
  assertRefused(await renew({ password: 'not the password 77' }), 401, 'wrong-credentials', '/password')
  assertRefused(await renew({ code: app.wrong() }), 401, 'wrong-credentials', '/code')
  assert.equal((await login(ana, app.recoveryCodes[0])).status, 200)
  assert.equal((await state(ana)).recoveryCodesLeft, 9)
  const { status, body, headers } = await renew({})
  assert.equal(status, 200)
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(new Set([...body.recoveryCodes, ...app.recoveryCodes]).size, 20)
  assert.equal((await state(ana)).recoveryCodesLeft, 10)
  assertRefused(await login(ana, app.recoveryCodes[1]), 401, 'wrong-credentials', '/totp')
  assert.equal((await login(ana, body.recoveryCodes[1])).status, 200)
})

test('a code that renewed the recovery codes is used, for signing in too', async () => {
  const ana = await djinn.person()
  const app = await enableSecondFactor(ana)
  const code = app.code(1)
  assert.equal((await ana.post(`${path}/recovery-codes`, { password: ana.password, code })).status, 200)
  assertRefused(await ana.post(`${path}/recovery-codes`, { password: ana.password, code }), 401, 'wrong-credentials', '/code')
  assertRefused(await login(ana, code), 401, 'wrong-credentials', '/totp')
})

test('turning it off takes password and code, a recovery code too, and then the password is enough', async () => {
  const ana = await djinn.person()
  const app = await enableSecondFactor(ana)
  const disable = (body: object) => ana.post(`${path}/disable`, { password: ana.password, code: app.recoveryCodes[3], ...body })
  assertRefused(await disable({ password: 'not the password 77' }), 401, 'wrong-credentials', '/password')
  assertRefused(await disable({ code: app.wrong() }), 401, 'wrong-credentials', '/code')
  assertRefused(await ana.post(`${path}/disable`, { password: ana.password }), 400, 'invalid-request', '/code')
  assertRefused(await login(ana), 401, 'second-factor-required', '/totp')
  assert.equal((await disable({})).status, 204)
  assert.deepEqual(await state(ana), off)
  assert.equal((await login(ana)).status, 200)
  assertRefused(await disable({}), 404, 'not-found')
  assertRefused(await ana.post(`${path}/recovery-codes`, { password: ana.password, code: app.code() }), 404, 'not-found')
  assert.deepEqual(await djinn.sql('select 1 from recovery_codes where user_id = $1', [ana.userId]), [])
  assert.notDeepEqual((await enableSecondFactor(ana)).recoveryCodes, app.recoveryCodes)
})

test('a lost answer to the confirmation is had again by its key: the recovery codes are not lost with it', async () => {
  const ana = await djinn.person()
  const app = scan((await ana.post(path, { password: ana.password })).body.uri)
  const code = app.code()
  const confirm = () => ana.post(`${path}/confirm`, { code }, { 'idempotency-key': 'confirm-1' })
  const [first, again] = [await confirm(), await confirm()]
  assert.equal(first.status, 200, first.text)
  assert.equal(again.headers['idempotency-replayed'], 'true')
  assert.deepEqual(again.body, first.body)
  const renew = () =>
    ana.post(`${path}/recovery-codes`, { password: ana.password, code: first.body.recoveryCodes[0] }, { 'idempotency-key': 'renew-1' })
  const [renewed, repeated] = [await renew(), await renew()]
  assert.equal(renewed.status, 200, renewed.text)
  assert.deepEqual([repeated.status, repeated.body], [200, renewed.body])
})

test('no table holds the secret, a recovery code or the password in clear', async () => {
  const ana = await djinn.person()
  const begun = await ana.post(path, { password: ana.password }, { 'idempotency-key': 'begin-1' })
  const { code, recoveryCodes } = { ...scan(begun.body.uri), recoveryCodes: [] as string[] }
  const confirmed = await ana.post(`${path}/confirm`, { code: code() }, { 'idempotency-key': 'confirm-1' })
  recoveryCodes.push(...confirmed.body.recoveryCodes)
  const tables = await djinn.sql<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
  )
  const secretBytes = Buffer.from(
    Array.from(begun.body.secret as string, (letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
      .join('')
      .match(/.{8}/g)!
      .map((byte) => Number.parseInt(byte, 2)),
  )
  const hidden = [
    begun.body.secret,
    secretBytes.toString('hex'),
    ana.password,
    ...recoveryCodes,
    ...recoveryCodes.map((each) => each.replaceAll('-', '')),
  ]
  for (const { name } of tables) {
    const rows = await djinn.sql<{ text: string }>(`select t::text as text from ${name} t`)
    for (const { text } of rows) for (const each of hidden) assert.ok(!text.includes(each), `${name} holds ${each}`)
  }
})

test('the setup of one person is not that of another, and goes with the account', async () => {
  const [ana, ben] = [await djinn.person(), await djinn.person()]
  const app = scan((await ana.post(path, { password: ana.password })).body.uri)
  assertRefused(await ben.post(`${path}/confirm`, { code: app.code() }), 404, 'not-found')
  assert.equal((await ana.post(`${path}/confirm`, { code: app.code() })).status, 200)
  assert.deepEqual(await state(ben), off)
  // A sealed secret that is moved to somebody else's row opens nothing.
  await enableSecondFactor(ben)
  await djinn.sql('update second_factors set secret = (select secret from second_factors where user_id = $1) where user_id = $2', [
    ana.userId,
    ben.userId,
  ])
  assert.equal((await login(ben, app.code(1))).status, 500)
})

test('in a batch the answer is not stored either, and an atomic batch takes no such step', async () => {
  const ana = await djinn.person()
  const step = { id: 'begin', method: 'POST', path, body: { password: ana.password } }
  const { body, headers } = await ana.post('/api/batch', { operations: [step] })
  assert.equal(body.results[0].status, 200)
  assert.equal(headers['cache-control'], 'no-store')
  assertRefused(await ana.post('/api/batch', { operations: [step], atomic: true }), 400, 'not-in-batch', '/operations/0/path')
})

test('none of it works without a session', async () => {
  for (const [method, rest] of [
    ['GET', ''],
    ['POST', ''],
    ['POST', '/confirm'],
    ['POST', '/recovery-codes'],
    ['POST', '/disable'],
  ] as const) {
    const sent = method === 'POST' ? { body: { password: 'x', code: '123456' } } : {}
    assertRefused(await djinn.call(method, `${path}${rest}`, sent), 401, 'unauthenticated', 'Authorization:')
  }
})
