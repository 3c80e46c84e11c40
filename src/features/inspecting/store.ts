// SQL of the first look: what PostgreSQL tells of itself at this moment.
import { statement } from '../../resources/statement.ts'

export const readServer = statement(
  'inspect.server',
  {},
  {
    version: 'text',
    uptimeS: 'int8',
    backend: 'int4',
    address: 'text?',
    folder: 'text?',
    connections: 'int8',
    connectionsMax: 'int4',
    blocksHit: 'int8',
    blocksRead: 'int8',
    deadlocks: 'int8',
    sizeBytes: 'int8',
    statisticsS: 'int8?',
    transactionIds: 'int8',
    standby: 'bool',
  },
  `select current_setting('server_version') as version, extract(epoch from now() - pg_postmaster_start_time())::int8 as "uptimeS",
    pg_backend_pid() as backend, host(inet_server_addr()) as address,
    (select s.setting from pg_settings s where s.name = 'data_directory') as folder,
    (select sum(a.numbackends)::int8 from pg_stat_database a) as connections, current_setting('max_connections')::int4 as "connectionsMax",
    d.blks_hit as "blocksHit", d.blks_read as "blocksRead", d.deadlocks, pg_database_size(current_database()) as "sizeBytes",
    extract(epoch from now() - d.stats_reset)::int8 as "statisticsS", age(c.datfrozenxid)::int8 as "transactionIds", pg_is_in_recovery() as standby
  from pg_stat_database d join pg_database c on c.datname = d.datname where d.datname = current_database()`,
)

/** Whoever runs longest first; a backend that waits for a lock names who holds it. */
export const readActivity = statement(
  'inspect.activity',
  { rows: 'int4' },
  { pid: 'int4', application: 'text?', state: 'text?', openMs: 'int8', waits: 'bool', blockers: 'int4[]', query: 'text?' },
  `select a.pid, a.application_name as application, a.state, (extract(epoch from clock_timestamp() - a.xact_start) * 1000)::int8 as "openMs",
    coalesce(a.wait_event_type = 'Lock', false) as waits,
    case when a.wait_event_type = 'Lock' then pg_blocking_pids(a.pid) else '{}' end as blockers, left(a.query, 200) as query
  from pg_stat_activity a
  where a.xact_start is not null and a.pid <> pg_backend_pid() and a.backend_type = 'client backend' and a.datname = current_database()
  order by a.xact_start limit :rows`,
)

/** Live rows as for the metrics: the last ANALYZE outlives a crash, counters do not. */
export const readTableState = statement(
  'inspect.tables',
  { rows: 'int4' },
  { name: 'text', liveRows: 'int8', deadRows: 'int8', sequentialScans: 'int8', sequentialRows: 'int8', vacuumedAt: 'timestamptz?' },
  `select case when t.schemaname = 'public' then t.relname::text else t.schemaname || '.' || t.relname end as name, greatest(t.n_live_tup, c.reltuples::int8) as "liveRows",
    t.n_dead_tup as "deadRows", t.seq_scan as "sequentialScans", t.seq_tup_read as "sequentialRows",
    greatest(t.last_vacuum, t.last_autovacuum) as "vacuumedAt"
  from pg_stat_user_tables t join pg_class c on c.oid = t.relid where t.schemaname in ('public', 'graphile_worker') order by 2 desc limit :rows`,
)

/** Those that only make writes slower; what keeps rows unique is used by every write. */
export const readUnusedIndexes = statement(
  'inspect.unusedIndexes',
  { bytesMin: 'int8', rows: 'int4' },
  { name: 'text', table: 'text', bytes: 'int8' },
  `select s.indexrelname::text as name, s.relname::text as table, pg_relation_size(s.indexrelid) as bytes
  from pg_stat_user_indexes s join pg_index i on i.indexrelid = s.indexrelid
  where s.schemaname = 'public' and s.idx_scan = 0 and not i.indisunique and pg_relation_size(s.indexrelid) >= :bytesMin
  order by bytes desc limit :rows`,
)

export const readBloat = statement(
  'inspect.bloat',
  { bytesMin: 'int8', rows: 'int4' },
  { name: 'text', bytes: 'int8', packedBytes: 'int8' },
  'select b.name, b.bytes, b.packed_bytes as "packedBytes" from table_bloat(:bytesMin, :rows) b',
)

export const readReplicas = statement(
  'inspect.replicas',
  {},
  { name: 'text?', state: 'text?', lagMs: 'int8', lagBytes: 'int8' },
  `select r.application_name as name, r.state, coalesce(extract(epoch from r.replay_lag) * 1000, 0)::int8 as "lagMs",
    coalesce(pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, r.replay_lsn), 0)::int8
      as "lagBytes"
  from pg_stat_replication r where r.application_name <> 'pg_basebackup' and r.application_name not like 'djinn backup%' order by r.application_name limit 100`,
)

export const readQueue = statement(
  'inspect.queue',
  {},
  { due: 'int8', running: 'int8', dead: 'int8', oldestDueS: 'int8' },
  `select count(*) filter (where j.locked_at is null and j.attempts < j.max_attempts and j.run_at <= now()) as due,
    count(*) filter (where j.locked_at is not null) as running,
    count(*) filter (where j.locked_at is null and j.attempts >= j.max_attempts) as dead,
    coalesce(extract(epoch from now() - min(j.run_at) filter (where j.locked_at is null and j.attempts < j.max_attempts and j.run_at <= now())), 0)::int8
      as "oldestDueS"
  from graphile_worker.jobs j`,
)

/** The last backup and the last drill that succeeded, and whether the log is followed into an archive. */
export const readBackupState = statement(
  'inspect.backups',
  {},
  { baseAgeS: 'int8?', base: 'text?', encrypted: 'bool?', drillAgeS: 'int8?', drillMs: 'int8?', follows: 'bool?', lagBytes: 'int8?' },
  `select extract(epoch from now() - b.finished_at)::int8 as "baseAgeS", b.base, b.encrypted,
    extract(epoch from now() - d.finished_at)::int8 as "drillAgeS", d.duration_ms as "drillMs", s.active as follows,
    case when not pg_is_in_recovery() then greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn))::int8 end as "lagBytes"
  from (select 1) one
  left join lateral (select * from backups b where b.kind = 'base' order by b.finished_at desc limit 1) b on true
  left join lateral (select * from backups d where d.kind = 'drill' order by d.finished_at desc limit 1) d on true
  left join pg_replication_slots s on s.slot_name = 'djinn_backup'`,
)
