// SQL of watching: who gathers, who was active, and what PostgreSQL counts of itself.
import { statement } from '../../resources/statement.ts'

/** What is gathered must not be what the database is busy with. */
export const boundTime = statement(
  'watch.bound',
  { timeout: 'text' },
  { set: 'text' },
  `select set_config('statement_timeout', :timeout, true) as set`,
)

/** Becomes the process that gathers, or stays it: one row when it is. */
export const takeWatch = statement(
  'watch.take',
  { process: 'uuid', seconds: 'int4' },
  { process: 'uuid' },
  `insert into watchers (process, until) values (:process, now() + make_interval(secs => :seconds))
  on conflict (only_row) do update set process = excluded.process, until = excluded.until
    where watchers.process = excluded.process or watchers.until < now()
  returning process`,
)

export const leaveWatch = statement('watch.leave', { process: 'uuid' }, {}, 'delete from watchers where process = :process')

/** Locked in their order until they are written again, so that no process loses what another saw. */
export const lockActivity = statement(
  'activity.lock',
  { from: 'int8' },
  { slot: 'int8', sketch: 'bytea' },
  'select slot, sketch from activity where slot >= :from order by slot for update',
)

export const writeActivity = statement(
  'activity.write',
  { slot: 'int8', sketch: 'bytea' },
  {},
  'insert into activity (slot, sketch) values (:slot, :sketch) on conflict (slot) do update set sketch = excluded.sketch',
)

export const forgetActivity = statement('activity.forget', { from: 'int8' }, {}, 'delete from activity where slot < :from')

export const readDatabase = statement(
  'watch.database',
  {},
  {
    connections: 'int8',
    connectionsMax: 'int4',
    blocksHit: 'int8',
    blocksRead: 'int8',
    committed: 'int8',
    rolledBack: 'int8',
    deadlocks: 'int8',
    temporaryBytes: 'int8',
  },
  `select (select sum(a.numbackends)::int8 from pg_stat_database a) as connections, current_setting('max_connections')::int4 as "connectionsMax",
    d.blks_hit as "blocksHit", d.blks_read as "blocksRead", d.xact_commit as committed, d.xact_rollback as "rolledBack", d.deadlocks,
    d.temp_bytes as "temporaryBytes"
  from pg_stat_database d where d.datname = current_database()`,
)

export const readReplication = statement(
  'watch.replication',
  {},
  { replicas: 'int8', lagMs: 'int8', lagBytes: 'int8' },
  `select count(*) as replicas, coalesce(max(extract(epoch from r.replay_lag) * 1000), 0)::int8 as "lagMs",
    coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn)), 0)::int8 as "lagBytes"
  from pg_stat_replication r where r.application_name <> 'pg_basebackup' and r.application_name not like 'djinn backup%'`,
)

export const readJobs = statement(
  'watch.jobs',
  {},
  { due: 'int8', scheduled: 'int8', running: 'int8', dead: 'int8', oldestDueMs: 'int8' },
  `select count(*) filter (where j.locked_at is null and j.attempts < j.max_attempts and j.run_at <= now()) as due,
    count(*) filter (where j.locked_at is null and j.attempts < j.max_attempts and j.run_at > now()) as scheduled,
    count(*) filter (where j.locked_at is not null) as running,
    count(*) filter (where j.locked_at is null and j.attempts >= j.max_attempts) as dead,
    coalesce(extract(epoch from now() - min(j.run_at) filter (where j.locked_at is null and j.attempts < j.max_attempts and j.run_at <= now())) * 1000,
      0)::int8 as "oldestDueMs"
  from graphile_worker.jobs j`,
)

/** Counters of rows begin anew when PostgreSQL crashed; what the last ANALYZE found does not. */
export const readTables = statement(
  'watch.tables',
  { rows: 'int4' },
  {
    name: 'text',
    sequentialScans: 'int8',
    indexScans: 'int8',
    sequentialRows: 'int8',
    indexRows: 'int8',
    liveRows: 'int8',
    deadRows: 'int8',
    inserted: 'int8',
  },
  `select case when t.schemaname = 'public' then t.relname::text else t.schemaname || '.' || t.relname end as name, t.seq_scan as "sequentialScans", coalesce(t.idx_scan, 0) as "indexScans", t.seq_tup_read as "sequentialRows",
    coalesce(t.idx_tup_fetch, 0) as "indexRows", greatest(t.n_live_tup, c.reltuples::int8) as "liveRows", t.n_dead_tup as "deadRows", t.n_tup_ins as inserted
  from pg_stat_user_tables t join pg_class c on c.oid = t.relid where t.schemaname in ('public', 'graphile_worker') order by name limit :rows`,
)

export const readSize = statement('watch.size', {}, { bytes: 'int8' }, 'select pg_database_size(current_database()) as bytes')

/** Where the server is, as far as its role may know: by a socket or the loopback it is on this machine. */
export const readPlace = statement(
  'watch.place',
  {},
  { backend: 'int4', address: 'text?', folder: 'text?' },
  `select pg_backend_pid() as backend, host(inet_server_addr()) as address,
    (select s.setting from pg_settings s where s.name = 'data_directory') as folder`,
)

/** How old the last backup and the last drill are; whether the log is followed into an archive, null where it never was. */
export const readBackups = statement(
  'watch.backups',
  {},
  { baseAgeS: 'int8?', storedBytes: 'int8?', drillAgeS: 'int8?', follows: 'bool?', lagBytes: 'int8?' },
  `select extract(epoch from now() - b.finished_at)::int8 as "baseAgeS", b.stored_bytes as "storedBytes",
    extract(epoch from now() - d.finished_at)::int8 as "drillAgeS", s.active as follows,
    case when not pg_is_in_recovery() then greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn))::int8 end as "lagBytes"
  from (select 1) one
  left join lateral (select b.finished_at, b.stored_bytes from backups b where b.kind = 'base' order by b.finished_at desc limit 1) b on true
  left join lateral (select d.finished_at from backups d where d.kind = 'drill' order by d.finished_at desc limit 1) d on true
  left join pg_replication_slots s on s.slot_name = 'djinn_backup'`,
)
