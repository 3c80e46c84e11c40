// All that the service holds of one person: who they are, where they signed in, what they were told, and the households that they own.
import { limits } from '../../values/limits.ts'
import type { Runner } from '../../resources/transaction.ts'
import { householdDocument } from './household-document.ts'
import { enterHousehold, readInbox, readOwnData } from './store.ts'

const firstId = '00000000-0000-0000-0000-000000000000'

/** Chunks of the document; a household that belongs to others is named and left out. */
export async function* ownData(reads: Runner, userId: string, owned: readonly string[]): AsyncGenerator<string> {
  yield '{"format":"djinn-own-data","version":1'
  for (const { name, content } of await reads.run(readOwnData, { user: userId })) yield `,\n${JSON.stringify(name)}:${content}`
  yield ',\n"notifications":['
  for (let after = firstId, before = '\n'; ;) {
    const rows = await reads.run(readInbox, { user: userId, after, rows: limits.statementRowsMax })
    if (rows.length > 0) yield before + rows.map((row) => row.line).join(',\n')
    if (rows.length < limits.statementRowsMax) break
    after = rows.at(-1)!.id
    before = ',\n'
  }
  yield ']'
  yield ',\n"households":['
  for (const [index, household] of owned.entries()) {
    await reads.run(enterHousehold, { id: household })
    yield index === 0 ? '\n' : ',\n'
    yield* householdDocument(reads, household)
  }
  yield ']}\n'
}
