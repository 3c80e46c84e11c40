// Bills over HTTP.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { addDays, dayOf } from '../../src/values/day.ts'
import { limits } from '../../src/values/limits.ts'
import { assertRefused, open, type Person, type Reply } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
let account: string
const today = dayOf(Date.now(), 'UTC')
const schedule = { startsOn: today, rule: 'FREQ=MONTHLY' }
const draft = { payee: 'Acme Power', amountMin: -12_000, amountMax: -8_000, schedule }

before(async () => {
  ana = await djinn.person({ timeZone: 'UTC', currency: 'EUR' })
  account = await ana.account()
})

async function bill(given: Record<string, unknown> = {}): Promise<Reply['body']> {
  const { status, body, text } = await ana.post('/api/bills', { ...draft, ...given })
  assert.equal(status, 201, text)
  return body
}

test('a bill is added in at most three round trips, with what was left out empty and its days raised', async () => {
  let made: Reply | undefined
  const { roundTrips } = await djinn.count(async () => {
    made = await ana.post('/api/bills', { ...draft, accountId: account, reminderDays: [3, 0] })
  })
  assert.ok(roundTrips <= 3, `${roundTrips} round trips`)
  const { status, headers, body, text } = made!
  assert.equal(status, 201, text)
  assert.equal(headers['location'], `/api/bills/${body.id}`)
  const { id, createdAt, updatedAt, revision, ...rest } = body
  assert.ok(id && createdAt && updatedAt && revision)
  assert.deepEqual(rest, {
    payee: 'Acme Power',
    accountId: account,
    currency: 'EUR',
    categoryId: null,
    amountMin: -12_000,
    amountMax: -8_000,
    schedule: { ...schedule, weekend: 'keep' },
    endsOn: null,
    reminderDays: [3, 0],
    autoPost: false,
    note: '',
    nextDue: today,
    overdueCount: 0,
  })
  assert.deepEqual((await ana.get(`/api/bills/${id}`)).body, body)
  const { statements, roundTrips: reads } = await djinn.count(() => ana.get('/api/bills?limit=100'))
  assert.deepEqual([statements, reads], [['bills.list'], 1])
})

test('the same id with the same content answers the bill that is there; other content is refused', async () => {
  const id = newId()
  const sent = { id, ...draft, note: 'meter 4711' }
  const first = await ana.post('/api/bills', sent)
  const again = await ana.post('/api/bills', sent)
  assert.deepEqual([first.status, again.status, again.body], [201, 200, first.body])
  for (const other of [
    { payee: 'Other' },
    { amountMax: -1 },
    { schedule: { ...schedule, weekend: 'after' } },
    { reminderDays: [1] },
    { note: '' },
  ]) {
    assertRefused(await ana.post('/api/bills', { ...sent, ...other }), 409, 'already-exists', '/id')
  }
})

test('a key gives the same answer again, and nothing is raised twice', async () => {
  const key = { 'idempotency-key': newId() }
  const first = await ana.post('/api/bills', draft, key)
  const again = await ana.post('/api/bills', draft, key)
  assert.deepEqual([again.status, again.body, again.headers['idempotency-replayed']], [201, first.body, 'true'])
})

test('what cannot be is refused at its place, on creation and on change alike', async () => {
  const { id } = await bill()
  const wrong: [string, string, unknown][] = [
    ['/payee', 'payee', ''],
    ['/payee', 'payee', '   '],
    ['/payee', 'payee', 'x'.repeat(201)],
    ['/amountMin', 'amountMin', 1.5],
    ['/amountMax', 'amountMax', -20_000],
    ['/currency', 'currency', 'XXY'],
    ['/accountId', 'accountId', 'x'],
    ['/endsOn', 'endsOn', '2026-02-30'],
    ['/reminderDays/0', 'reminderDays', [-1]],
    ['/reminderDays/0', 'reminderDays', [31]],
    ['/reminderDays', 'reminderDays', [1, 1]],
    ['/reminderDays', 'reminderDays', [1, 2, 3, 4, 5, 6]],
    ['/autoPost', 'autoPost', true],
    ['/nextDue', 'nextDue', today],
    ['/schedule', 'schedule', 'FREQ=MONTHLY'],
    ['/schedule/startsOn', 'schedule', { rule: 'FREQ=MONTHLY' }],
    ['/schedule/startsOn', 'schedule', { startsOn: '1969-12-31', rule: 'FREQ=MONTHLY' }],
    ['/schedule/rule', 'schedule', { startsOn: today }],
    ['/schedule/rule', 'schedule', { startsOn: today, rule: '' }],
    ['/schedule/rule', 'schedule', { startsOn: today, rule: 'FREQ=HOURLY' }],
    ['/schedule/rule', 'schedule', { startsOn: today, rule: 'FREQ=MINUTELY;BYMINUTE=0' }],
    ['/schedule/rule', 'schedule', { startsOn: today, rule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;SKIP=OMIT' }],
    ['/schedule/rule', 'schedule', { startsOn: today, rule: `FREQ=DAILY;BYMONTH=${'1,'.repeat(25_000)}1` }],
    ['/schedule/weekend', 'schedule', { ...schedule, weekend: 'never' }],
    ['/schedule/timeZone', 'schedule', { ...schedule, timeZone: 'UTC' }],
  ]
  for (const [pointer, field, value] of wrong) {
    assertRefused(await ana.post('/api/bills', { ...draft, [field]: value }), 400, 'invalid-request', pointer)
    assertRefused(await ana.patch(`/api/bills/${id}`, { [field]: value }), 400, 'invalid-request', pointer)
  }
  assertRefused(await ana.post('/api/bills', { ...draft, accountId: account, currency: 'USD' }), 422, 'currency-mismatch', '/currency')
  assertRefused(await ana.post('/api/bills', { ...draft, accountId: newId() }), 404, 'account-not-found', '/accountId')
  assertRefused(await ana.patch(`/api/bills/${id}`, { accountId: newId() }), 404, 'account-not-found', '/accountId')
  assertRefused(await ana.patch(`/api/bills/${id}`, { accountId: account, currency: 'USD' }), 422, 'currency-mismatch', '/currency')
  assertRefused(await ana.patch(`/api/bills/${id}`, { categoryId: newId() }), 404, 'category-not-found', '/categoryId')
})

test('amounts reach to 2^53-1, and income recurs like anything else', async () => {
  const most = Number.MAX_SAFE_INTEGER
  const { amountMin, amountMax, currency } = await bill({ amountMin: -most, amountMax: most, currency: 'JPY' })
  assert.deepEqual([amountMin, amountMax, currency], [-most, most, 'JPY'])
  await bill({ payee: 'Salary', amountMin: 100, amountMax: 100 })
})

test('changing the schedule plans the days from today on anew and leaves the past', async () => {
  const start = addDays(today, -21)
  const { id } = await bill({ schedule: { startsOn: start, rule: 'FREQ=WEEKLY' } })
  const days = async () => (await ana.get(`/api/bills/${id}/occurrences?limit=100`)).body.data.map((row: { date: string }) => row.date)
  const past = [start, addDays(today, -14), addDays(today, -7)]
  assert.deepEqual((await days()).slice(0, 4), [...past, today])
  await ana.patch(`/api/bills/${id}/occurrences/${addDays(today, 7)}`, { status: 'skipped' })
  const { status, body, text } = await ana.patch(`/api/bills/${id}`, {
    schedule: { startsOn: addDays(start, 2), rule: 'FREQ=WEEKLY;COUNT=5' },
  })
  assert.equal(status, 200, text)
  assert.deepEqual(await days(), [...past, addDays(today, 2), addDays(today, 9)])
  assert.deepEqual([body.nextDue, body.overdueCount], [addDays(today, 2), 3])
  // Back to what it was: what was skipped still is.
  await ana.patch(`/api/bills/${id}`, { schedule: { startsOn: start, rule: 'FREQ=WEEKLY' } })
  const { body: again } = await ana.get(`/api/bills/${id}/occurrences?from=${today}&limit=2`)
  assert.deepEqual(
    again.data.map((row: { date: string; status: string }) => [row.date, row.status]),
    [
      [today, 'due'],
      [addDays(today, 7), 'skipped'],
    ],
  )
  await ana.patch(`/api/bills/${id}`, { endsOn: addDays(today, 10) })
  assert.deepEqual((await days()).at(-1), addDays(today, 7))
  assert.equal((await ana.patch(`/api/bills/${id}`, { endsOn: null })).body.nextDue, today)
  assert.equal((await days()).length, 3 + Math.floor(limits.billHorizonDays / 7) + 1)
  await djinn.verify()
})

test('new amounts hold from today on, and what is paid keeps its own', async () => {
  const { id } = await bill({ payee: 'Gas', schedule: { startsOn: addDays(today, -7), rule: 'FREQ=WEEKLY' } })
  await ana.post('/api/transactions', { accountId: account, date: today, amount: -9_000, payee: 'GAS 12' })
  await ana.patch(`/api/bills/${id}`, { amountMin: -500, amountMax: -400 })
  const { body } = await ana.get(`/api/bills/${id}/occurrences?limit=3`)
  assert.deepEqual(
    body.data.map((row: { amountMin: number; paid: boolean }) => [row.amountMin, row.paid]),
    [
      [-12_000, false],
      [-12_000, true],
      [-500, false],
    ],
  )
  await djinn.verify()
})

test('of changes on one base the disjoint ones merge, the others are refused with what is there', async () => {
  const made = await bill()
  await ana.patch(`/api/bills/${made.id}`, { note: 'mine' })
  assert.equal((await ana.patch(`/api/bills/${made.id}`, { baseRevision: made.revision, payee: 'Other Power' })).status, 200)
  const late = await ana.patch(`/api/bills/${made.id}`, { baseRevision: made.revision, note: 'theirs', reminderDays: [1] })
  assertRefused(late, 409, 'conflict', '/note')
  assert.deepEqual([late.body.conflicts, late.body.current.note], [['note'], 'mine'])
  const schedules = { startsOn: today, rule: 'FREQ=WEEKLY' }
  await ana.patch(`/api/bills/${made.id}`, { schedule: schedules })
  assertRefused(await ana.patch(`/api/bills/${made.id}`, { baseRevision: made.revision, schedule }), 409, 'conflict', '/schedule')
  assertRefused(await ana.patch(`/api/bills/${made.id}`, { note: 'x' }, { 'if-match': '"1.x"' }), 412, 'precondition-failed')
})

test('a deleted bill is gone with its occurrences, and comes back with them and what paid them', async () => {
  const made = await bill({ payee: 'Water', schedule: { startsOn: addDays(today, -14), rule: 'FREQ=WEEKLY' } })
  const path = `/api/bills/${made.id}`
  await ana.post('/api/transactions', { accountId: account, date: addDays(today, -14), amount: -9_000, payee: 'Water works' })
  const { body: byHand } = await ana.post('/api/transactions', { accountId: account, date: '2026-01-01', amount: -1, payee: '' })
  await ana.post(`${path}/occurrences/${today}/payments`, { transactionId: byHand.id })
  const known = (await ana.get(`${path}/occurrences?limit=100`)).body.data
  assert.equal((await ana.delete(path)).status, 204)
  assert.equal((await ana.delete(path)).status, 204)
  assertRefused(await ana.get(path), 404, 'not-found')
  assertRefused(await ana.get(`${path}/occurrences`), 404, 'not-found')
  assertRefused(await ana.patch(path, { note: '' }), 409, 'deleted')
  assert.equal(
    (await ana.get('/api/bills/occurrences?limit=100')).body.data.some((row: { billId: string }) => row.billId === made.id),
    false,
  )
  const restored = await ana.post(`${path}/restore`)
  assert.deepEqual([restored.status, restored.body.overdueCount, restored.body.nextDue], [200, 1, today], restored.text)
  assertRefused(await ana.post(`${path}/restore`), 409, 'not-deleted')
  const timeless = (rows: Record<string, unknown>[]) => rows.map(({ updatedAt: _at, revision: _revision, ...row }) => row)
  assert.deepEqual(timeless((await ana.get(`${path}/occurrences?limit=100`)).body.data), timeless(known))
  await djinn.verify()
})

test('an unchanged list is 304, and its tag is of the day', async () => {
  const { headers } = await ana.get('/api/bills?fields=id,nextDue')
  const again = await ana.get('/api/bills?fields=id,nextDue', { 'if-none-match': headers['etag']! })
  assert.equal(again.status, 304)
  await ana.post('/api/transactions', { accountId: account, date: today, amount: -1, payee: 'Bakery' })
  assert.equal((await ana.get('/api/bills?fields=id,nextDue', { 'if-none-match': headers['etag']! })).status, 200)
  for (const name of ['bills.list', 'bills.read', 'bills.allOccurrences', 'bills.occurrences', 'bills.forecast']) {
    assert.equal(djinn.api.operations.find((operation) => operation.name === name)!.daily, true, name)
  }
})

test('a viewer reads bills and changes none', async () => {
  const { id } = await bill()
  const eve = await djinn.person()
  await djinn.sql(
    `insert into memberships (household_id, user_id, role) select h::uuid, $2, 'viewer' from set_config('djinn.household', $1, true) h`,
    [ana.householdId, eve.userId],
  )
  const there = { 'djinn-household': ana.householdId }
  assert.equal((await eve.get(`/api/bills/${id}`, there)).status, 200)
  assert.equal((await eve.get('/api/bills/occurrences', there)).status, 200)
  assert.equal((await eve.get('/api/bills/forecast', there)).status, 200)
  for (const [method, path, body] of [
    ['POST', '/api/bills', draft],
    ['PATCH', `/api/bills/${id}`, { note: '' }],
    ['DELETE', `/api/bills/${id}`, undefined],
    ['PATCH', `/api/bills/${id}/occurrences/${today}`, { status: 'skipped' }],
    ['POST', `/api/bills/${id}/occurrences/${today}/payments`, { transactionId: newId() }],
    ['DELETE', `/api/bills/${id}/occurrences/${today}/payments/${newId()}`, undefined],
  ] as const) {
    assertRefused(await eve.call(method, path, { ...(body ? { body } : {}), headers: there }), 403, 'forbidden')
  }
})

test('a batch adds a bill and skips its first day as one, or does neither', async () => {
  const id = newId()
  const operations = (status: string) => [
    { id: 'a', method: 'POST', path: '/api/bills', body: { id, ...draft } },
    { id: 'b', method: 'PATCH', path: `/api/bills/${id}/occurrences/${today}`, body: { status } },
    { id: 'c', method: 'GET', path: `/api/bills/${id}/occurrences?status=skipped` },
  ]
  const failed = await ana.post('/api/batch', { atomic: true, operations: operations('paid') })
  assert.deepEqual(
    failed.body.results.map((result: { status: number }) => result.status),
    [424, 400, 424],
    failed.text,
  )
  const done = await ana.post('/api/batch', { atomic: true, operations: operations('skipped') })
  assert.deepEqual(
    done.body.results.map((result: { status: number }) => result.status),
    [201, 200, 200],
    done.text,
  )
  assert.equal(done.body.results[2].body.data[0].date, today)
})

test('a household has at most 200 bills', async () => {
  const ben = await djinn.person()
  await djinn.sql(
    `select set_config('djinn.household', '${ben.householdId}', true);
     insert into bills (household_id, id, payee, currency, amount_min, amount_max, schedule)
     select '${ben.householdId}', gen_random_uuid(), 'Bill ' || n, 'EUR', -1, -1, '{"startsOn":"${today}","rule":"FREQ=YEARLY","weekend":"keep"}'
     from generate_series(1, ${limits.billsMax}) n`,
  )
  assertRefused(await ben.post('/api/bills', draft), 409, 'limit-reached')
  const { body } = await ben.get('/api/bills?limit=1')
  // Written past the service, a bill is raised by the next run of the worker; until then its plan tells where it begins.
  assert.ok(body.data[0].nextDue <= today)
})

test('the trail tells who made and changed a bill, and its days', async () => {
  const { id } = await bill({ note: 'a' })
  await ana.patch(`/api/bills/${id}`, { note: 'b' })
  const { body } = await ana.get(`/api/audit?entity=${id}`)
  assert.deepEqual(
    body.data.map((entry: { operation: string; kind: string; changes: { note: unknown } }) => [
      entry.kind,
      entry.operation,
      entry.changes.note,
    ]),
    [
      ['bill', 'update', ['a', 'b']],
      ['bill', 'create', 'a'],
    ],
  )
  assert.ok((await ana.get('/api/audit?kind=occurrence')).body.data.length > 0)
})
