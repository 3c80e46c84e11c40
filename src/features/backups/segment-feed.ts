// Hands PostgreSQL the segments of the archive that it asks for, one at a time: they lie there sealed, and it can open none.
import { chownSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { backupLimits } from '../../values/backup-limits.ts'
import type { Repository } from './repository.ts'
import { segmentOf, timelineOfHistory } from './wal-names.ts'

const folderName = 'djinn-restore'

/**
 * What PostgreSQL runs for each file: it asks by an empty file and waits for an answer of that name, which is there whole or not at all. It gives up,
 * so that PostgreSQL does too, when whoever feeds it is gone.
 */
export const restoreCommand = [
  `f=${folderName}`,
  ': > $f/ask/%f',
  `while [ -d $f/ask ] && [ -d /proc/${process.pid} ]; do [ -e $f/give/%f ] && exec mv $f/give/%f %p; [ -e $f/none/%f ] && rm $f/none/%f && exit 1; sleep 0.01; done`,
  'exit 255',
].join('; ')

export class SegmentFeed {
  readonly #repository: Repository
  readonly #folder: string
  readonly #owner: number | undefined
  readonly #stop = new AbortController()
  #working: Promise<void> = Promise.resolve()
  #ahead: { name: string; bytes: Promise<Buffer | undefined> } | undefined
  #failure: Error | undefined
  given = 0

  constructor(repository: Repository, cluster: string, owner: number | undefined) {
    this.#repository = repository
    this.#folder = join(cluster, folderName)
    this.#owner = owner
  }

  get failure() {
    return this.#failure
  }

  start() {
    for (const name of ['', 'ask', 'give', 'none']) {
      const path = join(this.#folder, name)
      mkdirSync(path, { recursive: true, mode: 0o700 })
      if (this.#owner !== undefined) chownSync(path, this.#owner, this.#owner)
    }
    this.#working = this.#work()
  }

  async #work() {
    while (!this.#stop.signal.aborted) {
      for (const name of readdirSync(join(this.#folder, 'ask'))) {
        try {
          await this.#answer(name)
        } catch (error) {
          // It must not be taken for the end of the log.
          this.#failure = error as Error
          return
        }
      }
      await setTimeout(backupLimits.restoreAskMs, undefined, { signal: this.#stop.signal }).catch(() => {})
    }
  }

  async #answer(name: string) {
    const bytes = this.#ahead?.name === name ? await this.#ahead.bytes : await this.#read(name)
    const temporary = join(this.#folder, `${name}.new`)
    writeFileSync(temporary, bytes ?? '', { mode: 0o600 })
    if (this.#owner !== undefined) chownSync(temporary, this.#owner, this.#owner)
    rmSync(join(this.#folder, 'ask', name))
    renameSync(temporary, join(this.#folder, bytes ? 'give' : 'none', name))
    if (!bytes) return
    this.given++
    this.#readAhead(name)
  }

  /** The next one is opened while PostgreSQL applies this one. */
  #readAhead(name: string) {
    const segment = segmentOf(name, this.#repository.identity.segmentBytes)
    if (!segment) return
    const next = this.#repository.nameOf({ ...segment, number: segment.number + 1n })
    const bytes = this.#read(next)
    bytes.catch(() => {})
    this.#ahead = { name: next, bytes }
  }

  async #read(name: string): Promise<Buffer | undefined> {
    const timeline = timelineOfHistory(name)
    if (timeline !== undefined) return await this.#repository.findHistory(timeline)
    const segment = segmentOf(name, this.#repository.identity.segmentBytes)
    return segment && (await this.#repository.findSegment(segment))
  }

  async close() {
    this.#stop.abort()
    await this.#working
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
