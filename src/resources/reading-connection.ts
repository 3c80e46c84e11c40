// A connection that short reads share: their trips follow one another on it without waiting for answers.
import pg from 'pg'
import { limits } from '../values/limits.ts'
import { types } from './types.ts'

/** Of the pace, how much of it the last trip tells. Answers come in bunches, up to a hundred at a time, so less would tell of bunches. */
const lastShare = 1 / 256

export class ReadingConnection {
  readonly #url: string
  readonly #log: ((message: string, error: unknown) => void) | undefined
  #client: Promise<pg.Client> | undefined
  #busySinceMs = 0
  /** Trips that were sent and not answered yet. */
  inFlight = 0
  /** What a trip takes at present, those before it not counted. */
  paceMs = 0

  constructor(url: string, log?: (message: string, error: unknown) => void) {
    this.#url = url
    this.#log = log
  }

  /** The connection, opened when there is none or the last one broke. */
  open(): Promise<pg.Client> {
    if (this.#client) return this.#client
    const opening = this.#connect(() => {
      if (this.#client === opening) this.#client = undefined
    })
    this.#client = opening
    return opening
  }

  /** To be told of each trip, and of its answer. */
  sent() {
    if (this.inFlight++ === 0) this.#busySinceMs = performance.now()
  }

  answered() {
    const nowMs = performance.now()
    this.inFlight--
    this.paceMs += (nowMs - this.#busySinceMs - this.paceMs) * lastShare
    this.#busySinceMs = nowMs
  }

  /** Ends it; reads in flight are cut off, and the next open gets another. */
  async close() {
    const former = this.#client
    this.#client = undefined
    await former?.then((client) => client.end()).catch(() => {})
  }

  async #connect(forget: () => void): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'djinn reads',
      connectionTimeoutMillis: limits.poolWaitMsMax,
      keepAlive: true,
      pipeline: true,
      types,
    })
    client.on('error', (error) => {
      forget()
      this.#log?.('the shared reading connection broke', error)
    })
    client.on('end', forget)
    try {
      await client.connect()
      return client
    } catch (error) {
      forget()
      throw error
    }
  }
}
