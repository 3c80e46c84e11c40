// A refusal with a closed code. Anything thrown that is not a Failure is a bug and answers 500.
import type { RefusalCode } from './refusal-codes.ts'

/** One place in the input that is wrong: an RFC 6901 pointer and the code of what is wrong there. */
export type FailurePoint = { pointer: string; code: string; detail?: string }

export type FailureOptions = {
  /** JSON pointer (RFC 6901) into the body, or `?name` for a query parameter, or `name:` for a header. */
  at?: string
  errors?: FailurePoint[]
  retryAfterS?: number
  /** Headers that the answer carries. */
  headers?: Record<string, string>
  /** Extra members of the problem document, for instance the server's copy on a conflict. */
  extra?: Record<string, unknown>
  cause?: unknown
}

export class Failure extends Error {
  readonly code: RefusalCode
  readonly errors: FailurePoint[]
  readonly retryAfterS: number | undefined
  readonly headers: Record<string, string> | undefined
  readonly extra: Record<string, unknown> | undefined

  constructor(code: RefusalCode, detail: string, options: FailureOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Failure'
    this.code = code
    this.errors = options.errors ?? (options.at === undefined ? [] : [{ pointer: options.at, code, detail }])
    this.retryAfterS = options.retryAfterS
    this.headers = options.headers
    this.extra = options.extra
  }
}
