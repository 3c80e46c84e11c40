// The indexes that a large seed takes away and puts back: kept in seed.indexes by the transaction that drops them, so that a crash forgets none.
import type pg from 'pg'

const tables = [
  'accounts',
  'categories',
  'transfers',
  'transactions',
  'splits',
  'category_totals',
  'balance_changes',
  'journal',
  'memberships',
]
const names = tables.map((table) => `'public.${table}'::regclass`).join(', ')

/** From so many transactions on, an index is made faster from all rows than row by row. */
export const rebuildFrom = 1_000_000

/** Of rows that a seed does not make, or makes few of: such an index costs less while it is there than to be made again. */
const ofFewRows = '(external_id|source_account_id|import_id|transfer_id|parent_id) IS NOT NULL|deleted_at IS NOT NULL'

/** Takes away the indexes that are of no constraint and of most rows. */
export async function takeIndexes(client: pg.Client) {
  await client.query('begin')
  try {
    const { rows } = await client.query<{ index: string }>(`
      with taken as (
        select i.indexrelid, i.indexrelid::regclass::text as index, pg_get_indexdef(i.indexrelid) as definition
        from pg_index i where i.indrelid in (${names}) and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
          and coalesce(pg_get_expr(i.indpred, i.indrelid) !~ '${ofFewRows}', true)
      ), kept as (
        insert into seed.indexes (name, definition) select index, definition from taken returning name
      )
      select name as index from kept`)
    for (const { index } of rows) await client.query(`drop index ${index}`)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}

/** Puts back what was taken away, by this run or one that was cut off; one index a connection at a time, the largest tables' first. */
export async function putBackIndexes(clients: pg.Client[], onDone: (done: number, total: number) => void = () => {}): Promise<number> {
  const { rows } = await clients[0]!.query<{ name: string; definition: string }>(
    `select name, definition from seed.indexes order by pg_table_size(substring(definition from ' ON (\\S+) ')::regclass) desc, name`,
  )
  let done = 0
  if (rows.length > 0) onDone(done, rows.length)
  await eachInTurn(clients, rows, async (client, { name, definition }) => {
    await client.query('begin')
    await client.query(`set local maintenance_work_mem = '256MB'`)
    // Each connection builds one: workers beside it would only take turns with the others.
    await client.query('set local max_parallel_maintenance_workers = 0')
    await client.query(definition)
    await client.query('delete from seed.indexes where name = $1', [name])
    await client.query('commit')
    onDone(++done, rows.length)
  })
  return rows.length
}

/** Every connection takes the next thing when it is done with one. */
export async function eachInTurn<T>(clients: pg.Client[], things: readonly T[], work: (client: pg.Client, thing: T) => Promise<void>) {
  let next = 0
  await Promise.all(
    clients.map(async (client) => {
      while (next < things.length) await work(client, things[next++]!)
    }),
  )
}
