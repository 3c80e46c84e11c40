// LISTEN on a connection of its own, past any pooler: what one process commits, every process hears within moments.
// A connection that died in silence is told by its beat, so that whoever trusts what was heard stops doing so within the second.
import assert from 'node:assert/strict'
import pg from 'pg'
import { limits } from '../values/limits.ts'

const reconnectMs = 500
/** How often the connection is asked for a sign of life. */
const beatMs = 200
/** What was heard so long ago is not trusted any more. */
const heardMsMax = 900
/** A connection that does not answer for so long is given up, and made anew. */
const lostMs = 2_000

assert(heardMsMax < 1_000 && limits.flagsLookMs < 1_000, 'A change is in force on every process within a second.')
assert(heardMsMax >= 4 * beatMs, 'One late beat is no doubt.')

export class Notifications {
  readonly #url: string
  readonly #log: (message: string, error: unknown) => void
  readonly #handlers = new Map<string, ((payload: string) => void)[]>()
  readonly #gapHandlers: (() => void)[] = []
  readonly #doubtHandlers: (() => void)[] = []
  #client: pg.Client | undefined
  #timer: NodeJS.Timeout | undefined
  #doubt: NodeJS.Timeout | undefined
  #closed = false
  #listens: Promise<unknown> = Promise.resolve()
  /** All that was committed before this moment has been heard. */
  #heardUntilMs = -Infinity

  constructor(url: string, log: (message: string, error: unknown) => void) {
    this.#url = url
    this.#log = log
  }

  /** False while something may have been committed a while ago and not been heard: caches must not be trusted then. */
  get listening(): boolean {
    return performance.now() - this.#heardUntilMs < heardMsMax
  }

  on(channel: string, handler: (payload: string) => void) {
    this.#handlers.set(channel, [...(this.#handlers.get(channel) ?? []), handler])
    this.#listens = this.#listens.then(async () => await this.#client?.query(`listen ${channel}`)).catch(() => {})
  }

  /** Tells all processes, this one included; lost while the connection is. */
  async notify(channel: string, payload: string) {
    try {
      await this.#client?.query('select pg_notify($1, $2)', [channel, payload])
    } catch (error) {
      this.#log('a notification was lost', error)
    }
  }

  /** Called whenever messages may have been missed. */
  onGap(handler: () => void) {
    this.#gapHandlers.push(handler)
  }

  /** Called when `listening` has become false. */
  onDoubt(handler: () => void) {
    this.#doubtHandlers.push(handler)
  }

  async open() {
    if (this.#closed) return
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'djinn listen',
      connectionTimeoutMillis: 2_000,
      keepAlive: true,
    })
    client.on('error', (error) => this.#lost(client, error))
    client.on('end', () => this.#lost(client, new Error('the connection ended')))
    client.on('notification', ({ channel, payload }) => {
      for (const handler of this.#handlers.get(channel) ?? []) handler(payload ?? '')
    })
    try {
      await client.connect()
      for (const channel of this.#handlers.keys()) await client.query(`listen ${channel}`)
      const askedMs = performance.now()
      await client.query('')
      this.#client = client
      for (const handler of this.#gapHandlers) handler()
      this.#heard(askedMs)
      this.#beat(client)
    } catch (error) {
      this.#lost(client, error)
    }
  }

  #heard(untilMs: number) {
    this.#heardUntilMs = untilMs
    clearTimeout(this.#doubt)
    this.#doubt = setTimeout(
      () => {
        for (const handler of this.#doubtHandlers) handler()
      },
      // A timer may be early by a part of a millisecond.
      Math.ceil(untilMs + heardMsMax - performance.now()) + 1,
    )
    this.#doubt.unref()
  }

  /**
   * An empty question, whose answer comes behind all that was told before it. It costs the database nothing: a NOTIFY to oneself would write
   * to the log, five times a second and process, and take the lock that all of them share.
   */
  #beat(client: pg.Client) {
    this.#timer = setTimeout(() => {
      const askedMs = performance.now()
      const late = setTimeout(() => this.#lost(client, new Error('the connection does not answer')), lostMs)
      client.query('').then(
        () => {
          clearTimeout(late)
          if (this.#client !== client || this.#closed) return
          this.#heard(askedMs)
          this.#beat(client)
        },
        () => clearTimeout(late),
      )
    }, beatMs)
    this.#timer.unref()
  }

  #lost(client: pg.Client, error: unknown) {
    if (this.#closed || (this.#client !== undefined && this.#client !== client)) return
    const known = this.#client !== undefined
    if (known) this.#log('cannot hear the database; caches are bypassed', error)
    this.#heardUntilMs = -Infinity
    this.#client = undefined
    clearTimeout(this.#timer)
    clearTimeout(this.#doubt)
    if (known) for (const handler of this.#doubtHandlers) handler()
    client.removeAllListeners('end')
    void client.end().catch(() => {})
    this.#timer = setTimeout(() => void this.open(), reconnectMs)
    this.#timer.unref()
  }

  async close() {
    this.#closed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#doubt)
    await this.#client?.end().catch(() => {})
  }
}
