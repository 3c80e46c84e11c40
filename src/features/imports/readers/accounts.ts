// Accounts of one file: the parts that belong to one account become one statement, and bank references become ids.
import type { Statement, StatementRow } from '../statement.ts'

/** A statement of the file before the parts of one account are put together. */
export type StatementPart = { account: string; currency: string | null; label: string | null; rows: StatementRow[] }

/** One statement for each account and currency, in the order of the file. */
export function joinByAccount(parts: readonly StatementPart[]): Statement[] {
  const byAccount = new Map<string, Map<string | null, Statement>>()
  for (const part of parts) {
    const byCurrency = byAccount.get(part.account) ?? new Map<string | null, Statement>()
    byAccount.set(part.account, byCurrency)
    const statement = byCurrency.get(part.currency)
    if (statement) {
      for (const row of part.rows) statement.rows.push(row)
      statement.label ??= part.label
    } else {
      const { account, currency, label, rows } = part
      byCurrency.set(currency, { key: account, currency, label, rows: [...rows], unreadable: [] })
    }
  }
  const statements: Statement[] = []
  for (const byCurrency of byAccount.values()) {
    // Only an account held in several currencies needs the currency to be told apart.
    for (const statement of byCurrency.values()) {
      if (byCurrency.size > 1 && statement.currency !== null) statement.key += `-${statement.currency}`
      dropRepeatedIds(statement.rows)
      statements.push(statement)
    }
  }
  return statements
}

/** A payment and its charge often share a reference: an id that names two rows tells neither from the other. */
function dropRepeatedIds(rows: readonly StatementRow[]): void {
  const seen = new Map<string, number>()
  for (const { externalId } of rows) {
    if (externalId !== null) seen.set(externalId, (seen.get(externalId) ?? 0) + 1)
  }
  for (const row of rows) {
    if (row.externalId !== null && (seen.get(row.externalId) ?? 0) > 1) row.externalId = null
  }
}

const placeholders = new Set(['NONREF', 'NOREF', 'NONE', 'NOTPROVIDED', 'NOTAVAILABLE', 'N/A', 'NA'])

/** A reference that says something, or null for a placeholder such as NONREF or 0000. */
export function realReference(text: string | null | undefined): string | null {
  const reference = text?.trim() ?? ''
  if (placeholders.has(reference.toUpperCase().replaceAll(' ', ''))) return null
  return reference.replaceAll(reference.charAt(0), '') === '' ? null : reference
}

/** A real reference too long to be the number of the entry within its statement, which starts anew in the next one. */
export function lastingReference(text: string | null | undefined): string | null {
  const reference = realReference(text)
  return reference !== null && reference.replace(/^0+/, '').length >= 6 ? reference : null
}
