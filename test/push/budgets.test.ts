// Who is told that a budget reached a level: every member, once a budget, period and level, with the write that reached it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { open, type Djinn, type Person } from '../harness.ts'
import { asRole } from '../database/app-role.ts'
import { join } from './household.ts'

type Told = { budgetId: string; categoryId: string; level: number; spent: number; available: number; period: { from: string; to: string } }

let djinn: Djinn
let ana: Person
let ben: Person
let account: string

before(async () => {
  djinn = await open()
  ana = await djinn.person()
  ben = await djinn.person()
  await join(djinn, ana.householdId, ben.userId)
  account = await ana.account()
})
after(() => djinn.close())

async function category(draft: object = {}): Promise<string> {
  return (await ana.post('/api/categories', { name: 'Food', kind: 'expense', ...draft })).body.id
}

async function budget(categoryId: string, draft: object = {}): Promise<string> {
  const { status, body, text } = await ana.post('/api/budgets', {
    ...{ categoryId, amount: 10_000, period: 'monthly', startsOn: '2026-01-01', ...draft },
  })
  assert.equal(status, 201, text)
  return body.id
}

async function spend(categoryId: string, date: string, amount: number, draft: object = {}): Promise<string> {
  const { status, body, text } = await ana.post('/api/transactions', { accountId: account, date, amount: -amount, categoryId, ...draft })
  assert.equal(status, 201, text)
  return body.id
}

const inbox = async (person: Person): Promise<{ event: string; data: Told }[]> =>
  (await person.get('/api/notifications?limit=100')).body.data.filter((row: { event: string }) => row.event === 'budgetExceeded')

/** What the work told of budgets, as `<first day> <level>`. */
async function told(work: () => Promise<unknown>, person = ana): Promise<string[]> {
  const count = async () =>
    await djinn.sql<{ what: string }>(
      `select data -> 'period' ->> 'from' || ' ' || (data ->> 'level') as what from notifications
       where user_id = $1 and event = 'budgetExceeded' order by id`,
      [person.userId],
    )
  const earlier = (await count()).length
  await work()
  return (await count())
    .slice(earlier)
    .map((row) => row.what)
    .toSorted()
}

test('every member is told, who wrote it too, with what the app shows of it', async () => {
  const food = await category()
  const id = await budget(food)
  assert.deepEqual(await told(() => spend(food, '2026-03-03', 7_999)), [])
  assert.deepEqual(await told(() => spend(food, '2026-03-04', 1)), ['2026-03-01 80'])
  for (const person of [ana, ben]) {
    const kept = await inbox(person)
    assert.deepEqual(kept[0]!.data, {
      ...{ budgetId: id, categoryId: food, level: 80, spent: 8_000, available: 10_000, currency: 'EUR' },
      period: { from: '2026-03-01', to: '2026-03-31' },
    })
  }
})

test('a level is told once a period, also when spending falls below it and reaches it again', async () => {
  const food = await category()
  await budget(food)
  let row = ''
  assert.deepEqual(
    await told(async () => {
      row = await spend(food, '2026-03-03', 12_000)
    }),
    ['2026-03-01 100', '2026-03-01 80'],
  )
  assert.deepEqual(await told(() => ana.delete(`/api/transactions/${row}`)), [])
  assert.deepEqual(await told(() => ana.post(`/api/transactions/${row}/restore`)), [])
  assert.deepEqual(await told(() => spend(food, '2026-03-31', 90_000)), [])
  assert.deepEqual(await told(() => spend(food, '2026-04-01', 9_000)), ['2026-04-01 80'])
})

test('a late-dated row reaches the level of its own period, and with rollover those of the periods behind it', async () => {
  const [plain, carried] = [await category(), await category()]
  await budget(plain)
  await budget(carried, { rollover: true })
  await spend(plain, '2026-05-10', 5_000)
  assert.deepEqual(await told(() => spend(plain, '2026-02-10', 8_500)), ['2026-02-01 80'])
  // May has 10,000 and 40,000 of the four months before, of which 25,000 are spent now: 5,000 of 25,000. Then 5,000 of 6,000, and of 4,999.
  await spend(carried, '2026-05-10', 5_000)
  assert.deepEqual(await told(() => spend(carried, '2026-01-10', 25_000)), ['2026-01-01 100', '2026-01-01 80'])
  assert.deepEqual(await told(() => spend(carried, '2026-01-11', 19_000)), ['2026-05-01 80'])
  assert.deepEqual(await told(() => spend(carried, '2026-01-11', 1_001)), ['2026-05-01 100'])
  // Before the first period no budget was.
  assert.deepEqual(await told(() => spend(plain, '2025-12-31', 90_000)), [])
})

test('an edit, a split, another category, a date, a status and a refund that is taken back reach it alike', async () => {
  const [food, other] = [await category(), await category()]
  await budget(food)
  const row = await spend(other, '2026-01-10', 8_000)
  assert.deepEqual(await told(() => ana.patch(`/api/transactions/${row}`, { categoryId: food })), ['2026-01-01 80'])
  assert.deepEqual(await told(() => ana.patch(`/api/transactions/${row}`, { date: '2026-02-10' })), ['2026-02-01 80'])
  assert.deepEqual(await told(() => ana.patch(`/api/transactions/${row}`, { amount: -10_000 })), ['2026-02-01 100'])
  assert.deepEqual(await told(() => ana.patch(`/api/transactions/${row}`, { payee: 'Bakery' })), [])
  const split = await spend(other, '2026-03-10', 9_000)
  const splits = [{ amount: -8_000, categoryId: food }, { amount: -1_000 }]
  assert.deepEqual(await told(() => ana.patch(`/api/transactions/${split}`, { categoryId: null, splits })), ['2026-03-01 80'])
  assert.deepEqual(await told(() => spend(food, '2026-04-10', 8_000, { status: 'pending' })), ['2026-04-01 80'])
  await spend(food, '2026-05-10', -5_000)
  const refund = (await ana.get('/api/transactions?from=2026-05-01&to=2026-05-31&category=' + food)).body.data[0].id
  assert.deepEqual(await told(() => spend(food, '2026-05-11', 9_000)), [])
  assert.deepEqual(await told(() => ana.delete(`/api/transactions/${refund}`)), ['2026-05-01 80'])
})

test('a child counts for the budgets above it, and one that moves brings what it has', async () => {
  const food = await category()
  const child = await category({ parentId: await category({ parentId: food }) })
  const stranger = await category()
  await budget(food)
  assert.deepEqual(await told(() => spend(child, '2026-01-10', 8_000)), ['2026-01-01 80'])
  await spend(stranger, '2026-02-10', 10_000)
  assert.deepEqual(await told(() => ana.patch(`/api/categories/${stranger}`, { parentId: child })), ['2026-02-01 100', '2026-02-01 80'])
  // One that got more back than went out takes that along when it leaves.
  const refunds = await category({ parentId: food })
  await spend(refunds, '2026-03-01', -6_000)
  await spend(child, '2026-03-02', 9_000)
  assert.deepEqual(await told(() => ana.patch(`/api/categories/${refunds}`, { parentId: null })), ['2026-03-01 80'])
})

test("the budget's own change reaches it: a lower amount, a new level, rollover, its creation and its return", async () => {
  const food = await category()
  await spend(food, '2026-01-10', 5_000)
  let id = ''
  assert.deepEqual(
    await told(async () => {
      id = await budget(food, { alertLevels: [40, 90] })
    }),
    ['2026-01-01 40'],
  )
  assert.deepEqual(await told(() => ana.patch(`/api/budgets/${id}`, { alertLevels: [30, 40, 50, 60] })), ['2026-01-01 30', '2026-01-01 50'])
  assert.deepEqual(await told(() => ana.patch(`/api/budgets/${id}`, { note: 'x' })), [])
  // Beginning anew, its amount is that of all periods.
  assert.deepEqual(await told(() => ana.patch(`/api/budgets/${id}`, { amount: 8_000, startsOn: '2025-12-01' })), ['2026-01-01 60'])
  await spend(food, '2025-12-31', 1_000)
  const silent = await category()
  const quiet = await budget(silent, { alertLevels: [] })
  assert.deepEqual(await told(() => spend(silent, '2026-01-10', 50_000)), [])
  await ana.delete(`/api/budgets/${quiet}`)
  await spend(silent, '2026-02-10', 50_000)
  assert.deepEqual(await told(() => ana.patch(`/api/budgets/${id}`, { categoryId: silent, alertLevels: [100] })), [
    '2026-01-01 100',
    '2026-02-01 100',
  ])
})

test('an amount that is lowered in its current period is told at once', async () => {
  const food = await category()
  const id = await budget(food, { startsOn: undefined })
  const { periodStart } = (await ana.get(`/api/budgets/${id}`)).body
  await spend(food, periodStart, 5_000)
  assert.deepEqual(await told(() => ana.patch(`/api/budgets/${id}`, { amount: 5_500 })), [`${periodStart} 80`])
  assert.deepEqual(await told(() => ana.patch(`/api/budgets/${id}`, { amount: 5_000 })), [`${periodStart} 100`])
})

test('an import of many rows tells each level of each period once, and nothing that its undo and return would repeat', async () => {
  const food = await category()
  await budget(food, { amount: 1_000 })
  const values = await asRole(djinn, { household: ana.householdId, user: ana.userId }, async (run) => {
    await run(
      `insert into transactions (household_id, id, account_id, currency, date, amount, category_id)
       select $1, gen_random_uuid(), $2, 'EUR', '2026-01-01'::date + n, -100, $3 from generate_series(0, 89) n`,
      [ana.householdId, account, food],
    )
    return await run(
      'select count(*)::int as count from budget_alerts a where period_start >= $1 and level in (80, 100) and spent = 3100',
      ['2026-01-01'],
    )
  })
  // All rows of the statement are in what it tells of.
  assert.deepEqual(values, [{ count: 4 }])
  const all = async () =>
    (await inbox(ana)).filter((row) => row.data.categoryId === food).map((row) => `${row.data.period.from} ${row.data.level}`)
  const earlier = await all()
  assert.equal(earlier.length, 6)
  await asRole(djinn, { household: ana.householdId }, async (run) => {
    await run(`update transactions set deleted_at = now() where household_id = $1 and category_id = $2`, [ana.householdId, food])
    await run(`update transactions set deleted_at = null where household_id = $1 and category_id = $2`, [ana.householdId, food])
  })
  assert.deepEqual(await all(), earlier)
})

test('a bank file that is committed tells it', async () => {
  const food = await category()
  await budget(food)
  const file = 'Date,Amount,Payee\n2026-06-01,-95.00,Baker\n'
  const { body } = await ana.upload(`/api/imports?accountId=${account}`, file)
  assert.equal((await ana.post(`/api/imports/${body.id}/commit`)).status, 200)
  const { data } = (await ana.get('/api/transactions?from=2026-06-01&to=2026-06-01')).body
  // Without a category it is of no budget; with one it is.
  assert.deepEqual(await told(() => ana.patch(`/api/transactions/${data[0].id}`, { categoryId: food })), ['2026-06-01 80'])
})

test('a write that fails tells nothing', async () => {
  const food = await category()
  await budget(food)
  const work = async () => {
    const { body } = await ana.post('/api/batch', {
      operations: [
        {
          id: '1',
          method: 'POST',
          path: '/api/transactions',
          body: { accountId: account, date: '2026-03-01', amount: -9_000, categoryId: food },
        },
        { id: '2', method: 'DELETE', path: `/api/categories/${food}` },
      ],
      atomic: true,
    })
    assert.equal(body.results[1].body.code, 'in-use')
  }
  assert.deepEqual(await told(work), [])
  assert.deepEqual(await djinn.sql('select from budget_alerts a join budgets b on b.id = a.budget_id where b.category_id = $1', [food]), [])
})

test('two writes at once tell it once', async () => {
  const food = await category()
  await budget(food)
  const work = () => Promise.all(Array.from({ length: 8 }, () => spend(food, '2026-03-01', 2_000)))
  assert.deepEqual(await told(work), ['2026-03-01 100', '2026-03-01 80'])
})

test('who does not want to hear of budgets is not told', async () => {
  const food = await category()
  await budget(food)
  assert.equal((await ben.patch('/api/notifications/settings', { budgetExceeded: false })).status, 200)
  assert.deepEqual(await told(() => spend(food, '2026-03-01', 8_000), ben), [])
})

test('the books hold after all of this', () => djinn.verify())
