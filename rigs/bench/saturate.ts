// Requests at saturation: some connections, each with the next request as soon as the answer is there; cheap enough not to be the limit.
import { connect, type Socket } from 'node:net'

export type Load = {
  /** The bytes of the next request, as a string of single bytes. */
  next: () => string
  /** What each answer must be; any other one fails the run. */
  status: number
  connections?: number
  /** Answered, but not counted: what is compiled and cached on the way is then there. */
  warmUpMs?: number
  countedMs?: number
  /** Called when counting begins and when it ends, for what is measured beside. */
  atEdges?: () => void
}

export type Saturated = {
  perSecond: number
  requests: number
  /** Of one core, what this process took while it counted: near 1 it was the limit itself. */
  generatorShare: number
}

/** From here on the generator is taken for the limit: it waits for nothing but itself. */
export const generatorShareMax = 0.85

const headEnd = Buffer.from('\r\n\r\n')
const lengthName = Buffer.from('\r\ncontent-length: ')
const receiveBytes = 256 * 1024

export async function saturate(url: string, load: Load): Promise<Saturated> {
  const { next, status, connections = 32, warmUpMs = 600, countedMs = 2_400, atEdges } = load
  const { hostname, port } = new URL(url)
  let counting = false
  let ended = false
  let counted = 0
  let failure: Error | undefined
  let [fromMs, toMs] = [0, 0]
  let cpuFrom = process.cpuUsage()
  let cpuUs = 0
  const sockets = new Set<Socket>()
  const stop = () => {
    ended = true
    for (const socket of sockets) socket.destroy()
  }
  const fail = (error: Error) => {
    failure ??= error
    stop()
  }
  const opens = setTimeout(() => {
    atEdges?.()
    cpuFrom = process.cpuUsage()
    fromMs = performance.now()
    counting = true
  }, warmUpMs)
  const closes = setTimeout(() => {
    counting = false
    toMs = performance.now()
    const { user, system } = process.cpuUsage(cpuFrom)
    cpuUs = user + system
    atEdges?.()
    // What is under way is answered, so that nothing of it is left for what is measured next.
    ended = true
  }, warmUpMs + countedMs)

  const open = (): Promise<void> =>
    new Promise((resolve) => {
      const answers = new AnswerReader(status, () => {
        if (counting) counted++
        if (ended) socket.destroy()
        else socket.write(next(), 'latin1')
      })
      const socket = connect({
        host: hostname,
        port: Number(port),
        onread: {
          // Read at once, so all connections can share it.
          buffer: shared,
          callback: (length, bytes) => {
            try {
              answers.take(bytes, length)
            } catch (error) {
              fail(error as Error)
            }
            return true
          },
        },
      })
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.once('connect', () => socket.write(next(), 'latin1'))
      socket.once('error', fail)
      socket.once('close', () => {
        if (!ended) fail(new Error('the server ended a connection'))
        resolve()
      })
    })
  const shared = new Uint8Array(receiveBytes)
  await Promise.all(Array.from({ length: connections }, open))
  clearTimeout(opens)
  clearTimeout(closes)
  if (failure) throw failure
  const seconds = (toMs - fromMs) / 1_000
  return { perSecond: counted / seconds, requests: counted, generatorShare: cpuUs / 1e6 / seconds }
}

/** Looks at no more of an answer than where it ends and what its status is. */
class AnswerReader {
  readonly #status: string
  readonly #answered: () => void
  /** Of the body, what is still to come. */
  #left = 0
  #begun: Buffer | undefined

  constructor(status: number, answered: () => void) {
    this.#status = String(status)
    this.#answered = answered
  }

  take(received: Uint8Array, length: number) {
    if (this.#left > 0) {
      this.#left -= length
      if (this.#left < 0) throw new Error('more than was asked for')
      if (this.#left === 0) this.#answered()
      return
    }
    let bytes = Buffer.from(received.buffer, received.byteOffset, length)
    if (this.#begun) bytes = Buffer.concat([this.#begun, bytes])
    const end = bytes.indexOf(headEnd)
    if (end === -1) {
      this.#begun = Buffer.from(bytes)
      return
    }
    this.#begun = undefined
    if (bytes.toString('latin1', 9, 12) !== this.#status) {
      throw new Error(`answered ${bytes.toString('latin1', 9, 12)} in place of ${this.#status}: ${bytes.toString('latin1', 0, 1_500)}`)
    }
    this.#left = end + headEnd.length + this.#lengthOf(bytes, end) - bytes.length
    if (this.#left < 0) throw new Error('more than was asked for')
    if (this.#left === 0) this.#answered()
  }

  #lengthOf(bytes: Buffer, end: number): number {
    if (this.#status === '304' || this.#status === '204') return 0
    const at = bytes.indexOf(lengthName)
    if (at === -1 || at > end) return lengthOfAnyCase(bytes.toString('latin1', 0, end))
    let length = 0
    for (let index = at + lengthName.length; bytes[index]! >= 48 && bytes[index]! <= 57; index++) length = length * 10 + bytes[index]! - 48
    return length
  }
}

/** Djinn and Node write the name in small letters; others need not. */
function lengthOfAnyCase(head: string): number {
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? []
  if (length === undefined) throw new Error(`an answer without a length: ${head}`)
  return Number(length)
}

/** A request as a string of single bytes. */
export function requestText(url: string, method: string, path: string, headers: Record<string, string>, body?: string): string {
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${new URL(url).host}`]
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  if (body === undefined) return `${lines.join('\r\n')}\r\n\r\n`
  const bytes = Buffer.from(body)
  lines.push('content-type: application/json', `content-length: ${bytes.length}`)
  return `${lines.join('\r\n')}\r\n\r\n${bytes.toString('latin1')}`
}

/** Goes round the given requests. */
export function inTurn(requests: readonly string[]): () => string {
  let at = -1
  return () => requests[(at = (at + 1) % requests.length)]!
}
