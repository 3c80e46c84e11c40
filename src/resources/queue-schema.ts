// The job queue's own schema, installed like a migration: graphile-worker brings its tables, we say who may use them.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import pg from 'pg'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.resolve('graphile-worker')), 'utf8')) as {
  version: string
}

// Its tables have row-level security without a policy, so that nobody but their owner reads them. Of the roles only the
// keeper may: the worker runs as it, and the functions that queue are its own. Said again after each of its versions.
const grants = `
do $$
declare
  name text;
begin
  grant usage on schema graphile_worker to djinn_keeper;
  grant select, insert, update, delete on all tables in schema graphile_worker to djinn_keeper;
  for name in select relname from pg_class where relnamespace = 'graphile_worker'::regnamespace and relkind = 'r' and relrowsecurity loop
    execute format('drop policy if exists keeper on graphile_worker.%I', name);
    execute format('create policy keeper on graphile_worker.%I to djinn_keeper using (true) with check (true)', name);
  end loop;
end $$`

/** It stands in the list of migrations under its version, after all of ours: the roles are there, and nothing is queued yet. */
export const queueMigration = {
  name: `graphile_worker ${version}`,
  text: grants,
  checksum: createHash('sha256').update(version).update(grants).digest('hex'),
}

/** Brings the queue's tables to the version of the installed package. */
export async function installQueueTables(url: string) {
  // Loaded when it is needed: most starts find the tables there.
  const { Logger, runMigrations } = await import('graphile-worker')
  const pool = new pg.Pool({ connectionString: url, max: 1, application_name: 'djinn migrate' })
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  try {
    await runMigrations({ pgPool: pool, taskList: {}, logger: new Logger(() => () => {}) })
  } finally {
    // Awaited, unlike a pool of its own: a database with an open connection cannot serve as a template.
    await pool.end()
  }
}
