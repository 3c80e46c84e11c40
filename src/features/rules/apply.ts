// Applies the rules to rows: those of a run over history, and those that an import or a feed has just brought.
import { limits } from '../../values/limits.ts'
import type { Runner } from '../../resources/transaction.ts'
import type { Trial } from './rule.ts'
import { applyChunk, chosenRules } from './store.ts'

/** Which rows are looked at; all when it is empty. */
export type Scope = {
  from?: string
  to?: string
  accountId?: string
  importId?: string
  transactionIds?: readonly string[]
}

export type Outcome = { examined: number; matched: number; changed: number; perRule: { matched: number; changed: number }[] }

/**
 * Applies the household's enabled rules to the rows that an import brought or to the named ones, inside of their transaction. Fields
 * that a person set stay as they are.
 */
export async function applyRules(tx: Runner, household: string, rows: { importId: string } | { transactionIds: readonly string[] }) {
  const rules = (await tx.run(chosenRules, { household, ids: null })) as Trial[]
  await applyToScope(tx, household, rules, rows, null)
}

/** Looks at all rows of the scope in chunks; with a run each change is kept in it. */
export async function applyToScope(
  tx: Runner,
  household: string,
  rules: readonly Trial[],
  scope: Scope,
  run: string | null,
): Promise<Outcome> {
  const outcome: Outcome = { examined: 0, matched: 0, changed: 0, perRule: rules.map(() => ({ matched: 0, changed: 0 })) }
  if (rules.length === 0) return outcome
  const rows = limits.ruleChunkRows
  const applyBehind = async (after: string | null) => {
    const asked = { household, rules, scope, after, rows }
    const [chunk] = await tx.run(applyChunk(run !== null), run === null ? asked : { ...asked, run })
    return chunk!
  }
  for (let after: string | null = null, full = true; full;) {
    const { examined, matched, changed, last, perRule } = await applyBehind(after)
    outcome.examined += examined
    outcome.matched += matched
    outcome.changed += changed
    for (const counted of perRule as { nth: number; matched: number; changed: number }[]) {
      outcome.perRule[counted.nth - 1]!.matched += counted.matched
      outcome.perRule[counted.nth - 1]!.changed += counted.changed
    }
    after = last
    full = examined === rows
  }
  return outcome
}
