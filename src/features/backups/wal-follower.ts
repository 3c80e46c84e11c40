// Follows the write-ahead log into its archive: what was committed is safe there within two seconds.
import { randomBytes } from 'node:crypto'
import { open, readdir, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Database } from '../../resources/database.ts'
import { renameDurably } from '../../resources/durable-file.ts'
import { lsnOf, lsnText, ReplicationConnection } from '../../resources/replication.ts'
import { packed, Sealer } from '../../resources/sealed-stream.ts'
import { backupLimits } from '../../values/backup-limits.ts'
import type { ErasureFile } from './erasure-file.ts'
import { writeAll, type Repository } from './repository.ts'
import { readStand } from './store.ts'
import { segmentName, stampOf, type Segment } from './wal-names.ts'

export type FollowerOptions = {
  url: string
  /** For what the log does not say by itself: the server's clock, and who was erased. */
  database: Database
  repository: Repository
  erasures: ErasureFile
  log: (message: string, error?: unknown) => void
  /** Told after each step of what is safe. */
  onSafe?: (safe: { lsn: bigint; at: string | null }) => void
}

export const slotName = 'djinn_backup'
/** Not that of a base backup: the advisor takes that one for a load. */
const followerName = 'djinn backup log'

const objectInUse = '55006'

/** A segment that is being written; its pieces are on the disk one by one. */
type Writing = { segment: Segment; name: string; file: string; handle: FileHandle; sealer: Sealer; written: number; sealedBytes: number }

export class WalFollower {
  readonly #options: FollowerOptions
  readonly #stop = new AbortController()
  #working: Promise<void> = Promise.resolve()

  constructor(options: FollowerOptions) {
    this.#options = options
  }

  /** Goes on until it is closed; whatever breaks is tried again. */
  start() {
    this.#working = this.#work()
  }

  async close() {
    this.#stop.abort()
    await this.#working
  }

  async #work() {
    let told = ''
    while (!this.#stop.signal.aborted) {
      try {
        await this.#follow()
        told = ''
      } catch (error) {
        const { code, message } = error as { code?: string; message: string }
        // The same trouble is told once; one where another process follows is none: this one takes over when that one ends.
        if (message !== told && code !== objectInUse) this.#options.log('the archive of the log does not go on', error)
        told = message
      }
      await setTimeout(backupLimits.walRetryMs, undefined, { signal: this.#stop.signal }).catch(() => {})
    }
  }

  async #follow() {
    const { url, repository } = this.#options
    const connection = await ReplicationConnection.open(url, followerName)
    const run = new Run(connection, this.#options)
    const abort = () => run.end(null)
    try {
      const [system] = await connection.ask('IDENTIFY_SYSTEM')
      const [size] = await connection.ask(`select setting from pg_settings where name = 'wal_segment_size'`)
      await repository.claim({ systemIdentifier: system!['systemid']!, segmentBytes: Number(size!['setting']) })
      const timeline = Number(system!['timeline'])
      if (timeline > 1) {
        const [history] = await connection.ask(`TIMELINE_HISTORY ${timeline}`)
        await repository.keepHistory(timeline, history!['content']!)
      }
      const kept = await keptFrom(connection)
      const from = await this.#startOf(timeline, kept)
      this.#stop.signal.addEventListener('abort', abort)
      if (this.#stop.signal.aborted) return
      await run.follow(timeline, from)
    } finally {
      this.#stop.signal.removeEventListener('abort', abort)
      await connection.close()
      await run.close()
    }
  }

  /** Where the archive ends, unless PostgreSQL has kept the log from later on only: then there is a gap, which a new base backup heals. */
  async #startOf(timeline: number, kept: bigint): Promise<bigint> {
    const { repository, log } = this.#options
    const bytes = BigInt(repository.identity.segmentBytes)
    const { segments } = await repository.listWal()
    const there = [...segments.values()].filter((segment) => segment.timeline === timeline).map(({ number }) => number)
    const end = there.reduce((most, number) => (number + 1n > most ? number + 1n : most), 0n)
    const first = kept / bytes
    if (end > 0n && end < first) {
      log(`the archive has a gap from ${lsnText(end * bytes)} to ${lsnText(first * bytes)}: make a base backup now`)
      return first * bytes
    }
    return (end > first ? end : first) * bytes
  }
}

/** From where on the slot makes PostgreSQL keep the log; a slot that was given up is made anew. */
async function keptFrom(connection: ReplicationConnection): Promise<bigint> {
  const slot = async () =>
    (
      await connection.ask(`select restart_lsn::text as restart_lsn, wal_status from pg_replication_slots where slot_name = '${slotName}'`)
    )[0]
  let found = await slot()
  if (found?.['wal_status'] === 'lost') await connection.ask(`DROP_REPLICATION_SLOT ${slotName}`)
  if (!found || found['wal_status'] === 'lost') {
    await connection.ask(`CREATE_REPLICATION_SLOT ${slotName} PHYSICAL (RESERVE_WAL)`)
    found = await slot()
  }
  return lsnOf(found!['restart_lsn']!)
}

/** One connection's worth of following. */
class Run {
  readonly #connection: ReplicationConnection
  readonly #options: FollowerOptions
  #gathered: Buffer[] = []
  #gatheredBytes = 0
  /** Up to where it was received, and up to where it is on the disk. */
  #received = 0n
  #timeline = 0
  #writing: Writing | undefined
  #ended = false
  #failure: Error | null = null
  #wake = new AbortController()

  constructor(connection: ReplicationConnection, options: FollowerOptions) {
    this.#connection = connection
    this.#options = options
  }

  end(error: Error | null) {
    this.#ended = true
    this.#failure ??= error
    this.#wake.abort()
  }

  async follow(timeline: number, from: bigint) {
    this.#timeline = timeline
    this.#received = from
    this.#connection.follow(`START_REPLICATION SLOT ${slotName} PHYSICAL ${lsnText(from)} TIMELINE ${timeline}`, {
      data: (at, bytes) => this.#receive(at, bytes),
      end: (error) => this.end(error),
    })
    let reached = 0n
    let reachedMs = 0
    let stands: { at: string; lsn: string }[] = []
    while (!this.#ended) {
      await setTimeout(backupLimits.walFlushMs, undefined, { signal: this.#wake.signal }).catch(() => {})
      // Asked before the log is written: who was erased is known beside the backups no later than in them.
      const stand = await this.#stand()
      if (stand) stands.push(stand)
      await this.#flush()
      const safe = this.#received - BigInt(this.#gatheredBytes)
      this.#connection.confirm(safe)
      // What a busy server had written when it was asked may arrive a little later.
      const at = stands.findLast(({ lsn }) => lsnOf(lsn) <= safe)?.at ?? null
      stands = stands.filter(({ lsn }) => lsnOf(lsn) > safe).slice(-backupLimits.walStandsMax)
      if (at !== null && (safe > reached || Date.now() - reachedMs >= backupLimits.walReachedMs)) {
        reached = safe
        reachedMs = Date.now()
        await this.#options.repository.writeReached({ timeline: this.#timeline, lsn: lsnText(safe), at: new Date(at).toISOString() })
      }
      this.#options.onSafe?.({ lsn: safe, at })
    }
    if (this.#failure) throw this.#failure
  }

  async #stand() {
    if (this.#ended) return null
    try {
      await this.#options.erasures.update(this.#options.database)
      const [stand] = await this.#options.database.write({}, (tx) => tx.run(readStand, {}), 'djinn_keeper')
      return stand!
    } catch (error) {
      // A server that takes no statements still sends its log.
      this.#options.log('the moment that the archive reaches is not known', error)
      return null
    }
  }

  #receive(at: bigint, bytes: Buffer) {
    if (at !== this.#received) return this.end(new Error(`the log goes on at ${lsnText(at)}, not at ${lsnText(this.#received)}`))
    this.#received += BigInt(bytes.length)
    this.#gathered.push(bytes)
    this.#gatheredBytes += bytes.length
    if (this.#gatheredBytes >= backupLimits.walGatheredBytesMax) {
      this.#connection.pause()
      this.#wake.abort()
    }
  }

  async #flush() {
    this.#wake = new AbortController()
    let bytes = Buffer.concat(this.#gathered)
    let at = this.#received - BigInt(bytes.length)
    const { segmentBytes } = this.#options.repository.identity
    this.#gathered = []
    this.#gatheredBytes = 0
    while (bytes.length > 0) {
      const number = at / BigInt(segmentBytes)
      const room = segmentBytes - Number(at % BigInt(segmentBytes))
      const part = bytes.subarray(0, Math.min(room, backupLimits.sealedPieceBytes))
      await this.#write({ timeline: this.#timeline, number }, part, part.length === room)
      bytes = bytes.subarray(part.length)
      at += BigInt(part.length)
    }
    if (this.#writing) await this.#settle(this.#writing)
    if (!this.#ended) this.#connection.resume()
  }

  async #write(segment: Segment, part: Buffer, last: boolean) {
    const { repository } = this.#options
    this.#writing ??= await this.#begin(segment)
    const writing = this.#writing
    const sealed = writing.sealer.seal(await packed(part), last)
    await writeAll(writing.handle, sealed)
    writing.written += part.length
    writing.sealedBytes += sealed.length
    if (!last) return
    await writing.handle.sync()
    await writing.handle.close()
    this.#writing = undefined
    // Of this machine's clock: it only names the moment up to which an archive with a gap reaches.
    await renameDurably(join(repository.wal, writing.file), join(repository.wal, `${writing.name}-${stampOf(Date.now())}`))
    await this.#removeBegun(writing.name, '')
  }

  async #begin(segment: Segment): Promise<Writing> {
    const { repository } = this.#options
    const name = segmentName(segment, repository.identity.segmentBytes)
    const file = `${name}-${randomBytes(6).toString('hex')}.partial`
    const handle = await open(join(repository.wal, file), 'wx', 0o600)
    const sealer = new Sealer(repository.key, `wal/${name}`)
    await writeAll(handle, sealer.header)
    return { segment, name, file, handle, sealer, written: 0, sealedBytes: sealer.header.length }
  }

  /** What was written is on the disk; an earlier beginning of the same segment, which this one has overtaken, goes. */
  async #settle(writing: Writing) {
    await writing.handle.sync()
    await this.#removeBegun(writing.name, writing.file)
  }

  async #removeBegun(name: string, kept: string) {
    const { wal } = this.#options.repository
    for (const file of await readdir(wal)) {
      if (file.startsWith(`${name}-`) && file.endsWith('.partial') && file !== kept) await rm(join(wal, file), { force: true })
    }
  }

  async close() {
    await this.#writing?.handle.close().catch(() => {})
  }
}
