// Opaque tokens: 256 random bits, of which the database keeps only a SHA-256.
import { hash, createHmac, randomBytes } from 'node:crypto'

export function newToken(): string {
  return randomBytes(32).toString('base64url')
}

export function hashToken(token: string): Buffer {
  return hash('sha256', token, 'buffer')
}

/**
 * The tokens that follow a refresh token. They are derived from it and a nonce kept beside its hash, so that whoever lost
 * the answer gets the same tokens again, while neither the database alone nor the old token alone gives them away.
 */
export function deriveSuccessors(refreshToken: string, nonce: Buffer): { accessToken: string; refreshToken: string } {
  const derive = (purpose: string) => createHmac('sha256', refreshToken).update(nonce).update(purpose).digest('base64url')
  return { accessToken: derive('access'), refreshToken: derive('refresh') }
}
