// Payments of bills: whatever is written by whom in whatever order, each occurrence is paid by what fits it, and nothing that fits is left over.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { newId } from '../../src/values/id.ts'
import { addDays, dayOf, daysBetween } from '../../src/values/day.ts'
import { open, type Person } from '../harness.ts'
import { asRole, refusalOf, type Run } from './app-role.ts'

const djinn = await open()
after(() => djinn.close())

const today = dayOf(Date.now(), 'UTC')
type Draw = { a: number; b: number; c: number; days: number; amount: number; payee: string }
type World = { person: Person; accounts: string[]; bills: string[]; transactions: string[]; days: string[] }
type Step = (world: World, draw: Draw) => Promise<unknown>

const pick = <T>(from: readonly T[], index: number): T => from[index % from.length]!

async function send(world: World, method: string, path: string, body?: object) {
  const reply = await world.person.call(method, path, body === undefined ? {} : { body })
  assert.ok(reply.status < 500, `${method} ${path}: ${reply.text}`)
  return reply
}
const sql = async (world: World, work: (run: Run, household: string) => Promise<unknown>) => {
  const household = world.person.householdId
  const refusal = await refusalOf(asRole(djinn, { household, user: world.person.userId }, (run) => work(run, household)))
  if (refusal) assert.match(refusal.code, /^23/, refusal.message)
}
const occurrence = (world: World, draw: Draw) => `/api/bills/${pick(world.bills, draw.a)}/occurrences/${pick(world.days, draw.c)}`

const steps: Record<string, Step> = {
  add: async (world, draw) => {
    const id = newId()
    await send(world, 'POST', '/api/transactions', {
      id,
      accountId: pick(world.accounts, draw.a),
      date: addDays(today, draw.days),
      amount: draw.amount,
      payee: draw.payee,
    })
    world.transactions.push(id)
  },
  addMany: (world, draw) =>
    sql(world, async (run, household) => {
      const made = await run<{ id: string }>(
        `insert into transactions (household_id, id, account_id, currency, date, amount, payee, raw_payee)
         select $1, gen_random_uuid(), a.id, a.currency, $2::date + n * 3, $3::bigint + n, case when n % 2 = 0 then $4 else '' end, $4
         from accounts a, generate_series(0, $5::int) n where a.household_id = $1 returning id`,
        [household, addDays(today, draw.days), draw.amount, draw.payee, draw.b % 6],
      )
      world.transactions.push(...made.slice(0, 4).map((row) => row.id))
    }),
  change: (world, draw) =>
    send(world, 'PATCH', `/api/transactions/${pick(world.transactions, draw.a)}`, {
      ...(draw.b % 4 === 0 ? { amount: draw.amount } : {}),
      ...(draw.b % 4 === 1 ? { date: addDays(today, draw.days) } : {}),
      ...(draw.b % 4 === 2 ? { payee: draw.payee } : {}),
      ...(draw.b % 4 === 3 ? { accountId: pick(world.accounts, draw.c) } : {}),
    }),
  changeMany: (world, draw) =>
    sql(world, (run, household) =>
      run(
        `update transactions set amount = amount + $2::bigint % 40, date = date + $3::int % 5,
           payee = case when amount % 3 = 0 then $4 else payee end where household_id = $1 and status <> 'reconciled'`,
        [household, draw.amount, draw.b, draw.payee],
      ),
    ),
  remove: (world, draw) => send(world, 'DELETE', `/api/transactions/${pick(world.transactions, draw.a)}`),
  removeMany: (world, draw) =>
    sql(world, (run, household) =>
      run(`update transactions set deleted_at = now() where household_id = $1 and deleted_at is null and amount % 3 = $2 % 3`, [
        household,
        draw.a,
      ]),
    ),
  restore: (world, draw) => send(world, 'POST', `/api/transactions/${pick(world.transactions, draw.a)}/restore`),
  restoreMany: (world) =>
    sql(world, (run, household) => run('update transactions set deleted_at = null where household_id = $1', [household])),
  erase: (world, draw) =>
    asRole(djinn, { household: world.person.householdId, role: 'djinn_keeper' }, (run) =>
      run('delete from transactions where household_id = $1 and amount % 5 = $2 % 5', [world.person.householdId, draw.a]),
    ),
  payByHand: (world, draw) =>
    send(world, 'POST', `${occurrence(world, draw)}/payments`, { transactionId: pick(world.transactions, draw.b) }),
  takeOff: async (world, draw) => {
    const { body } = await send(world, 'GET', '/api/bills/occurrences?status=paid&limit=100')
    const found = pick<{ billId: string; date: string; payments: { transactionId: string }[] } | undefined>(body.data, draw.a)
    if (!found?.payments[0]) return
    await send(world, 'DELETE', `/api/bills/${found.billId}/occurrences/${found.date}/payments/${found.payments[0].transactionId}`)
  },
  skip: (world, draw) => send(world, 'PATCH', occurrence(world, draw), { status: draw.b % 3 ? 'skipped' : 'due' }),
  changeBill: (world, draw) => {
    const bill = `/api/bills/${pick(world.bills, draw.a)}`
    if (draw.b % 3 === 0) return send(world, 'PATCH', bill, { amountMin: -120, amountMax: -60 - (draw.c % 30) })
    if (draw.b % 3 === 1) {
      const rule = draw.c % 2 ? 'FREQ=DAILY;INTERVAL=5' : 'FREQ=WEEKLY'
      return send(world, 'PATCH', bill, { schedule: { startsOn: addDays(today, -40), rule } })
    }
    return send(world, 'PATCH', bill, { endsOn: draw.c % 2 ? addDays(today, draw.c % 40) : null })
  },
  deleteBill: (world, draw) => send(world, 'DELETE', `/api/bills/${pick(world.bills, draw.a)}`),
  restoreBill: (world, draw) => send(world, 'POST', `/api/bills/${pick(world.bills, draw.a)}/restore`),
}

// oxlint-disable-next-line no-explicit-any -- rows of every table
type Row = Record<string, any>
const normalised = (payee: string | null) => (payee ?? '').normalize('NFKC').trim().replaceAll(/\s+/g, ' ').toLowerCase()

/** Holds what the database kept against what can be seen from the rows. */
async function assertPaid({ person }: World) {
  const rows = async (text: string) => await djinn.sql<Row>(text, [person.householdId])
  const bills = new Map((await rows('select * from bills where household_id = $1 and deleted_at is null')).map((row) => [row['id'], row]))
  const occurrences = await rows('select o.*, o.date::text as date from bill_occurrences o where household_id = $1 and deleted_at is null')
  const transactions = await rows('select t.*, t.date::text as date from transactions t where household_id = $1 and deleted_at is null')
  const payments = await rows('select p.*, p.date::text as date from bill_payments p where household_id = $1')
  const mismatches = new Set(
    (await rows('select * from bill_mismatches where household_id = $1')).map((row) => `${row['transaction_id']} ${row['bill_id']}`),
  )
  const keyOf = (row: Row) => `${row['bill_id']} ${row['date']}`
  const live = new Set(occurrences.map(keyOf))
  const byId = new Map(transactions.map((row) => [row['id'], row]))
  const fits = (t: Row, o: Row) => {
    const bill = bills.get(o['bill_id'])!
    return (
      t['currency'] === o['currency'] &&
      Number(t['amount']) >= Number(o['amount_min']) &&
      Number(t['amount']) <= Number(o['amount_max']) &&
      Math.abs(daysBetween(o['date'], t['date'])) <= 7 &&
      (bill['account_id'] === null || bill['account_id'] === t['account_id']) &&
      [t['payee'], t['raw_payee']].some((payee) => normalised(payee).includes(normalised(bill['payee'])))
    )
  }
  const paying = new Set<string>()
  for (const o of occurrences) {
    const own = payments.filter((row) => keyOf(row) === keyOf(o))
    for (const payment of own) paying.add(payment['transaction_id'])
    const counted = own.filter((row) => byId.has(row['transaction_id']))
    const total = counted.reduce((sum, row) => sum + Number(byId.get(row['transaction_id'])!['amount']), 0)
    assert.equal(Number(o['paid_amount']), total, keyOf(o))
    const [min, max] = [Number(o['amount_min']), Number(o['amount_max'])]
    const enough = max < 0 ? total <= max : min > 0 ? total >= min : true
    assert.equal(o['paid'], counted.length > 0 && enough, `${keyOf(o)} with ${total} of ${min} to ${max}`)
    assert.deepEqual(
      (o['payments'] as { transactionId: string }[]).map((payment) => payment.transactionId),
      counted.map((row) => row['transaction_id'] as string).toSorted(),
    )
    const matched = own.filter((row) => row['origin'] === 'matched')
    assert.ok(matched.length <= 1)
    for (const { transaction_id: id } of matched) {
      assert.ok(byId.has(id) && fits(byId.get(id)!, o), `${id} does not pay ${keyOf(o)}`)
      assert.ok(!mismatches.has(`${id} ${o['bill_id']}`))
    }
  }
  const free = occurrences.filter((o) => !o['paid'] && !o['skipped'] && o['payments'].length === 0)
  const spare = transactions.filter((t) => !paying.has(t['id']))
  for (const o of free) {
    const left = spare.find((t) => fits(t, o) && !mismatches.has(`${t['id']} ${o['bill_id']}`))
    assert.equal(left?.['id'], undefined, `${keyOf(o)} could be paid by ${left?.['id']}`)
  }
  assert.ok(live.size > 0 || bills.size === 0)
}

async function makeWorld(): Promise<World> {
  const person = await djinn.person({ timeZone: 'UTC', currency: 'EUR' })
  const accounts = [
    await person.account(),
    await person.account({ name: 'Other' }),
    await person.account({ name: 'Dollars', currency: 'USD' }),
  ]
  const drafts = [
    { payee: 'Power', accountId: accounts[0], amountMin: -120, amountMax: -80 },
    { payee: ' POWER  co ', amountMin: -200, amountMax: -50 },
    { payee: 'salary', accountId: accounts[1], amountMin: 90, amountMax: 110 },
    { payee: 'Power', accountId: accounts[2], amountMin: -100, amountMax: 20 },
  ]
  const bills: string[] = []
  for (const [index, draft] of drafts.entries()) {
    const schedule = { startsOn: addDays(today, -30 + index), rule: index % 2 ? 'FREQ=WEEKLY' : 'FREQ=DAILY;INTERVAL=4' }
    const { status, body, text } = await person.post('/api/bills', { ...draft, schedule })
    assert.equal(status, 201, text)
    bills.push(body.id)
  }
  const { body } = await person.get('/api/bills/occurrences?limit=100')
  const days = [...new Set((body.data as { date: string }[]).map((row) => row.date))]
  return { person, accounts, bills, transactions: [newId()], days }
}

const draws = fc.record<Draw>({
  a: fc.nat(999),
  b: fc.nat(999),
  c: fc.nat(999),
  days: fc.integer({ min: -40, max: 40 }),
  amount: fc.oneof(fc.integer({ min: -130, max: -40 }), fc.constantFrom(0, 100, 95, -100, -50)),
  payee: fc.constantFrom('Power', 'POWER CO 4711', 'The  power   co.', 'SALARY ACME', 'Baker', ''),
})
const weights: Record<string, number> = {
  add: 6,
  addMany: 3,
  change: 5,
  changeMany: 3,
  payByHand: 4,
  takeOff: 3,
  skip: 2,
  restore: 2,
  restoreBill: 2,
}
const names = fc.oneof(...Object.keys(steps).map((name) => ({ weight: weights[name] ?? 1, arbitrary: fc.constant(name) })))

test('whatever is written in whatever order, what fits is matched, once, and nothing else', async (t) => {
  const seed = Math.trunc(Math.random() * 2 ** 31)
  t.diagnostic(`seed ${seed}`)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(names, draws), { minLength: 10, maxLength: 30, size: 'max' }), async (history) => {
      const world = await makeWorld()
      await assertPaid(world)
      for (const [name, draw] of history) {
        await steps[name]!(world, draw)
        await assertPaid(world)
      }
    }),
    { seed, numRuns: 5, endOnFailure: true },
  )
  await djinn.verify()
})

test('a household without bills pays one probe for a transaction', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  const cost = await djinn.count(() => ana.post('/api/transactions', { accountId: account, date: today, amount: -1, payee: 'Power' }))
  assert.ok(cost.roundTrips <= 3)
  const [plan] = await djinn.sql<{ 'QUERY PLAN': string }>(
    `explain select from bills b where b.household_id in (select household_id from households limit 1)`,
  )
  assert.doesNotMatch(JSON.stringify(plan), /Seq Scan on bills/)
})

test('the app writes no sum, no date and no other household’s payment', async () => {
  const { person, bills } = await makeWorld()
  const ben = await makeWorld()
  const scope = { household: person.householdId, user: person.userId }
  for (const text of [
    'update bill_occurrences set paid = true',
    'update bill_occurrences set paid_amount = 1',
    `update bill_occurrences set payments = '[]'`,
    'update bill_occurrences set amount_min = 0',
    'update bill_occurrences set deleted_at = now()',
    'update bill_occurrences set posted_at = now()',
    'delete from bill_occurrences',
    'delete from bills',
    'update bill_plans set next_date = null',
    'delete from bill_plans',
    'delete from bill_alarms',
    'update bill_alarms set remind_on = null',
    `select post_occurrence('${person.householdId}', '${bills[0]}', '${today}')`,
    `select match_payments('${person.householdId}', '{}', '{}', '{}')`,
    `select raise_occurrences('${ben.person.householdId}', '${ben.bills[0]}', '${today}', '{${today}}', null)`,
    `insert into bill_payments (household_id, transaction_id, bill_id, date, origin)
     values ('${ben.person.householdId}', '${newId()}', '${ben.bills[0]}', '${today}', 'hand')`,
  ]) {
    const refusal = await refusalOf(asRole(djinn, scope, (run) => run(text)))
    assert.equal(refusal?.code, '42501', `${text}: ${refusal?.message ?? 'done'}`)
  }
  await djinn.verify()
})

test('an account or a category that a bill names is not deleted, and a deleted one is not named', async () => {
  const ana = await djinn.person()
  const accountId = await ana.account()
  const { body: category } = await ana.post('/api/categories', { name: 'Rent', kind: 'expense' })
  const draft = { payee: 'Rent', amountMin: -5, amountMax: -5, schedule: { startsOn: today, rule: 'FREQ=MONTHLY' } }
  const { body: bill } = await ana.post('/api/bills', { ...draft, accountId, categoryId: category.id })
  for (const path of [`/api/accounts/${accountId}`, `/api/categories/${category.id}`]) {
    const refused = await ana.delete(path)
    assert.deepEqual([refused.status, refused.body.code], [409, 'in-use'], refused.text)
  }
  assert.equal((await ana.delete(`/api/bills/${bill.id}`)).status, 204)
  for (const path of [`/api/accounts/${accountId}`, `/api/categories/${category.id}`]) assert.equal((await ana.delete(path)).status, 204)
  const restored = await ana.post(`/api/bills/${bill.id}/restore`)
  assert.deepEqual([restored.status, restored.body.code, restored.body.errors[0].pointer], [404, 'account-not-found', '/accountId'])
  for (const [code, pointer, named] of [
    ['account-not-found', '/accountId', { accountId }],
    ['category-not-found', '/categoryId', { categoryId: category.id }],
    ['account-not-found', '/accountId', { accountId: newId() }],
    ['category-not-found', '/categoryId', { categoryId: newId() }],
  ] as const) {
    const refused = await ana.post('/api/bills', { ...draft, ...named })
    assert.deepEqual([refused.status, refused.body.code, refused.body.errors[0].pointer], [404, code, pointer], refused.text)
  }
})

test('the currency of a bill is its account’s, whatever becomes of that', async () => {
  const ana = await djinn.person({ currency: 'CHF' })
  const accountId = await ana.account({ currency: 'USD' })
  const draft = { payee: 'Rent', amountMin: -5, amountMax: -5, schedule: { startsOn: today, rule: 'FREQ=MONTHLY' } }
  const { body: bill } = await ana.post('/api/bills', { ...draft, accountId })
  assert.equal(bill.currency, 'USD')
  assert.equal((await ana.post('/api/bills', draft)).body.currency, 'CHF')
  assert.equal((await ana.patch(`/api/accounts/${accountId}`, { currency: 'JPY' })).status, 200)
  assert.equal((await ana.get(`/api/bills/${bill.id}`)).body.currency, 'JPY')
  const { body } = await ana.get(`/api/bills/${bill.id}/occurrences`)
  assert.deepEqual([...new Set(body.data.map((row: { currency: string }) => row.currency))], ['JPY'])
  await djinn.verify()
})
