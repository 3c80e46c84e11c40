// The query string: every parameter once, and no text that PostgreSQL could not keep.
import { Failure } from '../values/failure.ts'

export function singleValues(query: Record<string, unknown>): Record<string, unknown> {
  const twice = Object.keys(query).find((name) => Array.isArray(query[name]))
  if (twice !== undefined) {
    throw new Failure('invalid-request', `The parameter ${twice} is given twice.`, {
      errors: [{ pointer: `?${twice}`, code: 'repeated', detail: 'Give it once.' }],
    })
  }
  // PostgreSQL has no NUL in its texts.
  const withNul = Object.keys(query).find((name) => String(query[name]).includes('\0'))
  if (withNul !== undefined) {
    throw new Failure('invalid-request', `The parameter ${withNul} contains NUL.`, {
      errors: [{ pointer: `?${withNul}`, code: 'control-character', detail: 'must not contain control characters' }],
    })
  }
  return { ...query }
}
