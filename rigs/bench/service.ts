// A service as a user starts it: its own process, its own data directory, its memory read from the kernel.
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'

const entry = new URL('../../bin/djinn.js', import.meta.url).pathname

export type Service = {
  url: string
  readyMs: number
  child: ChildProcess
  demo: { email: string; password: string }
  stop: () => Promise<void>
}

/** Starts `djinn serve` on a data directory and answers when /health does; `readyMs` is the time that took. */
export async function startService(dataDir: string, environment: Record<string, string> = {}): Promise<Service> {
  const [port, opsPort] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${port}`
  const startedMs = performance.now()
  const child = spawn(process.execPath, [entry, 'serve'], {
    // What the process can do is measured, so it refuses nothing.
    env: {
      ...process.env,
      DJINN_DATA_DIR: dataDir,
      PORT: String(port),
      OPS_PORT: String(opsPort),
      LOG_LEVEL: 'warn',
      SHEDDING: 'off',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  const announced = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      printed += String(chunk)
      // A database of somebody else's has no demo.
      if (/Djinn is ready[^]*Console/.test(printed) && (environment['DATABASE_URL'] || printed.includes('Demo'))) resolve()
    })
    child.once('exit', (code) => reject(new Error(`the service ended with ${code}`)))
  })
  announced.catch(() => {})
  let readyMs = 0
  while (readyMs === 0) {
    const alive = await fetch(`${url}/health`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (alive) readyMs = performance.now() - startedMs
    else if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`)
    else await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await announced
  const [, email = '', password = ''] = /Demo\s+(\S+)\s+(.+)/.exec(printed) ?? []
  return {
    url,
    readyMs,
    child,
    demo: { email, password: password.trim() },
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGINT')
      await ended
    },
  }
}

/** Resident memory of a process now and at its highest since the last `resetPeak`, in MB. */
export function memoryMb(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mb = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) / 1024
  return { now: mb('VmRSS'), peak: mb('VmHWM') }
}

export function resetPeak(pid: number) {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

async function freePort(): Promise<number> {
  return await new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
