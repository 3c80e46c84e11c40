// Waits until a program of a test says in its log that it can be used.
import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'

const startMsMax = 30_000

/** What ends before, or has not said `sign` after half a minute, is an error with its log. */
export async function started(child: ChildProcess, printed: Readable, name: string, sign: string) {
  let log = ''
  const ready = Promise.withResolvers<void>()
  const late = setTimeout(() => ready.reject(new Error(`${name} does not start: ${log}`)), startMsMax)
  printed.on('data', (chunk) => {
    log += String(chunk)
    if (log.includes(sign)) ready.resolve()
  })
  child.once('error', ready.reject)
  child.once('exit', (code) => ready.reject(new Error(`${name} ended with ${code}: ${log}`)))
  await ready.promise.finally(() => clearTimeout(late))
}
