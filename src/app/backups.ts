// Backups as commands and the service ask for them: the configured folder and key, the database past any pooler.
import { join } from 'node:path'
import { drill, type DrillOptions } from '../features/backups/drill.ts'
import { ErasureFile } from '../features/backups/erasure-file.ts'
import { makeBase, type MakingOptions } from '../features/backups/making.ts'
import type { Manifest } from '../features/backups/manifest.ts'
import { Repository } from '../features/backups/repository.ts'
import { forget, type Forgotten } from '../features/backups/retention.ts'
import { restore, type Restored, type RestoreOptions } from '../features/backups/restoring.ts'
import { WalFollower, type FollowerOptions } from '../features/backups/wal-follower.ts'
import { erasingTasks } from '../features/households/erasing.ts'
import type { Config } from '../resources/config.ts'
import type { Database } from '../resources/database.ts'
import { readKeyFile } from '../resources/key-file.ts'
import { sealingKey } from '../resources/sealed-stream.ts'
import { openRestored, withDatabase, type Resources } from './resources.ts'
import { version } from './version.ts'

/** The folder and key that a command names, else the configured ones; without any the folder lies with the service's own files. */
export async function openRepository(config: Config, folder: string | undefined, keyFile: string | undefined): Promise<Repository> {
  const key = keyFile === undefined ? config.backups.key : sealingKey(readKeyFile(keyFile))
  return await Repository.open(folder ?? config.backups.folder ?? join(config.dataDir, 'backups'), key)
}

export type BackupWishes = { keepDays: number; rateMbMax?: number; onProgress?: (bytes: number, ofBytes: number) => void }

export type BackedUp = Manifest & { forgotten: Forgotten }
type Source = Pick<MakingOptions, 'url' | 'database' | 'embedded'>

/** Makes a base backup, brings what was erased up to date beside it, and takes away what is not needed any more. */
export async function backUpFrom(source: Source, repository: Repository, wishes: BackupWishes): Promise<BackedUp> {
  const manifest = await makeBase({ ...source, repository, version, ...wishes })
  await new ErasureFile(repository.folder).update(source.database)
  return { ...manifest, forgotten: await forget(repository, Date.now(), wishes.keepDays) }
}

export async function backUp(config: Config, repository: Repository, wishes: BackupWishes): Promise<BackedUp> {
  const embedded = config.databaseUrl === undefined
  return await withDatabase(config, (database, url) => backUpFrom({ url, database, embedded }, repository, wishes))
}

/** The log of the embedded database is followed by the process that serves it. */
export async function followServed(resources: Resources): Promise<WalFollower | null> {
  const { config, directDatabase, log } = resources
  if (!resources.embedded || config.backups.folder === undefined) return null
  const repository = await openRepository(config, undefined, undefined)
  const follower = followLog(resources.directUrl, directDatabase, repository, (message, error) => log.warn({ err: error }, message))
  follower.start()
  return follower
}

const eraseHousehold = async (database: Database, household: string) => {
  await erasingTasks(database)['eraseHousehold']!({ household })
}

export async function drillNow(
  config: Config,
  repository: Repository,
  scratch: string | undefined,
  onProgress: DrillOptions['onProgress'],
) {
  return await withDatabase(config, (database) =>
    drill({
      database,
      repository,
      scratch: scratch ?? config.dataDir,
      openDatabase: openRestored,
      eraseHousehold,
      ...(onProgress ? { onProgress } : {}),
    }),
  )
}

export function followLog(url: string, database: Database, repository: Repository, log: FollowerOptions['log']): WalFollower {
  return new WalFollower({ url, database, repository, erasures: new ErasureFile(repository.folder), log })
}

export async function restoreTo(options: Omit<RestoreOptions, 'eraseHousehold' | 'openDatabase'>): Promise<Restored> {
  return await restore({
    ...options,
    openDatabase: openRestored,
    eraseHousehold,
  })
}

/** Follows the log until SIGINT or SIGTERM. */
export async function follow(config: Config, repository: Repository) {
  await withDatabase(config, async (database, url) => {
    const follower = followLog(url, database, repository, (message, error) =>
      console.error(`djinn: ${message}${error instanceof Error ? `: ${error.message}` : ''}`),
    )
    follower.start()
    console.log(`following the log into ${repository.folder}`)
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
    })
    await follower.close()
  })
}

export { listBackups } from '../features/backups/restoring.ts'
