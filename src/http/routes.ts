// Finds the operation of a method and a path, for calls that do not come through the server's router.
import { Failure } from '../values/failure.ts'
import type { Operation } from './operation.ts'
import { singleValues } from './query.ts'

export type Route = { operation: Operation; params: Record<string, string>; query: Record<string, unknown> }
export type FindRoute = (method: string, url: string) => Route

/** Makes the finder; it throws `not-found` and `method-not-allowed` as the server does. */
export function makeFindRoute(operations: readonly Operation[]): FindRoute {
  const candidates = operations.map((operation) => ({ operation, segments: operation.path.split('/') }))
  return (method, url) => {
    const [path = '', search = ''] = url.split('?', 2)
    const segments = path.split('/')
    const fitting = candidates.filter(
      (candidate) =>
        candidate.segments.length === segments.length &&
        candidate.segments.every((segment, index) => (segment.startsWith('{') ? segments[index] !== '' : segment === segments[index])),
    )
    // A path in plain words goes before one with a parameter in its place.
    const exact = fitting.filter((candidate) => !candidate.operation.path.includes('{'))
    const chosen = (exact.length > 0 ? exact : fitting).find((candidate) => candidate.operation.method === method)
    if (!chosen) {
      if (fitting.length === 0) throw new Failure('not-found', 'There is no such path.')
      throw new Failure('method-not-allowed', `${path} takes ${fitting.map((one) => one.operation.method).join(', ')}.`)
    }
    const params: Record<string, string> = {}
    chosen.segments.forEach((segment, index) => {
      if (segment.startsWith('{')) params[segment.slice(1, -1)] = decode(segments[index]!)
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
