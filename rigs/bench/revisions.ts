// The choice of the cursor, proved: 8 writers in one household, and readers that follow a revision and a timestamp.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { openEmbedded } from '../../src/resources/embedded.ts'
import { migrate } from '../../src/resources/migrations.ts'
import { newId } from '../../src/values/id.ts'
import type { Figure } from './figure.ts'

const writers = 8
const rowsEach = 150
const readEveryMs = 2

export async function measureRevisions(): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'djinn-bench-'))
  const embedded = await openEmbedded({ dataDir })
  const pool = new pg.Pool({ connectionString: embedded.adminUrl, max: writers + 3 })
  try {
    await migrate(embedded.adminUrl)
    const one = await writeAll(pool, [await found(pool)])
    const many = await writeAll(pool, await Promise.all(Array.from({ length: writers }, () => found(pool))))
    return [
      { name: `writes in one household, ${writers} writers`, value: one.perSecond, unit: 'per second' },
      { name: `writes in ${writers} households, ${writers} writers`, value: many.perSecond, unit: 'per second' },
      { name: 'rows never seen by a reader that follows revisions', value: one.missedByRevision, unit: 'rows', target: 0 },
      { name: 'rows never seen by a reader that follows updated_at', value: one.missedByTime, unit: 'rows' },
    ]
  } finally {
    await pool.end()
    await embedded.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

type Home = { household: string; account: string }

async function inHousehold<T>(pool: pg.Pool, household: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query(`select set_config('djinn.household', $1, true), set_config('role', 'djinn_app', true)`, [household])
    const result = await work(client)
    await client.query('commit')
    return result
  } finally {
    client.release()
  }
}

async function found(pool: pg.Pool): Promise<Home> {
  const [household, account] = [newId(), newId()]
  await inHousehold(pool, household, async (client) => {
    // Deleted from the start: one in use needs an owner, and here nobody signs up.
    await client.query(`insert into households (household_id, name, base_currency, time_zone) values ($1, 'Bench', 'EUR', 'UTC')`, [
      household,
    ])
    await client.query('update households set deleted_at = now() where household_id = $1', [household])
    await client.query(`insert into accounts (household_id, id, name, kind, currency) values ($1, $2, 'Bench', 'cash', 'EUR')`, [
      household,
      account,
    ])
  })
  return { household, account }
}

async function writeAll(pool: pg.Pool, homes: Home[]) {
  const home = homes[0]!
  const seen = { revision: new Set<string>(), time: new Set<string>() }
  let [revision, time] = ['0', '-infinity']
  const read = async () =>
    await inHousehold(pool, home.household, async (client) => {
      const byRevision = await client.query<{ id: string; revision: string }>(
        'select id, revision from transactions where revision > $1 order by revision',
        [revision],
      )
      for (const row of byRevision.rows) {
        seen.revision.add(row.id)
        revision = row.revision
      }
      const byTime = await client.query<{ id: string; at: string }>(
        'select id, updated_at::text as at from transactions where updated_at > $1 order by updated_at',
        [time],
      )
      for (const row of byTime.rows) {
        seen.time.add(row.id)
        time = row.at
      }
    })
  let writing = true
  const reading = (async () => {
    while (writing) {
      await read()
      await new Promise((resolve) => setTimeout(resolve, readEveryMs))
    }
    await read()
  })()
  const startedMs = performance.now()
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const { household, account } = homes[writer % homes.length]!
      for (let row = 0; row < rowsEach; row++) {
        await inHousehold(pool, household, async (client) => {
          await client.query('select raise_revision($1)', [household])
          await client.query(
            `insert into transactions (household_id, id, account_id, currency, date, amount) values ($1, $2, $3, 'EUR', '2026-01-31', -1)`,
            [household, newId(), account],
          )
        })
      }
    }),
  )
  const seconds = (performance.now() - startedMs) / 1000
  writing = false
  await reading
  const written = (writers * rowsEach) / homes.length
  return {
    perSecond: (writers * rowsEach) / seconds,
    missedByRevision: written - seen.revision.size,
    missedByTime: written - seen.time.size,
  }
}
