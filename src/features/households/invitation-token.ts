// The token of an invitation: the household that it leads to and 256 random bits, of which the database keeps only a SHA-256.
import { createHash, randomBytes } from 'node:crypto'

/** 16 bytes of the household's id and 32 random ones, as 64 characters that fit a link. */
export function newInvitationToken(household: string): string {
  return Buffer.concat([Buffer.from(household.replaceAll('-', ''), 'hex'), randomBytes(32)]).toString('base64url')
}

/** Where to look for the token, and under which hash; null for what cannot be one. */
export function readInvitationToken(token: string): { household: string; hash: Buffer } | null {
  if (!/^[A-Za-z0-9_-]{64}$/.test(token)) return null
  const hex = Buffer.from(token, 'base64url').toString('hex', 0, 16)
  const household = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return { household, hash: hashInvitationToken(token) }
}

export function hashInvitationToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** The page of the app that asks before it accepts. Behind the `#`, the token stays out of servers' logs. */
export function invitationLink(appUrl: string, token: string): string {
  return `${appUrl}/join#token=${token}`
}
