// Sends the outbox: in order, up to 10 entries a request, each under its own key, and settles what the server says of each.
import { ApiError, type Api } from './api.ts'
import type { Entry, Outbox } from './outbox.ts'
import { keyOf, type Change, type Replica } from './replica.ts'
import { keptOf, transferOf, type Row, type Transaction } from './rows.ts'
import type { Storage } from './storage.ts'
import { movedAccounts } from './view.ts'

const entriesMax = 10

/** Others changed the same fields, or the row is gone. */
export type Conflict = {
  entry: Entry
  /** `changed`: the fields in `fields` were changed to something else; `gone`: the row was deleted. */
  reason: 'changed' | 'gone'
  fields: string[]
  /** The server's row, null when it is gone. */
  current: Record<string, unknown> | null
}
/** `mine` overwrites, `theirs` gives up the conflicting fields, an object is sent in place of both. */
export type Resolution = 'mine' | 'theirs' | Record<string, unknown>

export type DeliveryOptions = {
  api: Api
  storage: Storage
  outbox: Outbox
  replica: Replica
  newKey: () => string
  onConflict: (conflict: Conflict) => Resolution | Promise<Resolution>
  /** The server refuses an entry for good; it has been taken out of the outbox. */
  onRejected: (entry: Entry, problem: Record<string, unknown>) => void
}

/** The server asks to come back later. */
export class RetryLater extends Error {
  readonly afterMs: number
  constructor(afterMs: number) {
    super(`The server asks to try again in ${afterMs} ms.`)
    this.name = 'RetryLater'
    this.afterMs = afterMs
  }
}

type Result = { id: string; status: number; headers: Record<string, string>; body: unknown }

/** Sends until the outbox is empty. Throws OfflineError, ApiError or RetryLater and leaves what was not confirmed. */
export async function deliver(options: DeliveryOptions): Promise<void> {
  const { api, storage, outbox } = options
  let most = entriesMax
  while (outbox.size > 0) {
    const entries = outbox.next(most)
    for (const entry of entries) entry.sent = true
    // Kept as sent before it is: after a crash it must go out again unchanged.
    await storage.commit({ rows: [], meta: { outbox: outbox.entries } })
    const results = await send(api, entries)
    if (results === null) {
      most = 1
      continue
    }
    most = entriesMax
    let laterMs: number | null = null
    for (const [index, entry] of entries.entries()) {
      const result = results[index]!
      const waits = result.status === 429 || result.status >= 500 || codeOf(result) === 'idempotency-in-progress'
      // What failed behind a postponed entry may have failed for want of it.
      if (waits || (laterMs !== null && result.status >= 400)) {
        laterMs = Math.max(laterMs ?? 0, Number(result.headers['retry-after'] ?? 1) * 1000)
        continue
      }
      await settle(options, entry, result)
    }
    if (laterMs !== null) throw new RetryLater(laterMs)
  }
}

/** Null when the request as a whole was refused for what is in it: sent one by one, the others go through. */
async function send(api: Api, entries: readonly Entry[]): Promise<Result[] | null> {
  try {
    const { body } = await api.call('batch', { body: { operations: entries.map(stepOf) } })
    return body.results
  } catch (error) {
    if (!(error instanceof ApiError) || ![400, 413].includes(error.status)) throw error
    if (entries.length > 1) return null
    return [{ id: entries[0]!.key, status: error.status, headers: {}, body: error.problem }]
  }
}

function stepOf(entry: Entry) {
  const path = `/api/${entry.kind}`
  const base = { id: entry.key, headers: { 'Idempotency-Key': entry.key, 'Djinn-Household': entry.householdId } }
  const revision = entry.baseRevision === null ? {} : { baseRevision: entry.baseRevision }
  switch (entry.action) {
    case 'create':
      return { ...base, method: 'POST' as const, path, body: { id: entry.id, ...entry.body } }
    case 'update':
      return { ...base, method: 'PATCH' as const, path: `${path}/${entry.id}`, body: { ...entry.body, ...revision } }
    case 'delete':
      return { ...base, method: 'DELETE' as const, path: `${path}/${entry.id}` }
    case 'restore':
      return { ...base, method: 'POST' as const, path: `${path}/${entry.id}/restore` }
  }
}

async function settle(options: DeliveryOptions, entry: Entry, result: Result) {
  const { outbox } = options
  // Other codes of 404 are of a row that the entry names; the household's own absence points at its header.
  const gone = codeOf(result) === 'deleted' || (codeOf(result) === 'not-found' && !ofHousehold(result))
  if (result.status < 300 || (gone && entry.action === 'delete')) {
    await confirm(options, entry, result.status === 204 || gone ? null : (result.body as Record<string, unknown>))
    return
  }
  const problem = result.body as Record<string, unknown>
  if (entry.action === 'update' && (gone || codeOf(result) === 'conflict')) {
    const conflict: Conflict = {
      entry,
      reason: gone ? 'gone' : 'changed',
      fields: (problem['conflicts'] as string[] | undefined) ?? Object.keys(entry.body),
      current: (problem['current'] as Record<string, unknown> | undefined) ?? null,
    }
    const resolution = await options.onConflict(conflict)
    resolve(options, conflict, resolution)
  } else {
    outbox.remove(entry)
    options.onRejected(entry, problem)
  }
  await options.storage.commit({ rows: [], meta: { outbox: outbox.entries } })
}

/** Puts the user's decision in place of the entry, under a new key. */
function resolve({ outbox, newKey }: DeliveryOptions, { entry, fields, current, reason }: Conflict, resolution: Resolution) {
  if (reason === 'gone') {
    outbox.remove(entry)
    return
  }
  const rest = Object.fromEntries(Object.entries(entry.body).filter(([field]) => !fields.includes(field)))
  const body = resolution === 'mine' ? entry.body : resolution === 'theirs' ? rest : resolution
  if (Object.keys(body).length === 0) {
    outbox.remove(entry)
    return
  }
  Object.assign(entry, { body, key: newKey(), baseRevision: Number(current!['revision']), sent: false })
}

/** Takes an entry out and its answer in, in one commit. */
async function confirm(options: DeliveryOptions, entry: Entry, answer: Record<string, unknown> | null) {
  const { outbox, replica, storage } = options
  const rows = answer ? upsertsOf(replica, entry, answer) : removalsOf(entry)
  const changes = [...rows, ...movedAccounts(replica.tables, rows)]
  if (answer && 'revision' in answer) {
    const fields = entry.kind === 'transfers' ? transferOf(answer['from'] as Transaction, answer['to'] as Transaction) : {}
    outbox.rebase(entry, { ...answer, ...fields, revision: Number(answer['revision']) })
  }
  outbox.remove(entry)
  replica.apply(changes)
  await storage.commit({ rows: changes, meta: { outbox: outbox.entries } })
}

function upsertsOf(replica: Replica, entry: Entry, answer: Record<string, unknown>): Change[] {
  const own = (row: unknown) => ({ ...(row as Row), householdId: entry.householdId }) as Transaction
  if (entry.kind === 'transfers') return replica.changesOf({ transactions: [own(answer['from']), own(answer['to'])] }, [])
  return replica.changesOf({ [entry.kind]: [own(keptOf(entry.kind, answer))] }, [])
}

function removalsOf(entry: Entry): Change[] {
  if (entry.kind !== 'transfers') return [[entry.kind, keyOf(entry.householdId, entry.id), null]]
  return Object.values(entry.legs ?? {}).map((leg): Change => ['transactions', keyOf(entry.householdId, leg), null])
}

function ofHousehold(result: Result): boolean {
  const { errors = [] } = result.body as { errors?: { pointer: string }[] }
  return errors.some((error) => error.pointer === 'Djinn-Household:')
}

function codeOf(result: Result): string {
  return result.status >= 400 ? String((result.body as Record<string, unknown> | null)?.['code'] ?? '') : ''
}
