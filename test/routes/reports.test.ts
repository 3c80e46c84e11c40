// Reports: spending, cash flow and net worth, in the base currency by dated rates.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { assertRefused, open, type Person } from '../harness.ts'
import { asRole } from '../database/app-role.ts'
import { setRole } from './replica.ts'

const djinn = await open()
after(() => djinn.close())

const addRates = (rates: [string, string, string][]) =>
  asRole(djinn, { role: 'djinn_keeper' }, (run) =>
    run(
      `insert into exchange_rates (currency, day, rate, source) select c, d, r::numeric, 'test' from unnest($1::text[], $2::date[], $3::text[]) g (c, d, r)`,
      [rates.map(([currency]) => currency), rates.map(([, day]) => day), rates.map(([, , rate]) => rate)],
    ),
  )

before(() =>
  addRates([
    ['USD', '2026-01-02', '1.25'],
    ['USD', '2026-01-30', '1.3'],
    ['USD', '2026-02-02', '1.6'],
    ['JPY', '2026-01-30', '160'],
  ]),
)

const category = async (person: Person, name: string, kind: 'expense' | 'income', parentId?: string): Promise<string> =>
  (await person.post('/api/categories', { name, kind, ...(parentId === undefined ? {} : { parentId }) })).body.id

const add = async (person: Person, accountId: string, date: string, amount: number, draft: object = {}): Promise<string> => {
  const { status, body, text } = await person.post('/api/transactions', { accountId, date, amount, ...draft })
  assert.equal(status, 201, text)
  return body.id
}

const read = async (person: Person, path: string) => {
  const reply = await person.get(`/api/reports/${path}`)
  assert.equal(reply.status, 200, reply.text)
  return reply.body
}

/** A household with a little of everything in January and February 2026. */
async function furnished() {
  const ana = await djinn.person()
  const current = await ana.account({ openingBalance: 100_000 })
  const card = await ana.account({ name: 'Card', kind: 'creditCard' })
  const food = await category(ana, 'Food', 'expense')
  const coffee = await category(ana, 'Coffee', 'expense', food)
  const pay = await category(ana, 'Pay', 'income')
  await add(ana, current, '2026-01-05', -5_000, { categoryId: food })
  await add(ana, current, '2026-01-06', 1_000, { categoryId: food, payee: 'Refund' })
  await add(ana, card, '2026-01-07', -300, { categoryId: coffee })
  await add(ana, card, '2026-02-01', -200, { categoryId: coffee, status: 'pending' })
  await add(ana, current, '2026-02-03', -900, { splits: [{ amount: -600, categoryId: food }, { amount: -300 }] })
  await add(ana, current, '2026-01-31', 250_000, { categoryId: pay })
  await add(ana, current, '2026-02-04', 70)
  await ana.post('/api/transfers', { fromAccountId: current, toAccountId: card, date: '2026-01-20', amount: 300 })
  return { ana, current, card, food, coffee, pay }
}

const range = 'from=2026-01&to=2026-02'

test('spending is by month and category, net of refunds, without transfers and income', async () => {
  const { ana, food, coffee } = await furnished()
  const body = await read(ana, `spending?${range}`)
  const cells = body.data.map((row: Record<string, unknown>) => [
    row['month'],
    row['categoryId'],
    row['amount'],
    row['pending'],
    row['count'],
  ])
  assert.deepEqual(
    new Set(cells.map(String)),
    new Set(
      [
        ['2026-01', food, 4_000, 0, 2],
        ['2026-01', coffee, 300, 0, 1],
        ['2026-02', coffee, 200, 200, 1],
        ['2026-02', food, 600, 0, 1],
        ['2026-02', null, 300, 0, 2],
      ].map(String),
    ),
  )
  assert.equal(body.data.at(-1).categoryId, null, 'what has no category comes last in its month')
  assert.deepEqual(body.total, { amount: 5_400, pending: 200, count: 7 })
  assert.deepEqual([body.currency, body.from, body.to, body.rates, body.unconverted], ['EUR', '2026-01', '2026-02', [], []])
})

test('a category has its own sum and that with all below it, and the largest comes first', async () => {
  const { ana, food, coffee } = await furnished()
  const { categories } = await read(ana, `spending?${range}`)
  assert.deepEqual(categories, [
    { categoryId: food, parentId: null, amount: 4_600, pending: 0, count: 3, withChildren: { amount: 5_100, pending: 200, count: 5 } },
    { categoryId: coffee, parentId: food, amount: 500, pending: 200, count: 2, withChildren: { amount: 500, pending: 200, count: 2 } },
    { categoryId: null, parentId: null, amount: 300, pending: 0, count: 2, withChildren: { amount: 300, pending: 0, count: 2 } },
  ])
})

test('a category above, without money of its own, is there for what is below it', async () => {
  const ana = await djinn.person()
  const above = await category(ana, 'Car', 'expense')
  const below = await category(ana, 'Fuel', 'expense', above)
  await add(ana, await ana.account(), '2026-01-05', -40, { categoryId: below })
  const { categories } = await read(ana, 'spending?from=2026-01&to=2026-01&by=month')
  assert.deepEqual(
    new Map(
      categories.map((row: { categoryId: string; amount: number; withChildren: { amount: number } }) => [
        row.categoryId,
        [row.amount, row.withChildren.amount],
      ]),
    ),
    new Map([
      [above, [0, 40]],
      [below, [40, 40]],
    ]),
  )
})

test('spending by month has every month, and by category no months; both come to the same total', async () => {
  const { ana, food, coffee } = await furnished()
  const [both, byMonth, byCategory] = await Promise.all(
    ['', '&by=month', '&by=category'].map((by) => read(ana, `spending?from=2025-12&to=2026-02${by}`)),
  )
  assert.deepEqual(byMonth.data, [
    { month: '2025-12', amount: 0, pending: 0, count: 0 },
    { month: '2026-01', amount: 4_300, pending: 0, count: 3 },
    { month: '2026-02', amount: 1_100, pending: 200, count: 4 },
  ])
  assert.deepEqual(
    new Map(byCategory.data.map((row: Record<string, unknown>) => [row['categoryId'], row['amount']])),
    new Map<unknown, unknown>([
      [food, 4_600],
      [coffee, 500],
      [null, 300],
    ]),
  )
  assert.ok(byCategory.data.every((row: object) => !('month' in row)))
  assert.deepEqual([byMonth.total, byCategory.total], [both.total, both.total])
})

test('pending rows are left out when asked', async () => {
  const { ana } = await furnished()
  const { total } = await read(ana, `spending?${range}&pending=exclude`)
  assert.deepEqual([total.amount, total.pending], [5_200, 0])
})

test('income less expenses is what flowed, money without a category included', async () => {
  const { ana, pay } = await furnished()
  const income = await read(ana, `spending?${range}&kind=income&pending=exclude`)
  assert.deepEqual(
    income.data.map((row: Record<string, unknown>) => [row['month'], row['categoryId'], row['amount']]),
    [
      ['2026-01', pay, 250_000],
      ['2026-02', null, 70],
    ],
  )
  const expenses = await read(ana, `spending?${range}&pending=exclude`)
  const flow = await read(ana, `cash-flow?${range}`)
  assert.equal(income.total.amount - expenses.total.amount, flow.total.net)
})

test('cash flow has every month with what came in, went out and is pending; transfers are no part of it', async () => {
  const { ana } = await furnished()
  const body = await read(ana, 'cash-flow?from=2025-12&to=2026-02')
  const none = { inflow: 0, outflow: 0, net: 0 }
  assert.deepEqual(body.data, [
    { month: '2025-12', ...none, pending: none, count: 0 },
    { month: '2026-01', inflow: 251_000, outflow: -5_300, net: 245_700, pending: none, count: 4 },
    { month: '2026-02', inflow: 70, outflow: -900, net: -830, pending: { inflow: 0, outflow: -200, net: -200 }, count: 4 },
  ])
  assert.deepEqual(body.total, {
    inflow: 251_070,
    outflow: -6_200,
    net: 244_870,
    pending: { inflow: 0, outflow: -200, net: -200 },
    count: 8,
  })
})

test('spending of one account is in its own currency, whatever the rates', async () => {
  const ana = await djinn.person()
  const [dollars, euros] = [await ana.account({ currency: 'USD' }), await ana.account()]
  await add(ana, dollars, '2010-05-05', -70)
  await add(ana, euros, '2010-05-05', -5)
  const body = await read(ana, `spending?from=2010-05&to=2010-06&account=${dollars}`)
  assert.deepEqual([body.currency, body.total.amount, body.unconverted, body.rates], ['USD', 70, [], []])
  const { total } = await read(ana, `spending?from=2010-05&to=2010-06&account=${euros}`)
  assert.equal(total.amount, 5)
})

test('foreign money is converted by the rate of each day, and a cell is rounded once', async () => {
  const ana = await djinn.person()
  const [dollars, euros] = [await ana.account({ currency: 'USD' }), await ana.account()]
  // 1 / 1.25 = 0.8 each: two of them are 1.6, rounded once to 2, where 1 + 1 would be 2 and 0.8 three times 2.4 -> 2, not 3.
  for (const day of ['2026-01-02', '2026-01-03', '2026-01-05']) await add(ana, dollars, day, -1)
  await add(ana, dollars, '2026-01-31', -130)
  await add(ana, euros, '2026-01-31', -7)
  const body = await read(ana, 'spending?from=2026-01&to=2026-01')
  assert.deepEqual(body.data, [{ month: '2026-01', categoryId: null, amount: 102 + 7, pending: 0, count: 5 }])
  assert.deepEqual(body.rates, [{ currency: 'USD', from: '2026-01-02', to: '2026-01-30', count: 2 }])
})

test('what has no rate is told and never guessed: neither a later one nor one older than ten days', async () => {
  const ana = await djinn.person()
  const dollars = await ana.account({ currency: 'USD' })
  await add(ana, dollars, '2026-01-01', -500)
  await add(ana, dollars, '2026-01-12', -125)
  await add(ana, dollars, '2026-01-13', 900, { status: 'pending' })
  await add(ana, dollars, '2026-01-14', -40)
  const body = await read(ana, 'spending?from=2026-01&to=2026-01')
  assert.deepEqual(body.data, [{ month: '2026-01', categoryId: null, amount: 100, pending: 0, count: 1 }])
  assert.deepEqual(body.unconverted, [
    { month: '2026-01', currency: 'USD', from: '2026-01-01', to: '2026-01-14', amount: 540, pending: 0, count: 3 },
  ])
  const flow = await read(ana, 'cash-flow?from=2026-01&to=2026-01')
  assert.deepEqual(flow.unconverted, [
    {
      month: '2026-01',
      currency: 'USD',
      from: '2026-01-01',
      to: '2026-01-14',
      inflow: 0,
      outflow: -540,
      net: -540,
      pending: { inflow: 900, outflow: 0, net: 900 },
      count: 3,
    },
  ])
})

test('the base currency may be a foreign one of few minor digits: both rates are of the day', async () => {
  const ana = await djinn.person({ currency: 'JPY' })
  const dollars = await ana.account({ currency: 'USD', openingBalance: 1_300 })
  await add(ana, dollars, '2026-01-30', -26)
  const { total, rates } = await read(ana, 'spending?from=2026-01&to=2026-01')
  // 0.26 USD at 1.3 is 0.20 EUR, at 160 JPY each 32 JPY, which has no minor digits.
  assert.equal(total.amount, 32)
  assert.deepEqual(rates, [
    { currency: 'JPY', from: '2026-01-30', to: '2026-01-30', count: 1 },
    { currency: 'USD', from: '2026-01-30', to: '2026-01-30', count: 1 },
  ])
})

test('net worth is what is owned and owed at the end of each month, each balance by the rate of its day', async () => {
  const { ana } = await furnished()
  const dollars = await ana.account({ name: 'Dollars', kind: 'savings', currency: 'USD', openingBalance: 1_600 })
  const body = await read(ana, 'net-worth?from=2026-01&to=2026-02')
  assert.deepEqual(body.data, [
    {
      date: '2026-01-31',
      assets: 100_000 - 5_000 + 1_000 + 250_000 - 300 + 1_231,
      liabilities: 0,
      net: 345_700 + 1_231,
      kinds: [
        { kind: 'checking', amount: 345_700 },
        { kind: 'creditCard', amount: 0 },
        { kind: 'savings', amount: 1_231 },
      ],
    },
    {
      date: '2026-02-28',
      assets: 345_700 - 900 + 70,
      liabilities: 0,
      net: 344_870,
      kinds: [
        { kind: 'checking', amount: 344_870 },
        { kind: 'creditCard', amount: 0 },
      ],
    },
  ])
  // The last rate of February is 26 days old at its end.
  assert.deepEqual(body.unconverted, [{ date: '2026-02-28', currency: 'USD', amount: 1_600 }])
  assert.deepEqual(body.rates, [{ currency: 'USD', day: '2026-01-30', rate: '1.3' }])
  assert.ok(dollars)
})

test('net worth in the month of today is of today, in the time zone of the household, without what is dated later', async () => {
  const east = await djinn.person({ timeZone: 'Pacific/Kiritimati' })
  const west = await djinn.person({ timeZone: 'Pacific/Pago_Pago' })
  for (const person of [east, west]) {
    const zone = person === east ? 'Pacific/Kiritimati' : 'Pacific/Pago_Pago'
    const today = Temporal.Now.plainDateISO(zone)
    const account = await person.account({ openingBalance: -10 })
    await add(person, account, today.toString(), -1)
    await add(person, account, today.add({ days: 1 }).toString(), -100)
    await add(person, account, today.add({ months: 3 }).toString(), -1_000)
    const { data, to } = await read(person, 'net-worth')
    assert.equal(to, today.toString().slice(0, 7))
    assert.deepEqual([data.length, data.at(-1).date, data.at(-1).net, data.at(-1).liabilities], [12, today.toString(), -11, -11])
    const ahead = today.add({ months: 4 }).toString().slice(0, 7)
    assert.equal((await read(person, `net-worth?from=${ahead}&to=${ahead}`)).data[0].net, -1_111)
  }
})

test('unless told otherwise a report is of the 12 months up to now', async () => {
  const ana = await djinn.person({ timeZone: 'UTC' })
  const now = Temporal.Now.plainDateISO('UTC').toPlainYearMonth()
  for (const path of ['spending?by=month', 'cash-flow', 'net-worth']) {
    const { data, from, to } = await read(ana, path)
    assert.deepEqual([data.length, from, to], [12, now.subtract({ months: 11 }).toString(), now.toString()], path)
  }
  const early = await read(ana, 'cash-flow?to=1900-03')
  assert.deepEqual([early.from, early.data.length], ['1900-01', 3])
  assert.equal((await read(ana, 'cash-flow?from=2199-12&to=2199-12')).data.length, 1)
})

test('what makes no sense is refused where it stands', async () => {
  const ana = await djinn.person()
  const refuse = async (path: string, pointer: string, code: string) => {
    const reply = await ana.get(`/api/reports/${path}`)
    assertRefused(reply, 400, 'invalid-request', pointer)
    assert.equal(reply.body.errors[0].code, code, path)
  }
  await refuse('spending?from=2026-02&to=2026-01', '?from', 'out-of-range')
  await refuse('spending?from=2024-01&to=2026-01', '?from', 'out-of-range')
  await refuse('cash-flow?from=2024-01&to=2026-01', '?from', 'out-of-range')
  await refuse('net-worth?from=2021-01&to=2026-01', '?from', 'out-of-range')
  await refuse('net-worth?from=2026-13', '?from', 'malformed-month')
  await refuse('cash-flow?to=2026-1', '?to', 'malformed-month')
  await refuse('cash-flow?to=2200-01', '?to', 'malformed-month')
  await refuse('cash-flow?to=2026-01-01', '?to', 'malformed-month')
  await refuse('spending?by=day', '?by', 'not-a-choice')
  await refuse('spending?kind=transfer', '?kind', 'not-a-choice')
  await refuse('spending?account=mine', '?account', 'malformed-id')
  await refuse('cash-flow?account=mine', '?account', 'unknown-field')
  await refuse('spending?from=2026-01&from=2026-02', '?from', 'repeated')
})

test("another household's account is answered like a missing one", async () => {
  const [ana, ben] = [await djinn.person(), await djinn.person()]
  const foreign = await ben.account()
  const gone = await ana.account()
  await ana.delete(`/api/accounts/${gone}`)
  for (const path of ['spending', 'balance']) {
    const missing = await ana.get(`/api/reports/${path}?account=${newId()}`)
    assertRefused(missing, 404, 'account-not-found', '?account')
    for (const id of [foreign, gone]) {
      const reply = await ana.get(`/api/reports/${path}?account=${id}`)
      assert.deepEqual([reply.status, reply.body.code, reply.body.detail], [404, 'account-not-found', missing.body.detail])
    }
  }
})

test('reports of a household show nothing of another, and take the role viewer', async () => {
  const { ana, current } = await furnished()
  const ben = await djinn.person()
  assert.equal((await read(ben, `spending?${range}`)).total.count, 0)
  assert.deepEqual((await read(ben, 'balance')).data, [])
  await setRole(djinn, ana.householdId, ben.userId, 'viewer')
  const seen = await ben.get(`/api/reports/spending?${range}&account=${current}`, { 'djinn-household': ana.householdId })
  assert.deepEqual([seen.status, seen.body.total?.amount], [200, 4_000 + 900], seen.text)
})

test('a sum that JSON cannot hold exactly is refused, not rounded', async () => {
  const ana = await djinn.person()
  const most = Number.MAX_SAFE_INTEGER
  const [one, other] = [await ana.account(), await ana.account()]
  await add(ana, one, '2026-01-05', most, { categoryId: await category(ana, 'Pay', 'income') })
  assert.equal((await read(ana, 'cash-flow?from=2026-01&to=2026-01')).total.inflow, most)
  await add(ana, other, '2026-01-05', most, { categoryId: await category(ana, 'Gift', 'income') }).catch(() => {})
  for (const path of [
    'cash-flow?from=2026-01&to=2026-01',
    'spending?kind=income&from=2026-01&to=2026-01',
    'net-worth?from=2026-01&to=2026-01',
    'balance?date=2026-01-31',
  ]) {
    assertRefused(await ana.get(`/api/reports/${path}`), 422, 'amount-out-of-range')
  }
})

test('an unchanged report is 304 from the revision alone, until something is written', async () => {
  const { ana, current } = await furnished()
  for (const path of [`spending?${range}`, `cash-flow?${range}`, 'net-worth', 'balance?date=2026-01-31']) {
    const first = await ana.get(`/api/reports/${path}`)
    const tag = { 'if-none-match': first.headers['etag']! }
    const counted = await djinn.count(async () => assert.equal((await ana.get(`/api/reports/${path}`, tag)).status, 304))
    assert.ok(counted.statements.includes('revisions.read') && !counted.statements.some((name) => name.startsWith('reports.')), path)
  }
  const { headers } = await ana.get(`/api/reports/spending?${range}`)
  await add(ana, current, '2026-02-05', -1)
  assert.equal((await ana.get(`/api/reports/spending?${range}`, { 'if-none-match': headers['etag']! })).status, 200)
})

test('a report with foreign money has a tag of its content, because a rate comes without a revision', async () => {
  for (const [currency, path] of Object.entries({
    GBP: 'spending?from=2026-01&to=2026-01',
    CHF: 'balance?date=2026-01-31',
    SEK: 'net-worth?from=2026-01&to=2026-01',
  })) {
    const ana = await djinn.person()
    await add(ana, await ana.account({ currency }), '2026-01-31', -80)
    const without = await ana.get(`/api/reports/${path}`)
    assert.equal(without.body.unconverted.length, 1, path)
    const tag = { 'if-none-match': without.headers['etag']! }
    assert.equal((await ana.get(`/api/reports/${path}`, tag)).status, 304, path)
    await addRates([[currency, '2026-01-29', '0.8']])
    const withRate = await ana.get(`/api/reports/${path}`, tag)
    assert.deepEqual([withRate.status, withRate.body.unconverted], [200, []], path)
  }
})

test('a report takes one statement, and a second for rates when there is foreign money', async () => {
  const { ana } = await furnished()
  /** What it asks of the household; a session that has just begun may be looked up beside it. */
  const sentFor = async (path: string) =>
    (await djinn.count(() => read(ana, path))).statements
      .filter((name) => /^(reports|rates)\./.test(name))
      .map((name) => name.split('.')[0])
  const paths = [`spending?${range}`, `cash-flow?${range}`, 'net-worth', 'balance', 'balance?knownAt=2026-01-31T00:00:00Z']
  for (const path of paths) assert.deepEqual(await sentFor(path), ['reports'], path)
  const dollars = await ana.account({ currency: 'USD', openingBalance: 5 })
  await add(ana, dollars, '2026-01-05', -8)
  for (const path of paths.slice(0, 4)) assert.deepEqual(await sentFor(path), ['reports', 'rates'], path)
})

test('reports are steps of a batch like any other', async () => {
  const { ana, current } = await furnished()
  const { body } = await ana.post('/api/batch', {
    operations: [
      { id: 'a', method: 'GET', path: `/api/reports/spending?${range}` },
      { id: 'b', method: 'POST', path: '/api/transactions', body: { accountId: current, date: '2026-01-08', amount: -10 } },
      { id: 'c', method: 'GET', path: `/api/reports/spending?${range}` },
      { id: 'd', method: 'GET', path: `/api/reports/balance?account=${newId()}` },
    ],
  })
  const [a, b, c, d] = body.results
  assert.deepEqual([a.status, b.status, c.status, d.status, d.body.code], [200, 201, 200, 404, 'account-not-found'])
  assert.equal(c.body.total.amount - a.body.total.amount, 10)
})

test('inside an atomic batch a report shows what the batch has written', async () => {
  const { ana, current } = await furnished()
  const { body } = await ana.post('/api/batch', {
    atomic: true,
    operations: [
      { id: 'a', method: 'POST', path: '/api/transactions', body: { accountId: current, date: '2026-01-08', amount: -11 } },
      { id: 'b', method: 'GET', path: `/api/reports/cash-flow?${range}` },
    ],
  })
  assert.deepEqual(body.results[1].body.total.outflow, -6_200 - 11)
})
