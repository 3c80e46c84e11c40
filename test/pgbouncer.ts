// A PgBouncer of the tests, run with the files that `djinn pooler` writes. test/tools/get-debian.sh brings the two versions.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pgbouncerIni, userlist } from '../src/features/pooling/files.ts'
import { versionOf } from '../src/features/pooling/version.ts'
import { addressOf } from '../src/resources/database-url.ts'
import { scramSecret } from '../src/resources/login-secrets.ts'

/** A current one, and the one of Debian 12, which loses prepared statements. */
export type Edition = 'current' | 'old'

const asRoot = process.getuid?.() === 0
const startMsMax = 30_000
const startTriesMax = 5
const nobody = 65_534
const tools = process.env['DJINN_TEST_TOOLS'] ?? (asRoot ? '/var/cache/djinn' : join(homedir(), '.cache/djinn'))
const executables: Record<Edition, string> = {
  current: join(tools, 'pgbouncer/pgbouncer'),
  old: join(tools, 'pgbouncer-1.18/pgbouncer'),
}

/** For a test's `skip`: false when it is there, else which one is missing. */
export function missing(edition: Edition): string | false {
  return existsSync(executables[edition]) ? false : `no PgBouncer (${edition}) under ${tools}: test/tools/get-debian.sh brings it`
}

export const pgbouncerPath = (edition: Edition) => executables[edition]

export type Pooler = { port: number; dir: string; url: (of: string) => string; close: () => Promise<void> }

/** A folder that PgBouncer's user can read; it refuses to run as root. */
export function poolerFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'djinn-pooler-'))
  if (asRoot) chownSync(dir, nobody, nobody)
  return dir
}

/** Starts it; false when somebody else has the port by now. */
async function start(file: string, edition: Edition): Promise<ChildProcess | false> {
  const child = spawn(executables[edition], [file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(asRoot ? { uid: nobody, gid: nobody } : {}),
  })
  let log = ''
  const up = Promise.withResolvers<ChildProcess | false>()
  child.stderr.on('data', (chunk) => {
    log += String(chunk)
    if (log.includes('process up')) up.resolve(child)
  })
  child.once('error', up.reject)
  child.once('exit', () => (log.includes('Address already in use') ? up.resolve(false) : up.reject(new Error(`PgBouncer ended: ${log}`))))
  const late = setTimeout(() => up.reject(new Error(`PgBouncer does not start: ${log}`)), startMsMax)
  try {
    return await up.promise
  } finally {
    clearTimeout(late)
  }
}

/** Runs PgBouncer with the files in the folder, on the next free port when theirs is taken, and answers when it takes connections. */
export async function runPooler(dir: string, edition: Edition): Promise<Pooler> {
  const file = join(dir, 'pgbouncer.ini')
  let child = await start(file, edition)
  for (let tries = 1; !child && tries < startTriesMax; tries++) {
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^listen_port = \d+/m, `listen_port = ${await freePort()}`))
    child = await start(file, edition)
  }
  if (!child) throw new Error('PgBouncer finds no free port')
  const running = child
  const port = Number(/^listen_port = (\d+)/m.exec(readFileSync(file, 'utf8'))![1])
  return {
    port,
    dir,
    url: (of) => {
      const url = new URL(of)
      url.hostname = '127.0.0.1'
      url.port = String(port)
      return url.href
    },
    close: async () => {
      if (running.exitCode === null && running.signalCode === null) {
        running.kill('SIGTERM')
        await once(running, 'exit')
      }
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** A PgBouncer before every database of a cluster, for the login of the service. */
export async function openPooler(cluster: { adminUrl: string; apiUrl: string }, edition: Edition): Promise<Pooler> {
  const dir = poolerFolder()
  const { host, port } = addressOf(cluster.adminUrl)
  const { user, database } = addressOf(cluster.apiUrl)
  const userlistFile = join(dir, 'userlist.txt')
  const ini = pgbouncerIni({
    version: versionOf(edition === 'old' ? '1.18' : '1.25')!,
    target: { name: database, host, port, database, tls: null, tlsAuthorityFile: null },
    listen: { host: '127.0.0.1', port: await freePort() },
    userlistFile,
    poolSize: 25,
    clients: 100,
  })
  const anyDatabase = ini.replace(/^(\[databases\]\n(?:;.*\n)*).*$/m, `$1* = host=${host} port=${port}`)
  writeFileSync(join(dir, 'pgbouncer.ini'), anyDatabase)
  writeFileSync(userlistFile, userlist([{ name: user, secret: await scramSecret(cluster.adminUrl, user) }]), { mode: 0o600 })
  if (asRoot) chownSync(userlistFile, nobody, nobody)
  return await runPooler(dir, edition)
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
