// Reads what was kept and what the database says now, and answers the advice; what people declared is written here.
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import { missingIndexes, readIndexNames, shippedIndexes } from '../../resources/indexes.ts'
import { readSlowKinds } from '../../resources/slow-kinds.ts'
import type { Transaction } from '../../resources/transaction.ts'
import { advise, type Answer } from './advice.ts'
import { evidenceOf } from './evidence.ts'
import { slotOf, type Measures, type Piece } from './measures.ts'
import { declareFact, forgetFact, readEvidence, readFacts } from './store.ts'

const noProcess = '00000000-0000-0000-0000-000000000000'
const dayMs = 86_400_000

async function piecesSince(tx: Transaction, slot: number): Promise<Piece[]> {
  const pieces: Piece[] = []
  let behind = { slot, process: noProcess }
  for (;;) {
    const rows = await tx.run(readEvidence, { ...behind, rows: limits.statementRowsMax })
    for (const row of rows) pieces.push({ ...row, measures: row.measures as Measures })
    const last = rows.at(-1)
    if (!last || rows.length < limits.statementRowsMax) return pieces
    behind = last
  }
}

export async function readAdvice(database: Database, nowMs: number): Promise<Answer> {
  return await database.write(
    {},
    async (tx) => {
      const [pieces, facts, indexes, slowest] = await Promise.all([
        piecesSince(tx, slotOf(nowMs - limits.evidenceDays * dayMs)),
        tx.run(readFacts, {}),
        tx.run(readIndexNames, {}),
        tx.run(readSlowKinds, { slowMs: limits.slowStatementMs, rows: limits.slowStatementsShown }),
      ])
      return advise(
        evidenceOf(nowMs, pieces, {
          facts: new Map(facts.map(({ name, value }) => [name, Number(value)])),
          missing: missingIndexes(indexes, shippedIndexes()),
          slowest,
        }),
      )
    },
    'djinn_keeper',
  )
}

export async function declare(database: Database, fact: { name: string; value: number }) {
  await database.write({}, (tx) => tx.run(declareFact, { name: fact.name, value: String(fact.value) }), 'djinn_keeper')
}

/** Whether it was declared. */
export async function undeclare(database: Database, name: string): Promise<boolean> {
  return (await database.write({}, (tx) => tx.run(forgetFact, { name }), 'djinn_keeper')).length > 0
}
