// HAProxy before several processes, run with the shipped file on other ports. test/tools/get-debian.sh brings it.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './pgbouncer.ts'

const startMsMax = 10_000
const tools = process.env['DJINN_TEST_TOOLS'] ?? (process.getuid?.() === 0 ? '/var/cache/djinn' : join(homedir(), '.cache/djinn'))
const executable = join(tools, 'haproxy/haproxy')
const shippedFile = new URL('../deploy/haproxy/haproxy.cfg', import.meta.url)

/** For a test's `skip`: false when it is there. */
export function missingHaproxy(): string | false {
  return existsSync(executable) ? false : `no HAProxy under ${tools}: test/tools/get-debian.sh brings it`
}

export type ServerName = 'one' | 'two'
export type Balancer = {
  url: string
  /** Lines of its log so far. */
  log: () => string
  /** Whether it gives requests to a process, by its own word. */
  isUp: (server: ServerName) => Promise<boolean>
  /** A line to its socket, such as `set server api/one state maint`. */
  say: (line: string) => Promise<string>
  close: () => Promise<void>
}

/** The shipped file for processes on these ports, without what only an installed HAProxy has. */
export function configuration(places: { listen: number; stats: number; one: number; two: number; connections: number }): string {
  return readFileSync(shippedFile, 'utf8')
    .replaceAll(/^ {2}(?:user|group|chroot) .*\n/gm, '')
    .replace('log /dev/log local0 info', 'log stdout format raw local0 info')
    .replace('maxconn 12000', `maxconn ${places.connections}`)
    .replace('127.0.0.1:8404 level', `127.0.0.1:${places.stats} level`)
    .replace('bind 127.0.0.1:8000', `bind 127.0.0.1:${places.listen}`)
    .replaceAll('127.0.0.1:8081', `127.0.0.1:${places.one}`)
    .replaceAll('127.0.0.1:8082', `127.0.0.1:${places.two}`)
}

/** Fails with what HAProxy says of a file that it does not take. */
export function checkFile(file: string) {
  const { status, stderr } = spawnSync(executable, ['-c', '-f', file], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}

/** Few systems let everybody open 24,000 files. */
export async function openBalancer(servers: Record<ServerName, number>, connections = 400): Promise<Balancer> {
  const dir = mkdtempSync(join(tmpdir(), 'djinn-haproxy-'))
  const places = { listen: await freePort(), stats: await freePort(), ...servers, connections }
  const file = join(dir, 'haproxy.cfg')
  writeFileSync(file, configuration(places))
  checkFile(file)
  const logFile = join(dir, 'haproxy.log')
  const output = openSync(logFile, 'a')
  const child = spawn(executable, ['-db', '-f', file], { stdio: ['ignore', output, output], detached: true })
  closeSync(output)
  const log = () => readFileSync(logFile, 'utf8')
  const ended = once(child, 'exit')
  let failed = false
  ended.then(
    () => (failed = true),
    () => (failed = true),
  )
  const say = (line: string) => ask(places.stats, line)
  const deadline = Date.now() + startMsMax
  while (
    !(await say('show info').then(
      () => true,
      () => false,
    ))
  ) {
    if (failed || Date.now() > deadline) throw new Error(`HAProxy does not start: ${log()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return {
    url: `http://127.0.0.1:${places.listen}`,
    log,
    say,
    isUp: async (server) => {
      const row = (await say('show stat')).split('\n').find((line) => line.startsWith(`api,${server},`))
      return row?.split(',')[17]?.startsWith('UP') === true
    },
    close: async () => {
      if (!failed) {
        child.kill('SIGUSR1')
        const late = setTimeout(() => child.kill('SIGKILL'), 500)
        await ended.catch(() => {})
        clearTimeout(late)
      }
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function ask(port: number, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1')
    socket.setTimeout(2_000, () => socket.destroy(new Error('HAProxy does not answer')))
    socket.on('data', (chunk) => (text += String(chunk)))
    socket.once('error', reject)
    socket.once('close', () => resolve(text))
    socket.end(`${line}\n`)
  })
}
