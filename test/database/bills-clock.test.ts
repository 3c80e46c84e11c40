// What bills do by the clock: each occurrence is raised, posted and reminded of once, after whatever downtime, by however many workers.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { makeTasks } from '../../src/app/tasks.ts'
import { addDays, dayOf, type Day } from '../../src/values/day.ts'
import { limits } from '../../src/values/limits.ts'
import { open, type Person } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

/** Noon of a day in UTC. */
const noon = (day: Day) => Date.parse(`${day}T12:00:00Z`)
const keep = async (nowMs: number) => await makeTasks(djinn.resources, () => nowMs)['keepBills']!({})
const today = dayOf(Date.now(), 'UTC')

type Occurrence = { date: Day; deleted: boolean; paid: boolean }
const occurrencesOf = (billId: string) =>
  djinn.sql<Occurrence>(
    `select date::text, deleted_at is not null as deleted, paid from bill_occurrences where bill_id = $1 order by date`,
    [billId],
  )
const dates = async (billId: string) => (await occurrencesOf(billId)).filter((row) => !row.deleted).map((row) => row.date)
/** How often the journal says that each occurrence of the household was made. */
const makings = async (person: Person) =>
  (
    await djinn.sql<{ count: number }>(
      `select count(*)::int as count from journal where household_id = $1 and kind = 'occurrence' and operation = 'create' group by entity_id`,
      [person.householdId],
    )
  ).map((row) => row.count)
const reminders = async (person: Person) =>
  (
    await djinn.sql<{ data: { date: Day; daysLeft: number } }>(
      `select data from notifications where user_id = $1 and event = 'billReminder' order by data ->> 'date', created_at`,
      [person.userId],
    )
  ).map(({ data }) => [data.date, data.daysLeft])

async function bill(person: Person, draft: Record<string, unknown> = {}): Promise<string> {
  const { status, body, text } = await person.post('/api/bills', {
    payee: 'Rent',
    amountMin: -900,
    amountMax: -900,
    schedule: { startsOn: today, rule: 'FREQ=WEEKLY' },
    ...draft,
  })
  assert.equal(status, 201, text)
  return body.id
}
const weeks = (to: Day) => {
  const days: Day[] = []
  for (let day = today; day <= to; day = addDays(day, 7)) days.push(day)
  return days
}

test('after a year without a worker each occurrence is raised once, by two workers at once and again', async () => {
  const ana = await djinn.person({ timeZone: 'UTC' })
  const id = await bill(ana)
  assert.deepEqual(await dates(id), weeks(addDays(today, limits.billHorizonDays)))
  const later = addDays(today, 365)
  await Promise.all([keep(noon(later)), keep(noon(later)), keep(noon(later))])
  const known = weeks(addDays(later, limits.billHorizonDays))
  assert.deepEqual(await dates(id), known)
  await keep(noon(later))
  assert.deepEqual(await dates(id), known)
  assert.deepEqual(new Set(await makings(ana)), new Set([1]))
  assert.equal((await makings(ana)).length, known.length)
  await djinn.verify()
})

test('a worker that dies on the way leaves whole steps, and the next one does the rest once', async () => {
  const [ana, ben] = [await djinn.person({ timeZone: 'UTC' }), await djinn.person({ timeZone: 'UTC' })]
  const account = await ana.account()
  const id = await bill(ana, { accountId: account, autoPost: true, reminderDays: [2] })
  const bens = await bill(ben)
  // It dies at the third transaction that it makes for Ana.
  await djinn.sql(`create function die() returns trigger language plpgsql as $$ begin
      if (select count(*) from transactions where account_id = '${account}') >= 3 then raise exception 'the worker died'; end if; return null; end $$`)
  await djinn.sql('create trigger zz_die after insert on transactions for each row execute function die()')
  const later = addDays(today, 70)
  await assert.rejects(keep(noon(later)), /the worker died/)
  const posted = async () =>
    (await djinn.sql<{ date: Day }>(`select date::text from transactions where account_id = $1 order by date`, [account])).map(
      (row) => row.date,
    )
  assert.deepEqual(await posted(), [], 'none of a step that was not finished')
  const known = weeks(addDays(later, limits.billHorizonDays))
  assert.deepEqual(await dates(bens), known, 'another household does not wait for it')
  await djinn.sql('drop trigger zz_die on transactions')
  await Promise.all([keep(noon(later)), keep(noon(later))])
  assert.deepEqual(await dates(id), known)
  assert.deepEqual(await posted(), weeks(later))
  assert.deepEqual(
    (await occurrencesOf(id)).filter((row) => row.paid).map((row) => row.date),
    weeks(later),
  )
  await djinn.sql('drop function die()')
  await djinn.verify()
})

test('a recurring transaction is made on its day in the zone of the household, once, and never again', async () => {
  const zone = 'America/Sao_Paulo'
  const ana = await djinn.person({ timeZone: zone })
  const { body: category } = await ana.post('/api/categories', { name: 'Rent', kind: 'expense' })
  const account = await ana.account()
  const start = addDays(dayOf(Date.now(), zone), 3)
  const draft = {
    accountId: account,
    categoryId: category.id,
    autoPost: true,
    note: 'flat',
    schedule: { startsOn: start, rule: 'FREQ=MONTHLY' },
  }
  const id = await bill(ana, draft)
  const list = async () => (await ana.get('/api/transactions')).body.data
  await keep(Date.parse(`${start}T02:59:00Z`))
  assert.deepEqual(await list(), [], 'it is 23:59 of the day before')
  await keep(Date.parse(`${start}T03:01:00Z`))
  const [made, ...others] = await list()
  assert.deepEqual(others, [])
  assert.deepEqual(
    [made.date, made.amount, made.payee, made.note, made.categoryId, made.status, made.currency],
    [start, -900, 'Rent', 'flat', category.id, 'posted', 'EUR'],
  )
  const occurrence = async () => (await ana.get(`/api/bills/${id}/occurrences?from=${start}&to=${start}`)).body.data[0]
  assert.deepEqual(
    [(await occurrence()).status, (await occurrence()).payments],
    ['paid', [{ transactionId: made.id, amount: -900, origin: 'posted' }]],
  )
  // What the bank took in the end was less, two days later: it stays the payment of its occurrence.
  await ana.patch(`/api/transactions/${made.id}`, { amount: -895, date: addDays(start, 2), payee: 'Landlord' })
  assert.deepEqual([(await occurrence()).paidAmount, (await occurrence()).remaining], [-895, -5])
  await ana.delete(`/api/transactions/${made.id}`)
  assert.equal((await occurrence()).paid, false)
  for (const day of [start, addDays(start, 5)]) await keep(noon(day))
  assert.deepEqual(await list(), [], 'a deleted one is not made again')
  await ana.post(`/api/transactions/${made.id}/restore`)
  assert.equal((await occurrence()).paidAmount, -895)
  await djinn.verify()
})

test('what was paid already, skipped, or before it was told to post makes no transaction; a closed account waits', async () => {
  const ana = await djinn.person({ timeZone: 'UTC' })
  const account = await ana.account()
  const id = await bill(ana, { accountId: account, schedule: { startsOn: addDays(today, -7), rule: 'FREQ=WEEKLY;COUNT=5' } })
  await ana.patch(`/api/bills/${id}`, { autoPost: true })
  await ana.post('/api/transactions', { accountId: account, date: addDays(today, 6), amount: -900, payee: 'RENT June' })
  await ana.patch(`/api/bills/${id}/occurrences/${addDays(today, 14)}`, { status: 'skipped' })
  await ana.patch(`/api/accounts/${account}`, { closedAt: new Date().toISOString() })
  const posted = async () => (await ana.get('/api/transactions')).body.data.map((row: { date: Day }) => row.date)
  await keep(noon(addDays(today, 30)))
  assert.deepEqual(await posted(), [addDays(today, 6)])
  await ana.patch(`/api/accounts/${account}`, { closedAt: null })
  await keep(noon(addDays(today, 30)))
  assert.deepEqual(await posted(), [addDays(today, 21), addDays(today, 6), today])
  await djinn.verify()
})

test('members are reminded on each reminder day once, with what is left, and not of what is paid or skipped', async () => {
  const ana = await djinn.person({ timeZone: 'Pacific/Auckland' })
  const account = await ana.account()
  const due = addDays(today, 20)
  const id = await bill(ana, { reminderDays: [3, 0], schedule: { startsOn: due, rule: 'FREQ=WEEKLY;COUNT=4' } })
  // Noon in UTC is past midnight in Auckland.
  await keep(noon(addDays(due, -5)))
  assert.deepEqual(await reminders(ana), [])
  await keep(noon(addDays(due, -4)))
  assert.deepEqual(await reminders(ana), [[due, 3]])
  await Promise.all([keep(noon(addDays(due, -4))), keep(noon(addDays(due, -3)))])
  assert.deepEqual(await reminders(ana), [[due, 3]])
  await keep(noon(addDays(due, -1)))
  assert.deepEqual(await reminders(ana), [
    [due, 3],
    [due, 0],
  ])
  const [told] = await djinn.sql<{ data: object; key: string }>(
    `select data, dedupe_key as key from notifications where user_id = $1 limit 1`,
    [ana.userId],
  )
  const { daysLeft: _left, ...data } = told!.data as { daysLeft: number }
  assert.deepEqual(data, { billId: id, date: due, payee: 'Rent', currency: 'EUR', amountMin: -900, amountMax: -900 })
  await ana.post('/api/transactions', { accountId: account, date: addDays(due, 7), amount: -900, payee: 'Rent' })
  await ana.patch(`/api/bills/${id}/occurrences/${addDays(due, 14)}`, { status: 'skipped' })
  // After weeks of downtime: nothing of the paid and the skipped one, of the last one only the newest.
  await keep(noon(addDays(due, 25)))
  assert.deepEqual((await reminders(ana)).slice(2), [[addDays(due, 21), -5]])
  // Taking a payment off tells nothing that was told before.
  const [payment] = (await ana.get('/api/transactions')).body.data
  await ana.delete(`/api/bills/${id}/occurrences/${addDays(due, 7)}/payments/${payment.id}`)
  await keep(noon(addDays(due, 25)))
  await keep(noon(addDays(due, 26)))
  assert.deepEqual((await reminders(ana)).slice(2), [
    [addDays(due, 7), -19],
    [addDays(due, 21), -5],
  ])
  await djinn.verify()
})

test('a bill that begins in the past reminds of nothing from before it was there', async () => {
  const ana = await djinn.person({ timeZone: 'UTC' })
  await bill(ana, { reminderDays: [7, 0], schedule: { startsOn: addDays(today, -60), rule: 'FREQ=WEEKLY' } })
  await keep(noon(today))
  const told = await reminders(ana)
  assert.ok(told.length <= 2 && told.every(([date]) => (date as Day) >= today), JSON.stringify(told))
})

test('when nothing is due the household’s revision stays, and when something is its devices are told', async () => {
  const ana = await djinn.person({ timeZone: 'UTC' })
  const id = await bill(ana, { schedule: { startsOn: today, rule: 'FREQ=MONTHLY' } })
  const revision = async () =>
    (await djinn.sql<{ revision: string }>('select revision from revisions where household_id = $1', [ana.householdId]))[0]!.revision
  const before = await revision()
  await keep(noon(today))
  assert.equal(await revision(), before)
  const heard: string[] = []
  djinn.resources.announcements.on((household) => heard.push(household))
  await keep(noon(addDays(today, 40)))
  assert.notEqual(await revision(), before)
  assert.ok(heard.includes(ana.householdId))
  assert.equal((await dates(id)).length, (await dates(id)).filter((date, index, all) => date !== all[index - 1]).length)
})

test('bills and occurrences that were deleted are forgotten after 90 days', async () => {
  const ana = await djinn.person({ timeZone: 'UTC' })
  const account = await ana.account()
  const id = await bill(ana, { accountId: account })
  await ana.delete(`/api/bills/${id}`)
  const forget = async () => await makeTasks(djinn.resources)['forgetBills']!({})
  const left = async () => (await djinn.sql('select from bills where id = $1', [id])).length + (await occurrencesOf(id)).length
  await forget()
  assert.ok((await left()) > 1)
  await djinn.sql(`do $$ begin set local session_replication_role = replica;
    update bills set deleted_at = now() - interval '91 days' where id = '${id}';
    update bill_occurrences set deleted_at = now() - interval '91 days' where bill_id = '${id}'; end $$`)
  await forget()
  assert.equal(await left(), 0)
  await djinn.verify()
})

test('an account that is forgotten takes along the deleted bills that name it', async () => {
  const ana = await djinn.person({ timeZone: 'UTC' })
  const account = await ana.account()
  const id = await bill(ana, { accountId: account })
  await ana.delete(`/api/bills/${id}`)
  await ana.delete(`/api/accounts/${account}`)
  await djinn.sql(`do $$ begin set local session_replication_role = replica;
    update accounts set deleted_at = now() - interval '91 days' where id = '${account}'; end $$`)
  await makeTasks(djinn.resources)['forgetDeleted']!({})
  assert.deepEqual(await djinn.sql('select from bills where id = $1', [id]), [])
  await djinn.verify()
})

test('a schedule that began long ago raises two years of the past, in chunks', async () => {
  const ana = await djinn.person({ timeZone: 'UTC' })
  const id = await bill(ana, { schedule: { startsOn: '1990-01-01', rule: 'FREQ=DAILY' } })
  const raised = await dates(id)
  assert.deepEqual(
    [raised[0], raised.at(-1), raised.length],
    [addDays(today, -limits.billPastDays), addDays(today, limits.billHorizonDays), limits.billPastDays + limits.billHorizonDays + 1],
  )
})
