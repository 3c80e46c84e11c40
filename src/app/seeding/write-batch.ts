// Writes a batch of households in one transaction: rows by COPY, the trail and the revisions from them.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { dayOf } from '../../values/day.ts'
import { makeHousehold } from './history.ts'
import { onlyId } from './ids.ts'
import { personOf } from './people.ts'
import type { Batch } from './sizes.ts'
import { Tables, type Facts } from './tables.ts'

export type Written = { transactions: number; rows: number }
const chunkBytes = 256 * 1024

export function makeTables(facts: Facts, batch: Batch, sizes: Int32Array): Tables {
  const tables = new Tables(facts)
  const todayOf = (zone: string) => Date.parse(dayOf(facts.atMs, zone)) / 86_400_000
  for (let number = batch.from; number < batch.to; number++) {
    tables.addPerson(personOf(facts.seed, number, batch))
    tables.addHousehold(makeHousehold(facts.seed, number, sizes[number]!, todayOf))
  }
  return tables
}

/** Undefined when another process has written the batch meanwhile. */
export async function writeBatch(client: pg.Client, facts: Facts, batch: Batch, sizes: Int32Array): Promise<Written | undefined> {
  const tables = makeTables(facts, batch, sizes).all()
  await client.query('begin')
  try {
    // Foreign keys and triggers stay out: what they would do is done here, what they would refuse does not occur.
    await client.query('set local session_replication_role = replica')
    // A batch that a crash of the server takes back is not in seed.batches either.
    await client.query('set local synchronous_commit = off')
    const { rowCount } = await client.query(
      'insert into seed.batches (seed, number, transactions) values ($1, $2, $3) on conflict do nothing',
      [facts.seed, batch.number, batch.rows],
    )
    if (rowCount === 0) {
      await client.query('rollback')
      return undefined
    }
    for (const table of tables) if (table.rows > 0) await copy(client, table.into, table.end())
    await client.query(journalHouseholds, [onlyId(facts.seed, batch.from, 'household'), onlyId(facts.seed, batch.to - 1, 'household')])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  }
  return { transactions: batch.rows, rows: tables.reduce((sum, table) => sum + table.rows, 0) + 2 * (batch.to - batch.from) }
}

async function copy(client: pg.Client, into: string, bytes: Buffer) {
  const chunks = function* () {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
  }
  await pipeline(Readable.from(chunks()), client.query(copyFrom(`copy ${into} from stdin (format binary)`)))
}

/** One entry a household, the first of its chain; its head is the revision's. */
const journalHouseholds = `
  with drafts as (
    select row (h.household_id, 1, 1, 'household', h.household_id, 'create', c.changes, s.salt, digest_of_changes(s.salt, c.changes),
      m.user_id, null, 'seed', h.created_at, '\\x', null)::journal as e
    from households h
    join memberships m on m.household_id = h.household_id and m.role = 'owner'
    cross join lateral (select jsonb_strip_nulls(told_columns(to_jsonb(h))) as changes) c
    cross join lateral (select decode(replace(gen_random_uuid()::text, '-', ''), 'hex') as salt where h.revision = 1) s
    where h.household_id between $1 and $2
  ), written as (
    insert into journal
    select (d.e).household_id, (d.e).number, (d.e).revision, (d.e).kind, (d.e).entity_id, (d.e).operation, (d.e).changes, (d.e).salt,
      (d.e).changes_digest, (d.e).actor_id, (d.e).device_id, (d.e).request_id, (d.e).at, (d.e).previous_hash,
      sha256((d.e).previous_hash || entry_content(d.e))
    from drafts d
    returning household_id, hash, at
  )
  insert into revisions (household_id, revision, raised_at, entries, head) select household_id, 1, at, 1, hash from written`
