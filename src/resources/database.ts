// PostgreSQL: reads pipelined on one shared connection, writes in transactions of the pool, both inside a scope.
import pg from 'pg'
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'
import { isConnectionError } from './connection-error.ts'
import { readingScope, writingScope, type Scope } from './scope.ts'
import { statement, type Statement } from './statement.ts'
import { types } from './types.ts'
import { Transaction, type DatabaseObserver, type Runner } from './transaction.ts'

export type DatabaseOptions = {
  url: string
  /** False where a pooler loses them: then each statement is parsed anew. */
  preparedStatements?: boolean
  connectionsMax?: number
  /** Whether what is told to people is also queued to be pushed to their devices. */
  push?: boolean
  observer?: DatabaseObserver
  log?: (message: string, error: unknown) => void
}

const readRevisions = statement(
  'revisions.read',
  { households: 'uuid[]' },
  { id: 'uuid', revision: 'int8' },
  'select household_id as id, revision from household_revisions(:households)',
)

export type Read = { statement: Statement<never, never> | Statement; parameters: object }

export type ReadTogether = {
  /** The household's revision, null without a household. */
  revision: number | null
  /** When it was raised, in seconds of the epoch. */
  raisedS: number
  /** The rows of each read. */
  results: object[][]
}

/** Errors after which the same transaction may succeed when run again. */
const retryable = new Set(['40001', '40P01', '0A000'])

export class Database {
  readonly #options: DatabaseOptions
  readonly #pool: pg.Pool
  #reader: Promise<pg.Client> | undefined
  #readsInFlight = 0
  #closed = false
  readonly #push: boolean
  readonly #named: boolean

  constructor(options: DatabaseOptions) {
    this.#options = options
    this.#push = options.push ?? false
    this.#named = options.preparedStatements ?? true
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
   * connection of the pool, since all that rides the shared one waits for those before it.
   */
  async readTogether(scope: Scope, reads: Read[], { snapshot = false, apart = false } = {}): Promise<ReadTogether> {
    try {
      return await this.#readOnce(scope, reads, snapshot, apart)
    } catch (error) {
      // When the connection breaks, what was in flight is tried once more on the next one.
      if (!isConnectionError(error) || this.#closed) throw error
      return await this.#readOnce(scope, reads, snapshot, apart)
    }
  }

  async #readOnce(scope: Scope, reads: Read[], snapshot: boolean, apart: boolean): Promise<ReadTogether> {
    if (!apart) return await this.#readOn(await this.#openReader(), scope, reads, snapshot, true)
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

  async #readOn(
    client: pg.Client | pg.PoolClient,
    scope: Scope,
    reads: Read[],
    snapshot: boolean,
    anyPlan: boolean,
  ): Promise<ReadTogether> {
    this.#options.observer?.roundTrip?.(reads[0]?.statement.name ?? '')
    this.#readsInFlight++
    const stalled = setTimeout(() => destroy(client), limits.readerStallMs)
    try {
      // All four are queued in this tick, so nothing of another request comes between them.
      const sent = [
        client.query(snapshot ? 'begin isolation level repeatable read read only' : 'begin read only'),
        client.query(this.#entered(readingScope(scope, { stateOf: scope.household ?? null, anyPlan }))),
        ...reads.map((read) => this.#send(client, read.statement, read.parameters)),
        client.query('commit'),
      ]
      const settled = await Promise.allSettled(sent)
      const failed = settled.find((one) => one.status === 'rejected')
      if (failed) throw failed.reason
      const rows = settled.slice(1, -1).map((one) => (one as PromiseFulfilledResult<pg.QueryResult>).value.rows as object[])
      const [revision = null, raisedS = 0] = (rows[0]![0] as { state: number[] | null }).state ?? []
      return { revision, raisedS, results: rows.slice(1) }
    } finally {
      clearTimeout(stalled)
      this.#readsInFlight--
    }
  }

  /** The revisions of households: one statement, which needs no scope, since it tells nothing else. */
  async revisions(households: readonly string[]): Promise<Map<string, number>> {
    const read = async () => {
      const client = await this.#openReader()
      this.#options.observer?.roundTrip?.(readRevisions.name)
      const { rows } = await this.#send(client, readRevisions, { households })
      return new Map((rows as { id: string; revision: number }[]).map((row) => [row.id, row.revision]))
    }
    return await read().catch(async (error: unknown) => {
      if (!isConnectionError(error) || this.#closed) throw error
      return await read()
    })
  }

  #openReader(): Promise<pg.Client> {
    this.#reader ??= this.#connectReader()
    return this.#reader
  }

  async #connectReader(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#options.url,
      application_name: 'djinn reads',
      connectionTimeoutMillis: limits.poolWaitMsMax,
      keepAlive: true,
      pipeline: true,
      types,
    })
    const forget = () => {
      this.#reader = undefined
    }
    client.on('error', (error) => {
      forget()
      this.#options.log?.('the shared reading connection broke', error)
    })
    client.on('end', forget)
    try {
      await client.connect()
      return client
    } catch (error) {
      forget()
      throw error
    }
  }

  /** Prepared by its name, or without where a pooler loses what was prepared. */
  #entered({ name, ...rest }: ReturnType<typeof readingScope>) {
    return this.#named ? { name, ...rest } : rest
  }

  #send(client: pg.Client | pg.PoolClient, wanted: Statement, parameters: object): Promise<pg.QueryResult> {
    const values = wanted.order.map((name) => (parameters as Record<string, unknown>)[name])
    const startedMs = performance.now()
    const named = this.#named ? { name: wanted.preparedName } : {}
    const sent = client.query({ text: wanted.text, values: values.map(encode(wanted)), ...named })
    const observe = this.#options.observer?.statement
    if (observe) {
      sent.then(
        () => observe(wanted.name, performance.now() - startedMs, false),
        () => observe(wanted.name, performance.now() - startedMs, true),
      )
    }
    return sent
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
    return await this.#pool.connect()
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
    const client = await this.#pool.connect()
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
    await this.#openReader()
    const clients = await Promise.all(Array.from({ length: connections }, () => this.#pool.connect()))
    for (const client of clients) client.release()
  }

  async close() {
    this.#closed = true
    await Promise.all([this.#pool.end(), this.#reader?.then((client) => client.end()).catch(() => {})])
  }
}

function encode(wanted: Statement) {
  return (value: unknown, index: number) =>
    wanted.parameters[wanted.order[index]!]!.startsWith('jsonb') && value !== null && value !== undefined ? JSON.stringify(value) : value
}

function destroy(client: pg.Client | pg.PoolClient) {
  ;(client as unknown as { connection: { stream: { destroy: () => void } } }).connection.stream.destroy()
}
