// The rows that a replica holds, by kind.
import type { Operations } from './operations.ts'

type InHousehold = { householdId: string }

export type Household = Operations['households.list']['answer']['data'][number]
export type Account = Operations['accounts.read']['answer'] & InHousehold
export type Category = Operations['categories.read']['answer'] & InHousehold
export type Transaction = Operations['transactions.read']['answer'] & InHousehold
export type Rule = Operations['rules.read']['answer'] & InHousehold

/** Fields of answers that follow from the day, and so are no part of a replica: the device works them out, or asks. */
export const derivedFields = {
  budgets: [
    'periodStart',
    'periodEnd',
    'periodAmount',
    'rolledOver',
    'available',
    'spent',
    'pendingSpent',
    'remaining',
    'percent',
    'converted',
    'unconverted',
  ],
  bills: ['nextDue', 'overdueCount'],
  occurrences: ['status', 'remaining'],
} as const
type Derived = typeof derivedFields

export type Budget = Omit<Operations['budgets.read']['answer'], Derived['budgets'][number]> & InHousehold
export type Bill = Omit<Operations['bills.read']['answer'], Derived['bills'][number]> & InHousehold
export type Occurrence = Omit<Operations['bills.allOccurrences']['answer']['data'][number], Derived['occurrences'][number]> & InHousehold

export type Rows = {
  households: Household
  accounts: Account
  categories: Category
  transactions: Transaction
  budgets: Budget
  rules: Rule
  bills: Bill
  occurrences: Occurrence
}
export type Kind = keyof Rows
export type Row = Rows[Kind]

export const kinds = [
  'households',
  'accounts',
  'categories',
  'transactions',
  'budgets',
  'rules',
  'bills',
  'occurrences',
] as const satisfies readonly Kind[]

/** An answer as a replica keeps it. */
export function keptOf(kind: Kind, answer: Record<string, unknown>): Record<string, unknown> {
  const derived: readonly string[] = kind in derivedFields ? derivedFields[kind as keyof Derived] : []
  return Object.fromEntries(Object.entries(answer).filter(([name]) => !derived.includes(name)))
}

/** A transfer as a draft would say it, told by its legs. */
export function transferOf(from: Transaction, to: Transaction) {
  return {
    fromAccountId: from.accountId,
    toAccountId: to.accountId,
    date: from.date,
    amount: -from.amount,
    toAmount: to.amount,
    note: from.note,
  }
}

/** Of which household a row is; a household is of itself. */
export function householdOf(kind: Kind, row: Row): string {
  return kind === 'households' ? row.id : (row as Account).householdId
}
