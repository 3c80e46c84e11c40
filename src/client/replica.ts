// What the server has confirmed, as far as the device has it: rows by kind, kept equal to the server's by sync answers.
import { digestOf } from './digest.ts'
import { householdOf, kinds, type Kind, type Row, type Rows } from './rows.ts'

export type Checkpoint = Record<string, { count: number; digest: string }>
export type Removed = { type: string; id: string; householdId: string }
/** What changed: kind, `<household>/<id>`, and the row or null. */
export type Change = [Kind, string, Row | null]
export type Tables = { [K in Kind]: Map<string, Rows[K]> }

export function emptyTables(): Tables {
  return {
    households: new Map(),
    accounts: new Map(),
    categories: new Map(),
    transactions: new Map(),
    budgets: new Map(),
    rules: new Map(),
    bills: new Map(),
    occurrences: new Map(),
  }
}

export function keyOf(householdId: string, id: string): string {
  return `${householdId}/${id}`
}

export class Replica {
  readonly tables: Tables

  constructor(rows: readonly [Kind, string, Row][] = []) {
    this.tables = emptyTables()
    for (const [kind, key, row] of rows) this.tables[kind].set(key, row as never)
  }

  /** The changes that rows and removals of the server make here; an older row never replaces a newer one. */
  changesOf(upserts: Partial<Record<Kind, readonly Row[]>>, removed: readonly Removed[]): Change[] {
    const changes: Change[] = []
    for (const kind of kinds) {
      for (const row of upserts[kind] ?? []) {
        const key = keyOf(householdOf(kind, row), row.id)
        const known = this.tables[kind].get(key)
        if (!known || known.revision <= row.revision) changes.push([kind, key, row])
      }
    }
    for (const { type, id, householdId } of removed) {
      if (type === 'households') changes.push(...this.#lost(id))
      else changes.push([type as Kind, keyOf(householdId, id), null])
    }
    return changes
  }

  #lost(household: string): Change[] {
    return kinds.flatMap((kind) =>
      [...this.tables[kind]].filter(([, row]) => householdOf(kind, row) === household).map(([key]): Change => [kind, key, null]),
    )
  }

  /** The changes that make a kind exactly these rows. */
  replacing(kind: Kind, rows: ReadonlyMap<string, Row>): Change[] {
    const gone = [...this.tables[kind].keys()].filter((key) => !rows.has(key))
    return [...gone.map((key): Change => [kind, key, null]), ...[...rows].map(([key, row]): Change => [kind, key, row])]
  }

  apply(changes: readonly Change[]) {
    for (const [kind, key, row] of changes) {
      if (row) this.tables[kind].set(key, row as never)
      else this.tables[kind].delete(key)
    }
  }

  /** The kinds whose rows are not what the checkpoint says. */
  async differences(checkpoint: Checkpoint): Promise<Kind[]> {
    const differing: Kind[] = []
    for (const kind of kinds) {
      const wanted = checkpoint[kind]
      const rows = this.tables[kind]
      if (wanted && (wanted.count !== rows.size || wanted.digest !== (await digestOf(rows.values())))) differing.push(kind)
    }
    return differing
  }
}
