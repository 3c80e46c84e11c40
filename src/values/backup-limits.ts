// The limits of backups, which check each other.
import assert from 'node:assert/strict'
import { limits } from './limits.ts'

export const backupLimits = {
  /** Of a sealed stream: what is compressed and authenticated at a time, by how much that may grow, and how many at once. */
  sealedPieceBytes: 1024 * 1024,
  sealedPieceSpareBytes: 64 * 1024,
  sealedPiecesAtOnce: 4,
  /** How often what was received of the log is written to its archive: with the way there, what a crash of all can lose. */
  walFlushMs: 1_000,
  walGatheredBytesMax: 16 * 1024 * 1024,
  walReachedMs: 10_000,
  walRetryMs: 5_000,
  walStandsMax: 60,
  /** Longer than any transaction lasts. */
  erasureOverlapMs: 10 * 60_000,
  restoreAskMs: 5,
  /** How long a drill waits for the archive to have what is committed when it begins. */
  drillWaitMs: 30_000,
  drillLookMs: 200,
  rateMbMax: 1_000,
  keepDays: 14,
  keepDaysMax: 3_650,
} as const

assert(backupLimits.walFlushMs * 2 + backupLimits.walRetryMs < 60_000, 'A crash of all may lose no more than a minute.')
assert(backupLimits.erasureOverlapMs > 10 * limits.requestTimeoutMs, 'An erasure that commits late is met again.')
