// The forecast: on which days what is expected, bill by bill, and what that makes in each month and currency.
import { setImmediate } from 'node:timers/promises'
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import type { Day } from '../../values/day.ts'
import { limits } from '../../values/limits.ts'
import { amountMinorMax } from '../../values/money.ts'
import type { Context } from '../../http/operation.ts'
import { amount, currency, day, id } from '../../http/parameters.ts'
import { scheduledDays, type Schedule } from './schedule.ts'
import { readExpected } from './store.ts'

const sum = z.strictObject({ currency, amountMin: amount, amountMax: amount, count: z.int() })

export const forecastShape = z.strictObject({
  from: day,
  to: day,
  bills: z.array(
    z.strictObject({
      billId: id,
      payee: z.string(),
      accountId: id.nullable(),
      categoryId: id.nullable(),
      currency,
      amountMin: amount,
      amountMax: amount,
      dates: z.array(day),
    }),
  ),
  months: z
    .array(z.strictObject({ month: z.string().meta({ description: 'Such as 2026-11.' }), sums: z.array(sum) }))
    .meta({ description: 'What is still expected in each month, less what was paid of it in part.' }),
})

/** The last day of the month that lies `months` - 1 behind that of a day. */
export function lastDay(today: Day, months: number): Day {
  return Temporal.PlainDate.from(today).with({ day: 1 }).add({ months }).subtract({ days: 1 }).toString()
}

type Expected = { date: Day; currency: string; amountMin: number; amountMax: number }

export async function forecastOf(context: Context, months: number) {
  const from = context.today
  const to = lastDay(from, months)
  const rows = await context.db.run(readExpected, { household: context.household!.id, from, rows: limits.billsMax })
  const totals = new Totals(from, months)
  const bills = []
  for (const [index, row] of rows.entries()) {
    // A schedule may cost milliseconds: others get their turn in between.
    if (index % 10 === 9) await setImmediate()
    const raised = (row.occurrences as (Expected & { paidAmount: number })[]).filter((each) => each.date <= to)
    const behind = row.nextDate === null ? [] : daysBehind(row as typeof row & { nextDate: Day }, from, to)
    for (const { paidAmount, ...each } of raised)
      totals.add({ ...each, amountMin: each.amountMin - paidAmount, amountMax: each.amountMax - paidAmount })
    for (const date of behind) totals.add({ ...row, date })
    const { id: billId, payee, accountId, categoryId, currency: billCurrency, amountMin, amountMax } = row
    const dates = [...raised.map((each) => each.date), ...behind]
    if (dates.length > 0) bills.push({ billId, payee, accountId, categoryId, currency: billCurrency, amountMin, amountMax, dates })
  }
  return { from, to, bills, months: totals.months() }
}

function daysBehind(row: { schedule: unknown; endsOn: Day | null; nextDate: Day }, from: Day, to: Day): Day[] {
  return scheduledDays(row.schedule as Schedule, row.endsOn, row.nextDate > from ? row.nextDate : from, to)
}

/** Sums by month and currency; whole numbers of any size until they are told. */
class Totals {
  readonly #months = new Map<string, Map<string, { min: bigint; max: bigint; count: number }>>()

  constructor(from: Day, months: number) {
    for (let index = 1; index <= months; index++) this.#months.set(lastDay(from, index).slice(0, 7), new Map())
  }

  add({ date, currency: code, amountMin, amountMax }: Expected) {
    const sums = this.#months.get(date.slice(0, 7))!
    const before = sums.get(code) ?? { min: 0n, max: 0n, count: 0 }
    sums.set(code, { min: before.min + BigInt(amountMin), max: before.max + BigInt(amountMax), count: before.count + 1 })
  }

  months() {
    return [...this.#months].map(([month, sums]) => ({
      month,
      sums: [...sums]
        .toSorted(([one], [other]) => (one < other ? -1 : 1))
        .map(([code, { min, max, count }]) => ({ currency: code, amountMin: told(min), amountMax: told(max), count })),
    }))
  }
}

function told(total: bigint): number {
  if (total > BigInt(amountMinorMax) || total < -BigInt(amountMinorMax)) {
    throw new Failure('amount-out-of-range', 'What a month is expected to bring or take leaves +-(2^53-1) minor units.')
  }
  return Number(total)
}
