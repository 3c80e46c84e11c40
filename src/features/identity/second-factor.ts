// The second factor: trying a code under the factor's lock, counting wrong ones, and the sets of recovery codes.
import { randomBytes } from 'node:crypto'
import { Failure } from '../../values/failure.ts'
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import type { Scope } from '../../resources/scope.ts'
import type { Runner } from '../../resources/transaction.ts'
import type { Vault } from '../../resources/vault.ts'
import { hashRecoveryCode, newRecoveryCode, readRecoveryCode } from './recovery-codes.ts'
import {
  acceptStep,
  countWrongCode,
  dropRecoveryCodes,
  findRecoveryCode,
  insertRecoveryCodes,
  keepPendingSecret,
  lockSecondFactor,
  useRecoveryCode,
} from './second-factor-store.ts'
import { stepOfCode } from './totp.ts'

export type LockedFactor = { userId: string; secret: Buffer; lastStep: number; wrongCodes: number; waitS: number }

/** What is tried against a factor: the code as it was typed, when, and where it stands in the body. */
export type Attempt = { typed: string; nowMs: number; at: '/totp' | '/code' }

/** The factor in force, locked until the transaction ends; null without one. */
export async function lockFactor(tx: Runner, userId: string): Promise<LockedFactor | null> {
  const [found] = await tx.run(lockSecondFactor, { user: userId, minutes: limits.wrongCodeMinutes })
  return found ? { userId, ...found } : null
}

/**
 * Takes a code, of the app or for recovery, once. Answers the refusal of a wrong one, which the caller throws after the
 * commit, since the commit counts it. With `spend` false a right code stays good.
 */
export async function tryCode(tx: Runner, vault: Vault, factor: LockedFactor, attempt: Attempt, spend = true): Promise<Failure | null> {
  const user = factor.userId
  if (factor.wrongCodes >= limits.wrongCodesMax) {
    return new Failure('rate-limited', `At most ${limits.wrongCodesMax} wrong codes in ${limits.wrongCodeMinutes} minutes.`, {
      retryAfterS: Math.max(1, factor.waitS),
    })
  }
  const recoveryCode = readRecoveryCode(attempt.typed)
  let right: boolean
  if (recoveryCode === null) {
    const step = stepOfCode(openSecret(vault, user, factor.secret), attempt.typed.replaceAll(' ', ''), attempt.nowMs, factor.lastStep)
    right = step !== null
    // Under the factor's lock nothing can hinder it, so that it need not be awaited: it rides with what follows.
    if (step !== null && spend) tx.run(acceptStep, { user, step }).catch(() => {})
  } else {
    const known = { user, hash: hashRecoveryCode(user, recoveryCode) }
    right = (await tx.run(spend ? useRecoveryCode : findRecoveryCode, known)).length > 0
  }
  if (right) return null
  await tx.run(countWrongCode, { user, minutes: limits.wrongCodeMinutes })
  return wrongCode(attempt.at)
}

/** Refuses a wrong code in a transaction of its own, which counts it; a right one stays good for the write that follows. */
export async function checkCode(database: Database, scope: Scope, vault: Vault, userId: string, typed: string | undefined, nowMs: number) {
  const refusal = await database.write(scope, async (tx) => {
    const factor = await lockFactor(tx, userId)
    if (!factor) return null
    return typed === undefined ? codeRequired() : await tryCode(tx, vault, factor, { typed, nowMs, at: '/code' }, false)
  })
  if (refusal) throw refusal
}

/** Takes the code within a write; whether a factor is in force. */
export async function spendCode(tx: Runner, vault: Vault, userId: string, typed: string | undefined, nowMs: number): Promise<boolean> {
  const factor = await lockFactor(tx, userId)
  if (!factor) return false
  const refusal = typed === undefined ? codeRequired() : await tryCode(tx, vault, factor, { typed, nowMs, at: '/code' })
  if (refusal) throw refusal
  return true
}

/** Makes a secret that waits to be confirmed; 160 bits, as RFC 4226 recommends. */
export async function makePendingSecret(tx: Runner, vault: Vault, userId: string): Promise<Buffer> {
  const secret = randomBytes(20)
  const sealed = vault.seal(secret.toString('hex'), purposeOf(userId))
  await tx.run(keepPendingSecret, { user: userId, secret: sealed, minutes: limits.pendingFactorMinutes })
  return secret
}

export function openSecret(vault: Vault, userId: string, sealed: Buffer): Buffer {
  return Buffer.from(vault.open(sealed, purposeOf(userId)), 'hex')
}

/** Makes a new set of recovery codes; the old ones are void. */
export async function renewRecoveryCodes(tx: Runner, userId: string): Promise<string[]> {
  const codes = Array.from({ length: limits.recoveryCodes }, newRecoveryCode)
  const hashes = codes.map((code) => hashRecoveryCode(userId, code).toString('hex'))
  await Promise.all([tx.run(dropRecoveryCodes, { user: userId }), tx.run(insertRecoveryCodes, { user: userId, hashes })])
  return codes
}

export function wrongCode(at: string) {
  return new Failure('wrong-credentials', 'The code is wrong, or it was used.', { at })
}

function codeRequired() {
  return new Failure('second-factor-required', 'Send a code of your authenticator app, or a recovery code.', { at: '/code' })
}

/** The user is part of the purpose, so that a secret moved to another row does not open. */
function purposeOf(userId: string): string {
  return `second factor of ${userId}`
}
