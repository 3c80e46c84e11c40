// SQL of flags: what they are, and who changed them.
import { statement } from '../../resources/statement.ts'

export const readFlags = statement(
  'flags.read',
  {},
  { name: 'text', value: 'text' },
  'select name, value from flags order by name limit 1000',
)

/** One operator at a time; the rest of the service reads on. */
export const lockFlags = statement('flags.lock', {}, {}, 'lock table flags in share row exclusive mode')

/** What the trigger keeps of the change besides. */
export const signChange = statement(
  'flags.sign',
  { by: 'text', reason: 'text' },
  { by: 'text' },
  `select set_config('djinn.operator', :by, true) as by, set_config('djinn.reason', :reason, true) as reason`,
)

export const writeFlag = statement(
  'flags.write',
  { name: 'text', value: 'text' },
  {},
  'insert into flags (name, value) values (:name, :value) on conflict (name) do update set value = excluded.value',
)

export const resetFlag = statement('flags.reset', { name: 'text' }, {}, 'delete from flags where name = :name')

const changeColumns = {
  number: 'int8',
  name: 'text',
  old: 'text?',
  new: 'text?',
  by: 'text',
  reason: 'text?',
  at: 'timestamptz',
} as const

/** Of one flag or of all, newest first. */
export const listChanges = statement(
  'flags.changes',
  { name: 'text?', before: 'int8?', rows: 'int4' },
  changeColumns,
  `select number, name, old_value as old, new_value as new, changed_by as by, reason, changed_at as at
  from flag_changes where (:name is null or name = :name) and (:before is null or number < :before) order by number desc limit :rows`,
)

export const lastChanges = statement(
  'flags.lastChanges',
  {},
  changeColumns,
  `select distinct on (name) number, name, old_value as old, new_value as new, changed_by as by, reason, changed_at as at
  from flag_changes order by name, number desc limit 1000`,
)
