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

/** Puts back what was taken away, by this run or one that was cut off; one index a connection at a time. */
export async function putBackIndexes(clients: pg.Client[]): Promise<number> {
  const { rows } = await clients[0]!.query<{ name: string; definition: string }>('select name, definition from seed.indexes order by name')
  const waiting = [...rows]
  await Promise.all(
    clients.map(async (client) => {
      for (let index = waiting.pop(); index; index = waiting.pop()) {
        await client.query('begin')
        await client.query(`set local maintenance_work_mem = '256MB'`)
        await client.query(index.definition)
        await client.query('delete from seed.indexes where name = $1', [index.name])
        await client.query('commit')
      }
    }),
  )
  return rows.length
}
