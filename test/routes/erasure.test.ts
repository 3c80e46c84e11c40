// Erasing oneself: access ends, nothing of the person or of a household of theirs alone is left, and the trail's chain holds.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { makeTasks } from '../../src/app/tasks.ts'
import { asRole, refusalOf } from '../database/app-role.ts'
import { assertRefused, open, type Person } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

const canary = 'zanzibarcanary'
const work = () => djinn.resources.queue.runOnce(makeTasks(djinn.resources))

/** Every row of every table, as text. */
async function everything(): Promise<Map<string, string>> {
  const tables = await djinn.sql<{ name: string }>(
    `select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname in ('public', 'graphile_worker')`,
  )
  const texts = new Map<string, string>()
  for (const { name } of tables) {
    const [row] = await djinn.sql<{ text: string | null }>(`select string_agg(t::text, E'\\n') as text from ${name} t`)
    texts.set(name, row!.text ?? '')
  }
  return texts
}

async function invite(owner: Person, guest: Person, role = 'editor') {
  const { body } = await owner.post(`/api/households/${owner.householdId}/invitations`, { role })
  assert.equal((await guest.post('/api/invitations/accept', { token: body.token })).status, 200)
}

/** A person who left words everywhere. */
async function talkative(): Promise<Person> {
  const ana = await djinn.person({ displayName: `Ana ${canary}` })
  const account = await ana.account({ name: `Purse ${canary}`, note: canary })
  const other = await ana.account({ name: `Other ${canary}` })
  const { body: category } = await ana.post('/api/categories', { name: `Zoo ${canary}`, kind: 'expense' })
  const add = (draft: object) => ana.post('/api/transactions', { accountId: account, date: '2026-01-31', amount: -100, ...draft })
  await add({ payee: `Shop ${canary}`, note: canary, splits: [{ amount: -60, categoryId: category.id, note: canary }, { amount: -40 }] })
  await ana.delete(`/api/transactions/${(await add({ payee: `gone ${canary}` })).body.id}`)
  await ana.post('/api/transfers', { fromAccountId: account, toAccountId: other, date: '2026-01-31', amount: 5, note: canary })
  const file = `Date;Amount;Payee\n2026-02-27;-3.50;Bakery ${canary}\n`
  const { body: preview } = await ana.upload(`/api/imports?accountId=${account}`, file)
  await ana.post(`/api/imports/${preview.id}/commit`, {}, { 'idempotency-key': canary })
  await ana.upload(`/api/imports?accountId=${account}`, file)
  const conditions = [{ field: 'payee', operator: 'is', value: canary }]
  await ana.post('/api/rules', { name: canary, match: 'all', conditions, actions: { note: `by rule ${canary}` } })
  await ana.post('/api/rules/run', {})
  const schedule = { startsOn: '2026-01-31', rule: 'FREQ=MONTHLY' }
  await ana.post('/api/bills', { payee: `Rent ${canary}`, amountMin: -5, amountMax: -1, reminderDays: [1], schedule })
  await ana.post('/api/budgets', { categoryId: category.id, amount: 50, period: 'monthly', startsOn: '2026-01-01', name: canary })
  await ana.post('/api/feeds', { accountId: account, name: canary })
  const closed = await ana.account({ name: `Closed ${canary}` })
  await add({ accountId: closed, payee: `Once ${canary}` })
  assert.equal((await ana.patch(`/api/accounts/${closed}`, { closedAt: '2026-02-28T00:00:00Z' })).status, 200)
  await ana.post('/api/devices', { id: '01900000-0000-7000-8000-000000000001', platform: 'ios', pushToken: `push-${canary}`, name: canary })
  await ana.post(`/api/households/${ana.householdId}/invitations`, { role: 'viewer', email: `${canary}@example.org` })
  await djinn.sql(`select tell_members($1, 'billReminder', 'bill', $2, null)`, [ana.householdId, JSON.stringify({ payee: canary })])
  return ana
}

test('who erases themself is gone at once, and their words with the next turn of the queue; the chain of the trail holds', async () => {
  const ana = await talkative()
  const before = await everything()
  assert.ok([...before].filter(([, text]) => text.includes(canary)).length >= 14, 'there is something to erase')
  const { status, text } = await ana.call('DELETE', '/api/me', { body: { password: ana.password } })
  assert.equal(status, 204, text)
  assertRefused(await ana.get('/api/me'), 401, 'unauthenticated')
  const again = { email: ana.email, password: ana.password }
  assertRefused(await djinn.call('POST', '/api/auth/login', { body: again }), 401, 'wrong-credentials')
  assertRefused(await djinn.call('POST', '/api/auth/refresh', { body: { refreshToken: ana.refreshToken } }), 401, 'refresh-refused')
  await work()
  const tables = await everything()
  for (const [name, rows] of tables) {
    assert.ok(!rows.includes(canary), `${name} still has ${rows.split('\n').find((row) => row.includes(canary))}`)
    assert.ok(!rows.includes(ana.email), name)
    const ofHousehold = ['public.households', 'public.revisions', 'public.journal'].includes(name)
    assert.ok(ofHousehold || !rows.includes(ana.householdId), `${name} has rows of the household`)
  }
  const [entries] = await djinn.sql('select count(*)::int as count, count(changes)::int as told from journal where household_id = $1', [
    ana.householdId,
  ])
  assert.equal(entries!['told'], 0)
  assert.ok((entries!['count'] as number) > 50, 'the trail keeps its entries')
  await djinn.verify()
  assert.equal((await djinn.call('POST', '/api/auth/register', { body: again })).status, 201, 'the address is free')
})

test('a household of others keeps what was done, by an id that stands for nobody', async () => {
  const ana = await djinn.person({ displayName: 'Ana' })
  const ben = await djinn.person({ displayName: `Ben ${canary}` })
  await invite(ana, ben)
  const account = await ana.account()
  const inAnas = { 'djinn-household': ana.householdId }
  await ben.post('/api/transactions', { accountId: account, date: '2026-01-31', amount: -7, payee: 'Kiosk' }, inAnas)
  assert.equal((await ben.call('DELETE', '/api/me', { body: { password: ben.password } })).status, 204)
  await work()
  const { body: list } = await ana.get('/api/transactions')
  assert.deepEqual(
    list.data.map((row: { payee: string }) => row.payee),
    ['Kiosk'],
  )
  const { body: trail } = await ana.get('/api/audit?kind=transaction')
  assert.deepEqual([trail.data[0].actorId, trail.data[0].actorName], [ben.userId, null])
  const { body: members } = await ana.get(`/api/households/${ana.householdId}/members`)
  assert.deepEqual(
    members.data.map((member: { userId: string }) => member.userId),
    [ana.userId],
  )
  for (const [name, rows] of await everything()) assert.ok(!rows.includes(canary), name)
  await djinn.verify()
})

test('the only owner of a household of others hands it over first', async () => {
  const ana = await djinn.person()
  const ben = await djinn.person()
  await invite(ana, ben)
  const refused = await ana.call('DELETE', '/api/me', { body: { password: ana.password } })
  assertRefused(refused, 409, 'last-owner')
  assert.deepEqual(refused.body.households, [ana.householdId])
  assert.equal((await ana.get('/api/me')).status, 200, 'nothing is erased by half')
  await ana.patch(`/api/households/${ana.householdId}/members/${ben.userId}`, { role: 'owner' })
  assert.equal((await ana.call('DELETE', '/api/me', { body: { password: ana.password } })).status, 204)
  assert.equal((await ben.get('/api/accounts', { 'djinn-household': ana.householdId })).status, 200)
})

test('it takes the password, unless the session has just signed in', async () => {
  const ana = await djinn.person()
  assertRefused(await ana.call('DELETE', '/api/me', { body: { password: 'not this one' } }), 401, 'wrong-credentials', '/password')
  await djinn.sql(`update sessions set created_at = now() - interval '11 minutes' where user_id = $1`, [ana.userId])
  assertRefused(await ana.delete('/api/me'), 401, 'wrong-credentials', '/password')
  const { body } = await djinn.call('POST', '/api/auth/login', { body: { email: ana.email, password: ana.password } })
  const sent = { headers: { authorization: `Bearer ${body.accessToken}` } }
  assert.equal((await djinn.call('DELETE', '/api/me', sent)).status, 204)
  assertRefused(await djinn.call('DELETE', '/api/me', sent), 401, 'unauthenticated')
})

test('a household in use cannot be erased, nor one that can still be restored', async () => {
  const ana = await djinn.person()
  const erase = () =>
    asRole(djinn, { household: ana.householdId, role: 'djinn_keeper' }, (run) => run('select erase_household($1, 10)', [ana.householdId]))
  assert.equal((await refusalOf(erase()))?.code, '42501')
  await ana.delete(`/api/households/${ana.householdId}`)
  assert.equal((await refusalOf(erase()))?.code, '42501')
  const asApp = asRole(djinn, { household: ana.householdId, user: ana.userId }, (run) =>
    run('select erase_household($1, 10)', [ana.householdId]),
  )
  assert.equal((await refusalOf(asApp))?.code, '42501')
})

test('a household that was deleted longer ago than it can be restored is erased at night, also when a worker died over it', async () => {
  const ana = await talkative()
  await ana.delete(`/api/households/${ana.householdId}`)
  const tasks = makeTasks(djinn.resources)
  await tasks['eraseForgotten']!({})
  assert.ok(
    [...(await everything()).values()].some((text) => text.includes(canary)),
    'it can be restored',
  )
  await asRole(djinn, { household: ana.householdId, role: 'djinn_keeper' }, (run) =>
    run(`update households set deleted_at = now() - interval '31 days' where household_id = $1`, [ana.householdId]),
  )
  // One turn of a worker that dies then.
  await asRole(djinn, { household: ana.householdId, role: 'djinn_keeper' }, (run) =>
    run('select erase_household($1, 1)', [ana.householdId]),
  )
  await tasks['eraseForgotten']!({})
  const left = [...(await everything())].filter(
    ([name, text]) => text.includes(canary) && name !== 'public.users' && name !== 'public.devices',
  )
  // What is of the user, who is still there, stays: the answer kept for their key, their device.
  assert.deepEqual(
    left.map(([name]) => name),
    ['public.idempotency_keys'],
  )
  await djinn.verify()
})
