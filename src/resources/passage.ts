// What stands between us and PostgreSQL: nothing, or a pooler that keeps prepared statements, or one that loses them.
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { limits } from '../values/limits.ts'

export type Passage = 'direct' | 'keepingPooler' | 'losingPooler'

/**
 * Asked once at open, on a connection of its own. A pooler tells clients of a backend that is not the one which answers. One that keeps prepared
 * statements gives them names of its own and prepares them wherever the client is led next (PgBouncer from 1.21 on, with
 * max_prepared_statements); where our own name arrives, the next transaction may meet a backend that does not know it, or knows
 * another client's. That shows on the first try, without waiting for the transaction that goes astray.
 */
export async function passageOf(url: string): Promise<Passage> {
  const client = new pg.Client({ connectionString: url, application_name: 'djinn start', connectionTimeoutMillis: limits.passageTimeoutMs })
  client.on('error', () => {})
  await client.connect()
  try {
    const name = `djinn passage ${randomBytes(8).toString('hex')}`
    await client.query('begin')
    const { rows } = await client.query<{ backend: number; own: boolean }>({
      name,
      text: `select pg_backend_pid() as backend, exists (select from pg_prepared_statements where name = $1) as own`,
      values: [name],
    })
    const { backend, own } = rows[0]!
    const announced = (client as unknown as { processID: number }).processID
    const passage = announced === backend ? 'direct' : own ? 'losingPooler' : 'keepingPooler'
    // The backend lives on after us.
    if (passage === 'losingPooler') await client.query(`deallocate ${client.escapeIdentifier(name)}`)
    await client.query('commit')
    return passage
  } finally {
    await client.end()
  }
}
