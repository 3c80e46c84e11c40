// SQL of a push: what is there already by id, by equal entries and by hand, and what becomes of it.
import { statement } from '../../resources/statement.ts'

const key = { household: 'uuid', feed: 'uuid' } as const

/** Opens the push as the household's one writer and remembers its signature; `standing` says whether it may go on. */
export const openPush = statement(
  'feeds.openPush',
  { feed: 'uuid', keyId: 'text', signature: 'bytea', signedAt: 'timestamptz' },
  { standing: 'text', currency: 'text?' },
  'select standing, currency from open_push(:feed, :keyId, :signature, :signedAt)',
)

const known = {
  id: 'uuid',
  date: 'date',
  amount: 'int8',
  payee: 'text',
  note: 'text',
  splits: 'jsonb?',
  status: 'text',
  rawPayee: 'text?',
  externalId: 'text?',
  sourceDate: 'date?',
  sourceAmount: 'int8?',
  originalAmount: 'int8?',
  originalCurrency: 'text?',
  originalRate: 'numeric?',
  editedFields: 'text[]',
  isTransfer: 'bool',
  isDeleted: 'bool',
  isWithdrawn: 'bool',
  isElsewhere: 'bool',
  ids: 'text[]',
  origin: 'text?',
  saidStatus: 'text?',
  saidPayee: 'text?',
  saidNote: 'text?',
} as const

/** A transaction as it is, and as the feed described it last. `isElsewhere`: a person moved it to where its money cannot be changed. */
const select = `t.id, t.date, t.amount, t.payee, t.note, t.splits, t.status, t.raw_payee as "rawPayee", t.external_id as "externalId",
  t.source_date as "sourceDate", t.source_amount as "sourceAmount", t.original_amount as "originalAmount", t.original_currency as "originalCurrency",
  t.original_rate as "originalRate", t.edited_fields as "editedFields", t.transfer_id is not null as "isTransfer",
  t.deleted_at is not null as "isDeleted", coalesce(said.withdrawn_at = t.deleted_at, false) as "isWithdrawn",
  t.account_id <> feed.account_id and (a.currency <> feed.currency or a.closed_at is not null or a.deleted_at is not null) as "isElsewhere",
  coalesce(said.ids, '{}') as ids, said.origin, said.status as "saidStatus", said.payee as "saidPayee", said.note as "saidNote"`
const feed = `feed as materialized (
    select f.account_id, a.currency from feeds f join accounts a on a.household_id = f.household_id and a.id = f.account_id
    where f.household_id = :household and f.id = :feed
  )`
/** By itself, so that an index is entered with it. */
const accountId = '(select account_id from feed)'
const said = `join accounts a on a.household_id = t.household_id and a.id = t.account_id
  left join lateral (
    select array_agg(r.external_id) as ids, min(r.origin) as origin, min(r.status) as status, min(r.payee) as payee, min(r.note) as note,
      max(r.withdrawn_at) as withdrawn_at
    from feed_rows r where r.household_id = t.household_id and r.transaction_id = t.id) said on true`

/** By any id that they have or had; live ones first, and none that an undo took back. */
export const knownByIds = statement(
  'feeds.knownByIds',
  { ...key, ids: 'text[]' },
  { ...known, namedBy: 'text' },
  `with ${feed}, named as materialized (
    select r.external_id, r.transaction_id from feed_rows r
    where r.household_id = :household and r.account_id = ${accountId} and r.external_id = any(:ids)
    union
    select t.external_id, t.id from transactions t
    where t.household_id = :household and t.source_account_id = ${accountId} and t.external_id = any(:ids)
  )
  select n.external_id as "namedBy", ${select}
  from named n cross join feed join transactions t on t.household_id = :household and t.id = n.transaction_id ${said}
  where t.deleted_at is null or said.withdrawn_at = t.deleted_at or not is_taken_back(t)
  order by t.deleted_at is not null, coalesce(said.withdrawn_at = t.deleted_at, false), t.id`,
)

/**
 * Entries that a file brought, or an id was given to elsewhere, which equal pushed ones (day, amount, payee as the bank wrote it) and which no feed
 * named yet; `rows` are the positions of the pushed ones. Where the ids of feed and file are the same, another id is another entry.
 */
export const equalEntries = statement(
  'feeds.equalEntries',
  { ...key, rows: 'jsonb' },
  { ...known, rows: 'int4[]' },
  `with ${feed}, pushed as (
    select p.date, p.amount, payee_key(p.raw_payee) as payee, array_agg(p.nth order by p.nth) as rows
    from jsonb_to_recordset(:rows) as p (nth integer, date date, amount bigint, raw_payee text) group by 1, 2, 3
  )
  select p.rows, ${select}
  from pushed p cross join feed
  join transactions t on t.household_id = :household and t.source_account_id = ${accountId} and t.source_date = p.date
    and t.source_amount = p.amount and payee_key(t.raw_payee) = p.payee
  ${said}
  -- In this order: what costs more is asked of the few rows that are left.
  where case when said.ids is not null then false when t.deleted_at is not null and is_taken_back(t) then false
    else t.external_id is null or not (select feed_ids_are_the_banks(:household, ${accountId})) end
  order by t.deleted_at is not null, t.external_id is not null, t.id limit 1000`,
)

/** Typed by hand (of no bank), of the amount of a pushed row and within 3 days of it. */
export const handWritten = statement(
  'feeds.handWritten',
  { ...key, rows: 'jsonb' },
  known,
  `with ${feed}, pushed as (
    select p.date, p.amount from jsonb_to_recordset(:rows) as p (date date, amount bigint)
  )
  select ${select}
  from feed join transactions t on t.household_id = :household and t.account_id = ${accountId} ${said}
  where t.deleted_at is null and t.source_account_id is null and t.status <> 'reconciled'
    and t.date between (select min(date) - 3 from pushed) and (select max(date) + 3 from pushed)
    and exists (select from pushed p where p.amount = t.amount and t.date between p.date - 3 and p.date + 3)
  order by t.date, t.id limit 1000`,
)

export const insertPushed = statement(
  'feeds.insertPushed',
  { ...key, rows: 'jsonb' },
  {},
  `with ${feed}
  insert into transactions (household_id, id, account_id, currency, date, amount, payee, note, status, original_amount, original_currency,
    original_rate, raw_payee, external_id, source_account_id, source_date, source_amount)
  select :household, r.id, feed.account_id, feed.currency, r.date, r.amount, r.payee, r.note, r.status, r.original_amount, r.original_currency,
    r.original_rate, r.raw_payee, r.external_id, feed.account_id, r.date, r.amount
  from feed cross join jsonb_populate_recordset(null::transactions, :rows) r`,
)

const isThere = (id: string) =>
  `(select c.id from categories c where c.household_id = t.household_id and c.id = ${id} and c.deleted_at is null)`

/** Writes what follows the bank. One that comes back leaves categories behind that were deleted meanwhile. */
export const updatePushed = statement(
  'feeds.updatePushed',
  { ...key, rows: 'jsonb' },
  {},
  `with ${feed}
  update transactions t set date = r.date, amount = r.amount, payee = r.payee, note = r.note, status = r.status, original_amount = r.original_amount,
    original_currency = r.original_currency, original_rate = r.original_rate, raw_payee = r.raw_payee, external_id = r.external_id,
    source_account_id = feed.account_id, source_date = r.source_date, source_amount = r.source_amount, deleted_at = null,
    category_id = case when t.deleted_at is null then t.category_id else ${isThere('t.category_id')} end,
    splits = case when t.deleted_at is null then r.splits else (
      select jsonb_agg(s.split || jsonb_build_object('categoryId', ${isThere(`(s.split ->> 'categoryId')::uuid`)}) order by s.nth)
      from jsonb_array_elements(r.splits) with ordinality s (split, nth)) end
  from feed cross join jsonb_populate_recordset(null::transactions, :rows) r
  where t.household_id = :household and t.id = r.id`,
)

/** Remembers by which ids the feed names transactions and what it said of them. */
export const rememberRows = statement(
  'feeds.rememberRows',
  { ...key, rows: 'jsonb' },
  {},
  `with ${feed}
  insert into feed_rows as f (household_id, account_id, external_id, transaction_id, origin, status, payee, note)
  select :household, feed.account_id, r.external_id, r.transaction_id, r.origin, r.status, r.payee, r.note
  from feed cross join jsonb_populate_recordset(null::feed_rows, :rows) r
  on conflict (household_id, account_id, external_id) do update set transaction_id = excluded.transaction_id, origin = excluded.origin,
    status = excluded.status, payee = excluded.payee, note = excluded.note, withdrawn_at = null`,
)

/** What the bank took back is deleted, and remembered as such: it may come again. */
export const withdrawPushed = statement(
  'feeds.withdrawPushed',
  { household: 'uuid', ids: 'uuid[]' },
  {},
  `with gone as (
    update transactions t set deleted_at = now() where t.household_id = :household and t.id = any(:ids) and t.deleted_at is null returning t.id
  )
  update feed_rows f set withdrawn_at = now() from gone g where f.household_id = :household and f.transaction_id = g.id`,
)

/** What a person typed is theirs again. */
export const releaseAdopted = statement(
  'feeds.releaseAdopted',
  { household: 'uuid', ids: 'uuid[]' },
  {},
  `with freed as (
    update transactions t set raw_payee = null, external_id = null, source_account_id = null, source_date = null, source_amount = null
    where t.household_id = :household and t.id = any(:ids) returning t.id
  )
  delete from feed_rows f using freed where f.household_id = :household and f.transaction_id = freed.id`,
)

export const countPush = statement(
  'feeds.countPush',
  { ...key, created: 'int4', updated: 'int4', removed: 'int4' },
  {},
  `insert into feed_usage as u (household_id, feed_id, pushes, created, updated, removed) values (:household, :feed, 1, :created, :updated, :removed)
  on conflict (household_id, feed_id) do update set last_push_at = now(), pushes = u.pushes + 1, created = u.created + excluded.created,
    updated = u.updated + excluded.updated, removed = u.removed + excluded.removed`,
)

/** The revision that this transaction raised, if it wrote any row. */
export const raisedRevision = statement(
  'feeds.raisedRevision',
  { household: 'uuid' },
  { revision: 'int8' },
  'select r.revision from revisions r where r.household_id = :household and r.raised_by = pg_current_xact_id_if_assigned()',
)
