// SQL of bills.
import { composedStatement, statement } from '../../resources/statement.ts'
import { listStatements, rowStatements } from '../../resources/rows.ts'

const columns = {
  id: 'uuid',
  payee: 'text',
  accountId: 'uuid?',
  currency: 'text',
  categoryId: 'uuid?',
  amountMin: 'int8',
  amountMax: 'int8',
  schedule: 'jsonb',
  endsOn: 'date?',
  reminderDays: 'int4[]',
  autoPost: 'bool',
  note: 'text',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
  revision: 'int8',
} as const
const select = `t.id, t.payee, t.account_id as "accountId", t.currency, t.category_id as "categoryId", t.amount_min as "amountMin",
  t.amount_max as "amountMax", t.schedule, t.ends_on as "endsOn", t.reminder_days as "reminderDays", t.auto_post as "autoPost", t.note,
  t.created_at as "createdAt", t.updated_at as "updatedAt", t.revision`

const open = `o.household_id = t.household_id and o.bill_id = t.id and o.deleted_at is null and not o.paid and not o.skipped`
const shownColumns = { ...columns, nextDue: 'date?', overdueCount: 'int8' } as const
/** With what follows from its occurrences and the day; of a schedule beyond the raised ones the plan knows the next. */
const shownSelect = `${select},
  coalesce((select min(o.date) from bill_occurrences o where ${open} and o.date >= (select household_today(t.household_id))),
    (select p.next_date from bill_plans p where p.household_id = t.household_id and p.bill_id = t.id)) as "nextDue",
  (select count(*) from bill_occurrences o where ${open} and o.date < (select household_today(t.household_id))) as "overdueCount"`

const changeable = [
  'payee',
  'account_id',
  'category_id',
  'amount_min',
  'amount_max',
  'schedule',
  'ends_on',
  'reminder_days',
  'auto_post',
  'note',
] as const

/** As replicas hold them: stored columns only, since a derived one would change and the revision not rise. */
export const billRows = rowStatements({ noun: 'bills', table: 'bills', columns, select, insert: [], patch: [] })

export const readShown = statement(
  'bills.shown',
  { household: 'uuid', ids: 'uuid[]' },
  shownColumns,
  `select ${shownSelect} from bills t where t.household_id = :household and t.id = any(:ids) and t.deleted_at is null`,
)

/** The account gives the currency, else the caller, else the household; one that differs from the account's makes no row. */
export const insertBill = statement(
  'bills.insertOne',
  { draft: 'jsonb', baseCurrency: 'text' },
  columns,
  `insert into bills as t (household_id, id, currency, ${changeable.join(', ')})
  select r.household_id, r.id, coalesce(a.currency, r.currency, :baseCurrency), ${changeable.map((column) => `r.${column}`).join(', ')}
  from jsonb_populate_record(null::bills, :draft) r
  left join accounts a on a.household_id = r.household_id and a.id = r.account_id and a.deleted_at is null
  where (r.account_id is null or a.id is not null) and (a.id is null or r.currency is null or r.currency = a.currency)
  on conflict (household_id, id) do nothing
  returning ${select}`,
)

const patchOne = statement(
  'bills.patchOne',
  { household: 'uuid', id: 'uuid', changes: 'jsonb', ifRevision: 'int8?' },
  columns,
  `update bills t set ${changeable.map((column) => `${column} = r.${column}`).join(', ')}, currency = coalesce(a.currency, r.currency)
  from bills o cross join lateral jsonb_populate_record(o, :changes) r
  left join accounts a on a.household_id = o.household_id and a.id = r.account_id and a.deleted_at is null
  where o.household_id = :household and o.id = :id and t.household_id = o.household_id and t.id = o.id
    and (r.account_id is null or a.id is not null) and (a.id is null or not jsonb_exists(:changes, 'currency') or r.currency = a.currency)
    and t.deleted_at is null and (:ifRevision is null or t.revision <= :ifRevision)
  returning ${select}`,
)

/** What the operations read and patch with. */
export const shownBills = { ...billRows, byIds: readShown, patch: patchOne } as unknown as typeof billRows

export const listBills = listStatements({
  noun: 'bills',
  table: 'bills',
  alias: 't',
  columns: shownColumns,
  select: shownSelect,
  order: 'asc',
})

export const accountOfBill = statement(
  'bills.account',
  { household: 'uuid', id: 'uuid' },
  { currency: 'text' },
  'select currency from accounts where household_id = :household and id = :id and deleted_at is null',
)

/** What the forecast is made of: the open occurrences from a day on, and where the schedule goes on behind them. */
export const readExpected = statement(
  'bills.expected',
  { household: 'uuid', from: 'date', rows: 'int4' },
  {
    id: 'uuid',
    payee: 'text',
    accountId: 'uuid?',
    categoryId: 'uuid?',
    currency: 'text',
    amountMin: 'int8',
    amountMax: 'int8',
    schedule: 'jsonb',
    endsOn: 'date?',
    nextDate: 'date?',
    occurrences: 'jsonb',
  },
  `select t.id, t.payee, t.account_id as "accountId", t.category_id as "categoryId", t.currency, t.amount_min as "amountMin",
    t.amount_max as "amountMax", t.schedule, t.ends_on as "endsOn", p.next_date as "nextDate",
    (select coalesce(jsonb_agg(jsonb_build_object('date', o.date, 'amountMin', o.amount_min, 'amountMax', o.amount_max, 'paidAmount', o.paid_amount,
       'currency', o.currency) order by o.date), '[]')
     from bill_occurrences o where ${open} and o.date >= :from) as occurrences
  from bills t join bill_plans p on p.household_id = t.household_id and p.bill_id = t.id
  where t.household_id = :household and t.deleted_at is null order by t.id limit :rows`,
)

/** Bills whose plan has come to a day, with what is needed to go on. */
export function duePlans(ofOne: boolean) {
  return composedStatement(
    `bills.duePlans${ofOne ? '.one' : ''}`,
    { household: 'uuid', to: 'date', rows: 'int4', ...(ofOne ? { id: 'uuid' as const } : {}) },
    { id: 'uuid', schedule: 'jsonb', endsOn: 'date?', nextDate: 'date' },
    () => `select b.id, b.schedule, b.ends_on as "endsOn", p.next_date as "nextDate"
    from bill_plans p join bills b on b.household_id = p.household_id and b.id = p.bill_id and b.deleted_at is null
    where p.household_id = :household and p.next_date <= :to ${ofOne ? 'and p.bill_id = :id' : ''} order by p.bill_id limit :rows`,
  )
}

export const raiseOccurrences = statement(
  'bills.raise',
  { household: 'uuid', bill: 'uuid', from: 'date', days: 'date[]', next: 'date?' },
  {},
  'select raise_occurrences(:household, :bill, :from, :days, :next)',
)

/** Households with something to do by the clock, whatever their zone: no later day than the given ones is today anywhere. */
export const dueHouseholds = statement(
  'bills.dueHouseholds',
  { after: 'uuid', planTo: 'date', today: 'date', rows: 'int4' },
  { id: 'uuid', timeZone: 'text' },
  `select h.household_id as id, h.time_zone as "timeZone"
  from (
    (select distinct p.household_id from bill_plans p join bills b on b.household_id = p.household_id and b.id = p.bill_id and b.deleted_at is null
     where p.next_date <= :planTo and p.household_id > :after order by 1 limit :rows)
    union
    (select distinct a.household_id from bill_alarms a where a.due_on <= :today and a.household_id > :after order by 1 limit :rows)
  ) d join households h on h.household_id = d.household_id and h.deleted_at is null
  order by 1 limit :rows`,
)

/** Writers of a household wait for each other here; its revision is not raised before there is something to write. */
export const lockHousehold = statement(
  'bills.lock',
  { household: 'uuid' },
  { revision: 'int8' },
  'select revision from revisions where household_id = :household for update',
)

export const listAlarms = statement(
  'bills.alarms',
  { household: 'uuid', today: 'date', rows: 'int4' },
  {
    billId: 'uuid',
    date: 'date',
    postDue: 'bool',
    remindDue: 'bool',
    payee: 'text',
    currency: 'text',
    amountMin: 'int8',
    amountMax: 'int8',
    reminderDays: 'int4[]',
    createdAt: 'timestamptz',
  },
  `select a.bill_id as "billId", a.date, coalesce(a.post_on <= :today, false) as "postDue", coalesce(a.remind_on <= :today, false) as "remindDue",
    b.payee, o.currency, o.amount_min as "amountMin", o.amount_max as "amountMax", b.reminder_days as "reminderDays", b.created_at as "createdAt"
  from bill_alarms a
  join bills b on b.household_id = a.household_id and b.id = a.bill_id
  join bill_occurrences o on o.household_id = a.household_id and o.bill_id = a.bill_id and o.date = a.date
  where a.household_id = :household and a.due_on <= :today
  order by a.date, a.bill_id limit :rows`,
)

export const postOccurrence = statement(
  'bills.post',
  { household: 'uuid', bill: 'uuid', date: 'date' },
  { posted: 'bool' },
  'select post_occurrence(:household, :bill, :date) as posted',
)

/** Tells what is due to be told, and sets each alarm to its next reminder; an alarm without one is done. */
export const remind = statement(
  'bills.remind',
  { household: 'uuid', reminders: 'jsonb' },
  { told: 'int8' },
  `select remind_of_bills(:household, :reminders) as told`,
)

export const forgetBills = statement(
  'bills.forget',
  { days: 'int4', most: 'int4' },
  { forgotten: 'int8' },
  'select forget_bills(now() - make_interval(days => :days), :most) as forgotten',
)
