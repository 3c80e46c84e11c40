// The promises of the books, each a view that stays empty.
import type { Database } from './database.ts'
import { statement } from './statement.ts'

const shown = 20
const check = (view: string) =>
  statement(
    `invariants.${view}`,
    {},
    { broken: 'int8', examples: 'jsonb' },
    `select count(*) as broken, coalesce(jsonb_agg(to_jsonb(x)) filter (where x.nth <= ${shown}), '[]') as examples
  from (select v.*, row_number() over () as nth from ${view} v) x`,
  )

export const invariants = [
  ['balances', 'Each balance is the opening balance plus its rows', check('broken_balances')],
  ['monthly totals', "Each month's totals are the sums of its rows", check('broken_monthly_totals')],
  ['category totals', "Each day's and month's totals by category are the sums of its rows", check('broken_category_totals')],
  ['account months', 'The months of an account sum to its rows', check('broken_account_months')],
  ['balance changes', 'What was known of balances adds up to what they are', check('broken_balance_changes')],
  ['splits', 'Splits sum to their transaction', check('broken_splits')],
  ['transfers', 'Transfers have two equal and opposite legs', check('broken_transfers')],
  ['bills', 'Occurrences of bills are paid by what their payments sum to', check('broken_bills')],
  ['rules', 'Rules name accounts and categories that are there', check('broken_rules')],
  [
    'budgets',
    'Each budget is of an expense category, its amounts are dated, and every level that it reached was told',
    check('broken_budgets'),
  ],
  ['revisions', 'No row is ahead of its household', check('broken_revisions')],
  ['digests', "The replica's digests are those of its rows", check('broken_digests')],
  ['feeds', 'Each feed has the secret that it names, a deleted one none', check('broken_feeds')],
  ['rates', 'Each exchange rate is what its last correction made of it', check('broken_rates')],
  ['flags', 'Each flag is what its last change made of it', check('broken_flags')],
  ['owners', 'Each household in use has an owner', check('broken_owners')],
  ['journal', "The audit trail's hashes chain without a gap", check('broken_journal')],
] as const

export type Finding = { name: string; promise: string; broken: number; examples: unknown[] }

/** Checks every promise over the whole database, or one household. Runs as djinn_keeper and takes as long as it takes. */
export async function verifyInvariants(database: Database, onDone: (finding: Finding) => void = () => {}): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const [name, promise, wanted] of invariants) {
    const [row] = await database.write(
      {},
      async (tx) => {
        await tx.run(noTimeout, {})
        return await tx.run(wanted, {})
      },
      'djinn_keeper',
    )
    const finding = { name, promise, broken: row!.broken, examples: row!.examples as unknown[] }
    findings.push(finding)
    onDone(finding)
  }
  return findings
}

const noTimeout = statement('invariants.noTimeout', {}, { set: 'text' }, `select set_config('statement_timeout', '0', true) as set`)
