// The PostgreSQL of the tests: one cluster a run, a migrated template, a clone of it for each test file.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { apiUrl, openEmbedded } from '../src/resources/embedded.ts'
import { migrate } from '../src/resources/migrations.ts'

export type Cluster = { adminUrl: string; apiUrl: string; close: () => Promise<void> }

/** The package of each major version that the suite runs on. */
export const binaries = { 16: 'postgres-16', 18: undefined } as const
export type Major = keyof typeof binaries

const template = 'djinn_template'

export async function openCluster(major: Major): Promise<Cluster> {
  const dataDir = mkdtempSync(join(tmpdir(), `djinn-test-${major}-`))
  const embedded = await openEmbedded({
    dataDir,
    ...(binaries[major] === undefined ? {} : { binaries: binaries[major] }),
    // A crash of the test machine may lose these databases; nobody waits for their disks.
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300', shared_buffers: '256MB' },
  })
  await withClient(databaseUrl(embedded.adminUrl, 'postgres'), (client) => client.query(`create database ${template}`))
  await migrate(databaseUrl(embedded.adminUrl, template))
  const url = await apiUrl(embedded)
  return {
    adminUrl: embedded.adminUrl,
    apiUrl: url,
    close: async () => {
      await embedded.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

export function databaseUrl(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** A database of one's own, cloned from the template; `empty` gives one without the schema. */
export async function cloneDatabase(cluster: Pick<Cluster, 'adminUrl' | 'apiUrl'>, empty = false) {
  const name = `t_${process.pid}_${Math.random().toString(36).slice(2, 10)}`
  const maintenance = databaseUrl(cluster.adminUrl, 'postgres')
  // Copied as files, which takes 0.15 s in place of 0.4: nothing of it is to be logged.
  const source = `template ${empty ? 'template0' : template} strategy file_copy`
  await withClient(maintenance, (client) => client.query(`create database ${name} ${source}`))
  return {
    name,
    adminUrl: databaseUrl(cluster.adminUrl, name),
    apiUrl: databaseUrl(cluster.apiUrl, name),
    drop: () => withClient(maintenance, (client) => client.query(`drop database if exists ${name} with (force)`)),
  }
}
