// SQL as the service itself sends it: its login, the role of requests, and the household set in the transaction.
import type pg from 'pg'
import { withClient } from '../cluster.ts'
import type { Djinn } from '../harness.ts'

export type AppScope = { household?: string; user?: string; role?: 'djinn_app' | 'djinn_keeper' }
export type Run = <T extends object = Record<string, unknown>>(text: string, values?: unknown[]) => Promise<T[]>

/** Runs the work in one transaction of the scope and commits it; what it throws rolls back. */
export async function asRole<T>(djinn: Djinn, scope: AppScope, work: (run: Run) => Promise<T>): Promise<T> {
  return await withClient(scope.role === 'djinn_keeper' ? djinn.adminUrl : djinn.resources.config.databaseUrl!, async (client) => {
    await client.query('begin')
    await client.query(
      `select set_config('djinn.household', $1, true), set_config('djinn.user', $2, true), set_config('TimeZone', 'UTC', true),
        set_config('role', $3, true)`,
      [scope.household ?? '', scope.user ?? '', scope.role ?? 'djinn_app'],
    )
    const result = await work(async (text, values) => (await client.query(text, values)).rows as never)
    await client.query('commit')
    return result
  })
}

/** The SQLSTATE and constraint that the work is refused with; null when it was not. */
export async function refusalOf(work: Promise<unknown>): Promise<{ code: string; constraint: string | undefined; message: string } | null> {
  try {
    await work
    return null
  } catch (error) {
    const { code, constraint, message } = error as pg.DatabaseError
    if (code === undefined) throw error
    return { code, constraint, message }
  }
}
