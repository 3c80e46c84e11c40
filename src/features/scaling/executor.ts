// Runs a program here or on a host by ssh: one interface, no shell of ours, no password asked for, an end to every wait.
import { spawn } from 'node:child_process'
import { shellText } from './quoting.ts'

export type Order = { argv: readonly string[]; timeoutMs: number }
export type Ran = {
  /** Null where it did not come to an end. */
  code: number | null
  out: string
  errors: string
  /** The way to the host broke, or took too long: what the program did is not known. */
  lost: boolean
}
export type Executor = { where: string; run: (order: Order) => Promise<Ran> }

/** What a program may say; the rest is cut off. */
const outputBytesMax = 4 * 1024 * 1024
/** Exit code of ssh for an error of its own. */
const sshFailed = 255
const connectTimeoutS = 10

/** A host as ssh takes it, and never an option: `host`, `user@host`, `user@[address]`. */
export function hostOf(text: string): string {
  if (!/^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[?[0-9a-fA-F:]+\]?)$/.test(text)) {
    throw new Error(`--host must be a host such as root@203.0.113.5, not ${JSON.stringify(text)}`)
  }
  return text.replaceAll(/[[\]]/g, '')
}

export const local: Executor = { where: 'this machine', run: ({ argv, timeoutMs }) => ended(argv, timeoutMs) }

/** `options` are further words for ssh, such as `-p 2222`. */
export function overSsh(host: string, options: readonly string[] = []): Executor {
  const words = [
    'ssh',
    '-T',
    ...['BatchMode=yes', `ConnectTimeout=${connectTimeoutS}`, 'ServerAliveInterval=5', 'ServerAliveCountMax=3'].flatMap((each) => [
      '-o',
      each,
    ]),
    ...options,
    '--',
    host,
  ]
  return {
    where: host,
    run: async ({ argv, timeoutMs }) => {
      const ran = await ended([...words, shellText(argv)], timeoutMs)
      return ran.code === sshFailed ? { ...ran, lost: true } : ran
    },
  }
}

async function ended([program, ...args]: readonly string[], timeoutMs: number): Promise<Ran> {
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { out: '', errors: '' }
  const collect = (name: keyof typeof texts) => (chunk: string) => {
    if (texts[name].length < outputBytesMax) texts[name] += chunk
  }
  child.stdout.setEncoding('utf8').on('data', collect('out'))
  child.stderr.setEncoding('utf8').on('data', collect('errors'))
  const end = Promise.withResolvers<Ran>()
  const late = setTimeout(() => {
    child.kill('SIGKILL')
    end.resolve({ code: null, ...texts, errors: `${texts.errors}no end after ${timeoutMs / 1_000} s\n`, lost: true })
  }, timeoutMs)
  child.once('error', (error) => end.resolve({ code: null, out: '', errors: error.message, lost: false }))
  child.once('close', (code, signal) =>
    end.resolve({ code, ...texts, errors: signal === null ? texts.errors : `${texts.errors}ended by ${signal}\n`, lost: signal !== null }),
  )
  return await end.promise.finally(() => clearTimeout(late))
}
