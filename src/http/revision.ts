// The household's revision, read in one round trip with the first statement of a read, before it: an answer may be newer
// than its tag but never older.
import type { Database, Scope } from '../resources/database.ts'
import type { Runner } from '../resources/transaction.ts'
import { statement } from '../resources/statement.ts'

const readRevision = statement(
  'revisions.read',
  { household: 'uuid' },
  { revision: 'int8' },
  'select revision from revisions where household_id = :household',
)

export class RevisionedReader implements Runner {
  readonly #database: Database
  readonly #scope: Scope
  revision: number | null = null

  constructor(database: Database, scope: Scope) {
    this.#database = database
    this.#scope = scope
  }

  /** Reads the revision alone: what a conditional request needs before anything else. */
  async readRevision(): Promise<number> {
    const [rows] = await this.#database.readTogether(this.#scope, [this.#revisionRead()])
    return this.#keep(rows!)
  }

  run: Runner['run'] = async (wanted, parameters) => {
    const read = { statement: wanted as never, parameters }
    if (this.revision !== null || !this.#scope.household) return (await this.#database.readTogether(this.#scope, [read]))[0] as never
    const [revisions, rows] = await this.#database.readTogether(this.#scope, [this.#revisionRead(), read])
    this.#keep(revisions!)
    return rows as never
  }

  #revisionRead() {
    return { statement: readRevision as never, parameters: { household: this.#scope.household } }
  }

  #keep(rows: object[]): number {
    const read = (rows[0] as { revision: number } | undefined)?.revision ?? 0
    this.revision ??= read
    return this.revision
  }
}
