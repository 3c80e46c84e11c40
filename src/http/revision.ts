// A household's reads of one request or of one run of a batch: they carry the revision that the first of them found.
import type { Database } from '../resources/database.ts'
import type { Read, Reads } from '../resources/reads.ts'
import type { Scope } from '../resources/scope.ts'
import type { Runner } from '../resources/transaction.ts'

export class RevisionedReader implements Runner {
  readonly #database: Database
  readonly #scope: Scope
  readonly #apart: boolean
  readonly #reads: Reads
  /** The revision comes before the rows of its round trip: an answer may be newer than its tag but never older. */
  revision: number | null = null
  /** When the household was last written, in seconds of the epoch. */
  raisedS = 0

  /** `apart` for reads that may take long; `reads` may be answered by others than the primary. */
  constructor(database: Database, scope: Scope, apart = false, reads: Reads = database) {
    this.#database = database
    this.#scope = scope
    this.#apart = apart
    this.#reads = reads
  }

  /** Reads the revision alone: what a conditional request needs before anything else. */
  async readRevision(): Promise<number> {
    const household = this.#scope.household!
    return this.revision ?? (await this.#database.revisions([household])).get(household) ?? 0
  }

  run: Runner['run'] = async (wanted, parameters) => (await this.#read([{ statement: wanted, parameters }]))[0] as never

  async #read(reads: Read[]): Promise<object[][]> {
    const { revision, raisedS, results } = await this.#reads.readTogether(this.#scope, reads, { apart: this.#apart })
    if (this.revision === null && this.#scope.household) {
      this.revision = revision ?? 0
      this.raisedS = raisedS
    }
    return results
  }
}
