// What the reads of one request, or of neighbouring steps of a batch, share: one reader a household, and rows gathered by id.
import DataLoader from 'dataloader'
import { limits } from '../values/limits.ts'
import type { Database } from '../resources/database.ts'
import type { Reads } from '../resources/reads.ts'
import type { Scope } from '../resources/scope.ts'
import type { Row, RowStatements } from '../resources/rows.ts'
import type { Runner } from '../resources/transaction.ts'
import type { Shape } from '../resources/statement.ts'
import { RevisionedReader } from './revision.ts'

export class ReadRun {
  readonly #database: Database
  readonly #replicas: Reads | null
  readonly #gatherMs: number
  readonly #readers = new Map<string, RevisionedReader>()
  readonly #loaders = new Map<string, DataLoader<string, object | null>>()

  /** `gatherMs` is how long ids are gathered before they are read: 0 for a request alone, which waits for no other. */
  constructor({ database, replicas }: { database: Database; replicas: Reads | null }, gatherMs: number) {
    this.#database = database
    this.#replicas = replicas
    this.#gatherMs = gatherMs
  }

  /** `apart` for reads that may take long; `told` for those that only what raises the household's revision can change: a replica may answer. */
  reader(scope: Scope, apart = false, told = false): RevisionedReader {
    const replicas = told ? this.#replicas : null
    const key = `${scope.household ?? ''}${apart ? ' apart' : ''}${replicas ? ' told' : ''}`
    let reader = this.#readers.get(key)
    if (!reader) {
      reader = new RevisionedReader(this.#database, scope, apart, replicas ?? this.#database)
      this.#readers.set(key, reader)
    }
    return reader
  }

  /** A live row, or null; ids asked for meanwhile share the statement, and each is read once in this run. */
  async load<C extends Shape>(scope: Scope, rows: RowStatements<C>, id: string, told = false): Promise<Row<C> | null> {
    const household = scope.household!
    const key = `${household} ${rows.noun}${told && this.#replicas ? ' told' : ''}`
    let loader = this.#loaders.get(key)
    if (!loader) {
      const reader = this.reader(scope, false, told)
      const gatherMs = this.#gatherMs
      loader = new DataLoader<string, object | null>(
        async (ids) => {
          const found = (await reader.run(rows.byIds, { household, ids: [...ids] })) as { id: string }[]
          const byId = new Map(found.map((row) => [row.id, row]))
          return ids.map((each) => byId.get(each) ?? null)
        },
        {
          maxBatchSize: limits.loaderKeysMax,
          ...(gatherMs === 0 ? {} : { batchScheduleFn: (send: () => void) => void setTimeout(send, gatherMs) }),
        },
      )
      this.#loaders.set(key, loader)
    }
    return (await loader.load(id)) as Row<C> | null
  }
}

/** Rows as the transaction sees them. */
export function loadFrom(tx: Runner, household: string | null) {
  return async <C extends Shape>(rows: RowStatements<C>, id: string): Promise<Row<C> | null> =>
    (await tx.run(rows.byIds, { household: household!, ids: [id] }))[0] ?? null
}
