// Redis, on which nothing may depend: it is given up as soon as it does not answer, and comes back by itself.
import { createHash } from 'node:crypto'
import type { Redis as Client } from 'ioredis'
import type { Logger } from 'pino'
import { limits } from '../values/limits.ts'
import { gather } from './gather.ts'
import type { RedisFigures, RedisPurpose } from './redis-figures.ts'

/** What runs in Redis as one step, known to it by its digest. */
export type Script = { lua: string; sha: string }

export function script(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') }
}

/** Gone, stalled, full or refusing: whoever asked goes on without. */
export class RedisUnusable extends Error {}

export type RedisTrouble = 'gone' | 'stalled' | 'full' | 'refused'

/** Writes by a script, as all that is asked of it: a Redis that is full, or may only be read, is of no use. */
const probe = `return redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])`

/** What was up for so long does not come and go. */
const steadyMs = 10_000

type Waiting = { sentMs: number; giveUp: (error: Error) => void }

export class Redis {
  readonly #url: string
  readonly #answerMs: number
  readonly #log: Pick<Logger, 'info' | 'warn'>
  readonly #figures: RedisFigures
  /** Undefined while it cannot be used. */
  #client: Client | undefined
  /** In the order in which they were sent, which is that of the answers. */
  readonly #waiting = new Set<Waiting>()
  #deadline: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined
  #retryMs: number = limits.redisRetryMs
  #upSinceMs = 0
  /** Told of already. */
  #down = false
  #closed = false

  /** `answerMs` is how long an answer may take. */
  constructor(options: { url: string; log: Pick<Logger, 'info' | 'warn'>; figures: RedisFigures; answerMs?: number }) {
    this.#url = options.url
    this.#answerMs = options.answerMs ?? limits.redisAnswerMs
    this.#log = options.log
    this.#figures = options.figures
    this.#figures.usable = () => this.usable
  }

  /** Whether it answered when it was last asked. */
  get usable(): boolean {
    return this.#client !== undefined
  }

  /** Whether it could be reached or not, this comes back within `redisConnectMs`. */
  async open() {
    try {
      const client = await connectRedis(this.#url, this.#answerMs)
      if (this.#closed) return client.disconnect()
      this.#client = client
      this.#upSinceMs = performance.now()
      client.once('end', () => this.#lose(client, 'gone', 'the connection ended'))
      if (this.#down) this.#log.info('Redis is back: limits are shared again')
      this.#down = false
    } catch (error) {
      if (!this.#down) this.#tell(troubleOf(error as Error), (error as Error).message)
      this.#tryLater()
    }
  }

  /** Runs a script on one key; refused with RedisUnusable at the latest after `redisAnswerMs`. */
  run(purpose: RedisPurpose, { lua, sha }: Script, key: string, values: readonly (string | number)[]): Promise<unknown> {
    return this.#ask(purpose, (client) =>
      client.evalsha(sha, 1, key, ...values).catch((error: Error) => {
        // It was restarted, or its scripts were flushed.
        if (!error.message.startsWith('NOSCRIPT')) throw error
        return client.eval(lua, 1, key, ...values)
      }),
    )
  }

  get(purpose: RedisPurpose, key: string): Promise<Buffer | null> {
    return this.#ask(purpose, (client) => client.getBuffer(key))
  }

  set(purpose: RedisPurpose, key: string, value: Buffer, lifeMs: number): Promise<unknown> {
    return this.#ask(purpose, (client) => client.set(key, value, 'PX', lifeMs))
  }

  #ask<T>(purpose: RedisPurpose, send: (client: Client) => Promise<T>): Promise<T> {
    const client = this.#client
    if (!client) return Promise.reject(new RedisUnusable('Redis cannot be used'))
    return new Promise((resolve, reject) => {
      const waiting = { sentMs: performance.now(), giveUp: reject }
      this.#waiting.add(waiting)
      this.#deadline ??= setTimeout(() => this.#look(), this.#answerMs)
      gather(client.stream)
      send(client).then(
        (value) => {
          this.#waiting.delete(waiting)
          this.#figures.trip(purpose, performance.now() - waiting.sentMs)
          resolve(value)
        },
        (error: Error) => {
          this.#lose(client, troubleOf(error), error.message)
          reject(new RedisUnusable(error.message))
        },
      )
    })
  }

  /** One timer for all that wait: the oldest is the first to be late. */
  #look() {
    this.#deadline = undefined
    const [oldest] = this.#waiting
    const client = this.#client
    if (!oldest || !client) return
    const leftMs = oldest.sentMs + this.#answerMs - performance.now()
    if (leftMs > 0) {
      this.#deadline = setTimeout(() => this.#look(), Math.ceil(leftMs))
      return
    }
    // When it was this process that was busy, the answer lies in the socket and is read before this comes round.
    setImmediate(() => {
      if (this.#waiting.has(oldest)) this.#lose(client, 'stalled', `no answer within ${this.#answerMs} ms`)
      else if (this.#waiting.size > 0) this.#deadline ??= setTimeout(() => this.#look(), this.#answerMs)
    })
  }

  #lose(client: Client, trouble: RedisTrouble, detail: string) {
    if (this.#client !== client) return
    this.#client = undefined
    for (const { giveUp } of this.#waiting) giveUp(new RedisUnusable(detail))
    this.#waiting.clear()
    client.disconnect()
    if (this.#closed) return
    this.#tell(trouble, detail)
    // One that comes and goes is asked less and less often.
    if (performance.now() - this.#upSinceMs >= steadyMs) this.#retryMs = limits.redisRetryMs
    this.#tryLater()
  }

  /** The message alone: the errors of the library carry the command with all it was given, passwords too. */
  #tell(trouble: RedisTrouble, detail: string) {
    this.#down = true
    this.#figures.failed(trouble)
    this.#log.warn({ trouble, detail }, 'Redis cannot be used: each process keeps limits in its own memory')
  }

  #tryLater() {
    if (this.#closed) return
    this.#retry = setTimeout(() => void this.open(), this.#retryMs)
    this.#retry.unref()
    this.#retryMs = Math.min(this.#retryMs * 2, limits.redisRetryMsMax)
  }

  close() {
    this.#closed = true
    clearTimeout(this.#retry)
    clearTimeout(this.#deadline)
    const client = this.#client
    if (client) this.#lose(client, 'gone', 'closing')
  }
}

/** A connection that has just answered in time. Without Redis the library is not loaded: it takes 15 MB. */
export async function connectRedis(url: string, answerMs: number = limits.redisAnswerMs): Promise<Client> {
  const { Redis: Library } = await import('ioredis')
  const client = new Library(url, {
    lazyConnect: true,
    protocol: 2,
    connectionName: 'djinn',
    disableClientInfo: true,
    connectTimeout: limits.redisConnectMs,
    // Whatever goes wrong ends the connection, and the next one is a new client: nothing is sent twice or late.
    retryStrategy: () => null,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
  })
  let reason: Error | undefined
  client.on('error', (error: Error) => (reason ??= error))
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${limits.redisConnectMs} ms`)), limits.redisConnectMs)
  try {
    await Promise.race([client.connect(), late.promise])
    const sentMs = performance.now()
    await Promise.race([client.eval(probe, 1, 'djinn:probe', 1_000), late.promise])
    if (performance.now() - sentMs > answerMs) throw new Error(`no answer within ${answerMs} ms`)
    return client
  } catch (error) {
    client.disconnect()
    throw reason ?? error
  } finally {
    clearTimeout(timer)
  }
}

function troubleOf({ name, message }: Error): RedisTrouble {
  if (message.startsWith('OOM ') || message.includes('-OOM ')) return 'full'
  if (name === 'ReplyError') return 'refused'
  return message.startsWith('no answer') ? 'stalled' : 'gone'
}
