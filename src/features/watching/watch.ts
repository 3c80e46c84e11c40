// Looks at the machine and gathers what is of the whole service, every ten seconds and past requests: a scrape reads what is there.
import type { Logger } from 'pino'
import { limits } from '../../values/limits.ts'
import { newId } from '../../values/id.ts'
import type { Database } from '../../resources/database.ts'
import type { Metrics } from '../../resources/metrics.ts'
import { readSlowKinds } from '../../resources/slow-kinds.ts'
import type { Row } from '../../resources/statement.ts'
import type { Transaction } from '../../resources/transaction.ts'
import { Activity, firstSlot, slotOf } from './activity.ts'
import { MachineLevels, ServiceLevels } from './levels.ts'
import { SlowStatements } from './slow-statements.ts'
import { readCpu, readDatabaseCpuSeconds, readDisk, readMemory, type CpuSeconds, type Disk, type Memory } from './machine.ts'
import {
  boundTime,
  forgetActivity,
  leaveWatch,
  lockActivity,
  readBackups,
  readDatabase,
  readJobs,
  readPlace,
  readReplication,
  readSize,
  readTables,
  takeWatch,
  writeActivity,
} from './store.ts'

export type Machine = { memory: Memory | null; cpu: CpuSeconds | null; disks: Record<string, Disk> }

type Costly = {
  tables: Row<(typeof readTables)['columns']>[]
  sizeBytes: number
  backups: Row<(typeof readBackups)['columns']>
  /** Of pg_stat_statements: kinds of statement whose mean is above 100 ms, the costliest first. */
  slowStatements: Row<(typeof readSlowKinds)['columns']>[]
}

/** What one round found; the console and the advisor look here. */
export type Gathered = Costly & {
  atMs: number
  users: number
  database: Row<(typeof readDatabase)['columns']>
  /** Null where PostgreSQL is on another machine. */
  databaseCpuSeconds: number | null
  replication: Row<(typeof readReplication)['columns']>
  jobs: Row<(typeof readJobs)['columns']>
}

export type WatchOptions = {
  /** Past any pooler, as the role that may read statistics. */
  database: Database
  directUrl: string
  metrics: Metrics
  log: Logger
  /** Where this process keeps files, and an embedded PostgreSQL its data. */
  dataDir: string
  embedded: boolean
  /** Told what a round found, before the round ends. */
  onRound?: (found: { machine: Machine; gathered: Gathered | null }) => Promise<void>
}

/** An address is none where the connection is a socket of this machine. */
const onThisMachine = (address: string | null) => address === null || address === '::1' || address.startsWith('127.')

export class Watch {
  readonly #options: WatchOptions
  readonly #process = newId()
  readonly #machineLevels = new MachineLevels()
  readonly #serviceLevels = new ServiceLevels()
  readonly #activity = new Activity()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #isRunning = false
  #rounds = 0
  #costly: Costly | undefined
  #dataFolder: string | null | undefined
  #failing = false
  #answer: Gathered | undefined
  #asked: { atMs: number; figures: Promise<Gathered | null> } | undefined
  machine: Machine | undefined
  /** Null while another process gathers, or nobody can. */
  gathered: Gathered | null = null
  readonly slow: SlowStatements

  constructor(options: WatchOptions) {
    this.#options = options
    this.slow = new SlowStatements(options.directUrl, options.log)
    options.metrics.add(...this.#machineLevels.instruments, ...this.#serviceLevels.instruments)
  }

  /** A user called. */
  seen(userId: string) {
    this.#activity.seen(userId, Date.now())
  }

  start() {
    this.slow.start()
    const round = () => {
      // A round that waits for a database in trouble is not followed by others.
      if (!this.#isRunning) this.#running = this.look()
    }
    this.#timer = setInterval(round, limits.watchMs)
    this.#timer.unref()
    round()
  }

  /** One round. */
  async look() {
    this.#isRunning = true
    try {
      await this.#round()
    } finally {
      this.#isRunning = false
    }
  }

  async #round() {
    const costly = this.#rounds++ % limits.watchSlowRounds === 0
    try {
      this.gathered = await this.#gather(costly)
      this.#failing = false
    } catch (error) {
      // What was found before would be taken for what is.
      this.gathered = null
      if (!this.#failing) this.#options.log.warn({ err: error }, 'what is of the whole service could not be gathered')
      this.#failing = true
    }
    if (this.gathered) this.#serviceLevels.show(this.gathered)
    else this.#serviceLevels.hide()
    this.machine = this.#lookAtMachine()
    this.#machineLevels.show(this.machine)
    await this.#options.onRound?.({ machine: this.machine, gathered: this.gathered })
  }

  #lookAtMachine(): Machine {
    const disks: Record<string, Disk> = {}
    const { dataDir, embedded } = this.#options
    const service = readDisk(dataDir)
    if (service) disks['service'] = service
    const data = embedded ? service : typeof this.#dataFolder === 'string' ? readDisk(this.#dataFolder) : null
    if (data) disks['data'] = data
    return { memory: readMemory(), cpu: readCpu(), disks }
  }

  /** What is of the whole service, for whoever looks at this process: where another one gathers it, it is asked for now, at most once a round. */
  async figures(): Promise<Gathered | null> {
    if (this.gathered) return this.gathered
    if (!this.#asked || Date.now() - this.#asked.atMs >= limits.watchMs) {
      const atMs = Date.now()
      this.#asked = { atMs, figures: this.#ask(atMs).catch(() => null) }
    }
    return await this.#asked.figures
  }

  /** The same as far as it is at hand: what was gathered, or asked for not long ago. */
  get latest(): Gathered | null {
    const answer = this.#answer && Date.now() - this.#answer.atMs < limits.watchLeaseS * 1_000 ? this.#answer : null
    return this.gathered ?? answer
  }

  async #ask(atMs: number): Promise<Gathered> {
    const quick = await this.#write((tx) => this.#readQuick(tx))
    const costly = await this.#write((tx) => this.#readCostly(tx))
    this.#answer = { atMs, users: this.#activity.users(atMs), ...quick, ...costly }
    return this.#answer
  }

  async #gather(costly: boolean): Promise<Gathered | null> {
    const quick = await this.#write(async (tx) => {
      const [mine] = await tx.run(takeWatch, { process: this.#process, seconds: limits.watchLeaseS })
      if (!mine) {
        const [place] = this.#dataFolder === undefined ? await tx.run(readPlace, {}) : []
        if (place) this.#dataFolder = onThisMachine(place.address) ? place.folder : null
        return null
      }
      return await this.#readQuick(tx)
    })
    if (costly) await this.#shareActivity()
    if (quick === null) return null
    if (costly || this.#costly === undefined) {
      this.#costly = await this.#write((tx) => this.#readCostly(tx))
    }
    const atMs = Date.now()
    return { atMs, users: this.#activity.users(atMs), ...quick, ...this.#costly }
  }

  async #readQuick(tx: Transaction) {
    const [[database], [replication], [jobs], [place]] = await Promise.all([
      tx.run(readDatabase, {}),
      tx.run(readReplication, {}),
      tx.run(readJobs, {}),
      tx.run(readPlace, {}),
    ])
    const here = onThisMachine(place!.address)
    this.#dataFolder = here ? place!.folder : null
    const databaseCpuSeconds = here ? readDatabaseCpuSeconds(place!.backend) : null
    return { database: database!, replication: replication!, jobs: jobs!, databaseCpuSeconds }
  }

  async #readCostly(tx: Transaction): Promise<Costly> {
    const [tables, [size], slowStatements, [backups]] = await Promise.all([
      tx.run(readTables, { rows: limits.watchTablesMax }),
      tx.run(readSize, {}),
      tx.run(readSlowKinds, { slowMs: limits.slowStatementMs, rows: limits.slowStatementsShown }),
      tx.run(readBackups, {}),
    ])
    return { tables, sizeBytes: size!.bytes, slowStatements, backups: backups! }
  }

  /** Unites what all processes saw; that is kept for an hour, over restarts too. */
  async #shareActivity() {
    await this.#write(async (tx) => {
      const nowMs = Date.now()
      const known = await tx.run(lockActivity, { from: firstSlot(nowMs) })
      for (const { slot, sketch } of known) this.#activity.unite(slot, sketch)
      const open = this.#activity.recent(nowMs).filter(({ slot }) => slot >= slotOf(nowMs) - 1)
      await Promise.all([
        ...open.map(({ slot, sketch }) => tx.run(writeActivity, { slot, sketch: Buffer.from(sketch) })),
        tx.run(forgetActivity, { from: firstSlot(nowMs) }),
      ])
    })
  }

  /** In a transaction whose statements are cut off soon. */
  async #write<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return await this.#options.database.write(
      {},
      async (tx) => {
        const bound = tx.run(boundTime, { timeout: String(limits.watchStatementMsMax) })
        const [result] = await Promise.all([work(tx), bound])
        return result
      },
      'djinn_keeper',
    )
  }

  /** Lets another process gather at once. */
  async close() {
    clearInterval(this.#timer)
    await this.slow.close()
    await this.#running
    if (this.#timer === undefined) return
    await this.#shareActivity().catch(() => {})
    if (this.gathered) await this.#write((tx) => tx.run(leaveWatch, { process: this.#process })).catch(() => {})
    this.gathered = null
  }
}
