// The open connections: each request takes the one that has been idle longest, so that all of them stay open as those of phones do.
import { Connection, type Fault, type Outcome } from './connection.ts'

type Waiting = { bytes: string; sent: () => void; done: (outcome: Outcome) => void; again: boolean }

/** How many are opened at once at the beginning: the server's queue of new ones holds 511. */
const openingMax = 64
export const answerTimeoutMs = 35_000

export class Connections {
  readonly #url: URL
  readonly #idle: Connection[] = []
  #head = 0
  readonly #all = new Set<Connection>()
  readonly #queue: Waiting[] = []
  #queueHead = 0
  readonly #watch: NodeJS.Timeout
  #closing = false
  #opened = 0
  /** How many were opened in place of those that the server ended. */
  reopened = 0
  /** How many requests found none idle. */
  waited = 0

  constructor(url: URL) {
    this.#url = url
    this.#watch = setInterval(() => this.#cutLate(), 1_000)
  }

  get open(): number {
    return this.#all.size
  }

  /** Opens so many; throws when the server does not take them. */
  async openAll(count: number) {
    let left = count
    const openNext = async () => {
      while (left-- > 0) {
        const fault = await new Promise<Fault | null>((resolve) => this.#open(resolve))
        if (fault === null) {
          this.#opened++
          continue
        }
        throw new Error(
          this.#opened === 0
            ? `${this.#url.origin} takes no connection; is it running?`
            : `${this.#url.origin} took ${this.#opened} connections and no more; may it and this process open so many files?`,
        )
      }
    }
    await Promise.all(Array.from({ length: Math.min(openingMax, count) }, openNext))
  }

  /** Sends at once if a connection is idle, else when one is; `sent` is told when the bytes go. */
  send(bytes: string, sent: () => void, done: (outcome: Outcome) => void) {
    this.#dispatch({ bytes, sent, done, again: false })
  }

  close() {
    this.#closing = true
    clearInterval(this.#watch)
    for (const connection of this.#all) connection.cut('reset')
    while (this.#queueHead < this.#queue.length) this.#queue[this.#queueHead++]!.done({ fault: 'reset' })
  }

  #dispatch(waiting: Waiting) {
    const connection = this.#nextIdle()
    if (connection !== undefined) return this.#sendOn(connection, waiting)
    if (!waiting.again) this.waited++
    this.#queue.push(waiting)
  }

  #nextIdle(): Connection | undefined {
    while (this.#head < this.#idle.length) {
      const connection = this.#idle[this.#head++]!
      // A queue by its head: what lies before it is dropped now and then.
      if (this.#head > 10_000) this.#head -= this.#idle.splice(0, this.#head).length
      if (connection.alive) return connection
    }
    return undefined
  }

  #sendOn(connection: Connection, waiting: Waiting) {
    connection.sentAtMs = performance.now()
    waiting.sent()
    connection.send(waiting.bytes, (outcome) => {
      if (connection.alive) this.#release(connection)
      else this.#replace(connection)
      // The server had ended the idle connection while the request was on its way: every client sends it again, once.
      if ('fault' in outcome && outcome.fault === 'reset' && connection.used && !waiting.again && !this.#closing) {
        this.#dispatch({ ...waiting, again: true })
      } else waiting.done(outcome)
    })
  }

  #release(connection: Connection) {
    const next = this.#queue[this.#queueHead]
    if (next === undefined) return void this.#idle.push(connection)
    this.#queueHead++
    if (this.#queueHead > 10_000) this.#queueHead -= this.#queue.splice(0, this.#queueHead).length
    this.#sendOn(connection, next)
  }

  #open(opened: (fault: Fault | null) => void) {
    const connection = new Connection(
      this.#url,
      (fault) => {
        if (fault === null) this.#release(connection)
        else this.#all.delete(connection)
        opened(fault)
      },
      () => this.#replace(connection),
    )
    this.#all.add(connection)
  }

  #replace(connection: Connection) {
    // One that could not be opened is not there any more.
    if (!this.#all.delete(connection) || this.#closing) return
    this.reopened++
    this.#open((fault) => {
      if (fault === null || this.#closing) return
      // Nobody listens: what waits is refused when no connection is left to wait for.
      if (this.#all.size === 0) while (this.#queueHead < this.#queue.length) this.#queue[this.#queueHead++]!.done({ fault: 'refused' })
      setTimeout(() => this.#reopen(), 1_000).unref()
    })
  }

  /** Goes on trying while the run lasts, at most once a second for each connection lost. */
  #reopen() {
    if (this.#closing) return
    this.#open((fault) => {
      if (fault !== null && !this.#closing) setTimeout(() => this.#reopen(), 1_000).unref()
    })
  }

  #cutLate() {
    const before = performance.now() - answerTimeoutMs
    for (const connection of this.#all) if (connection.busy && connection.sentAtMs < before) connection.cut('timeout')
  }
}
