// Reports: spending, cash flow, net worth and balances, in the household's base currency by dated rates.
import type { z } from 'zod'
import type { Day } from '../../values/day.ts'
import { Failure } from '../../values/failure.ts'
import { limits } from '../../values/limits.ts'
import { operation, type Answer, type Context, type Operation } from '../../http/operation.ts'
import type { Row, Statement } from '../../resources/statement.ts'
import { cashFlowOf } from './cash-flow.ts'
import { cellsOf, daysOf, type Cells } from './flows.ts'
import { edgeOf, firstDay, knownEdgeOf, lastDay, monthOf, monthsOf, type Month } from './range.ts'
import { byPair, bySeries, euro, RateBook } from './rate-book.ts'
import { balanceQuery, balanceShape, cashFlowShape, monthsQuery, netWorthShape, spendingQuery, spendingShape } from './shapes.ts'
import { spendingOf, type Category } from './spending.ts'
import { balancesOn, netWorthOf, worthDays } from './stocks.ts'
import { readAccountFlows, readBalances, readFlows, readKnownBalances, readWorth } from './store.ts'

const pairs = { currencies: 'text[]', days: 'date[]' } as const
const between = { currencies: 'text[]', first: 'date', last: 'date' } as const

/** Where the rates are read: in force on single days, and over a range. */
export type ReportNeeds = {
  ratesOn: Statement<typeof pairs, { currency: 'text'; day: 'date'; rate: 'numeric?'; rateDay: 'date?' }>
  ratesBetween: Statement<typeof between, { currency: 'text'; days: 'text[]'; rates: 'text[]' }>
}

export function reportOperations(needs: ReportNeeds): Operation[] {
  const shared = {
    tag: 'Reports',
    feature: 'reports',
    method: 'GET',
    access: 'viewer',
    criticality: 'report',
    effect: 'read',
    conditional: true,
    daily: true,
  } as const
  const converted = `Foreign money is converted by the rate of its day, a month of a category at once and rounded once, so that all sums agree. At most ${limits.reportMonthsMax} months.`
  return [
    operation({
      ...shared,
      name: 'reports.spending',
      summary: 'Spending or income by category and month',
      description: `Without transfers. ${converted}`,
      path: '/api/reports/spending',
      query: spendingQuery,
      answer: spendingShape,
      refusals: ['account-not-found', 'amount-out-of-range'],
      run: (context, { query }) => spending(context, needs, query),
    }),
    operation({
      ...shared,
      name: 'reports.cashFlow',
      summary: 'What came in and went out, by month',
      description: `Without transfers. ${converted}`,
      path: '/api/reports/cash-flow',
      query: monthsQuery,
      answer: cashFlowShape,
      refusals: ['amount-out-of-range'],
      run: async (context, { query }) => {
        const months = monthsOf(query, context.today, limits.reportMonthsMax)
        const rows = await readHouseholdFlows(context, needs, months)
        return answer(rows.rates, { ...heading(context, months), ...cashFlowOf(rows, months), rates: rows.rates.spans })
      },
    }),
    operation({
      ...shared,
      name: 'reports.netWorth',
      summary: 'Net worth at the end of each month, and today',
      description: `Posted and reconciled rows; each balance is converted by the rate of its day. An opening balance counts from the first day on. At most ${limits.worthMonthsMax} months.`,
      path: '/api/reports/net-worth',
      query: monthsQuery,
      answer: netWorthShape,
      refusals: ['amount-out-of-range'],
      run: (context, { query }) => netWorth(context, needs, query),
    }),
    operation({
      ...shared,
      name: 'reports.balance',
      summary: 'Balances at the end of a day, as they are known now or were known at an instant',
      description:
        'With `knownAt`, of the accounts that were there then. A write is known from when its transaction began, as the audit trail says: the answer for an instant is final once the writes under way then have ended.',
      path: '/api/reports/balance',
      query: balanceQuery,
      answer: balanceShape,
      refusals: ['account-not-found', 'amount-out-of-range'],
      run: (context, { query }) => balance(context, needs, query),
    }),
  ]
}

async function spending(context: Context, needs: ReportNeeds, query: z.infer<typeof spendingQuery>): Promise<Answer> {
  const months = monthsOf(query, context.today, limits.reportMonthsMax)
  const rows =
    query.account === undefined ? await readHouseholdFlows(context, needs, months) : await readOneAccount(context, query.account, months)
  const wanted = { kind: query.kind, by: query.by, withPending: query.pending === 'include' }
  const { rates, categories } = rows
  return answer(rates, {
    ...heading(context, months),
    currency: rates.base,
    ...spendingOf(rows, categories, months, wanted),
    rates: rates.spans,
  })
}

type FlowRows = Cells & { categories: Category[]; rates: RateBook }

async function readHouseholdFlows(context: Context, needs: ReportNeeds, months: readonly [Month, ...Month[]]): Promise<FlowRows> {
  const { id: household, baseCurrency: base } = context.household!
  const [first, last] = [firstDay(months[0]), lastDay(months.at(-1)!)]
  const rows = await context.db.run(readFlows, { household, base, first, last })
  const foreign = rows.filter((row) => row.currency !== base)
  return cellsIn(rows, await readRates(context, needs, foreign.flatMap(daysOf)))
}

async function readOneAccount(context: Context, account: string, months: readonly Month[]): Promise<FlowRows> {
  const rows = await context.db.run(readAccountFlows, { household: context.household!.id, account, months: months.map(firstDay) })
  if (!rows[0]) throw noAccount()
  return cellsIn(rows, new RateBook(rows[0].currency, () => undefined))
}

function cellsIn(rows: readonly Row<(typeof readFlows)['columns']>[], rates: RateBook): FlowRows {
  return { ...cellsOf(rows, rates), rates, categories: (rows[0]?.categories ?? []) as Category[] }
}

async function netWorth(context: Context, needs: ReportNeeds, query: z.infer<typeof monthsQuery>): Promise<Answer> {
  const { today } = context
  const household = context.household!.id
  const months = monthsOf(query, today, limits.worthMonthsMax)
  const accounts = await context.db.run(readWorth, { household, first: firstDay(months[0]), today, monthEnd: lastDay(monthOf(today)) })
  const days = worthDays(months, today)
  const rates = await readRates(
    context,
    needs,
    accounts.flatMap(({ currency }) => days.map((day) => ({ currency, day }))),
  )
  return answer(rates, { ...heading(context, months), ...netWorthOf(accounts, months, today, rates), rates: rates.all })
}

async function balance(context: Context, needs: ReportNeeds, query: z.infer<typeof balanceQuery>): Promise<Answer> {
  const { date = context.today, knownAt = null } = query
  const place = { household: context.household!.id, account: query.account ?? null, ...edgeOf(date) }
  const accounts =
    knownAt === null
      ? await context.db.run(readBalances, place)
      : await context.db.run(readKnownBalances, { ...place, date, knownAt, ...knownEdgeOf(knownAt) })
  if (query.account !== undefined && accounts.length === 0) throw noAccount()
  const rates = await readRates(
    context,
    needs,
    accounts.map(({ currency }) => ({ currency, day: date })),
  )
  return answer(rates, { date, knownAt, currency: rates.base, ...balancesOn(accounts, date, rates), rates: rates.all })
}

type Dated = { currency: string; day: Day }

/** The rates of currencies on days; nothing is read when all are in the base currency. */
async function readRates(context: Context, needs: ReportNeeds, asked: readonly Dated[]): Promise<RateBook> {
  const base = context.household!.baseCurrency
  const foreign = asked.filter(({ currency }) => currency !== base)
  const wanted = new Map(
    [...foreign, ...foreign.map(({ day }) => ({ currency: base, day }))].map((one) => [`${one.currency} ${one.day}`, one]),
  )
  wanted.forEach(({ currency }, key) => currency === euro && wanted.delete(key))
  const [currencies, days] = [[...wanted.values()].map(({ currency }) => currency), [...wanted.values()].map(({ day }) => day)]
  if (days.length === 0) return new RateBook(base, () => undefined)
  // One look into the index a pair, while those fit in one answer of the database.
  if (days.length < limits.statementRowsMax) return new RateBook(base, byPair(await context.db.run(needs.ratesOn, { currencies, days })))
  const sorted = days.toSorted()
  const series = await context.db.run(needs.ratesBetween, { currencies: [...new Set(currencies)], first: sorted[0]!, last: sorted.at(-1)! })
  return new RateBook(base, bySeries(series))
}

function heading(context: Context, months: readonly [Month, ...Month[]]) {
  return { currency: context.household!.baseCurrency, from: months[0], to: months.at(-1)! }
}

/** Rates come and are corrected without any household's revision. */
function answer(rates: RateBook, body: object): Answer {
  return { body, beyondHousehold: rates.asked }
}

function noAccount(): Failure {
  return new Failure('account-not-found', 'There is no such account in this household.', { at: '?account' })
}
