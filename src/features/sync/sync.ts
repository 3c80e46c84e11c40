// One answer of a sync: a page of what changed since the cursor, towards a bound that its first page fixed.
import { limits } from '../../values/limits.ts'
import { namesTag, variantOf } from '../../http/conditional.ts'
import { varyOnNetwork } from '../../http/negotiate.ts'
import type { Answer, Context } from '../../http/operation.ts'
import type { RowStatements } from '../../resources/rows.ts'
import type { Read } from '../../resources/reads.ts'
import { combine, type Digests } from './checkpoint.ts'
import { readHousehold, readVector } from './store.ts'
import { checkFresh, lastId, lostHouseholds, sameVector, vectorOf, type Position, type SyncState, type Vector } from './vector.ts'

/** A kind of row that replicas hold, named as in the answer; earlier kinds come first. */
export type Kind = { name: string; rows: RowStatements }
export type SyncNeeds = { kinds: readonly Kind[]; epoch: string }

const householdKind = 'households'

/** What a page has gathered, bounded in rows and bytes. */
class Page {
  readonly changes: Record<string, string[]>
  readonly removed: { type: string; id: string; householdId: string }[] = []
  #room: number
  #bytes: number

  constructor(kinds: readonly string[], rowsMax: number, bytesMax: number) {
    this.changes = Object.fromEntries(kinds.map((kind) => [kind, []]))
    this.#room = rowsMax
    this.#bytes = bytesMax
  }

  get room() {
    return this.#room
  }

  /** Takes a row unless the page is full; the first is always taken, so that every page gets on. */
  take(kind: string, text: string): boolean {
    const bytes = Buffer.byteLength(text)
    if (this.#room === 0 || (bytes > this.#bytes && this.#taken)) return false
    this.changes[kind]!.push(text)
    this.#count(bytes)
    return true
  }

  remove(kind: string, id: string, householdId: string): boolean {
    if (this.#room === 0) return false
    this.removed.push({ type: kind, id, householdId })
    this.#count(140)
    return true
  }

  #taken = false
  #count(bytes: number) {
    this.#taken = true
    this.#room--
    this.#bytes -= bytes
  }
}

export type SyncQuery = { cursor?: string | undefined; limit?: number | undefined; kinds?: string[] | undefined }

export async function syncPage(needs: SyncNeeds, context: Context, query: SyncQuery): Promise<Answer> {
  const user = context.principal!.userId
  const binding = `sync ${user}`
  const state: SyncState =
    query.cursor === undefined
      ? { epoch: needs.epoch, have: {}, ...(query.kinds ? { kinds: query.kinds } : {}) }
      : (JSON.parse(String(context.cursors.decode(binding, query.cursor)[0])) as SyncState)
  const tagOf = (vector: Vector) => `"${variantOf('sync', user, needs.epoch, JSON.stringify(vector))}"`
  if (await nothingNew(context, state, tagOf(state.have))) return { status: 304, headers: { etag: tagOf(state.have) } }
  const standings = await context.db.run(readVector, {})
  checkFresh(state, needs.epoch, standings)
  const now = vectorOf(standings)
  const kinds = [householdKind, ...needs.kinds.map((kind) => kind.name)].filter((name) => !state.kinds || state.kinds.includes(name))

  const slow = context.call.network === 'slow'
  const rowsMax = query.limit ?? (slow ? limits.syncRowsSlow : limits.syncRowsMax)
  const page = new Page(kinds, rowsMax, slow ? limits.syncBytesSlow : limits.syncBytesMax)
  // A household that was lost is told of once and leaves the bound: should it be gained again, the next round brings all of it.
  for (const household of lostHouseholds(state.to ?? state.have, now))
    page.removed.push({ type: householdKind, id: household, householdId: household })
  const to = Object.fromEntries(Object.entries(state.to ?? now).filter(([household]) => Object.hasOwn(now, household)))

  const walk = await walkHouseholds(needs, context, { state, to, kinds, page })
  const next: SyncState = walk.at
    ? { ...state, to, at: walk.at }
    : { epoch: needs.epoch, have: to, ...(state.kinds ? { kinds: state.kinds } : {}) }
  // Whoever wrote meanwhile made the digests newer than the page: one more round brings both together.
  const complete = !walk.at && sameVector(to, now) && walk.unmoved
  const digests = standings.map((standing) => standing.digests as Digests)
  const body = [
    `{"changes":{${kinds.map((kind) => `${JSON.stringify(kind)}:[${page.changes[kind]!.join(',')}]`).join(',')}}`,
    `"removed":${JSON.stringify(page.removed)}`,
    `"nextCursor":${JSON.stringify(context.cursors.encode(binding, [JSON.stringify(next)]))}`,
    `"hasMore":${String(!complete)}`,
    `"checkpoint":${complete ? JSON.stringify(combine(kinds, digests)) : 'null'}}`,
  ]
  return {
    bytes: { content: body.join(','), mediaType: 'application/json; charset=utf-8' },
    headers: { vary: varyOnNetwork, 'djinn-quality': 'full', ...(complete ? { etag: tagOf(to) } : {}) },
  }
}

/** Whether a conditional request is up to date: one statement for the revisions of the households that the session knows of. */
async function nothingNew(context: Context, state: SyncState, tag: string): Promise<boolean> {
  const households = [...context.principal!.memberships.keys()]
  if (state.to || !namesTag(context.ifNoneMatch, tag) || households.length !== Object.keys(state.have).length) return false
  const revisions = await context.database.revisions(households)
  return households.every((household) => revisions.get(household) !== undefined && revisions.get(household) === state.have[household])
}

type Walk = { state: SyncState; to: Vector; kinds: readonly string[]; page: Page }

/** Goes on where the last page ended; `at` is where this one did, unless it came to the end. */
async function walkHouseholds(needs: SyncNeeds, context: Context, walk: Walk): Promise<{ at?: Position; unmoved: boolean }> {
  const { state, to, page } = walk
  let unmoved = true
  const households = Object.keys(to)
    .filter((household) => state.have[household] !== to[household])
    .toSorted()
  for (const household of households) {
    if (state.at && household < state.at.household) continue
    const from = state.at?.household === household ? state.at : undefined
    const read = await walkHousehold(needs, context, walk, household, from)
    if (read.revision !== to[household]) unmoved = false
    if (read.at) return { at: read.at, unmoved }
    if (page.room === 0 && household !== households.at(-1)) {
      return { at: { household, kind: needs.kinds.length + 1, revision: to[household]!, id: lastId }, unmoved }
    }
  }
  return { unmoved }
}

async function walkHousehold(needs: SyncNeeds, context: Context, walk: Walk, household: string, from: Position | undefined) {
  const { state, to, kinds, page } = walk
  const have = state.have[household]
  const first = from?.kind ?? 0
  const wanted = needs.kinds
    .map((kind, index) => ({ ...kind, index: index + 1 }))
    .filter((kind) => kinds.includes(kind.name) && kind.index >= first)
  const rows = page.room + 1
  const reads: Read[] = wanted.map((kind) => ({
    statement: kind.rows.changed as never,
    parameters: {
      household,
      after: from?.kind === kind.index ? from.revision : (have ?? 0),
      afterId: from?.kind === kind.index ? from.id : lastId,
      to: to[household]!,
      tombstones: have !== undefined,
      rows,
    },
  }))
  const withHousehold = first === 0 && kinds.includes(householdKind)
  if (withHousehold) reads.push({ statement: readHousehold, parameters: { household, user: context.principal!.userId } })
  const { revision, results } = await context.reads.readTogether({ ...context.scope, household }, reads, {
    snapshot: true,
    // Whoever answers has all that the bound takes in; what is later is told of in the next round.
    atLeast: to[household]!,
  })
  if (withHousehold) {
    const [row] = results.pop() as { id: string; revision: number }[]
    const told = row && row.revision > (have ?? -1) && row.revision <= to[household]!
    if (told && !page.take(householdKind, JSON.stringify(row))) {
      return { revision, at: { household, kind: 0, revision: 0, id: lastId } }
    }
  }
  for (const [index, kind] of wanted.entries()) {
    let last: Position = {
      household,
      kind: kind.index,
      revision: reads[index]!.parameters['after' as never],
      id: reads[index]!.parameters['afterId' as never],
    }
    for (const { gone, ...row } of results[index] as { gone: boolean; id: string; revision: number }[]) {
      const taken = gone
        ? page.remove(kind.name, row.id, household)
        : page.take(kind.name, `{"householdId":"${household}",${JSON.stringify(row).slice(1)}`)
      if (!taken) return { revision, at: last }
      last = { household, kind: kind.index, revision: row.revision, id: row.id }
    }
  }
  return { revision, at: undefined }
}
