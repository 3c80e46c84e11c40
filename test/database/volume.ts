// A database as it looks after a while: many households of which one is large, every table with rows of most of them, and statistics.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import { openProgress } from '../../src/app/seeding/progress.ts'
import { writeSessions } from '../../src/app/seeding/sessions-file.ts'
import { writeBatch } from '../../src/app/seeding/write-batch.ts'
import { hashPassword } from '../../src/features/identity/hashing.ts'
import { withClient } from '../cluster.ts'
import { makePerson, type Djinn, type Person } from '../harness.ts'

const seed = 1
/** So many that nothing is read faster from end to end. */
const households = 1_000
const rowsOfMost = 10
/** Somewhere among the others. */
const large = 650
export const rowsOfLarge = 5_000
export const password = 'a field full of seeds'

/** Answers the owner of the large household. */
export async function fillVolume(djinn: Djinn): Promise<Person> {
  const folder = mkdtempSync(join(tmpdir(), 'djinn-volume-'))
  try {
    return await withClient(djinn.adminUrl, async (client) => {
      await openProgress(client)
      const sizes = new Int32Array(households).fill(rowsOfMost)
      sizes[large] = rowsOfLarge
      const facts = { seed, atMs: Date.now(), passwordHash: await hashPassword(password) }
      for (let from = 0; from < households; from += 200) {
        const rows = sizes.subarray(from, from + 200).reduce((sum, size) => sum + size, 0)
        await writeBatch(client, facts, { number: from / 200, from, to: from + 200, rows }, sizes)
      }
      const file = join(folder, 'sessions.jsonl')
      await writeSessions(client, { file, seed, users: households, hours: 1 })
      const line = readFileSync(file, 'utf8').trim().split('\n')[large]!
      const known = JSON.parse(line) as Pick<Person, 'accessToken' | 'userId' | 'householdId'>
      return makePerson(djinn.call, { ...known, email: `user${large + 1}@seed.example`, password, refreshToken: '' })
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Gives every household and every user what this one has in tables that the seed leaves empty. Says which are empty still. */
export async function spread(djinn: Djinn, from: Person): Promise<string[]> {
  return await withClient(djinn.adminUrl, async (client) => {
    await client.query('set session_replication_role = replica')
    const { rows: tables } = await client.query<{ name: string; key: string; columns: string; unique: Record<string, string> }>(`
      select c.relname as name, min(a.attname) filter (where a.attname in ('household_id', 'user_id')) as key,
        string_agg(quote_ident(a.attname), ', ') filter (where a.attgenerated = '') as columns,
        coalesce(jsonb_object_agg(a.attname, a.atttypid::regtype::text) filter (where a.attname in ('session_id', 'key_id') or exists (
          select from pg_index i where i.indrelid = c.oid and i.indisunique and i.indnkeyatts = 1 and i.indkey[0] = a.attnum)), '{}') as unique
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
      group by 1, c.oid having bool_or(a.attname in ('household_id', 'user_id')) order by 1`)
    for (const { name, key, columns, unique } of tables) {
      if (await isSpread(client, name, key)) continue
      const changed = Object.entries(unique)
        .filter(([column]) => !['household_id', 'user_id'].includes(column))
        .map(([column, type]) => `'${column}', ${type === 'bytea' ? `'\\x' || md5(gen_random_uuid()::text)` : 'gen_random_uuid()'}`)
      await client.query(
        `insert into ${name} (${columns}) select ${columns} from (
           select (jsonb_populate_record(null::${name}, to_jsonb(r)
             || jsonb_build_object(${["'household_id', m.household_id, 'user_id', m.user_id", ...changed].join(', ')}))).*
           from ${name} r cross join memberships m
           where r.${key} = $1 and m.role = 'owner' and m.${key} <> $1) x`,
        [key === 'household_id' ? from.householdId : from.userId],
      )
    }
    await client.query('reset session_replication_role')
    await client.query('vacuum analyze')
    const empty: string[] = []
    for (const { name, key } of tables) if (!(await isSpread(client, name, key))) empty.push(name)
    return empty
  })
}

/** Whether others have rows of it: of transfers and splits, the seed gives to some. */
async function isSpread(client: pg.Client, table: string, key: string): Promise<boolean> {
  const { rows } = await client.query<{ spread: boolean }>(`select count(distinct ${key}) > 1 as spread from ${table}`)
  return rows[0]!.spread
}
