// The rows that a replica holds, by kind.
import type { Operations } from './operations.ts'

type InHousehold = { householdId: string }

export type Household = Operations['households.list']['answer']['data'][number]
export type Account = Operations['accounts.read']['answer'] & InHousehold
export type Category = Operations['categories.read']['answer'] & InHousehold
export type Transaction = Operations['transactions.read']['answer'] & InHousehold
export type Rule = Operations['rules.read']['answer'] & InHousehold

/** What follows from the day is the device's to work out. */
export type Bill = Omit<Operations['bills.read']['answer'], 'nextDue' | 'overdueCount'> & InHousehold
export type Occurrence = Omit<Operations['bills.allOccurrences']['answer']['data'][number], 'status' | 'remaining'> & InHousehold

export type Rows = {
  households: Household
  accounts: Account
  categories: Category
  transactions: Transaction
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
  'rules',
  'bills',
  'occurrences',
] as const satisfies readonly Kind[]

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
