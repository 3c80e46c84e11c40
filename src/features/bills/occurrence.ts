// Pure rules of occurrences: their shape, how one stands on a day, and what is left to pay.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { amount, currency, day, id, instant } from '../../http/parameters.ts'
import type { Day } from '../../values/day.ts'

export const occurrenceStatus = z.enum(['due', 'overdue', 'paid', 'skipped'])
export type OccurrenceStatus = z.infer<typeof occurrenceStatus>

export const occurrenceShape = z.strictObject({
  id: id.meta({ description: 'UUIDv8 of SHA-256("<billId>/<date>").' }),
  billId: id,
  date: day,
  status: occurrenceStatus.meta({ description: 'Overdue is what is unpaid and before today, in the zone of the household.' }),
  currency,
  amountMin: amount,
  amountMax: amount,
  paidAmount: amount.meta({ description: 'Sum of its payments.' }),
  remaining: amount.meta({ description: 'What is left until the end of the range that is nearer to 0; 0 once it is paid.' }),
  payments: z
    .array(z.strictObject({ transactionId: id, amount, origin: z.enum(['matched', 'hand', 'posted']) }))
    .meta({ description: 'Found by itself, matched by hand, or made by the bill.' }),
  skipped: z.boolean(),
  paid: z.boolean(),
  createdAt: instant,
  updatedAt: instant,
  revision: z.int(),
})

/** The id of an occurrence follows from its bill and day; the database says the same (bill_derived_id). */
export function occurrenceId(billId: string, date: Day): string {
  const hex = createHash('sha256').update(`${billId}/${date}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${((parseInt(hex[16]!, 16) & 3) | 8).toString(16)}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

type Stored = { date: Day; skipped: boolean; paid: boolean; paidAmount: number; amountMin: number; amountMax: number }

export function statusOf({ date, skipped, paid }: Pick<Stored, 'date' | 'skipped' | 'paid'>, today: Day): OccurrenceStatus {
  if (paid) return 'paid'
  if (skipped) return 'skipped'
  return date < today ? 'overdue' : 'due'
}

/** The end of the range that is nearer to 0; 0 when the range spans it. */
export function nearerEnd({ amountMin, amountMax }: Pick<Stored, 'amountMin' | 'amountMax'>): number {
  return amountMax < 0 ? amountMax : Math.max(amountMin, 0)
}

export function presentOccurrence<R extends Stored>(row: R, today: Day) {
  const remaining = row.paid ? 0 : nearerEnd(row) - row.paidAmount
  return { ...row, status: statusOf(row, today), remaining }
}
