// SQL of exports: pages of each section in the order of its key, and the same rows put back into an empty household.
import { columnsOf } from '../../resources/rows.ts'
import { composedStatement, statement, type Shape } from '../../resources/statement.ts'
import { sections, type Section } from './sections.ts'

const columnOf = (field: string) => Object.keys(columnsOf({ [field]: null }))[0]!

export const readHousehold = statement(
  'exports.household',
  { household: 'uuid' },
  { line: 'text' },
  `select row_to_json(x)::text as line from (
    select h.name, h.base_currency as "baseCurrency", h.time_zone as "timeZone" from households h where h.household_id = :household) x`,
)

const selectOf = ({ fields, decimals = [] }: Section) =>
  Object.keys(fields)
    .map((field) => `${decimals.includes(field) ? `trim_scale(t.${columnOf(field)})::text` : `t.${columnOf(field)}`} as "${field}"`)
    .join(', ')

/** A page of a section: each row as the JSON text that it has in the document, with its key. */
export function readSection(section: Section, after: boolean) {
  const key = Object.keys(section.key)
  const marks = key.map((field) => `after_${field}`)
  return composedStatement(
    `exports.read ${section.name}${after ? ' after' : ''}`,
    {
      household: 'uuid',
      rows: 'int4',
      ...(after ? Object.fromEntries(key.map((field) => [`after_${field}`, section.key[field]!])) : {}),
    },
    { line: 'text', ...section.key },
    () => `select row_to_json(x)::text as line, ${key.map((field) => `x."${field}"`).join(', ')} from (
      select ${selectOf(section)} from ${section.table} t
      where t.household_id = :household ${section.where ? `and ${section.where}` : ''}
        ${after ? `and (${key.map((field) => `t.${columnOf(field)}`).join(', ')}) > (${marks.map((mark) => `:${mark}`).join(', ')})` : ''}
      order by ${key.map((field) => `t.${columnOf(field)}`).join(', ')} limit :rows) x`,
  )
}

/** Puts rows in; they come as the JSON text of an array with the names of columns, and stay in their order. */
export function insertSection(section: Section) {
  const columns = Object.keys(section.fields)
    .filter((field) => !section.late?.includes(field))
    .map(columnOf)
  return composedStatement(
    `exports.insert ${section.name}`,
    { household: 'uuid', rows: 'text' },
    {},
    () => `insert into ${section.table} (household_id, ${columns.join(', ')})
    select :household, ${columns.map((column) => `r.${column}`).join(', ')} from jsonb_populate_recordset(null::${section.table}, (:rows)::jsonb) r`,
  )
}

/** Sets the columns that would have refused the rows of later sections. */
export function finishSection(section: Section) {
  const columns = section.late!.map(columnOf)
  return composedStatement(
    `exports.finish ${section.name}`,
    { household: 'uuid', rows: 'text' },
    {},
    () => `update ${section.table} t set ${columns.map((column) => `${column} = r.${column}`).join(', ')}
    from jsonb_populate_recordset(null::${section.table}, (:rows)::jsonb) r
    where t.household_id = :household and t.id = r.id and (${columns.map((column) => `r.${column}`).join(', ')}) is distinct from (${columns
      .map((column) => `t.${column}`)
      .join(', ')})`,
  )
}

/** Clears the default categories of a household that holds nothing else, and keeps everyone from being told of what is put back. */
export const beginRestore = statement(
  'exports.beginRestore',
  { household: 'uuid' },
  { empty: 'bool' },
  'select begin_restore(:household) as empty',
)

export const setHousehold = statement(
  'exports.setHousehold',
  { household: 'uuid', name: 'text', baseCurrency: 'text', timeZone: 'text' },
  {},
  'update households set name = :name, base_currency = :baseCurrency, time_zone = :timeZone where household_id = :household',
)

/** Checks what is otherwise checked at the commit, so that a document is told what is wrong with it. */
export const checkNow = statement('exports.checkNow', {}, {}, 'set constraints all immediate')

export const keepRestore = statement(
  'exports.keepRestore',
  { household: 'uuid', id: 'uuid', transactions: 'int8' },
  {},
  'insert into restores (household_id, id, transactions) values (:household, :id, :transactions)',
)

export const readRestore = statement(
  'exports.readRestore',
  { household: 'uuid', id: 'uuid' },
  { transactions: 'int8' },
  'select transactions from restores where household_id = :household and id = :id',
)

/** Moves the snapshot into another household of its user. */
export const enterHousehold = statement(
  'exports.enterHousehold',
  { id: 'text' },
  { household: 'text' },
  `select set_config('djinn.household', :id, true) as household`,
)

/** A user's own rows, each kind as one JSON array: what is bounded by limits of its own. */
export const readOwnData = statement(
  'exports.ownData',
  { user: 'uuid' },
  { name: 'text', content: 'text' },
  `select 'user' as name, row_to_json(x)::text as content from (
    select u.id, u.email, u.display_name as "displayName", u.locale, u.tier, u.preferences, u.created_at as "createdAt", u.updated_at as "updatedAt"
    from users u where u.id = :user) x
  union all
  select 'secondFactor', json_build_object('enabled', f.enabled_at is not null, 'enabledAt', f.enabled_at)::text
  from (select 1) one left join second_factors f on f.user_id = :user
  union all
  select 'sessions', coalesce(json_agg(row_to_json(x)), '[]')::text from (
    select s.id, s.device_name as "deviceName", s.created_at as "createdAt", s.last_used_at as "lastUsedAt", s.revoked_at as "revokedAt",
      s.revoked_reason as "revokedReason" from sessions s where s.user_id = :user order by s.id) x
  union all
  select 'devices', coalesce(json_agg(row_to_json(x)), '[]')::text from (
    select d.id, d.session_id as "sessionId", d.platform, d.push_token as "pushToken", d.name, d.created_at as "createdAt", d.last_seen_at as "lastSeenAt"
    from devices d where d.user_id = :user order by d.id) x
  union all
  select 'notificationSettings', coalesce(json_agg(row_to_json(x)), '[]')::text from (
    select n.transaction_received as "transactionReceived", n.budget_exceeded as "budgetExceeded", n.bill_reminder as "billReminder",
      n.quiet_from as "quietFrom", n.quiet_to as "quietTo", n.time_zone as "timeZone" from notification_settings n where n.user_id = :user) x
  union all
  select 'memberships', coalesce(json_agg(row_to_json(x)), '[]')::text from (
    select m.household_id as "householdId", h.name, m.role, m.created_at as "createdAt"
    from memberships m join households h on h.household_id = m.household_id where m.user_id = :user and h.deleted_at is null order by m.household_id) x`,
)

export const readInbox = statement(
  'exports.inbox',
  { user: 'uuid', after: 'uuid', rows: 'int4' },
  { id: 'uuid', line: 'text' },
  `select x.id, row_to_json(x)::text as line from (
    select n.id, n.household_id as "householdId", n.event, n.data, n.created_at as "createdAt", n.read_at as "readAt"
    from notifications n where n.user_id = :user and n.id > :after order by n.id limit :rows) x`,
)

/** Names that the rows of a CSV file are told by. */
export const readNames = statement(
  'exports.names',
  { household: 'uuid' },
  { accounts: 'jsonb', categories: 'jsonb' },
  `select
    coalesce((select jsonb_object_agg(a.id, a.name) from accounts a where a.household_id = :household), '{}') as accounts,
    coalesce((select jsonb_object_agg(c.id, jsonb_build_array(c.name, c.parent_id)) from categories c where c.household_id = :household), '{}') as categories`,
)

const filters = { account: ['uuid', 't.account_id = :account'], from: ['date', 't.date >= :from'], to: ['date', 't.date <= :to'] } as const
export type CsvFilter = keyof typeof filters

/** Transactions from the oldest on. */
export function readTransactions(wanted: readonly CsvFilter[], after: boolean) {
  const parameters: Record<string, string> = { household: 'uuid', rows: 'int4' }
  for (const name of wanted) parameters[name] = filters[name][0]
  if (after) Object.assign(parameters, { afterDate: 'date', afterId: 'uuid' })
  return composedStatement(
    `exports.transactions ${[...wanted, after ? 'after' : ''].join(' ')}`.trim(),
    parameters as Shape,
    {
      id: 'uuid',
      accountId: 'uuid',
      date: 'date',
      amount: 'int8',
      currency: 'text',
      payee: 'text',
      note: 'text',
      categoryId: 'uuid?',
      splits: 'jsonb?',
      status: 'text',
      originalAmount: 'int8?',
      originalCurrency: 'text?',
      otherAccountId: 'uuid?',
    },
    () => `select t.id, t.account_id as "accountId", t.date, t.amount, t.currency, t.payee, t.note, t.category_id as "categoryId", t.splits, t.status,
      t.original_amount as "originalAmount", t.original_currency as "originalCurrency",
      case when t.transfer_id is not null then (select p.account_id from transactions p where p.household_id = t.household_id
        and p.transfer_id = t.transfer_id and p.transfer_side <> t.transfer_side) end as "otherAccountId"
    from transactions t
    where t.household_id = :household and t.deleted_at is null ${wanted.map((name) => `and ${filters[name][1]}`).join(' ')}
      ${after ? 'and (t.date, t.id) > (:afterDate, :afterId)' : ''}
    order by t.date, t.id limit :rows`,
  )
}

/** Every variant, for whoever proves them against the schema. */
export function everyExportStatement() {
  for (const section of sections) {
    readSection(section, false)
    readSection(section, true)
    insertSection(section)
    if (section.late) finishSection(section)
  }
  for (const after of [false, true]) readTransactions(Object.keys(filters) as CsvFilter[], after)
}
