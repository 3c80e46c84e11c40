// LISTEN on a connection of its own, past any pooler: what one process commits, every process hears within moments.
import pg from 'pg'

const reconnectMs = 500
const beatMs = 5_000

export class Notifications {
  readonly #url: string
  readonly #log: (message: string, error: unknown) => void
  readonly #handlers = new Map<string, ((payload: string) => void)[]>()
  readonly #gapHandlers: (() => void)[] = []
  #client: pg.Client | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #listens: Promise<unknown> = Promise.resolve()
  /** False while nothing can be heard: caches must not be trusted then. */
  listening = false

  constructor(url: string, log: (message: string, error: unknown) => void) {
    this.#url = url
    this.#log = log
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
      this.#client = client
      for (const handler of this.#gapHandlers) handler()
      this.listening = true
      this.#beat(client)
    } catch (error) {
      this.#lost(client, error)
    }
  }

  /** A connection that is silently dead hears nothing: asked now and then, it must answer. */
  #beat(client: pg.Client) {
    this.#timer = setTimeout(() => {
      const late = setTimeout(() => this.#lost(client, new Error('the connection does not answer')), 1_000)
      client.query('select 1').then(
        () => {
          clearTimeout(late)
          if (this.#client === client && !this.#closed) this.#beat(client)
        },
        () => clearTimeout(late),
      )
    }, beatMs)
    this.#timer.unref()
  }

  #lost(client: pg.Client, error: unknown) {
    if (this.#closed || (this.#client !== undefined && this.#client !== client)) return
    if (this.listening) this.#log('cannot hear the database; caches are bypassed', error)
    this.listening = false
    this.#client = undefined
    clearTimeout(this.#timer)
    client.removeAllListeners('end')
    void client.end().catch(() => {})
    this.#timer = setTimeout(() => void this.open(), reconnectMs)
    this.#timer.unref()
  }

  async close() {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#client?.end().catch(() => {})
  }
}
