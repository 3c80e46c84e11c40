// One's own data: all of it, and nobody else's.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { asRole } from '../database/app-role.ts'
import { open, type Person } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

const join = (household: string, person: Person, role: string) =>
  asRole(djinn, { household }, (run) =>
    run('insert into memberships (household_id, user_id, role) values ($1, $2, $3)', [household, person.userId, role]),
  )

async function ownData(person: Person) {
  const { status, text } = await person.get('/api/me/export')
  assert.equal(status, 200, text)
  return { text, document: JSON.parse(text) }
}

test('it holds the profile, sessions, devices, settings, memberships, the inbox and the households that one owns', async () => {
  const ana = await djinn.person({ displayName: 'Ana' })
  const ben = await djinn.person({ displayName: 'Ben' })
  await ana.patch('/api/me', { locale: 'pt-PT', preferences: { theme: 'dark' } })
  await ana.post('/api/devices', { id: '01900000-0000-7000-8000-000000000001', platform: 'ios', pushToken: 'token-of-ana' })
  await ana.patch('/api/notifications/settings', { quietFrom: '22:00', quietTo: '07:00' })
  const account = await ana.account({ name: 'Purse of Ana' })
  await ana.post('/api/transactions', { accountId: account, date: '2026-01-31', amount: -1, payee: 'Anas shop' })
  await ben.account({ name: 'Purse of Ben' })
  await join(ben.householdId, ana, 'viewer')
  const { body: second } = await ana.post('/api/households', { name: 'Second', baseCurrency: 'EUR', timeZone: 'UTC' })
  await djinn.sql(`select tell_members($1, 'billReminder', 'bill', '{"billId": "x"}', null)`, [ana.householdId])
  const { text, document } = await ownData(ana)
  assert.deepEqual(
    [document.user.email, document.user.displayName, document.user.locale, document.user.preferences],
    [ana.email, 'Ana', 'pt-PT', { theme: 'dark' }],
  )
  assert.equal(document.sessions.length, 1)
  assert.deepEqual([document.devices[0].pushToken, document.notificationSettings[0].quietFrom], ['token-of-ana', '22:00:00'])
  assert.deepEqual(
    new Map(document.memberships.map((row: { householdId: string; role: string }) => [row.householdId, row.role])),
    new Map([
      [ana.householdId, 'owner'],
      [ben.householdId, 'viewer'],
      [second.id, 'owner'],
    ]),
  )
  assert.equal(document.notifications.length, 1)
  assert.deepEqual(
    document.households.flatMap((each: { accounts: { name: string }[] }) => each.accounts.map((row) => row.name)),
    ['Purse of Ana'],
  )
  assert.equal(document.households.length, 2)
  for (const foreign of [ben.email, 'Purse of Ben', ben.userId]) assert.ok(!text.includes(foreign), foreign)
  for (const secret of ['argon2', 'password', 'Hash', 'token_hash', ana.accessToken, ana.refreshToken])
    assert.ok(!text.includes(secret), secret)
})

test('a household document of it is the one that the household is exported as', async () => {
  const ana = await djinn.person()
  await ana.account()
  const { document } = await ownData(ana)
  const { body } = await ana.post('/api/exports', { kind: 'household' })
  assert.deepEqual(document.households, [body])
})

test('it takes a session', async () => {
  assert.equal((await djinn.call('GET', '/api/me/export')).status, 401)
})
