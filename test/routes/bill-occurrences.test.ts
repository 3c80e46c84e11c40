// Occurrences of bills over HTTP: lists, skipping, payments in part and by hand, and the forecast.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { addDays, dayOf } from '../../src/values/day.ts'
import { assertRefused, open, type Person } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
let account: string
let id: string
const today = dayOf(Date.now(), 'UTC')

before(async () => {
  ana = await djinn.person({ timeZone: 'UTC' })
  account = await ana.account()
})
/** Each test has a bill of its own: weekly, from two weeks ago on, 80 to 120. */
let nth = 0
let payee = ''
beforeEach(async () => {
  payee = `Landlord ${String.fromCharCode(97 + nth++)}.`
  id = await bill({ payee })
})

async function bill(draft: object, person = ana): Promise<string> {
  const schedule = { startsOn: addDays(today, -14), rule: 'FREQ=WEEKLY' }
  const { status, body, text } = await person.post('/api/bills', { amountMin: -12_000, amountMax: -8_000, schedule, ...draft })
  assert.equal(status, 201, text)
  return body.id
}
async function spend(amount: number, date = today, draft: object = {}): Promise<string> {
  const { status, body, text } = await ana.post('/api/transactions', { accountId: account, date, amount, payee, ...draft })
  assert.equal(status, 201, text)
  return body.id
}
const at = (date: string) => `/api/bills/${id}/occurrences/${date}`
const read = async (date: string) => (await ana.get(`/api/bills/${id}/occurrences?from=${date}&to=${date}`)).body.data[0]
const list = async (query: string) =>
  (await ana.get(`/api/bills/${id}/occurrences?${query}`)).body.data.map((row: { date: string }) => row.date)

test('occurrences are listed by date with how they stand, in pages, each once', async () => {
  assert.deepEqual(await list('status=overdue'), [addDays(today, -14), addDays(today, -7)])
  assert.deepEqual((await list('status=due')).slice(0, 2), [today, addDays(today, 7)])
  await spend(-10_000)
  await ana.patch(at(addDays(today, 7)), { status: 'skipped' })
  assert.deepEqual(await list('status=paid'), [today])
  assert.deepEqual(await list('status=skipped'), [addDays(today, 7)])
  assert.deepEqual((await list('status=open')).slice(0, 3), [addDays(today, -14), addDays(today, -7), addDays(today, 14)])
  assert.deepEqual(await list(`from=${addDays(today, -7)}&to=${today}`), [addDays(today, -7), today])
  const { body: whole } = await ana.get('/api/bills/occurrences?limit=100')
  const paged: string[] = []
  for (let cursor = ''; ;) {
    const { body } = await ana.get(`/api/bills/occurrences?limit=3${cursor}`)
    paged.push(...body.data.map((row: { id: string }) => row.id))
    if (body.nextCursor === null || paged.length >= 100) break
    cursor = `&cursor=${encodeURIComponent(body.nextCursor)}`
  }
  assert.deepEqual(
    paged.slice(0, 20),
    whole.data.slice(0, 20).map((row: { id: string }) => row.id),
  )
  const { body: page } = await ana.get('/api/bills/occurrences?limit=1&status=open')
  const foreign = await ana.get(`/api/bills/occurrences?limit=1&status=due&cursor=${encodeURIComponent(page.nextCursor)}`)
  assertRefused(foreign, 400, 'invalid-cursor', '?cursor')
  const { statements, roundTrips } = await djinn.count(() => ana.get(`/api/bills/occurrences?bill=${id}&status=overdue`))
  assert.deepEqual([statements.length, roundTrips], [1, 1])
})

test('the id of an occurrence follows from its bill and its day', async () => {
  const hex = createHash('sha256').update(`${id}/${today}`).digest('hex')
  const variant = ((parseInt(hex[16]!, 16) & 3) | 8).toString(16)
  const known = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
  assert.equal((await read(today)).id, known)
})

test('skipping is taken back, is the same twice, and frees the day for what fits', async () => {
  await ana.patch(at(today), { status: 'skipped' })
  const again = await ana.patch(at(today), { status: 'skipped' })
  assert.deepEqual([again.status, again.body.status, again.body.remaining], [200, 'skipped', -8_000])
  await spend(-10_000, addDays(today, 1))
  assert.equal((await read(today)).status, 'skipped')
  // The nearest day that is not skipped took it.
  assert.equal((await read(addDays(today, 7))).status, 'paid')
  const { body } = await ana.patch(at(today), { status: 'due' })
  assert.equal(body.status, 'due')
  await ana.patch(at(today), { status: 'skipped' })
  await spend(-10_000, addDays(today, -4), { payee: `${payee} again` })
  await djinn.verify()
})

test('a paid day is not skipped, one that is not there is not found, and a wrong status is refused', async () => {
  const transaction = await spend(-10_000)
  assertRefused(await ana.patch(at(today), { status: 'skipped' }), 409, 'occurrence-paid', '/status')
  assertRefused(await ana.patch(at(today), { status: 'due' }), 409, 'occurrence-paid', '/status')
  assertRefused(await ana.patch(at(addDays(today, 1)), { status: 'skipped' }), 404, 'not-found')
  for (const status of ['paid', 'overdue', null]) assertRefused(await ana.patch(at(today), { status }), 400, 'invalid-request', '/status')
  assertRefused(await ana.patch(at('2026-02-30'), { status: 'due' }), 400, 'invalid-request', '/path/date')
  await ana.delete(`/api/transactions/${transaction}`)
  assert.equal((await ana.patch(at(today), { status: 'skipped' })).status, 200)
})

test('a day that was skipped offline and paid meanwhile is a conflict with what is there', async () => {
  const { revision } = await read(today)
  await spend(-10_000)
  const late = await ana.patch(at(today), { baseRevision: revision, status: 'skipped' })
  assertRefused(late, 409, 'conflict', '/status')
  assert.equal(late.body.current.status, 'paid')
  const { revision: since } = await read(addDays(today, 7))
  assert.equal((await ana.patch(at(addDays(today, 7)), { baseRevision: since, status: 'skipped' })).status, 200)
  assertRefused(await ana.patch(at(addDays(today, 7)), { status: 'due' }, { 'if-match': '"1.x"' }), 412, 'precondition-failed')
})

test('a transaction pays the nearest day, from its account, in its range, by its payee or the bank’s', async () => {
  await spend(-10_000, addDays(today, 3), { payee: `DD ${payee.toUpperCase()}  REF 1` })
  assert.equal((await read(today)).status, 'paid')
  await spend(-7_999, addDays(today, 7))
  await spend(-12_001, addDays(today, 7))
  await spend(-10_000, addDays(today, 7), { payee: 'Somebody else' })
  assert.equal((await read(addDays(today, 7))).status, 'due')
  const raw = await ana.upload(`/api/imports?accountId=${account}`, `Date;Amount;Payee\n${addDays(today, 6)};-100.00;${payee} SEPA\n`)
  assert.equal((await ana.post(`/api/imports/${raw.body.id}/commit`)).status, 200)
  assert.equal((await read(addDays(today, 7))).status, 'paid', 'an import pays too')
  await ana.delete(`/api/imports/${raw.body.id}`)
  assert.equal((await read(addDays(today, 7))).status, 'due', 'and its undo takes that back')
})

test('what no longer fits is taken back, what fits again is found again', async () => {
  const transaction = await spend(-10_000, addDays(today, 14))
  const path = `/api/transactions/${transaction}`
  const day = addDays(today, 14)
  const paid = async () => (await read(day)).paid
  assert.equal(await paid(), true)
  for (const [change, back] of [
    [{ amount: -1 }, { amount: -10_000 }],
    [{ payee: 'Other' }, { payee }],
    [{ date: addDays(today, 60) }, { date: day }],
  ]) {
    await ana.patch(path, change!)
    assert.equal(await paid(), false, JSON.stringify(change))
    await ana.patch(path, back!)
    assert.equal(await paid(), true)
  }
  await ana.delete(path)
  assert.equal(await paid(), false)
  await ana.post(`${path}/restore`)
  assert.equal(await paid(), true)
})

test('several pay in part by hand, until the nearer end is reached', async () => {
  const [first, second] = [await spend(-3_000, '2026-01-05', { payee: '' }), await spend(-5_000, '2026-01-06', { payee: '' })]
  const part = await ana.post(`${at(today)}/payments`, { transactionId: first })
  assert.deepEqual([part.status, part.body.status, part.body.paidAmount, part.body.remaining], [200, 'due', -3_000, -5_000], part.text)
  // A day that is paid in part is not matched by itself.
  await spend(-10_000)
  assert.equal((await read(today)).payments.length, 1)
  const rest = await ana.post(`${at(today)}/payments`, { transactionId: second })
  assert.deepEqual([rest.body.status, rest.body.paidAmount, rest.body.remaining], ['paid', -8_000, 0])
  assert.deepEqual(
    rest.body.payments.map((payment: { origin: string }) => payment.origin),
    ['hand', 'hand'],
  )
  assert.equal((await ana.post(`${at(today)}/payments`, { transactionId: second })).body.paidAmount, -8_000, 'the same twice is once')
  await ana.patch(`/api/transactions/${first}`, { amount: -2_999 })
  assert.deepEqual([(await read(today)).status, (await read(today)).remaining], ['due', -1])
  await djinn.verify()
})

test('a transaction by hand leaves what it paid before', async () => {
  const transaction = await spend(-10_000)
  assert.equal((await read(today)).paid, true)
  const moved = await ana.post(`${at(addDays(today, -14))}/payments`, { transactionId: transaction })
  assert.equal(moved.body.status, 'paid')
  assert.equal((await read(today)).paid, false)
})

test('what is taken off is not put there again by itself, but by hand', async () => {
  const transaction = await spend(-10_000)
  const off = await ana.delete(`${at(today)}/payments/${transaction}`)
  assert.deepEqual([off.status, off.body.status, off.body.payments], [200, 'due', []], off.text)
  assert.equal((await ana.delete(`${at(today)}/payments/${transaction}`)).status, 200)
  await ana.patch(`/api/transactions/${transaction}`, { amount: -9_000 })
  await ana.patch(`/api/bills/${id}`, { amountMin: -13_000 })
  assert.equal((await list('status=paid')).length, 0)
  const back = await ana.post(`${at(today)}/payments`, { transactionId: transaction })
  assert.equal(back.body.status, 'paid')
  const other = await spend(-9_500, addDays(today, 1))
  assert.equal((await read(addDays(today, 7))).payments[0].transactionId, other)
})

test('what is no transaction here, or in another currency, pays nothing', async () => {
  const ben = await djinn.person()
  const bens = (await ben.post('/api/transactions', { accountId: await ben.account(), date: today, amount: -1 })).body.id
  const gone = await spend(-1)
  await ana.delete(`/api/transactions/${gone}`)
  for (const transactionId of [newId(), bens, gone]) {
    assertRefused(await ana.post(`${at(today)}/payments`, { transactionId }), 404, 'transaction-not-found', '/transactionId')
    assert.equal((await ana.delete(`${at(today)}/payments/${transactionId}`)).status, 200)
  }
  const dollars = await spend(-10_000, today, { accountId: await ana.account({ currency: 'USD' }) })
  assertRefused(await ana.post(`${at(today)}/payments`, { transactionId: dollars }), 422, 'currency-mismatch', '/transactionId')
  assertRefused(await ana.post(`${at(addDays(today, 1))}/payments`, { transactionId: dollars }), 404, 'not-found')
  assertRefused(await ana.post(`${at(today)}/payments`, {}), 400, 'invalid-request', '/transactionId')
  // Another household's bill is a missing one.
  assertRefused(await ben.post(`${at(today)}/payments`, { transactionId: bens }), 404, 'not-found')
  assertRefused(await ben.patch(at(today), { status: 'skipped' }), 404, 'not-found')
  assert.deepEqual((await ben.get(`/api/bills/occurrences?bill=${id}`)).body.data, [])
})

test('early and late payments are found when the bill is added', async () => {
  const [early, late] = [await spend(-100, addDays(today, -20), { payee: 'Gym' }), await spend(-100, addDays(today, 6), { payee: 'GYM' })]
  const gym = await bill({
    payee: 'gym',
    amountMin: -100,
    amountMax: -100,
    schedule: { startsOn: addDays(today, -14), rule: 'FREQ=WEEKLY' },
  })
  const { body } = await ana.get(`/api/bills/${gym}/occurrences?status=paid`)
  assert.deepEqual(
    body.data.map((row: { date: string; payments: { transactionId: string }[] }) => [row.date, row.payments[0]!.transactionId]),
    [
      [addDays(today, -14), early],
      [addDays(today, 7), late],
    ],
  )
})

test('the forecast tells days and sums by month and currency, beyond what is raised', async () => {
  const ben = await djinn.person({ timeZone: 'UTC', currency: 'EUR' })
  const savings = await ben.account()
  const first = `${today.slice(0, 7)}-01`
  const monthly = await bill(
    { payee: 'Rent', amountMin: -900, amountMax: -800, schedule: { startsOn: '2020-01-31', rule: 'FREQ=MONTHLY' } },
    ben,
  )
  await bill(
    {
      payee: 'Salary',
      currency: 'USD',
      amountMin: 2_000,
      amountMax: 2_000,
      schedule: { startsOn: first, rule: 'FREQ=MONTHLY;BYMONTHDAY=-1' },
    },
    ben,
  )
  await bill({ payee: 'Over', schedule: { startsOn: addDays(today, -30), rule: 'FREQ=DAILY;COUNT=1' } }, ben)
  const { body } = await ben.get('/api/bills/forecast?months=3')
  assert.equal(body.from, today)
  assert.equal(body.bills.length, 2, 'what is over is not to come')
  assert.equal(body.bills[0].dates.length, 3)
  assert.deepEqual(body.bills[0].dates, body.bills[1].dates)
  assert.equal(body.to, body.bills[0].dates.at(-1))
  assert.equal(body.months.length, 3)
  for (const { sums } of body.months) {
    assert.deepEqual(sums, [
      { currency: 'EUR', amountMin: -900, amountMax: -800, count: 1 },
      { currency: 'USD', amountMin: 2_000, amountMax: 2_000, count: 1 },
    ])
  }
  assert.equal((await ben.get('/api/bills/forecast')).body.months.length, 12)
  assert.equal((await ben.get('/api/bills/forecast?months=24')).body.bills[0].dates.length, 24)
  assertRefused(await ben.get('/api/bills/forecast?months=25'), 400, 'invalid-request', '?months')
  // What was paid, skipped or paid in part of it is less to come.
  const [next, second] = body.bills[0].dates
  await ben.post('/api/transactions', { accountId: savings, date: next, amount: -850, payee: 'rent' })
  const { body: part } = await ben.post('/api/transactions', { accountId: savings, date: next, amount: -300 })
  await ben.post(`/api/bills/${monthly}/occurrences/${second}/payments`, { transactionId: part.id })
  const { body: less } = await ben.get('/api/bills/forecast?months=2')
  assert.deepEqual(
    less.months.map((month: { sums: { currency: string }[] }) => month.sums.find((sum) => sum.currency === 'EUR')),
    [undefined, { currency: 'EUR', amountMin: -600, amountMax: -500, count: 1 }],
  )
  const most = Number.MAX_SAFE_INTEGER
  for (const name of ['Huge', 'Vast']) {
    await bill({ payee: name, amountMin: most, amountMax: most, schedule: { startsOn: first, rule: 'FREQ=MONTHLY;BYMONTHDAY=-1' } }, ben)
  }
  assertRefused(await ben.get('/api/bills/forecast'), 422, 'amount-out-of-range')
})

test('a fast network gets the bills that occurrences name', async () => {
  const { body } = await ana.get('/api/bills/occurrences?limit=2', { 'djinn-network': 'fast' })
  assert.ok(body.included.bills.length >= 1)
  assert.ok(body.prefetched.data.length > 0)
  const { body: slow } = await ana.get('/api/bills/occurrences?limit=1', { 'djinn-network': 'slow' })
  assert.equal(slow.data[0].payments, undefined)
})

test('the books hold after all of this', () => djinn.verify())
