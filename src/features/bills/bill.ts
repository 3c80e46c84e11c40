// Pure rules of bills: their shape, what a draft may say, and when which reminder is told.
import { z } from 'zod'
import { baseRevision } from '../../http/merge.ts'
import { amount, currency, day, id, instant, text } from '../../http/parameters.ts'
import { addDays, type Day } from '../../values/day.ts'
import { limits } from '../../values/limits.ts'
import { problemOfRule } from './schedule.ts'

/** Long enough ago for every bill that is still paid, and near enough that counting from there is quick. */
const startMin: Day = '1970-01-01'

const weekend = z.enum(['keep', 'before', 'after'])
const rule = z.string().min(1).max(limits.billRuleLengthMax).meta({
  description:
    'A recurrence rule of RFC 5545, such as FREQ=MONTHLY;BYMONTHDAY=31, of days or longer. A day that a month lacks is its last day, unless RSCALE and SKIP (RFC 7529) say otherwise.',
})
export const schedule = z
  .strictObject({
    startsOn: day.meta({ description: 'The first day that may be one; what the rule leaves open is taken from it.' }),
    rule,
    weekend: weekend.default('keep').meta({ description: 'Whether a day on a weekend moves to the Friday before or the Monday after.' }),
  })
  .superRefine((given, context) => {
    if (given.startsOn < startMin) {
      context.addIssue({ code: 'custom', path: ['startsOn'], message: `must be ${startMin} or later`, params: { code: 'out-of-range' } })
    }
    if (given.rule.length === 0 || given.rule.length > limits.billRuleLengthMax || context.issues.length > 0) return
    const problem = problemOfRule(given.startsOn, given.rule)
    if (problem !== null) context.addIssue({ code: 'custom', path: ['rule'], message: problem, params: { code: 'invalid-rule' } })
  })

const reminderDays = z
  .array(z.int().min(0).max(limits.billReminderDaysMax))
  .max(limits.billRemindersMax)
  .refine((days) => new Set(days).size === days.length, { error: 'must name each day once', params: { code: 'repeated' } })
  .meta({ description: 'So many days before each due day all members are reminded; 0 is the day itself.' })

const payee = text(200, 1).refine((value) => value.normalize('NFKC').trim() !== '', {
  error: 'must not be blank',
  params: { code: 'too-small' },
})

export const billShape = z.strictObject({
  id,
  payee: z.string(),
  accountId: id.nullable(),
  currency,
  categoryId: id.nullable(),
  amountMin: amount,
  amountMax: amount,
  schedule: z.strictObject({ startsOn: day, rule: z.string(), weekend }),
  endsOn: day.nullable(),
  reminderDays: z.array(z.int()),
  autoPost: z.boolean(),
  note: z.string(),
  nextDue: day.nullable().meta({ description: 'The next unpaid day from today on.' }),
  overdueCount: z.int().meta({ description: 'Unpaid days before today.' }),
  createdAt: instant,
  updatedAt: instant,
  revision: z.int(),
})

export const billDraft = z.strictObject({
  id: id.optional(),
  payee: payee.meta({ description: 'A transaction whose payee contains it, in any case and spacing, may pay the bill.' }),
  accountId: id.nullable().optional().meta({ description: 'Only transactions of this account pay it.' }),
  categoryId: id.nullable().optional(),
  amountMin: amount.meta({ description: 'The lower end of what is expected; negative is money going out, so -120 of -120 to -80.' }),
  amountMax: amount,
  currency: currency.optional().meta({ description: "The account's, else the household's unless given." }),
  schedule,
  endsOn: day.nullable().optional().meta({ description: 'No day of the schedule after it.' }),
  reminderDays: reminderDays.optional(),
  autoPost: z
    .boolean()
    .optional()
    .meta({ description: 'A recurring transaction: each occurrence makes its own on its day. Takes an account and one amount.' }),
  note: text(2_000).optional(),
})
export type BillDraft = z.infer<typeof billDraft>
export const billChanges = billDraft.omit({ id: true }).partial().extend({ baseRevision })
export type BillChanges = z.infer<typeof billChanges>

/** Which reminder of an occurrence is told on a day: of those that have come only the newest, unless it came too long ago, and which comes next. */
export function reminderOn(date: Day, days: readonly number[], today: Day, since: Day): { told: Day | null; next: Day | null } {
  const reminders = days.map((before) => addDays(date, -before)).toSorted()
  const newest = reminders.findLast((reminder) => reminder <= today)
  const earliest = addDays(today, -limits.billReminderLateDays)
  return {
    told: newest !== undefined && newest >= since && newest >= earliest ? newest : null,
    next: reminders.find((reminder) => reminder > today) ?? null,
  }
}
