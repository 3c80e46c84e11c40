// A Redis of the tests, run with the file that is shipped. test/tools/get-debian.sh brings it.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './pgbouncer.ts'
import { started } from './started.ts'

const tools = process.env['DJINN_TEST_TOOLS'] ?? (process.getuid?.() === 0 ? '/var/cache/djinn' : join(homedir(), '.cache/djinn'))
const pathOf = (program: string) => join(tools, 'redis', program)

/** For a test's `skip`: false when it is there. */
export function missingRedis(): string | false {
  return existsSync(pathOf('redis-server')) ? false : `no Redis under ${tools}/redis: test/tools/get-debian.sh brings it`
}

export type RedisServer = {
  url: string
  /** Runs a command by redis-cli and answers what it says. */
  ask: (...command: string[]) => string
  signal: (signal: NodeJS.Signals) => void
  /** Ends it at once, and answers when it is gone. */
  kill: () => Promise<void>
  /** On the same port, with nothing in it. */
  start: () => Promise<void>
  close: () => Promise<void>
}

export async function openRedis(): Promise<RedisServer> {
  const dir = mkdtempSync(join(tmpdir(), 'djinn-redis-'))
  const port = await freePort()
  let child: ChildProcess | undefined
  const start = async () => {
    const server = spawn(pathOf('redis-server'), ['deploy/redis/redis.conf', '--port', String(port), '--dir', dir], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    child = server
    await started(server, server.stdout, 'Redis', 'Ready to accept connections')
  }
  const kill = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    ask: (...command) => execFileSync(pathOf('redis-cli'), ['-p', String(port), ...command], { encoding: 'utf8' }).trim(),
    signal: (signal) => void child?.kill(signal),
    kill,
    start,
    close: async () => {
      await kill()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
