// Shapes of feeds: what managing them takes and answers, and what a connector pushes.
import { z } from 'zod'
import { baseRevision } from '../../http/merge.ts'
import { amount, currency, day, id, instant, text } from '../../http/parameters.ts'
import { limits } from '../../values/limits.ts'

export const feedShape = z.strictObject({
  id,
  accountId: id,
  name: z.string(),
  paused: z.boolean().meta({ description: 'Pushes are refused while it is.' }),
  keyId: z.string().meta({ description: 'Names the secret in use: the header Djinn-Key.' }),
  oldKeys: z
    .array(z.strictObject({ keyId: z.string(), expiresAt: instant }))
    .meta({ description: 'Secrets before a rotation that still work.' }),
  lastPushAt: instant.nullable(),
  counts: z
    .strictObject({ pushes: z.int(), created: z.int(), updated: z.int(), removed: z.int() })
    .meta({ description: 'Pushes that went through, and what they did in all.' }),
  createdAt: instant,
  updatedAt: instant,
  revision: z.int(),
})

export const credentialShape = feedShape.extend({
  secret: z.string().optional().meta({ description: 'Shown this once, and only to whoever made it: what pushes are signed with.' }),
})

export const feedDraft = z.strictObject({ id: id.optional(), accountId: id, name: text(100, 1) })
export const feedChanges = z.strictObject({ baseRevision, name: text(100, 1).optional(), paused: z.boolean().optional() })
export const rotation = z.strictObject({
  immediately: z
    .boolean()
    .optional()
    .meta({ description: `Ends every older secret at once instead of after ${limits.feedOverlapHours} hours.` }),
})

const externalId = text(255, 1).meta({ description: "The bank's id of the entry, stable within the account." })

const pushedRow = z.strictObject({
  externalId,
  date: day,
  amount,
  currency: currency.optional().meta({ description: "The account's, when it is sent at all." }),
  payee: text(200),
  rawPayee: text(1_000).optional().meta({ description: 'As the bank wrote it; the payee unless it is sent.' }),
  note: text(2_000).optional(),
  status: z.enum(['pending', 'posted']),
  pendingExternalId: externalId
    .optional()
    .meta({ description: 'The id that the entry had while it was pending, when it has another one now.' }),
  original: z.strictObject({ amount, currency }).nullable().optional().meta({ description: 'What was paid in another currency.' }),
})
export type Pushed = z.infer<typeof pushedRow>

export const pushBody = z
  .strictObject({
    transactions: z.array(pushedRow).max(limits.feedRowsMax),
    removed: z
      .array(externalId)
      .max(limits.feedRowsMax)
      .optional()
      .meta({ description: 'Ids of pending entries that the bank took back.' }),
  })
  .superRefine(({ transactions, removed = [] }, context) => {
    const complain = (path: PropertyKey[], code: string, message: string) =>
      context.addIssue({ code: 'custom', path, message, params: { code } })
    if (transactions.length + removed.length > limits.feedRowsMax) {
      complain(['removed'], 'too-large', `transactions and removed are at most ${limits.feedRowsMax} together`)
    }
    const seen = new Set<string>()
    transactions.forEach((row, index) => {
      if (seen.has(row.externalId)) complain(['transactions', index, 'externalId'], 'repeated', 'stands in this push already')
      seen.add(row.externalId)
    })
    removed.forEach((removedId, index) => {
      if (seen.has(removedId)) complain(['removed', index], 'repeated', 'stands in this push already')
      seen.add(removedId)
    })
  })
export type Push = z.infer<typeof pushBody>

export const outcome = z.enum(['created', 'updated', 'adopted', 'unchanged', 'kept', 'deleted', 'removed']).meta({
  description:
    'created: new. updated: the bank changed something. adopted: one typed by hand, or of a file, is this one. unchanged: nothing to do. kept: the bank says otherwise now, but it is reconciled, or not the feed’s to remove. deleted: a person deleted it, and it stays so. removed: taken back by the bank.',
})
export type Outcome = z.infer<typeof outcome>

export const pushAnswer = z.strictObject({
  created: z.int(),
  updated: z.int().meta({ description: 'Adopted ones among them.' }),
  unchanged: z.int().meta({ description: 'With those kept and deleted.' }),
  removed: z.int(),
  results: z
    .array(z.strictObject({ externalId: z.string(), transactionId: id.nullable(), outcome }))
    .meta({ description: 'In the order sent, the removed ones last.' }),
})
