// A primary and a streaming replica of it, made by our own command, that tests may pause, kill and start again.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runReplica, type RunningReplica } from '../src/resources/embedded-replica.ts'
import { binaries, databaseUrl, openCluster, withClient, type Cluster, type Major } from './cluster.ts'

const executable = new URL('../bin/djinn.js', import.meta.url).pathname

export const djinnCommand = (args: string[], environment: NodeJS.ProcessEnv = {}) =>
  promisify(execFile)(process.execPath, [executable, ...args], { env: { ...process.env, ...environment } })

export type ReplicaServer = {
  folder: string
  /** The administrator's URL of a database on it. */
  url: (database: string) => string
  sql: <T extends object>(database: string, text: string) => Promise<T[]>
  /** Stops and goes on with what is replayed. */
  pause: () => Promise<void>
  resume: () => Promise<void>
  start: () => Promise<void>
  /** SIGKILL to its first process: the others end by themselves. */
  kill: () => Promise<void>
  /** To all of its processes. */
  signal: (signal: NodeJS.Signals) => void
  promote: () => Promise<void>
}

export type Pair = Cluster & { replicaUrl: (database: string) => string; replica: ReplicaServer }

export async function openPair(): Promise<Pair> {
  const major = Number(process.env['DJINN_TEST_POSTGRES'] ?? 18) as Major
  const primary = await openCluster(major)
  try {
    return await withReplica(primary, major)
  } catch (error) {
    await primary.close()
    throw error
  }
}

async function withReplica(primary: Cluster, major: Major): Promise<Pair> {
  const home = mkdtempSync(join(tmpdir(), 'djinn-replica-'))
  const folder = join(home, 'replica')
  await djinnCommand(['replica', 'create', '--from', primary.adminUrl, '--dir', folder])
  const port = await freePort()
  const at = (url: string, database: string) => {
    const moved = new URL(databaseUrl(url, database))
    moved.port = String(port)
    return moved.href
  }
  let running: RunningReplica | undefined
  const sql: ReplicaServer['sql'] = async (database, text) =>
    await withClient(at(primary.adminUrl, database), async (client) => (await client.query(text)).rows as never)
  const replica: ReplicaServer = {
    folder,
    url: (database) => at(primary.adminUrl, database),
    sql,
    pause: async () => void (await sql('postgres', 'select pg_wal_replay_pause()')),
    resume: async () => void (await sql('postgres', 'select pg_wal_replay_resume()')),
    start: async () => {
      const other = binaries[major]
      running = await runReplica({
        ...{ folder, port, listen: '127.0.0.1' },
        ...(other === undefined ? {} : { binaries: other }),
        settings: { fsync: 'off', shared_buffers: '64MB' },
      })
    },
    kill: async () => {
      const ended = new Promise((resolve) => running!.child.once('exit', resolve))
      running!.child.kill('SIGKILL')
      await ended
    },
    signal: (signal) => {
      const { pid } = running!.child
      // Each backend is in a session of its own.
      const backends = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
      for (const each of [pid!, ...backends.map(Number)]) {
        try {
          process.kill(each, signal)
        } catch (error) {
          // It has ended since.
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
        }
      }
    },
    promote: async () => void (await sql('postgres', 'select pg_promote()')),
  }
  await replica.start()
  return {
    ...primary,
    replicaUrl: (database) => at(primary.apiUrl, database),
    replica,
    close: async () => {
      await running!.stop()
      await primary.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** Answers when the replica has replayed all that the primary had written when it was called. */
export async function caughtUp({ adminUrl, replica }: Pair) {
  const lsn = await withClient(adminUrl, async (client) => {
    // The next record goes behind a page's header; whoever waits for a place within that would wait for it.
    await client.query('select pg_logical_emit_message(false, $1, $1, true)', ['djinn'])
    return (await client.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn')).rows[0]!.lsn
  })
  await withClient(replica.url('postgres'), async (client) => {
    for (;;) {
      const { rows } = await client.query<{ there: boolean }>('select pg_last_wal_replay_lsn() >= $1::pg_lsn as there', [lsn])
      if (rows[0]!.there) return
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  })
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  return await new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      assert(address !== null && typeof address === 'object')
      server.close(() => resolve(address.port))
    })
  })
}
