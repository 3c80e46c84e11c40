// Where a replica is kept on the device. A commit is all or nothing: rows, the cursor and the outbox fit each other after a crash.
import type { Checkpoint } from './replica.ts'
import type { Entry } from './outbox.ts'
import type { Kind, Row } from './rows.ts'

export type Meta = { cursor: string | null; etag: string | null; checkpoint: Checkpoint | null; outbox: Entry[] }
export type Kept = { rows: [Kind, string, Row][]; meta: Meta }

export type Batch = {
  /** Rows by kind and `<household>/<id>`; null removes. */
  rows: [Kind, string, Row | null][]
  meta?: Partial<Meta>
}

export interface Storage {
  load(): Promise<Kept>
  commit(batch: Batch): Promise<void>
}

export const emptyMeta: Meta = { cursor: null, etag: null, checkpoint: null, outbox: [] }

/** Keeps everything in memory: for tests, servers and private windows. */
export class MemoryStorage implements Storage {
  readonly #rows = new Map<string, [Kind, string, Row]>()
  #meta: Meta = structuredClone(emptyMeta)

  load(): Promise<Kept> {
    return Promise.resolve(structuredClone({ rows: [...this.#rows.values()], meta: this.#meta }))
  }

  commit(batch: Batch): Promise<void> {
    for (const [kind, key, row] of structuredClone(batch.rows)) {
      if (row) this.#rows.set(`${kind} ${key}`, [kind, key, row])
      else this.#rows.delete(`${kind} ${key}`)
    }
    this.#meta = { ...this.#meta, ...structuredClone(batch.meta ?? {}) }
    return Promise.resolve()
  }
}
