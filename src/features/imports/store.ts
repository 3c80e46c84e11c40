// SQL of imports: previews are staged rows, the commit and its undo are statements over them.
import { statement } from '../../resources/statement.ts'
import { listStatements, rowStatements } from '../../resources/rows.ts'
import { currencies } from '../../values/currencies.ts'

const columns = {
  id: 'uuid',
  format: 'text',
  fileName: 'text?',
  fileDigest: 'text',
  status: 'text',
  mapping: 'jsonb?',
  statements: 'jsonb',
  warnings: 'jsonb',
  summary: 'jsonb',
  result: 'jsonb?',
  committedAt: 'timestamptz?',
  undoneAt: 'timestamptz?',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
  revision: 'int8',
} as const
const select = `t.id, t.format, t.file_name as "fileName", t.file_digest as "fileDigest", t.status, t.mapping, t.statements, t.warnings, t.summary, t.result,
  t.committed_at as "committedAt", t.undone_at as "undoneAt", t.created_at as "createdAt", t.updated_at as "updatedAt", t.revision`
const key = { household: 'uuid', id: 'uuid' } as const

export const importRows = rowStatements({
  noun: 'imports',
  table: 'imports',
  columns,
  select,
  insert: ['household_id', 'id', 'format', 'file_name', 'file_digest', 'status', 'mapping', 'statements', 'warnings', 'summary'],
  patch: ['format', 'status', 'mapping', 'statements', 'warnings', 'summary', 'result', 'committed_at', 'undone_at'],
})

export const listImports = listStatements({ noun: 'imports', table: 'imports', alias: 't', columns, select, order: 'desc' })

export const keepFile = statement(
  'imports.keepFile',
  { ...key, content: 'bytea' },
  {},
  'insert into import_files (household_id, import_id, content) values (:household, :id, :content)',
)
export const readKeptFile = statement(
  'imports.readFile',
  key,
  { content: 'bytea' },
  'select content from import_files where household_id = :household and import_id = :id',
)
export const dropFile = statement(
  'imports.dropFile',
  key,
  {},
  'delete from import_files where household_id = :household and import_id = :id',
)
export const dropRows = statement(
  'imports.dropRows',
  key,
  {},
  'delete from import_rows where household_id = :household and import_id = :id',
)

/** One chunk of staged rows, as a jsonb array of objects with the columns' names. */
export const stageRows = statement(
  'imports.stage',
  { ...key, rows: 'jsonb' },
  {},
  `insert into import_rows (household_id, import_id, row, line, statement, account_id, status, reason, date, amount, payee, raw_payee, note,
    external_id, pending, original_amount, original_currency, transaction_id)
  select :household, :id, r.row, r.line, r.statement, r.account_id, r.status, r.reason, r.date, r.amount, r.payee, r.raw_payee, r.note,
    r.external_id, r.pending, r.original_amount, r.original_currency, r.transaction_id
  from jsonb_populate_recordset(null::import_rows, :rows) r`,
)

export const classify = statement(
  'imports.classify',
  { ...key, fresh: 'text[]' },
  {},
  'select from classify_import(:household, :id, :fresh)',
)

export const summarise = statement(
  'imports.summarise',
  key,
  { status: 'text', count: 'int8' },
  'select status, count(*) as count from import_rows where household_id = :household and import_id = :id group by status',
)

export const readRows = statement(
  'imports.rows',
  { ...key, after: 'int4', upTo: 'int4' },
  {
    row: 'int4',
    line: 'int4',
    statement: 'text',
    accountId: 'uuid?',
    status: 'text',
    reason: 'text?',
    date: 'date?',
    amount: 'int8?',
    payee: 'text?',
    rawPayee: 'text?',
    note: 'text?',
    externalId: 'text?',
    pending: 'bool',
    originalAmount: 'int8?',
    originalCurrency: 'text?',
    transactionId: 'uuid?',
    matchId: 'uuid?',
  },
  `select row, line, statement, account_id as "accountId", status, reason, date, amount, payee, raw_payee as "rawPayee", note, external_id as "externalId",
    pending, original_amount as "originalAmount", original_currency as "originalCurrency", transaction_id as "transactionId", match_id as "matchId"
  from import_rows where household_id = :household and import_id = :id and row > :after and row <= :upTo order by row`,
)

/** What the rows of a statement were to another account says nothing of this one. */
export const assignAccount = statement(
  'imports.assignAccount',
  { ...key, statement: 'text', account: 'uuid' },
  {},
  `update import_rows set account_id = :account, match_id = null, known_by_id = false, status = case when status = 'error' then 'error' else 'new' end,
    reason = case when status = 'error' then reason end
  where household_id = :household and import_id = :id and statement = :statement`,
)

export const accountsForImport = statement(
  'imports.accounts',
  { household: 'uuid', ids: 'uuid[]' },
  { id: 'uuid', currency: 'text', closed: 'bool' },
  `select id, currency, closed_at is not null as closed from accounts where household_id = :household and id = any(:ids) and deleted_at is null`,
)

/** To which account each statement key went when it was last committed. */
export const rememberedAccounts = statement(
  'imports.remembered',
  { household: 'uuid', keys: 'text[]' },
  { key: 'text', accountId: 'uuid' },
  `select distinct on (s.key) s.key, s."accountId" as "accountId"
  from imports i, jsonb_to_recordset(i.statements) as s (key text, "accountId" uuid)
  join accounts a on a.household_id = :household and a.id = s."accountId" and a.deleted_at is null and a.closed_at is null
  where i.household_id = :household and i.status = 'committed' and s.key = any(:keys) and s.key not in ('csv', 'qif', 'ofx')
  order by s.key, i.committed_at desc`,
)

const otherExponents = JSON.stringify(
  Object.fromEntries([...currencies.values()].filter(({ exponent }) => exponent !== 2).map(({ code, exponent }) => [code, exponent])),
)
const majorUnit = (currency: string) => `power(10::numeric, coalesce(('${otherExponents}'::jsonb ->> ${currency})::integer, 2))`

/** How much of the account's currency one unit of the original cost: the rate that a transaction written by hand gets too. */
const originalRate = `case when r.amount <> 0 and r.original_amount <> 0 then round(abs(r.amount)::numeric(36, 16) * ${majorUnit('r.original_currency')}
      / (abs(r.original_amount) * ${majorUnit('a.currency')}), 10) end`

export const insertNew = statement(
  'imports.insertNew',
  { ...key, after: 'int4', upTo: 'int4' },
  {},
  `insert into transactions (household_id, id, account_id, currency, date, amount, payee, note, status, original_amount, original_currency,
    original_rate, raw_payee, external_id, source_account_id, source_date, source_amount, import_id)
  select r.household_id, r.transaction_id, a.id, a.currency, r.date, r.amount, coalesce(r.payee, ''), coalesce(r.note, ''),
    case when r.pending then 'pending' else 'posted' end, r.original_amount, r.original_currency,
    ${originalRate}, coalesce(r.raw_payee, ''), r.external_id, a.id,
    r.date, r.amount, r.import_id
  from import_rows r join accounts a on a.household_id = r.household_id and a.id = r.account_id
  where r.household_id = :household and r.import_id = :id and r.status = 'new' and r.row > :after and r.row <= :upTo`,
)

/** The hand-written rows become the bank's, keeping what their writer said of them. */
export const adoptMatched = statement(
  'imports.adoptMatched',
  key,
  {},
  `with kept as (
    update import_rows r set match_before = jsonb_build_object('status', t.status)
    from transactions t
    where r.household_id = :household and r.import_id = :id and r.status = 'matched' and t.household_id = r.household_id and t.id = r.match_id
    returning r.household_id, r.match_id, r.account_id, r.raw_payee, r.external_id, r.date, r.amount, r.pending
  )
  update transactions t set raw_payee = coalesce(k.raw_payee, ''), external_id = k.external_id, source_account_id = k.account_id, source_date = k.date,
    source_amount = k.amount, status = case when t.status = 'pending' and not k.pending then 'posted' else t.status end
  from kept k where t.household_id = k.household_id and t.id = k.match_id`,
)

/** Takes back so many rows of an import, by their ids in order, and answers how many there were. */
export const removeImported = statement(
  'imports.removeImported',
  { ...key, rows: 'int4' },
  { count: 'int8' },
  `with gone as (
    update transactions set deleted_at = now()
    where household_id = :household and import_id = :id and deleted_at is null and id <= coalesce((
      select t.id from transactions t where t.household_id = :household and t.import_id = :id and t.deleted_at is null
      order by t.id offset :rows - 1 limit 1), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    returning 1
  ) select count(*) as count from gone`,
)

export const releaseMatched = statement(
  'imports.releaseMatched',
  key,
  {},
  `update transactions t set raw_payee = null, external_id = null, source_account_id = null, source_date = null, source_amount = null,
    status = case when t.status = 'posted' then r.match_before ->> 'status' else t.status end
  from import_rows r
  where r.household_id = :household and r.import_id = :id and r.status = 'matched' and t.household_id = r.household_id and t.id = r.match_id
    and t.deleted_at is null`,
)
