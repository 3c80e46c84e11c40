// Every statement that is declared, those that are put together from parts in each of their forms among them.
import { makeFeatures } from '../../src/app/features.ts'
import { listAccounts } from '../../src/features/accounts/store.ts'
import { auditFilters, listAudit } from '../../src/features/audit/store.ts'
import {
  listOccurrences,
  occurrenceFilters,
  statusFilters,
  type OccurrenceFilter,
  type StatusFilter,
} from '../../src/features/bills/occurrence-store.ts'
import { duePlans, listBills } from '../../src/features/bills/store.ts'
import { listBudgets } from '../../src/features/budgets/store.ts'
import { listCategories } from '../../src/features/categories/store.ts'
import { everyExportStatement } from '../../src/features/exports/store.ts'
import { listFeeds } from '../../src/features/feeds/store.ts'
import { listImports } from '../../src/features/imports/store.ts'
import { listChanges, listRuns } from '../../src/features/rules/run-store.ts'
import { applyChunk, listRules } from '../../src/features/rules/store.ts'
import { listTransfers } from '../../src/features/transfers/store.ts'
import { filters, listTransactions, type Filter } from '../../src/features/transactions/store.ts'
import { declaredStatements, type Statement } from '../../src/resources/statement.ts'

void makeFeatures
// Those of commands are declared with their files.
await Promise.all([import('../../src/features/backups/store.ts'), import('../../src/features/inspecting/store.ts')])
everyExportStatement()
for (const list of [listAccounts, listBills, listBudgets, listCategories, listTransfers, listFeeds, listImports, listRules]) {
  for (const behind of [false, true]) for (const since of [false, true]) list(behind, since)
}
for (const variant of [false, true]) {
  listRuns(variant)
  listChanges(variant)
  applyChunk(variant)
}

for (const asked of [[], ...auditFilters.map((filter) => [filter]), auditFilters])
  for (const behind of [false, true]) listAudit(asked, behind)

export function everyStatement(): Statement[] {
  const names = Object.keys(filters) as Filter[]
  for (const filter of names) listTransactions([filter], true)
  listTransactions(names, false)
  for (const filter of Object.keys(occurrenceFilters) as OccurrenceFilter[]) listOccurrences([filter], undefined, true)
  for (const status of Object.keys(statusFilters) as StatusFilter[]) listOccurrences([], status, false)
  for (const ofOne of [true, false]) duePlans(ofOne)
  return [...declaredStatements().values()]
}
