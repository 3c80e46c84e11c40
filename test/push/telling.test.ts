// Who is told of what: the other members, once, as they wish, in the transaction of the change.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { open, type Djinn, type Person } from '../harness.ts'
import { asRole } from '../database/app-role.ts'
import { join } from './household.ts'

type Told = { event: string; householdId: string; readAt: string | null; data: Record<string, unknown> }

let djinn: Djinn
let ana: Person
let ben: Person
let eve: Person
let account: string
let savings: string

before(async () => {
  djinn = await open()
  ana = await djinn.person()
  ben = await djinn.person()
  eve = await djinn.person()
  await join(djinn, ana.householdId, ben.userId)
  await join(djinn, ana.householdId, eve.userId)
  account = await ana.account()
  savings = await ana.account({ name: 'Savings', kind: 'savings' })
})
after(() => djinn.close())

/** What the work added to a person's inbox, newest first. */
async function toldTo(person: Person, work: () => Promise<unknown>): Promise<Told[]> {
  const count = async () => (await person.get('/api/notifications?limit=100')).body.data as Told[]
  const earlier = (await count()).length
  await work()
  const now = await count()
  return now.slice(0, now.length - earlier)
}

const spend = (person: Person, draft: object = {}) =>
  person.post(
    '/api/transactions',
    { accountId: account, date: '2026-02-28', amount: -1250, payee: 'Bakery', ...draft },
    { 'djinn-household': ana.householdId },
  )

test('each other member is told, with what the app shows of it', async () => {
  const id = newId()
  let toBen: Told[] = []
  const toEve = await toldTo(eve, async () => {
    toBen = await toldTo(ben, async () => assert.equal((await spend(ana, { id })).status, 201))
  })
  const wanted = {
    event: 'transactionReceived',
    householdId: ana.householdId,
    readAt: null,
    data: {
      kind: 'transaction',
      transactionId: id,
      accountId: account,
      date: '2026-02-28',
      amount: -1250,
      currency: 'EUR',
      payee: 'Bakery',
      actorId: ana.userId,
    },
  }
  for (const [told] of [toBen, toEve]) {
    const { id: ownId, createdAt, ...rest } = told as Told & { id: string; createdAt: string }
    assert.deepEqual(rest, wanted)
    assert.ok(ownId && createdAt)
  }
  assert.deepEqual((await ana.get('/api/notifications')).body.data, [])
})

test('the same creation sent again tells nobody again', async () => {
  const id = newId()
  const told = await toldTo(ben, async () => {
    for (const status of [201, 200]) assert.equal((await spend(ana, { id })).status, status)
  })
  assert.equal(told.length, 1)
})

test('a change, a deletion and a restoration tell nobody', async () => {
  const { body } = await spend(ana)
  const told = await toldTo(ben, async () => {
    await ana.patch(`/api/transactions/${body.id}`, { amount: -1 })
    await ana.delete(`/api/transactions/${body.id}`)
    await ana.post(`/api/transactions/${body.id}/restore`)
  })
  assert.deepEqual(told, [])
})

test('a transfer is told once, for both of its sides', async () => {
  const id = newId()
  const told = await toldTo(ben, () =>
    ana.post('/api/transfers', { id, fromAccountId: account, toAccountId: savings, date: '2026-02-28', amount: 700 }),
  )
  assert.deepEqual(
    told.map(({ data }) => [data['kind'], data['transferId'], data['accountId'], data['amount']]),
    [['transfer', id, savings, 700]],
  )
})

test('an import is told once, with the sum of its chunks', async () => {
  const rows = Array.from(
    { length: 4_500 },
    (_, index) => `2025-${String((index % 12) + 1).padStart(2, '0')}-11;-${index + 1}.50;Shop ${index}`,
  )
  const { body } = await ana.upload(`/api/imports?accountId=${account}`, `Date;Amount;Payee\n${rows.join('\n')}\n`)
  const told = await toldTo(ben, async () => assert.equal((await ana.post(`/api/imports/${body.id}/commit`)).body.created, 4_500))
  assert.deepEqual(
    told.map(({ data }) => data),
    [{ kind: 'import', importId: body.id, count: 4_500, actorId: ana.userId }],
  )
})

test('more than ten of one statement are told as one', async () => {
  const insert = async (count: number) =>
    await djinn.resources.database.write({ household: ana.householdId, user: ana.userId }, async (tx) => {
      const { insertTransactions } = await import('../../src/features/transactions/store.ts')
      const drafts = Array.from({ length: count }, () => ({
        household_id: ana.householdId,
        id: newId(),
        account_id: account,
        currency: 'EUR',
        date: '2026-02-28',
        amount: -1,
        payee: '',
        note: '',
        status: 'posted',
      }))
      await tx.run(insertTransactions, { drafts })
    })
  assert.equal((await toldTo(ben, () => insert(10))).length, 10)
  const [told, ...others] = await toldTo(ben, () => insert(11))
  assert.deepEqual(others, [])
  assert.deepEqual(told!.data, { kind: 'transactions', count: 11, actorId: ana.userId })
})

test('who does not want to hear of it is not told, and hears of other things still', async () => {
  await ben.patch('/api/notifications/settings', { transactionReceived: false })
  try {
    const told = await toldTo(ben, async () => {
      assert.equal((await toldTo(eve, () => spend(ana))).length, 1)
    })
    assert.deepEqual(told, [])
    const tell = (event: string, key: string) =>
      djinn.sql('select tell_members($1, $2, $3, $4, null)', [ana.householdId, event, key, { level: 80 }])
    assert.equal((await toldTo(ben, () => tell('budgetExceeded', 'budget:1:2026-02:80'))).length, 1)
    assert.equal((await toldTo(ben, () => tell('budgetExceeded', 'budget:1:2026-02:80'))).length, 0, 'the same key once')
    assert.equal((await toldTo(ben, () => tell('billReminder', 'bill:1:2026-02-28'))).length, 1)
  } finally {
    await ben.patch('/api/notifications/settings', { transactionReceived: true })
  }
})

test('what nobody did is told to nobody', async () => {
  const told = await toldTo(ben, () =>
    djinn.sql(
      `select set_config('djinn.household', '${ana.householdId}', true);
       insert into transactions (household_id, id, account_id, currency, date, amount)
       values ('${ana.householdId}', '${newId()}', '${account}', 'EUR', '2026-02-28', -1)`,
    ),
  )
  assert.deepEqual(told, [])
})

test('a household of one tells nobody, and asks for no more than its members', async () => {
  const own = await eve.account()
  const earlier = await djinn.sql('select count(*)::int as count from notifications')
  const { statements, roundTrips } = await djinn.count(() =>
    eve.post('/api/transactions', { accountId: own, date: '2026-02-28', amount: -1 }),
  )
  assert.deepEqual(await djinn.sql('select count(*)::int as count from notifications'), earlier)
  assert.ok(roundTrips <= 3 && statements.length <= 4, `${statements.join(', ')} in ${roundTrips} round trips`)
})

test('members do not see each other’s inbox, not even in the household', async () => {
  const owners = await asRole(djinn, { household: ana.householdId, user: ben.userId }, (run) =>
    run('select distinct user_id from notifications'),
  )
  assert.deepEqual(owners, [{ user_id: ben.userId }])
})

test('who leaves a household finds nothing of it in the inbox any more', async () => {
  await spend(ana)
  assert.ok((await eve.get('/api/notifications')).body.data.length > 0)
  await djinn.sql(
    `select set_config('djinn.household', '${ana.householdId}', true);
     delete from memberships where household_id = '${ana.householdId}' and user_id = '${eve.userId}'`,
  )
  assert.deepEqual((await eve.get('/api/notifications')).body.data, [])
})

test('the app’s role queues nothing and tells nobody by itself', async () => {
  const asApp = (text: string) =>
    djinn.sql(`select set_config('djinn.household', '${ana.householdId}', true), set_config('djinn.user', '${ana.userId}', true),
      set_config('role', 'djinn_app', true); ${text}`)
  for (const text of [
    `select enqueue('push', '{}', 'k')`,
    `select tell_members('${ana.householdId}', 'billReminder', 'k', '{}', null)`,
    `insert into notifications (household_id, id, user_id, event, dedupe_key) values ('${ana.householdId}', '${newId()}', '${ana.userId}', 'billReminder', 'k')`,
    `update notifications set data = '{}'`,
    'select from graphile_worker.jobs',
    'delete from deliveries',
  ]) {
    await assert.rejects(asApp(text), { code: '42501' }, text)
  }
})
