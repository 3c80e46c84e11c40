// Calls that are signed instead of carrying a session: whoever holds a secret signs the moment and the bytes (HMAC-SHA256).
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'
import type { RefusalCode } from '../values/refusal-codes.ts'
import type { ChargeSigned } from './charge.ts'

export const signatureHeaders = {
  'Djinn-Key': 'Which secret signed.',
  'Djinn-Timestamp': `When, in seconds of the epoch; at most ${limits.signatureAgeS} s from now.`,
  'Djinn-Signature': '`v1=` and the hexadecimal HMAC-SHA256 under the secret of the timestamp, a full stop and the body as it is sent.',
} as const

/** What a path and a key name: the secret, whose household it writes to, and what it is counted and told under. */
export type Credential = { household: string; id: string; secret: string }

export type Signed = {
  /** Null when there is none (any more); every way to be wrong takes the same time and gets the same answer. */
  credentialOf: (params: Record<string, string>, keyId: string) => Promise<Credential | null>
  refusal: RefusalCode
}

/** Who signed a call, and with what: nobody can send the same signature twice who has to show it. */
export type Signer = { household: string; id: string; keyId: string; signature: Buffer; signedAtMs: number }

export type SignedCall = {
  params: Record<string, string>
  /** Where it goes, without its query. */
  path: string
  address: string
  nowMs: number
  header: (name: string) => string | undefined
  bodyBytes: Buffer
}

/** The signature of a body at a moment: HMAC-SHA256 under the secret's characters as they are. */
export function sign(secret: string, timestamp: string, bodyBytes: Buffer | string): Buffer {
  return createHmac('sha256', secret).update(`${timestamp}.`).update(bodyBytes).digest()
}

/** The one refusal of whatever is wrong: it tells nothing of what is there. */
export function unsigned(code: RefusalCode): Failure {
  return new Failure(code, 'There is nothing of the kind, or Djinn-Key, Djinn-Timestamp and Djinn-Signature are not of it and of now.')
}

const signatureBytes = 32
/** What is compared with when there is no secret. */
const noSecret = randomBytes(signatureBytes).toString('base64url')

/** Checks the signature, charges the caller, and answers who it is with the headers of the limit. */
export async function admitSigned(
  signed: Signed,
  charge: ChargeSigned,
  call: SignedCall,
): Promise<{ signer: Signer; headers: Record<string, string> }> {
  await charge.admit(call.address, call.path)
  const keyId = call.header('djinn-key') ?? ''
  const timestamp = call.header('djinn-timestamp') ?? ''
  const [, hex = ''] = /^v1=([0-9a-f]{64})$/i.exec(call.header('djinn-signature') ?? '') ?? []
  const given = hex === '' ? Buffer.alloc(signatureBytes) : Buffer.from(hex, 'hex')
  const credential = /^[\w-]{1,100}$/.test(keyId) ? await signed.credentialOf(call.params, keyId) : null
  const right = timingSafeEqual(sign(credential?.secret ?? noSecret, timestamp, call.bodyBytes), given)
  const signedAtMs = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) * 1_000 : NaN
  const fresh = Math.abs(call.nowMs - signedAtMs) <= limits.signatureAgeS * 1_000
  if (!credential || !right || !fresh) {
    await charge.refused(call.address, call.path)
    throw unsigned(signed.refusal)
  }
  const { household, id } = credential
  return { signer: { household, id, keyId, signature: given, signedAtMs }, headers: await charge.accepted(id) }
}
