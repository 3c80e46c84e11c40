// SQL of budgets: the rows that are kept, and with them the figures of a period, which the function budget_figures makes.
import { composedStatement, statement } from '../../resources/statement.ts'
import { rowStatements } from '../../resources/rows.ts'

const columns = {
  id: 'uuid',
  categoryId: 'uuid',
  name: 'text',
  amount: 'int8',
  currency: 'text',
  period: 'text',
  startsOn: 'date',
  rollover: 'bool',
  alertLevels: 'int4[]',
  note: 'text',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
  revision: 'int8',
} as const
const select = `t.id, t.category_id as "categoryId", t.name, t.amount, t.currency, t.period, t.starts_on as "startsOn", t.rollover,
  t.alert_levels as "alertLevels", t.note, t.created_at as "createdAt", t.updated_at as "updatedAt", t.revision`

/** What changes without the row: no part of what phones keep. */
const figures = {
  periodStart: 'date',
  periodEnd: 'date',
  periodAmount: 'int8',
  rolledOver: 'int8',
  available: 'int8',
  spent: 'int8',
  pendingSpent: 'int8',
  remaining: 'int8',
  percent: 'int8?',
  converted: 'bool',
  unconverted: 'text[]',
} as const
const selectFigures = `f.period_start as "periodStart", f.period_end as "periodEnd", f.period_amount as "periodAmount",
  f.rolled_over as "rolledOver", f.available, f.spent, f.pending_spent as "pendingSpent", f.remaining, f.percent, f.converted, f.unconverted`

const changeable = ['category_id', 'name', 'amount', 'currency', 'period', 'starts_on', 'rollover', 'alert_levels', 'note'] as const

export const budgetRows = rowStatements({
  noun: 'budgets',
  table: 'budgets',
  columns,
  select,
  insert: ['household_id', 'id', ...changeable],
  patch: changeable,
})

/** A budget as it stands on a day; one round trip, its row included. */
export const readBudget = statement(
  'budgets.read',
  { household: 'uuid', id: 'uuid', on: 'date' },
  { ...columns, ...figures },
  `select ${select}, ${selectFigures}
  from budgets t cross join lateral budget_figures(:household, array[:id], array[:on]) f
  where t.household_id = :household and t.id = :id and t.deleted_at is null`,
)

/** A page in the order of ids, with the figures of the whole page made at once. */
export const listBudgets = (after: boolean, since: boolean) =>
  composedStatement(
    `budgets.list${since ? '.since' : ''}${after ? '.after' : ''}`,
    {
      household: 'uuid',
      rows: 'int4',
      on: 'date',
      ...(since ? { updatedSince: 'timestamptz' } : {}),
      ...(after ? { after: 'uuid' } : {}),
    },
    { ...columns, ...figures },
    () => `with page as materialized (
      select b.* from budgets b
      where b.household_id = :household and b.deleted_at is null
        ${since ? 'and b.updated_at >= :updatedSince' : ''}
        ${after ? 'and b.id > :after' : ''}
      order by b.id limit :rows
    )
    select ${select}, ${selectFigures}
    from budget_figures(:household, (select array_agg(id) from page), (select array_agg(:on) from page)) f
    join page t on t.id = f.budget_id
    order by t.id`,
  )

export const forgetBudgets = statement(
  'budgets.forget',
  { days: 'int4', most: 'int4' },
  { forgotten: 'int8' },
  'select forget_budgets(now() - make_interval(days => :days), :most) as forgotten',
)
