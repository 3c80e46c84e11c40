// Refresh tokens: rotation, lost answers, theft, and many at once.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { open, type Person } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

const refresh = (refreshToken: unknown) => djinn.call('POST', '/api/auth/refresh', { body: { refreshToken } })
const me = (accessToken: string) => djinn.call('GET', '/api/me', { headers: { authorization: `Bearer ${accessToken}` } })
const sessionOf = async (person: Person) =>
  (
    await djinn.sql<{ id: string; revoked_reason: string | null }>('select id, revoked_reason from sessions where user_id = $1', [
      person.userId,
    ])
  )[0]!
/** Makes the use of the person's tokens older, in place of waiting. */
const age = (person: Person, seconds: number) =>
  djinn.sql(
    `update refresh_tokens set used_at = used_at - make_interval(secs => $2)
    where used_at is not null and session_id in (select id from sessions where user_id = $1)`,
    [person.userId, seconds],
  )

/** Asks until the token is refused: other processes hear of it within a second. */
async function refused(accessToken: string) {
  const until = performance.now() + 1_000
  while ((await me(accessToken)).status !== 401) assert.ok(performance.now() < until, 'the token still works after 1 s')
}

test('a refresh answers a new pair that works, and the old access token ends', async () => {
  const ana = await djinn.person()
  const { status, body, headers } = await refresh(ana.refreshToken)
  assert.equal(status, 200)
  assert.equal(headers['cache-control'], 'no-store')
  assert.notEqual(body.accessToken, ana.accessToken)
  assert.notEqual(body.refreshToken, ana.refreshToken)
  assert.equal((await me(body.accessToken)).status, 200)
  await refused(ana.accessToken)
})

test('a chain of refreshes stays one session', async () => {
  const ana = await djinn.person()
  let token = ana.refreshToken
  const seen = new Set([token])
  for (let round = 0; round < 5; round++) {
    const { status, body } = await refresh(token)
    assert.equal(status, 200)
    token = body.refreshToken
    seen.add(token)
  }
  assert.equal(seen.size, 6)
  assert.equal((await djinn.sql('select 1 from sessions where user_id = $1', [ana.userId])).length, 1)
})

test('a lost answer may be asked for again within 10 s and is the same pair', async () => {
  const ana = await djinn.person()
  const first = await refresh(ana.refreshToken)
  await age(ana, 8)
  const again = await refresh(ana.refreshToken)
  assert.equal(again.status, 200)
  assert.equal(again.body.accessToken, first.body.accessToken)
  assert.equal(again.body.refreshToken, first.body.refreshToken)
  assert.equal((await me(again.body.accessToken)).status, 200)
})

test('an old token that comes back after 10 s ends the whole family and says why', async () => {
  const ana = await djinn.person()
  const { body: next } = await refresh(ana.refreshToken)
  await age(ana, 11)
  const reused = await refresh(ana.refreshToken)
  assert.equal(reused.status, 401)
  assert.equal(reused.body.code, 'refresh-refused')
  assert.equal(reused.body.errors[0].pointer, '/refreshToken')
  await refused(next.accessToken)
  assert.equal((await refresh(next.refreshToken)).status, 401)
  assert.match((await sessionOf(ana)).revoked_reason ?? '', /refresh token came back/)
})

test('an old token that comes back after its successor was used ends the family even within 10 s', async () => {
  const ana = await djinn.person()
  const { body: second } = await refresh(ana.refreshToken)
  const { body: third } = await refresh(second.refreshToken)
  assert.equal((await refresh(ana.refreshToken)).status, 401)
  await refused(third.accessToken)
  assert.equal((await refresh(third.refreshToken)).status, 401)
})

test('theft on one device leaves the other devices signed in', async () => {
  const ana = await djinn.person()
  const { body: other } = await djinn.call('POST', '/api/auth/login', { body: { email: ana.email, password: ana.password } })
  await refresh(ana.refreshToken)
  await age(ana, 11)
  assert.equal((await refresh(ana.refreshToken)).status, 401)
  assert.equal((await me(other.accessToken)).status, 200)
  assert.equal((await refresh(other.refreshToken)).status, 200)
})

test('20 refreshes at once give one successor, and nobody is logged out', async () => {
  const ana = await djinn.person()
  const replies = await Promise.all(Array.from({ length: 20 }, () => refresh(ana.refreshToken)))
  assert.deepEqual(new Set(replies.map((reply) => reply.status)), new Set([200]))
  assert.equal(new Set(replies.map((reply) => reply.body.refreshToken)).size, 1)
  assert.equal(new Set(replies.map((reply) => reply.body.accessToken)).size, 1)
  const { accessToken, refreshToken } = replies[0]!.body
  assert.equal((await me(accessToken)).status, 200)
  const tokens = await djinn.sql<{ used: boolean }>(
    'select used_at is not null as used from refresh_tokens where session_id = $1 order by used_at nulls last',
    [(await sessionOf(ana)).id],
  )
  assert.deepEqual(
    tokens.map((each) => each.used),
    [true, false],
  )
  assert.equal((await refresh(refreshToken)).status, 200)
})

test('a refresh token past its time is refused, and using it later does not revive it', async () => {
  const ana = await djinn.person()
  await djinn.sql(`update sessions set refresh_expires_at = now() - interval '1 second' where user_id = $1`, [ana.userId])
  assert.equal((await refresh(ana.refreshToken)).status, 401)
  assert.equal((await refresh(ana.refreshToken)).status, 401)
})

test('what was never a refresh token is 401 or 400 and ends nothing', async () => {
  const ana = await djinn.person()
  for (const [sent, status, code] of [
    ['never-issued', 401, 'refresh-refused'],
    [ana.accessToken, 401, 'refresh-refused'],
    [ana.refreshToken.slice(0, -1), 401, 'refresh-refused'],
    ['', 400, 'invalid-request'],
    [undefined, 400, 'invalid-request'],
    [null, 400, 'invalid-request'],
    [[ana.refreshToken], 400, 'invalid-request'],
    ['x'.repeat(201), 400, 'invalid-request'],
  ] as const) {
    const reply = await refresh(sent)
    assert.equal(reply.status, status, String(sent).slice(0, 40))
    assert.equal(reply.body.code, code)
    assert.equal(reply.body.errors[0].pointer, '/refreshToken')
  }
  assert.equal((await me(ana.accessToken)).status, 200)
  assert.equal((await refresh(ana.refreshToken)).status, 200)
})
