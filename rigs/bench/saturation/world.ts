// What is measured: a seeded database on a tuned server, and the API before it as a process of its own.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { settingsFor } from '../../../src/features/tuning/rules.ts'
import { GB } from '../../../src/features/tuning/quantity.ts'
import { apiUrl, openEmbedded } from '../../../src/resources/embedded.ts'
import { startService } from '../service.ts'

export type Size = { users: number; transactions: number }

export type World = {
  /** Files of the run. */
  folder: string
  url: string
  apiPid: number
  postmasterPid: number
  /** Of the role that owns the tables, and of the login that the API has. */
  ownerUrl: string
  loginUrl: string
  tokens: { accessToken: string; userId: string }[]
  close: () => Promise<void>
}

const djinn = new URL('../../../bin/djinn.js', import.meta.url).pathname
const ratesMax = '1000000'

export async function openWorld({ users, transactions }: Size, say: (line: string) => void): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'djinn-bench-'))
  const closers: (() => Promise<void>)[] = [async () => rmSync(folder, { recursive: true, force: true })]
  const close = async () => {
    for (const closer of closers.splice(0).toReversed()) await closer()
  }
  try {
    const sessions = join(folder, 'sessions.jsonl')
    say(`seeding ${users} users with ${transactions} transactions each`)
    await seed(folder, [`--users=${users}`, `--transactions=${transactions}`, `--sessions=${sessions}`])
    const tuned = settingsFor({ memoryBytes: 4 * GB, cpus: 2 })
    const embedded = await openEmbedded({
      dataDir: folder,
      settings: Object.fromEntries(tuned.map(({ name, value }) => [name, value])),
    })
    closers.push(embedded.stop)
    const loginUrl = await apiUrl(embedded)
    const service = await startService(folder, {
      DATABASE_URL: loginUrl,
      DATABASE_DIRECT_URL: embedded.adminUrl,
      LOG_LEVEL: 'error',
      RATE_LIMIT_ANONYMOUS: ratesMax,
      RATE_LIMIT_AUTHENTICATED: ratesMax,
      RATE_LIMIT_PREMIUM: ratesMax,
    })
    closers.push(service.stop)
    const cluster = readdirSync(folder).find((name) => /^postgresql-\d+$/.test(name))!
    return {
      folder,
      url: service.url,
      apiPid: service.child.pid!,
      postmasterPid: Number(readFileSync(join(folder, cluster, 'postmaster.pid'), 'utf8').split('\n')[0]),
      ownerUrl: embedded.adminUrl,
      loginUrl,
      tokens: readFileSync(sessions, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as World['tokens'][number]),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Runs the work on a connection of the tables' owner. */
export async function asOwner<T>({ ownerUrl }: World, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

async function seed(folder: string, options: string[]) {
  const child = spawn(process.execPath, [djinn, 'seed', ...options], {
    env: { ...process.env, DJINN_DATA_DIR: folder, DATABASE_URL: '', DATABASE_DIRECT_URL: '' },
    // Standard output belongs to the figures.
    stdio: ['ignore', 2, 2],
  })
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve))
  if (code !== 0) throw new Error(`djinn seed ended with ${String(code)}`)
}
