// Pure rules of transactions: the shape, the rate of an original amount, and what a draft becomes in the database.
import { z } from 'zod'
import { baseRevision } from '../../http/merge.ts'
import { amount, currency, day, id, instant, text } from '../../http/parameters.ts'
import { limits } from '../../values/limits.ts'
import { exponentOf } from '../../values/money.ts'

const splitDraft = z.strictObject({ amount, categoryId: id.nullable().optional(), note: text(2_000).optional() })
export const status = z.enum(['pending', 'posted', 'reconciled'])

export const transactionShape = z.strictObject({
  id,
  accountId: id,
  currency: currency.meta({ description: "The account's." }),
  date: day,
  amount,
  payee: z.string(),
  rawPayee: z.string().nullable().meta({ description: 'As the bank sent it; never changes.' }),
  note: z.string(),
  categoryId: id.nullable(),
  splits: z
    .array(z.strictObject({ amount, categoryId: id.nullable(), note: z.string() }))
    .nullable()
    .meta({ description: 'Sum to the amount.' }),
  status,
  original: z
    .strictObject({ amount, currency, rate: z.string().nullable() })
    .nullable()
    .meta({ description: "What was paid in another currency, and how much of the account's one unit of it cost." }),
  externalId: z.string().nullable(),
  importId: id.nullable(),
  transfer: z
    .strictObject({ id, side: z.enum(['from', 'to']), transactionId: id, accountId: id })
    .nullable()
    .meta({ description: 'The other leg, when this is one of a transfer.' }),
  createdAt: instant,
  updatedAt: instant,
  revision: z.int(),
})

export const transactionDraft = z.strictObject({
  id: id.optional(),
  accountId: id,
  date: day,
  amount,
  payee: text(200).optional(),
  note: text(2_000).optional(),
  categoryId: id.nullable().optional(),
  splits: z.array(splitDraft).min(2).max(limits.splitsMax).nullable().optional(),
  status: status.optional(),
  externalId: text(255, 1).nullable().optional(),
  original: z.strictObject({ amount, currency }).nullable().optional(),
})
export type TransactionDraft = z.infer<typeof transactionDraft>

export const transactionChanges = transactionDraft.omit({ id: true, externalId: true }).partial().extend({ baseRevision })
export type TransactionChanges = z.infer<typeof transactionChanges>

/** Fields that, once a person set them, neither rule nor feed nor import changes. */
const personal = ['payee', 'note', 'categoryId', 'splits', 'date', 'amount'] as const

/** The columns of the personal fields among the given ones. */
export function editedFields(given: Record<string, unknown>): string[] {
  return personal.filter((name) => Object.hasOwn(given, name)).map((name) => (name === 'categoryId' ? 'category_id' : name))
}

/** The categories that a row and its splits are in. */
export function categoriesOf(row: Record<string, unknown>): (string | null)[] {
  const splits = row['splits'] as { categoryId: string | null }[] | null
  return [row['categoryId'] as string | null, ...(splits ?? []).map((split) => split.categoryId)]
}

/** Splits with every field there, as they are kept and answered. */
export function completeSplits(splits: TransactionDraft['splits']) {
  return splits?.map((split) => ({ amount: split.amount, categoryId: split.categoryId ?? null, note: split.note ?? '' })) ?? null
}

/**
 * How many units of the account's currency one unit of the original cost, as a decimal with 10 fraction digits, rounded
 * half up; null when either amount is 0.
 */
export function rateOf(amountMinor: number, accountCurrency: string, original: { amount: number; currency: string }): string | null {
  if (amountMinor === 0 || original.amount === 0) return null
  const digits = 10
  const numerator = BigInt(Math.abs(amountMinor)) * 10n ** BigInt((exponentOf(original.currency) ?? 2) + digits)
  const denominator = BigInt(Math.abs(original.amount)) * 10n ** BigInt(exponentOf(accountCurrency) ?? 2)
  const scaled = String((numerator + denominator / 2n) / denominator).padStart(digits + 1, '0')
  return `${scaled.slice(0, -digits)}.${scaled.slice(-digits)}`.replace(/\.?0+$/, '')
}
