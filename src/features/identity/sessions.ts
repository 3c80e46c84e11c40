// Signing in and staying so: issuing, rotating and recognising tokens, with a cache that revocation empties within the second.
import { randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { Failure } from '../../values/failure.ts'
import { newId } from '../../values/id.ts'
import { limits } from '../../values/limits.ts'
import type { Authenticate } from '../../http/authenticate.ts'
import type { Principal, Role } from '../../http/operation.ts'
import type { Database } from '../../resources/database.ts'
import type { Runner } from '../../resources/transaction.ts'
import type { Notifications } from '../../resources/notifications.ts'
import {
  endOldestSessions,
  insertRefresh,
  insertSession,
  lockRefresh,
  membershipsOf,
  refreshState,
  renewSession,
  revokeSession,
  sessionByAccess,
  useRefresh,
} from './store.ts'
import type { SharedSessions } from './shared-sessions.ts'
import { deriveSuccessors, hashToken, newToken } from './tokens.ts'

export type Tokens = { accessToken: string; refreshToken: string; expiresIn: number }

/** Starts a session within a transaction. */
export async function startSession(tx: Runner, userId: string, deviceName: string | null): Promise<Tokens & { sessionId: string }> {
  const tokens = { accessToken: newToken(), refreshToken: newToken() }
  const sessionId = newId()
  await Promise.all([
    tx.run(insertSession, {
      id: sessionId,
      user: userId,
      deviceName,
      accessHash: hashToken(tokens.accessToken),
      accessSeconds: limits.accessTokenS,
      refreshDays: limits.refreshTokenDays,
    }),
    tx.run(insertRefresh, { hash: hashToken(tokens.refreshToken), session: sessionId }),
    tx.run(endOldestSessions, { user: userId, keep: limits.sessionsPerUserMax }),
  ])
  return { ...tokens, expiresIn: limits.accessTokenS, sessionId }
}

export type Rotation = { tokens: Tokens; userId: string } | { reused: true; userId: string; sessionId: string }

/**
 * Exchanges a refresh token for the next pair. An old token within 10 s gets the same pair again, as long as nobody went on
 * with it; later it is taken for stolen, and the whole session ends (the caller must commit that).
 */
export async function rotate(tx: Runner, refreshToken: string): Promise<Rotation> {
  const hash = hashToken(refreshToken)
  const [found] = await tx.run(lockRefresh, { hash })
  if (!found || !found.live) throw new Failure('refresh-refused', 'The refresh token is not valid; sign in again.', { at: '/refreshToken' })
  // Read again under the lock: another refresh may have used it while this one waited.
  const [current] = await tx.run(lockRefresh, { hash })
  const { sessionId, userId, nonce, usedMsAgo } = current!
  if (usedMsAgo !== null) {
    const again = deriveSuccessors(refreshToken, nonce!)
    const [successor] = await tx.run(refreshState, { hash: hashToken(again.refreshToken) })
    if (usedMsAgo <= limits.refreshRetryMs && successor?.used === false) {
      return { tokens: { ...again, expiresIn: limits.accessTokenS }, userId }
    }
    await tx.run(revokeSession, { user: userId, id: sessionId, reason: 'a used refresh token came back' })
    return { reused: true, userId, sessionId }
  }
  const fresh = randomBytes(16)
  const next = deriveSuccessors(refreshToken, fresh)
  await Promise.all([
    tx.run(useRefresh, { hash, nonce: fresh }),
    tx.run(insertRefresh, { hash: hashToken(next.refreshToken), session: sessionId }),
    tx.run(renewSession, {
      id: sessionId,
      accessHash: hashToken(next.accessToken),
      accessSeconds: limits.accessTokenS,
      refreshDays: limits.refreshTokenDays,
    }),
  ])
  return { tokens: { ...next, expiresIn: limits.accessTokenS }, userId }
}

type Cached = { principal: Principal; expiresAtMs: number; tokenKey: string }

/** Recognises access tokens; the answers are kept until the database tells of a change, and not at all while it cannot tell. */
export function makeAuthenticate(
  database: Database,
  notifications: Notifications,
  onLook: (hit: boolean) => void = () => {},
  shared: SharedSessions | null = null,
): Authenticate {
  const byToken = new LRUCache<string, Cached>({ max: limits.sessionsCachedMax })
  const tokensOf = new LRUCache<string, Set<string>>({ max: limits.sessionsCachedMax * 2 })
  // What each reading under way has heard meanwhile: a row read before a revocation must not be cached after it.
  const readings = new Set<Set<string>>()
  const forget = (key: string) => {
    for (const heard of readings) heard.add(key)
    for (const token of tokensOf.get(key) ?? []) byToken.delete(token)
    tokensOf.delete(key)
  }
  notifications.on('djinn_sessions', (id) => forget(`s ${id}`))
  notifications.on('djinn_users', (id) => forget(`u ${id}`))
  notifications.onGap(() => {
    for (const heard of readings) heard.add('all')
    byToken.clear()
    tokensOf.clear()
  })
  const remember = (cached: Cached) => {
    byToken.set(cached.tokenKey, cached)
    for (const key of [`s ${cached.principal.sessionId}`, `u ${cached.principal.userId}`]) {
      const tokens = tokensOf.get(key) ?? new Set()
      tokens.add(cached.tokenKey)
      tokensOf.set(key, tokens)
    }
  }
  const read = async (accessHash: Buffer): Promise<{ principal: Principal; expiresAtMs: number } | null> => {
    const [session] = await database.reader({}).run(sessionByAccess, { accessHash })
    if (!session) return null
    const memberships = await database.reader({ user: session.userId }).run(membershipsOf, { user: session.userId })
    const principal: Principal = {
      userId: session.userId,
      sessionId: session.id,
      tier: session.tier as Principal['tier'],
      memberships: new Map(memberships.map(({ householdId, role, ...row }) => [householdId, { role: role as Role, ...row }])),
    }
    return { principal, expiresAtMs: session.expiresAtMs }
  }
  return async (token, anew = false) => {
    if (token === '') return null
    const accessHash = hashToken(token)
    const tokenKey = accessHash.toString('base64url')
    const cached = byToken.get(tokenKey)
    const remembered = cached !== undefined && notifications.listening && !anew
    onLook(remembered)
    if (remembered) {
      if (cached.expiresAtMs > Date.now()) return cached.principal
      byToken.delete(tokenKey)
      return null
    }
    const begunMs = shared?.begin()
    const heard = new Set<string>()
    readings.add(heard)
    try {
      const lent = shared && !anew ? await shared.read(tokenKey) : null
      const found = lent ?? (await read(accessHash))
      if (!found) return null
      const { principal } = found
      const stale = ['all', `s ${principal.sessionId}`, `u ${principal.userId}`].some((key) => heard.has(key))
      if (notifications.listening && !stale) {
        remember({ ...found, tokenKey })
        if (shared && !lent) shared.write(tokenKey, found, begunMs!)
        // What was heard of while Redis answered is asked of the database.
      } else if (lent) return (await read(accessHash))?.principal ?? null
      return principal
    } finally {
      readings.delete(heard)
    }
  }
}
