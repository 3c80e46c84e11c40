// Budgets: what may be spent on a category in each week, month or year, and how the period of a day stands.
import { z } from 'zod'
import { createRow, idListQuery, listRows, patchRow, readBefore, removeRow, restoreRow } from '../../http/collection.ts'
import { baseRevision } from '../../http/merge.ts'
import { operation, type Answer, type Context, type Operation, type Related } from '../../http/operation.ts'
import { amount, currency, day, id, idParams, instant, listOf, positiveAmount, text } from '../../http/parameters.ts'
import type { Runner } from '../../resources/transaction.ts'
import { Failure } from '../../values/failure.ts'
import { newId } from '../../values/id.ts'
import { limits } from '../../values/limits.ts'
import { budgetRows, listBudgets, readBudget } from './store.ts'

const period = z.enum(['weekly', 'monthly', 'yearly'])
const levels = z.array(z.int().min(1).max(limits.budgetLevelMax))

export const budgetShape = z.strictObject({
  id,
  categoryId: id,
  name: z.string(),
  amount: positiveAmount.meta({ description: 'What a period has from now on, in minor units.' }),
  currency,
  period,
  startsOn: day.meta({ description: 'The first day of the first period.' }),
  rollover: z.boolean(),
  alertLevels: levels,
  note: z.string(),
  periodStart: day,
  periodEnd: day.meta({ description: 'The last day of the period.' }),
  periodAmount: positiveAmount.meta({ description: 'The amount as it was in this period.' }),
  rolledOver: amount.meta({ description: 'What the periods before left over, or overspent when negative; 0 without rollover.' }),
  available: amount.meta({ description: 'periodAmount and rolledOver.' }),
  spent: amount.meta({
    description: 'What went out less what came back, pending included; negative when more came back. Transfers do not count.',
  }),
  pendingSpent: amount.meta({ description: 'The part of `spent` that is pending.' }),
  remaining: amount.meta({ description: 'available less spent.' }),
  percent: z.int().nullable().meta({
    description: 'Of what was available, how much is spent, rounded down: a level is reached with it. Null when nothing was available.',
  }),
  converted: z.boolean().meta({ description: 'Whether spending in other currencies is in it, converted by the rates of its days.' }),
  unconverted: z.array(z.string()).meta({ description: 'Currencies without a rate on some day of their spending, which is left out.' }),
  createdAt: instant,
  updatedAt: instant,
  revision: z.int(),
})

/** What a budget is on a slow network. */
const essential = [
  'id',
  'categoryId',
  'name',
  'amount',
  'currency',
  'period',
  'periodStart',
  'periodEnd',
  'available',
  'spent',
  'remaining',
  'percent',
  'revision',
] as const

const alertLevels = levels
  .max(limits.budgetLevelsMax)
  .transform((given) => [...new Set(given)].toSorted((a, b) => a - b))
  .meta({ description: 'Percent of what is available at which the household is told, 80 and 100 unless given; none for silence.' })
const fields = {
  categoryId: id.meta({ description: 'An expense category; what stands below it counts too.' }),
  name: text(100),
  amount: positiveAmount,
  currency: currency.meta({
    description: "The household's base currency unless given. Spending in others is converted by the rates of its days.",
  }),
  period,
  startsOn: day.meta({
    description:
      'The first day of the first period; each next one begins a week, a month or a year later (from the 31st: on the last day of shorter months). ' +
      "Unless given, the Monday of the week, the first of the month or 1 January, in the household's time zone.",
  }),
  rollover: z.boolean().meta({
    description: `Whether what a period left or overspent is carried into the next, from startsOn on, over ${limits.budgetRolloverPeriodsMax} periods at most.`,
  }),
  alertLevels,
  note: text(2_000),
}
const draft = z.strictObject({
  ...fields,
  id: id.optional(),
  name: fields.name.optional(),
  currency: fields.currency.optional(),
  startsOn: fields.startsOn.optional(),
  rollover: fields.rollover.optional(),
  alertLevels: fields.alertLevels.optional(),
  note: fields.note.optional(),
})
const changes = z.strictObject(fields).partial().extend({ baseRevision })

const on = day.optional().meta({ description: "The figures are of the period that holds this day, the household's today unless given." })

/** A write that answers the figures of today: they are asked for behind it, in the same round trip. */
async function withFigures(context: Context, written: string, write: (context: Context) => Promise<Answer>): Promise<Answer> {
  let figures: Promise<object[]> | undefined
  const run: Runner['run'] = (wanted, parameters) => {
    const rows = context.db.run(wanted, parameters)
    if ([budgetRows.insert, budgetRows.patch, budgetRows.restore].some((one) => (one as unknown) === wanted)) {
      figures = context.db.run(readBudget, { household: context.household!.id, id: written, on: context.today })
      // A refused write tells why itself.
      figures.catch(() => {})
    }
    return rows
  }
  const answer = await write({ ...context, db: { run } })
  const [body] = (await figures)!
  return { ...answer, body }
}

export function budgetOperations({ related }: { related: readonly Related[] }): Operation[] {
  const shared = { tag: 'Budgets' } as const
  return [
    operation({
      ...shared,
      name: 'budgets.list',
      summary: 'All budgets, each with what is spent and what remains',
      description: 'Ordered by id. `on` chooses the period: of each budget the one that holds the day.',
      method: 'GET',
      path: '/api/budgets',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      daily: true,
      essential,
      related,
      query: z.strictObject({ ...idListQuery, on }),
      answer: listOf(budgetShape),
      row: budgetShape,
      run: async (context, { query }) => {
        // A cursor goes on past midnight, but not to another day that was asked for.
        const noun = query.on === undefined ? 'budgets' : `budgets on ${query.on}`
        const body = await listRows(context, noun, listBudgets, query, { on: query.on ?? context.today })
        return { body, beyondHousehold: body.data.some((row) => row.converted) }
      },
    }),
    operation({
      ...shared,
      name: 'budgets.create',
      summary: 'Set a budget',
      description:
        'A category has one budget for each kind of period and currency. Periods since `startsOn` that have reached a level are told of at once.',
      method: 'POST',
      path: '/api/budgets',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      body: draft,
      answer: budgetShape,
      row: budgetShape,
      status: 201,
      refusals: ['already-exists', 'limit-reached', 'category-not-found', 'category-kind-mismatch', 'amount-out-of-range'],
      run: async (context, { body }) => {
        const defaults = { name: '', rollover: false, alertLevels: [80, 100], note: '' }
        const written = body.id ?? newId()
        return await withFigures(context, written, (within) =>
          createRow(within, budgetRows, '/api/budgets', { ...body, id: written }, defaults),
        )
      },
    }),
    operation({
      ...shared,
      name: 'budgets.read',
      summary: 'One budget, with what is spent and what remains',
      method: 'GET',
      path: '/api/budgets/{id}',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      daily: true,
      essential,
      params: idParams,
      query: z.strictObject({ on }),
      answer: budgetShape,
      row: budgetShape,
      run: async (context, { params, query }) => {
        const [row] = await context.db.run(readBudget, {
          household: context.household!.id,
          id: params.id,
          on: query.on ?? context.today,
        })
        if (!row) throw new Failure('not-found', 'There is no such budget in this household.')
        return { body: row, beyondHousehold: row.converted }
      },
    }),
    operation({
      ...shared,
      name: 'budgets.patch',
      summary: 'Change a budget',
      description:
        'A new amount holds from the current period on; the periods before keep theirs. With another `period`, `startsOn` or `currency` the budget begins anew: ' +
        'its amount is then that of all its periods.',
      method: 'PATCH',
      path: '/api/budgets/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      body: changes,
      answer: budgetShape,
      row: budgetShape,
      refusals: [
        'conflict',
        'deleted',
        'precondition-failed',
        'already-exists',
        'category-not-found',
        'category-kind-mismatch',
        'amount-out-of-range',
      ],
      readAhead: (context, { params, body }) => readBefore(context, budgetRows, params.id, body.baseRevision),
      run: (context, { params, body, ahead }) =>
        withFigures(context, params.id, (within) => patchRow(within, budgetRows, params.id, body, ahead)),
    }),
    operation({
      ...shared,
      name: 'budgets.delete',
      summary: 'Delete a budget',
      method: 'DELETE',
      path: '/api/budgets/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      status: 204,
      refusals: ['precondition-failed'],
      run: (context, { params }) => removeRow(context, budgetRows, params.id),
    }),
    operation({
      ...shared,
      name: 'budgets.restore',
      summary: 'Bring a deleted budget back, within 30 days',
      method: 'POST',
      path: '/api/budgets/{id}/restore',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      answer: budgetShape,
      row: budgetShape,
      refusals: ['not-deleted', 'restore-expired', 'already-exists', 'limit-reached', 'category-not-found', 'category-kind-mismatch'],
      run: (context, { params }) => withFigures(context, params.id, (within) => restoreRow(within, budgetRows, params.id)),
    }),
  ]
}
