// Turns a schema's complaints into one refusal with a pointer and a code for each place.
import type { z } from 'zod'
import { Failure, type FailurePoint } from '../values/failure.ts'

const codes: Record<string, string> = {
  invalid_type: 'wrong-type',
  unrecognized_keys: 'unknown-field',
  too_small: 'too-small',
  too_big: 'too-large',
  invalid_format: 'malformed',
  not_multiple_of: 'malformed',
  invalid_value: 'not-a-choice',
  invalid_union: 'malformed',
  invalid_key: 'malformed',
  invalid_element: 'malformed',
}

/** Checks a value and answers it parsed; refuses with `invalid-request`. `prefix` is '' for bodies and '?' for queries. */
export function validate<T>(schema: z.ZodType<T>, value: unknown, prefix: '' | '?' | '/path'): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const errors = result.error.issues.flatMap((issue) => points(issue, value, prefix)).slice(0, 20)
  throw new Failure('invalid-request', `${errors[0]!.pointer || 'The body'}: ${errors[0]!.detail}`, { errors })
}

function points(issue: z.core.$ZodIssue, value: unknown, prefix: string): FailurePoint[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      pointer: pointer([...issue.path, key], prefix),
      code: 'unknown-field',
      detail: 'There is no such field.',
    }))
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The branch that came closest says most: the one whose first complaint lies deepest.
    const closest = issue.errors.toSorted((a, b) => (b[0]?.path.length ?? 0) - (a[0]?.path.length ?? 0) || a.length - b.length)[0]!
    return closest.flatMap((inner) => points({ ...inner, path: [...issue.path, ...inner.path] }, value, prefix))
  }
  const missing = (issue.code === 'invalid_type' || issue.code === 'invalid_value') && at(value, issue.path) === undefined
  const custom = issue.code === 'custom' ? ((issue.params as { code?: string } | undefined)?.code ?? 'invalid') : undefined
  return [
    {
      pointer: pointer(issue.path, prefix),
      code: missing ? 'required' : (custom ?? codes[issue.code] ?? 'invalid'),
      detail: missing ? 'is required' : issue.message,
    },
  ]
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, part) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[part], value)
}

function pointer(path: readonly PropertyKey[], prefix: string): string {
  if (prefix === '?') return `?${path.map(String).join('/')}`
  return prefix + path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
