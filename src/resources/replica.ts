// One replica: the connections to it, whether it may be read from, and why not.
import { limits } from '../values/limits.ts'
import { isConnectionError } from './connection-error.ts'
import { addressOf } from './database-url.ts'
import { Database } from './database.ts'
import type { Read, ReadOptions, ReadTogether } from './reads.ts'
import type { Value } from './exposition.ts'
import type { ReplicaMetrics } from './replica-metrics.ts'
import { ReplicaProbe } from './replica-probe.ts'
import { Lag, refusalOf, type PrimaryStanding, type ReplicaStanding } from './replica-standing.ts'
import type { Scope } from './scope.ts'
import type { DatabaseObserver } from './transaction.ts'

export type ReplicaLog = Record<'debug' | 'info' | 'warn', (about: object, message: string) => void>

/** PostgreSQL has ended it for taking too long: it would take as long on the primary. */
const tookTooLong = '57014'

export type ReplicaOptions = {
  url: string
  preparedStatements: boolean
  observer?: DatabaseObserver
  metrics: ReplicaMetrics
  log: ReplicaLog
}

export class Replica {
  /** Host and port: what it is called in metrics and in the log. */
  readonly name: string
  readonly #options: ReplicaOptions
  readonly #probe: ReplicaProbe
  readonly #inFlight = new Set<(error: Error) => void>()
  readonly #counts: { answered: Value; behind: Value; failed: Value }
  #database: Database
  #lag: Lag | undefined
  /** Up to where it had replayed when it was asked before. */
  #replayed = 0
  #closed = false
  /** Whether reads may go there. */
  usable = false
  /** Why they may not, in words that follow its name. */
  why: string | null = 'was not asked yet'
  /** How long the oldest of what it lacks has been on the primary; null while that is not known. */
  lagMs: number | null = null

  constructor(options: ReplicaOptions) {
    const { host, port } = addressOf(options.url)
    this.name = `${host}:${port}`
    this.#options = options
    this.#probe = new ReplicaProbe(options.url)
    this.#database = this.#open()
    this.#counts = {
      answered: options.metrics.reads.of(this.name),
      behind: options.metrics.returns.of(this.name, 'behind'),
      failed: options.metrics.returns.of(this.name, 'failed'),
    }
  }

  #open(): Database {
    const { url, preparedStatements, observer, log } = this.#options
    return new Database({
      url,
      preparedStatements,
      connectionsMax: limits.replicaConnectionsMax,
      replica: true,
      ...(observer ? { observer } : {}),
      log: (message, error) => log.debug({ err: error, replica: this.name }, message),
    })
  }

  get readsInFlight() {
    return this.#inFlight.size
  }

  /** The rows, or null when it failed: nothing of it was sent to anybody, so the primary may be asked instead. */
  async read(scope: Scope, reads: Read[], options: ReadOptions): Promise<ReadTogether | null> {
    try {
      return await new Promise((resolve, reject) => {
        // A server that is stopped answers nothing and breaks nothing: who waits for it is told when the probe finds out.
        this.#inFlight.add(reject)
        this.#database
          .readTogether(scope, reads, options)
          .then(resolve, reject)
          .finally(() => this.#inFlight.delete(reject))
      })
    } catch (error) {
      if ((error as { code?: string }).code === tookTooLong) throw error
      this.#counts.failed.value++
      if (isConnectionError(error)) this.#leaveOut('broke a connection', error)
      else this.#options.log.debug({ err: error, replica: this.name }, 'a read of the replica is tried on the primary')
      return null
    }
  }

  answered() {
    this.#counts.answered.value++
  }

  behind() {
    this.#counts.behind.value++
  }

  /** Asks how it stands and judges; with a primary that does not answer what was known holds. */
  async look(asked: Promise<PrimaryStanding | null>, askedMs: number) {
    let standing: ReplicaStanding
    try {
      standing = await this.#probe.ask()
    } catch (error) {
      this.lagMs = null
      this.#leaveOut('does not answer', error)
      this.#abandon(error as Error)
      return
    }
    const primary = await asked
    if (primary === null || this.#closed) return
    const refusal = refusalOf(primary, standing, this.#replayed)
    this.#replayed = standing.replayed
    if (refusal !== null) {
      this.#lag = undefined
      this.lagMs = null
      return this.#leaveOut(refusal)
    }
    this.#lag ??= new Lag(primary.written)
    this.#lag.seen(primary.flushed, askedMs)
    this.#lag.replayed(standing.replayed)
    this.lagMs = this.#lag.lagMs(performance.now())
    if (!this.#lag.caughtUp) return this.#leaveOut('has not come yet to where the primary was when this process began')
    if (this.lagMs > limits.replicaLagMsMax) return this.#leaveOut('is behind', undefined, { lagMs: Math.round(this.lagMs) })
    if (this.usable) return
    this.usable = true
    this.why = null
    this.#options.log.info({ replica: this.name }, `reads go to the replica ${this.name}`)
  }

  #leaveOut(why: string, error?: unknown, about: object = {}) {
    const told = this.why === why
    this.usable = false
    this.why = why
    if (told || this.#closed) return
    this.#options.log.warn(
      { replica: this.name, ...about, ...(error ? { err: error } : {}) },
      `the replica ${this.name} ${why}: reads go past it`,
    )
  }

  /** Lets go of all that waits for it. */
  #abandon(cause: Error) {
    if (this.#inFlight.size === 0) return
    const former = this.#database
    this.#database = this.#open()
    void former.close().catch(() => {})
    for (const reject of this.#inFlight) reject(cause)
    this.#inFlight.clear()
  }

  async close() {
    this.#closed = true
    this.usable = false
    this.#probe.close()
    await this.#database.close()
  }
}
