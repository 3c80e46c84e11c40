// SQL of the occurrences of bills and what pays them.
import { composedStatement, statement, type Shape } from '../../resources/statement.ts'
import { rowStatements } from '../../resources/rows.ts'

const columns = {
  id: 'uuid',
  billId: 'uuid',
  date: 'date',
  currency: 'text',
  amountMin: 'int8',
  amountMax: 'int8',
  skipped: 'bool',
  paid: 'bool',
  paidAmount: 'int8',
  payments: 'jsonb',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
  revision: 'int8',
} as const
const select = `t.id, t.bill_id as "billId", t.date, t.currency, t.amount_min as "amountMin", t.amount_max as "amountMax", t.skipped, t.paid,
  t.paid_amount as "paidAmount", t.payments, t.created_at as "createdAt", t.updated_at as "updatedAt", t.revision`

/** Written by the database but for `skipped`. */
export const occurrenceRows = rowStatements({ noun: 'occurrences', table: 'bill_occurrences', columns, select, insert: [], patch: [] })

const key = { household: 'uuid', bill: 'uuid', date: 'date' } as const
const ofKey = 't.household_id = :household and t.bill_id = :bill and t.date = :date'

export const readOccurrence = statement(
  'occurrences.read',
  key,
  columns,
  `select ${select} from bill_occurrences t where ${ofKey} and t.deleted_at is null`,
)

export const setSkipped = statement(
  'occurrences.setSkipped',
  { ...key, skipped: 'bool', ifRevision: 'int8?' },
  columns,
  `update bill_occurrences t set skipped = :skipped
  where ${ofKey} and t.deleted_at is null and not t.paid and (:ifRevision is null or t.revision <= :ifRevision)
  returning ${select}`,
)

/** By hand a transaction goes to the occurrence that is named, wherever it was before. */
export const payByHand = statement(
  'occurrences.pay',
  { ...key, transaction: 'uuid' },
  { id: 'uuid' },
  `insert into bill_payments as p (household_id, transaction_id, bill_id, date, origin)
  select t.household_id, x.id, t.bill_id, t.date, 'hand'
  from bill_occurrences t join transactions x on x.household_id = t.household_id and x.id = :transaction and x.deleted_at is null
    and x.currency = t.currency
  where ${ofKey} and t.deleted_at is null
  on conflict (household_id, transaction_id) do update set bill_id = excluded.bill_id, date = excluded.date, origin = excluded.origin
  returning p.transaction_id as id`,
)
export const forgetMismatch = statement(
  'occurrences.forgetMismatch',
  { household: 'uuid', bill: 'uuid', transaction: 'uuid' },
  {},
  'delete from bill_mismatches where household_id = :household and bill_id = :bill and transaction_id = :transaction',
)
export const rememberMismatch = statement(
  'occurrences.rememberMismatch',
  { ...key, transaction: 'uuid' },
  {},
  `insert into bill_mismatches (household_id, transaction_id, bill_id)
  select t.household_id, t.transaction_id, t.bill_id from bill_payments t where ${ofKey} and t.transaction_id = :transaction
  on conflict do nothing`,
)
export const takeOff = statement(
  'occurrences.takeOff',
  { ...key, transaction: 'uuid' },
  {},
  `delete from bill_payments t where ${ofKey} and t.transaction_id = :transaction`,
)

export const payingCurrency = statement(
  'occurrences.payingCurrency',
  { household: 'uuid', transaction: 'uuid' },
  { currency: 'text' },
  'select currency from transactions where household_id = :household and id = :transaction and deleted_at is null',
)

const openOnes = 'not t.paid and not t.skipped'
/** Conditions of the list, each there only when it is asked for. */
export const occurrenceFilters = {
  bill: ['uuid', 't.bill_id = :bill'],
  from: ['date', 't.date >= :from'],
  to: ['date', 't.date <= :to'],
} as const satisfies Record<string, readonly [string, string]>
export const statusFilters = {
  open: openOnes,
  due: `${openOnes} and t.date >= :today`,
  overdue: `${openOnes} and t.date < :today`,
  paid: 't.paid',
  skipped: 't.skipped and not t.paid',
} as const satisfies Record<string, string>

export type OccurrenceFilter = keyof typeof occurrenceFilters
export type StatusFilter = keyof typeof statusFilters

/** By date, then bill. `after` continues behind a (date, bill). */
export function listOccurrences(wanted: readonly OccurrenceFilter[], status: StatusFilter | undefined, after: boolean) {
  const parameters: Record<string, string> = { household: 'uuid', rows: 'int4' }
  for (const name of wanted) parameters[name] = occurrenceFilters[name][0]
  if (status === 'due' || status === 'overdue') parameters['today'] = 'date'
  if (after) Object.assign(parameters, { afterDate: 'date', afterBill: 'uuid' })
  return composedStatement(
    `occurrences.list ${[...wanted, status ?? '', after ? 'after' : ''].join(' ')}`.trim(),
    parameters as Shape,
    columns,
    () => `select ${select} from bill_occurrences t
    where t.household_id = :household and t.deleted_at is null
      ${wanted.map((name) => `and ${occurrenceFilters[name][1]}`).join('\n      ')}
      ${status === undefined ? '' : `and ${statusFilters[status]}`}
      ${after ? 'and (t.date, t.bill_id) > (:afterDate, :afterBill)' : ''}
    order by t.date, t.bill_id limit :rows`,
  )
}
