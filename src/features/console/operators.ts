// Operators: who they say they are, behind one password; sessions are of this process and end with it.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { limits } from '../../values/limits.ts'

/** `own` came by the password; the others are of the loopback and count there only. */
type Session = { operator: string; own: boolean; untilMs: number; seenMs: number }

const visitorPattern = /^[\w-]{43}$/

export class Operators {
  readonly #secret = randomBytes(32)
  readonly #password: Buffer | undefined
  readonly #now: () => number
  /** By the digest of what the cookie holds. */
  readonly #sessions = new Map<string, Session>()

  constructor(password: string | undefined, now: () => number = Date.now) {
    this.#password = password === undefined ? undefined : digestOf(password)
    this.#now = now
  }

  get canSignIn(): boolean {
    return this.#password !== undefined
  }

  isPassword(password: string): boolean {
    return this.#password !== undefined && timingSafeEqual(digestOf(password), this.#password)
  }

  /** What a visitor's cookie holds until somebody signs in; nothing is kept for it. */
  newVisitor(): string {
    return randomBytes(32).toString('base64url')
  }

  isVisitor(cookie: string | undefined): cookie is string {
    return cookie !== undefined && visitorPattern.test(cookie)
  }

  /** What a changing call carries beside the cookie: only a page that may read our answers has it. */
  tokenOf(cookie: string): string {
    return createHmac('sha256', this.#secret).update(cookie).digest('base64url')
  }

  isToken(cookie: string, token: string | undefined): boolean {
    return token !== undefined && timingSafeEqual(digestOf(token), digestOf(this.tokenOf(cookie)))
  }

  /** Who the cookie is of; null when it is of nobody, or of somebody of the loopback elsewhere. */
  find(cookie: string | undefined, atHome: boolean): string | null {
    if (!this.isVisitor(cookie)) return null
    const key = keyOf(cookie)
    const session = this.#sessions.get(key)
    const nowMs = this.#now()
    if (!session) return null
    if (session.untilMs <= nowMs || session.seenMs + limits.consoleIdleMs <= nowMs) {
      this.#sessions.delete(key)
      return null
    }
    if (!session.own && !atHome) return null
    session.seenMs = nowMs
    return session.operator
  }

  /** Opens a session and answers its cookie; the one before is of nobody any more. */
  open(operator: string, own: boolean, before: string | undefined): string {
    if (before !== undefined) this.end(before)
    const nowMs = this.#now()
    for (const [key, session] of this.#sessions) if (session.untilMs <= nowMs) this.#sessions.delete(key)
    if (this.#sessions.size >= limits.consoleSessionsMax) {
      const unsigned = [...this.#sessions].find(([, session]) => !session.own)
      this.#sessions.delete(unsigned?.[0] ?? this.#sessions.keys().next().value!)
    }
    const cookie = this.newVisitor()
    this.#sessions.set(keyOf(cookie), { operator, own, untilMs: nowMs + limits.consoleSessionMs, seenMs: nowMs })
    return cookie
  }

  end(cookie: string) {
    this.#sessions.delete(keyOf(cookie))
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text.normalize('NFKC')).digest()
}

function keyOf(cookie: string): string {
  return createHash('sha256').update(cookie).digest('base64url')
}
