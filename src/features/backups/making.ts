// Makes a base backup: the whole cluster as it is sent by PostgreSQL, sealed on the way, with all the log that it takes to start it.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database } from '../../resources/database.ts'
import { ReplicationConnection, lsnText, lsnOf } from '../../resources/replication.ts'
import { syncFolder } from '../../resources/durable-file.ts'
import { newId } from '../../values/id.ts'
import type { Manifest } from './manifest.ts'
import type { Repository } from './repository.ts'
import { insertBackup, readCluster, readStand } from './store.ts'
import { stampOf } from './wal-names.ts'

export type MakingOptions = {
  /** Past any pooler, of a login that may replicate. */
  url: string
  database: Database
  repository: Repository
  embedded: boolean
  version: string
  /** So many megabytes a second at most. */
  rateMbMax?: number
  onProgress?: (bytes: number, ofBytes: number) => void
}

/** Known to pg_stat_activity, where the advisor looks. */
export const backupName = 'djinn backup'
const lockKey = 5_211_978

const parts = { archive: 0x6e, data: 0x64, progress: 0x70 } as const

export async function makeBase(options: MakingOptions): Promise<Manifest> {
  const { database, repository } = options
  const [cluster] = await database.write({}, (tx) => tx.run(readCluster, {}), 'djinn_keeper')
  if (cluster!.tablespaces > 0) throw new Error('the cluster has tablespaces outside of its folder, which a backup would leave out')
  const connection = await ReplicationConnection.open(options.url, backupName)
  try {
    if (!(await connection.lock(lockKey))) throw new Error('another backup of this database is being made')
    const [system] = await connection.ask('IDENTIFY_SYSTEM')
    const [size] = await connection.ask(`select setting from pg_settings where name = 'wal_segment_size'`)
    const identity = { systemIdentifier: system!['systemid']!, segmentBytes: Number(size!['setting']) }
    await repository.claim(identity)
    await repository.sweepHalfMade()
    const startedMs = performance.now()
    const startedAt = await clockOf(database)
    const id = stampOf(Date.parse(startedAt))
    const partial = join(repository.bases, `${id}.partial`)
    await mkdir(partial, { mode: 0o700 })
    // Only as long as this connection lives: what is written meanwhile is kept for the end of the copy.
    await connection.ask(`CREATE_REPLICATION_SLOT djinn_base_${id.toLowerCase()} TEMPORARY PHYSICAL (RESERVE_WAL)`)
    const copied = new Copied(connection.copy(command(options)), options.onProgress)
    const file = await repository.writeSealed(join(partial, 'files.sealed'), `base/${id}/files`, copied.data())
    await syncFolder(partial)
    const { start, stop, bytes } = copied
    const { tablespaces: _, ...of } = cluster!
    const manifest: Manifest = {
      format: 1,
      id,
      djinn: options.version,
      ...of,
      ...identity,
      embedded: options.embedded,
      startedAt,
      // Behind the end of the copy: whatever moment comes after this one can be restored to from here.
      finishedAt: await clockOf(database),
      timeline: start.timeline,
      startLsn: start.lsn,
      stopLsn: stop,
      encrypted: repository.key.hides,
      bytes,
      files: [{ name: 'files.sealed', ...file }],
    }
    await repository.finishBase(partial, manifest)
    await database.write(
      {},
      (tx) =>
        tx.run(insertBackup, {
          id: newId(),
          kind: 'base',
          base: id,
          startedAt,
          finishedAt: manifest.finishedAt,
          bytes,
          storedBytes: file.bytes,
          encrypted: manifest.encrypted,
          durationMs: Math.round(performance.now() - startedMs),
        }),
      'djinn_keeper',
    )
    return manifest
  } finally {
    await connection.close()
  }
}

function command({ rateMbMax }: MakingOptions): string {
  const rate = rateMbMax === undefined ? '' : `, MAX_RATE ${rateMbMax * 1_024}`
  return `BASE_BACKUP (LABEL '${backupName}', PROGRESS true, CHECKPOINT 'fast', WAL true, MANIFEST 'no'${rate})`
}

async function clockOf(database: Database): Promise<string> {
  const [stand] = await database.write({}, (tx) => tx.run(readStand, {}), 'djinn_keeper')
  return new Date(stand!.at).toISOString()
}

/** The answer to BASE_BACKUP, taken apart: what is of the archive goes on, the rest is noted. */
class Copied {
  readonly #stream: AsyncGenerator<Buffer, Record<string, string | null>[][]>
  readonly #onProgress: MakingOptions['onProgress']
  start = { lsn: '', timeline: 0 }
  stop = ''
  bytes = 0

  constructor(stream: AsyncGenerator<Buffer, Record<string, string | null>[][]>, onProgress: MakingOptions['onProgress']) {
    this.#stream = stream
    this.#onProgress = onProgress
  }

  async *data(): AsyncGenerator<Buffer> {
    for (;;) {
      const { done, value } = await this.#stream.next()
      if (done) {
        const [start, , end] = value
        this.start = { lsn: lsnText(lsnOf(start![0]!['recptr']!)), timeline: Number(start![0]!['tli']) }
        this.stop = lsnText(lsnOf(end![0]!['recptr']!))
        return
      }
      const kind = value[0]
      if (kind === parts.data) {
        this.bytes += value.length - 1
        yield value.subarray(1)
      } else if (kind === parts.progress) this.#onProgress?.(Number(value.readBigInt64BE(1)), 0)
    }
  }
}
