// A drill: the newest backup is restored aside, proved, held against the living database, and removed again.
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { backupLimits } from '../../values/backup-limits.ts'
import { newId } from '../../values/id.ts'
import type { Database } from '../../resources/database.ts'
import { lsnOf } from '../../resources/replication.ts'
import { compareHeads, readAllHeads, type Likeness } from './heads.ts'
import type { Repository } from './repository.ts'
import { restore, type Restored, type RestoreOptions } from './restoring.ts'
import { insertBackup, readArchiving, readStand } from './store.ts'

export type DrillOptions = Pick<RestoreOptions, 'repository' | 'openDatabase' | 'eraseHousehold' | 'onProgress'> & {
  /** The living database. */
  database: Database
  /** Where there is room for another one. */
  scratch: string
}

export type Drill = Restored &
  Likeness & {
    ok: boolean
    /** Whether the log is followed: then nothing may be missing of what was there when the drill began. */
    followed: boolean
    /** Until it could be used, for each gigabyte of it. */
    readySecondsPerGb: number
  }

export async function drill(options: DrillOptions): Promise<Drill> {
  const { database, repository, scratch } = options
  const startedAt = new Date().toISOString()
  const before = await readAllHeads(database)
  const followed = await isSafe(database, repository)
  const folder = mkdtempSync(join(scratch, 'djinn-drill-'))
  try {
    let likeness: Likeness | undefined
    const restored = await restore({
      ...options,
      folder,
      targetMs: null,
      log: () => {},
      onRecovered: async (found) => {
        likeness = await compareHeads(database, found, before)
      },
    })
    const { households, strange, behind } = likeness!
    const ok = restored.findings.every(({ broken }) => broken === 0) && strange.length === 0 && !(followed && behind.length > 0)
    const { base, bytes, readyMs, provedMs } = restored
    if (ok) {
      const row = {
        id: newId(),
        kind: 'drill',
        base,
        startedAt,
        finishedAt: new Date().toISOString(),
        bytes,
        storedBytes: null,
        encrypted: repository.key.hides,
        durationMs: provedMs,
      }
      await database.write({}, (tx) => tx.run(insertBackup, row), 'djinn_keeper')
    }
    const readySecondsPerGb = Math.round((readyMs / 1_000 / (bytes / 1e9)) * 10) / 10
    return { ok, followed, ...restored, households, strange, behind, readySecondsPerGb }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Waits until the archive has all that is committed by now; false where nobody follows the log, or not fast enough. */
async function isSafe(database: Database, repository: Repository): Promise<boolean> {
  const [[stand], [archiving]] = await database.write(
    {},
    (tx) => Promise.all([tx.run(readStand, {}), tx.run(readArchiving, {})]),
    'djinn_keeper',
  )
  if (!archiving?.follows) return false
  const deadlineMs = Date.now() + backupLimits.drillWaitMs
  while (Date.now() < deadlineMs) {
    const reached = await repository.readReached()
    if (reached && lsnOf(reached.lsn) >= lsnOf(stand!.lsn)) return true
    await setTimeout(backupLimits.drillLookMs)
  }
  return false
}
