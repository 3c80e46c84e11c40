// Brings a base backup to the wanted moment with the log behind it, by a PostgreSQL that nobody else can reach.
import { chownSync, existsSync, mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { nobody, spawnServerTool, stopChild } from '../../resources/embedded.ts'
import { binariesOf } from '../../resources/server-binaries.ts'
import { TarReader } from '../../resources/tar-reader.ts'
import type { Manifest } from './manifest.ts'
import type { Repository } from './repository.ts'
import { restoreCommand, SegmentFeed } from './segment-feed.ts'

export type Recovering = {
  repository: Repository
  base: Manifest
  /** An empty folder, or one that is not there. */
  folder: string
  targetMs: number | null
  log: (message: string) => void
  onProgress?: (what: string, done: number, of: number) => void
}

export type Recovered = {
  /** Of the cluster's owner, by a socket in a folder of our own. */
  url: string
  cluster: string
  segments: number
  stop: () => Promise<void>
}

const owner = () => (process.getuid?.() === 0 ? nobody : undefined)
const give = (path: string) => {
  if (owner() !== undefined) chownSync(path, nobody, nobody)
}

/** Puts the files of a base backup into the folder. */
export async function unpack({ repository, base, folder, onProgress }: Recovering): Promise<string> {
  const cluster = join(folder, `postgresql-${base.major}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  mkdirSync(cluster, { mode: 0o700 })
  give(cluster)
  const tar = new TarReader(cluster, owner())
  let bytes = 0
  for await (const piece of repository.readSealed(join(repository.bases, base.id, 'files.sealed'), `base/${base.id}/files`)) {
    tar.write(piece)
    bytes += piece.length
    onProgress?.('unpacked', bytes, base.bytes)
  }
  tar.end()
  return cluster
}

/** Starts the unpacked cluster and answers when it has taken the log up to the moment and is a database of its own. */
export async function recover(options: Recovering, cluster: string): Promise<Recovered> {
  const { base, repository } = options
  for (const [name, text] of [
    ['postgresql.conf', ''],
    ['pg_ident.conf', ''],
    ['recovery.signal', ''],
  ] as const) {
    // A packaged PostgreSQL keeps its configuration elsewhere.
    if (existsSync(join(cluster, name))) continue
    writeFileSync(join(cluster, name), text, { mode: 0o600 })
    give(join(cluster, name))
  }
  const sockets = mkdtempSync(join(tmpdir(), 'djinn-restore-'))
  const hba = join(sockets, 'hba.conf')
  writeFileSync(hba, 'local all all trust\n', { mode: 0o600 })
  give(sockets)
  give(hba)
  const feed = new SegmentFeed(repository, cluster, owner())
  feed.start()
  const logFile = join(options.folder, 'restore.log')
  const close = async () => {
    await feed.close()
    rmSync(sockets, { recursive: true, force: true })
  }
  try {
    const server = { options, cluster, sockets, hba, logFile, feed }
    let running = await run(server, options.targetMs)
    // No commit is younger than the moment: then the end of the log is what the database was at it.
    if (!running && options.targetMs !== null && endedBeforeTarget(logFile)) running = await run(server, null)
    if (!running) throw feed.failure ?? new Error(`PostgreSQL could not be brought there: ${lastComplaint(logFile)} (${logFile})`)
    const { child, url } = running
    const segments = feed.given
    return {
      url,
      cluster,
      segments,
      stop: async () => {
        await stopChild(child)
        await close()
      },
    }
  } catch (error) {
    await close()
    throw feed.failure ?? error
  } finally {
    options.log(`from ${base.id}`)
  }
}

type Server = { options: Recovering; cluster: string; sockets: string; hba: string; logFile: string; feed: SegmentFeed }

async function run({ options, cluster, sockets, hba, logFile, feed }: Server, targetMs: number | null) {
  const { base } = options
  const native = binariesOf(base.major, base.embedded, options.log)
  const settings: Record<string, string> = {
    listen_addresses: '',
    unix_socket_directories: sockets,
    unix_socket_permissions: '0700',
    hba_file: hba,
    // Nobody reads until it is there, so it need not have as many connections as the one that was backed up.
    hot_standby: 'off',
    restore_command: restoreCommand,
    recovery_target_action: 'promote',
    recovery_target_timeline: 'latest',
    archive_mode: 'off',
    max_connections: '20',
    shared_buffers: '256MB',
    logging_collector: 'off',
    log_destination: 'stderr',
    ssl: 'off',
    primary_conninfo: '',
    timezone: 'UTC',
    shared_preload_libraries: base.embedded ? 'pg_stat_statements' : '',
    ...(targetMs === null ? {} : { recovery_target_time: timeOf(targetMs) }),
  }
  const output = openSync(logFile, 'a', 0o600)
  const args = ['-D', '/proc/self/fd/3', ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  const child = spawnServerTool(native, 'postgres', args, cluster, owner() !== undefined, 'ignore', output)
  closeSync(output)
  let ended = false
  child.once('exit', () => (ended = true))
  child.once('error', () => (ended = true))
  const url = `postgres://${encodeURIComponent(base.superuser)}@localhost/${encodeURIComponent(base.database)}?host=${encodeURIComponent(sockets)}`
  try {
    while (!ended && !feed.failure) {
      if (await isReady(url)) return { child, url }
      options.onProgress?.('segments of the log applied', feed.given, 0)
      await setTimeout(100)
    }
  } catch (error) {
    await stopChild(child)
    throw error
  }
  if (!ended) await stopChild(child)
  return undefined
}

async function isReady(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, application_name: 'djinn restore' })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ recovering: boolean }>('select pg_is_in_recovery() as recovering')
    return !rows[0]!.recovering
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

const lastComplaint = (logFile: string) =>
  readFileSync(logFile, 'utf8')
    .match(/(?:FATAL|PANIC):.*/g)
    ?.findLast((line) => !/accepting connections|starting up/.test(line)) ?? 'it was ended'
/** A setting of the command line is read before names of time zones are known, Z among them. */
const timeOf = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '+00')
const endedBeforeTarget = (logFile: string) =>
  /recovery ended before configured recovery target was reached/.test(readFileSync(logFile, 'utf8'))
