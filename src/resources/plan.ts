// How PostgreSQL would run a statement: its plan without parameters, so that nothing of anybody is in it and nothing is run.
import pg from 'pg'
import { limits } from '../values/limits.ts'

/** On a connection of its own, as the role that runs the statement: row-level security is part of the plan. */
export async function planOf(url: string, role: 'djinn_app' | 'djinn_keeper', text: string): Promise<string> {
  const client = new pg.Client({ connectionString: url, application_name: 'djinn plans', connectionTimeoutMillis: limits.poolWaitMsMax })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('begin read only')
    await client.query(
      `select set_config('statement_timeout', $1, true), set_config('lock_timeout', $1, true), set_config('role', $2, true)`,
      [String(limits.watchStatementMsMax), role],
    )
    // One message without parameters: only so are $1 and the others what GENERIC_PLAN takes them for.
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${text}`)
    return rows.map((row) => row['QUERY PLAN']).join('\n')
  } finally {
    await client.end().catch(() => {})
  }
}
