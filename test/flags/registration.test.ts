// Who may sign up: anybody, whoever was invited, nobody; with mail and without.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertRefused, makePerson, open, type Djinn, type Reply } from '../harness.ts'
import { inside, invite, rolesIn } from '../routes/members.ts'
import { openMailbox } from '../routes/mailbox.ts'
import { setOn } from './setting.ts'

const djinn = await open()
after(() => djinn.close())

const password = 'lantern orchard velvet 8261 quarry'
let people = 0
const newAddress = () => `new${++people}@example.org`
const register = (draft: object, on: Djinn = djinn): Promise<Reply> =>
  on.call('POST', '/api/auth/register', { body: { email: newAddress(), password, ...draft } })
const users = async (on: Djinn = djinn) => (await on.sql<{ count: number }>('select count(*)::int as count from users'))[0]!.count

async function during(value: string, work: () => Promise<void>, on: Djinn = djinn) {
  await setOn(on, 'registration', value)
  try {
    await work()
  } finally {
    await setOn(on, 'registration', 'default')
  }
}

test('closed: nobody signs up, with an invitation neither; who has an account signs in', async () => {
  const ana = await djinn.person()
  const { token } = await invite(ana, { role: 'viewer' })
  const before = await users()
  await during('closed', async () => {
    assertRefused(await register({}), 403, 'registration-closed')
    assertRefused(await register({ email: ana.email }), 403, 'registration-closed')
    assertRefused(await register({ invitation: token }), 403, 'registration-closed')
    assert.equal((await djinn.call('POST', '/api/auth/login', { body: { email: ana.email, password: ana.password } })).status, 200)
    assert.equal((await djinn.call('GET', '/api/system/config/mobile')).body.registration, 'closed')
  })
  assert.equal(await users(), before)
})

test('invite: an open invitation lets one person in, who joins its household at once', async () => {
  const ana = await djinn.person()
  const { token } = await invite(ana, { role: 'editor' })
  await during('invite', async () => {
    const before = await users()
    for (const draft of [{}, { invitation: 'x' }, { invitation: `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}` }]) {
      assertRefused(await register(draft), 403, 'invitation-required', '/invitation')
    }
    assertRefused(await register({ email: ana.email, invitation: token }), 409, 'email-taken')
    assert.equal(await users(), before)
    const { status, body, text } = await register({ invitation: token })
    assert.equal(status, 201, text)
    const roles = await rolesIn(djinn, ana.householdId)
    assert.equal(roles[body.user.id], 'editor')
    const ben = makePerson(djinn.call, {
      userId: body.user.id,
      householdId: body.household.id,
      email: body.user.email,
      password,
      accessToken: body.accessToken,
      refreshToken: body.refreshToken,
    })
    assert.equal((await ben.post('/api/accounts', { name: 'Shared', kind: 'cash', currency: 'EUR' }, inside(ana))).status, 201)
    assert.equal((await ben.get('/api/households')).body.data.length, 2)
    assertRefused(await register({ invitation: token }), 403, 'invitation-required')
  })
  await djinn.verify()
})

test('invite: of many who bring one invitation at once, one signs up and the others leave nothing', async () => {
  const ana = await djinn.person()
  const { token } = await invite(ana, { role: 'viewer' })
  await during('invite', async () => {
    const before = await users()
    const replies = await Promise.all(Array.from({ length: 6 }, () => register({ invitation: token })))
    assert.deepEqual(
      replies.map(({ status }) => status).toSorted((one, other) => one - other),
      [201, 403, 403, 403, 403, 403],
    )
    assert.equal(await users(), before + 1)
  })
  assert.equal(Object.keys(await rolesIn(djinn, ana.householdId)).length, 2)
  await djinn.verify()
})

test('invite: an invitation for an address lets in that address only, and one that was revoked nobody', async () => {
  const ana = await djinn.person()
  const email = newAddress()
  const bound = await invite(ana, { role: 'viewer', email: email.toUpperCase() })
  const revoked = await invite(ana, { role: 'viewer' })
  assert.equal((await ana.delete(`/api/households/${ana.householdId}/invitations/${revoked.id}`)).status, 204)
  await during('invite', async () => {
    assertRefused(await register({ invitation: revoked.token }), 403, 'invitation-required')
    assertRefused(await register({ invitation: bound.token }), 403, 'invitation-required')
    assert.equal((await register({ email, invitation: bound.token })).status, 201)
  })
})

test('open: an invitation may come along and is joined by; one that is not open is refused, so that nobody misses it', async () => {
  const ana = await djinn.person()
  const { token } = await invite(ana, { role: 'viewer' })
  const { status, body } = await register({ invitation: token })
  assert.equal(status, 201)
  assert.equal((await rolesIn(djinn, ana.householdId))[body.user.id], 'viewer')
  assertRefused(await register({ invitation: token }), 422, 'link-expired', '/invitation')
})

test('with mail, who may sign up is asked again when the mailed link comes back, and the token is kept nowhere', async () => {
  const mailbox = await openMailbox()
  const own = await open({ SMTP_URL: mailbox.url, MAIL_FROM: 'Djinn <djinn@example.org>', APP_URL: 'https://app.example.org' })
  try {
    const confirm = (token: string) => own.call('POST', '/api/auth/register/confirm', { body: { token, password } })
    const asked = async (draft: object) => {
      const email = newAddress()
      const { status, text } = await register({ email, ...draft }, own)
      assert.equal(status, 202, text)
      return { email, token: (await mailbox.letter(email)).token! }
    }
    const founder = await asked({})
    const founded = await confirm(founder.token)
    assert.equal(founded.status, 201)
    const ana = makePerson(own.call, {
      userId: founded.body.user.id,
      householdId: founded.body.household.id,
      email: founder.email,
      password,
      accessToken: founded.body.accessToken,
      refreshToken: founded.body.refreshToken,
    })
    const early = await asked({})
    const { token: invitation } = await invite(ana, { role: 'editor' })
    await during(
      'invite',
      async () => {
        assertRefused(await confirm(early.token), 403, 'invitation-required')
        assertRefused(await register({}, own), 403, 'invitation-required')
        const [one, other] = [await asked({ invitation }), await asked({ invitation })]
        const kept = await own.sql<{ draft: string }>('select draft::text from email_requests where draft is not null')
        assert.ok(kept.length > 0 && kept.every(({ draft }) => !draft.includes(invitation)))
        const joined = await confirm(one.token)
        assert.equal(joined.status, 201, joined.text)
        assert.equal((await rolesIn(own, ana.householdId))[joined.body.user.id], 'editor')
        assertRefused(await confirm(other.token), 403, 'invitation-required')
      },
      own,
    )
    assert.equal((await confirm(early.token)).status, 201, 'the refusal did not use up the link')
    const late = await asked({})
    await during('closed', async () => assertRefused(await confirm(late.token), 403, 'registration-closed'), own)
    assert.equal((await confirm(late.token)).status, 201, 'the refusal did not use up the link')
  } finally {
    await own.close()
    await mailbox.close()
  }
})
