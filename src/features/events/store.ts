// SQL of event streams.
import { statement } from '../../resources/statement.ts'

export const readRevisions = statement(
  'events.revisions',
  {},
  { householdId: 'uuid', revision: 'int8' },
  'select household_id as "householdId", revision from sync_vector()',
)

export const liveSessions = statement(
  'events.liveSessions',
  { ids: 'uuid[]' },
  { id: 'uuid' },
  'select id from sessions where id = any(:ids) and revoked_at is null and refresh_expires_at > now()',
)
