// What a key keeps of calls that carry secrets: sealed by the call itself, so that only its repeat opens it.
import { argon2, createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(argon2)
/** As slow as the hash of a password, since the body may be one: its digest must not be a faster way to guess it. */
const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 64 } as const
const ivBytes = 12
const tagBytes = 16

export type Sealing = {
  /** What the key is filed under: its digest, for the key is half of what opens the answer. */
  filedKey: string
  requestHash: Buffer
  seal: (body: string) => string
  open: (sealed: string) => string
}

/** Derives from a key and the digest of its request how both are filed and how the answer is sealed; nothing of it is kept. */
export async function sealingOf(scope: readonly string[], key: string, requestHash: Buffer): Promise<Sealing> {
  const filed = createHash('sha256')
    .update(JSON.stringify([...scope, key]))
    .digest()
  const derived = await derive('argon2id', { message: Buffer.concat([requestHash, Buffer.from(key)]), nonce: filed, ...cost })
  const secret = derived.subarray(32)
  return {
    filedKey: `sealed ${filed.toString('base64url')}`,
    requestHash: derived.subarray(0, 32),
    seal: (body) => {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', secret, iv)
      const content = Buffer.concat([cipher.update(body, 'utf8'), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), content]).toString('base64url')
    },
    open: (sealed) => {
      const bytes = Buffer.from(sealed, 'base64url')
      const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
      decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
      return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]).toString('utf8')
    },
  }
}
