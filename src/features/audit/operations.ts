// The audit trail: who changed what, from which value to which, when, from which device and request.
import { z } from 'zod'
import { operation, type Operation } from '../../http/operation.ts'
import { page } from '../../http/page.ts'
import { id, instant, listOf, pageQuery } from '../../http/parameters.ts'
import { limits } from '../../values/limits.ts'
import { auditFilters, isTimed, listAudit } from './store.ts'

export const entryShape = z.strictObject({
  number: z.int().meta({ description: 'Rises by one within the household.' }),
  revision: z.int(),
  kind: z.string(),
  entityId: id,
  entityName: z.string().nullable().meta({
    description:
      'Of a member: their name, also when they have left; of an invitation: the address it was for. Null for others, and for erased users.',
  }),
  operation: z.enum(['create', 'update', 'delete', 'restore']),
  changes: z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({ description: 'create: column -> value; otherwise column -> [before, after]; null once erased.' }),
  actorId: id.nullable(),
  actorName: z.string().nullable().meta({ description: 'Of a user, or `Feed` and the name of the feed.' }),
  deviceId: id.nullable().meta({ description: 'The session, or the feed that pushed it.' }),
  requestId: z.string().nullable(),
  at: instant,
  hash: z.string().meta({ description: 'SHA-256 over the entry before and this one.' }),
})

export function auditOperations(): Operation[] {
  return [
    operation({
      name: 'audit.list',
      summary: 'The audit trail, newest first',
      description:
        'Takes the role owner. In the order of numbers; with `actor`, `from` or `to` in that of instants, and of numbers within one. `from` is included, `to` is not.',
      tag: 'Audit',
      method: 'GET',
      path: '/api/audit',
      access: 'owner',
      criticality: 'report',
      effect: 'read',
      conditional: true,
      query: z.strictObject({
        ...pageQuery,
        entity: id.optional(),
        kind: z
          .enum([
            'household',
            'member',
            'account',
            'category',
            'transaction',
            'transfer',
            'import',
            'invitation',
            'budget',
            'rule',
            'bill',
            'occurrence',
            'feed',
          ])
          .optional(),
        actor: id.optional().meta({ format: 'uuid', description: 'The user who did it.' }),
        from: instant.optional(),
        to: instant.optional(),
      }),
      answer: listOf(entryShape),
      row: entryShape,
      run: async (context, { query }) => {
        const { limit = limits.pageRowsDefault, cursor, kind, ...rest } = query
        const given = { ...rest, ...(kind === 'transaction' ? { kind } : { rareKind: kind }) }
        const wanted = auditFilters.filter((name) => (given as Record<string, unknown>)[name] !== undefined)
        const binding = `audit ${context.household!.id} ${JSON.stringify(given)}`
        const [after, afterAt] = cursor === undefined ? [] : context.cursors.decode(binding, cursor)
        const timed = isTimed(wanted)
        const rows = await context.db.run(listAudit(wanted, after !== undefined), {
          household: context.household!.id,
          rows: limit + 1,
          ...Object.fromEntries(wanted.map((name) => [name, (given as Record<string, unknown>)[name]])),
          ...(after === undefined ? {} : { after, ...(timed ? { afterAt } : {}) }),
        })
        return { body: page(context.cursors, binding, rows, limit, (row) => (timed ? [row.number, row.at] : [row.number])) }
      },
    }),
  ]
}
