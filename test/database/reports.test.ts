// Whatever happens to a household, its reports are what its rows say, and what was known of balances at an instant stays what it was.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { newId } from '../../src/values/id.ts'
import { withClient } from '../cluster.ts'
import { open, type Person, type Reply } from '../harness.ts'
import { asRole, refusalOf, type Run } from './app-role.ts'
import { naiveBalances, naiveCashFlow, naiveSpending, naiveWorth, readBooks, type Books } from './naive-reports.ts'

const djinn = await open()
after(() => djinn.close())

const rates = new Map<string, bigint>()
const months = Array.from({ length: 17 }, (_, index) => new Date(Date.UTC(2024, 10 + index)).toISOString().slice(0, 7))

before(async () => {
  // A rate on most days, none for some weeks: what falls into them cannot be converted.
  for (let day = Date.UTC(2024, 9, 25); day < Date.UTC(2026, 2, 20); day += 86_400_000) {
    const date = new Date(day).toISOString().slice(0, 10)
    const nth = day / 86_400_000
    if (nth % 7 < 2 || (date > '2025-03-01' && date < '2025-04-05')) continue
    for (const [currency, about] of [
      ['USD', 1_080_000],
      ['JPY', 162_000_000],
      ['GBP', 860_000],
    ] as const) {
      rates.set(`${currency} ${date}`, BigInt(about + ((nth * 7_919) % 40_000)))
    }
  }
  const keys = [...rates.keys()].map((key) => key.split(' '))
  await asRole(djinn, { role: 'djinn_keeper' }, (run) =>
    run(
      `insert into exchange_rates (currency, day, rate, source)
       select c, d, r::numeric * 0.000001, 'test' from unnest($1::text[], $2::date[], $3::bigint[]) g (c, d, r)`,
      [keys.map(([currency]) => currency), keys.map(([, day]) => day), [...rates.values()].map(String)],
    ),
  )
})

type Draw = { a: number; b: number; c: number; amount: number; date: string }
type Noun = 'accounts' | 'categories' | 'transactions' | 'transfers'
type World = { person: Person; gone: Record<Noun, string[]> } & Record<Noun, string[]>
type Step = (world: World, draw: Draw) => Promise<unknown>

const pick = (from: string[], index: number): string => (from.length === 0 ? newId() : from[index % from.length]!)
const currencies = ['EUR', 'USD', 'GBP', 'JPY', 'EUR']

async function create(world: World, noun: Noun, body: object) {
  const { status, body: made, text } = await world.person.post(`/api/${noun}`, body)
  assert.ok(status < 500, text)
  if (status === 201) world[noun].push(made.id)
}

async function remove(world: World, noun: Noun, id: string) {
  const { status, text } = await world.person.delete(`/api/${noun}/${id}`)
  assert.ok(status < 500, text)
  if (status === 204) world.gone[noun].push(id)
}

async function send(world: World, method: string, path: string, body?: object) {
  const { status, text } = await world.person.call(method, path, body === undefined ? {} : { body })
  assert.ok(status < 500, text)
}

async function sql(world: World, work: (run: Run, household: string) => Promise<unknown>) {
  const household = world.person.householdId
  const refusal = await refusalOf(asRole(djinn, { household, user: world.person.userId }, (run) => work(run, household)))
  if (refusal) assert.match(refusal.code, /^23/, refusal.message)
}

const categorised = (world: World, { amount, b, c }: Draw) =>
  c % 3 === 0
    ? {
        splits: [
          { amount: Math.trunc(amount / 3) + 7, categoryId: pick(world.categories, b) },
          { amount: amount - Math.trunc(amount / 3) - 7 },
        ],
      }
    : { categoryId: c % 3 === 1 ? pick(world.categories, b) : null }

const steps: Record<string, Step> = {
  openAccount: (world, { a, b, amount }) =>
    create(world, 'accounts', {
      name: 'Account',
      kind: (['checking', 'creditCard', 'savings'] as const)[b % 3],
      currency: currencies[a % 5],
      openingBalance: Math.trunc(amount / 2),
    }),
  changeOpening: (world, { a, amount }) =>
    send(world, 'PATCH', `/api/accounts/${pick(world.accounts, a)}`, { openingBalance: Math.trunc(amount / 3) }),
  deleteAccount: async (world, draw) => {
    if (draw.b % 2) await steps['openAccount']!(world, draw)
    await remove(world, 'accounts', draw.b % 2 ? world.accounts.at(-1)! : pick(world.accounts, draw.a))
  },
  restoreAccount: (world, { a }) => send(world, 'POST', `/api/accounts/${pick(world.gone.accounts, a)}/restore`),
  addCategory: (world, { a, b }) =>
    create(world, 'categories', {
      name: 'Category',
      kind: b % 3 ? 'expense' : 'income',
      ...(a % 2 ? { parentId: pick(world.categories, b) } : {}),
    }),
  changeCategory: (world, { a, b, c }) =>
    send(
      world,
      'PATCH',
      `/api/categories/${pick(world.categories, a)}`,
      b % 2 ? { parentId: pick(world.categories, c) } : { kind: c % 2 ? 'income' : 'expense' },
    ),
  add: (world, draw) =>
    create(world, 'transactions', {
      accountId: pick(world.accounts, draw.a),
      date: draw.date,
      amount: draw.amount,
      status: draw.b % 4 === 0 ? 'pending' : 'posted',
      ...categorised(world, draw),
    }),
  change: (world, draw) =>
    send(world, 'PATCH', `/api/transactions/${pick(world.transactions, draw.a)}`, {
      ...(draw.b % 2 ? { amount: draw.amount, splits: null, ...categorised(world, draw) } : { date: draw.date, status: 'posted' }),
      ...(draw.c % 4 === 0 ? { accountId: pick(world.accounts, draw.c) } : {}),
    }),
  remove: (world, { a }) => remove(world, 'transactions', pick(world.transactions, a)),
  restore: (world, { a }) => send(world, 'POST', `/api/transactions/${pick(world.gone.transactions, a)}/restore`),
  transfer: (world, { a, b, date, amount }) =>
    create(world, 'transfers', {
      fromAccountId: pick(world.accounts, a),
      toAccountId: pick(world.accounts, a + 1),
      date,
      amount: Math.abs(amount) || 1,
      ...(b % 2 ? { toAmount: (b % 900) + 1 } : {}),
    }),
  deleteTransfer: (world, { a }) => remove(world, 'transfers', pick(world.transfers, a)),
  insertMany: (world, { a, b, c, date, amount }) =>
    sql(world, (run, household) =>
      run(
        `insert into transactions (household_id, id, account_id, currency, date, amount, category_id, status)
         select $1, gen_random_uuid(), a.id, a.currency, $3::date + n * 11, $4::bigint / 16 + n, case when n % 3 > 0 then $5::uuid end,
           case when n % 5 = 0 then 'pending' else 'posted' end
         from accounts a, generate_series(1, $6::int) n where a.household_id = $1 and a.deleted_at is null and (a.id = $2 or n % 2 = 0)`,
        [household, pick(world.accounts, a), date, amount, pick(world.categories, b), (c % 12) + 1],
      ),
    ),
  /** Two writes in one instant, which undo each other in part. */
  twiceInOneInstant: (world, { a, amount, date }) =>
    sql(world, async (run, household) => {
      await run(
        `update transactions set amount = amount + $2::bigint % 100, splits = null where household_id = $1 and transfer_id is null`,
        [household, amount],
      )
      await run(`update transactions set amount = amount - $2::bigint % 90 where household_id = $1 and transfer_id is null`, [
        household,
        amount,
      ])
      await run(`update transactions set date = $2 where household_id = $1 and transfer_id is null and amount % 3 = $3 % 3`, [
        household,
        date,
        a,
      ])
    }),
  deleteMany: (world, { a }) =>
    sql(world, (run, household) =>
      run(
        'update transactions set deleted_at = now() where household_id = $1 and transfer_id is null and deleted_at is null and amount % 4 = $2 % 4',
        [household, a],
      ),
    ),
}

/** What was known when: instants in microseconds of the epoch. */
type Known = { at: bigint; books: Books }

async function note(world: World): Promise<Known> {
  const [clock] = await djinn.sql<{ at: string }>(`select (extract(epoch from clock_timestamp()) * 1000000)::bigint::text as at`)
  return { at: BigInt(clock!.at), books: await readBooks(djinn, world.person.householdId) }
}

/** As if all so far had been written so many days before. Only the administrator can. */
async function age(world: World, history: Known[], days: number) {
  const household = world.person.householdId
  await withClient(djinn.adminUrl, async (client) => {
    await client.query('begin')
    await client.query('set local session_replication_role = replica')
    const by = [household, days]
    await client.query(`update balance_changes set known_at = known_at - $2::int * interval '1 day' where household_id = $1`, by)
    await client.query(
      `update accounts set created_at = created_at - $2::int * interval '1 day', deleted_at = deleted_at - $2::int * interval '1 day' where household_id = $1`,
      by,
    )
    await client.query('delete from balance_months where household_id = $1', [household])
    await client.query(
      `insert into balance_months select household_id, account_id, date_trunc('month', known_at at time zone 'UTC')::date, date_trunc('month', date)::date, sum(posted)
       from balance_changes where household_id = $1 group by 1, 2, 3, 4`,
      [household],
    )
    await client.query('commit')
  })
  for (const known of history) known.at -= BigInt(days) * 86_400_000_000n
}

const instantOf = (micros: bigint) =>
  `${new Date(Number(micros / 1_000n)).toISOString().slice(0, -1)}${String(micros % 1_000n).padStart(3, '0')}Z`

const safe = (amount: bigint) => amount <= BigInt(Number.MAX_SAFE_INTEGER) && amount >= -BigInt(Number.MAX_SAFE_INTEGER)

/** Compares an answer with what it should be, or expects its refusal when a sum of it is too large for JSON. */
function assertAnswer(reply: Reply, sums: Iterable<bigint>, compare: () => void) {
  if ([...sums].every(safe)) {
    assert.equal(reply.status, 200, reply.text)
    compare()
  } else assert.deepEqual([reply.status, reply.body.code], [422, 'amount-out-of-range'], reply.text)
}

const sorted = (entries: Iterable<[string, unknown]>) => [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1))
type Told = Record<string, number> & { categoryId: string | null; month: string; currency: string; withChildren: Told }
const told = (row: Told) => ({ amount: BigInt(row['amount']!), pending: BigInt(row['pending']!), count: row['count'] })

async function assertSpending(
  world: World,
  books: Books,
  base: string,
  some: string[],
  query: { kind: 'expense' | 'income'; pending: 'include' | 'exclude' },
) {
  const range = `from=${some[0]}&to=${some.at(-1)}&kind=${query.kind}&pending=${query.pending}`
  const expected = naiveSpending(books, some, rates, base, { kind: query.kind, withPending: query.pending === 'include' })
  const all = [expected.total, ...[expected.data, expected.below, expected.own, expected.unconverted].flatMap((map) => [...map.values()])]
  const reply = await world.person.get(`/api/reports/spending?${range}`)
  assertAnswer(
    reply,
    all.flatMap((sum) => [sum.amount, sum.pending]),
    () => {
      const rows = reply.body.data as Told[]
      assert.deepEqual(sorted(rows.map((row) => [`${row.month} ${row.categoryId ?? 'none'}`, told(row)])), sorted(expected.data), 'cells')
      assert.deepEqual(told(reply.body.total), expected.total)
      const categories = reply.body.categories as Told[]
      assert.deepEqual(
        sorted(categories.map((row) => [row.categoryId ?? 'none', told(row.withChildren)])),
        sorted(expected.below),
        'with children',
      )
      const own = categories.filter((row) => row['count']! > 0)
      assert.deepEqual(sorted(own.map((row) => [row.categoryId ?? 'none', told(row)])), sorted(expected.own), 'by category')
      const left = reply.body.unconverted as Told[]
      assert.deepEqual(
        sorted(left.map((row) => [`${row.month} ${row.currency}`, told(row)])),
        sorted(expected.unconverted),
        'without a rate',
      )
      assert.equal(
        rows.reduce((sum, row) => sum + BigInt(row['amount']!), 0n),
        expected.total.amount,
        'the total is the sum of what is shown',
      )
    },
  )
}

async function assertCashFlow(world: World, books: Books, base: string, some: string[]) {
  const expected = naiveCashFlow(books, some, rates, base)
  const reply = await world.person.get(`/api/reports/cash-flow?from=${some[0]}&to=${some.at(-1)}`)
  const flat = (map: typeof expected.data) =>
    [...map.values()].flatMap((sum) => [
      sum.inflow,
      sum.outflow,
      sum.inflow + sum.outflow,
      sum.pendingInflow,
      sum.pendingOutflow,
      sum.pendingInflow + sum.pendingOutflow,
    ])
  const total = [...expected.data.values()].reduce(
    (so, each) => ({
      inflow: so.inflow + each.inflow,
      outflow: so.outflow + each.outflow,
      pendingInflow: so.pendingInflow + each.pendingInflow,
      pendingOutflow: so.pendingOutflow + each.pendingOutflow,
      count: 0,
    }),
    { inflow: 0n, outflow: 0n, pendingInflow: 0n, pendingOutflow: 0n, count: 0 },
  )
  assertAnswer(reply, [...flat(expected.data), ...flat(expected.unconverted), ...flat(new Map([['', total]]))], () => {
    const plain = (sum: typeof total) => ({
      inflow: Number(sum.inflow),
      outflow: Number(sum.outflow),
      net: Number(sum.inflow + sum.outflow),
      pending: {
        inflow: Number(sum.pendingInflow),
        outflow: Number(sum.pendingOutflow),
        net: Number(sum.pendingInflow + sum.pendingOutflow),
      },
      count: sum.count,
    })
    assert.deepEqual(
      reply.body.data,
      [...expected.data].map(([month, sum]) => ({ month, ...plain(sum) })),
    )
    assert.deepEqual(
      reply.body.unconverted.map(({ month, currency, from: _from, to: _to, ...sum }: Told) => [`${month} ${currency}`, sum]),
      sorted([...expected.unconverted].map(([key, sum]) => [key, plain(sum)])),
    )
  })
}

async function assertNetWorth(world: World, books: Books, base: string, some: string[]) {
  const reply = await world.person.get(`/api/reports/net-worth?from=${some[0]}&to=${some.at(-1)}`)
  const today = new Date().toISOString().slice(0, 10)
  const days = some.map((month) =>
    month === today.slice(0, 7)
      ? today
      : new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 0)).toISOString().slice(0, 10),
  )
  const expected = days.map((day) => naiveWorth(books, day, rates, base))
  const all = expected.flatMap((worth) => [
    worth.assets,
    worth.liabilities,
    worth.assets + worth.liabilities,
    ...worth.kinds.values(),
    ...worth.unconverted.values(),
  ])
  assertAnswer(reply, all, () => {
    assert.deepEqual(
      reply.body.data,
      expected.map((worth, index) => ({
        date: days[index],
        assets: Number(worth.assets),
        liabilities: Number(worth.liabilities),
        net: Number(worth.assets + worth.liabilities),
        kinds: sorted(worth.kinds).map(([kind, amount]) => ({ kind, amount: Number(amount) })),
      })),
    )
    assert.deepEqual(
      reply.body.unconverted,
      expected.flatMap((worth, index) =>
        sorted(worth.unconverted).map(([currency, amount]) => ({ date: days[index], currency, amount: Number(amount) })),
      ),
    )
  })
}

async function assertBalances(world: World, books: Books, base: string, date: string, knownAt: bigint | null) {
  const reply = await world.person.get(`/api/reports/balance?date=${date}${knownAt === null ? '' : `&knownAt=${instantOf(knownAt)}`}`)
  const expected = naiveBalances(books, date)
  const worth = naiveWorth(books, date, rates, base)
  assertAnswer(reply, [...expected.values(), worth.assets + worth.liabilities, ...worth.unconverted.values()], () => {
    const rows = reply.body.data as { accountId: string; balance: number }[]
    // An account that was deleted then and has been restored since is shown with nothing on it.
    const shown = rows.filter((row) => expected.has(row.accountId) || row.balance !== 0)
    assert.deepEqual(sorted(shown.map((row) => [row.accountId, BigInt(row.balance)])), sorted(expected), `balances on ${date}`)
    assert.equal(BigInt(reply.body.total), worth.assets + worth.liabilities)
  })
}

const daysOfYears = fc
  .date({ min: new Date('2024-11-20'), max: new Date('2026-03-10'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10))
const dates = fc.oneof(
  { weight: 14, arbitrary: daysOfYears },
  { weight: 1, arbitrary: fc.constantFrom('1900-01-01', '2199-12-31', '2025-02-28') },
)
const draws = fc.record<Draw>({
  a: fc.nat(999),
  b: fc.nat(999),
  c: fc.nat(999),
  amount: fc.oneof(
    { weight: 25, arbitrary: fc.integer({ min: -90_000, max: 90_000 }) },
    { weight: 1, arbitrary: fc.constantFrom(0, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER) },
  ),
  date: dates,
})
const weight: Record<string, number> = { add: 8, change: 5, openAccount: 2, remove: 2, restore: 2, transfer: 3 }
const names = fc.oneof(...Object.keys(steps).map((name) => ({ weight: weight[name] ?? 1, arbitrary: fc.constant(name) })))
const ages = fc.option(fc.integer({ min: 1, max: 75 }), { freq: 4 })

test('whatever happens, the reports are what the rows say, and what was known of balances is what they were', async (t) => {
  const seed = Math.trunc(Math.random() * 2 ** 31)
  t.diagnostic(`seed ${seed}`)
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('EUR', 'GBP', 'JPY'),
      fc.array(fc.tuple(names, draws, ages), { minLength: 10, maxLength: 30, size: 'max' }),
      fc.array(dates, { minLength: 4, maxLength: 4 }),
      async (base, history, asked) => {
        const person = await djinn.person({ currency: base })
        const none = () => ({ accounts: [], categories: [], transactions: [], transfers: [] })
        const world: World = { person, gone: none(), ...none() }
        for (const a of [0, 1, 3]) await steps['openAccount']!(world, { ...history[0]![1], a })
        for (const b of [0, 1, 2]) await steps['addCategory']!(world, { ...history[0]![1], a: 0, b })
        const known: Known[] = []
        for (const [name, draw, days] of history) {
          await steps[name]!(world, draw)
          known.push(await note(world))
          if (days !== null) await age(world, known, days)
        }
        const { books } = known.at(-1)!
        for (const some of [months, ['1900-01'], ['2199-11', '2199-12']]) {
          await assertSpending(world, books, base, some, { kind: 'expense', pending: 'include' })
          await assertCashFlow(world, books, base, some)
          await assertNetWorth(world, books, base, some)
        }
        await assertSpending(world, books, base, months.slice(3, 6), { kind: 'income', pending: 'exclude' })
        for (const date of asked) {
          await assertBalances(world, books, base, date, null)
          for (const { at, books: then } of known) await assertBalances(world, then, base, date, at)
        }
      },
    ),
    { seed, numRuns: 8, endOnFailure: true },
  )
  await djinn.verify()
})
