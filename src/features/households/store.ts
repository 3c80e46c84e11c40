// SQL of households themselves.
import { statement } from '../../resources/statement.ts'

const columns = {
  id: 'uuid',
  name: 'text',
  baseCurrency: 'text',
  timeZone: 'text',
  role: 'text',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
  revision: 'int8',
} as const
// The row has the role in it, so a change of the membership is one of the row.
const select = `h.household_id as id, h.name, h.base_currency as "baseCurrency", h.time_zone as "timeZone", m.role,
  h.created_at as "createdAt", greatest(h.updated_at, m.updated_at) as "updatedAt", greatest(h.revision, m.revision) as revision`

/** Moves the transaction into another household: what follows is that one's. */
export const enterHousehold = statement(
  'households.enter',
  { id: 'text' },
  { household: 'text' },
  `select set_config('djinn.household', :id, true) as household`,
)

export const insertHousehold = statement(
  'households.insert',
  { id: 'uuid', name: 'text', currency: 'text', timeZone: 'text' },
  { id: 'uuid' },
  `insert into households (household_id, name, base_currency, time_zone) values (:id, :name, :currency, :timeZone) returning household_id as id`,
)

export const listHouseholds = statement(
  'households.list',
  { user: 'uuid' },
  columns,
  `select ${select} from memberships m join households h on h.household_id = m.household_id
  where m.user_id = :user and h.deleted_at is null order by h.household_id limit 100`,
)

export const patchHousehold = statement(
  'households.patch',
  { id: 'uuid', user: 'uuid', name: 'text?', baseCurrency: 'text?', timeZone: 'text?', ifRevision: 'int8?' },
  columns,
  `update households h set name = coalesce(:name, h.name), base_currency = coalesce(:baseCurrency, h.base_currency),
    time_zone = coalesce(:timeZone, h.time_zone)
  from memberships m
  where h.household_id = :id and m.household_id = h.household_id and m.user_id = :user
    and (:ifRevision is null or h.revision <= :ifRevision)
  returning ${select}`,
)

/** Whether a member's household is deleted, and what they are in it. */
export const readDeletion = statement(
  'households.deletion',
  { id: 'uuid', user: 'uuid' },
  { role: 'text', deletedAt: 'timestamptz?', revision: 'int8' },
  `select m.role, h.deleted_at as "deletedAt", h.revision from households h join memberships m on m.household_id = h.household_id
  where h.household_id = :id and m.user_id = :user`,
)

export const deleteHousehold = statement(
  'households.delete',
  { id: 'uuid' },
  { revision: 'int8' },
  'update households set deleted_at = now() where household_id = :id and deleted_at is null returning revision',
)

export const restoreHousehold = statement(
  'households.restore',
  { id: 'uuid', days: 'int4' },
  { revision: 'int8' },
  `update households set deleted_at = null
  where household_id = :id and deleted_at > now() - make_interval(days => :days) returning revision`,
)

/** Erases some of a household; whether anything is left. */
export const eraseSome = statement(
  'households.eraseSome',
  { household: 'uuid', most: 'int4' },
  { left: 'bool' },
  'select erase_household(:household, :most) as left',
)

/** Deleted longer ago than they can be restored, or of nobody: those that a lost job forgot are among them. */
export const householdsToErase = statement(
  'households.toErase',
  { days: 'int4', rows: 'int4' },
  { household: 'uuid' },
  `select h.household_id as household from households h
  where h.deleted_at is not null and h.erased_at is null
    and (h.deleted_at < now() - make_interval(days => :days) or not exists (select from memberships m where m.household_id = h.household_id))
  order by h.deleted_at limit :rows`,
)
