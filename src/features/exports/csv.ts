// Transactions as CSV (RFC 4180): a line each, or one a split; no cell can become a formula in a spreadsheet.
import { Failure } from '../../values/failure.ts'
import type { Runner } from '../../resources/transaction.ts'
import { limits } from '../../values/limits.ts'
import { decimalFromMinor, exponentOf } from '../../values/money.ts'
import { readNames, readTransactions, type CsvFilter } from './store.ts'

export const csvColumns = [
  'Date',
  'Account',
  'Payee',
  'Amount',
  'Currency',
  'Category',
  'Note',
  'Status',
  'Transfer account',
  'Original amount',
  'Original currency',
  'Transaction',
] as const

/**
 * Text that people or banks wrote, as a cell: what a spreadsheet would take for a formula gets an apostrophe in front
 * (OWASP, CSV Injection), and quotes stand around what would break the line.
 */
export function textCell(text: string): string {
  const tame = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(tame) ? `"${tame.replaceAll('"', '""')}"` : tame
}

export type CsvQuery = { [filter in CsvFilter]?: string | undefined }
type Split = { amount: number; categoryId: string | null; note: string }

/** Chunks of the file, oldest first. */
export async function* transactionsCsv(reads: Runner, household: string, query: CsvQuery): AsyncGenerator<string> {
  const [names] = await reads.run(readNames, { household })
  const accounts = names!.accounts as Record<string, string>
  const categories = names!.categories as Record<string, [string, string | null]>
  if (query.account !== undefined && accounts[query.account] === undefined) {
    throw new Failure('account-not-found', 'There is no such account in this household.', { at: '/accountId' })
  }
  const path = (id: string | null): string => {
    if (id === null || categories[id] === undefined) return ''
    const [name, parent] = categories[id]
    return parent === null ? name : `${path(parent)}: ${name}`
  }
  const money = (amountMinor: number | null, currency: string | null) =>
    amountMinor === null ? '' : decimalFromMinor(amountMinor, exponentOf(currency!) ?? 2)
  yield `${csvColumns.join(',')}\r\n`
  const wanted = (['account', 'from', 'to'] as const).filter((name) => query[name] !== undefined)
  const values = Object.fromEntries(wanted.map((name) => [name, query[name]]))
  let position: object = {}
  for (;;) {
    const rows = await reads.run(readTransactions(wanted, Object.keys(position).length > 0), {
      household,
      rows: limits.statementRowsMax,
      ...values,
      ...position,
    })
    const lines = rows.flatMap((row) => {
      const parts = (row.splits as Split[] | null) ?? [{ amount: row.amount, categoryId: row.categoryId, note: '' }]
      return parts.map((part) =>
        [
          row.date,
          textCell(accounts[row.accountId] ?? ''),
          textCell(row.payee),
          money(part.amount, row.currency),
          row.currency,
          textCell(path(part.categoryId)),
          textCell([row.note, part.note].filter((note) => note !== '').join('; ')),
          row.status,
          textCell(row.otherAccountId === null ? '' : (accounts[row.otherAccountId] ?? '')),
          row.splits === null ? money(row.originalAmount, row.originalCurrency) : '',
          row.splits === null ? (row.originalCurrency ?? '') : '',
          row.id,
        ].join(','),
      )
    })
    if (lines.length > 0) yield `${lines.join('\r\n')}\r\n`
    const last = rows.at(-1)
    if (rows.length < limits.statementRowsMax) return
    position = { afterDate: last!.date, afterId: last!.id }
  }
}
