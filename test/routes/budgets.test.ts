// Budgets over HTTP: what is set, what a period shows, and what is refused.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { assertRefused, open, type Person, type Reply } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
let account: string
before(async () => {
  ana = await djinn.person()
  account = await ana.account()
})

async function category(draft: Record<string, unknown> = {}): Promise<string> {
  const { status, body, text } = await ana.post('/api/categories', { name: 'Food', kind: 'expense', ...draft })
  assert.equal(status, 201, text)
  return body.id
}

async function budget(draft: Record<string, unknown> = {}): Promise<Reply['body']> {
  const { status, body, text } = await ana.post('/api/budgets', {
    ...{ categoryId: draft['categoryId'] ?? (await category()), amount: 10_000, period: 'monthly', startsOn: '2026-01-01' },
    ...draft,
  })
  assert.equal(status, 201, text)
  return body
}

async function spend(categoryId: string, date: string, amount: number, more: Record<string, unknown> = {}): Promise<string> {
  const { status, body, text } = await ana.post('/api/transactions', { accountId: account, date, amount: -amount, categoryId, ...more })
  assert.equal(status, 201, text)
  return body.id
}

const on = async (id: string, day: string) => (await ana.get(`/api/budgets/${id}?on=${day}`)).body

test('a budget is set in at most three round trips, with what was left out as said', async () => {
  const categoryId = await category()
  let made: Reply | undefined
  const { roundTrips } = await djinn.count(async () => {
    made = await ana.post('/api/budgets', { categoryId, amount: 30_000, period: 'monthly' })
  })
  assert.ok(roundTrips <= 3, `${roundTrips} round trips`)
  const { status, headers, body } = made!
  assert.equal(status, 201, made!.text)
  assert.equal(headers['location'], `/api/budgets/${body.id}`)
  const [{ first, last }] = (await djinn.sql(
    `select date_trunc('month', now() at time zone 'UTC')::date::text as first,
       (date_trunc('month', now() at time zone 'UTC') + interval '1 month - 1 day')::date::text as last`,
  )) as [{ first: string; last: string }]
  assert.deepEqual(
    { ...body, id: '', createdAt: '', updatedAt: '', revision: 0 },
    {
      ...{ id: '', categoryId, name: '', amount: 30_000, currency: 'EUR', period: 'monthly', startsOn: first, rollover: false },
      ...{ alertLevels: [80, 100], note: '', periodStart: first, periodEnd: last, periodAmount: 30_000, rolledOver: 0, available: 30_000 },
      ...{
        spent: 0,
        pendingSpent: 0,
        remaining: 30_000,
        percent: 0,
        converted: false,
        unconverted: [],
        createdAt: '',
        updatedAt: '',
        revision: 0,
      },
    },
  )
  assert.deepEqual((await ana.get(`/api/budgets/${body.id}`)).body, body)
})

test('spent is what went out less what came back, of the category and all below it, pending and archived ones included', async () => {
  const food = await category()
  const out = await category({ parentId: food, archived: true })
  const lunch = await category({ parentId: out })
  const other = await category()
  const { id } = await budget({ categoryId: food })
  await spend(food, '2026-03-01', 1_000)
  await spend(out, '2026-03-15', 500, { status: 'pending' })
  await spend(lunch, '2026-03-31', 250)
  await spend(lunch, '2026-03-31', -50)
  await spend(other, '2026-03-10', 9_000)
  await spend(food, '2026-02-28', 7)
  await spend(food, '2026-04-01', 9)
  await spend(food, '2026-03-20', 300, { categoryId: undefined, splits: [{ amount: -100, categoryId: food }, { amount: -200 }] })
  const march = await on(id, '2026-03-31')
  assert.deepEqual(
    [march.periodStart, march.periodEnd, march.spent, march.pendingSpent, march.remaining, march.percent],
    ['2026-03-01', '2026-03-31', 1_800, 500, 8_200, 18],
  )
  assert.deepEqual([(await on(id, '2026-02-01')).spent, (await on(id, '2026-04-30')).spent], [7, 9])
  const refunded = await spend(food, '2026-05-02', -400)
  assert.deepEqual([(await on(id, '2026-05-31')).spent, (await on(id, '2026-05-31')).remaining], [-400, 10_400])
  await ana.delete(`/api/transactions/${refunded}`)
  assert.equal((await on(id, '2026-05-31')).spent, 0)
})

test('transfers are no spending', async () => {
  const food = await category()
  const { id } = await budget({ categoryId: food })
  const toAccountId = await ana.account({ name: 'Savings' })
  const { body } = await ana.post('/api/transfers', { fromAccountId: account, toAccountId, date: '2026-03-05', amount: 4_000 })
  assert.equal((await ana.patch(`/api/transactions/${body.from.id}`, { categoryId: food })).status, 200)
  assert.equal((await on(id, '2026-03-05')).spent, 0)
})

test('a list and a read take one statement and one round trip, whatever the number of budgets', async () => {
  const eve = await djinn.person()
  const categories = (await eve.get('/api/categories?limit=100')).body.data.filter((row: { kind: string }) => row.kind === 'expense')
  for (const row of categories.slice(0, 12)) {
    await eve.post('/api/budgets', { categoryId: row.id, amount: 100, period: 'weekly', rollover: true, startsOn: '2026-01-05' })
  }
  let list: Reply | undefined
  const listed = await djinn.count(async () => {
    list = await eve.get('/api/budgets?limit=10&on=2026-05-05')
  })
  assert.deepEqual(listed, { statements: ['budgets.list'], roundTrips: 1 })
  assert.equal(list!.body.data.length, 10)
  assert.equal(list!.body.data[0].rolledOver, 1_700)
  const behind = await eve.get(`/api/budgets?limit=10&on=2026-05-05&cursor=${list!.body.nextCursor}`)
  assert.deepEqual([behind.body.data.length, behind.body.nextCursor], [2, null])
  assertRefused(await eve.get(`/api/budgets?limit=10&on=2026-05-06&cursor=${list!.body.nextCursor}`), 400, 'invalid-cursor')
  const read = await djinn.count(() => eve.get(`/api/budgets/${list!.body.data[0].id}`))
  assert.deepEqual(read, { statements: ['budgets.read'], roundTrips: 1 })
})

test('periods begin on startsOn and each a week, a month or a year later, over leap days and the ends of years', async () => {
  const cases: [period: string, startsOn: string, on: string, from: string, to: string][] = [
    ['weekly', '2026-01-05', '2026-01-11', '2026-01-05', '2026-01-11'],
    ['weekly', '2026-01-05', '2026-01-12', '2026-01-12', '2026-01-18'],
    ['weekly', '2025-12-31', '2026-01-01', '2025-12-31', '2026-01-06'],
    ['weekly', '2024-01-04', '2024-03-01', '2024-02-29', '2024-03-06'],
    ['weekly', '2026-01-05', '2026-01-04', '2025-12-29', '2026-01-04'],
    ['monthly', '2026-01-01', '2026-02-28', '2026-02-01', '2026-02-28'],
    ['monthly', '2024-01-01', '2024-02-29', '2024-02-01', '2024-02-29'],
    ['monthly', '2026-01-31', '2026-02-27', '2026-01-31', '2026-02-27'],
    ['monthly', '2026-01-31', '2026-02-28', '2026-02-28', '2026-03-30'],
    ['monthly', '2026-01-31', '2026-03-31', '2026-03-31', '2026-04-29'],
    ['monthly', '2024-01-30', '2024-02-29', '2024-02-29', '2024-03-29'],
    ['monthly', '2025-12-15', '2026-01-14', '2025-12-15', '2026-01-14'],
    ['monthly', '2026-01-15', '2025-01-01', '2024-12-15', '2025-01-14'],
    ['yearly', '2026-01-01', '2026-12-31', '2026-01-01', '2026-12-31'],
    ['yearly', '2024-02-29', '2025-02-27', '2024-02-29', '2025-02-27'],
    ['yearly', '2024-02-29', '2025-02-28', '2025-02-28', '2026-02-27'],
    ['yearly', '2024-02-29', '2028-02-29', '2028-02-29', '2029-02-27'],
    ['yearly', '2020-07-01', '2026-06-30', '2025-07-01', '2026-06-30'],
    ['yearly', '2026-03-01', '2199-12-31', '2199-03-01', '2199-12-31'],
    ['weekly', '2026-01-05', '1900-01-01', '1900-01-01', '1900-01-07'],
  ]
  for (const [period, startsOn, day, from, to] of cases) {
    const { id } = await budget({ period, startsOn })
    const { periodStart, periodEnd } = await on(id, day)
    assert.deepEqual([periodStart, periodEnd], [from, to], `${period} from ${startsOn} on ${day}`)
  }
})

test('unless given, periods begin with the ISO week, the month and the year of the household, in its own time zone', async () => {
  // On a line of the map where it is another day at any time: they differ from each other by 25 hours.
  for (const timeZone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
    const person = await djinn.person({ timeZone })
    const row = (await person.get('/api/categories?limit=100')).body.data.find((each: { kind: string }) => each.kind === 'expense')
    const [local] = await djinn.sql<{ weekly: string; monthly: string; yearly: string; today: string }>(
      `select date_trunc('week', d)::date::text as weekly, date_trunc('month', d)::date::text as monthly,
         date_trunc('year', d)::date::text as yearly, d::date::text as today from (select now() at time zone $1 as d) x`,
      [timeZone],
    )
    for (const period of ['weekly', 'monthly', 'yearly'] as const) {
      const { status, body } = await person.post('/api/budgets', { categoryId: row.id, amount: 5, period })
      assert.deepEqual([status, body.startsOn, body.periodStart], [201, local![period], local![period]])
      assert.ok(body.periodStart <= local!.today && local!.today <= body.periodEnd)
    }
  }
})

test('rollover carries what the periods before left or overspent, from startsOn on', async () => {
  const food = await category()
  const { id } = await budget({ categoryId: food, rollover: true })
  await spend(food, '2025-12-31', 900)
  await spend(food, '2026-01-10', 4_000)
  await spend(food, '2026-02-10', 19_000)
  const figures = async (day: string) => {
    const { rolledOver, available, spent, remaining, percent } = await on(id, day)
    return [rolledOver, available, spent, remaining, percent]
  }
  assert.deepEqual(await figures('2026-01-31'), [0, 10_000, 4_000, 6_000, 40])
  assert.deepEqual(await figures('2026-02-01'), [6_000, 16_000, 19_000, -3_000, 118])
  assert.deepEqual(await figures('2026-03-01'), [-3_000, 7_000, 0, 7_000, 0])
  assert.deepEqual(await figures('2026-05-01'), [17_000, 27_000, 0, 27_000, 0])
  // Before the first period nothing is carried.
  assert.deepEqual(await figures('2025-12-01'), [0, 10_000, 900, 9_100, 9])
  await spend(food, '2026-02-20', 20_000)
  assert.deepEqual(await figures('2026-03-01'), [-23_000, -13_000, 0, -13_000, null])
  assert.equal((await ana.patch(`/api/budgets/${id}`, { rollover: false })).status, 200)
  assert.deepEqual(await figures('2026-03-01'), [0, 10_000, 0, 10_000, 0])
})

test('rollover looks 60 periods back and no further', async () => {
  const { id } = await budget({ rollover: true, period: 'weekly', startsOn: '2020-01-06', amount: 10 })
  assert.equal((await on(id, '2020-01-13')).rolledOver, 10)
  assert.equal((await on(id, '2021-03-01')).rolledOver, 600)
  assert.equal((await on(id, '2026-01-05')).rolledOver, 600)
})

test('a changed amount holds from the current period on, and the periods before keep theirs', async () => {
  const food = await category()
  const { id, startsOn } = await budget({ categoryId: food, amount: 1_000, rollover: true, startsOn: '2020-01-01' })
  const [{ today, last, next }] = (await djinn.sql(
    `select d::date::text as today, (d - interval '1 month')::date::text as last, (d + interval '1 month')::date::text as next
     from (select date_trunc('month', now() at time zone 'UTC') as d) x`,
  )) as [{ today: string; last: string; next: string }]
  const changed = await ana.patch(`/api/budgets/${id}`, { amount: 2_500 })
  assert.deepEqual([changed.body.amount, changed.body.periodAmount, changed.body.rolledOver], [2_500, 2_500, 60_000])
  const was = await on(id, last)
  assert.deepEqual([was.amount, was.periodAmount, was.available], [2_500, 1_000, 61_000])
  assert.equal((await on(id, next)).available, 59 * 1_000 + 2_500 + 2_500)
  assert.equal((await on(id, startsOn)).available, 1_000)
  // Changed again in the same period: one amount a period.
  assert.equal((await ana.patch(`/api/budgets/${id}`, { amount: 700 })).body.periodAmount, 700)
  assert.equal((await on(id, today)).available, 60_700)
  assert.equal((await on(id, last)).periodAmount, 1_000)
  // With other periods it begins anew.
  const anew = await ana.patch(`/api/budgets/${id}`, { period: 'yearly' })
  assert.deepEqual([anew.body.period, anew.body.periodAmount], ['yearly', 700])
  assert.equal((await on(id, '2021-01-01')).rolledOver, 700)
})

test('the amount of a budget that begins later is that of its first period', async () => {
  const { id } = await budget({ startsOn: '2190-01-01', amount: 100 })
  assert.equal((await ana.patch(`/api/budgets/${id}`, { amount: 300 })).body.periodAmount, 300)
  assert.deepEqual([(await on(id, '2190-01-01')).available, (await on(id, '2190-02-01')).available], [300, 300])
})

test('the same id with the same content answers the budget that is there, whatever day or currency was meant; other content is refused', async () => {
  const sent = { id: newId(), categoryId: await category(), amount: 700, period: 'monthly', alertLevels: [100, 50, 100] }
  const first = await ana.post('/api/budgets', sent)
  assert.deepEqual([first.status, first.body.alertLevels], [201, [50, 100]])
  const again = await ana.post('/api/budgets', sent)
  assert.deepEqual([again.status, again.body], [200, first.body])
  for (const other of [
    { amount: 701 },
    { period: 'weekly' },
    { alertLevels: [50] },
    { rollover: true },
    { currency: 'USD' },
    { note: 'x' },
  ]) {
    assertRefused(await ana.post('/api/budgets', { ...sent, ...other }), 409, 'already-exists', '/id')
  }
})

test('a category has one budget for each kind of period and currency', async () => {
  const categoryId = await category()
  const first = await budget({ categoryId })
  for (const other of [{ period: 'weekly' }, { period: 'yearly' }, { currency: 'USD' }]) await budget({ categoryId, ...other })
  const draft = { categoryId, amount: 5, period: 'monthly' }
  assertRefused(await ana.post('/api/budgets', draft), 409, 'already-exists', '/categoryId')
  const usd = (await ana.get('/api/budgets?limit=100')).body.data.find(
    (row: { categoryId: string; currency: string }) => row.categoryId === categoryId && row.currency === 'USD',
  )
  assertRefused(await ana.patch(`/api/budgets/${usd.id}`, { currency: 'EUR' }), 409, 'already-exists', '/categoryId')
  assert.equal((await ana.delete(`/api/budgets/${first.id}`)).status, 204)
  assert.equal((await ana.post('/api/budgets', draft)).status, 201)
  assertRefused(await ana.post(`/api/budgets/${first.id}/restore`), 409, 'already-exists', '/categoryId')
})

test('a budget is of an expense category of the household', async () => {
  const salary = await category({ kind: 'income' })
  const draft = { amount: 5, period: 'monthly' }
  const food = await category()
  const { id } = await budget({ categoryId: food })
  assertRefused(await ana.post('/api/budgets', { ...draft, categoryId: salary }), 422, 'category-kind-mismatch', '/categoryId')
  assertRefused(await ana.patch(`/api/budgets/${id}`, { categoryId: salary }), 422, 'category-kind-mismatch', '/categoryId')
  assertRefused(await ana.patch(`/api/categories/${food}`, { kind: 'income' }), 422, 'category-kind-mismatch', '/kind')
  for (const categoryId of [newId(), await gone()]) {
    assertRefused(await ana.post('/api/budgets', { ...draft, categoryId }), 404, 'category-not-found', '/categoryId')
    assertRefused(await ana.patch(`/api/budgets/${id}`, { categoryId }), 404, 'category-not-found', '/categoryId')
  }
  async function gone() {
    const deleted = await category()
    assert.equal((await ana.delete(`/api/categories/${deleted}`)).status, 204)
    return deleted
  }
})

test('a category with a budget is in use; the budget comes back only with its category', async () => {
  const food = await category()
  const { id } = await budget({ categoryId: food })
  assertRefused(await ana.delete(`/api/categories/${food}`), 409, 'in-use')
  assert.equal((await ana.delete(`/api/budgets/${id}`)).status, 204)
  assert.equal((await ana.delete(`/api/categories/${food}`)).status, 204)
  assertRefused(await ana.post(`/api/budgets/${id}/restore`), 404, 'category-not-found', '/categoryId')
  await ana.post(`/api/categories/${food}/restore`)
  assert.equal((await ana.patch(`/api/categories/${food}`, { kind: 'income' })).status, 200)
  assertRefused(await ana.post(`/api/budgets/${id}/restore`), 422, 'category-kind-mismatch', '/categoryId')
  await ana.patch(`/api/categories/${food}`, { kind: 'expense' })
  assert.equal((await ana.post(`/api/budgets/${id}/restore`)).body.id, id)
})

test('a deleted budget is gone until it is restored', async () => {
  const was = await budget({ name: 'Meals', note: 'for two', rollover: true })
  assert.equal((await ana.delete(`/api/budgets/${was.id}`)).status, 204)
  assert.equal((await ana.delete(`/api/budgets/${was.id}`)).status, 204)
  assertRefused(await ana.get(`/api/budgets/${was.id}`), 404, 'not-found')
  assertRefused(await ana.patch(`/api/budgets/${was.id}`, { amount: 1 }), 409, 'deleted')
  const { body } = await ana.post(`/api/budgets/${was.id}/restore`)
  assert.deepEqual(body, { ...was, updatedAt: body.updatedAt, revision: body.revision })
  assertRefused(await ana.post(`/api/budgets/${was.id}/restore`), 409, 'not-deleted')
})

test('a field of the wrong kind, or one that is derived, is refused at its place', async () => {
  const { id, categoryId } = await budget()
  const wrong: [string, unknown][] = [
    ['/amount', 0],
    ['/amount', -5],
    ['/amount', 1.5],
    ['/period', 'daily'],
    ['/startsOn', '2026-02-30'],
    ['/currency', 'XXX'],
    ['/rollover', 'yes'],
    ['/alertLevels/0', 0],
    ['/alertLevels/1', 1_001],
    ['/alertLevels', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    ['/name', 'x'.repeat(101)],
    ['/spent', 5],
    ['/categoryId', null],
  ]
  for (const [pointer, value] of wrong) {
    const name = pointer.split('/')[1]!
    const field = { [name]: pointer === '/alertLevels/0' ? [value] : pointer === '/alertLevels/1' ? [50, value] : value }
    const draft = { categoryId, amount: 5, period: 'yearly' }
    assertRefused(await ana.post('/api/budgets', { ...draft, ...field }), 400, 'invalid-request', pointer)
    assertRefused(await ana.patch(`/api/budgets/${id}`, field), 400, 'invalid-request', pointer)
  }
  assertRefused(await ana.get('/api/budgets?on=2026-02-30'), 400, 'invalid-request')
})

test('amounts as large as money can be stay within what an answer can say', async () => {
  const food = await category()
  const most = Number.MAX_SAFE_INTEGER
  const { id } = await budget({ categoryId: food, amount: most, rollover: true, period: 'weekly', startsOn: '2026-01-05' })
  const late = await on(id, '2026-06-01')
  assert.deepEqual([late.rolledOver, late.available, late.remaining], [most, most, most])
  const other = await budget({ categoryId: food, amount: 1, period: 'yearly' })
  for (const month of ['03', '04']) {
    // A month of a category holds no more, a year may.
    await spend(food, `2026-${month}-01`, most, { accountId: await ana.account({ openingBalance: most }) })
  }
  const year = await on(other.id, '2026-03-01')
  assert.deepEqual([year.spent, year.remaining, year.percent], [most, 1 - most, most])
})

test('an offline change merges with others, and is refused where they changed the same', async () => {
  const { id, revision } = await budget()
  await ana.patch(`/api/budgets/${id}`, { amount: 20_000 })
  const merged = await ana.patch(`/api/budgets/${id}`, { note: 'mine', baseRevision: revision })
  assert.deepEqual([merged.status, merged.body.amount, merged.body.note], [200, 20_000, 'mine'])
  const refused = await ana.patch(`/api/budgets/${id}`, { amount: 30_000, baseRevision: revision })
  assertRefused(refused, 409, 'conflict', '/amount')
  assert.equal(refused.body.current.amount, 20_000)
  const { headers } = await ana.get(`/api/budgets/${id}`)
  await ana.patch(`/api/budgets/${id}`, { note: 'later' })
  assertRefused(await ana.patch(`/api/budgets/${id}`, { note: 'stale' }, { 'if-match': headers['etag']! }), 412, 'precondition-failed')
})

test('a repeat under its key answers the same; a PATCH of it is done once', async () => {
  const draft = { categoryId: await category(), amount: 5, period: 'weekly' }
  const first = await ana.post('/api/budgets', draft, { 'idempotency-key': 'budget-1' })
  const again = await ana.post('/api/budgets', draft, { 'idempotency-key': 'budget-1' })
  assert.deepEqual([again.status, again.headers['idempotency-replayed'], again.body], [201, 'true', first.body])
})

test('an unchanged list is 304, any write of the household ends that, and each day asked for has its own tag', async () => {
  const food = await category()
  const { id } = await budget({ categoryId: food })
  for (const path of ['/api/budgets?on=2026-03-01', `/api/budgets/${id}?on=2026-03-01`]) {
    const { headers } = await ana.get(path)
    assert.equal((await ana.get(path, { 'if-none-match': headers['etag']! })).status, 304)
    assert.equal((await ana.get(path.replace('-01', '-02'), { 'if-none-match': headers['etag']! })).status, 200)
    await spend(food, '2026-03-01', 5)
    assert.equal((await ana.get(path, { 'if-none-match': headers['etag']! })).status, 200)
  }
})

test('spending in other currencies is converted by the rates of its days, and a new rate ends a 304', async () => {
  const food = await category()
  const usd = await ana.account({ currency: 'USD' })
  const gbp = await ana.account({ currency: 'GBP' })
  const { id } = await budget({ categoryId: food })
  await djinn.sql(
    `insert into exchange_rates (currency, day, rate, source) values ('USD', '2026-03-02', 1.25, 'test'), ('USD', '2026-03-20', 2, 'test')`,
  )
  await spend(food, '2026-03-02', 1_000)
  await spend(food, '2026-03-12', 1_001, { accountId: usd })
  await spend(food, '2026-03-13', 500, { accountId: usd })
  await spend(food, '2026-03-21', 1_001, { accountId: usd, status: 'pending' })
  await spend(food, '2026-03-21', 70, { accountId: gbp })
  const march = await on(id, '2026-03-31')
  // 1,001 by 1.25 is 800.8, 1,001 by 2 is 500.5: rounded half away from zero. The 13th is 11 days after the last rate.
  assert.deepEqual([march.spent, march.pendingSpent, march.converted, march.unconverted], [1_000 + 801 + 501, 501, true, ['GBP', 'USD']])
  for (const path of [`/api/budgets/${id}?on=2026-03-31`, '/api/budgets?limit=100&on=2026-03-31']) {
    const { headers } = await ana.get(path)
    assert.equal((await ana.get(path, { 'if-none-match': headers['etag']! })).status, 304)
    await djinn.sql(`insert into exchange_rates (currency, day, rate, source) values ('GBP', '2026-03-20', 0.7, 'test')
      on conflict (currency, day) do update set rate = 0.35`)
    assert.equal((await ana.get(path, { 'if-none-match': headers['etag']! })).status, 200)
  }
  assert.deepEqual([(await on(id, '2026-03-31')).spent, (await on(id, '2026-03-31')).unconverted], [2_302 + 200, ['USD']])
  const { headers } = await ana.get(`/api/budgets/${id}?on=2026-03-31`)
  assert.equal((await ana.patch(`/api/budgets/${id}`, { note: 'x' }, { 'if-match': headers['etag']! })).status, 200)
  assertRefused(await ana.patch(`/api/budgets/${id}`, { note: 'y' }, { 'if-match': headers['etag']! }), 412, 'precondition-failed')
})

test('fields are chosen, a slow network gets the essential ones, a fast one the categories too', async () => {
  const { id, categoryId } = await budget()
  assert.deepEqual((await ana.get(`/api/budgets/${id}?fields=id,remaining&on=2026-01-01`)).body, { id, remaining: 10_000 })
  assertRefused(await ana.get(`/api/budgets/${id}?fields=left`), 400, 'invalid-request')
  const slow = await ana.get(`/api/budgets/${id}`, { 'djinn-network': 'slow' })
  assert.equal(slow.headers['djinn-quality'], 'essential')
  assert.deepEqual(Object.keys(slow.body).includes('unconverted'), false)
  const fast = await ana.get('/api/budgets?limit=100', { 'djinn-network': 'fast' })
  assert.ok(fast.body.included.categories.some((row: { id: string }) => row.id === categoryId))
})

test('a batch sets a budget and reads it', async () => {
  const id = newId()
  const { body } = await ana.post('/api/batch', {
    operations: [
      { id: '1', method: 'POST', path: '/api/budgets', body: { id, categoryId: await category(), amount: 9, period: 'monthly' } },
      { id: '2', method: 'GET', path: `/api/budgets/${id}` },
    ],
    atomic: true,
  })
  assert.deepEqual(
    body.results.map((step: { status: number; body: { amount: number } }) => [step.status, step.body.amount]),
    [
      [201, 9],
      [200, 9],
    ],
  )
})

test('a household has at most 200 budgets', async () => {
  const eve = await djinn.person()
  await djinn.sql(
    `select set_config('djinn.household', '${eve.householdId}', true);
     insert into categories (household_id, id, name, kind) select '${eve.householdId}', gen_random_uuid(), 'Many', 'expense' from generate_series(1, 201);
     insert into budgets (household_id, id, category_id, amount, period)
       select household_id, gen_random_uuid(), id, 5, 'monthly' from categories where household_id = '${eve.householdId}' and name = 'Many' limit 199`,
  )
  const free = await djinn.sql<{ id: string }>(
    `select id from categories c where household_id = $1 and name = 'Many'
     and not exists (select from budgets b where b.household_id = c.household_id and b.category_id = c.id)`,
    [eve.householdId],
  )
  const [first, second] = free.map(({ id }) => ({ categoryId: id, amount: 5, period: 'monthly' }))
  assert.equal((await eve.post('/api/budgets', first)).status, 201)
  assertRefused(await eve.post('/api/budgets', second), 409, 'limit-reached')
})

test('the books hold after all of this', () => djinn.verify())
