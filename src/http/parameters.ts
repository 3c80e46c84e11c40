// Schemas that operations share: ids, days, money, instants, and the parameters of a query string.
import { z } from 'zod'
import { dayMax, dayMin, isDay } from '../values/day.ts'
import { isId } from '../values/id.ts'
import { limits } from '../values/limits.ts'
import { amountMinorMax } from '../values/money.ts'
import { currencies } from '../values/currencies.ts'

export const id = z
  .string()
  .refine(isId, { error: 'must be a lower-case UUID', params: { code: 'malformed-id' } })
  .meta({ format: 'uuid', description: 'A UUID; make it a UUIDv7 when the client chooses it.' })

export const day = z
  .string()
  .refine(isDay, { error: `must be a calendar day from ${dayMin} to ${dayMax}, such as 2026-02-28`, params: { code: 'malformed-day' } })
  .meta({ format: 'date' })

const instantMsMin = Date.parse(dayMin)
const instantMsMax = Date.parse(`${dayMax}T23:59:59.999Z`)

export const instant = z.iso
  .datetime({ precision: undefined, offset: true, abort: true, error: 'must be an RFC 3339 instant such as 2026-02-28T12:00:00Z' })
  .refine(
    // PostgreSQL takes offsets below 16 hours; no zone has more than 14.
    (value) => Date.parse(value) >= instantMsMin && Date.parse(value) <= instantMsMax && !/[+-](1[6-9]|2\d):\d\d$/.test(value),
    { error: `must be an instant from ${dayMin} to ${dayMax} with an offset below 16 hours`, params: { code: 'out-of-range' } },
  )
  .meta({ format: 'date-time' })

export const amount = z
  .int({ error: `must be a whole number of minor units within +-${amountMinorMax}` })
  .transform((value) => (value === 0 ? 0 : value))
  .meta({
    type: 'integer',
    minimum: -amountMinorMax,
    maximum: amountMinorMax,
    description: 'Minor units of the currency; negative is money going out.',
  })

export const positiveAmount = z.int({ error: 'must be a positive whole number of minor units' }).min(1)

export const currency = z
  .string()
  .refine((code) => currencies.has(code), { error: 'must be an ISO 4217 code in force, such as EUR', params: { code: 'unknown-currency' } })
  .meta({ pattern: '^[A-Z]{3}$', description: 'ISO 4217 code.' })

/** Text that people read: length in UTF-16 units, no control characters but line ends. */
export function text(max: number, min = 0) {
  return z
    .string()
    .min(min)
    .max(max)
    .refine((value) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(value), {
      error: 'must not contain control characters',
      params: { code: 'control-character' },
    })
}

export const idParams = z.strictObject({ id })

export function integerParameter(min: number, max: number, standard?: number) {
  const parsed = z
    .string()
    .regex(/^-?\d{1,16}$/, { error: `must be a whole number from ${min} to ${max}` })
    .transform(Number)
    .refine((value) => value >= min && value <= max, {
      error: `must be a whole number from ${min} to ${max}`,
      params: { code: 'out-of-range' },
    })
    .meta({ type: 'integer', minimum: min, maximum: max, ...(standard === undefined ? {} : { default: standard }) })
  return parsed
}

export const booleanParameter = z
  .enum(['true', 'false'])
  .transform((value) => value === 'true')
  .meta({ type: 'boolean' })

export const pageQuery = {
  limit: integerParameter(1, limits.pageRowsMax, limits.pageRowsDefault)
    .optional()
    .meta({ description: `Rows a page, ${limits.pageRowsDefault} unless given.` }),
  cursor: z.string().min(1).max(1_000).optional().meta({ description: 'The nextCursor of the page before.' }),
}

export const updatedSince = instant.optional().meta({
  format: 'date-time',
  description: 'Only rows written since; `Last-Modified` tells when the last one was. To miss nothing, sync instead.',
})

export function listOf(row: z.ZodType) {
  const page = { data: z.array(row), nextCursor: z.string().nullable() }
  return z.strictObject({
    ...page,
    included: z
      .record(z.string(), z.array(z.record(z.string(), z.unknown())))
      .optional()
      .meta({ description: 'On a fast network: the rows that these rows name, by kind.' }),
    prefetched: z.strictObject(page).optional().meta({ description: 'On a fast network: the page behind this one.' }),
  })
}
