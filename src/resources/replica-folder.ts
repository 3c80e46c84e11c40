// Makes the data directory of a streaming replica: a copy of the primary over its own protocol, and what lets it follow from there.
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { addressOf } from './database-url.ts'
import { ReplicationConnection } from './replication.ts'
import { TarReader } from './tar-reader.ts'

export type ReplicaFolder = { major: number; slot: string; files: number; bytes: number; warnings: string[] }

export type ReplicaPlan = {
  /** The primary, by a login that may replicate; the replica keeps it, to follow by. */
  from: string
  /** The data directory to be: empty, or not there. */
  folder: string
  /** What keeps the primary's log for it; each replica has its own. */
  slot: string
  /** Whose the files are to be, where we are root. */
  owner: number | undefined
  onProgress: (bytes: number, ofBytes: number) => void
}

/** Here the copy comes in: without PG_VERSION beside it no server takes the folder above for its own. */
const incomingName = 'djinn-incoming'

/** What a standby must have as large as its primary, or it refuses to follow. */
const followed = ['max_connections', 'max_worker_processes', 'max_wal_senders', 'max_prepared_transactions', 'max_locks_per_transaction']

export async function makeReplicaFolder(plan: ReplicaPlan): Promise<ReplicaFolder> {
  const incoming = prepareFolder(plan)
  const connection = await ReplicationConnection.open(plan.from, `djinn replica ${plan.slot}`)
  try {
    const { major, settings, warnings } = await readPrimary(connection, plan.slot)
    // Of this connection: should we be cut off, the primary forgets it and keeps no log for nobody.
    const copying = `djinn_copying_${process.pid}`
    await connection.ask(`CREATE_REPLICATION_SLOT ${copying} TEMPORARY PHYSICAL (RESERVE_WAL)`)
    const tar = new TarReader(incoming, plan.owner)
    await unpack(connection, tar, plan)
    writeSettings(incoming, plan, settings)
    await connection.ask(`select pg_copy_physical_replication_slot('${copying}', '${plan.slot}', false)`)
    syncTree(incoming)
    settle(incoming, plan.folder)
    return { major, slot: plan.slot, files: tar.files, bytes: tar.bytes, warnings }
  } catch (error) {
    for (const entry of readdirSync(plan.folder)) rmSync(join(plan.folder, entry), { recursive: true, force: true })
    throw error
  } finally {
    await connection.close()
  }
}

/** The folder is there, ours alone and empty but for the place where the copy comes in; what an earlier try left half made is taken away. */
function prepareFolder({ folder, owner }: ReplicaPlan): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const found = readdirSync(folder)
  const halfMade = found.includes(incomingName) && !existsSync(join(folder, 'PG_VERSION'))
  if (found.length > 0 && !halfMade) throw new Error(`${folder} is not empty: a replica is made in a folder of its own`)
  for (const entry of found) rmSync(join(folder, entry), { recursive: true, force: true })
  const incoming = join(folder, incomingName)
  mkdirSync(incoming, { mode: 0o700 })
  for (const each of [folder, incoming]) {
    chmodSync(each, 0o700)
    if (owner !== undefined) chownSync(each, owner, owner)
  }
  return incoming
}

async function readPrimary(connection: ReplicationConnection, slot: string) {
  const [server] = await connection.ask(
    `select current_setting('server_version_num')::int / 10000 as major, pg_is_in_recovery() as standby,
      current_setting('max_slot_wal_keep_size') as kept, exists (select from pg_replication_slots where slot_name = '${slot}') as taken,
      (select count(*) from pg_tablespace where spcname not in ('pg_default', 'pg_global')) as tablespaces`,
  )
  if (server!['standby'] === 't') throw new Error('--from is a replica itself: name the primary')
  if (Number(server!['major']) < 16) throw new Error(`PostgreSQL ${server!['major']} is too old: Djinn needs 16 or newer`)
  if (server!['taken'] === 't') {
    throw new Error(
      `the primary has a slot ${slot} already: take another --slot, or let go of it there: select pg_drop_replication_slot('${slot}')`,
    )
  }
  if (Number(server!['tablespaces']) > 0)
    throw new Error('the primary has tablespaces of its own: make the replica with pg_basebackup (docs/replicas.md)')
  const settings = await connection.ask(
    `select name, setting from pg_settings where name in (${followed.map((name) => `'${name}'`).join(', ')})`,
  )
  const warnings =
    server!['kept'] === '-1'
      ? ['max_slot_wal_keep_size is -1 on the primary: a replica that stays away fills its disk with log; set it, for instance to 4GB']
      : []
  return { major: Number(server!['major']), settings: settings.map((row) => [row['name']!, row['setting']!] as const), warnings }
}

/** The messages of BASE_BACKUP (PostgreSQL's protocol, 54.4): n begins an archive, d is of it, p counts. */
async function unpack(connection: ReplicationConnection, tar: TarReader, { slot, onProgress }: ReplicaPlan) {
  const [size] = await connection.ask('select sum(pg_database_size(oid)) as bytes from pg_database')
  for await (const message of connection.copy(
    `BASE_BACKUP (LABEL 'djinn replica ${slot}', CHECKPOINT 'fast', PROGRESS true, MANIFEST 'no')`,
  )) {
    const kind = String.fromCharCode(message[0]!)
    if (kind === 'd') tar.write(message.subarray(1))
    else if (kind === 'p') onProgress(Number(message.readBigInt64BE(1)), Number(size!['bytes']))
  }
  tar.end()
}

function writeSettings(incoming: string, plan: ReplicaPlan, followedSettings: readonly (readonly [string, string])[]) {
  const settings = [
    ['primary_conninfo', connectionInfo(plan)],
    ['primary_slot_name', plan.slot],
    ['recovery_target_timeline', 'latest'],
    // A read that stands in the way of what is replayed is ended and asked of the primary, rather than all others shown old rows.
    ['max_standby_streaming_delay', '500ms'],
    ['hot_standby_feedback', 'off'],
    ...followedSettings,
  ]
  const lines = settings.map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
  appendFileSync(join(incoming, 'postgresql.auto.conf'), `# Written by djinn replica create.\n${lines.join('')}`)
  writeFileSync(join(incoming, 'standby.signal'), '', { mode: 0o600 })
  if (plan.owner !== undefined) chownSync(join(incoming, 'standby.signal'), plan.owner, plan.owner)
}

function connectionInfo({ from, slot }: ReplicaPlan): string {
  const { host, port, user, password } = addressOf(from)
  const parts = [
    ['host', host],
    ['port', String(port)],
    ['user', user],
    ...(password === null ? [] : [['password', password]]),
    ['sslmode', new URL(from).searchParams.get('sslmode') ?? 'prefer'],
    ['application_name', slot],
  ]
  return parts.map(([name, value]) => `${name}='${value!.replaceAll(/[\\']/g, String.raw`\$&`)}'`).join(' ')
}

/** To the disk: a crash of the machine must not leave a replica with holes that nobody notices. */
function syncTree(folder: string) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) syncTree(path)
    else syncPath(path)
  }
  syncPath(folder)
}

function syncPath(path: string) {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Moves all to where it belongs, PG_VERSION last. */
function settle(incoming: string, folder: string) {
  const names = readdirSync(incoming).filter((name) => name !== 'PG_VERSION')
  for (const name of [...names, 'PG_VERSION']) renameSync(join(incoming, name), join(folder, name))
  rmSync(incoming, { recursive: true })
  syncPath(folder)
}

/** Refuses to run what is no replica: without its signal file it would become a second primary. */
export function checkReplicaFolder(folder: string): { major: number } {
  if (!existsSync(join(folder, 'PG_VERSION'))) throw new Error(`${folder} is no data directory: make it with djinn replica create`)
  if (!existsSync(join(folder, 'standby.signal'))) throw new Error(`${folder} has no standby.signal: it is no replica (was it promoted?)`)
  return { major: Number(readFileSync(join(folder, 'PG_VERSION'), 'utf8')) }
}
