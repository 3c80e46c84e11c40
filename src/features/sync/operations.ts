// Sync: what changed since a cursor, in all of the user's households.
import { z } from 'zod'
import { operation, type Operation } from '../../http/operation.ts'
import { integerParameter } from '../../http/parameters.ts'
import { limits } from '../../values/limits.ts'
import { syncPage, type SyncNeeds } from './sync.ts'

const row = z.record(z.string(), z.unknown())

export function syncOperations(needs: SyncNeeds): Operation[] {
  const names = ['households', ...needs.kinds.map((kind) => kind.name)]
  return [
    operation({
      name: 'sync',
      summary: 'What changed since the cursor',
      description:
        'Without a cursor: a snapshot of everything, in pages. Follow `nextCursor` while `hasMore`; keep the last one for the next time. ' +
        'Rows are upserts and carry their `householdId`; a household in `removed` is no longer yours, with all of its rows. ' +
        '`checkpoint` comes with the answer that completes the replica: per kind the count of rows and the exclusive or, over all rows, of the first 8 bytes of SHA-256 of "<id>:<revision>", in hexadecimal. ' +
        'When it differs from yours, fetch that kind anew with `kinds` and without a cursor, and go on with the cursor that you have. `cursor-expired` (410): start without one and keep your outbox.',
      tag: 'Sync',
      method: 'GET',
      path: '/api/sync',
      access: 'user',
      criticality: 'sync',
      effect: 'read',
      query: z.strictObject({
        cursor: z.string().min(1).max(16_000).optional(),
        limit: integerParameter(1, limits.syncRowsMax, limits.syncRowsMax).optional(),
        kinds: z
          .string()
          .max(200)
          .transform((text) => text.split(','))
          .refine((kinds) => kinds.every((kind) => names.includes(kind)), { error: `must be some of ${names.join(', ')}` })
          .optional()
          .meta({ description: `Only these, for a snapshot: ${names.join(', ')}.` }),
      }),
      answer: z.strictObject({
        changes: z.strictObject(Object.fromEntries(names.map((name) => [name, z.array(row).optional()]))),
        removed: z.array(z.strictObject({ type: z.enum(names as [string, ...string[]]), id: z.string(), householdId: z.string() })),
        nextCursor: z.string(),
        hasMore: z.boolean(),
        checkpoint: z.record(z.string(), z.strictObject({ count: z.int(), digest: z.string().regex(/^[0-9a-f]{16}$/) })).nullable(),
      }),
      refusals: ['invalid-cursor', 'cursor-expired'],
      run: (context, { query }) => syncPage(needs, context, query),
    }),
  ]
}
