// Budgets stand as their transactions say and tell each level once, whoever writes: random histories, recomputed naively.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { currencies } from '../../src/values/currencies.ts'
import { addDays, dayOf } from '../../src/values/day.ts'
import { newId } from '../../src/values/id.ts'
import { open, type Person } from '../harness.ts'
import { asRole, refusalOf, type Run } from './app-role.ts'
import { NaiveBudgets, periodOf, readBooks, type Amounts } from './naive-budgets.ts'

const djinn = await open()
after(() => djinn.close())

const timeZone = 'Pacific/Kiritimati'
type Draw = { a: number; b: number; c: number; amount: number; date: string }
type Noun = 'accounts' | 'categories' | 'transactions' | 'budgets'
type World = { person: Person; amounts: Map<string, Amounts>; gone: Record<Noun, string[]>; reached: Set<string> } & Record<Noun, string[]>
type Outcome = 'done' | 'refused'
type Step = (world: World, draw: Draw) => Promise<Outcome>

before(async () => {
  // Rates with gaps of more than 10 days, so that some days have none; the pound has none at all.
  await djinn.sql(
    `insert into exchange_rates (currency, day, rate, source)
     select c.code, '2024-11-01'::date + n, c.rate + n * c.step, 'test'
     from (values ('USD', 1.0873, 0.0001), ('JPY', 163.21, 0.013), ('BHD', 0.4098, 0.00003)) c (code, rate, step), generate_series(0, 540) n
     where n % 7 < 5 and n % 100 > 20`,
  )
})

const pick = (from: string[], index: number): string => (from.length === 0 ? newId() : from[index % from.length]!)
const today = () => dayOf(Date.now(), timeZone)

async function http(world: World, method: string, path: string, body?: object): Promise<Outcome> {
  const { status, text } = await world.person.call(method, path, body === undefined ? {} : { body })
  assert.ok(status < 500, `${method} ${path}: ${text}`)
  return status < 300 ? 'done' : 'refused'
}

async function create(world: World, noun: Noun, body: object): Promise<Outcome> {
  const id = newId()
  const outcome = await http(world, 'POST', `/api/${noun}`, { id, ...body })
  if (outcome === 'done') world[noun].push(id)
  return outcome
}

async function remove(world: World, noun: Noun, id: string): Promise<Outcome> {
  const outcome = await http(world, 'DELETE', `/api/${noun}/${id}`)
  if (outcome === 'done') world.gone[noun].push(id)
  return outcome
}

/** Runs SQL as the app does, which either holds or is refused by a constraint. */
async function sql(world: World, work: (run: Run, household: string) => Promise<unknown>): Promise<Outcome> {
  const household = world.person.householdId
  const refusal = await refusalOf(asRole(djinn, { household, user: world.person.userId }, (run) => work(run, household)))
  if (refusal) assert.match(refusal.code, /^23/, refusal.message)
  return refusal ? 'refused' : 'done'
}

const splitsOf = (world: World, { amount, b, c }: Draw) => [
  { amount: Math.trunc(amount / 3) + 17, categoryId: pick(world.categories, b) },
  { amount: -5, categoryId: pick(world.categories, c) },
  { amount: amount - Math.trunc(amount / 3) - 12, note: 'rest' },
]
const budgetOf = (draw: Draw) => ({
  amount: 2_000 + draw.c * 30,
  period: (['monthly', 'weekly', 'monthly', 'yearly'] as const)[draw.a % 4]!,
  startsOn: addDays('2024-10-01', draw.a % 300),
  rollover: draw.b % 2 === 0,
  currency: ['EUR', 'EUR', 'USD', 'JPY'][draw.b % 4]!,
  alertLevels: [[80, 100], [50], [20, 80, 100, 150], []][draw.c % 4]!,
})

const steps: Record<string, Step> = {
  openAccount: (world, draw) =>
    create(world, 'accounts', {
      name: 'Account',
      kind: 'checking',
      currency: ['EUR', 'EUR', 'USD', 'JPY', 'BHD', 'GBP'][draw.a % 6]!,
    }),
  addCategory: (world, draw) =>
    create(world, 'categories', { name: 'Category', kind: 'expense', ...(draw.a % 3 ? { parentId: pick(world.categories, draw.b) } : {}) }),
  moveCategory: (world, draw) =>
    http(world, 'PATCH', `/api/categories/${pick(world.categories, draw.a)}`, {
      parentId: draw.b % 4 === 0 ? null : pick(world.categories, draw.c),
    }),
  addTransaction: (world, draw) =>
    create(world, 'transactions', {
      accountId: pick(world.accounts, draw.a),
      date: draw.date,
      amount: draw.amount,
      status: draw.b % 3 === 0 ? 'pending' : 'posted',
      ...(draw.c % 3 === 0 ? { splits: splitsOf(world, draw) } : { categoryId: pick(world.categories, draw.b) }),
    }),
  changeTransaction: (world, draw) =>
    http(world, 'PATCH', `/api/transactions/${pick(world.transactions, draw.a)}`, {
      ...(draw.b % 2 ? { amount: draw.amount, splits: draw.c % 3 ? null : splitsOf(world, draw) } : { date: draw.date }),
      ...(draw.c % 2 ? { accountId: pick(world.accounts, draw.c) } : { status: draw.c % 4 ? 'pending' : 'posted' }),
    }),
  deleteTransaction: (world, draw) => remove(world, 'transactions', pick(world.transactions, draw.a)),
  restoreTransaction: (world, draw) => http(world, 'POST', `/api/transactions/${pick(world.gone.transactions, draw.a)}/restore`),
  addTransfer: (world, draw) =>
    http(world, 'POST', '/api/transfers', {
      ...{ fromAccountId: pick(world.accounts, 0), toAccountId: pick(world.accounts, 1), date: draw.date, amount: draw.c + 1 },
    }),
  addBudget: async (world, draw) => {
    const draft = budgetOf(draw)
    const outcome = await create(world, 'budgets', { categoryId: pick(world.categories, draw.c), ...draft })
    if (outcome === 'done') world.amounts.set(world.budgets.at(-1)!, [{ since: draft.startsOn, amount: draft.amount }])
    return outcome
  },
  changeAmount: async (world, draw) => {
    const id = pick(world.budgets, draw.a)
    const amount = 5_000 + draw.b * 20
    const outcome = await http(world, 'PATCH', `/api/budgets/${id}`, { amount })
    const budget = (await readBooks(djinn, world.person.householdId)).budgets.find((one) => one.id === id)
    const amounts = world.amounts.get(id)
    if (outcome === 'done' && budget && amounts && amounts.at(-1)!.amount !== amount) {
      const since = today() < budget.startsOn ? budget.startsOn : today()
      world.amounts.set(id, [...amounts.filter((one) => periodOf(budget, one.since) < periodOf(budget, since)), { since, amount }])
    }
    return outcome
  },
  changeBudget: (world, draw) =>
    http(world, 'PATCH', `/api/budgets/${pick(world.budgets, draw.a)}`, {
      ...(draw.b % 3 === 0 ? { categoryId: pick(world.categories, draw.c) } : {}),
      ...(draw.b % 3 === 1 ? { rollover: draw.c % 2 === 0 } : {}),
      ...(draw.b % 3 === 2 ? { alertLevels: budgetOf(draw).alertLevels } : {}),
    }),
  beginAnew: async (world, draw) => {
    const id = pick(world.budgets, draw.a)
    const { amount, period, startsOn, currency } = budgetOf({ ...draw, a: draw.b })
    const outcome = await http(world, 'PATCH', `/api/budgets/${id}`, { amount, period, startsOn, currency })
    if (outcome === 'done') world.amounts.set(id, [{ since: startsOn, amount }])
    return outcome
  },
  deleteBudget: (world, draw) => remove(world, 'budgets', pick(world.budgets, draw.a)),
  restoreBudget: (world, draw) => http(world, 'POST', `/api/budgets/${pick(world.gone.budgets, draw.a)}/restore`),

  insertMany: (world, draw) =>
    sql(world, async (run, household) => {
      const made = await run<{ id: string }>(
        `insert into transactions (household_id, id, account_id, currency, date, amount, category_id, status, splits)
         select $1, gen_random_uuid(), a.id, a.currency, $3::date - n * 9, $4::bigint / 8 - n, case when n % 7 > 0 then c.id end,
           case when n % 4 = 0 then 'pending' else 'posted' end,
           case when n % 5 = 0 then jsonb_build_array(jsonb_build_object('amount', $4::bigint / 8, 'categoryId', c.id),
             jsonb_build_object('amount', -n, 'categoryId', null)) end
         from accounts a, categories c, generate_series(1, $5::int) n
         where a.household_id = $1 and c.household_id = $1 and c.id = any($2) and (a.id = $6 or n % 2 = 0) returning id`,
        [household, world.categories.slice(0, 3), draw.date, draw.amount, (draw.c % 20) + 1, pick(world.accounts, draw.a)],
      )
      world.transactions.push(...made.slice(0, 3).map((row) => row.id))
    }),
  updateMany: (world, draw) =>
    sql(world, (run, household) =>
      run(
        `update transactions set amount = amount - $2, splits = null, date = date + $3::int, category_id = coalesce(category_id, $4)
         where household_id = $1 and transfer_id is null`,
        [household, draw.c, (draw.a % 60) - 30, pick(world.categories, draw.b)],
      ),
    ),
  moveMany: (world, draw) =>
    sql(world, (run, household) =>
      run(`update transactions set category_id = $2, splits = null where household_id = $1 and transfer_id is null and amount % 3 = $3`, [
        household,
        pick(world.categories, draw.b),
        -(draw.a % 3),
      ]),
    ),
  deleteMany: (world, draw) =>
    sql(world, async (run, household) => {
      await run(
        `update transactions set deleted_at = now() where household_id = $1 and transfer_id is null and amount % 4 = $2 and deleted_at is null`,
        [household, -(draw.a % 4)],
      )
    }),
  moveManyCategories: (world, draw) =>
    sql(world, (run, household) =>
      run(`update categories set parent_id = $2 where household_id = $1 and id = any($3) and id <> $2`, [
        household,
        pick(world.categories, draw.a),
        [pick(world.categories, draw.b), pick(world.categories, draw.c)],
      ]),
    ),
  erase: (world, draw) =>
    asRole(djinn, { household: world.person.householdId, role: 'djinn_keeper' }, (run) =>
      run(`delete from transactions where household_id = $1 and transfer_id is null and amount % 5 = $2`, [
        world.person.householdId,
        -(draw.a % 5),
      ]),
    ).then(() => 'done'),
}

/** Fails when a figure or a level differs from what transactions, rates and amounts say. */
async function assertBudgets(world: World, draw: Draw) {
  const household = world.person.householdId
  const books = await readBooks(djinn, household)
  const naive = new NaiveBudgets(books, world.amounts)
  for (const key of naive.reached()) world.reached.add(key)
  const told = await djinn.sql<{ key: string }>(
    `select budget_id || ' ' || period_start || ' ' || level as key from budget_alerts where household_id = $1`,
    [household],
  )
  assert.deepEqual(told.map((row) => row.key).toSorted(), [...world.reached].toSorted(), 'the levels that were told')
  const inbox = await djinn.sql<{ key: string }>(
    `select substring(dedupe_key from 8) as key from notifications where household_id = $1 and event = 'budgetExceeded'`,
    [household],
  )
  const keys = [...world.reached].map((key) => key.replaceAll(' ', ':'))
  assert.deepEqual(inbox.map((row) => row.key).toSorted(), keys.toSorted(), 'what the inbox has')
  for (const day of [draw.date, addDays(draw.date, 45)]) {
    const { body } = await world.person.get(`/api/budgets?limit=100&on=${day}`)
    const live = books.budgets.filter((budget) => budget.alive)
    const figures = body.data.map((row: Record<string, unknown>) => [
      row['id'],
      Object.fromEntries(figureNames.map((name) => [name, row[name]])),
    ])
    const expected = live.map((budget) => [budget.id, naive.figures(budget, periodOf(budget, day))])
    assert.deepEqual(figures, expected, `the figures on ${day}`)
  }
}
const figureNames = [
  ...['periodStart', 'periodEnd', 'periodAmount', 'rolledOver', 'available', 'spent', 'pendingSpent', 'remaining', 'percent'],
  'unconverted',
]

const days = fc.integer({ min: 0, max: 480 }).map((nth) => addDays('2024-11-20', nth))
const draws = fc.record<Draw>({
  a: fc.nat(999),
  b: fc.nat(999),
  c: fc.nat(999),
  amount: fc.integer({ min: -90_000, max: 30_000 }),
  date: fc.oneof({ weight: 12, arbitrary: days }, { weight: 1, arbitrary: fc.constantFrom('2024-12-31', '2025-01-01', '2025-02-28') }),
})
const weight: Record<string, number> = {
  addTransaction: 5,
  changeTransaction: 3,
  addBudget: 3,
  changeAmount: 2,
  changeBudget: 2,
  moveCategory: 2,
}
const names = fc.oneof(...Object.keys(steps).map((name) => ({ weight: weight[name] ?? 1, arbitrary: fc.constant(name) })))

test('whatever is written by whom, budgets stand as naive sums say and each level that was ever reached is told once', async (t) => {
  const seed = Math.trunc(Math.random() * 2 ** 31)
  t.diagnostic(`seed ${seed}`)
  const done = new Map<string, number>()
  let levels = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(names, draws), { minLength: 15, maxLength: 40, size: 'max' }), async (history) => {
      const person = await djinn.person({ timeZone })
      const empty = () => ({ accounts: [], categories: [], transactions: [], budgets: [] })
      const world: World = { person, amounts: new Map(), gone: empty(), reached: new Set(), ...empty() }
      for (const a of [0, 1, 2]) await steps['openAccount']!(world, { ...history[0]![1], a })
      for (const a of [0, 1, 2]) await steps['addCategory']!(world, { ...history[0]![1], a, b: a })
      for (const a of [0, 1]) await steps['addBudget']!(world, { ...history[a]![1], c: a })
      for (const [name, draw] of history) {
        const outcome = await steps[name]!(world, draw)
        if (outcome === 'done') done.set(name, (done.get(name) ?? 0) + 1)
        await assertBudgets(world, draw)
      }
      levels += world.reached.size
    }),
    { seed, numRuns: 8, endOnFailure: true },
  )
  // A history in which everything is refused would prove nothing; a rare step may miss its chance.
  const idle = Object.keys(steps).filter((name) => !done.has(name))
  assert.ok(idle.length <= 2, `never done with seed ${seed}: ${idle.join(', ')}`)
  assert.ok(levels > 20, `only ${levels} levels were reached with seed ${seed}`)
  await djinn.verify()
})

test('minor digits are those of ISO 4217, in the database as in the code', async () => {
  const all = [...currencies.values()]
  const kept = await djinn.sql('select code, minor_digits(code) as exponent from unnest($1::text[]) code', [all.map(({ code }) => code)])
  assert.deepEqual(
    kept,
    all.map(({ code, exponent }) => ({ code, exponent })),
  )
})

test('a zone that PostgreSQL does not know counts as UTC', async () => {
  const person = await djinn.person()
  await djinn.sql(
    `select set_config('djinn.household', '${person.householdId}', true); update households set time_zone = 'Mars/Olympus' where household_id = '${person.householdId}'`,
  )
  const [row] = await djinn.sql(`select household_today($1) = (now() at time zone 'UTC')::date as same`, [person.householdId])
  assert.deepEqual(row, { same: true })
})

test('the app writes neither the levels that were told nor the amounts of before', async () => {
  const person = await djinn.person()
  for (const table of ['budget_alerts', 'budget_amounts']) {
    for (const text of [`delete from ${table}`, `update ${table} set budget_id = budget_id`, `insert into ${table} default values`]) {
      const refusal = await refusalOf(asRole(djinn, { household: person.householdId }, (run) => run(text)))
      assert.equal(refusal?.code, '42501', text)
    }
  }
  for (const call of [`check_budgets('${newId()}', '{}')`, `raise_budget_alerts('${newId()}', '{}', '{}')`, `forget_budgets(now(), 1)`]) {
    const refusal = await refusalOf(asRole(djinn, { household: person.householdId }, (run) => run(`select ${call}`)))
    assert.equal(refusal?.code, '42501', call)
  }
})
