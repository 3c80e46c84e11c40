// The batch: up to 10 calls in one request, each answered as if it had been sent alone.
import { z } from 'zod'
import { operation, type Operation } from '../../http/operation.ts'
import { limits } from '../../values/limits.ts'
import { runBatch, type BatchNeeds } from './batch.ts'

const step = z.strictObject({
  id: z.string().min(1).max(64).meta({ description: 'Names the result; unique in the batch.' }),
  method: z.enum(['GET', 'POST', 'PATCH', 'DELETE']),
  path: z.string().min(1).max(2_000).startsWith('/api/').meta({ description: 'With its query: `/api/transactions?limit=10`.' }),
  headers: z
    .record(z.string().max(100), z.string().max(1_000))
    .optional()
    .meta({ description: 'Djinn-Household, If-Match, If-None-Match, Idempotency-Key and the hints of the network.' }),
  body: z.unknown().optional(),
})
export type Step = z.infer<typeof step>

const result = z.strictObject({
  id: z.string(),
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  body: z.unknown().meta({ description: 'What the call alone would have answered, null when it has no body.' }),
})

export function batchOperations(needs: BatchNeeds): Operation[] {
  return [
    operation({
      name: 'batch',
      // Each of its operations is asked by itself.
      goesOnReadOnly: true,
      summary: `Up to ${limits.batchOperationsMax} calls in one request`,
      description:
        'Each is validated, authorised, limited and answered exactly as if it had been sent alone, in order; neighbouring reads run together. With `atomic` all writes are one transaction in one household: one failure undoes all. An Idempotency-Key on the batch stands for one on each of its writes.',
      tag: 'Batch',
      method: 'POST',
      path: '/api/batch',
      access: 'user',
      criticality: 'write',
      effect: 'own',
      body: z.strictObject({
        operations: z
          .array(step)
          .min(1)
          .max(limits.batchOperationsMax)
          .refine((steps) => new Set(steps.map((one) => one.id)).size === steps.length, { error: 'has two operations with one id' }),
        atomic: z.boolean().optional(),
      }),
      answer: z.strictObject({ results: z.array(result) }),
      run: async (context, { body }) => {
        const { results, headers } = await runBatch(needs, context.call, body.operations, body.atomic === true)
        return { headers, bytes: { content: `{"results":[${results.join(',')}]}`, mediaType: 'application/json; charset=utf-8' } }
      },
    }),
  ]
}
