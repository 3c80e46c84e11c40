// What of the backups is not needed any more. Pure but for the last function, which takes it away.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { removeFolder } from '../../resources/durable-file.ts'
import { lsnOf } from '../../resources/replication.ts'
import type { Manifest } from './manifest.ts'
import type { Repository } from './repository.ts'
import { segmentOf } from './wal-names.ts'

const dayMs = 86_400_000

/** The bases that can go: every moment of the last days needs one from before it, and the newest stays whatever its age. `bases` are oldest first. */
export function basesToForget(bases: readonly Manifest[], nowMs: number, keepDays: number): Manifest[] {
  const from = nowMs - keepDays * dayMs
  const firstNeeded = bases.findLastIndex(({ finishedAt }) => Date.parse(finishedAt) <= from)
  return bases.slice(0, Math.max(0, Math.min(firstNeeded, bases.length - 1)))
}

/** Files of the archive that lie before everything that a kept base begins with. */
export function logToForget(files: readonly string[], kept: readonly Manifest[]): string[] {
  const firsts = kept.map(({ startLsn, segmentBytes }) => lsnOf(startLsn) / BigInt(segmentBytes))
  if (firsts.length === 0) return []
  const first = firsts.reduce((one, other) => (other < one ? other : one))
  const { segmentBytes } = kept[0]!
  return files.filter((file) => {
    const segment = file[24] === '-' ? segmentOf(file.slice(0, 24), segmentBytes) : undefined
    return segment !== undefined && segment.number < first
  })
}

export type Forgotten = { bases: string[]; segments: number }

export async function forget(repository: Repository, nowMs: number, keepDays: number): Promise<Forgotten> {
  const bases = await repository.listBases()
  const going = basesToForget(bases, nowMs, keepDays)
  for (const { id } of going) await removeFolder(join(repository.bases, id))
  const files = logToForget(await readdir(repository.wal), bases.slice(going.length))
  for (const file of files) await rm(join(repository.wal, file), { force: true })
  return { bases: going.map(({ id }) => id), segments: files.length }
}
