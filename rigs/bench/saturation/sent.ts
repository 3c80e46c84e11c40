// Whether the API sends what its limit is made of: PostgreSQL knows statements by an identifier of what they mean.
import { saturate, type Load } from '../saturate.ts'
import type { Limit } from './limits.ts'
import { asOwner, type World } from './world.ts'

/** Asks the endpoint and fails when a statement of its limit was not sent: then the code moved on, and the limit has to. */
export async function checkSent(world: World, { name, next, status }: Load & { name: string }, limits: Record<string, Limit>) {
  const statements = limits[name]?.statements
  if (!statements) return
  await asOwner(world, async (client) => {
    await client.query('create extension if not exists pg_stat_statements')
    const { rows: homes } = await client.query<{ home: string }>(
      `select quote_ident(n.nspname) as home from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements'`,
    )
    const { home } = homes[0]!
    await client.query(`select ${home}.pg_stat_statements_reset()`)
    await saturate(world.url, { next, status, connections: 1, warmUpMs: 0, countedMs: 100 })
    const { rows } = await client.query<{ id: string }>(
      `select queryid::text as id from ${home}.pg_stat_statements where userid in (select oid from pg_roles where rolname in ('djinn_api', 'djinn_app'))`,
    )
    const sent = new Set(rows.map(({ id }) => id))
    for (const statement of statements) {
      const { rows: plan } = await client.query<{ 'QUERY PLAN': string }>(`explain (verbose, generic_plan) ${statement}`)
      const [, id] = /^Query Identifier: (-?\d+)$/m.exec(plan.map((row) => row['QUERY PLAN']).join('\n')) ?? []
      if (id === undefined || !sent.has(id))
        throw new Error(`${name}: the API does not send this statement, of which its limit is made: ${statement}`)
    }
  })
}
