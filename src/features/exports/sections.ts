// What a household's document is made of: each table's rows with every column that cannot be derived, by the names of the API.
// Rows stand in the order that they are put back in; deleted ones that can still be restored are among them.
import { z } from 'zod'
import { amount, currency, day, id, instant, text } from '../../http/parameters.ts'
import { limits } from '../../values/limits.ts'

export type Section = {
  name: string
  table: string
  /** The fields that identify a row within the household, with their types: rows are in their order. */
  key: Readonly<Record<string, 'uuid' | 'int4' | 'date'>>
  fields: Record<string, z.ZodType>
  /** Which rows; the table is `t`. */
  where?: string
  /** The field that names another row of the same section, which must stand before it when they are put back. */
  parent?: string
  /** Fields whose columns have more digits than a number of JSON keeps: they are written as text. */
  decimals?: readonly string[]
  /** Columns that are set once all rows are there, since they would refuse the rows before. */
  late?: readonly string[]
}

const instants = { createdAt: instant, deletedAt: instant.nullable() }
const uuid = id.nullable()
const count = z.int().min(0)
const json = z.unknown()
/** Text as a bank sent it, which may hold what a person may not write. */
const raw = (max: number) => z.string().max(max).refine(isStorable, { error: 'must not contain NUL or half a character' })
/** As the database has them, which holds their sum and their categories whatever wrote them. */
const splits = z
  .array(z.strictObject({ amount, categoryId: uuid.optional(), note: raw(2_000).optional() }))
  .min(2)
  .max(limits.splitsMax)

function isStorable(value: string): boolean {
  return value.isWellFormed() && !value.includes('\0')
}

export const householdFields = z.strictObject({ name: text(100, 1), baseCurrency: currency, timeZone: z.string().min(1).max(64) })

export const sections: readonly Section[] = [
  {
    name: 'accounts',
    table: 'accounts',
    key: { id: 'uuid' },
    fields: {
      id,
      name: text(100, 1),
      kind: z.enum(['checking', 'savings', 'cash', 'creditCard', 'loan', 'investment', 'other']),
      currency,
      institutionId: text(64, 1).nullable(),
      note: text(2_000),
      openingBalance: amount,
      closedAt: instant.nullable(),
      ...instants,
    },
    late: ['closedAt'],
  },
  {
    name: 'categories',
    table: 'categories',
    key: { id: 'uuid' },
    parent: 'parentId',
    fields: {
      id,
      name: text(100, 1),
      kind: z.enum(['income', 'expense']),
      parentId: uuid,
      icon: text(64, 1).nullable(),
      color: z
        .string()
        .regex(/^#[0-9a-fA-F]{6}$/)
        .nullable(),
      archived: z.boolean(),
      systemKey: text(100, 1).nullable(),
      ...instants,
    },
  },
  {
    name: 'imports',
    table: 'imports',
    key: { id: 'uuid' },
    // A preview is of its file, which is not kept.
    where: `t.status <> 'previewed'`,
    fields: {
      id,
      format: text(20, 1),
      fileName: raw(255).nullable(),
      fileDigest: z.string().regex(/^[0-9a-f]{64}$/),
      status: z.enum(['committed', 'undone']),
      mapping: json,
      statements: z.array(json),
      warnings: z.array(json),
      summary: z.record(z.string(), json),
      result: json,
      committedAt: instant.nullable(),
      undoneAt: instant.nullable(),
      ...instants,
    },
  },
  { name: 'transfers', table: 'transfers', key: { id: 'uuid' }, fields: { id, ...instants } },
  {
    name: 'transactions',
    table: 'transactions',
    key: { id: 'uuid' },
    fields: {
      id,
      accountId: id,
      currency,
      date: day,
      amount,
      payee: raw(200),
      note: raw(2_000),
      categoryId: uuid,
      splits: splits.nullable(),
      status: z.enum(['pending', 'posted', 'reconciled']),
      originalAmount: amount.nullable(),
      originalCurrency: currency.nullable(),
      originalRate: z
        .string()
        .regex(/^\d{1,20}(\.\d{1,20})?$/)
        .nullable(),
      rawPayee: raw(1_000).nullable(),
      externalId: raw(255).nullable(),
      sourceAccountId: uuid,
      sourceDate: day.nullable(),
      sourceAmount: amount.nullable(),
      importId: uuid,
      transferId: uuid,
      transferSide: z.enum(['from', 'to']).nullable(),
      editedFields: z.array(z.enum(['payee', 'note', 'category_id', 'splits', 'date', 'amount'])),
      ...instants,
    },
    decimals: ['originalRate'],
  },
  {
    name: 'rules',
    table: 'rules',
    key: { id: 'uuid' },
    fields: {
      id,
      name: text(100, 1),
      position: z.int().min(1),
      enabled: z.boolean(),
      match: z.enum(['all', 'any']),
      // The table itself takes no other than it knows.
      conditions: z.array(json),
      actions: z.record(z.string(), json),
      stop: z.boolean(),
      ...instants,
    },
  },
  {
    // What an undo of an import gives back to the rows that people had written themselves.
    name: 'importMatches',
    table: 'import_rows',
    key: { importId: 'uuid', row: 'int4' },
    where: `t.status = 'matched' and t.match_before is not null`,
    fields: {
      importId: id,
      row: count,
      line: count,
      statement: raw(1_000),
      accountId: uuid,
      status: z.literal('matched'),
      date: day.nullable(),
      amount: amount.nullable(),
      payee: raw(1_000).nullable(),
      rawPayee: raw(1_000).nullable(),
      note: raw(4_000).nullable(),
      externalId: raw(255).nullable(),
      pending: z.boolean(),
      originalAmount: amount.nullable(),
      originalCurrency: text(3).nullable(),
      transactionId: uuid,
      matchId: uuid,
      matchBefore: json,
    },
  },
  {
    name: 'bills',
    table: 'bills',
    key: { id: 'uuid' },
    fields: {
      id,
      payee: text(200, 1),
      accountId: uuid,
      currency,
      categoryId: uuid,
      amountMin: amount,
      amountMax: amount,
      schedule: z.strictObject({ startsOn: day, rule: text(500, 1), weekend: z.enum(['keep', 'before', 'after']) }),
      endsOn: day.nullable(),
      reminderDays: z.array(z.int()),
      autoPost: z.boolean(),
      autoPostFrom: day.nullable(),
      note: text(2_000),
      ...instants,
    },
  },
  // How far each is raised: without it the days of an older schedule would be raised by the newer one.
  { name: 'billPlans', table: 'bill_plans', key: { billId: 'uuid' }, fields: { billId: id, nextDate: day.nullable() } },
  {
    name: 'billOccurrences',
    table: 'bill_occurrences',
    key: { billId: 'uuid', date: 'date' },
    fields: {
      billId: id,
      date: day,
      id,
      currency,
      amountMin: amount,
      amountMax: amount,
      skipped: z.boolean(),
      postedAt: instant.nullable(),
      ...instants,
    },
  },
  {
    name: 'billPayments',
    table: 'bill_payments',
    key: { transactionId: 'uuid' },
    fields: { transactionId: id, billId: id, date: day, origin: z.enum(['matched', 'hand', 'posted']) },
  },
  {
    name: 'billMismatches',
    table: 'bill_mismatches',
    key: { transactionId: 'uuid', billId: 'uuid' },
    fields: { transactionId: id, billId: id },
  },
  {
    name: 'budgets',
    table: 'budgets',
    key: { id: 'uuid' },
    fields: {
      id,
      categoryId: id,
      name: text(100),
      amount,
      currency,
      period: z.enum(['weekly', 'monthly', 'yearly']),
      startsOn: day,
      rollover: z.boolean(),
      alertLevels: z.array(z.int()),
      note: text(2_000),
      ...instants,
    },
  },
  // What held in which period, and which levels were told: neither follows from the rows as they are.
  {
    name: 'budgetAmounts',
    table: 'budget_amounts',
    key: { budgetId: 'uuid', fromDay: 'date' },
    fields: { budgetId: id, fromDay: day, amount },
  },
  {
    name: 'budgetAlerts',
    table: 'budget_alerts',
    key: { budgetId: 'uuid', periodStart: 'date', level: 'int4' },
    fields: {
      budgetId: id,
      periodStart: day,
      level: z.int(),
      periodEnd: day,
      spent: amount,
      available: amount,
      currency,
      crossedAt: instant,
    },
  },
]
