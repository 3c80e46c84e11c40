// Fills a database with made-up households: batches go to threads, each on a connection of its own, until all are there.
import { Worker } from 'node:worker_threads'
import pg from 'pg'
import { eachInTurn, putBackIndexes, rebuildFrom, takeIndexes } from './indexes.ts'
import { beginRun, openProgress, type Wanted } from './progress.ts'
import { missingRights } from './rights.ts'
import { batchesOf, householdSizes, type Batch } from './sizes.ts'
import { writeSessions, type SessionsWanted } from './sessions-file.ts'
import type { Told, ThreadData } from './thread.ts'
import type { Written } from './write-batch.ts'

export type SeedOptions = Wanted & {
  url: string
  jobs: number
  besideOthers: boolean
  /** What all seeded users sign in with, hashed; asked for once a run. */
  hashPassword: () => Promise<string>
  /** Ends the run after the batches that are being written. */
  signal?: AbortSignal
  /** Whether indexes are taken away until all rows are there; by default, where nobody else uses them and there are many rows. */
  indexes?: 'keep' | 'rebuild'
  /** A file of access tokens of all users, written once all are there. */
  sessions?: Omit<SessionsWanted, 'seed' | 'users'>
  onProgress?: (transactions: number, total: number) => void
  /** What is done once the rows are there. */
  onStep?: (what: string, done: number, total: number) => void
}
export type SeedReport = {
  seed: number
  users: number
  /** Of the whole run, and of this call. */
  transactions: number
  transactionsWritten: number
  rowsWritten: number
  complete: boolean
  takenUp: boolean
  /** From the first batch until the last index is there. */
  seconds: number
  indexSeconds: number
  vacuumSeconds: number
  transactionsPerSecond: number
  rowsPerSecond: number
  databaseBytes: number
  tableBytes: number
  indexBytes: number
  /** Of indexes, the rollups' among them, for each transaction of the database. */
  indexBytesPerTransaction: number
}

const lockKey = 5_211_978
/** A killed run's connections end when the server notices: so long the lock is waited for. */
const lockWait = '20s'
/** The largest first, so that the last ones are short. */
const seededTables =
  'transactions, category_totals, balance_changes, monthly_totals, categories, splits, users, households, revisions, journal, memberships, accounts, transfers, account_months, balance_months, replica_digests'.split(
    ', ',
  )

export async function seedDatabase(options: SeedOptions): Promise<SeedReport> {
  const { seed, users, transactions: mean } = options
  const client = new pg.Client({ connectionString: options.url, application_name: 'djinn seed' })
  client.on('error', () => {})
  await client.connect()
  try {
    await refuseUnready(client, options.besideOthers)
    await openProgress(client)
    const run = await beginRun(client, options, options.hashPassword)
    const sizes = householdSizes(users, mean, seed)
    const batches = batchesOf(sizes)
    const waiting = batches.filter(({ number }) => !run.done.has(number))
    const total = users * mean
    let transactions = batches.reduce((sum, batch) => sum + (run.done.has(batch.number) ? batch.rows : 0), 0)
    let rows = 0
    let written = 0
    const startMs = performance.now()
    options.onProgress?.(transactions, total)
    const data: ThreadData = { url: options.url, facts: { seed, atMs: run.atMs, passwordHash: run.passwordHash }, sizes }
    const left = waiting.reduce((sum, batch) => sum + batch.rows, 0)
    if ((options.indexes ?? (left >= rebuildFrom && !options.besideOthers ? 'rebuild' : 'keep')) === 'rebuild') await takeIndexes(client)
    let indexMs = performance.now()
    try {
      await writeAll(data, waiting, options, (batch, told) => {
        transactions += batch.rows
        written += told?.transactions ?? 0
        rows += told?.rows ?? 0
        options.onProgress?.(transactions, total)
      })
    } finally {
      indexMs = performance.now()
      await withClients(options, (clients) => putBackIndexes(clients, (done, indexes) => options.onStep?.('indexes', done, indexes)))
    }
    const endMs = performance.now()
    const complete = transactions === total
    // Lists read the index alone only where pages are known to be visible to all, and plans want statistics.
    if (complete && waiting.length > 0) await withClients(options, (clients) => vacuum(clients, options))
    const vacuumedMs = performance.now()
    if (complete && options.sessions) await writeSessions(client, { ...options.sessions, seed, users })
    const seconds = (endMs - startMs) / 1_000
    return {
      seed,
      users,
      transactions,
      transactionsWritten: written,
      rowsWritten: rows,
      complete,
      takenUp: run.takenUp,
      seconds,
      indexSeconds: (endMs - indexMs) / 1_000,
      vacuumSeconds: (vacuumedMs - endMs) / 1_000,
      transactionsPerSecond: seconds > 0 ? Math.round(written / seconds) : 0,
      rowsPerSecond: seconds > 0 ? Math.round(rows / seconds) : 0,
      ...(await readSizes(client)),
    }
  } finally {
    await client.end()
  }
}

async function vacuum(clients: pg.Client[], { onStep }: SeedOptions) {
  let done = 0
  onStep?.('tables vacuumed', done, seededTables.length)
  await eachInTurn(clients, seededTables, async (client, table) => {
    await client.query(`vacuum (analyze, parallel 0) ${table}`)
    onStep?.('tables vacuumed', ++done, seededTables.length)
  })
}

async function withClients<T>({ url, jobs }: SeedOptions, work: (clients: pg.Client[]) => Promise<T>): Promise<T> {
  const clients = Array.from({ length: jobs }, () => new pg.Client({ connectionString: url, application_name: 'djinn seed' }))
  clients.forEach((client) => client.on('error', () => {}))
  try {
    await Promise.all(clients.map((client) => client.connect()))
    return await work(clients)
  } finally {
    await Promise.all(clients.map((client) => client.end()))
  }
}

async function readSizes(client: pg.Client) {
  const { rows } = await client.query<{ database: number; tables: number; indexes: number; transactions: number }>(`
    select pg_database_size(current_database())::float8 as database, sum(pg_table_size(oid))::float8 as tables,
      sum(pg_indexes_size(oid))::float8 as indexes, (select count(*) from transactions)::float8 as transactions
    from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`)
  const { database, tables, indexes, transactions } = rows[0]!
  return {
    databaseBytes: database,
    tableBytes: tables,
    indexBytes: indexes,
    indexBytesPerTransaction: transactions === 0 ? 0 : Math.round(indexes / transactions),
  }
}

async function refuseUnready(client: pg.Client, besideOthers: boolean) {
  const missing = await missingRights(client)
  if (missing.length > 0) {
    throw new Error(`seeding writes past triggers and row-level security, for which this login lacks rights:\n  ${missing.join('\n  ')}`)
  }
  await client.query(`set lock_timeout = '${lockWait}'`)
  try {
    await client.query('select pg_advisory_lock($1)', [lockKey])
  } catch (error) {
    if ((error as { code?: string }).code !== '55P03') throw error
    throw new Error('another seed is running on this database', { cause: error })
  }
  await client.query('reset lock_timeout')
  if (besideOthers) return
  const { rows } = await client.query<{ others: boolean }>(
    `select exists (select from users where email_key not like '%@seed.example' and email_key not like '%.seed.example') as others`,
  )
  if (rows[0]!.others) throw new Error('the database has users of its own; --beside-others seeds beside them')
}

/** Hands out batches until there is none, the signal comes or one fails; then waits for those that are being written. */
async function writeAll(
  data: ThreadData,
  batches: Batch[],
  { jobs, signal }: SeedOptions,
  onWritten: (batch: Batch, written: Written | undefined) => void,
) {
  let next = 0
  let failure: Error | undefined
  const take = () => (signal?.aborted || failure ? undefined : batches[next++])
  const threads = Array.from({ length: Math.min(jobs, batches.length) }, async () => {
    const file = import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js'
    const worker = new Worker(new URL(file, import.meta.url), { workerData: data })
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    try {
      for (let batch = take(); batch; batch = take()) {
        const told = await tell(worker, batch)
        if ('failure' in told) throw new Error(told.failure)
        onWritten(batch, told.written)
      }
      worker.postMessage('end')
      await ended
    } catch (error) {
      failure ??= error as Error
      await worker.terminate()
    }
  })
  await Promise.all(threads)
  if (failure) throw failure
}

async function tell(worker: Worker, batch: Batch): Promise<Told> {
  return await new Promise((resolve, reject) => {
    const settle = () => {
      worker.off('message', onMessage)
      worker.off('error', onError)
    }
    const onMessage = (told: Told) => (settle(), resolve(told))
    const onError = (error: Error) => (settle(), reject(error))
    worker.on('message', onMessage).on('error', onError)
    worker.postMessage(batch)
  })
}

/** Tables, indexes and rollups, as measured (docs/performance.md). */
const bytesPerUser = 19_000
const bytesPerTransaction = 1_155

export function estimateBytes(users: number, transactions: number): number {
  return users * bytesPerUser + transactions * bytesPerTransaction
}
