// Frees the jobs of workers that died: by itself the queue would take them for running for 4 more hours.
import pg from 'pg'
import { limits } from '../values/limits.ts'
import type { Database } from './database.ts'
import { statement } from './statement.ts'
import type { Transaction } from './transaction.ts'

/** A living worker holds an advisory lock of this class, numbered by the hash of its name; its connection's end frees it. */
const lockClass = 7_281_996

const listAbandoned = statement(
  'queue.abandoned',
  { class: 'int8' },
  { worker: 'text' },
  `select distinct j.locked_by as worker from graphile_worker.jobs j
  where j.locked_by is not null and not exists (
    select from pg_locks l where l.locktype = 'advisory' and l.objsubid = 2 and l.classid::bigint = :class
      and l.objid::bigint = hashtext(j.locked_by)::bigint & 4294967295
      and l.database = (select d.oid from pg_database d where d.datname = current_database()))
  limit 100`,
)
const freeJobs = statement('queue.free', { workers: 'text[]' }, {}, 'select from graphile_worker.force_unlock_workers(:workers)')
// A job that was queued anew while it ran has lost its key to its successor; when its worker died it is nobody's.
const dropReplaced = statement(
  'queue.dropReplaced',
  {},
  { id: 'int8' },
  `select c.id from graphile_worker.complete_jobs(array(
    select j.id from graphile_worker.jobs j where j.key is null and j.locked_at is null and j.attempts >= j.max_attempts limit 100)) c`,
)

export class AbandonedJobs {
  readonly #url: string
  readonly #database: Database
  readonly #log: (message: string, error: unknown) => void
  #worker = ''
  #held = ''
  #client: pg.Client | undefined
  #timer: NodeJS.Timeout | undefined
  #sweeping: Promise<void> = Promise.resolve()
  #met = new Set<string>()

  /** The database must be reached past any pooler: a lock is the connection's. */
  constructor(options: { url: string; database: Database; log: (message: string, error: unknown) => void }) {
    this.#url = options.url
    this.#database = options.database
    this.#log = options.log
  }

  /** Says that this worker lives, and looks for others that do not. */
  async watch(worker: string) {
    this.#worker = worker
    await this.#attend()
    this.#timer ??= setInterval(() => {
      this.#sweeping = this.#attend()
    }, limits.queueSweepMs)
    this.#timer.unref()
  }

  /** Frees what was abandoned in two looks in a row: a worker whose connection broke has it again by the second. */
  async sweep() {
    const met = (await this.#write((tx) => tx.run(listAbandoned, { class: lockClass }))).map((row) => row.worker)
    const dead = met.filter((worker) => this.#met.has(worker))
    this.#met = new Set(met)
    if (dead.length === 0) return
    await this.#write(async (tx) => {
      await tx.run(freeJobs, { workers: dead })
      await tx.run(dropReplaced, {})
    })
    this.#log(`freed the jobs of ${dead.length} workers that died`, undefined)
  }

  async #write<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return await this.#database.write({}, work, 'djinn_keeper')
  }

  async #attend() {
    try {
      await this.#hold()
      await this.sweep()
    } catch (error) {
      this.#log('abandoned jobs could not be looked for', error)
    }
  }

  async #hold() {
    const client = this.#client ?? (await this.#connect())
    if (this.#held === this.#worker) return
    // A worker that was started again has another name; what the one before left behind is free.
    await client.query('select pg_advisory_unlock_all()')
    await client.query('select pg_advisory_lock($1, hashtext($2))', [lockClass, this.#worker])
    this.#held = this.#worker
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'djinn worker lives',
      connectionTimeoutMillis: limits.poolWaitMsMax,
      keepAlive: true,
    })
    const forget = () => {
      if (this.#client !== client) return
      this.#client = undefined
      this.#held = ''
    }
    client.on('error', forget)
    client.on('end', forget)
    await client.connect()
    this.#client = client
    return client
  }

  async close() {
    clearInterval(this.#timer)
    await this.#sweeping
    await this.#client?.end().catch(() => {})
  }
}
