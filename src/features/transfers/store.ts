// SQL of transfers: one row that names them, two transactions that are their legs.
import { statement } from '../../resources/statement.ts'
import { listStatements, rowStatements } from '../../resources/rows.ts'

const key = { household: 'uuid', id: 'uuid' } as const
const columns = { id: 'uuid', createdAt: 'timestamptz', updatedAt: 'timestamptz', revision: 'int8', from: 'jsonb?', to: 'jsonb?' } as const

const leg = (side: 'from' | 'to') => `(
  select jsonb_build_object('id', t.id, 'accountId', t.account_id, 'currency', t.currency, 'date', t.date, 'amount', t.amount, 'payee', t.payee,
    'rawPayee', t.raw_payee, 'note', t.note, 'categoryId', t.category_id, 'splits', t.splits, 'status', t.status, 'original', null,
    'externalId', t.external_id, 'importId', t.import_id,
    'transfer', jsonb_build_object('id', t.transfer_id, 'side', t.transfer_side, 'transactionId', p.id, 'accountId', p.account_id),
    'createdAt', t.created_at, 'updatedAt', t.updated_at, 'revision', t.revision)
  from transactions t join transactions p
    on p.household_id = t.household_id and p.transfer_id = t.transfer_id and p.transfer_side = '${side === 'from' ? 'to' : 'from'}'
  where t.household_id = x.household_id and t.transfer_id = x.id and t.transfer_side = '${side}') as "${side}"`

/** A transfer is as new as its legs, which take a note or a payee by themselves too. */
const select = `x.id, x.created_at as "createdAt", x.updated_at as "updatedAt",
  greatest(x.revision, (select max(t.revision) from transactions t where t.household_id = x.household_id and t.transfer_id = x.id)) as revision,
  ${leg('from')}, ${leg('to')}`

export const transferRows = rowStatements({
  noun: 'transfers',
  table: 'transfers',
  columns: { id: 'uuid' },
  select: 't.id',
  insert: [],
  patch: [],
})

export const readTransfers = statement(
  'transfers.read',
  { household: 'uuid', ids: 'uuid[]' },
  columns,
  `select ${select} from unnest(:ids) i (id)
  cross join lateral (select * from transfers x where x.household_id = :household and x.id = i.id limit 1) x
  where x.deleted_at is null order by x.id`,
)

export const listTransfers = listStatements({ noun: 'transfers', table: 'transfers', alias: 'x', columns, select, order: 'desc' })

export const insertTransfer = statement(
  'transfers.insertOne',
  key,
  { id: 'uuid' },
  'insert into transfers (household_id, id) values (:household, :id) on conflict (household_id, id) do nothing returning id',
)

/** Both legs, when both accounts are there and the amounts fit their currencies; otherwise none. */
export const insertLegs = statement(
  'transfers.insertLegs',
  {
    ...key,
    fromId: 'uuid',
    toId: 'uuid',
    fromAccount: 'uuid',
    toAccount: 'uuid',
    date: 'date',
    amount: 'int8',
    toAmount: 'int8?',
    note: 'text',
  },
  { id: 'uuid' },
  `insert into transactions (household_id, id, account_id, currency, date, amount, note, transfer_id, transfer_side)
  select :household, l.id, l.account_id, l.currency, :date, l.amount, :note, :id, l.side
  from accounts f join accounts t on t.household_id = f.household_id and t.id = :toAccount and t.deleted_at is null,
    lateral (values (:fromId, f.id, f.currency, -:amount, 'from'), (:toId, t.id, t.currency, coalesce(:toAmount, :amount), 'to'))
      l (id, account_id, currency, amount, side)
  where f.household_id = :household and f.id = :fromAccount and f.deleted_at is null
    and not exists (select from transactions o where o.household_id = :household and o.transfer_id = :id)
    and case when f.currency = t.currency then coalesce(:toAmount, :amount) = :amount else :toAmount is not null end
  returning id`,
)

/** Stamps the transfer with the revision of a change of its legs. */
export const touchTransfer = statement(
  'transfers.touch',
  { ...key, ifRevision: 'int8?' },
  { id: 'uuid' },
  `update transfers set deleted_at = null where household_id = :household and id = :id and deleted_at is null
    and (:ifRevision is null or revision <= :ifRevision) returning id`,
)

export const patchLegs = statement(
  'transfers.patchLegs',
  {
    ...key,
    fromAccount: 'uuid?',
    toAccount: 'uuid?',
    date: 'date?',
    amount: 'int8?',
    toAmount: 'int8?',
    note: 'text?',
  },
  { id: 'uuid' },
  `with legs as (
    select f.id as from_id, t.id as to_id, fa.id as from_account, ta.id as to_account, fa.currency as from_currency, ta.currency as to_currency,
      coalesce(:amount, -f.amount) as amount,
      case when :toAmount is not null then :toAmount when fa.currency = ta.currency then coalesce(:amount, -f.amount)
           when :amount is null and ta.currency = t.currency then t.amount end as to_amount
    from transactions f
    join transactions t on t.household_id = f.household_id and t.transfer_id = f.transfer_id and t.transfer_side = 'to'
    join accounts fa on fa.household_id = f.household_id and fa.id = coalesce(:fromAccount, f.account_id) and fa.deleted_at is null
    join accounts ta on ta.household_id = f.household_id and ta.id = coalesce(:toAccount, t.account_id) and ta.deleted_at is null
    where f.household_id = :household and f.transfer_id = :id and f.transfer_side = 'from'
  )
  update transactions x set account_id = n.account_id, currency = n.currency, amount = n.amount, date = coalesce(:date, x.date), note = coalesce(:note, x.note)
  from legs l, lateral (values (l.from_id, l.from_account, l.from_currency, -l.amount), (l.to_id, l.to_account, l.to_currency, l.to_amount))
    n (id, account_id, currency, amount)
  where x.household_id = :household and x.id = n.id and l.to_amount is not null
    and (l.from_currency <> l.to_currency or l.to_amount = l.amount)
  returning x.id`,
)

export const accountsOf = statement(
  'transfers.accounts',
  { household: 'uuid', ids: 'uuid[]' },
  { id: 'uuid', currency: 'text' },
  'select id, currency from accounts where household_id = :household and id = any(:ids) and deleted_at is null',
)

export const removeLegs = statement(
  'transfers.removeLegs',
  key,
  { id: 'uuid' },
  `update transactions set deleted_at = now() where household_id = :household and transfer_id = :id and deleted_at is null returning id`,
)

export const restoreLegs = statement(
  'transfers.restoreLegs',
  key,
  { id: 'uuid' },
  `update transactions set deleted_at = null where household_id = :household and transfer_id = :id returning id`,
)
