// The connection that all short reads share: their trips follow one another on it without waiting for answers.
import pg from 'pg'
import { limits } from '../values/limits.ts'
import { types } from './types.ts'

export class ReadingConnection {
  readonly #url: string
  readonly #log: ((message: string, error: unknown) => void) | undefined
  #client: Promise<pg.Client> | undefined

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
