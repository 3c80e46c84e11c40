// What a rule is: conditions on a transaction as it came, and what to make of it.
import { z } from 'zod'
import { baseRevision } from '../../http/merge.ts'
import { amount, id, instant, text } from '../../http/parameters.ts'
import { limits } from '../../values/limits.ts'

const range = z
  .strictObject({ min: amount, max: amount })
  .refine(({ min, max }) => min <= max, { error: 'must not be below min', path: ['max'], params: { code: 'out-of-range' } })

/** No condition takes a pattern: every value is meant as it is written. */
const condition = z.discriminatedUnion('field', [
  z.strictObject({
    field: z.enum(['payee', 'rawPayee', 'note']),
    operator: z.enum(['is', 'contains', 'startsWith', 'endsWith']),
    value: text(limits.ruleValueLengthMax, 1).meta({
      description: 'Compared without case and Unicode-normalised (NFKC); no character is special.',
    }),
  }),
  z.discriminatedUnion('operator', [
    z.strictObject({ field: z.literal('amount'), operator: z.enum(['is', 'atLeast', 'atMost']), value: amount }),
    z.strictObject({ field: z.literal('amount'), operator: z.literal('between'), value: range }),
  ]),
  z.strictObject({ field: z.literal('account'), operator: z.literal('is'), value: id }),
])
export type Condition = z.infer<typeof condition>

const actions = z
  .strictObject({ categoryId: id.optional(), payee: text(200, 1).optional(), note: text(2_000, 1).optional() })
  .refine((given) => Object.keys(given).length > 0, {
    error: 'must set at least one of categoryId, payee and note',
    params: { code: 'required' },
  })

const content = {
  match: z.enum(['all', 'any']).meta({ description: 'Whether all of the conditions must hold or any one.' }),
  conditions: z.array(condition).min(1).max(limits.ruleConditionsMax),
  actions,
}
const positionMax = 1_000_000

export const ruleShape = z.strictObject({
  id,
  name: z.string(),
  position: z.int().meta({ description: 'Rules run from the lowest to the highest; no two have the same.' }),
  enabled: z.boolean(),
  ...content,
  stop: z.boolean(),
  createdAt: instant,
  updatedAt: instant,
  revision: z.int(),
})

export const ruleDraft = z.strictObject({
  id: id.optional(),
  name: text(100, 1),
  position: z
    .int()
    .min(1)
    .max(positionMax)
    .optional()
    .meta({ description: 'Last unless given. The rule that has the position, and those right behind it, move on by one.' }),
  enabled: z.boolean().optional().meta({ description: 'Whether it runs by itself; true unless given.' }),
  ...content,
  stop: z.boolean().optional().meta({ description: 'When it matches a row, no later rule is tried on it; false unless given.' }),
})
export const ruleChanges = ruleDraft.omit({ id: true }).partial().extend({ baseRevision })
/** A rule that is only tried needs no name. */
export const ruleTrial = ruleDraft.partial({ name: true })

/** A rule as the evaluation takes it. */
export type Trial = { id: string | null } & Pick<z.infer<typeof ruleTrial>, 'match' | 'conditions' | 'actions' | 'stop'>
