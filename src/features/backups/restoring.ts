// Restores: proves what is there before it writes anything, brings the database to the moment, and forgets again whom it has to.
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Database } from '../../resources/database.ts'
import { adoptCluster } from '../../resources/embedded.ts'
import { verifyInvariants, type Finding } from '../../resources/invariants.ts'
import { Damaged } from '../../resources/sealed-stream.ts'
import { chainOf, choose, joined, rangeOf, type Archive, type Range } from './coverage.ts'
import { ErasureFile } from './erasure-file.ts'
import type { Manifest } from './manifest.ts'
import { recover, unpack, type Recovering } from './recovery.ts'
import type { Repository } from './repository.ts'
import { beginNewHistory, eraseAgain, readLastCommit } from './store.ts'
import { forksOf } from './wal-names.ts'

export type RestoreOptions = Omit<Recovering, 'base'> & {
  openDatabase: (url: string) => Database
  /** Empties a household that is deleted, as the service does. */
  eraseHousehold: (database: Database, household: string) => Promise<void>
  /** Looks at the database as it was, before anything in it is changed. */
  onRecovered?: (database: Database) => Promise<void>
}

export type Restored = {
  base: string
  /** The moment that it was brought to: the wanted one, or up to where the log was safe. */
  reachedAt: string
  /** When the last of its transactions was committed; null where there was none since the base. */
  lastCommitAt: string | null
  bytes: number
  segments: number
  erasedAgain: number
  sessionsEnded: number
  findings: Finding[]
  /** Until the database could be used, and until it was proved. */
  readyMs: number
  provedMs: number
}

export async function readArchive(repository: Repository): Promise<Archive> {
  const { segments, begun, histories } = await repository.listWal()
  const newest = histories.at(-1)
  const history = newest === undefined ? undefined : await repository.findHistory(newest)
  return {
    segments,
    begun: new Set(begun.keys()),
    reached: await repository.readReached(),
    forks: history === undefined ? [] : forksOf(newest!, history.toString('utf8')),
  }
}

export async function readRanges(repository: Repository): Promise<{ archive: Archive; ranges: Range[] }> {
  const archive = await readArchive(repository)
  return { archive, ranges: (await repository.listBases()).map((base) => rangeOf(base, archive)) }
}

export type BackupList = { bases: Manifest[]; spans: { from: string; to: string }[] }

export async function listBackups(repository: Repository): Promise<BackupList> {
  if (repository.isNew) return { bases: [], spans: [] }
  const { ranges } = await readRanges(repository)
  const moment = (ms: number) => new Date(ms).toISOString()
  return { bases: ranges.map(({ base }) => base), spans: joined(ranges).map(([from, to]) => ({ from: moment(from), to: moment(to) })) }
}

export async function restore(options: RestoreOptions): Promise<Restored> {
  const { repository, folder, targetMs } = options
  if (repository.isNew) throw new Error(`${repository.folder} holds no backups`)
  refuseUsed(folder)
  const { archive, ranges } = await readRanges(repository)
  const choice = choose(ranges, targetMs)
  if ('refusal' in choice) throw new Error(choice.refusal)
  const { base, toMs } = choice.range
  await proveFiles(options, choice.range, archive)
  const erased = await new ErasureFile(repository.folder).read()
  const startedMs = performance.now()
  const recovering: Recovering = { ...options, base }
  let done = false
  try {
    const cluster = await unpack(recovering)
    const recovered = await recover(recovering, cluster)
    const readyMs = performance.now() - startedMs
    const database = options.openDatabase(recovered.url)
    let result: Restored
    try {
      const [last] = await database.write({}, (tx) => tx.run(readLastCommit, {}), 'djinn_keeper')
      await options.onRecovered?.(database)
      let erasedAgain = 0
      for (const { kind, id } of erased) {
        const [found] = await database.write({}, (tx) => tx.run(eraseAgain, { kind, id }), 'djinn_keeper')
        for (const household of found!.households) await options.eraseHousehold(database, household)
        if (found!.there) erasedAgain++
      }
      const [history] = await database.write({}, (tx) => tx.run(beginNewHistory, { endSessions: targetMs !== null }), 'djinn_keeper')
      const findings = await verifyInvariants(database)
      result = {
        base: base.id,
        // Behind what is known to be safe a little more may have come.
        reachedAt: new Date(targetMs ?? Math.max(toMs, last!.at === null ? 0 : Date.parse(last!.at))).toISOString(),
        lastCommitAt: last!.at === null ? null : new Date(last!.at).toISOString(),
        bytes: base.bytes,
        segments: recovered.segments,
        erasedAgain,
        sessionsEnded: history!.ended,
        findings,
        readyMs: Math.round(readyMs),
        provedMs: Math.round(performance.now() - startedMs),
      }
      if (base.embedded) await adoptCluster(recovered.url, folder)
    } finally {
      await database.close()
      await recovered.stop()
    }
    done = true
    return result
  } finally {
    if (!done)
      for (const name of [`postgresql-${base.major}`, 'database.json']) rmSync(join(folder, name), { recursive: true, force: true })
  }
}

function refuseUsed(folder: string) {
  if (!existsSync(folder)) return
  const [there] = readdirSync(folder)
  if (there !== undefined) throw new Error(`${folder} is not empty (${there}): a restore takes a folder of its own`)
}

/** Everything that the restore will read is there and as it was written; nothing is begun before that is known. */
async function proveFiles({ repository, targetMs, onProgress }: RestoreOptions, { base }: Range, archive: Archive) {
  for (const file of base.files) {
    const digest = createHash('sha256')
    let bytes = 0
    for await (const chunk of createReadStream(join(repository.bases, base.id, file.name), { highWaterMark: 1024 * 1024 })) {
      digest.update(chunk as Buffer)
      bytes += (chunk as Buffer).length
      onProgress?.('checked', bytes, file.bytes)
    }
    if (bytes !== file.bytes) throw new Damaged(`base/${base.id}/${file.name} is of another length`)
    if (digest.digest('hex') !== file.sha256) throw new Damaged(`base/${base.id}/${file.name} is damaged`)
  }
  const { names } = chainOf(base, archive)
  for (const [index, name] of names.entries()) {
    const before = archive.segments.get(names[index - 1] ?? '')
    if (targetMs !== null && before !== undefined && before.atMs > targetMs) break
    await repository.proveSegment(name)
    onProgress?.('segments checked', index + 1, names.length)
  }
}
