// PostgreSQL: reads pipelined on shared connections, writes in transactions of the pool, both inside a scope.
import pg from 'pg'
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'
import { isConnectionError } from './connection-error.ts'
import { streamOf } from './gather.ts'
import { ReadingConnections } from './reading-connections.ts'
import type { Read, ReadOptions, ReadTogether } from './reads.ts'
import { readingScope, writingScope, type Scope } from './scope.ts'
import { statement, type Statement } from './statement.ts'
import { types } from './types.ts'
import { travel, travelInSnapshot, type Leg } from './trip.ts'
import { Transaction, type DatabaseObserver, type Runner } from './transaction.ts'

export type DatabaseOptions = {
  url: string
  /** False where a pooler loses them: then each statement is parsed anew. */
  preparedStatements?: boolean
  connectionsMax?: number
  /** Whether what is told to people is also queued to be pushed to their devices. */
  push?: boolean
  /** Of a replica: what fails there is tried on the primary, and not here again. */
  replica?: boolean
  observer?: DatabaseObserver
  log?: (message: string, error: unknown) => void
}

const readRevisions = statement(
  'revisions.read',
  { households: 'uuid[]' },
  { id: 'uuid', revision: 'int8' },
  'select household_id as id, revision from household_revisions(:households)',
)

/** Errors after which the same transaction may succeed when run again. */
const retryable = new Set(['40001', '40P01', '0A000'])

/** A statement's plan that a change of the schema has overtaken, for as long as the connection lives. */
const outdated = '0A000'
/** Errors after which the same read may succeed: the last is of a statement that another, which failed, was to prepare. */
const readRetryable = new Set([outdated, '26000'])

export class Database {
  readonly #options: DatabaseOptions
  readonly #pool: pg.Pool
  readonly #readers: ReadingConnections
  #readsInFlight = 0
  #closed = false
  readonly #push: boolean
  readonly #named: boolean

  constructor(options: DatabaseOptions) {
    this.#options = options
    this.#push = options.push ?? false
    this.#named = options.preparedStatements ?? true
    this.#readers = new ReadingConnections(options.url, options.log)
    this.#pool = new pg.Pool({
      connectionString: options.url,
      application_name: 'djinn',
      max: options.connectionsMax ?? limits.poolConnectionsMax,
      min: 0,
      maxLifetimeSeconds: limits.poolLifetimeS,
      idleTimeoutMillis: limits.poolIdleMs,
      connectionTimeoutMillis: limits.poolWaitMsMax,
      keepAlive: true,
      // One round trip for what is sent together: begin, scope and the first statement.
      pipeline: true,
      types,
    })
    this.#pool.on('error', (error) => !this.#closed && options.log?.('an idle connection to the database broke', error))
  }

  /** Connections: all, idle, and requests waiting for one. */
  get poolState() {
    return {
      total: this.#pool.totalCount,
      idle: this.#pool.idleCount,
      waiting: this.#pool.waitingCount,
      readsInFlight: this.#readsInFlight,
    }
  }

  /** Reads in the scope: each statement is one round trip, however many others share the connection. */
  reader(scope: Scope): Runner {
    return { run: async (wanted, parameters) => (await this.readTogether(scope, [{ statement: wanted, parameters }])).results[0] as never }
  }

  /**
   * Runs several reads as one transaction in one round trip; answers their rows in order, and how the household stood before
   * the first. With `snapshot` all of them see the household as it stood then. `apart` are reads that may take long: they get a
   * connection of the pool, since all that rides the shared one waits for those before it. `atLeast` is always met: here is the primary.
   */
  async readTogether(scope: Scope, reads: Read[], { snapshot = false, apart = false }: ReadOptions = {}): Promise<ReadTogether> {
    try {
      return await this.#readOnce(scope, reads, snapshot, apart)
    } catch (error) {
      // When the connection breaks, what was in flight is tried once more on the next one.
      const { code = '' } = error as { code?: string }
      if (!(isConnectionError(error) || readRetryable.has(code)) || this.#closed) throw error
      if (code === outdated) void this.#readers.close()
      if (this.#options.replica) throw error
      return await this.#readOnce(scope, reads, snapshot, apart)
    }
  }

  async #readOnce(scope: Scope, reads: Read[], snapshot: boolean, apart: boolean): Promise<ReadTogether> {
    if (!apart) return await this.#shared((client) => this.#readOn(client, scope, reads, snapshot, true))
    const client = await this.#connect()
    try {
      const read = await this.#readOn(client, scope, reads, snapshot, false)
      client.release()
      return read
    } catch (error) {
      // The commit behind a refused statement has ended its transaction.
      client.release(isConnectionError(error))
      throw error
    }
  }

  /** Works on one of the connections that reads share. */
  async #shared<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const connection = this.#readers.choose()
    connection.sent()
    try {
      return await work(await connection.open())
    } finally {
      connection.answered()
    }
  }

  async #readOn(
    client: pg.Client | pg.PoolClient,
    scope: Scope,
    reads: Read[],
    snapshot: boolean,
    anyPlan: boolean,
  ): Promise<ReadTogether> {
    this.#options.observer?.roundTrip?.(reads[0]?.statement.name ?? '')
    for (const { statement: each } of reads) this.#options.observer?.read?.(each.name)
    this.#readsInFlight++
    const stalled = setTimeout(() => streamOf(client).destroy(), limits.readerStallMs)
    try {
      const entered = this.#entered(readingScope(scope, { stateOf: scope.household ?? null, anyPlan }))
      const legs = [entered, ...reads.map((read) => this.#leg(read.statement, read.parameters))]
      const [[state] = [], ...results] = await this.#observed(reads, snapshot ? travelInSnapshot(client, legs) : travel(client, legs))
      const [revision = null, raisedS = 0] = (state as { state: number[] | null }).state ?? []
      return { revision, raisedS, results }
    } finally {
      clearTimeout(stalled)
      this.#readsInFlight--
    }
  }

  /** The revisions of households: one statement, which needs no scope, since it tells nothing else. */
  async revisions(households: readonly string[]): Promise<Map<string, number>> {
    const read = () =>
      this.#shared(async (client) => {
        this.#options.observer?.roundTrip?.(readRevisions.name)
        this.#options.observer?.read?.(readRevisions.name)
        const [rows] = await this.#observed([{ statement: readRevisions }], travel(client, [this.#leg(readRevisions, { households })]))
        return new Map((rows as { id: string; revision: number }[]).map((row) => [row.id, row.revision]))
      })
    return await read().catch(async (error: unknown) => {
      if (!isConnectionError(error) || this.#closed) throw error
      return await read()
    })
  }

  /** Prepared by its name, or without where a pooler loses what was prepared. */
  #entered({ name, ...rest }: ReturnType<typeof readingScope>) {
    return this.#named ? { name, ...rest } : rest
  }

  /** What is sent of a statement: its name where it is prepared, and its values in order. */
  #leg(wanted: Statement, parameters: object): Leg {
    const values = wanted.order.map((name) => encode(wanted, name, (parameters as Record<string, unknown>)[name]))
    return this.#named ? { name: wanted.preparedName, text: wanted.text, values } : { text: wanted.text, values }
  }

  #send(client: pg.PoolClient, wanted: Statement, parameters: object): Promise<pg.QueryResult> {
    return this.#observed([{ statement: wanted }], client.query(this.#leg(wanted, parameters)))
  }

  /** Tells the observer how long statements that were sent together took. */
  async #observed<T>(sent: readonly Pick<Read, 'statement'>[], answered: Promise<T>): Promise<T> {
    const observe = this.#options.observer?.statement
    if (!observe) return await answered
    const startedMs = performance.now()
    const told = (failed: boolean) => {
      for (const { statement: each } of sent) observe(each.name, performance.now() - startedMs, failed)
    }
    try {
      const answer = await answered
      told(false)
      return answer
    } catch (error) {
      told(true)
      throw error
    }
  }

  /**
   * Runs the work in one transaction and commits it. `work` may run again after a serialisation failure, so it must do
   * nothing outside of the transaction. A Failure thrown by it rolls back and passes on.
   */
  async write<T>(scope: Scope, work: (tx: Transaction) => Promise<T>, role: 'djinn_app' | 'djinn_keeper' = 'djinn_app'): Promise<T> {
    for (let tryNumber = 1; ; tryNumber++) {
      try {
        return await this.#writeOnce(scope, work, role)
      } catch (error) {
        const code = (error as { code?: string }).code ?? ''
        if (!retryable.has(code) || tryNumber >= limits.transactionTriesMax) throw error
      }
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    if (this.#pool.waitingCount >= limits.poolWaitersMax) {
      throw new Failure('unavailable', 'Too many requests wait for the database.', { retryAfterS: 1 })
    }
    const startedMs = performance.now()
    const client = await this.#pool.connect()
    this.#options.observer?.poolWait?.(performance.now() - startedMs)
    return client
  }

  async #writeOnce<T>(scope: Scope, work: (tx: Transaction) => Promise<T>, role: 'djinn_app' | 'djinn_keeper'): Promise<T> {
    const client = await this.#connect()
    const tx = new Transaction(
      client,
      (wanted, parameters) => this.#send(client, wanted, parameters),
      this.#options.observer,
      this.#entered(writingScope(scope, this.#push, role)),
    )
    try {
      const result = await work(tx)
      await tx.commit()
      client.release()
      if (tx.raised) this.#options.observer?.committed?.(tx.raised.household, tx.raised.revision, scope.device ?? null)
      return result
    } catch (error) {
      await tx.rollback().then(
        () => client.release(),
        (broken: Error) => client.release(broken),
      )
      throw error
    }
  }

  /** Reads of one moment, for as long as it is open: for answers that are made while they are sent. The caller closes it. */
  async openSnapshot(scope: Scope): Promise<Runner & { close: () => Promise<void> }> {
    const client = await this.#connect()
    const tx = new Transaction(
      client,
      (wanted, parameters) => this.#send(client, wanted, parameters),
      this.#options.observer,
      this.#entered(readingScope(scope)),
      'begin isolation level repeatable read read only',
    )
    return {
      run: (wanted, parameters) => tx.run(wanted, parameters),
      close: () =>
        tx.rollback().then(
          () => client.release(),
          (broken: Error) => client.release(broken),
        ),
    }
  }

  /** Opens the connections that the pool keeps, so that the first requests find them. */
  async warm(connections: number) {
    await this.#readers.warm()
    const clients = await Promise.all(Array.from({ length: connections }, () => this.#pool.connect()))
    for (const client of clients) client.release()
  }

  async close() {
    this.#closed = true
    await Promise.all([this.#pool.end(), this.#readers.close()])
  }
}

function encode(wanted: Statement, name: string, value: unknown): unknown {
  return wanted.parameters[name]!.startsWith('jsonb') && value !== null && value !== undefined ? JSON.stringify(value) : value
}
