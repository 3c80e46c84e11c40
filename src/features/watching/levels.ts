// The gauges of what was looked at: the machine by every process, the service by the one that gathers; the others show no series of it.
import { availableParallelism } from 'node:os'
import { Level, type Instrument } from '../../resources/exposition.ts'
import type { Gathered, Machine } from './watch.ts'

const gauge = (name: string, help: string, ...labels: string[]) => new Level(name, help, labels)
const counter = (name: string, help: string, ...labels: string[]) => new Level(name, help, labels, undefined, 'counter')

export class MachineLevels {
  readonly #memory = gauge('djinn_machine_memory_bytes', 'Memory of the machine, or what its control group allows')
  readonly #available = gauge('djinn_machine_memory_available_bytes', 'Memory that programs could still get')
  readonly #cpus = gauge('djinn_machine_cpus', 'CPUs that this process may use')
  readonly #cpu = counter('djinn_machine_cpu_seconds_total', 'Time of all CPUs of the machine', 'mode')
  readonly #disk = gauge('djinn_disk_bytes', 'Size of the file system that the data or this process are on', 'disk')
  readonly #diskAvailable = gauge('djinn_disk_available_bytes', 'What is left of it', 'disk')

  readonly instruments: Instrument[] = [this.#memory, this.#available, this.#cpus, this.#cpu, this.#disk, this.#diskAvailable]

  show({ memory, cpu, disks }: Machine) {
    this.#cpus.set(availableParallelism())
    if (memory) {
      this.#memory.set(memory.bytes)
      this.#available.set(memory.availableBytes)
    }
    for (const [mode, seconds] of Object.entries(cpu ?? {})) this.#cpu.set(seconds, mode)
    this.#disk.clear()
    this.#diskAvailable.clear()
    for (const [name, disk] of Object.entries(disks)) {
      this.#disk.set(disk.bytes, name)
      this.#diskAvailable.set(disk.availableBytes, name)
    }
  }
}

export class ServiceLevels {
  readonly #gatheredAt = gauge('djinn_gathered_timestamp_seconds', 'When this process last gathered what is of the whole service')
  readonly #users = gauge('djinn_active_users', 'Users who called within the last hour, over all processes')
  readonly #recorded = counter('djinn_transactions_recorded_total', 'Transactions written to the ledger, however they came')
  readonly #jobs = gauge('djinn_queue_jobs', 'Jobs of the queue', 'state')
  readonly #oldestDue = gauge('djinn_queue_oldest_due_seconds', 'How long the job that is due for longest has waited')
  readonly #connections = gauge('djinn_database_connections', 'Connections to the PostgreSQL server, of everybody')
  readonly #connectionsMax = gauge('djinn_database_connections_max', 'Connections that it allows')
  readonly #cpu = counter('djinn_database_cpu_seconds_total', 'CPU time of PostgreSQL, where it is on this machine')
  readonly #blocks = counter('djinn_database_blocks_total', 'Blocks that statements asked for: found in shared buffers, or read', 'source')
  readonly #transactions = counter('djinn_database_transactions_total', 'Transactions of PostgreSQL', 'outcome')
  readonly #deadlocks = counter('djinn_database_deadlocks_total', 'Deadlocks that PostgreSQL broke')
  readonly #temporary = counter('djinn_database_temporary_bytes_total', 'Bytes that sorts and hashes wrote to temporary files')
  readonly #replicas = gauge('djinn_database_replicas', 'Replicas that are connected')
  readonly #lag = gauge('djinn_database_replication_lag_seconds', 'How far the slowest replica is behind; 0 without one')
  readonly #lagBytes = gauge('djinn_database_replication_lag_bytes', 'How far the slowest replica is behind in the log; 0 without one')
  readonly #size = gauge('djinn_database_size_bytes', 'Size of the database')
  readonly #scans = counter('djinn_database_table_scans_total', 'Scans of a table', 'table', 'scan')
  readonly #rows = counter('djinn_database_table_rows_read_total', 'Live rows that scans of a table read', 'table', 'scan')
  readonly #live = gauge('djinn_database_live_rows', 'Rows of a table, estimated', 'table')
  readonly #dead = gauge('djinn_database_dead_rows', 'Dead rows of a table that vacuum has not yet freed, estimated: its bloat', 'table')
  readonly #backupAge = gauge('djinn_backup_age_seconds', 'Age of the last backup that was finished; no series without one')
  readonly #backupBytes = gauge('djinn_backup_stored_bytes', 'What it takes, compressed')
  readonly #drillAge = gauge('djinn_backup_drill_age_seconds', 'Age of the last drill that restored and proved one; no series without one')
  readonly #logFollowed = gauge('djinn_backup_log_followed', 'Whether the log is followed into its archive; no series where it never was')
  readonly #logLag = gauge('djinn_backup_log_lag_bytes', 'What of the log is not safe in its archive yet')
  readonly #slow = gauge('djinn_database_slow_statements', 'Kinds of statement whose mean is above 100 ms, by pg_stat_statements')
  readonly #slowest = gauge('djinn_database_slowest_statement_seconds', 'The highest mean of them; 0 without one')

  readonly instruments: Instrument[] = [
    this.#gatheredAt,
    this.#users,
    this.#recorded,
    this.#jobs,
    this.#oldestDue,
    this.#connections,
    this.#connectionsMax,
    this.#cpu,
    this.#blocks,
    this.#transactions,
    this.#deadlocks,
    this.#temporary,
    this.#replicas,
    this.#lag,
    this.#lagBytes,
    this.#size,
    this.#scans,
    this.#rows,
    this.#live,
    this.#dead,
    this.#backupAge,
    this.#backupBytes,
    this.#drillAge,
    this.#logFollowed,
    this.#logLag,
    this.#slow,
    this.#slowest,
  ]

  show({ atMs, users, database, databaseCpuSeconds, replication, jobs, tables, sizeBytes, slowStatements, backups }: Gathered) {
    this.hide()
    this.#gatheredAt.set(atMs / 1_000)
    this.#users.set(users)
    for (const state of ['due', 'scheduled', 'running', 'dead'] as const) this.#jobs.set(jobs[state], state)
    this.#oldestDue.set(jobs.oldestDueMs / 1_000)
    this.#connections.set(database.connections)
    this.#connectionsMax.set(database.connectionsMax)
    if (databaseCpuSeconds !== null) this.#cpu.set(databaseCpuSeconds)
    this.#blocks.set(database.blocksHit, 'buffers')
    this.#blocks.set(database.blocksRead, 'read')
    this.#transactions.set(database.committed, 'committed')
    this.#transactions.set(database.rolledBack, 'rolled_back')
    this.#deadlocks.set(database.deadlocks)
    this.#temporary.set(database.temporaryBytes)
    this.#replicas.set(replication.replicas)
    this.#lag.set(replication.lagMs / 1_000)
    this.#lagBytes.set(replication.lagBytes)
    this.#size.set(sizeBytes)
    for (const table of tables) {
      if (table.name === 'transactions') this.#recorded.set(table.inserted)
      this.#scans.set(table.sequentialScans, table.name, 'sequential')
      this.#scans.set(table.indexScans, table.name, 'index')
      this.#rows.set(table.sequentialRows, table.name, 'sequential')
      this.#rows.set(table.indexRows, table.name, 'index')
      this.#live.set(table.liveRows, table.name)
      this.#dead.set(table.deadRows, table.name)
    }
    const { baseAgeS, storedBytes, drillAgeS, follows, lagBytes } = backups
    if (baseAgeS !== null) this.#backupAge.set(Math.max(0, baseAgeS))
    if (storedBytes !== null) this.#backupBytes.set(storedBytes)
    if (drillAgeS !== null) this.#drillAge.set(Math.max(0, drillAgeS))
    if (follows !== null) this.#logFollowed.set(follows ? 1 : 0)
    if (lagBytes !== null) this.#logLag.set(lagBytes)
    this.#slow.set(slowStatements.length)
    this.#slowest.set(Math.max(0, ...slowStatements.map((one) => one.meanUs)) / 1_000_000)
  }

  hide() {
    for (const level of this.instruments as Level[]) level.clear()
  }
}
