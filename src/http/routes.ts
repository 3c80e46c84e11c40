// Finds the operation of a method and a path, for calls that do not come through the server's router.
import { Failure } from '../values/failure.ts'
import type { Operation } from './operation.ts'
import { singleValues } from './query.ts'

export type Route = { operation: Operation; params: Record<string, string>; query: Record<string, unknown> }
export type FindRoute = (method: string, url: string) => Route

/** The refusal of a method that none of the operations of a path takes. */
export function methodNotAllowed(operations: readonly Operation[]): Failure {
  const allowed = operations.flatMap((operation) => (operation.method === 'GET' ? ['GET', 'HEAD'] : [operation.method])).join(', ')
  return new Failure('method-not-allowed', `${operations[0]!.path} takes ${allowed}.`, { headers: { allow: allowed } })
}

/** Makes the finder; it throws `not-found` and `method-not-allowed` as the server does. */
export function makeFindRoute(operations: readonly Operation[]): FindRoute {
  const candidates = operations.map((operation) => ({ operation, segments: operation.path.split('/') }))
  return (method, url) => {
    // Only the first question mark divides: those behind it are part of a value.
    const [, path = '', search = ''] = /^([^?]*)(.*)$/s.exec(url)!
    const segments = path.split('/').map(decode)
    const fitting = candidates.filter(
      (candidate) =>
        candidate.segments.length === segments.length &&
        candidate.segments.every((segment, index) => segment.startsWith('{') || segment === segments[index]),
    )
    // A path in plain words goes before one with a parameter in its place.
    const exact = fitting.filter((candidate) => !candidate.operation.path.includes('{'))
    const possible = exact.length > 0 ? exact : fitting
    if (possible.length === 0) throw new Failure('not-found', 'There is no such path.')
    const chosen = possible.find((candidate) => candidate.operation.method === method)
    if (!chosen) throw methodNotAllowed(possible.map((candidate) => candidate.operation))
    const params: Record<string, string> = {}
    chosen.segments.forEach((segment, index) => {
      if (segment.startsWith('{')) params[segment.slice(1, -1)] = segments[index]!
    })
    return { operation: chosen.operation, params, query: singleValues(parseQuery(search)) }
  }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new Failure('not-found', 'There is no such path.')
  }
}

/** The parameters of a query string; a repeated one becomes a list, as the server's parser makes it. */
function parseQuery(search: string): Record<string, unknown> {
  const byName = Map.groupBy(new URLSearchParams(search), ([name]) => name)
  return Object.fromEntries([...byName].map(([name, pairs]) => [name, pairs.length === 1 ? pairs[0]![1] : pairs.map(([, value]) => value)]))
}
