// Field selection: `?fields=id,name` on operations that answer rows, or the essential ones on a slow network.
import { z } from 'zod'
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'
import type { Operation } from './operation.ts'
import { validate } from './validate.ts'

const fieldsQuery = z.object({ fields: z.string().min(1).max(1_000) })

/** Splits `fields` off the query of operations that answer rows, and checks each name. */
export function takeFields(
  operation: Operation,
  query: Record<string, unknown>,
): { fields: string[] | null; query: Record<string, unknown> } {
  if (!operation.row || query['fields'] === undefined) return { fields: null, query }
  const { fields: given, ...rest } = query
  const names = validate(fieldsQuery, { fields: given }, '?')
    .fields.split(',')
    .map((name) => name.trim())
  const known = operation.row.shape
  const unknown = names.filter((name) => !Object.hasOwn(known, name))
  if (unknown.length > 0 || names.length > limits.fieldsMax) {
    throw new Failure('invalid-request', `There is no field "${unknown[0] ?? ''}" here; there are ${Object.keys(known).join(', ')}.`, {
      errors: [{ pointer: '?fields', code: 'unknown-field', detail: unknown.join(', ') }],
    })
  }
  return { fields: [...new Set(names)], query: rest }
}

/** A row, or each row of a list and of its prefetched page, with only the fields. */
export function selectFields(body: Record<string, unknown>, fields: readonly string[]): unknown {
  if (!Array.isArray(body['data'])) return pick(body, fields)
  const selected: Record<string, unknown> = { ...body, data: body['data'].map((row) => pick(row as Record<string, unknown>, fields)) }
  if (body['prefetched']) selected['prefetched'] = selectFields(body['prefetched'] as Record<string, unknown>, fields)
  return selected
}

function pick(row: Record<string, unknown>, fields: readonly string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {}
  for (const field of fields) picked[field] = row[field]
  return picked
}
