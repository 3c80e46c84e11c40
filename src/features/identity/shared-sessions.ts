// Whose token it is, as another process read it a moment ago: kept in Redis, and never believed against what this process has heard.
import type { Membership, Principal } from '../../http/operation.ts'
import type { Notifications } from '../../resources/notifications.ts'
import type { Redis } from '../../resources/redis.ts'
import type { Vault } from '../../resources/vault.ts'
import { limits } from '../../values/limits.ts'

export type Recognised = { principal: Principal; expiresAtMs: number }

type Kept = {
  principal: Omit<Principal, 'memberships'> & { memberships: [string, Membership][] }
  expiresAtMs: number
  /** When reading it from the database began, by the clock of the machine that did. */
  readAtMs: number
}

export type SharedSessionsOptions = {
  redis: Pick<Redis, 'usable' | 'get' | 'set'>
  /** Whoever can write to Redis must not be able to make a session there, nor whoever reads it learn whose it is. */
  vault: Vault
  notifications: Pick<Notifications, 'on' | 'onGap' | 'listening'>
  /** Monotonic milliseconds. */
  nowMs?: () => number
}

/**
 * A revocation is heard from the database by every process that may serve the session, so nothing has to be deleted in Redis, and nothing that
 * Redis loses or keeps can bring a session back: an entry is younger than `sharedSessionMs`, and is believed only by a process that has listened
 * without a gap for as long as any entry can be old, and heard nothing of its session or user in that time. A row that was read before a
 * revocation and written behind it is no exception: whoever finds it has heard of the revocation.
 */
export class SharedSessions {
  readonly #options: SharedSessionsOptions
  readonly #nowMs: () => number
  /** When each session or user was last heard of, the oldest first. */
  readonly #heard = new Map<string, number>()
  /** Since when nothing was missed. */
  #sinceMs: number

  constructor(options: SharedSessionsOptions) {
    this.#options = options
    this.#nowMs = options.nowMs ?? (() => performance.now())
    this.#sinceMs = this.#nowMs()
    options.notifications.on('djinn_sessions', (id) => this.#hear(`s ${id}`))
    options.notifications.on('djinn_users', (id) => this.#hear(`u ${id}`))
    options.notifications.onGap(() => this.#miss())
  }

  /** Null when it is not there, may be outdated, or Redis does not answer. */
  async read(tokenKey: string): Promise<Recognised | null> {
    if (!this.#options.redis.usable || !this.#isComplete()) return null
    const sealed = await this.#options.redis.get('session', nameOf(tokenKey)).catch(() => null)
    const kept = sealed && this.#open(sealed, tokenKey)
    // By the clocks of two machines: a second guard beside the life that Redis gives it, by its own.
    if (!kept || Math.abs(Date.now() - kept.readAtMs) > limits.sharedSessionMs + limits.sharedSessionWriteMs) return null
    const { principal, expiresAtMs } = kept
    if (expiresAtMs <= Date.now()) return null
    if (!this.#isComplete() || this.#heard.has(`s ${principal.sessionId}`) || this.#heard.has(`u ${principal.userId}`)) return null
    return { principal: { ...principal, memberships: new Map(principal.memberships) }, expiresAtMs }
  }

  /** Keeps what a reading of the database found that began at that moment; whether it could is nobody's concern. */
  write(tokenKey: string, { principal, expiresAtMs }: Recognised, begunMs: number) {
    const ageMs = this.#nowMs() - begunMs
    if (!this.#options.redis.usable || ageMs > limits.sharedSessionWriteMs) return
    const kept: Kept = {
      principal: { ...principal, memberships: [...principal.memberships] },
      expiresAtMs,
      readAtMs: Date.now() - ageMs,
    }
    const sealed = this.#options.vault.seal(JSON.stringify(kept), purposeOf(tokenKey))
    this.#options.redis.set('session', nameOf(tokenKey), sealed, limits.sharedSessionMs).catch(() => {})
  }

  /** The moment that a reading begins at. */
  begin(): number {
    return this.#nowMs()
  }

  #open(sealed: Buffer, tokenKey: string): Kept | null {
    try {
      return JSON.parse(this.#options.vault.open(sealed, purposeOf(tokenKey))) as Kept
    } catch {
      return null
    }
  }

  /** Whether it knows of all that happened since the oldest entry can have been read. */
  #isComplete(): boolean {
    const oldestMs = this.#nowMs() - limits.sharedSessionHearingMs
    for (const [key, atMs] of this.#heard) {
      if (atMs > oldestMs) break
      this.#heard.delete(key)
    }
    return this.#options.notifications.listening && this.#sinceMs <= oldestMs
  }

  #hear(key: string) {
    this.#heard.delete(key)
    if (this.#heard.size >= limits.sessionsHeardMax) this.#miss()
    this.#heard.set(key, this.#nowMs())
  }

  #miss() {
    this.#heard.clear()
    this.#sinceMs = this.#nowMs()
  }
}

const nameOf = (tokenKey: string) => `djinn:session:${tokenKey}`
/** Of one token: what was sealed for another one does not open. */
const purposeOf = (tokenKey: string) => `shared session ${tokenKey}`
