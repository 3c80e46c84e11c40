// Who calls: the bearer token of the Authorization header, resolved by the identity feature.
import type { Principal } from './operation.ts'

/** Answers whose token it is, or null when it is nobody's (any more); `anew` looks past what is remembered. */
export type Authenticate = (token: string, anew?: boolean) => Promise<Principal | null>

/** The token, or null without an Authorization header; a header of another scheme is a token that is nobody's. */
export function bearerToken(header: string | undefined): string | null {
  if (header === undefined) return null
  return /^Bearer ([A-Za-z0-9._~+/=-]{1,500})$/i.exec(header)?.[1] ?? ''
}
