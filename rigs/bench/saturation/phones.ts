// The phones that call: seeded users with what their requests name, and the entity tags that they have kept.
import { Cursors } from '../../../src/http/page.ts'
import type { SyncState } from '../../../src/features/sync/vector.ts'
import { asOwner, type World } from './world.ts'

export const pageRows = 20
export const createPath = '/api/transactions'
export const listPath = `${createPath}?limit=${pageRows}`
const rowsEach = 10
/** Every so manyeth only writes: what the others have kept stays as it is. */
const writerEvery = 5
const callsAtOnce = 8

export type Phone = {
  accessToken: string
  userId: string
  sessionId: string
  householdId: string
  accountId: string
  categoryId: string
  /** Some of its transactions. */
  rows: string[]
  revision: number
  headers: Record<string, string>
}
export type Reader = Phone & { listTag: string; syncPath: string; syncTag: string }
export type Phones = { readers: Reader[]; writers: Phone[] }

/** Users of one household with a full page of transactions. */
const find = `
  select m.user_id as "userId", m.household_id as "householdId", s.id as "sessionId", a.id as "accountId", c.id as "categoryId",
    r.revision::float8 as revision, t.ids as rows
  from memberships m
  join sessions s on s.user_id = m.user_id
  join revisions r on r.household_id = m.household_id
  cross join lateral (select id from accounts where household_id = m.household_id and closed_at is null and deleted_at is null order by id limit 1) a
  cross join lateral (select id from categories where household_id = m.household_id and kind = 'expense' and deleted_at is null order by id limit 1) c
  cross join lateral (
    select array_agg(id::text) as ids from (
      select id from transactions where household_id = m.household_id and deleted_at is null order by hashtextextended(id::text, 0) limit ${rowsEach}) few
  ) t
  where m.role = 'owner' and (select count(*) from memberships o where o.user_id = m.user_id) = 1
    and (select count(*) from (select from transactions where household_id = m.household_id and deleted_at is null limit ${pageRows + 1}) page) = ${pageRows + 1}
  order by hashtextextended(m.user_id::text, 0)`

export async function findPhones(world: World): Promise<Phones> {
  const { found, secrets } = await asOwner(world, async (client) => ({
    found: (await client.query<Omit<Phone, 'accessToken' | 'headers'>>(find)).rows,
    secrets: (await client.query<{ secret: Buffer; epoch: string }>('select cursor_secret as secret, epoch from installation')).rows,
  }))
  const { secret, epoch } = secrets[0]!
  const cursors = new Cursors(secret)
  const tokens = new Map(world.tokens.map(({ userId, accessToken }) => [userId, accessToken]))
  const all = found.map((phone): Phone => {
    const accessToken = tokens.get(phone.userId)!
    const headers = {
      accept: 'application/json',
      'accept-encoding': 'gzip',
      'user-agent': 'Djinn/1.0 (phone)',
      authorization: `Bearer ${accessToken}`,
      'djinn-household': phone.householdId,
    }
    return { ...phone, accessToken, headers }
  })
  const writers = all.filter((_, index) => index % writerEvery === 0)
  const waiting = all.filter((_, index) => index % writerEvery !== 0)
  const readers: Reader[] = []
  const get = async (path: string, phone: Phone) => {
    const answer = await fetch(world.url + path, { headers: phone.headers })
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return { tag: answer.headers.get('etag')!, body: (await answer.json()) as { data?: unknown[]; hasMore?: boolean } }
  }
  let next = 0
  const keep = async () => {
    for (let phone = waiting[next++]; phone; phone = waiting[next++]) {
      const list = await get(listPath, phone)
      if (list.body.data?.length !== pageRows) throw new Error(`a list of ${list.body.data?.length}`)
      // The cursor of a replica that has all, as it would be after walking there.
      const state: SyncState = { epoch, have: { [phone.householdId]: phone.revision } }
      const syncPath = `/api/sync?cursor=${cursors.encode(`sync ${phone.userId}`, [JSON.stringify(state)])}`
      const sync = await get(syncPath, phone)
      if (sync.body.hasMore !== false || !sync.tag) throw new Error('a cursor that is not up to date')
      readers.push({ ...phone, listTag: list.tag, syncPath, syncTag: sync.tag })
    }
  }
  const know = async () => {
    for (let phone = writers[next++]; phone; phone = writers[next++]) await get(listPath, phone)
  }
  await Promise.all(Array.from({ length: callsAtOnce }, keep))
  next = 0
  await Promise.all(Array.from({ length: callsAtOnce }, know))
  return { readers, writers }
}
