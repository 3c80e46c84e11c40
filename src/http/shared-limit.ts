// Sliding windows that several processes share through Redis, insured by those of this process.
import { createHmac } from 'node:crypto'
import type { Redis } from '../resources/redis.ts'
import { limits } from '../values/limits.ts'
import { SlidingWindows, type Share, type Verdict } from './limit.ts'
import { windowScript } from './window-script.ts'

/** Decided at once where this process can, else when Redis has answered. */
export type Decision = Verdict | Promise<Verdict>

export type Windows = {
  take: (key: string, cost: number, limit: number, share?: Share) => Decision
  look: (key: string, cost: number, limit: number) => Decision
}

/** Continues at once with what is decided already: without Redis no call waits for a turn. */
export function decided<T>(decision: Decision, go: (verdict: Verdict) => T): T | Promise<T> {
  return decision instanceof Promise ? decision.then(go) : go(decision)
}

export type SharedWindowsOptions = {
  redis: Redis
  /** Keeps addresses, users and accounts out of Redis: a key is their HMAC, and another installation's is another. */
  secret: Buffer
  /** Told of each decision that this process made alone because Redis could not be asked. */
  fellBack: () => void
  windowMs?: number
}

/**
 * A place is taken in the own window first and then in the shared one. What the own one refuses needs no trip, as all hold no less; and
 * with Redis gone, stalled or emptied no process lets more through than the limit, so that two of them let through twice of it at most.
 */
export class SharedWindows implements Windows {
  readonly #options: SharedWindowsOptions
  readonly #windowMs: number
  readonly #own: SlidingWindows

  constructor(options: SharedWindowsOptions) {
    this.#options = options
    this.#windowMs = options.windowMs ?? limits.rateWindowMs
    this.#own = new SlidingWindows(this.#windowMs)
  }

  take(key: string, cost: number, limit: number, share: Share = 'all'): Decision {
    const own = this.#own.take(key, cost, limit, share)
    if (own.taken === 0 || this.#isAlone()) return own
    return this.#ask(key, own.taken, limit, share).then(
      (shared) => {
        this.#own.giveBack(key, own.atMs, own.taken - shared.taken)
        return stricter({ ...shared, allowed: shared.taken === cost }, own)
      },
      () => this.#alone(own),
    )
  }

  look(key: string, cost: number, limit: number): Decision {
    const own = this.#own.look(key, cost, limit)
    if (!own.allowed || this.#isAlone()) return own
    return this.#ask(key, cost, limit, 'look').then(
      (shared) => stricter(shared, own),
      () => this.#alone(own),
    )
  }

  #isAlone(): boolean {
    if (this.#options.redis.usable) return false
    this.#options.fellBack()
    return true
  }

  #alone(own: Verdict): Verdict {
    this.#options.fellBack()
    return own
  }

  async #ask(key: string, cost: number, limit: number, share: Share | 'look'): Promise<Verdict> {
    const name = createHmac('sha256', this.#options.secret).update(`${this.#windowMs} ${key}`).digest('base64url')
    const values = [this.#windowMs * 1_000, limit, cost, share]
    return verdictOf(await this.#options.redis.run('limit', windowScript, `djinn:limit:${name}`, values), cost, limit, share)
  }
}

/** Reads what the script answers. */
export function verdictOf(answer: unknown, cost: number, limit: number, share: Share | 'look'): Verdict {
  const [taken, held, resetUs, retryUs] = answer as [number, number, number, number]
  const seconds = (us: number) => (us === 0 ? 0 : Math.max(1, Math.ceil(us / 1_000_000)))
  return {
    allowed: share === 'look' ? held + cost <= limit : taken === cost,
    taken,
    atMs: 0,
    remaining: Math.max(0, limit - held),
    resetS: seconds(resetUs),
    retryAfterS: seconds(retryUs),
  }
}

/** After Redis was emptied the own window knows of more than the shared one. */
function stricter(shared: Verdict, own: Verdict): Verdict {
  const retryAfterS = shared.allowed ? 0 : Math.max(shared.retryAfterS, own.retryAfterS)
  return own.remaining < shared.remaining
    ? { ...shared, retryAfterS, remaining: own.remaining, resetS: own.resetS }
    : { ...shared, retryAfterS }
}
