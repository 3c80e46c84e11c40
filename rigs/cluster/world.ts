// The whole of several processes on the loopback: PostgreSQL, its replica, Redis, PgBouncer, two API processes, a worker, HAProxy.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { apiUrl, openEmbedded } from '../../src/resources/embedded.ts'
import { migrate } from '../../src/resources/migrations.ts'
import { startDjinn, type DjinnProcess } from '../../test/djinn-process.ts'
import { missingHaproxy, openBalancer, type Balancer, type ServerName } from '../../test/haproxy.ts'
import { freePort, missing as missingPooler, openPooler } from '../../test/pgbouncer.ts'

export const servers = ['one', 'two'] as const
const connectionsMax = 8_000
const root = new URL('../../', import.meta.url)
const tools = process.env['DJINN_TEST_TOOLS'] ?? (process.getuid?.() === 0 ? '/var/cache/djinn' : join(homedir(), '.cache/djinn'))

export type Environment = Record<string, string>
export type World = {
  balancer: Balancer
  adminUrl: string
  apiUrl: string
  /** The replica's administrator's URL, and how its replay is stopped. */
  replica: { sql: (text: string) => Promise<void> } | null
  redis: boolean
  /** Why a part is not there. */
  absent: { replica?: string; redis?: string; pooler?: string }
  server: (name: ServerName) => DjinnProcess
  /** Starts a process that has ended, and answers once the balancer gives it requests. */
  start: (name: ServerName, environment?: Environment) => Promise<void>
  /** Both, one after the other, with other variables than before. */
  restart: (environment?: Environment) => Promise<void>
  sql: <T extends object>(text: string, values?: unknown[]) => Promise<T[]>
  addresses: () => string[]
  /** Writes the logs of all that runs into a folder. */
  keepLogs: (why: string) => string
  close: () => Promise<void>
}

/** Brings all up; what cannot be had is left out by name. */
export async function openWorld(say: (line: string) => void): Promise<World> {
  const noBalancer = missingHaproxy()
  if (noBalancer) throw new Error(noBalancer)
  const closing = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'djinn-cluster-'))
  closing.defer(() => rmSync(dir, { recursive: true, force: true }))
  try {
    return await build(dir, closing, say)
  } catch (error) {
    await closing.disposeAsync()
    throw error
  }
}

async function build(dir: string, closing: AsyncDisposableStack, say: (line: string) => void): Promise<World> {
  say('starting PostgreSQL')
  const embedded = await openEmbedded({ dataDir: join(dir, 'primary'), settings: { max_connections: '200' } })
  closing.defer(() => embedded.stop())
  await migrate(embedded.adminUrl)
  const addresses: [string, string][] = [['PostgreSQL', embedded.adminUrl]]
  const absent: World['absent'] = {}
  const environment: Environment = {
    ...{ DATABASE_URL: await apiUrl(embedded), DATABASE_DIRECT_URL: embedded.adminUrl, TRUSTED_PROXIES: '127.0.0.1' },
    // What is refused is what a check is about, and nothing else.
    ...{ RATE_LIMIT_ANONYMOUS: '1000000', RATE_LIMIT_AUTHENTICATED: '1000000', RATE_LIMIT_LOGIN: '1000000', SHEDDING: 'off' },
    DJINN_DATA_DIR: dir,
  }
  const ownUrl = environment['DATABASE_URL']!

  say('copying it for the replica')
  const replica = await openReplica(dir, embedded.adminUrl, closing)
  if (typeof replica === 'string') absent.replica = replica
  else {
    const url = new URL(ownUrl)
    url.port = String(replica.port)
    environment['DATABASE_REPLICA_URLS'] = url.href
    addresses.push(['replica', url.href])
  }
  const redis = await openRedis(dir, closing)
  if (typeof redis === 'string') absent.redis = redis
  else {
    environment['REDIS_URL'] = `redis://127.0.0.1:${redis.port}`
    addresses.push(['Redis', environment['REDIS_URL']])
  }
  const noPooler = missingPooler('current')
  if (noPooler) absent.pooler = noPooler
  else {
    const pooler = await openPooler({ adminUrl: embedded.adminUrl, apiUrl: ownUrl }, 'current')
    closing.defer(() => pooler.close())
    environment['DATABASE_URL'] = pooler.url(ownUrl)
    addresses.push(['PgBouncer', environment['DATABASE_URL']])
  }

  say('starting two API processes, a worker and HAProxy')
  const ports = { one: await freePort(), two: await freePort() }
  const running = new Map<ServerName | 'worker', DjinnProcess>()
  closing.defer(async () => void (await Promise.all([...running.values()].map((each) => each.end('SIGKILL')))))
  const balancer = await openBalancer(ports, connectionsMax)
  closing.defer(() => balancer.close())
  const serve = async (name: ServerName, more: Environment = {}) => {
    const wanted = { ...environment, WORKER: 'off', ...more }
    running.set(name, await startDjinn({ name, verb: 'serve', port: ports[name], opsPort: await freePort(), environment: wanted }))
    const deadline = performance.now() + 20_000
    while (!(await balancer.isUp(name))) {
      if (performance.now() > deadline) throw new Error(`HAProxy does not take in ${name}: ${await balancer.say('show stat')}`)
      await setTimeout(20)
    }
  }
  await Promise.all(servers.map((name) => serve(name)))
  running.set('worker', await startDjinn({ name: 'worker', verb: 'work', port: 0, opsPort: await freePort(), environment }))

  const admin = new pg.Pool({ connectionString: embedded.adminUrl, max: 2 })
  admin.on('error', () => {})
  closing.defer(() => admin.end())
  return {
    ...{ balancer, adminUrl: embedded.adminUrl, apiUrl: ownUrl, absent, redis: typeof redis !== 'string' },
    replica: typeof replica === 'string' ? null : { sql: replica.sql },
    server: (name) => running.get(name)!,
    start: serve,
    restart: async (more) => {
      for (const name of servers) {
        await running.get(name)!.end('SIGTERM')
        await serve(name, more)
      }
    },
    sql: async (text, values) => (await admin.query(text, values)).rows,
    addresses: () => {
      const own = [...running.values()].map(({ name, url, opsUrl }) => [name, name === 'worker' ? opsUrl : `${url}  ${opsUrl}`] as const)
      return [['API', balancer.url] as const, ...own, ...addresses].map(([name, where]) => `${name.padEnd(12)}${where}`)
    },
    keepLogs: (why) => {
      const folder = mkdtempSync(join(tmpdir(), `djinn-cluster-${why}-`))
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'haproxy.log'), balancer.log())
      for (const { name, log } of running.values()) writeFileSync(join(folder, `${name}.log`), log())
      return folder
    },
    close: () => closing.disposeAsync(),
  }
}

/** A replica made and run by our own commands, or why there is none. */
async function openReplica(dir: string, from: string, closing: AsyncDisposableStack) {
  if (!existsSync(new URL('src/commands/replica.ts', root))) return 'this version has no djinn replica'
  const folder = join(dir, 'replica')
  const port = await freePort()
  const command = (...args: string[]) =>
    spawn(process.execPath, [fileURLToPath(new URL('bin/djinn.js', root)), 'replica', ...args], {
      ...{ stdio: ['ignore', 'pipe', 'pipe'] as const, detached: true },
      env: { PATH: process.env['PATH'], DATABASE_URL: from },
    })
  const made = await outcome(command('create', '--from', from, '--dir', folder), null)
  if (made !== null) return `no replica could be made: ${made}`
  const running = command('run', '--dir', folder, '--port', String(port))
  const failed = await outcome(running, 'takes reads')
  closing.defer(() => ended(running, 'SIGTERM'))
  if (failed !== null) return `the replica does not run: ${failed}`
  const url = new URL(from)
  url.port = String(port)
  const sql = async (text: string) => {
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    try {
      await client.query(text)
    } finally {
      await client.end()
    }
  }
  return { port, sql }
}

async function openRedis(dir: string, closing: AsyncDisposableStack) {
  const file = fileURLToPath(new URL('deploy/redis/redis.conf', root))
  const program = join(tools, 'redis/redis-server')
  if (!existsSync(file)) return 'this version has no Redis'
  if (!existsSync(program)) return `no Redis under ${tools}: test/tools/get-debian.sh brings it`
  const port = await freePort()
  const child = spawn(program, [file, '--port', String(port), '--dir', dir], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  closing.defer(() => ended(child, 'SIGTERM'))
  const failed = await outcome(child, 'Ready to accept connections')
  return failed === null ? { port } : `Redis does not start: ${failed}`
}

/** Null once it says the line, or without one when it has ended well; else what it said. */
async function outcome(child: ChildProcess, line: string | null): Promise<string | null> {
  let said = ''
  return await new Promise((resolve) => {
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk) => {
        said += String(chunk)
        if (line !== null && said.includes(line)) resolve(null)
      })
    }
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code) => resolve(code === 0 && line === null ? null : `${code} ${said.trim()}`))
  })
}

async function ended(child: ChildProcess, signal: NodeJS.Signals) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}
