// What the reports take and answer.
import { z } from 'zod'
import { amount, currency, day, id, instant } from '../../http/parameters.ts'
import { month } from './range.ts'

export const range = {
  from: month.optional().meta({ description: 'The first month; the 12th up to the last unless given.' }),
  to: month.optional().meta({ description: 'The last month; the current one unless given.' }),
}

export const spendingQuery = z.strictObject({
  ...range,
  by: z.enum(['both', 'month', 'category']).default('both'),
  kind: z.enum(['expense', 'income']).default('expense'),
  pending: z.enum(['include', 'exclude']).default('include'),
  account: id.optional().meta({ description: 'Only this account, in its own currency and without conversion.' }),
})
export const monthsQuery = z.strictObject(range)
export const balanceQuery = z.strictObject({
  date: day.optional().meta({ description: 'The day at whose end; today unless given.' }),
  account: id.optional(),
  knownAt: instant.optional().meta({
    format: 'date-time',
    description:
      'As the household knew it at this instant: what was written, changed or deleted later does not count. UTC, or with an offset.',
  }),
})

const inCurrency = {
  currency: currency.meta({ description: 'Of every amount that says no other: the base currency.' }),
  from: month,
  to: month,
}
const rateSpans = z.array(z.strictObject({ currency, from: day, to: day, count: z.int() })).meta({
  description:
    'Of each currency converted from or to, but the euro: the first and last day whose rate was used, and of how many days. Empty when nothing was converted.',
})
const rateRows = z.array(z.strictObject({ currency, day, rate: z.string() })).meta({
  description: 'The rates used: units of the currency for one euro, and the day they are of.',
})
const missing = { currency, from: day, to: day } as const
const missingText = 'What had no rate in force, in minor units of its own currency; no other amount contains it.'
const sum = {
  amount: amount.meta({
    description: 'Positive is spent (or earned, for income), net of what came back; pending rows included unless asked without.',
  }),
  pending: amount.meta({ description: 'The part of the amount that is pending.' }),
  count: z.int().meta({ description: 'Rows and splits, pending ones included; without a category those of both directions.' }),
}

export const spendingShape = z.strictObject({
  ...inCurrency,
  data: z
    .array(z.strictObject({ month: month.optional(), categoryId: id.nullable().optional(), ...sum }))
    .meta({ description: 'By month, then category; null is no category. Rows without `by` have both.' }),
  categories: z
    .array(z.strictObject({ categoryId: id.nullable(), parentId: id.nullable(), ...sum, withChildren: z.strictObject(sum) }))
    .meta({ description: 'Over all months, largest first: each category by itself and with all below it.' }),
  total: z.strictObject(sum),
  rates: rateSpans,
  unconverted: z.array(z.strictObject({ month, ...missing, ...sum })).meta({ description: missingText }),
})

const sides = { inflow: amount, outflow: amount.meta({ description: 'Zero or negative.' }), net: amount }
const flow = {
  ...sides,
  pending: z.strictObject(sides).meta({ description: 'What is pending, which the others leave out.' }),
  count: z.int(),
}

export const cashFlowShape = z.strictObject({
  ...inCurrency,
  data: z.array(z.strictObject({ month, ...flow })).meta({ description: 'Every month of the range, ascending.' }),
  total: z.strictObject(flow),
  rates: rateSpans,
  unconverted: z.array(z.strictObject({ month, ...missing, ...flow })).meta({ description: missingText }),
})

export const netWorthShape = z.strictObject({
  ...inCurrency,
  data: z.array(
    z.strictObject({
      date: day.meta({ description: "A month's last day, or today in the current month." }),
      assets: amount.meta({ description: 'Of accounts above zero.' }),
      liabilities: amount.meta({ description: 'Of accounts below zero: zero or negative.' }),
      net: amount,
      kinds: z.array(z.strictObject({ kind: z.string(), amount })).meta({ description: 'By the kind of the account; they sum to `net`.' }),
    }),
  ),
  rates: rateRows,
  unconverted: z.array(z.strictObject({ date: day, currency, amount })).meta({ description: missingText }),
})

export const balanceShape = z.strictObject({
  date: day,
  knownAt: instant.nullable(),
  currency: inCurrency.currency,
  data: z.array(
    z.strictObject({
      accountId: id,
      currency,
      balance: amount.meta({ description: 'Opening balance plus posted and reconciled transactions up to the day.' }),
      converted: amount.nullable().meta({ description: 'In the base currency by the rate of the day; null without one.' }),
    }),
  ),
  total: amount.meta({ description: 'Sum of what is converted.' }),
  rates: rateRows,
  unconverted: z.array(z.strictObject({ currency, amount })).meta({ description: missingText }),
})
