// Reads of a household on replicas: one that has the household's revision answers, else the primary does.
import { limits } from '../values/limits.ts'
import type { Value } from './exposition.ts'
import type { Database } from './database.ts'
import type { Read, ReadOptions, Reads, ReadTogether } from './reads.ts'
import { Replica, type ReplicaLog } from './replica.ts'
import type { ReplicaMetrics } from './replica-metrics.ts'
import type { PrimaryStanding } from './replica-standing.ts'
import type { Scope } from './scope.ts'
import { statement } from './statement.ts'
import type { DatabaseObserver } from './transaction.ts'

/** Where the next record goes may lie behind the header of its page, where no record ends: then the page's start is meant. */
const readPrimary = statement(
  'replicas.primary',
  {},
  { system: 'text', timeline: 'int4', databaseOid: 'int8', flushed: 'int8', written: 'int8' },
  `select (select s.system_identifier::text from pg_control_system() s) as system,
    ('x' || left(pg_walfile_name(l.written), 8))::bit(32)::int4 as timeline,
    (select d.oid::int8 from pg_database d where d.datname = current_database()) as "databaseOid",
    pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::int8 as flushed,
    p.bytes - case when p.bytes % current_setting('wal_block_size')::int8 in (24, 40) then p.bytes % current_setting('wal_block_size')::int8 else 0 end as written
  from (select pg_current_wal_insert_lsn() as written) l, lateral (select pg_wal_lsn_diff(l.written, '0/0')::int8 as bytes) p`,
)

export type ReplicasOptions = {
  urls: readonly string[]
  /** The primary, as the service reads it. */
  primary: Database
  /** The same past any pooler, for what the watch over replicas asks. */
  direct: Database
  preparedStatements: boolean
  observer?: DatabaseObserver
  metrics: ReplicaMetrics
  log: ReplicaLog
}

export class Replicas implements Reads {
  readonly #primary: Database
  readonly #direct: Database
  readonly #log: ReplicaLog
  readonly #replicas: Replica[]
  readonly #gathered: GatheredRevisions
  readonly #timers = new Set<NodeJS.Timeout>()
  #primaryAsked: Promise<PrimaryStanding | null> | undefined
  #closed = false
  readonly #byPrimary: Value

  constructor(options: ReplicasOptions) {
    this.#primary = options.primary
    this.#direct = options.direct
    this.#log = options.log
    this.#replicas = options.urls.map((url) => new Replica({ ...options, url }))
    this.#gathered = new GatheredRevisions(options.primary)
    this.#byPrimary = options.metrics.reads.of('primary')
    options.metrics.standing = () => this.standing
  }

  /** How each stands, for whoever shows it. */
  get standing() {
    return this.#replicas.map(({ name, usable, lagMs, why }) => ({ name, usable, lagMs, why }))
  }

  /**
   * While a replica reads, the primary says which revision the household has: what comes back is of that revision or a later one,
   * so it shows all that anybody was told of, by whichever process. All questions of one turn are one statement.
   */
  async readTogether(scope: Scope, reads: Read[], options: ReadOptions = {}): Promise<ReadTogether> {
    const household = scope.household ?? null
    const replica = household === null ? null : this.#choose()
    if (household === null || replica === null) return await this.#onPrimary(scope, reads, options)
    const asked = options.atLeast === undefined ? this.#gathered.of(household) : null
    const answer = await replica.read(scope, reads, options)
    // Unknown to the primary is a household that was erased; when it cannot be asked, the read there fails with what is wrong.
    const needed = asked === null ? options.atLeast : await asked.catch(() => undefined)
    if (answer === null) return await this.#onPrimary(scope, reads, options)
    if (needed === undefined || answer.revision === null || answer.revision < needed) {
      replica.behind()
      return await this.#onPrimary(scope, reads, options)
    }
    replica.answered()
    return answer
  }

  async #onPrimary(scope: Scope, reads: Read[], options: ReadOptions): Promise<ReadTogether> {
    this.#byPrimary.value++
    return await this.#primary.readTogether(scope, reads, options)
  }

  /** Of those that may be read from, the one with the least to do. */
  #choose(): Replica | null {
    let chosen: Replica | null = null
    for (const replica of this.#replicas) {
      if (replica.usable && (chosen === null || replica.readsInFlight < chosen.readsInFlight)) chosen = replica
    }
    return chosen
  }

  /** Asks each now and from then on how it stands; answers when all have said so once, or have not. */
  async open() {
    await this.look()
    for (const replica of this.#replicas) this.#lookAgain(replica)
  }

  /** Each in its own time, so that none that is slow to answer hides another that died. */
  #lookAgain(replica: Replica) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      void this.#look(replica).then(() => {
        if (!this.#closed) this.#lookAgain(replica)
      })
    }, limits.replicaProbeMs)
    timer.unref()
    this.#timers.add(timer)
  }

  /** Asks all of them now. */
  async look() {
    await Promise.all(this.#replicas.map((replica) => this.#look(replica)))
  }

  async #look(replica: Replica) {
    const askedMs = performance.now()
    // Asked at the same time by several, it is asked once.
    this.#primaryAsked ??= this.#askPrimary().finally(() => (this.#primaryAsked = undefined))
    await replica.look(this.#primaryAsked, askedMs)
  }

  /** Where the primary stands, null when it did not say so. */
  async #askPrimary(): Promise<PrimaryStanding | null> {
    try {
      return (await this.#direct.reader({}).run(readPrimary, {}))[0]!
    } catch (error) {
      this.#log.debug({ err: error }, 'the primary did not say where it stands')
      return null
    }
  }

  async close() {
    this.#closed = true
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.all(this.#replicas.map((replica) => replica.close()))
  }
}

/** The revisions that the primary has, asked for all households of one turn of the event loop at once. */
class GatheredRevisions {
  readonly #primary: Database
  #households: string[] = []
  #asked: Promise<Map<string, number>> | undefined

  constructor(primary: Database) {
    this.#primary = primary
  }

  /** At the moment of the call or a later one; undefined when there is no such household. */
  of(household: string): Promise<number | undefined> {
    this.#asked ??= this.#ask()
    this.#households.push(household)
    const found = this.#asked.then((revisions) => revisions.get(household))
    // Whoever has no use for it any more does not wait for it.
    found.catch(() => {})
    return found
  }

  #ask(): Promise<Map<string, number>> {
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        const households = [...new Set(this.#households)]
        this.#households = []
        this.#asked = undefined
        this.#primary.revisions(households).then(resolve, reject)
      })
    })
  }
}
