// Bills: what falls due by a schedule, what is expected of it, and what has become of it.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { addDays, type Day } from '../../values/day.ts'
import { limits } from '../../values/limits.ts'
import { createRow, idListQuery, listRows, patchRow, readBefore, readRow, removeRow, restoreRow, whyNot } from '../../http/collection.ts'
import { operation, type Context, type Operation, type Related } from '../../http/operation.ts'
import { idParams, integerParameter, listOf } from '../../http/parameters.ts'
import { billChanges, billDraft, billShape, type BillChanges, type BillDraft } from './bill.ts'
import { forecastOf, forecastShape } from './forecast.ts'
import { occurrenceLists, occurrenceWrites } from './occurrence-operations.ts'
import { isDue, raiseBill, raisePlan, type Plan } from './plan.ts'
import type { Schedule } from './schedule.ts'
import { accountOfBill, insertBill, listBills, readShown, shownBills } from './store.ts'

/** What a bill is on a slow network. */
const essential = ['id', 'payee', 'accountId', 'amountMin', 'amountMax', 'currency', 'nextDue', 'overdueCount', 'revision'] as const

export type BillNeeds = { related: readonly Related[] }

export function billOperations(needs: BillNeeds): Operation[] {
  const shared = { tag: 'Bills', row: billShape } as const
  const references = ['account-not-found', 'category-not-found', 'currency-mismatch', 'amount-out-of-range'] as const
  return [
    operation({
      ...shared,
      name: 'bills.list',
      summary: 'All bills',
      description: 'Ordered by id.',
      method: 'GET',
      path: '/api/bills',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      daily: true,
      essential,
      related: needs.related,
      query: z.strictObject(idListQuery),
      answer: listOf(billShape),
      run: async (context, { query }) => ({ body: await listRows(context, 'bills', listBills, query) }),
    }),
    operation({
      ...shared,
      name: 'bills.create',
      summary: 'Add a bill or recurring income',
      description: `Its occurrences are raised from startsOn on, at most ${limits.billPastDays} days back and ${limits.billHorizonDays} ahead, and matched with the transactions that are there.`,
      method: 'POST',
      path: '/api/bills',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      body: billDraft,
      answer: billShape,
      status: 201,
      refusals: ['already-exists', 'limit-reached', ...references],
      run: (context, { body }) => create(context, body),
    }),
    ...occurrenceLists(),
    operation({
      name: 'bills.forecast',
      feature: 'reports',
      summary: 'What bills will take and bring in the coming months',
      description: 'From today to the end of the last month, without what is paid or skipped; overdue ones are not in it.',
      tag: 'Bills',
      method: 'GET',
      path: '/api/bills/forecast',
      access: 'viewer',
      criticality: 'report',
      effect: 'read',
      conditional: true,
      daily: true,
      query: z.strictObject({
        months: integerParameter(1, limits.billForecastMonthsMax, 12)
          .optional()
          .meta({ description: 'Calendar months, this one among them.' }),
      }),
      answer: forecastShape,
      refusals: ['amount-out-of-range'],
      run: async (context, { query }) => ({ body: await forecastOf(context, query.months ?? 12) }),
    }),
    operation({
      ...shared,
      name: 'bills.read',
      summary: 'One bill',
      method: 'GET',
      path: '/api/bills/{id}',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      daily: true,
      essential,
      params: idParams,
      answer: billShape,
      run: async (context, { params }) => ({ body: await readRow(context, shownBills, params.id) }),
    }),
    operation({
      ...shared,
      name: 'bills.patch',
      summary: 'Change a bill',
      description:
        'A new schedule or end plans the unpaid days from today on anew; new amounts hold for them too. What lies before today stays. The schedule is one field: send all of it.',
      method: 'PATCH',
      path: '/api/bills/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      body: billChanges,
      answer: billShape,
      refusals: ['conflict', 'deleted', 'precondition-failed', ...references],
      readAhead: (context, { params, body }) => readBeforePatch(context, params.id, body),
      run: (context, { params, body, ahead }) => patch(context, params.id, body, ahead),
    }),
    operation({
      ...shared,
      name: 'bills.delete',
      summary: 'Delete a bill with its occurrences',
      description: 'Transactions stay, those among them that it made.',
      method: 'DELETE',
      path: '/api/bills/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      status: 204,
      refusals: ['precondition-failed'],
      run: (context, { params }) => removeRow(context, shownBills, params.id),
    }),
    operation({
      ...shared,
      name: 'bills.restore',
      summary: 'Bring a deleted bill back, within 30 days',
      method: 'POST',
      path: '/api/bills/{id}/restore',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      answer: billShape,
      refusals: ['not-deleted', 'restore-expired', 'limit-reached', 'account-not-found', 'category-not-found'],
      run: (context, { params }) => restore(context, params.id),
    }),
    ...occurrenceWrites(),
  ]
}

/** What is sent in one go takes one round trip: the row, its days, and the bill as it is then. */
async function create(context: Context, body: BillDraft) {
  const household = context.household!
  const { schedule, endsOn = null } = body
  const defaults = { accountId: null, categoryId: null, endsOn: null, reminderDays: [], autoPost: false, note: '' }
  let more = false
  const answer = await createRow(context, shownBills, '/api/bills', body, defaults, async (draft) => {
    const billId = draft['id'] as string
    const [made, left, row] = await Promise.all([
      context.db.run(insertBill, { draft, baseCurrency: household.baseCurrency }),
      raisePlan(context.db, household.id, context.today, billId, { schedule, endsOn, nextDate: addDays(schedule.startsOn, -2) }),
      shown(context, billId),
    ])
    more = left
    if (made.length === 0) await checkAccount(context, body)
    return made.length === 0 ? [] : [row!]
  })
  if (answer.status !== 201 || !more) return answer
  const billId = (answer.body as { id: string }).id
  await raiseBill(context.db, household.id, context.today, billId)
  return { ...answer, body: await shown(context, billId) }
}

/** What a patch is held against, and the schedule that it changes in part. */
async function readBeforePatch(context: Context, billId: string, body: BillChanges) {
  const partly = (body.schedule === undefined) !== (body.endsOn === undefined)
  const [before, row] = await Promise.all([
    readBefore(context, shownBills, billId, body.baseRevision),
    partly && body.baseRevision === undefined ? context.load(shownBills, billId) : null,
  ])
  return { before, row: before?.current ?? row }
}

async function patch(context: Context, billId: string, body: BillChanges, ahead: Awaited<ReturnType<typeof readBeforePatch>>) {
  const { id: household } = context.household!
  const plan = planAfter(context, body, ahead.row)
  try {
    const [, more, row] = await Promise.all([
      patchRow(context, shownBills, billId, body, ahead.before),
      plan === null ? false : raisePlan(context.db, household, context.today, billId, plan),
      shown(context, billId),
    ])
    if (!more) return { body: row }
    await raiseBill(context.db, household, context.today, billId)
    return { body: await shown(context, billId) }
  } catch (error) {
    if (error instanceof Failure && error.code === 'precondition-failed') {
      await checkAccount(context, body, billId)
      throw await whyNot(context, shownBills, billId)
    }
    throw error
  }
}

/** Where a changed schedule goes on: the database has taken back what was planned from today on. */
function planAfter(context: Context, body: BillChanges, row: { schedule: unknown; endsOn: Day | null } | null): Plan | null {
  if (body.schedule === undefined && body.endsOn === undefined) return null
  const schedule = body.schedule ?? (row?.schedule as Schedule | undefined)
  if (schedule === undefined) return null
  const first = addDays(schedule.startsOn, -2)
  const endsOn = body.endsOn === undefined ? (row?.endsOn ?? null) : body.endsOn
  return { schedule, endsOn, nextDate: first > context.today ? first : context.today }
}

async function restore(context: Context, billId: string) {
  const { id: household } = context.household!
  const [, more, row] = await Promise.all([
    restoreRow(context, shownBills, billId),
    isDue(context.db, household, context.today, billId),
    shown(context, billId),
  ])
  if (!more) return { body: row }
  await raiseBill(context.db, household, context.today, billId)
  return { body: await shown(context, billId) }
}

/** The bill with what follows from its occurrences. */
async function shown(context: Context, billId: string) {
  const [row] = await context.db.run(readShown, { household: context.household!.id, ids: [billId] })
  return row
}

/** Refuses an account that is not there, and a currency that is not the account's. */
async function checkAccount(context: Context, given: { accountId?: string | null; currency?: string }, billId?: string) {
  const before = billId === undefined || given.accountId !== undefined ? null : await context.load(shownBills, billId)
  const accountId = given.accountId ?? before?.accountId ?? null
  if (accountId === null) return
  const [account] = await context.db.run(accountOfBill, { household: context.household!.id, id: accountId })
  if (!account) throw new Failure('account-not-found', 'There is no such account in this household.', { at: '/accountId' })
  if (given.currency !== undefined && given.currency !== account.currency) {
    throw new Failure('currency-mismatch', `The account is in ${account.currency}.`, { at: '/currency' })
  }
}
