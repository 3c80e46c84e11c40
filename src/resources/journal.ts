// Reads of the journal that any feature may make: which columns of a row were changed since a revision.
import { statement } from './statement.ts'

/** The columns that changed after `base`; `whole` when an erased entry no longer says which. */
export const changedColumns = statement(
  'journal.changedColumns',
  { household: 'uuid', ids: 'uuid[]', base: 'int8' },
  { columns: 'text[]', whole: 'bool' },
  `select coalesce(array_agg(distinct k.name) filter (where k.name is not null), '{}') as columns,
    coalesce(bool_or(j.changes is null), false) as whole
  from journal j left join lateral jsonb_object_keys(j.changes) k (name) on true
  where j.household_id = :household and j.entity_id = any(:ids) and j.revision > :base`,
)
