// Pulls what changed: page after page up to the server's state, proves the copy by the checkpoint, and repairs what differs.
import { ApiError, type Api } from './api.ts'
import { Replica, keyOf, type Change, type Checkpoint, type Removed } from './replica.ts'
import { householdOf, type Kind, type Row } from './rows.ts'
import type { Meta, Storage } from './storage.ts'

type Page = {
  changes: Partial<Record<Kind, Row[]>>
  removed: Removed[]
  nextCursor: string
  hasMore: boolean
  checkpoint: Checkpoint | null
}

export type PullOptions = { api: Api; storage: Storage; replica: Replica; meta: Meta; onLost: (householdId: string) => Promise<void> }
/** `changed` says whether anything came; `repaired` are kinds that had to be fetched anew. */
export type Pulled = { changed: boolean; repaired: Kind[] }

export async function pull(options: PullOptions): Promise<Pulled> {
  const { api, storage, replica, meta, onLost } = options
  let changed = false
  for (;;) {
    let page: Page | null
    try {
      page = await fetchPage(api, meta)
    } catch (error) {
      const refused = error instanceof ApiError && ['cursor-expired', 'invalid-cursor'].includes(error.code)
      if (!refused || meta.cursor === null) throw error
      // Rows that were deleted meanwhile are found by the checkpoint at the end of the new walk.
      Object.assign(meta, { cursor: null, etag: null })
      await storage.commit({ rows: [], meta: { cursor: null, etag: null } })
      continue
    }
    if (page === null) return { changed, repaired: [] }
    const changes = replica.changesOf(page.changes, page.removed)
    replica.apply(changes)
    Object.assign(meta, { cursor: page.nextCursor, checkpoint: page.checkpoint })
    await storage.commit({ rows: changes, meta: { cursor: meta.cursor, etag: meta.etag, checkpoint: meta.checkpoint } })
    for (const { type, id } of page.removed) if (type === 'households') await onLost(id)
    changed ||= changes.length > 0
    if (page.hasMore) continue
    const repaired = page.checkpoint ? await replica.differences(page.checkpoint) : []
    if (repaired.length > 0) await repair(options, repaired)
    return { changed: changed || repaired.length > 0, repaired }
  }
}

async function fetchPage(api: Api, meta: Meta): Promise<Page | null> {
  const { status, headers, body } = await api.call('sync', {
    query: meta.cursor === null ? {} : { cursor: meta.cursor },
    headers: meta.etag === null ? {} : { 'if-none-match': meta.etag },
  })
  if (status === 304) return null
  meta.etag = headers.get('etag')
  return body as unknown as Page
}

/** Fetches kinds anew and puts them in place at once, when all of it is there. */
async function repair({ api, storage, replica }: PullOptions, wanted: readonly Kind[]) {
  const fresh = new Replica()
  let cursor: string | undefined
  for (;;) {
    const { body } = await api.call('sync', { query: cursor === undefined ? { kinds: wanted.join(',') } : { cursor } })
    const page = body as unknown as Page
    fresh.apply(fresh.changesOf(page.changes, page.removed))
    cursor = page.nextCursor
    if (!page.hasMore) break
  }
  const changes = wanted.flatMap((kind): Change[] => {
    const rows = new Map<string, Row>()
    for (const row of fresh.tables[kind].values()) rows.set(keyOf(householdOf(kind, row), row.id), row)
    return replica.replacing(kind, rows)
  })
  replica.apply(changes)
  await storage.commit({ rows: changes })
}
