// A replica kept the slow and obvious way from the pages of sync, and what proves it equal to the server.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { keptOf } from '../../src/client/rows.ts'
import { withClient } from '../cluster.ts'
import { asRole } from '../database/app-role.ts'
import type { Djinn, Person, Reply } from '../harness.ts'

export type Row = { id: string; revision: number; householdId?: string; [field: string]: unknown }
export type Removed = { type: string; id: string; householdId: string }
export type Checkpoint = Record<string, { count: number; digest: string }>
export type Page = {
  changes: Record<string, Row[]>
  removed: Removed[]
  nextCursor: string
  hasMore: boolean
  checkpoint: Checkpoint | null
}
export type Query = { cursor?: string; limit?: number; kinds?: string }

export const kinds = ['households', 'accounts', 'categories', 'transactions', 'budgets', 'rules', 'bills', 'occurrences'] as const

export function syncPath(query: Query): string {
  const given = Object.entries(query).map(([name, value]) => [name, String(value)])
  return `/api/sync?${new URLSearchParams(Object.fromEntries(given)).toString()}`
}

export async function syncPage(person: Person, query: Query = {}, headers: Record<string, string> = {}): Promise<Page> {
  const { status, body, text } = await person.get(syncPath(query), headers)
  assert.equal(status, 200, text)
  return body as Page
}

/** The first 8 bytes of SHA-256 of "<id>:<revision>", combined by exclusive or. */
export function digestOf(rows: Iterable<Row>): { count: number; digest: string } {
  let count = 0
  let mixed = 0n
  for (const { id, revision } of rows) {
    mixed ^= createHash('sha256').update(`${id}:${revision}`).digest().readBigUInt64BE(0)
    count++
  }
  return { count, digest: mixed.toString(16).padStart(16, '0') }
}

export class Replica {
  readonly tables: Record<string, Map<string, Row>> = Object.fromEntries(kinds.map((kind) => [kind, new Map<string, Row>()]))
  /** Every upsert and removal that came, to find the doubled ones. */
  readonly told: string[] = []
  cursor: string | undefined

  rows(kind: string): Row[] {
    return [...this.tables[kind]!.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  apply(page: Page) {
    for (const { type, id, householdId } of page.removed) {
      this.told.push(`removed ${type} ${id}`)
      this.tables[type]!.delete(id)
      if (type !== 'households') continue
      for (const table of Object.values(this.tables)) {
        for (const row of table.values()) if (row.householdId === householdId) table.delete(row.id)
      }
    }
    for (const [kind, rows] of Object.entries(page.changes)) {
      for (const row of rows) {
        this.told.push(`${kind} ${row.id} ${row.revision}`)
        this.tables[kind]!.set(row.id, row)
      }
    }
    this.cursor = page.nextCursor
  }

  async page(person: Person, query: Query = {}, headers: Record<string, string> = {}): Promise<Page> {
    const page = await syncPage(person, { ...(this.cursor === undefined ? {} : { cursor: this.cursor }), ...query }, headers)
    this.apply(page)
    return page
  }

  /** Pages up to the server's state; `between` is called after each page but the last. */
  async pull(person: Person, options: { query?: Query; headers?: Record<string, string>; between?: () => Promise<unknown> } = {}) {
    const pages: Page[] = []
    for (;;) {
      const page = await this.page(person, options.query, options.headers)
      pages.push(page)
      assert.equal(page.checkpoint === null, page.hasMore, 'the checkpoint comes with the last page')
      if (!page.hasMore) break
      assert.ok(pages.length < 2_000, 'a walk comes to its end')
      await options.between?.()
    }
    this.assertProved(pages.at(-1)!)
    return pages
  }

  assertProved(page: Page) {
    const own = Object.fromEntries(kinds.map((kind) => [kind, digestOf(this.tables[kind]!.values())]))
    assert.deepEqual(own, page.checkpoint, 'the checkpoint is that of the replica')
  }

  assertNothingDoubled() {
    const doubled = this.told.filter((one, index) => this.told.indexOf(one) !== index)
    assert.deepEqual(doubled, [], 'told twice')
  }
}

/** What came, in short: ids by kind, and what was removed. */
export function brief(pages: readonly Page[]): Record<string, string[]> {
  const told: Record<string, string[]> = {}
  for (const page of pages) {
    for (const [kind, rows] of Object.entries(page.changes)) if (rows.length > 0) (told[kind] ??= []).push(...rows.map((row) => row.id))
    for (const { type, id } of page.removed) (told[`removed ${type}`] ??= []).push(id)
  }
  return Object.fromEntries(Object.entries(told).map(([name, ids]) => [name, ids.toSorted()]))
}

/** All rows of a list. */
export async function listAll(person: Person, path: string, household = person.householdId): Promise<Row[]> {
  const rows: Row[] = []
  let cursor: string | null = null
  do {
    const { status, body, text }: Reply = await person.get(`${path}?limit=100${cursor === null ? '' : `&cursor=${cursor}`}`, {
      'djinn-household': household,
    })
    assert.equal(status, 200, text)
    rows.push(...(body.data as Row[]))
    cursor = body.nextCursor as string | null
  } while (cursor !== null)
  return rows
}

/** Fails unless the replica is what the lists of all of the person's households say. */
export async function assertEqualsLists(replica: Replica, person: Person) {
  const households = (await person.get('/api/households')).body.data as Row[]
  const byId = (rows: Row[]) => rows.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  assert.deepEqual(replica.rows('households'), byId(households))
  for (const kind of kinds.slice(1)) {
    const lists: Row[] = []
    for (const { id } of households) {
      for (const row of await listAll(person, kind === 'occurrences' ? '/api/bills/occurrences' : `/api/${kind}`, id)) {
        lists.push({ householdId: id, ...(keptOf(kind, row) as Row) })
      }
    }
    assert.deepEqual(replica.rows(kind), byId(lists), kind)
  }
}

/** Waits until the work answers true: what one process tells another takes a moment. */
export async function until(what: string, work: () => Promise<boolean> | boolean) {
  const giveUpMs = performance.now() + 5_000
  while (!(await work())) {
    assert.ok(performance.now() < giveUpMs, `${what} within 5 s`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Starts a read of where households stand, and writes when it has taken its snapshot but not yet answered. */
export async function writeBehind<T>(djinn: Djinn, read: () => Promise<T>, write: () => Promise<unknown>): Promise<T> {
  const [{ definition }] = (await djinn.sql<{ definition: string }>(`select pg_get_functiondef('sync_vector'::regproc) as definition`)) as [
    { definition: string },
  ]
  await djinn.sql(definition.replace(/^begin$/m, 'begin perform pg_advisory_xact_lock_shared(1);'))
  try {
    return await withClient(djinn.adminUrl, async (client) => {
      await client.query('select pg_advisory_lock(1)')
      const reading = read()
      reading.catch(() => {})
      const waiting = `select from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())`
      await until('the read waits', async () => (await djinn.sql(waiting)).length > 0)
      await write()
      await client.query('select pg_advisory_unlock(1)')
      return await reading
    })
  } finally {
    await djinn.sql(definition)
  }
}

/** Members come and go by SQL as the service would send it; null removes one. */
export async function setRole(djinn: Djinn, household: string, user: string, role: 'owner' | 'editor' | 'viewer' | null) {
  await asRole(djinn, { household }, async (run) => {
    if (role === null) return await run('delete from memberships where household_id = $1 and user_id = $2', [household, user])
    return await run(
      `insert into memberships (household_id, user_id, role) values ($1, $2, $3)
      on conflict (household_id, user_id) do update set role = excluded.role`,
      [household, user, role],
    )
  })
}
