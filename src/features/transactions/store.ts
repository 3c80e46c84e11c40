// SQL of transactions.
import { composedStatement, statement, type Shape } from '../../resources/statement.ts'
import { rowStatements } from '../../resources/rows.ts'

export const transactionColumns = {
  id: 'uuid',
  accountId: 'uuid',
  currency: 'text',
  date: 'date',
  amount: 'int8',
  payee: 'text',
  rawPayee: 'text?',
  note: 'text',
  categoryId: 'uuid?',
  splits: 'jsonb?',
  status: 'text',
  original: 'jsonb?',
  externalId: 'text?',
  importId: 'uuid?',
  transfer: 'jsonb?',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
  revision: 'int8',
} as const

export const transactionSelect = `t.id, t.account_id as "accountId", t.currency, t.date, t.amount, t.payee, t.raw_payee as "rawPayee", t.note,
  t.category_id as "categoryId", t.splits, t.status,
  case when t.original_amount is not null then
    jsonb_build_object('amount', t.original_amount, 'currency', t.original_currency, 'rate', trim_scale(t.original_rate)::text) end as original,
  t.external_id as "externalId", t.import_id as "importId",
  case when t.transfer_id is not null then (
    select jsonb_build_object('id', p.transfer_id, 'side', t.transfer_side, 'transactionId', p.id, 'accountId', p.account_id)
    from transactions p
    where p.household_id = t.household_id and p.transfer_id = t.transfer_id
      and p.transfer_side = case t.transfer_side when 'from' then 'to' else 'from' end) end as transfer,
  t.created_at as "createdAt", t.updated_at as "updatedAt", t.revision`

const changeable = [
  'account_id',
  'date',
  'amount',
  'payee',
  'note',
  'category_id',
  'splits',
  'status',
  'original_amount',
  'original_currency',
  'original_rate',
  'edited_fields',
] as const

export const transactionRows = rowStatements({
  noun: 'transactions',
  table: 'transactions',
  columns: transactionColumns,
  select: transactionSelect,
  insert: [],
  patch: [],
})

/** The currency is the account's: no account, no row. */
export const insertTransaction = statement(
  'transactions.insertOne',
  { draft: 'jsonb' },
  transactionColumns,
  `insert into transactions as t (household_id, id, account_id, currency, date, amount, payee, note, category_id, splits, status,
    original_amount, original_currency, original_rate, external_id, source_account_id, edited_fields)
  select r.household_id, r.id, a.id, a.currency, r.date, r.amount, r.payee, r.note, r.category_id, r.splits, r.status,
    r.original_amount, r.original_currency, r.original_rate, r.external_id, case when r.external_id is not null then a.id end, r.edited_fields
  from jsonb_populate_record(null::transactions, :draft) r
  join accounts a on a.household_id = r.household_id and a.id = r.account_id and a.deleted_at is null
  on conflict (household_id, id) do nothing
  returning ${transactionSelect}`,
)

export const patchTransaction = statement(
  'transactions.patchOne',
  { household: 'uuid', id: 'uuid', changes: 'jsonb', ifRevision: 'int8?', edited: 'text[]' },
  transactionColumns,
  `update transactions t set ${changeable
    .filter((column) => column !== 'edited_fields')
    .map((column) => `${column} = r.${column}`)
    .join(', ')},
    currency = a.currency,
    edited_fields = (select coalesce(array_agg(distinct f order by f), '{}') from unnest(o.edited_fields || :edited) f)
  from transactions o, lateral jsonb_populate_record(o, :changes) r, accounts a
  where o.household_id = :household and o.id = :id and t.household_id = o.household_id and t.id = o.id
    and a.household_id = o.household_id and a.id = r.account_id and a.deleted_at is null
    and t.deleted_at is null and (:ifRevision is null or t.revision <= :ifRevision)
  returning ${transactionSelect}`,
)

/** What a patch must know before it is allowed. */
export const transactionNature = statement(
  'transactions.nature',
  { household: 'uuid', id: 'uuid' },
  {
    currency: 'text',
    amount: 'int8',
    transferId: 'uuid?',
    deletedAt: 'timestamptz?',
    originalAmount: 'int8?',
    originalCurrency: 'text?',
  },
  `select currency, amount, transfer_id as "transferId", deleted_at as "deletedAt",
    original_amount as "originalAmount", original_currency as "originalCurrency"
  from transactions where household_id = :household and id = :id`,
)

export const accountCurrency = statement(
  'transactions.accountCurrency',
  { household: 'uuid', id: 'uuid' },
  { currency: 'text' },
  'select currency from accounts where household_id = :household and id = :id and deleted_at is null',
)

export const removeSingle = statement(
  'transactions.removeSingle',
  { household: 'uuid', id: 'uuid', ifRevision: 'int8?' },
  { revision: 'int8' },
  `update transactions t set deleted_at = now()
  where t.household_id = :household and t.id = :id and t.deleted_at is null and t.transfer_id is null
    and (:ifRevision is null or t.revision <= :ifRevision)
  returning t.revision`,
)

/** Filters of the list, each a condition that is there only when it is asked for. */
export const filters = {
  account: ['uuid', 't.account_id = :account'],
  // Rows of which only a split has it come from `bySplits`.
  category: ['uuid', 't.category_id = :category'],
  from: ['date', 't.date >= :from'],
  to: ['date', 't.date <= :to'],
  status: ['text', 't.status = :status'],
  amountMin: ['int8', 't.amount >= :amountMin'],
  amountMax: ['int8', 't.amount <= :amountMax'],
  updatedSince: ['timestamptz', 't.updated_at >= :updatedSince'],
  q: ['text', '(t.payee ilike :q or t.note ilike :q)'],
} as const satisfies Record<string, readonly [string, string]>

export type Filter = keyof typeof filters

/** Rows of which only splits have the category, each by its key: the planner would otherwise read all rows of a small household, and so of a large one. */
const bySplits = (conditions: string) => `(select distinct s.transaction_id as id from splits s
      where s.household_id = :household and s.category_id = :category) s
    cross join lateral (select * from transactions t
      where t.household_id = :household and t.id = s.id and t.deleted_at is null and t.category_id is distinct from :category
      ${conditions} limit 1) t`

/** Newest day first, then by id downwards. `after` continues behind a (date, id). */
export function listTransactions(wanted: readonly Filter[], after: boolean) {
  const parameters: Record<string, string> = { household: 'uuid', rows: 'int4' }
  for (const name of wanted) parameters[name] = filters[name][0]
  if (after) Object.assign(parameters, { afterDate: 'date', afterId: 'uuid' })
  const conditions = (names: readonly Filter[]) =>
    [...names.map((name) => filters[name][1]), ...(after ? ['(t.date, t.id) < (:afterDate, :afterId)'] : [])]
      .map((condition) => `and ${condition}`)
      .join('\n      ')
  const order = 'order by t.date desc, t.id desc limit :rows'
  const plain = `from transactions t where t.household_id = :household and t.deleted_at is null
      ${conditions(wanted)}`
  const others = wanted.filter((name) => name !== 'category')
  return composedStatement(
    `transactions.list ${[...wanted, after ? 'after' : ''].join(' ')}`.trim(),
    parameters as Shape,
    transactionColumns,
    () =>
      wanted.includes('category')
        ? // Each half has an index to itself; with an `or` there is none for both, and a rare category reads all rows.
          `select ${transactionSelect} from ((select t.* ${plain} ${order})
    union all (select t.* from ${bySplits(conditions(others))} ${order})) t ${order}`
        : `select ${transactionSelect} ${plain} ${order}`,
  )
}

/** Many at once, for histories made by ourselves: each has every column, its currency and id. */
export const insertTransactions = statement(
  'transactions.insertMany',
  { drafts: 'jsonb' },
  {},
  `insert into transactions (household_id, id, account_id, currency, date, amount, payee, note, category_id, splits, status)
  select r.household_id, r.id, r.account_id, r.currency, r.date, r.amount, r.payee, r.note, r.category_id, r.splits, r.status
  from jsonb_populate_recordset(null::transactions, :drafts) r`,
)
