// SQL of the audit trail: the journal as its household reads it.
import { composedStatement, type Shape } from '../../resources/statement.ts'

const columns = {
  number: 'int8',
  revision: 'int8',
  kind: 'text',
  entityId: 'uuid',
  operation: 'text',
  changes: 'jsonb?',
  actorId: 'uuid?',
  actorName: 'text?',
  deviceId: 'uuid?',
  requestId: 'text?',
  at: 'timestamptz',
  hash: 'text',
} as const

const conditions = { entity: ['uuid', 'j.entity_id = :entity'], kind: ['text', 'j.kind = :kind'] } as const
export type AuditFilter = keyof typeof conditions

/** Newest first. */
export function listAudit(filters: readonly AuditFilter[], after: boolean) {
  const parameters: Record<string, string> = { household: 'uuid', rows: 'int4' }
  for (const name of filters) parameters[name] = conditions[name][0]
  if (after) parameters['after'] = 'int8'
  return composedStatement(
    `audit.list ${[...filters, after ? 'after' : ''].join(' ')}`.trim(),
    parameters as Shape,
    columns,
    () =>
      `select j.number, j.revision, j.kind, j.entity_id as "entityId", j.operation, j.changes, j.actor_id as "actorId",
      (select coalesce(nullif(u.display_name, ''), u.email) from users u where u.id = j.actor_id) as "actorName",
      j.device_id as "deviceId", j.request_id as "requestId", j.at, encode(j.hash, 'hex') as hash
    from journal j where j.household_id = :household
      ${filters.map((name) => `and ${conditions[name][1]}`).join(' ')} ${after ? 'and j.number < :after' : ''}
    order by j.number desc limit :rows`,
  )
}
