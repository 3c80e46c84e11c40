// Time-based one-time passwords: RFC 6238 over RFC 4226 with SHA-1, 6 digits and steps of 30 s, which every authenticator app speaks.
import { createHmac, timingSafeEqual } from 'node:crypto'

const stepMs = 30_000
const digits = 6
/** How many steps the phone's clock may be off either way (RFC 6238, section 5.2, recommends one). */
const stepsOff = 1

/** The code of a counter (RFC 4226, section 5.3: dynamic truncation). */
export function hotp(secret: Buffer, counter: number, length = digits): string {
  const moving = Buffer.alloc(8)
  moving.writeBigUInt64BE(BigInt(counter))
  const mac = createHmac('sha1', secret).update(moving).digest()
  const offset = mac.at(-1)! & 0xf
  const truncated = mac.readUInt32BE(offset) & 0x7fffffff
  return String(truncated % 10 ** length).padStart(length, '0')
}

/** The time step of a moment. */
export function stepAt(nowMs: number): number {
  return Math.floor(nowMs / stepMs)
}

/** The step that a code is of, among those around now; null for a wrong code and for a step up to `lastStep`, which was used. */
export function stepOfCode(secret: Buffer, code: string, nowMs: number, lastStep: number): number | null {
  if (!/^\d{6}$/.test(code)) return null
  let found: number | null = null
  for (let step = stepAt(nowMs) - stepsOff; step <= stepAt(nowMs) + stepsOff; step++) {
    // All of them are computed and compared whole, so that the time taken tells nothing.
    const equal = timingSafeEqual(Buffer.from(hotp(secret, step)), Buffer.from(code))
    if (equal && step > lastStep) found ??= step
  }
  return found
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Base32 without padding (RFC 4648, section 6): how people type a secret into their app. */
export function base32(bytes: Buffer): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet[(held >>> bits) & 31]
    }
    held &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + alphabet[(held << (5 - bits)) & 31]!
}

/** What a QR code shows to an authenticator app (Key URI Format). */
export function keyUri(secret: Buffer, account: string): string {
  const issuer = 'Djinn'
  return `otpauth://totp/${issuer}:${encodeURIComponent(account)}?secret=${base32(secret)}&issuer=${issuer}&algorithm=SHA1&digits=${digits}&period=${stepMs / 1000}`
}
