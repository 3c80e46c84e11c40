// Sign-up without mail configured: tokens at once, a household of one's own, and every refusal.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { open } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

const password = 'lantern orchard velvet 8261 quarry'
const register = (body: Record<string, unknown>) => djinn.call('POST', '/api/auth/register', { body })

test('signing up answers tokens that work, the user and a household with the chosen currency and zone', async () => {
  const { status, body, headers } = await register({
    email: 'Founder@Example.org',
    password,
    displayName: 'Founder',
    currency: 'JPY',
    timeZone: 'Asia/Tokyo',
  })
  assert.equal(status, 201)
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(body.user.email, 'Founder@Example.org')
  assert.equal(body.user.displayName, 'Founder')
  assert.equal(body.user.tier, 'standard')
  assert.equal(body.household.baseCurrency, 'JPY')
  assert.equal(body.household.timeZone, 'Asia/Tokyo')
  assert.equal(body.household.role, 'owner')
  assert.ok(body.expiresIn > 0)
  const authorization = `Bearer ${body.accessToken}`
  const me = await djinn.call('GET', '/api/me', { headers: { authorization } })
  assert.deepEqual(me.body, body.user)
  const households = await djinn.call('GET', '/api/households', { headers: { authorization } })
  assert.deepEqual(
    households.body.data.map((each: { id: string }) => each.id),
    [body.household.id],
  )
})

test('a new household starts with a copy of every system category, children under their parents', async () => {
  const ana = await djinn.person()
  const shipped = (await djinn.call('GET', '/api/system/categories')).body.data as { name: string; parent: string | null }[]
  const own: { id: string; name: string; parentId: string | null }[] = []
  let cursor: string | null = null
  do {
    const page = await ana.get(`/api/categories?limit=100${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)
    own.push(...page.body.data)
    cursor = page.body.nextCursor
  } while (cursor !== null)
  assert.deepEqual(own.map((each) => each.name).toSorted(), shipped.map((each) => each.name).toSorted())
  assert.equal(own.filter((each) => each.parentId !== null).length, shipped.filter((each) => each.parent !== null).length)
})

test('without a currency and a zone the household has EUR and UTC', async () => {
  const { body } = await register({ email: 'plain@example.org', password })
  assert.equal(body.household.baseCurrency, 'EUR')
  assert.equal(body.household.timeZone, 'UTC')
  assert.equal(body.user.displayName, '')
})

test('a time zone may go by its old or its new name', async () => {
  for (const [index, timeZone] of ['Asia/Kolkata', 'Asia/Calcutta', 'Europe/Kyiv'].entries()) {
    const { status, body } = await register({ email: `zone${index}@example.org`, password, timeZone })
    assert.equal(status, 201)
    assert.equal(body.household.timeZone, timeZone)
  }
})

test('an address that is known in any spelling answers 409 and nothing is written', async () => {
  assert.equal((await register({ email: 'taken@example.org', password })).status, 201)
  const count = async () =>
    (
      await djinn.sql<{ users: number; households: number; sessions: number }>(
        'select (select count(*)::int from users) users, (select count(*)::int from households) households, (select count(*)::int from sessions) sessions',
      )
    )[0]
  const before = await count()
  for (const email of ['taken@example.org', 'TAKEN@Example.ORG', 'taken@ｅｘａｍｐｌｅ.org']) {
    const { status, body } = await register({ email, password: 'another meadow 5520 thimble' })
    assert.equal(status, 409, email)
    assert.equal(body.code, 'email-taken')
    assert.deepEqual(
      body.errors.map((each: { pointer: string }) => each.pointer),
      ['/email'],
    )
  }
  assert.deepEqual(await count(), before)
})

test('of twenty sign-ups with one address at once exactly one goes through', async () => {
  const replies = await Promise.all(Array.from({ length: 20 }, () => register({ email: 'race@example.org', password })))
  const statuses = replies.map((reply) => reply.status).toSorted((a, b) => a - b)
  assert.deepEqual(statuses, [201, ...Array.from({ length: 19 }, () => 409)])
  assert.equal((await djinn.sql('select 1 from users where email_key = $1', ['race@example.org'])).length, 1)
})

test('the password is kept as argon2id of at least 19 MiB and 2 passes, tokens as hashes only', async () => {
  const { body } = await register({ email: 'kept@example.org', password })
  const [user] = await djinn.sql<{ password_hash: string }>('select password_hash from users where id = $1', [body.user.id])
  const [, memory, passes] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$/.exec(user!.password_hash) ?? []
  assert.ok(Number(memory) >= 19_456 && Number(passes) >= 2, user!.password_hash)
  for (const secret of [password, body.accessToken, body.refreshToken]) {
    for (const table of ['users', 'sessions', 'refresh_tokens', 'email_requests']) {
      const found = await djinn.sql(
        `select 1 from ${table} t where position($1 in t::text) > 0 or position(encode($1::bytea, 'hex') in t::text) > 0`,
        [secret],
      )
      assert.equal(found.length, 0, `${table} holds a secret`)
    }
  }
})

test('a password that is short, common, endless or too close to the person is refused', async () => {
  for (const weak of ['short7!', 'password123', 'x'.repeat(257), 'aaaaaaaaaaaa', 'weakling@example.org']) {
    const { status, body } = await register({ email: 'weakling@example.org', password: weak })
    assert.equal(status, 422, weak.slice(0, 40))
    assert.equal(body.code, 'password-too-weak')
    assert.deepEqual(
      body.errors.map((each: { pointer: string }) => each.pointer),
      ['/password'],
    )
    assert.ok(!JSON.stringify(body).includes(weak), 'the refusal does not repeat the password')
  }
  assert.equal((await djinn.sql(`select 1 from users where email_key = 'weakling@example.org'`)).length, 0)
})

test('a passphrase of 200 characters in any script is taken and signs in', async () => {
  const long = 'šiftář 火曜日 quince 7309 '.repeat(10).slice(0, 200)
  assert.equal((await register({ email: 'long@example.org', password: long })).status, 201)
  assert.equal((await djinn.call('POST', '/api/auth/login', { body: { email: 'long@example.org', password: long } })).status, 200)
  const cut = await djinn.call('POST', '/api/auth/login', { body: { email: 'long@example.org', password: long.slice(0, 199) } })
  assert.equal(cut.status, 401)
})

for (const [field, value, code] of [
  ['email', 'no-at-sign', 'malformed'],
  ['email', 'two@at@example.org', 'malformed'],
  ['email', `${'x'.repeat(65)}@example.org`, 'malformed'],
  ['email', 'a b@example.org', 'malformed'],
  ['email', null, 'wrong-type'],
  ['email', undefined, 'required'],
  ['password', undefined, 'required'],
  ['currency', 'XYZ', 'unknown-currency'],
  ['currency', 'eur', 'unknown-currency'],
  ['timeZone', 'Mars/Olympus', 'unknown-time-zone'],
  ['displayName', 'bell\u0007', 'control-character'],
  ['displayName', 'x'.repeat(101), 'too-large'],
  ['tier', 'premium', 'unknown-field'],
  ['householdId', '0192f0c0-0000-7000-8000-000000000000', 'unknown-field'],
] as const) {
  test(`a sign-up whose ${field} is ${JSON.stringify(value)?.slice(0, 30) ?? 'missing'} is refused as ${code}`, async () => {
    const { status, body } = await register({ email: 'strict@example.org', password, [field]: value })
    assert.equal(status, 400)
    assert.equal(body.code, 'invalid-request')
    assert.deepEqual(
      body.errors.map((each: { pointer: string; code: string }) => [each.pointer, each.code]),
      [[`/${field}`, code]],
    )
  })
}
