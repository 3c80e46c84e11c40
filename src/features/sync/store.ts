// SQL of sync: where a user's households stand. What changed in them is read by the statements of each kind.
import { statement } from '../../resources/statement.ts'

/** One look-up answers a replica that is up to date. */
export const readVector = statement(
  'sync.vector',
  {},
  { householdId: 'uuid', role: 'text', revision: 'int8', forgottenRevision: 'int8', ownRevision: 'int8', digests: 'jsonb' },
  `select household_id as "householdId", role, revision, forgotten_revision as "forgottenRevision", own_revision as "ownRevision", digests
  from sync_vector()`,
)

export const readHousehold = statement(
  'sync.household',
  { household: 'uuid', user: 'uuid' },
  {
    id: 'uuid',
    name: 'text',
    baseCurrency: 'text',
    timeZone: 'text',
    role: 'text',
    createdAt: 'timestamptz',
    updatedAt: 'timestamptz',
    revision: 'int8',
  },
  `select h.household_id as id, h.name, h.base_currency as "baseCurrency", h.time_zone as "timeZone", m.role, h.created_at as "createdAt",
    greatest(h.updated_at, m.updated_at) as "updatedAt", greatest(h.revision, m.revision) as revision
  from households h join memberships m on m.household_id = h.household_id and m.user_id = :user
  where h.household_id = :household and h.deleted_at is null`,
)
