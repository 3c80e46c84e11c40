// What people sign in with, and how its refusals are said: shared by sign-up, sign-in and recovery.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { id, text } from '../../http/parameters.ts'
import { userShape } from './me.ts'
import { passwordWeakness } from './passwords.ts'

export const email = z
  .string()
  .max(254)
  .regex(/^[^\s@<>"]{1,64}@[^\s@<>"]{1,189}$/, { error: 'must be an e-mail address' })
  .meta({ format: 'email' })
export const password = z
  .string()
  .max(1_024)
  .meta({ description: '8 to 256 characters, not a common one; any character.', format: 'password' })
export const deviceName = text(100, 1)
export const tokens = {
  accessToken: z.string(),
  refreshToken: z.string(),
  expiresIn: z.int().meta({ description: 'Seconds until the access token ends.' }),
}
export const signedIn = z.strictObject({ ...tokens, user: userShape, household: z.looseObject({ id }) })

/** What makes two spellings the same address. */
export function keyOf(address: string): string {
  return address.trim().normalize('NFKC').toLowerCase()
}

export async function refuseWeak(chosen: string, person: { email: string; displayName?: string }, at = '/password') {
  const weakness = await passwordWeakness(chosen, { email: person.email, displayName: person.displayName ?? '' })
  if (weakness !== null) throw new Failure('password-too-weak', weakness, { at })
}

export function linkExpired() {
  return new Failure('link-expired', 'The link was used or is too old; ask for a new one.', { at: '/token' })
}
