// Runs migrations/*.sql in order, once each, forward only.
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { installQueueTables, queueMigration } from './queue-schema.ts'

const folder = fileURLToPath(new URL('../../migrations/', import.meta.url))
const lockKey = 5_211_977

export type Migration = { name: string; text: string; checksum: string }

/** The migrations that ship with this version, in their order; the job queue's own schema comes last. */
export function listMigrations(from = folder): Migration[] {
  const ours = readdirSync(from)
    .filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name))
    .toSorted()
    .map((name) => {
      const text = readFileSync(join(from, name), 'utf8')
      return { name, text, checksum: createHash('sha256').update(text).digest('hex') }
    })
  return [...ours, queueMigration]
}

/** Brings the database to this version and answers the names of what ran. Several processes may call it at once. */
export async function migrate(url: string, options: { from?: string; dryRun?: boolean; withoutIndexes?: boolean } = {}): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'djinn migrate' })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [lockKey])
    await requireVersion(client)
    const {
      rows: [there],
    } = await client.query<{ there: boolean }>(`select to_regclass('migrations') is not null as there`)
    // Asked first: a login without DDL may start on a database that is at this version already.
    if (!there!.there && !options.dryRun) {
      await client.query(
        'create table migrations (name text primary key, checksum text not null, ran_at timestamptz not null default now())',
      )
      await client.query('grant select on migrations to public')
    }
    const ran =
      there!.there || !options.dryRun ? (await client.query<Omit<Migration, 'text'>>('select name, checksum from migrations')).rows : []
    const done = new Map(ran.map((row) => [row.name, row.checksum]))
    const pending: Migration[] = []
    for (const migration of listMigrations(options.from)) {
      const checksum = done.get(migration.name)
      if (checksum === undefined) pending.push(migration)
      else if (checksum !== migration.checksum) {
        throw new Error(`${migration.name} was edited after it ran; write a new migration instead`)
      }
    }
    if (!options.withoutIndexes) await refuseWithoutIndexes(client)
    if (!options.dryRun) {
      for (const migration of pending) {
        if (migration === queueMigration) await installQueueTables(url)
        await runOne(client, migration)
      }
    }
    return pending.map((migration) => migration.name)
  } finally {
    // Ending the session also frees the lock.
    await client.end()
  }
}

/** The same for what reads a database without migrating it. */
export async function refuseMissingIndexes(url: string) {
  const client = new pg.Client({ connectionString: url, application_name: 'djinn' })
  await client.connect()
  try {
    await refuseWithoutIndexes(client)
  } finally {
    await client.end()
  }
}

/** A seed that was cut off may have left the database without indexes; nothing is to start slow without a word. */
async function refuseWithoutIndexes(client: pg.Client) {
  const { rows } = await client.query<{ kept: boolean }>(`select to_regclass('seed.indexes') is not null as kept`)
  if (!rows[0]!.kept) return
  const { rowCount } = await client.query('select from seed.indexes')
  if (rowCount! > 0) {
    throw new Error(`djinn seed has taken ${rowCount} indexes away and not put them back yet; if it is not running, run it again to go on`)
  }
}

async function requireVersion(client: pg.Client) {
  const version = Number((await client.query<{ server_version_num: string }>('show server_version_num')).rows[0]!.server_version_num)
  if (version < 160_000) throw new Error(`PostgreSQL 16 or newer is needed; this is ${Math.floor(version / 10_000)}`)
}

async function runOne(client: pg.Client, migration: Migration) {
  const inTransaction = !/^-- no transaction$/m.test(migration.text.split('\n')[1] ?? '')
  try {
    if (inTransaction) await client.query('begin')
    await client.query(migration.text)
    await client.query('insert into migrations (name, checksum) values ($1, $2)', [migration.name, migration.checksum])
    if (inTransaction) await client.query('commit')
  } catch (error) {
    if (inTransaction) await client.query('rollback').catch(() => {})
    const place =
      error instanceof pg.DatabaseError && error.position
        ? ` near "${migration.text.slice(Number(error.position) - 1, Number(error.position) + 60).split('\n')[0]}"`
        : ''
    throw new Error(`${migration.name} failed${place}: ${(error as Error).message}`, { cause: error })
  }
}
