// Seals secrets that must be read back (keys of feeds, of second factors): what leaves with a copy of the database is of no use alone.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const nonceBytes = 12
const tagBytes = 16

/** AES-256-GCM under a key of its own for each purpose; whoever opens must name the purpose that it was sealed for. */
export class Vault {
  readonly #secret: Buffer

  /** `secret` is what the keys are derived from (HKDF-SHA256); it never encrypts itself. */
  constructor(secret: Buffer | string) {
    this.#secret = Buffer.from(secret)
  }

  /** Nonce, tag and cipher text in one. */
  seal(plain: string, purpose: string): Buffer {
    const nonce = randomBytes(nonceBytes)
    const cipher = createCipheriv('aes-256-gcm', this.#keyFor(purpose), nonce)
    const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
  }

  /** Throws when it was sealed under another key, for another purpose, or changed since. */
  open(sealed: Buffer, purpose: string): string {
    const decipher = createDecipheriv('aes-256-gcm', this.#keyFor(purpose), sealed.subarray(0, nonceBytes))
    decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes))
    return Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()]).toString('utf8')
  }

  #keyFor(purpose: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#secret, '', `djinn ${purpose}`, 32))
  }
}
