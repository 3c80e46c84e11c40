// A process of the executable, as an operator runs it: on ports of its own, its log kept, ended by signals.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const executable = fileURLToPath(new URL('../bin/djinn.js', import.meta.url))
const startMsMax = 60_000
/** What is kept of a log. */
const logCharactersMax = 4 * 1024 * 1024

export type DjinnProcess = {
  name: string
  port: number
  url: string
  opsUrl: string
  child: ChildProcess
  log: () => string
  /** Resolves when it has ended: with its exit code, or the signal that ended it. */
  ended: Promise<number | NodeJS.Signals>
  /** Sends a signal, and answers how it ended and after how long. */
  end: (signal: NodeJS.Signals) => Promise<{ code: number | NodeJS.Signals; ms: number }>
}

export type Wanted = { name: string; verb: 'serve' | 'work'; port: number; opsPort: number; environment: Record<string, string> }

const saysReady = { serve: 'Djinn is ready.', work: 'Djinn works the queue' } as const

/** Starts one and answers when it says that it is ready. */
export async function startDjinn({ name, verb, port, opsPort, environment }: Wanted): Promise<DjinnProcess> {
  const child = spawn(process.execPath, [executable, verb], {
    env: { PATH: process.env['PATH'], PORT: String(port), OPS_PORT: String(opsPort), ...environment },
    // A Ctrl-C is for whoever started us, who ends this one in its turn.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  const ended = once(child, 'exit').then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals)
  const ready = Promise.withResolvers<void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      log = (log + chunk).slice(-logCharactersMax)
      if (log.includes(saysReady[verb])) ready.resolve()
    })
  }
  const late = setTimeout(() => ready.reject(new Error(`${name} does not start:\n${log}`)), startMsMax)
  void ended.then((code) => ready.reject(new Error(`${name} ended with ${code} before it was ready:\n${log}`)))
  try {
    await ready.promise
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    clearTimeout(late)
  }
  return {
    name,
    port,
    url: `http://127.0.0.1:${port}`,
    opsUrl: `http://127.0.0.1:${opsPort}`,
    child,
    log: () => log,
    ended,
    end: async (signal) => {
      const fromMs = performance.now()
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      return { code: await ended, ms: performance.now() - fromMs }
    },
  }
}
