// SQL of rules: the nouns themselves, and what they make of transactions.
import { composedStatement, statement } from '../../resources/statement.ts'
import { rowStatements } from '../../resources/rows.ts'

const columns = {
  id: 'uuid',
  name: 'text',
  position: 'int4',
  enabled: 'bool',
  match: 'text',
  conditions: 'jsonb',
  actions: 'jsonb',
  stop: 'bool',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
  revision: 'int8',
} as const
const select = `t.id, t.name, t.position, t.enabled, t.match, t.conditions, t.actions, t.stop, t.created_at as "createdAt",
  t.updated_at as "updatedAt", t.revision`

export const ruleRows = rowStatements({
  noun: 'rules',
  table: 'rules',
  columns,
  select,
  insert: [],
  patch: ['name', 'position', 'enabled', 'match', 'conditions', 'actions', 'stop'],
})

/** Behind all others unless it says where. */
export const insertRule = statement(
  'rules.insertOne',
  { draft: 'jsonb' },
  columns,
  `insert into rules as t (household_id, id, name, position, enabled, match, conditions, actions, stop)
  select r.household_id, r.id, r.name,
    coalesce(r.position, (select max(o.position) from rules o where o.household_id = r.household_id and o.deleted_at is null) + 1, 1),
    r.enabled, r.match, r.conditions, r.actions, r.stop
  from jsonb_populate_record(null::rules, :draft) r
  on conflict (household_id, id) do nothing
  returning ${select}`,
)

/** Moves the rule that has the position, and those without a gap behind it, on by one; without a position the rule's own is freed. */
export const makeRoom = statement(
  'rules.makeRoom',
  { household: 'uuid', id: 'uuid', position: 'int4?' },
  {},
  `with wanted as (
    select coalesce(:position, (select position from rules where household_id = :household and id = :id)) as position
  ), behind as (
    select r.id, r.position - row_number() over (order by r.position) + 1 as start
    from rules r, wanted w
    where r.household_id = :household and r.deleted_at is null and r.id <> :id and r.position >= w.position
  )
  update rules r set position = r.position + 1 from behind b, wanted w
  where r.household_id = :household and r.id = b.id and b.start = w.position`,
)

/** In the order in which they run. */
export function listRules(after: boolean, since: boolean) {
  return composedStatement(
    `rules.list${since ? '.since' : ''}${after ? '.after' : ''}`,
    {
      household: 'uuid',
      rows: 'int4',
      ...(since ? { updatedSince: 'timestamptz' } : {}),
      ...(after ? { after: 'int4' } : {}),
    },
    columns,
    () => `select ${select} from rules t
    where t.household_id = :household and t.deleted_at is null
      ${since ? 'and t.updated_at >= :updatedSince' : ''} ${after ? 'and t.position > :after' : ''}
    order by t.position limit :rows`,
  )
}

/** The named rules, enabled or not, else all that are enabled; in their order. */
export const chosenRules = statement(
  'rules.chosen',
  { household: 'uuid', ids: 'uuid[]?' },
  { id: 'uuid', match: 'text', conditions: 'jsonb', actions: 'jsonb', stop: 'bool' },
  `select id, match, conditions, actions, stop from rules
  where household_id = :household and deleted_at is null and case when :ids is null then enabled else id = any(:ids) end
  order by position limit 1000`,
)

/** Where a rule that is not kept names what is not there: whether its category is, and the first condition whose account is not. */
export const missingReferences = statement(
  'rules.missing',
  { household: 'uuid', category: 'uuid?', conditions: 'jsonb' },
  { category: 'bool', condition: 'int4?' },
  `select :category is not null and not exists (
      select from categories where household_id = :household and id = :category and deleted_at is null) as category,
    (select min(c.nth)::int - 1 from jsonb_array_elements(:conditions) with ordinality c (condition, nth)
     where c.condition ->> 'field' = 'account' and not exists (
       select from accounts where household_id = :household and id = (c.condition ->> 'value')::uuid and deleted_at is null)) as condition`,
)

export const hasAccount = statement(
  'rules.hasAccount',
  { household: 'uuid', id: 'uuid?' },
  { there: 'bool' },
  'select :id is null or exists (select from accounts where household_id = :household and id = :id and deleted_at is null) as there',
)

/** How many rows a scope has, counted up to `most`. */
export const countScope = statement(
  'rules.countScope',
  { household: 'uuid', scope: 'jsonb', most: 'int4' },
  { count: 'int8' },
  `select count(*) as count from (
    select from transactions t
    where t.household_id = :household and t.deleted_at is null and t.transfer_id is null
      and (:scope ->> 'from' is null or t.date >= (:scope ->> 'from')::date) and (:scope ->> 'to' is null or t.date <= (:scope ->> 'to')::date)
      and (:scope ->> 'accountId' is null or t.account_id = (:scope ->> 'accountId')::uuid)
    limit :most) x`,
)

const evaluation = { household: 'uuid', rules: 'jsonb', scope: 'jsonb' } as const

/** What would change, newest rows first, and in each line the counts of all rows. */
export const previewRules = statement(
  'rules.preview',
  { ...evaluation, rows: 'int4', shown: 'int4' },
  { examined: 'int8', matched: 'int8', changed: 'int8', data: 'jsonb' },
  `with outcomes as materialized (select * from rule_outcomes(:household, :rules, :scope, null, :rows)),
  changing as (select * from outcomes where coalesce(category_by, payee_by, note_by) is not null)
  select (select count(*) from outcomes) as examined, (select count(*) from outcomes where matched <> '{}') as matched,
    (select count(*) from changing) as changed,
    (select coalesce(jsonb_agg(to_jsonb(x) order by x.date desc, x."transactionId" desc), '[]') from (
      select id as "transactionId", date, amount, payee_before as payee, array[category_by, payee_by, note_by] as "settledBy",
        category_before as "categoryBefore", category_after as "categoryAfter", payee_before as "payeeBefore", payee_after as "payeeAfter",
        note_before as "noteBefore", note_after as "noteAfter"
      from changing order by date desc, id desc limit :shown) x) as data`,
)

/**
 * Changes one chunk of the rows behind `after`, in the order of their ids, as the rules say, and answers the last id that was looked
 * at. Of a run each change is kept, so that it can be undone.
 */
export function applyChunk(kept: boolean) {
  return composedStatement(
    kept ? 'rules.runChunk' : 'rules.applyChunk',
    { ...evaluation, after: 'uuid?', rows: 'int4', ...(kept ? ({ run: 'uuid' } as const) : {}) },
    { examined: 'int8', matched: 'int8', changed: 'int8', last: 'uuid?', perRule: 'jsonb' },
    () => `with outcomes as materialized (select * from rule_outcomes(:household, :rules, :scope, :after, :rows)),
  changing as materialized (select * from outcomes where coalesce(category_by, payee_by, note_by) is not null),
  ${kept ? keptChanges : ''}
  changed as (
    update transactions t set category_id = coalesce(c.category_after, t.category_id), payee = coalesce(c.payee_after, t.payee),
      note = coalesce(c.note_after, t.note)
    from changing c where t.household_id = :household and t.id = c.id
    returning 1
  )
  select (select count(*) from outcomes) as examined, (select count(*) from outcomes where matched <> '{}') as matched,
    (select count(*) from changed) as changed, (select id from outcomes order by id desc limit 1) as last,
    (select coalesce(jsonb_agg(to_jsonb(x)), '[]') from (
      select nth, count(*) as matched, count(*) filter (where nth = any(array[o.category_by, o.payee_by, o.note_by])) as changed
      from outcomes o, unnest(o.matched) nth group by nth) x) as "perRule"`,
  )
}

const keptChanges = `kept as (
    insert into rule_run_changes (household_id, run_id, transaction_id, rule_ids, category_before, category_after, payee_before, payee_after,
      note_before, note_after)
    select :household, :run, c.id,
      array(select (:rules -> (nth - 1) ->> 'id')::uuid from unnest(array[c.category_by, c.payee_by, c.note_by]) nth
            where nth is not null group by nth order by nth),
      case when c.category_by is not null then c.category_before end, c.category_after,
      case when c.payee_by is not null then c.payee_before end, c.payee_after,
      case when c.note_by is not null then c.note_before end, c.note_after
    from changing c
  ),`
