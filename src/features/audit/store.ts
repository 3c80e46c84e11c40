// SQL of the audit trail: the journal as its household reads it.
import { composedStatement, type Shape } from '../../resources/statement.ts'

const columns = {
  number: 'int8',
  revision: 'int8',
  kind: 'text',
  entityId: 'uuid',
  entityName: 'text?',
  operation: 'text',
  changes: 'jsonb?',
  actorId: 'uuid?',
  actorName: 'text?',
  deviceId: 'uuid?',
  requestId: 'text?',
  at: 'timestamptz',
  hash: 'text',
} as const

const conditions = {
  entity: ['uuid', 'j.entity_id = :entity'],
  kind: ['text', 'j.kind = :kind'],
  // Most entries are of transactions: those of the other kinds have an index of their own.
  rareKind: ['text', `j.kind = :rareKind and j.kind <> 'transaction'`],
  actor: ['uuid', 'j.actor_id = :actor'],
  from: ['timestamptz', 'j.at >= :from'],
  to: ['timestamptz', 'j.at < :to'],
} as const
export type AuditFilter = keyof typeof conditions
export const auditFilters = Object.keys(conditions) as AuditFilter[]

/** Lists of one person or of a time are in the order of time, which is that of their indexes; the others in that of numbers. */
export function isTimed(filters: readonly AuditFilter[]): boolean {
  return filters.some((name) => name === 'actor' || name === 'from' || name === 'to')
}

/** Newest first. Who a member is, or was, is told by name; and whom an invitation was for, as long as it is kept. */
export function listAudit(filters: readonly AuditFilter[], after: boolean) {
  const parameters: Record<string, string> = { household: 'uuid', rows: 'int4' }
  for (const name of filters) parameters[name] = conditions[name][0]
  if (after) parameters['after'] = 'int8'
  const timed = isTimed(filters)
  if (after && timed) parameters['afterAt'] = 'timestamptz'
  const behind = after ? `and ${timed ? '(j.at, j.number) < (:afterAt, :after)' : 'j.number < :after'}` : ''
  return composedStatement(
    `audit.list ${[...filters, after ? 'after' : ''].join(' ')}`.trim(),
    parameters as Shape,
    columns,
    () =>
      `select j.number, j.revision, j.kind, j.entity_id as "entityId",
      case j.kind when 'member' then (select coalesce(nullif(u.display_name, ''), u.email) from users u where u.id = j.entity_id)
                  when 'invitation' then (select i.email from invitations i where i.household_id = j.household_id and i.id = j.entity_id)
        end as "entityName",
      j.operation, j.changes, j.actor_id as "actorId",
      case when j.actor_id is not null then (select coalesce(nullif(u.display_name, ''), u.email) from users u where u.id = j.actor_id)
        else (select 'Feed ' || f.name from feeds f where f.household_id = j.household_id and f.id = j.device_id) end as "actorName",
      j.device_id as "deviceId", j.request_id as "requestId", j.at, encode(j.hash, 'hex') as hash
    from journal j where j.household_id = :household
      ${filters.map((name) => `and ${conditions[name][1]}`).join(' ')} ${behind}
    order by ${timed ? 'j.at desc, ' : ''}j.number desc limit :rows`,
  )
}
