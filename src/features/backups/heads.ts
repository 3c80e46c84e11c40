// Holds a restored database against the one that it is of: each household's trail must end in an entry of the living one's.
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import { readHeads, readStrangeHeads } from './store.ts'

export type Head = { household: string; entries: number; head: Buffer }
export type Likeness = {
  households: number
  /** Whose last entry is none of the living trail. */
  strange: string[]
  /** Who had more entries when it was asked than the restored database knows. */
  behind: string[]
}

export async function readAllHeads(database: Database): Promise<Head[]> {
  const heads: Head[] = []
  for (let after = '00000000-0000-0000-0000-000000000000'; ;) {
    const rows = await database.write({}, (tx) => tx.run(readHeads, { after, rows: limits.statementRowsMax }), 'djinn_keeper')
    heads.push(...rows)
    if (rows.length < limits.statementRowsMax) return heads
    after = rows.at(-1)!.household
  }
}

/** `before` is how the living database stood at a moment that the restored one should have in it. */
export async function compareHeads(live: Database, restored: Database, before: readonly Head[]): Promise<Likeness> {
  const heads = await readAllHeads(restored)
  const strange: string[] = []
  for (let from = 0; from < heads.length; from += limits.statementRowsMax) {
    const some = heads.slice(from, from + limits.statementRowsMax)
    const rows = await live.write(
      {},
      (tx) => tx.run(readStrangeHeads, { heads: some.map((each) => ({ ...each, head: each.head.toString('hex') })) }),
      'djinn_keeper',
    )
    strange.push(...rows.map(({ household }) => household))
  }
  const found = new Map(heads.map(({ household, entries }) => [household, entries]))
  const behind = before.filter(({ household, entries }) => (found.get(household) ?? -1) < entries).map(({ household }) => household)
  return { households: heads.length, strange, behind }
}
