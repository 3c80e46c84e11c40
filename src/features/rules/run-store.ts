// SQL of runs of rules over history: what they were asked, what they changed, and taking that back.
import { composedStatement, statement } from '../../resources/statement.ts'

const key = { household: 'uuid', id: 'uuid' } as const
const columns = {
  id: 'uuid',
  ruleIds: 'uuid[]?',
  from: 'date?',
  to: 'date?',
  accountId: 'uuid?',
  examined: 'int8',
  matched: 'int8',
  changed: 'int8',
  perRule: 'jsonb',
  startedAt: 'timestamptz',
  undoneAt: 'timestamptz?',
  undone: 'int8?',
  kept: 'int8?',
  revision: 'int8',
} as const
const select = `r.id, r.rule_ids as "ruleIds", r.from_date as "from", r.to_date as "to", r.account_id as "accountId", r.examined, r.matched, r.changed,
  r.per_rule as "perRule", r.created_at as "startedAt",
  r.undone_at as "undoneAt", r.undone, r.kept, r.revision`

export const insertRun = statement(
  'rules.insertRun',
  { ...key, ruleIds: 'uuid[]?', from: 'date?', to: 'date?', account: 'uuid?' },
  {},
  `insert into rule_runs (household_id, id, rule_ids, from_date, to_date, account_id) values (:household, :id, :ruleIds, :from, :to, :account)`,
)

export const finishRun = statement(
  'rules.finishRun',
  { ...key, examined: 'int8', matched: 'int8', changed: 'int8', perRule: 'jsonb' },
  columns,
  `update rule_runs r set examined = :examined, matched = :matched, changed = :changed, per_rule = :perRule
  where r.household_id = :household and r.id = :id returning ${select}`,
)

/** Only so many runs are kept. */
export const dropOldRuns = statement(
  'rules.dropOldRuns',
  { household: 'uuid', kept: 'int4' },
  {},
  `delete from rule_runs where household_id = :household
    and id in (select id from rule_runs where household_id = :household order by id desc offset :kept)`,
)

export const readRun = statement(
  'rules.readRun',
  key,
  columns,
  `select ${select} from rule_runs r where r.household_id = :household and r.id = :id`,
)

/** Newest first. */
export function listRuns(after: boolean) {
  return composedStatement(
    `rules.listRuns${after ? '.after' : ''}`,
    { household: 'uuid', rows: 'int4', ...(after ? ({ after: 'uuid' } as const) : {}) },
    columns,
    () => `select ${select} from rule_runs r
    where r.household_id = :household ${after ? 'and r.id < :after' : ''} order by r.id desc limit :rows`,
  )
}

/** The rows as they are now, in the order of their ids, with what the run changed of them. */
export function listChanges(after: boolean) {
  return composedStatement(
    `rules.listChanges${after ? '.after' : ''}`,
    { ...key, rows: 'int4', ...(after ? ({ after: 'uuid' } as const) : {}) },
    {
      transactionId: 'uuid',
      date: 'date',
      amount: 'int8',
      payee: 'text',
      ruleIds: 'uuid[]',
      categoryBefore: 'uuid?',
      categoryAfter: 'uuid?',
      payeeBefore: 'text?',
      payeeAfter: 'text?',
      noteBefore: 'text?',
      noteAfter: 'text?',
    },
    () => `select c.transaction_id as "transactionId", t.date, t.amount, t.payee, c.rule_ids as "ruleIds", c.category_before as "categoryBefore",
      c.category_after as "categoryAfter", c.payee_before as "payeeBefore", c.payee_after as "payeeAfter", c.note_before as "noteBefore",
      c.note_after as "noteAfter"
    from rule_run_changes c join transactions t on t.household_id = c.household_id and t.id = c.transaction_id
    where c.household_id = :household and c.run_id = :id ${after ? 'and c.transaction_id > :after' : ''}
    order by c.transaction_id limit :rows`,
  )
}

/** Puts back one chunk of what the run changed, as far as `undoable_changes` lets it. */
export const undoChunk = statement(
  'rules.undoChunk',
  { ...key, after: 'uuid?', rows: 'int4' },
  { examined: 'int8', undone: 'int8', last: 'uuid?' },
  `with chunk as materialized (
    select * from undoable_changes(:household, :id, :after, :rows)
  ), put_back as (
    update transactions t set category_id = case when c.category_back then c.category_before else t.category_id end,
      payee = case when c.payee_back then c.payee_before else t.payee end, note = case when c.note_back then c.note_before else t.note end
    from chunk c where t.household_id = :household and t.id = c.transaction_id and (c.category_back or c.payee_back or c.note_back)
  )
  select count(*) as examined, count(*) filter (where whole) as undone,
    (select transaction_id from chunk order by transaction_id desc limit 1) as last
  from chunk`,
)

export const markUndone = statement(
  'rules.markUndone',
  { ...key, undone: 'int8', kept: 'int8' },
  { revision: 'int8' },
  `update rule_runs set undone_at = now(), undone = :undone, kept = :kept where household_id = :household and id = :id returning revision`,
)

/** The oldest runs of all households, a few at a time. */
export const forgetRuns = statement(
  'rules.forgetRuns',
  { days: 'int4', rows: 'int4' },
  { count: 'int8' },
  `with gone as (
    delete from rule_runs r using (
      select household_id, id from rule_runs where created_at < now() - make_interval(days => :days) order by created_at limit :rows
    ) o where r.household_id = o.household_id and r.id = o.id returning 1
  ) select count(*) as count from gone`,
)

export const forgetRules = statement(
  'rules.forgetRules',
  { days: 'int4', rows: 'int4' },
  { count: 'int8' },
  'select forget_rules(now() - make_interval(days => :days), :rows) as count',
)
