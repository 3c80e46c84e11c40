// The rows that a replica holds, by kind.
import type { Operations } from './operations.ts'

type InHousehold = { householdId: string }

export type Household = Operations['households.list']['answer']['data'][number]
export type Account = Operations['accounts.read']['answer'] & InHousehold
export type Category = Operations['categories.read']['answer'] & InHousehold
export type Transaction = Operations['transactions.read']['answer'] & InHousehold

/** What the figures of a budget are of a day, and so no part of a replica. */
export const budgetFigures = [
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
] as const
export type Budget = Omit<Operations['budgets.read']['answer'], (typeof budgetFigures)[number]> & InHousehold

export type Rows = { households: Household; accounts: Account; categories: Category; transactions: Transaction; budgets: Budget }
export type Kind = keyof Rows
export type Row = Rows[Kind]

export const kinds = ['households', 'accounts', 'categories', 'transactions', 'budgets'] as const satisfies readonly Kind[]

/** An answer as a replica keeps it. */
export function keptOf(answer: Record<string, unknown>): Record<string, unknown> {
  const figures: readonly string[] = 'periodStart' in answer ? budgetFigures : []
  return Object.fromEntries(Object.entries(answer).filter(([name]) => !figures.includes(name)))
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
