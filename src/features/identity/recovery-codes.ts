// Recovery codes: 80 random bits each, shown once, kept as a digest.
import { createHash, randomBytes } from 'node:crypto'

/** Crockford's: no I, L, O and U, so that nothing is read for something else. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const length = 16

/** `7K3M-Q9ZD-0F4T-XW2H`. */
export function newRecoveryCode(): string {
  const code = Array.from(randomBytes(length), (byte) => alphabet[byte & 31]).join('')
  return code.match(/.{4}/g)!.join('-')
}

/** What people make of a code when they type it: any case, with or without dashes and blanks, O for 0, I or L for 1. Null for no such code. */
export function readRecoveryCode(typed: string): string | null {
  const code = typed.replaceAll(/[\s-]/g, '').toUpperCase().replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  return /^[0-9A-HJKMNP-TV-Z]{16}$/.test(code) ? code : null
}

/** What is kept of a code. No slow hash: 80 random bits cannot be tried. The user's id makes each account a search of its own. */
export function hashRecoveryCode(userId: string, code: string): Buffer {
  return createHash('sha256')
    .update(`${userId} ${readRecoveryCode(code)}`)
    .digest()
}
