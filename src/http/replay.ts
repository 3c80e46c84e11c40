// Idempotency: what a key answered is kept in the transaction of the write, and given again instead of running it twice.
import { createHash } from 'node:crypto'
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'
import type { Database } from '../resources/database.ts'
import type { Runner, Transaction } from '../resources/transaction.ts'
import { statement } from '../resources/statement.ts'
import type { Access } from './operation.ts'
import { sealingOf, type Sealing } from './sealed-answer.ts'

/** What a write is known by; with `sealing` its answer is kept sealed. */
export type Claim = { method: string; path: string; key: string | null; requestHash: Buffer; sealing: Sealing | null }
export type Kept = { status: number; headers: Record<string, string>; body: string | null }

const beginWrite = statement(
  'replay.begin',
  { household: 'uuid?', user: 'uuid', method: 'text', path: 'text', key: 'text?', leastRole: 'text?' },
  { revision: 'int8?', busy: 'bool', hash: 'bytea?', status: 'int4?', headers: 'jsonb?', body: 'text?' },
  `select revision, busy, known_hash as hash, known_status as status, known_headers as headers, known_body as body
  from begin_write(:household, :user, :method, :path, :key, :leastRole)`,
)
const findAnswer = statement(
  'replay.find',
  { user: 'uuid', method: 'text', path: 'text', key: 'text' },
  { hash: 'bytea', status: 'int4', headers: 'jsonb', body: 'text?' },
  `select request_hash as hash, status, headers, body from idempotency_keys
  where user_id = :user and method = :method and path = :path and key = :key`,
)
const keepAnswer = statement(
  'replay.keep',
  { user: 'uuid', method: 'text', path: 'text', key: 'text', hash: 'bytea', status: 'int4', headers: 'jsonb', body: 'text?' },
  {},
  `insert into idempotency_keys (user_id, method, path, key, request_hash, status, headers, body)
  values (:user, :method, :path, :key, :hash, :status, :headers, :body)`,
)

/** The key of an Idempotency-Key header: 1 to 255 printable ASCII characters. */
export function readKey(header: string | undefined): string | null {
  if (header === undefined) return null
  if (header.length < 1 || header.length > limits.idempotencyKeyLengthMax || !/^[\x20-\x7e]+$/.test(header)) {
    throw new Failure(
      'invalid-idempotency-key',
      `Idempotency-Key must be 1 to ${limits.idempotencyKeyLengthMax} printable ASCII characters.`,
      { at: 'Idempotency-Key:' },
    )
  }
  return header
}

/** What makes two requests the same: the bytes of a file, else the JSON however it was spaced, so that a step of a batch may repeat a request. */
export function hashRequest(query: string, body: unknown): Buffer {
  const content = Buffer.isBuffer(body) ? body : (JSON.stringify(body) ?? '')
  return createHash('sha256').update(query).update('\0').update(content).digest()
}

/** The claim of a write. One that carries secrets is filed and sealed by what only the caller has. */
export async function makeClaim(user: string, plain: Omit<Claim, 'sealing'>, secret: boolean): Promise<Claim> {
  if (!secret || plain.key === null) return { ...plain, sealing: null }
  const sealing = await sealingOf([user, plain.method, plain.path], plain.key, plain.requestHash)
  return { ...plain, key: sealing.filedKey, requestHash: sealing.requestHash, sealing }
}

/**
 * Opens the write: raises the household's revision and holds the caller's role against what the operation takes, or answers what
 * the key answered before.
 * Without a key nothing is awaited, so that the opening rides with the operation's first statement.
 */
export async function openWrite(
  tx: Transaction,
  household: string | null,
  user: string,
  claim: Claim,
  access: Access,
): Promise<Kept | null> {
  const { method, path, key } = claim
  const opening = tx.run(beginWrite, { household, user, method, path, key, leastRole: household === null ? null : access })
  const raised = opening.then(([found]) => {
    if (household !== null && found!.revision !== null) tx.raised = { household, revision: found!.revision }
    return found
  })
  if (claim.key === null) {
    raised.catch(() => {})
    return null
  }
  const found = await raised
  if (found!.busy) {
    throw new Failure('idempotency-in-progress', 'The first request with this Idempotency-Key is still running.', { retryAfterS: 1 })
  }
  const { hash, status, headers, body } = found!
  return status === null ? null : answerOf(claim, { hash: hash!, status, headers, body })
}

/** What the key answered before, for work that a repeat must not do again even outside of the transaction. */
export async function findKept(runner: Runner, user: string, claim: Claim): Promise<Kept | null> {
  if (claim.key === null) return null
  const [found] = await runner.run(findAnswer, { user, method: claim.method, path: claim.path, key: claim.key })
  return found ? answerOf(claim, found) : null
}

function answerOf(claim: Claim, found: { hash: Buffer; status: number; headers: unknown; body: string | null }): Kept {
  if (!found.hash.equals(claim.requestHash)) {
    throw new Failure('idempotency-key-reused', 'The Idempotency-Key was sent before with another body.', { at: 'Idempotency-Key:' })
  }
  const { status, headers, body } = found
  return {
    status,
    headers: { ...(headers as Record<string, string>), 'idempotency-replayed': 'true' },
    body: body !== null && claim.sealing ? claim.sealing.open(body) : body,
  }
}

/** Keeps the answer; it is sent together with the commit. */
export function keepForReplay(tx: Transaction, user: string, claim: Claim, kept: Kept) {
  if (claim.key === null) return
  const { method, path, key, requestHash: hash, sealing } = claim
  const body = kept.body !== null && sealing ? sealing.seal(kept.body) : kept.body
  tx.run(keepAnswer, { user, method, path, key, hash, ...kept, body }).catch(() => {})
}

const sweepAnswers = statement(
  'replay.sweep',
  { days: 'int4' },
  {},
  'delete from idempotency_keys where created_at < now() - make_interval(days => :days)',
)

/** Forgets answers that were kept long enough; as the keeper of the books. */
export async function forgetAnswers(database: Database) {
  await database.write({}, (tx) => tx.run(sweepAnswers, { days: limits.idempotencyDays }), 'djinn_keeper')
}

export const replaySchedule = ['7 3 * * * forgetAnswers ?jobKey=forgetAnswers&max=5']
