// The job queue in PostgreSQL: what is queued in a transaction is done once it is committed, tried 5 times, and kept when it still fails.
import { EventEmitter } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import type { Runner as JobRunner, RunnerOptions, WorkerEvents } from 'graphile-worker'
import pg from 'pg'
import type { Logger } from 'pino'
import { limits } from '../values/limits.ts'
import { AbandonedJobs } from './abandoned-jobs.ts'
import type { Database } from './database.ts'
import { statement } from './statement.ts'
import type { Transaction } from './transaction.ts'

/** Does one job; what it throws counts as a try. It may run twice, since a worker may die after the work and before saying so. */
export type Task = (payload: unknown) => Promise<void>
export type Tasks = Record<string, Task>

const listDeadLetters = statement(
  'queue.deadLetters',
  { rows: 'int4' },
  { id: 'int8', task: 'text', key: 'text?', tries: 'int4', error: 'text?', queuedAt: 'timestamptz' },
  `select id, task_identifier as task, key, attempts::int as tries, last_error as error, created_at as "queuedAt" from graphile_worker.jobs
  where attempts >= max_attempts and locked_at is null and key is not null order by id limit :rows`,
)
/** Of jobs that were asked for: what another operator has retried meanwhile is no dead letter any more, and not to be discarded. */
const stillDead = `(select array_agg(d.id) from graphile_worker.jobs d where d.id = any(:ids) and d.attempts >= d.max_attempts and d.locked_at is null)`
const retryJobs = statement(
  'queue.retry',
  { ids: 'int8[]' },
  { id: 'int8' },
  `select j.id from graphile_worker.reschedule_jobs(${stillDead}, run_at => now(), attempts => 0) j`,
)
const discardJobs = statement(
  'queue.discard',
  { ids: 'int8[]' },
  { id: 'int8' },
  `select j.id from graphile_worker.complete_jobs(${stillDead}) j`,
)
const countByTask = statement(
  'queue.byTask',
  { rows: 'int4' },
  { task: 'text', due: 'int8', scheduled: 'int8', running: 'int8', dead: 'int8' },
  `select task_identifier as task, count(*) filter (where locked_at is null and attempts < max_attempts and run_at <= now()) as due,
    count(*) filter (where locked_at is null and attempts < max_attempts and run_at > now()) as scheduled,
    count(*) filter (where locked_at is not null) as running,
    count(*) filter (where locked_at is null and attempts >= max_attempts and key is not null) as dead
  from graphile_worker.jobs group by task_identifier order by task_identifier limit :rows`,
)
const countJobs = statement(
  'queue.count',
  {},
  { waiting: 'int8', dead: 'int8' },
  `select count(*) filter (where attempts < max_attempts) as waiting, count(*) filter (where attempts >= max_attempts and locked_at is null) as dead
  from graphile_worker.jobs`,
)

export type DeadLetter = { id: number; task: string; key: string | null; tries: number; error: string | null; queuedAt: string }
export type TaskCount = { task: string; due: number; scheduled: number; running: number; dead: number }
export type QueueOptions = {
  /** Past any pooler: the worker listens. Its user may become djinn_keeper. */
  url: string
  /** Of the same URL. */
  database: Database
  log: Logger
}

export class Queue {
  readonly #options: QueueOptions
  /** What the worker does, as graphile-worker tells it. */
  readonly events = new EventEmitter() as WorkerEvents
  readonly #abandoned: AbandonedJobs
  #pool: pg.Pool | undefined
  #runner: JobRunner | undefined
  /** Under which name it takes jobs. */
  #worker = ''
  #restart: NodeJS.Timeout | undefined
  #stopped = false
  #stopping: Promise<void> | undefined

  constructor(options: QueueOptions) {
    this.#options = options
    this.#abandoned = new AbandonedJobs({ ...options, log: (message, error) => options.log.warn({ err: error }, message) })
    this.events.on('pool:create', ({ workerPool }) => {
      if (this.#runner === undefined) this.#worker = workerPool.id
    })
  }

  /** Works the queue until `stop`; `schedule` queues jobs by the clock, a line each: `<cron> <task> ?jobKey=<key>&max=5`. */
  async start(tasks: Tasks, schedule: readonly string[] = []) {
    const { run } = await import('graphile-worker')
    const runner = await run({ ...this.#runnerOptions(tasks, await this.#graphileLog()), crontab: [...schedule, ''].join('\n') })
    if (this.#stopped) return await runner.stop()
    this.#runner = runner
    // A database that goes away may end the worker for good; it comes back with the database.
    const ended = (error?: unknown) => {
      this.#runner = undefined
      if (this.#stopped) return
      this.#options.log.error({ err: error }, 'the worker ended; it is started again')
      this.#startAgain(tasks, schedule)
    }
    runner.promise.then(() => ended(), ended)
    await this.#abandoned.watch(this.#worker)
  }

  #startAgain(tasks: Tasks, schedule: readonly string[]) {
    this.#restart = globalThis.setTimeout(() => {
      this.start(tasks, schedule).catch(() => {
        if (!this.#stopped) this.#startAgain(tasks, schedule)
      })
    }, limits.queueRestartMs)
    this.#restart.unref()
  }

  /** Does what is due now, and what that queues, and comes back. */
  async runOnce(tasks: Tasks) {
    const { runOnce } = await import('graphile-worker')
    const pool = this.#openPool()
    await runOnce(this.#runnerOptions(tasks, await this.#graphileLog()))
    // What became of the last jobs is still being written down.
    while (pool.idleCount < pool.totalCount || pool.waitingCount > 0) await setTimeout(5)
  }

  /** Jobs that failed for the last time, oldest first. */
  async deadLetters(): Promise<DeadLetter[]> {
    return await this.#write((tx) => tx.run(listDeadLetters, { rows: limits.statementRowsMax }))
  }

  /** Gives dead letters 5 new tries, from now on; answers how many there were. */
  async retry(ids: readonly number[]): Promise<number> {
    return (await this.#write((tx) => tx.run(retryJobs, { ids: [...ids] }))).length
  }

  async discard(ids: readonly number[]): Promise<number> {
    return (await this.#write((tx) => tx.run(discardJobs, { ids: [...ids] }))).length
  }

  /** How many jobs of each task there are. */
  async byTask(): Promise<TaskCount[]> {
    return await this.#write((tx) => tx.run(countByTask, { rows: limits.statementRowsMax }))
  }

  async count(): Promise<{ waiting: number; dead: number }> {
    return (await this.#write((tx) => tx.run(countJobs, {})))[0]!
  }

  /** Takes no more jobs, and lets running ones end; those that take longer than 5 s are given back. */
  async stop() {
    await (this.#stopping ??= this.#stop())
  }

  async #stop() {
    this.#stopped = true
    clearTimeout(this.#restart)
    await this.#runner?.stop().catch(() => {})
    await this.#abandoned.close()
    await this.#pool?.end()
  }

  async #write<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return await this.#options.database.write({}, work, 'djinn_keeper')
  }

  #runnerOptions(tasks: Tasks, logger: NonNullable<RunnerOptions['logger']>): RunnerOptions {
    return {
      pgPool: this.#openPool(),
      taskList: Object.fromEntries(Object.entries(tasks).map(([name, task]) => [name, (payload: unknown) => task(payload)])),
      concurrency: limits.queueConcurrency,
      // Whoever started us decides when to end.
      noHandleSignals: true,
      events: this.events,
      logger,
    }
  }

  #openPool(): pg.Pool {
    if (this.#pool) return this.#pool
    const { url, log } = this.#options
    this.#pool = new pg.Pool({
      connectionString: url,
      application_name: 'djinn worker',
      // One to listen, one for each job, and one to spare.
      max: limits.queueConcurrency + 2,
      connectionTimeoutMillis: limits.poolWaitMsMax,
      keepAlive: true,
      options: '-c role=djinn_keeper',
    })
    const lost = (error: Error) => void (this.#stopped || log.warn({ err: error }, 'a connection of the worker broke'))
    this.#pool.on('error', lost)
    this.#pool.on('connect', (client) => client.on('error', lost))
    return this.#pool
  }

  async #graphileLog() {
    const { Logger: GraphileLogger } = await import('graphile-worker')
    const { log } = this.#options
    // Payloads hold ids only, yet a message is enough: what failed, how often, and why.
    return new GraphileLogger(() => (level, message, meta) => {
      const err = (meta as { error?: unknown } | undefined)?.error
      if (level === 'error' || level === 'warning') log.warn({ err }, err instanceof Error ? message.split('\n')[0] : message)
      else log.debug(message)
    })
  }
}
