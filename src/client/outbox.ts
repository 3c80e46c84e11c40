// The outbox: what the user did and the server has not confirmed. An entry is kept until it was answered, and is sent with its
// own Idempotency-Key, so that a lost answer can be asked for again.
import type { Kind } from './rows.ts'

export type Entry = {
  /** Idempotency-Key; a new one whenever what is sent changes. */
  key: string
  kind: Exclude<Kind, 'households' | 'occurrences'> | 'transfers'
  action: 'create' | 'update' | 'delete' | 'restore'
  id: string
  householdId: string
  /** The draft of a create, the changed fields of an update. */
  body: Record<string, unknown>
  /** The row's revision when an update was made; null while the row is only ours. */
  baseRevision: number | null
  /** What the user saw in the changed fields when changing them. */
  seen: Record<string, unknown>
  /** The transactions that a transfer is made of. */
  legs?: { from: string; to: string }
  /** Once it was sent it must not change under its key. */
  sent: boolean
}

export class Outbox {
  readonly entries: Entry[]

  constructor(entries: readonly Entry[] = []) {
    this.entries = [...entries]
  }

  get size(): number {
    return this.entries.length
  }

  /** Adds what the user did; what was never sent is changed in place instead of being sent twice. */
  add(entry: Entry) {
    const unsent = this.entries.findLast((one) => one.id === entry.id && one.kind === entry.kind)
    const between = this.entries.slice(unsent ? this.entries.indexOf(unsent) + 1 : 0)
    // In place of the older write it would be sent before the rows that it names, which were made in between.
    const early = between.some((one) => one.action !== 'update' && JSON.stringify(entry.body).includes(one.id))
    if (unsent && !unsent.sent && !early && entry.action === 'update' && (unsent.action === 'create' || unsent.action === 'update')) {
      unsent.body = { ...unsent.body, ...entry.body }
      unsent.seen = { ...entry.seen, ...unsent.seen }
      return
    }
    const needed = between.some((one) => JSON.stringify(one.body).includes(entry.id))
    if (unsent && !unsent.sent && !needed && entry.action === 'delete' && unsent.action === 'create') {
      this.entries.splice(this.entries.indexOf(unsent), 1)
      return
    }
    if (unsent && !unsent.sent && entry.action === 'delete' && unsent.action === 'update') {
      this.entries.splice(this.entries.indexOf(unsent), 1)
    }
    this.entries.push(entry)
  }

  /** The next entries to send together: in order, each row once, since the second write of a row depends on the first's answer. */
  next(most: number): Entry[] {
    const rows = new Set<string>()
    const chosen: Entry[] = []
    for (const entry of this.entries) {
      if (chosen.length === most || rows.has(entry.id)) break
      rows.add(entry.id)
      chosen.push(entry)
    }
    return chosen
  }

  remove(entry: Entry) {
    const index = this.entries.indexOf(entry)
    if (index !== -1) this.entries.splice(index, 1)
  }

  /**
   * After an entry was confirmed: what waits for the same row was made on top of it. It goes on from the new revision when the
   * row has in its fields what the user saw; else from the old one, and the server finds the conflict.
   */
  rebase(confirmed: Entry, row: { revision: number } & Record<string, unknown>) {
    for (const entry of this.entries) {
      if (entry === confirmed || entry.id !== confirmed.id || entry.kind !== confirmed.kind || entry.action !== 'update' || entry.sent)
        continue
      const asSeen = Object.entries(entry.seen).every(([field, value]) => same(row[field], value))
      if (asSeen || entry.baseRevision === null) entry.baseRevision = row.revision
    }
  }
}

export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null)
}
