// The folder of the backups: bases, the archive of the write-ahead log, and what was erased. All of it are plain files.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, readdir, rm, stat, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder, renameDurably, writeDurably } from '../../resources/durable-file.ts'
import { Damaged, seal, unseal, type SealingKey } from '../../resources/sealed-stream.ts'
import { backupLimits } from '../../values/backup-limits.ts'
import { openManifest, sealManifest, type Manifest } from './manifest.ts'
import { historyName, momentOf, segmentName, segmentOf, timelineOfHistory, type Archived, type Segment } from './wal-names.ts'

/** Of which cluster it is, and how it is sealed. */
export type Identity = { systemIdentifier: string; segmentBytes: number; keyId: string; encrypted: boolean }
/** Up to where the log is safe here, and what the server's clock was when it stood there. */
export type Reached = { timeline: number; lsn: string; at: string }

/** Finished segments by their name, of each that is not finished the longest beginning, and timelines whose history is known. */
export type WalList = { segments: Map<string, Archived>; begun: Map<string, { file: string; bytes: number }>; histories: number[] }

const format = 1

export class Repository {
  readonly folder: string
  readonly key: SealingKey
  #identity: Identity | undefined

  private constructor(folder: string, key: SealingKey) {
    this.folder = folder
    this.key = key
  }

  get bases() {
    return join(this.folder, 'base')
  }
  get wal() {
    return join(this.folder, 'wal')
  }
  get identity(): Identity {
    if (!this.#identity) throw new Error(`${this.folder} holds no backups`)
    return this.#identity
  }

  /** Opens the folder; an Error says when the key is not the one that it is sealed with. */
  static async open(folder: string, key: SealingKey): Promise<Repository> {
    const repository = new Repository(folder, key)
    const text = await readFile(join(folder, 'repository.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
      throw error
    })
    if (text === undefined) return repository
    const { format: found, ...identity } = JSON.parse(text) as Identity & { format: number }
    if (found !== format) throw new Error(`${folder} is of another version of Djinn (format ${found})`)
    if (identity.keyId !== key.id.toString('hex')) {
      throw new Error(
        !identity.encrypted
          ? `${folder} is not encrypted: leave the key file out, or begin a new folder`
          : key.hides
            ? `the key file is not the one that ${folder} is sealed with`
            : `${folder} is encrypted: name its key file`,
      )
    }
    repository.#identity = identity
    return repository
  }

  get isNew() {
    return this.#identity === undefined
  }

  /** Makes the folder the one of this cluster, or refuses one of another. */
  async claim(wanted: Pick<Identity, 'systemIdentifier' | 'segmentBytes'>) {
    if (this.#identity) {
      if (this.#identity.systemIdentifier !== wanted.systemIdentifier) {
        throw new Error(`${this.folder} has the backups of another PostgreSQL: name another folder`)
      }
      return
    }
    for (const folder of [this.folder, this.bases, this.wal]) await makeFolder(folder)
    const left = (await readdir(this.folder)).filter((name) => !['base', 'wal', 'repository.json.new'].includes(name))
    if (left.length > 0) throw new Error(`${this.folder} holds something else (${left[0]}): name an empty folder`)
    const identity = { ...wanted, keyId: this.key.id.toString('hex'), encrypted: this.key.hides }
    await writeDurably(join(this.folder, 'repository.json'), JSON.stringify({ format, ...identity }))
    this.#identity = identity
  }

  /** The bases that were finished, oldest first; half-made ones have no manifest in their place. */
  async listBases(): Promise<Manifest[]> {
    const names = (await readdir(this.bases).catch(() => [])).filter((name) => /^\d{8}T\d{9}Z$/.test(name))
    const found = await Promise.all(
      names.map(async (name) => openManifest(this.key, await readFile(join(this.bases, name, 'manifest.json'), 'utf8'), name)),
    )
    return found.toSorted((one, other) => Date.parse(one.finishedAt) - Date.parse(other.finishedAt))
  }

  /** Writes a stream as a sealed file on the disk; answers its digest and size as it lies there. */
  async writeSealed(
    file: string,
    name: string,
    source: AsyncIterable<Buffer> | Iterable<Buffer>,
  ): Promise<{ bytes: number; sha256: string }> {
    const digest = createHash('sha256')
    let bytes = 0
    const handle = await open(file, 'wx', 0o600)
    try {
      for await (const piece of seal(source, this.key, name)) {
        digest.update(piece)
        await writeAll(handle, piece)
        bytes += piece.length
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    return { bytes, sha256: digest.digest('hex') }
  }

  /** What a sealed file holds, piece by piece. */
  readSealed(file: string, name: string, unfinished = false): AsyncGenerator<Buffer> {
    return unseal(createReadStream(file, { highWaterMark: backupLimits.sealedPieceBytes }), this.key, name, { unfinished })
  }

  async finishBase(partial: string, manifest: Manifest) {
    await writeDurably(join(partial, 'manifest.json'), sealManifest(this.key, manifest))
    await renameDurably(partial, join(this.bases, manifest.id))
  }

  /** What a run that was cut off has left; the caller has made sure that none is at work. */
  async sweepHalfMade(): Promise<string[]> {
    const left = (await readdir(this.bases).catch(() => [])).filter((name) => name.endsWith('.partial') || name.startsWith('.going-'))
    for (const name of left) await rm(join(this.bases, name), { recursive: true, force: true })
    return left
  }

  nameOf(segment: Segment): string {
    return segmentName(segment, this.identity.segmentBytes)
  }

  async listWal(): Promise<WalList> {
    const { segmentBytes } = this.identity
    const list: WalList = { segments: new Map(), begun: new Map(), histories: [] }
    for (const file of await readdir(this.wal).catch(() => [])) {
      const history = timelineOfHistory(file)
      if (history !== undefined) list.histories.push(history)
      const [, name = '', rest = ''] = /^([0-9A-F]{24})-(.+)$/.exec(file) ?? []
      const segment = segmentOf(name, segmentBytes)
      if (!segment) continue
      if (!rest.endsWith('.partial')) list.segments.set(name, { ...segment, file, atMs: momentOf(rest) })
      else {
        const { size } = await stat(join(this.wal, file)).catch(() => ({ size: 0 }))
        if (size > (list.begun.get(name)?.bytes ?? 0)) list.begun.set(name, { file, bytes: size })
      }
    }
    list.histories.sort((one, other) => one - other)
    return list
  }

  async #readWhole(name: string, file = name, unfinished = false): Promise<Buffer> {
    const parts: Buffer[] = []
    for await (const part of this.readSealed(join(this.wal, file), `wal/${name}`, unfinished)) parts.push(part)
    return Buffer.concat(parts)
  }

  async findHistory(timeline: number): Promise<Buffer | undefined> {
    const name = historyName(timeline)
    return (await stat(join(this.wal, name)).catch(() => null)) ? await this.#readWhole(name) : undefined
  }

  /** Keeps the history of a timeline, once. */
  async keepHistory(timeline: number, text: string) {
    if (await this.findHistory(timeline)) return
    const name = historyName(timeline)
    const temporary = join(this.wal, `${name}.new`)
    await rm(temporary, { force: true })
    await this.writeSealed(temporary, `wal/${name}`, [Buffer.from(text)])
    await renameDurably(temporary, join(this.wal, name))
  }

  /** A segment as PostgreSQL wants it: what is not there yet of one that is not finished are zeros, which end the log. */
  async findSegment(segment: Segment): Promise<Buffer | undefined> {
    const { segments, begun } = await this.listWal()
    const name = this.nameOf(segment)
    const whole = segments.get(name)
    const file = whole?.file ?? begun.get(name)?.file
    if (file === undefined) return undefined
    const bytes = await this.#readWhole(name, file, whole === undefined)
    const { segmentBytes } = this.identity
    if (bytes.length > segmentBytes || (whole && bytes.length < segmentBytes)) throw new Damaged(`wal/${name} is of another length`)
    return Buffer.concat([bytes, Buffer.alloc(segmentBytes - bytes.length)])
  }

  /** Reads a segment to its end; throws Damaged where it is not as it was written. */
  async proveSegment(name: string) {
    const segment = segmentOf(name, this.identity.segmentBytes)
    if (segment) await this.findSegment(segment)
  }

  async readReached(): Promise<Reached | undefined> {
    const text = await readFile(join(this.wal, 'reached.json'), 'utf8').catch(() => undefined)
    return text === undefined ? undefined : (JSON.parse(text) as Reached)
  }

  async writeReached(reached: Reached) {
    await writeDurably(join(this.wal, 'reached.json'), JSON.stringify(reached))
  }
}

export async function writeAll(handle: FileHandle, bytes: Buffer) {
  for (let written = 0; written < bytes.length;) written += (await handle.write(bytes, written)).bytesWritten
}
