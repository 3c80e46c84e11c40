// Password hashes: argon2id in the PHC string format, at most two computed at once so that sign-ins cannot starve the rest.
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { Failure } from '../../values/failure.ts'
import { limits } from '../../values/limits.ts'

const derive = promisify(argon2)
/** OWASP's least for argon2id: 19 MiB, 2 passes, 1 lane; about 31 ms of a core. */
const cost = { memory: 19_456, passes: 2, parallelism: 1 }
const tagLength = 32

let running = 0
const waiting: (() => void)[] = []

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= limits.passwordHashesAtOnce) {
    if (waiting.length >= limits.passwordHashesWaitingMax) {
      throw new Failure('unavailable', 'Too many sign-ins at once.', { retryAfterS: 2 })
    }
    // Whoever ends hands its place over, so that none who comes in between takes it.
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else running++
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next) next()
    else running--
  }
}

/** `$argon2id$v=19$m=19456,t=2,p=1$salt$hash` of the password in NFKC. */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(16)
  const hash = await inTurn(() => derive('argon2id', { message: password.normalize('NFKC'), nonce, ...cost, tagLength }))
  const bare = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${bare(nonce)}$${bare(hash)}`
}

/** Compares with a hash; without one it computes all the same, so that an unknown address takes as long as a known one. */
export async function verifyPassword(password: string, phc: string | null): Promise<boolean> {
  const found = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(phc ?? unknownUser)
  if (!found) throw new Error('A password hash is not in the PHC format of argon2id.')
  const expected = Buffer.from(found[5]!, 'base64')
  const hash = await inTurn(() =>
    derive('argon2id', {
      message: password.normalize('NFKC'),
      nonce: Buffer.from(found[4]!, 'base64'),
      memory: Number(found[1]),
      passes: Number(found[2]),
      parallelism: Number(found[3]),
      tagLength: expected.length,
    }),
  )
  return timingSafeEqual(hash, expected) && phc !== null
}

const unknownUser = `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`
