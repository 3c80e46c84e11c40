// Calls of the API, typed by the operation's name: tokens kept fresh, refusals as errors with their code.
import { routes, type Operations } from './operations.ts'

/** A lost answer to a refresh may be asked for again within 10 s: two tries fit into that. */
const refreshTimeoutMs = 4_000
const refreshTries = 2

export type OperationName = keyof Operations
export type Tokens = { accessToken: string; refreshToken: string }

export type CallOptions<N extends OperationName> = {
  params?: Operations[N]['params']
  query?: Operations[N]['query']
  body?: Operations[N]['body']
  headers?: Record<string, string>
}

export type Answered<T> = { status: number; headers: Headers; body: T }

/** A refusal of the server (RFC 9457): act on `code`, show `message`, quote `requestId`. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly requestId: string
  readonly retryAfterMs: number | null
  readonly problem: Record<string, unknown>

  constructor(status: number, problem: Record<string, unknown>, retryAfter: string | null) {
    super(String(problem['detail'] ?? problem['title'] ?? `The server answered ${status}.`))
    this.name = 'ApiError'
    this.status = status
    this.code = String(problem['code'] ?? 'unknown')
    this.requestId = String(problem['requestId'] ?? '')
    this.retryAfterMs = retryAfter === null || !/^\d+$/.test(retryAfter) ? null : Number(retryAfter) * 1000
    this.problem = problem
  }
}

/** No answer came: the request may or may not have been carried out. */
export class OfflineError extends Error {
  constructor(cause: unknown) {
    super('The server cannot be reached.', { cause })
    this.name = 'OfflineError'
  }
}

export type ApiOptions = {
  /** Where the server is: `https://api.example.org`. */
  url: string
  tokens?: Tokens | null
  /** Called with each new pair, null when the session has ended: keep them before anything else. */
  onTokens?: (tokens: Tokens | null) => void | Promise<void>
  /** In place of the global one. */
  fetch?: typeof fetch
  timeoutMs?: number
}

export class Api {
  readonly #url: string
  readonly #fetch: typeof fetch
  readonly #onTokens: (tokens: Tokens | null) => void | Promise<void>
  readonly #timeoutMs: number
  #tokens: Tokens | null
  #refreshing: Promise<void> | undefined

  constructor(options: ApiOptions) {
    this.#url = options.url.replace(/\/$/, '')
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis)
    this.#onTokens = options.onTokens ?? (() => {})
    this.#timeoutMs = options.timeoutMs ?? 35_000
    this.#tokens = options.tokens ?? null
  }

  get signedIn(): boolean {
    return this.#tokens !== null
  }

  /** Calls an operation; throws ApiError for a refusal and OfflineError when no answer came. */
  async call<N extends OperationName>(name: N, options: CallOptions<N> = {}): Promise<Answered<Operations[N]['answer']>> {
    const answer = await this.send(name, options)
    const text = await readText(answer)
    // A proxy in between may refuse in its own words.
    const json = /json/.test(answer.headers.get('content-type') ?? '')
    const body = json && text !== '' ? (JSON.parse(text) as unknown) : undefined
    if (answer.status >= 400) throw new ApiError(answer.status, (body ?? {}) as Record<string, unknown>, answer.headers.get('retry-after'))
    if (/^auth\.(login|register|refresh|confirm)$/.test(name)) await this.#keepTokens(body)
    return { status: answer.status, headers: answer.headers, body: body as Operations[N]['answer'] }
  }

  /** The same with the answer unread; a 401 is tried once more with a fresh token. */
  async send<N extends OperationName>(name: N, options: CallOptions<N> = {}, signal?: AbortSignal): Promise<Response> {
    const used = this.#tokens?.accessToken
    const answer = await this.#request(name, options, signal)
    // A wrong password is 401 too; only a token that ended is worth another one.
    if (answer.status !== 401 || used === undefined || (await codeOf(answer)) !== 'unauthenticated') return answer
    if (this.#tokens?.accessToken === used) await this.refresh()
    return await this.#request(name, options, signal)
  }

  /** Exchanges the refresh token; calls at the same time share one exchange. */
  async refresh(): Promise<void> {
    this.#refreshing ??= this.#refreshOnce().finally(() => (this.#refreshing = undefined))
    await this.#refreshing
  }

  async #refreshOnce() {
    const { refreshToken } = this.#tokens ?? {}
    if (refreshToken === undefined) return
    for (let tries = 1; ; tries++) {
      try {
        await this.call('auth.refresh', { body: { refreshToken } })
        return
      } catch (error) {
        // Only the server's word ends a session; an answer that was lost is asked for again with the same token.
        if (error instanceof ApiError && error.status === 401) await this.forgetTokens()
        if (!(error instanceof OfflineError) || tries === refreshTries) throw error
      }
    }
  }

  async forgetTokens() {
    this.#tokens = null
    await this.#onTokens(null)
  }

  async #keepTokens(body: unknown) {
    const { accessToken, refreshToken } = (body ?? {}) as Partial<Tokens>
    if (accessToken === undefined || refreshToken === undefined) return
    this.#tokens = { accessToken, refreshToken }
    await this.#onTokens(this.#tokens)
  }

  async #request<N extends OperationName>(name: N, options: CallOptions<N>, signal?: AbortSignal): Promise<Response> {
    const [method, path] = routes[name]
    const { params = {}, query = {}, body, headers = {} } = options as { params?: object; query?: object; body?: unknown; headers?: object }
    const url = new URL(
      this.#url + path.replaceAll(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(String((params as Record<string, unknown>)[key]))),
    )
    for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, String(value))
    const binary = body instanceof Uint8Array || body instanceof Blob
    try {
      return await this.#fetch(url, {
        method,
        signal: signal ?? AbortSignal.timeout(name === 'auth.refresh' ? Math.min(refreshTimeoutMs, this.#timeoutMs) : this.#timeoutMs),
        headers: {
          ...(this.#tokens && !/^auth\.(login|register|refresh)$/.test(name)
            ? { authorization: `Bearer ${this.#tokens.accessToken}` }
            : {}),
          ...(body === undefined ? {} : { 'content-type': binary ? 'application/octet-stream' : 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: binary ? (body as BodyInit) : JSON.stringify(body) }),
      })
    } catch (error) {
      throw new OfflineError(error)
    }
  }
}

async function readText(answer: Response): Promise<string> {
  try {
    return await answer.text()
  } catch (error) {
    throw new OfflineError(error)
  }
}

/** The code of a refusal, read from a copy: the answer itself is still the caller's to read. */
async function codeOf(answer: Response): Promise<unknown> {
  const problem = (await answer
    .clone()
    .json()
    .catch(() => null)) as { code?: unknown } | null
  return problem?.code
}
