// What is forgotten: deletions after 90 days, answers after 30, ended sessions and previews that nobody committed.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { makeTasks } from '../../src/app/tasks.ts'
import { open, type Person } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())
const tasks = makeTasks(djinn.resources)
const run = (name: string) => tasks[name]!({})

/** Turns the clock of what was deleted back, without the triggers that would call it a change. */
async function deletedDaysAgo(person: Person, days: number) {
  for (const table of ['transactions', 'transfers', 'accounts', 'categories']) {
    await djinn.sql(
      `do $$ begin
        set local session_replication_role = replica;
        update ${table} set deleted_at = now() - interval '${days} days' where household_id = '${person.householdId}' and deleted_at is not null;
      end $$`,
    )
  }
}
const count = async (person: Person, table: string) =>
  Number((await djinn.sql<{ n: string }>(`select count(*) as n from ${table} where household_id = $1`, [person.householdId]))[0]!.n)
const sync = (person: Person, cursor: string) => person.get(`/api/sync?cursor=${cursor}`)

test('deletions are told for 90 days, then they are forgotten and older cursors expire', async () => {
  const ana = await djinn.person()
  const [account, other] = [await ana.account(), await ana.account({ name: 'Savings' })]
  const spare = await ana.account({ name: 'Spare' })
  const row = (await ana.post('/api/transactions', { accountId: account, date: '2026-01-31', amount: -5 })).body
  const transfer = (await ana.post('/api/transfers', { fromAccountId: account, toAccountId: other, date: '2026-01-31', amount: 7 })).body
  const before = (await ana.get('/api/sync')).body.nextCursor
  await ana.delete(`/api/transactions/${row.id}`)
  await ana.delete(`/api/transfers/${transfer.id}`)
  await ana.delete(`/api/accounts/${spare}`)
  const afterwards = (await ana.get('/api/sync')).body.nextCursor
  await deletedDaysAgo(ana, 89)
  await run('forgetDeleted')
  assert.equal((await sync(ana, before)).body.removed.length, 4)
  await deletedDaysAgo(ana, 91)
  await run('forgetDeleted')
  assert.deepEqual([await count(ana, 'transactions'), await count(ana, 'transfers'), await count(ana, 'accounts')], [0, 0, 2])
  const expired = await sync(ana, before)
  assert.deepEqual([expired.status, expired.body.code], [410, 'cursor-expired'])
  assert.equal((await sync(ana, afterwards)).status, 200)
  await djinn.verify()
})

test('an account that a row still names stays, and so does what a bank’s file would bring again', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  const preview = await ana.upload(`/api/imports?accountId=${account}`, 'Date,Amount,Payee\n2026-01-05,-2.40,Corner Coffee\n')
  await ana.post(`/api/imports/${preview.body.id}/commit`)
  const { data } = (await ana.get('/api/transactions')).body
  await ana.delete(`/api/transactions/${data[0].id}`)
  await ana.delete(`/api/accounts/${account}`)
  await deletedDaysAgo(ana, 91)
  await run('forgetDeleted')
  assert.deepEqual([await count(ana, 'transactions'), await count(ana, 'accounts')], [1, 1])
  await djinn.verify()
})

test('a kept answer is forgotten after 30 days', async () => {
  const ana = await djinn.person()
  const draft = { name: 'Once', kind: 'cash', currency: 'EUR' }
  const send = () => ana.post('/api/accounts', draft, { 'idempotency-key': 'sweep-me' })
  const first = await send()
  await run('forgetAnswers')
  assert.equal((await send()).body.id, first.body.id)
  await djinn.sql(`update idempotency_keys set created_at = now() - interval '31 days' where user_id = $1`, [ana.userId])
  await run('forgetAnswers')
  assert.notEqual((await send()).body.id, first.body.id)
})

test('sessions that ended a month ago are swept, live ones stay', async () => {
  const ana = await djinn.person()
  const login = await djinn.call('POST', '/api/auth/login', { body: { email: ana.email, password: ana.password } })
  await djinn.call('POST', '/api/auth/logout', { headers: { authorization: `Bearer ${login.body.accessToken}` } })
  const sessions = async () => (await djinn.sql('select from sessions where user_id = $1', [ana.userId])).length
  await run('sweepSessions')
  assert.equal(await sessions(), 2)
  await djinn.sql(`update sessions set revoked_at = now() - interval '31 days' where user_id = $1 and revoked_at is not null`, [ana.userId])
  await run('sweepSessions')
  assert.equal(await sessions(), 1)
  assert.equal((await ana.get('/api/me')).status, 200)
})

test('a preview that waited a week is discarded with its file', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  const upload = () => ana.upload(`/api/imports?accountId=${account}`, 'Date,Amount,Payee\n2026-01-05,-2.40,Corner Coffee\n')
  const [old, fresh] = [(await upload()).body.id, (await upload()).body.id]
  await djinn.sql(
    `do $$ begin
      set local session_replication_role = replica;
      update imports set updated_at = now() - interval '8 days' where id = '${old}';
    end $$`,
  )
  await run('discardPreviews')
  assert.equal((await ana.get(`/api/imports/${old}`)).status, 404)
  assert.equal((await ana.get(`/api/imports/${fresh}`)).status, 200)
  assert.deepEqual([await count(ana, 'import_files'), await count(ana, 'import_rows')], [1, 1])
})
