// SQL of backups: what a backup says of its cluster, what was made of it, and who was erased.
import { statement } from '../../resources/statement.ts'

export const readCluster = statement(
  'backups.cluster',
  {},
  { postgres: 'text', major: 'int4', superuser: 'text', database: 'text', migration: 'text', tablespaces: 'int8' },
  `select current_setting('server_version') as postgres, current_setting('server_version_num')::int4 / 10000 as major,
    (select r.rolname::text from pg_roles r where r.oid = 10) as superuser, current_database()::text as database,
    (select max(m.name) from migrations m where m.name ~ '^[0-9]') as migration,
    (select count(*) from pg_tablespace t where t.spcname not in ('pg_default', 'pg_global')) as tablespaces`,
)

/** The clock is read first: whatever was committed before it lies below the position. */
export const readStand = statement(
  'backups.stand',
  {},
  { at: 'timestamptz', lsn: 'text' },
  `select c.at, pg_current_wal_flush_lsn()::text as lsn from (select clock_timestamp() as at offset 0) c`,
)

export const insertBackup = statement(
  'backups.insert',
  {
    id: 'uuid',
    kind: 'text',
    base: 'text',
    startedAt: 'timestamptz',
    finishedAt: 'timestamptz',
    bytes: 'int8',
    storedBytes: 'int8?',
    encrypted: 'bool',
    durationMs: 'int8',
  },
  {},
  `insert into backups (id, kind, base, started_at, finished_at, bytes, stored_bytes, encrypted, duration_ms)
  values (:id, :kind, :base, :startedAt, :finishedAt, :bytes, :storedBytes, :encrypted, :durationMs)`,
)

/** Whether somebody follows the log into its archive. */
export const readArchiving = statement(
  'backups.archiving',
  {},
  { follows: 'bool' },
  `select s.active as follows from pg_replication_slots s where s.slot_name = 'djinn_backup'`,
)

/** People, and households that nobody can restore any more: since a moment, in their order; what committed late is met again by looking back a little. */
export const readErasures = statement(
  'erasures.read',
  { since: 'timestamptz', after: 'uuid', rows: 'int4' },
  { kind: 'text', id: 'uuid', at: 'timestamptz' },
  `(select 'user' as kind, e.user_id as id, e.erased_at as at from erasures e
    where (e.erased_at, e.user_id) > (:since, :after) order by e.erased_at, e.user_id limit :rows)
  union all
  (select 'household', h.household_id, greatest(h.deleted_at, h.erased_at) from households h
    where h.deleted_at is not null and (greatest(h.deleted_at, h.erased_at), h.household_id) > (:since, :after)
      and (h.erased_at is not null or not exists (select from memberships m where m.household_id = h.household_id))
    order by greatest(h.deleted_at, h.erased_at), h.household_id limit :rows)
  order by at, id limit :rows`,
)

export const readLastCommit = statement('backups.lastCommit', {}, { at: 'timestamptz?' }, 'select pg_last_xact_replay_timestamp() as at')

/** Forgets a person or a household again: whether it was there, and the households that are then to be emptied. */
export const eraseAgain = statement(
  'backups.eraseAgain',
  { kind: 'text', id: 'uuid' },
  { there: 'bool', households: 'uuid[]' },
  `select exists (select from users u where u.id = :id) or exists (select from households h where h.household_id = :id and h.erased_at is null) as there,
    coalesce(array_agg(e.household) filter (where e.household is not null), '{}') as households
  from erase_again(:kind, :id) e`,
)

export const beginNewHistory = statement(
  'backups.beginNewHistory',
  { endSessions: 'bool' },
  { ended: 'int8' },
  'select begin_new_history(:endSessions) as ended',
)

/** How far the trail of each household goes, and the hash at its head. */
export const readHeads = statement(
  'backups.heads',
  { after: 'uuid', rows: 'int4' },
  { household: 'uuid', entries: 'int8', head: 'bytea' },
  'select r.household_id as household, r.entries, r.head from revisions r where r.household_id > :after order by r.household_id limit :rows',
)

/** Those whose head, as it was found elsewhere, is not an entry of the trail here. */
export const readStrangeHeads = statement(
  'backups.strangeHeads',
  { heads: 'jsonb' },
  { household: 'uuid' },
  `select h.household from jsonb_to_recordset(:heads) as h (household uuid, entries bigint, head text)
  where h.entries > 0 and not exists (
    select from journal j where j.household_id = h.household and j.number = h.entries and j.hash = decode(h.head, 'hex'))`,
)
