// SQL of the advisor: the evidence it keeps, what people declared, and what the database says of itself now.
import { statement } from '../../resources/statement.ts'

export const writeEvidence = statement(
  'evidence.write',
  { slot: 'int8', process: 'uuid', minutes: 'int4', host: 'text', measures: 'jsonb' },
  {},
  `insert into evidence (slot, process, minutes, host, measures) values (:slot, :process, :minutes, :host, :measures)
  on conflict (slot, process) do update set minutes = excluded.minutes, host = excluded.host, measures = excluded.measures`,
)

const pieceColumns = { slot: 'int8', process: 'uuid', minutes: 'int4', host: 'text', measures: 'jsonb' } as const

/** In the order of the key, behind what was read before. */
export const readEvidence = statement(
  'evidence.read',
  { slot: 'int8', process: 'uuid', rows: 'int4' },
  pieceColumns,
  `select e.slot, e.process, e.minutes::int4 as minutes, e.host, e.measures from evidence e
  where (e.slot, e.process) > (:slot, :process) order by e.slot, e.process limit :rows`,
)

/** Of the oldest hour that still lies in pieces of five minutes: one turn of the job. */
export const takeOldestHour = statement(
  'evidence.takeOldestHour',
  { before: 'int8', slots: 'int4' },
  pieceColumns,
  `delete from evidence e using (select min(o.slot) / :slots * :slots as first from evidence o where o.minutes = 5 and o.slot < :before) h
  where e.slot >= h.first and e.slot < h.first + :slots
  returning e.slot, e.process, e.minutes::int4 as minutes, e.host, e.measures`,
)

export const forgetEvidence = statement('evidence.forget', { before: 'int8' }, {}, 'delete from evidence where slot < :before')

export const readFacts = statement(
  'facts.read',
  {},
  { name: 'text', value: 'numeric' },
  'select f.name, f.value from declared_facts f order by f.name limit 100',
)

export const declareFact = statement(
  'facts.declare',
  { name: 'text', value: 'numeric' },
  {},
  `insert into declared_facts (name, value) values (:name, :value)
  on conflict (name) do update set value = excluded.value, declared_at = now()`,
)

export const forgetFact = statement(
  'facts.forget',
  { name: 'text' },
  { name: 'text' },
  'delete from declared_facts where name = :name returning name',
)

/** Dumps and base backups say who they are. */
export const readBackup = statement(
  'evidence.backup',
  {},
  { running: 'bool' },
  `select exists (select from pg_stat_activity a where a.application_name in ('pg_dump', 'pg_basebackup', 'djinn backup')) as running`,
)
