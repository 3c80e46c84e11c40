// The console behind its door: files of the page for whoever may call, figures and changes for whoever may act.
import { ZodError } from 'zod'
import { networkOf } from '../../http/address.ts'
import { chooseEncoding, compress } from '../../http/compress.ts'
import { SlidingWindows } from '../../http/limit.ts'
import { Failure } from '../../values/failure.ts'
import { decodeUtf8, readJson } from '../../values/json.ts'
import { limits } from '../../values/limits.ts'
import { makeCalls, type Call, type ConsoleParts } from './calls.ts'
import { files, policyOf, readListed } from './files.ts'
import { isAtHome, isFromElsewhere, isOfOwnPage, isOwnHost, type Door, type Visit } from './gate.ts'
import { Operators } from './operators.ts'

export type Request = Visit & { method: string; url: string; port: number; body: Uint8Array | null }
export type Answer = { status: number; headers: Record<string, string>; body: Buffer | string }
type Refusal = { status: number; code: string; detail: string; headers?: Record<string, string> }

/** Of nobody in particular, where nobody signs in. */
const atHomeName = 'loopback'
const guard = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}
const closed = "default-src 'none'; frame-ancestors 'none'"

const foreignHost: Refusal = {
  ...{ status: 421, code: 'foreign-host' },
  detail: 'The console answers to addresses, to localhost and to the name of OPS_URL.',
}
const fromElsewhere: Refusal = { status: 403, code: 'cross-origin', detail: 'This call is not of the console’s own page.' }
const noPassword: Refusal = {
  ...{ status: 403, code: 'no-sign-in' },
  detail: 'From elsewhere than this machine the console asks for a password, and none is set: set OPS_PASSWORD.',
}
const notFound: Refusal = { status: 404, code: 'not-found', detail: 'There is no such path.' }

export class Console {
  readonly #door: Door
  readonly #parts: ConsoleParts
  readonly #operators: Operators
  readonly #calls: Call[]
  readonly #tries = new SlidingWindows(limits.loginWindowMs)

  constructor(door: Door, parts: ConsoleParts) {
    this.#door = door
    this.#parts = parts
    this.#operators = new Operators(door.password)
    this.#calls = makeCalls(parts)
  }

  async answer(request: Request): Promise<Answer> {
    try {
      if (!isOwnHost(request.host, this.#door.url)) return refuse(foreignHost)
      const { pathname, searchParams } = new URL(request.url, 'http://console')
      const listed = files.get(pathname)
      if (listed) return await this.#file(request, listed)
      // A page of another origin may neither read nor cause anything; whoever sends no such header is no browser.
      if (isFromElsewhere(request)) return refuse(fromElsewhere)
      if (pathname === '/console/session') return this.#session(request)
      const call = this.#calls.find((one) => one.path === pathname && one.method === request.method)
      if (!call) {
        const other = this.#calls.some((one) => one.path === pathname)
        return refuse(other ? { ...notFound, status: 405, code: 'method-not-allowed', detail: 'This path has another method.' } : notFound)
      }
      const visitor = this.#visitor(request)
      const operator = this.#operator(request)
      if (operator === null) return refuse(this.#operators.canSignIn ? signInFirst : noPassword)
      if (call.method !== 'GET') {
        const refusal = this.#refusalOfChange(request, visitor)
        if (refusal) return refuse(refusal)
      }
      const body = call.method === 'GET' ? null : readBody(request)
      return await this.#data(request, await call.run({ query: searchParams, body, operator }))
    } catch (error) {
      return this.#failed(error)
    }
  }

  async #file(request: Request, listed: Parameters<typeof readListed>[0]): Promise<Answer> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse({ ...notFound, status: 405, code: 'method-not-allowed' })
    const { bytes, contentType, tag } = await readListed(listed)
    const headers = {
      'content-type': contentType,
      etag: tag,
      'cache-control': 'no-cache',
      vary: 'Accept-Encoding',
      'content-security-policy': contentType.startsWith('text/html') ? policyOf(bytes.toString()) : closed,
    }
    if (request.header('if-none-match') === tag) return { status: 304, headers: { ...guard, ...headers }, body: '' }
    return await this.#packed(request, headers, bytes)
  }

  async #data(request: Request, data: unknown): Promise<Answer> {
    return await this.#packed(request, jsonHeaders, Buffer.from(JSON.stringify(data)))
  }

  async #packed(request: Request, headers: Record<string, string>, bytes: Buffer): Promise<Answer> {
    const encoding = chooseEncoding(request.header('accept-encoding'))
    const small = await compress(bytes, encoding)
    return {
      status: 200,
      headers: { ...guard, ...headers, ...(small ? { 'content-encoding': encoding! } : {}) },
      body: small ?? bytes,
    }
  }

  #session(request: Request): Answer {
    const visitor = this.#visitor(request)
    if (request.method === 'GET') {
      const cookie = visitor ?? this.#operators.newVisitor()
      return this.#told(request, cookie, this.#operator(request), visitor === undefined)
    }
    if (request.method !== 'POST' && request.method !== 'DELETE') return refuse({ ...notFound, status: 405, code: 'method-not-allowed' })
    const refusal = this.#refusalOfChange(request, visitor)
    if (refusal) return refuse(refusal)
    if (request.method === 'DELETE') {
      this.#operators.end(visitor!)
      return this.#told(request, this.#operators.newVisitor(), isAtHome(request, this.#door) ? atHomeName : null, true)
    }
    return this.#signIn(request, visitor!)
  }

  #signIn(request: Request, visitor: string): Answer {
    const { name, password } = readSignIn(request)
    const atHome = isAtHome(request, this.#door)
    if (!atHome) {
      if (!this.#operators.canSignIn) return refuse(noPassword)
      const network = networkOf(request.peer ?? '')
      const verdicts = [this.#tries.take(network, 1, limits.consoleTriesMax), this.#tries.take('all', 1, limits.consoleTriesOfAllMax)]
      const waitS = Math.max(...verdicts.map((verdict) => verdict.retryAfterS))
      if (waitS > 0) {
        return refuse({
          ...{ status: 429, code: 'too-many-tries', headers: { 'retry-after': String(waitS) } },
          detail: `There were too many tries; the next one is heard in ${Math.ceil(waitS / 60)} min.`,
        })
      }
      if (!this.#operators.isPassword(password)) {
        this.#parts.log.warn({ operator: name, network }, 'a sign-in to the console was refused')
        return refuse({ status: 401, code: 'wrong-password', detail: 'The password is another one.' })
      }
      this.#parts.log.info({ operator: name, network }, 'an operator signed in to the console')
    }
    return this.#told(request, this.#operators.open(name, !atHome, visitor), name, true)
  }

  /** Who is there, and the token that this cookie's changes carry. */
  #told(request: Request, cookie: string, operator: string | null, fresh: boolean): Answer {
    const secure = this.#door.url?.protocol === 'https:' && request.host?.toLowerCase() === this.#door.url.host
    const attributes = `Path=/console; HttpOnly; SameSite=Strict; Max-Age=${limits.consoleSessionMs / 1_000}${secure ? '; Secure' : ''}`
    return {
      status: 200,
      headers: { ...guard, ...jsonHeaders, ...(fresh ? { 'set-cookie': `${cookieName(request)}=${cookie}; ${attributes}` } : {}) },
      body: JSON.stringify({
        operator,
        token: this.#operators.tokenOf(cookie),
        atHome: isAtHome(request, this.#door),
        canSignIn: this.#operators.canSignIn,
      }),
    }
  }

  #visitor(request: Request): string | undefined {
    const found = request
      .header('cookie')
      ?.split(';')
      .map((pair) => pair.trim().split('='))
      .filter(([name]) => name === cookieName(request))
    // Two of one name: one of them was put there by somebody else.
    const value = found?.length === 1 ? found[0]![1] : undefined
    return this.#operators.isVisitor(value) ? value : undefined
  }

  #operator(request: Request): string | null {
    const atHome = isAtHome(request, this.#door)
    return this.#operators.find(this.#visitor(request), atHome) ?? (atHome ? atHomeName : null)
  }

  #refusalOfChange(request: Request, visitor: string | undefined): Refusal | null {
    if (!isOfOwnPage(request, this.#door)) return fromElsewhere
    if (visitor === undefined || !this.#operators.isToken(visitor, request.header('djinn-console-token'))) {
      return { status: 403, code: 'missing-token', detail: 'The call carries no token of this session; load the page again.' }
    }
    if (request.method === 'POST' && !/^application\/json\b/i.test(request.header('content-type') ?? '')) {
      return { status: 415, code: 'unsupported-media-type', detail: 'A change is sent as application/json.' }
    }
    return null
  }

  #failed(error: unknown): Answer {
    if (error instanceof ZodError || (error instanceof Failure && error.code.startsWith('invalid'))) {
      const detail =
        error instanceof ZodError ? error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') : error.message
      return refuse({ status: 400, code: 'invalid-request', detail })
    }
    if (error instanceof Failure) return refuse({ status: error.code === 'not-found' ? 404 : 503, code: error.code, detail: error.message })
    this.#parts.log.error({ err: error }, 'a call of the console failed')
    return refuse({ status: 503, code: 'unavailable', detail: 'That could not be had now; the log says why. Is the database reachable?' })
  }
}

const jsonHeaders = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'content-security-policy': closed }
const signInFirst: Refusal = { status: 401, code: 'sign-in', detail: 'Sign in first.' }

function refuse({ status, code, detail, headers = {} }: Refusal): Answer {
  return { status, headers: { ...guard, ...jsonHeaders, ...headers }, body: JSON.stringify({ status, code, detail }) }
}

/** Cookies are of a host whatever its port: two consoles on one machine must not take each other's. */
function cookieName({ port }: Request): string {
  return `djinn_console_${port}`
}

function readBody({ body }: Request): unknown {
  return readJson(decodeUtf8(body ?? new Uint8Array()))
}

/** The name goes into the log and the audit trail: short, and without control characters. */
function readSignIn(request: Request): { name: string; password: string } {
  const { name, password = '' } = (readBody(request) ?? {}) as { name?: unknown; password?: unknown }
  if (typeof name !== 'string' || typeof password !== 'string' || password.length > 1_000) {
    throw new Failure('invalid-request', 'A sign-in has a name and a password.')
  }
  const plain = name.normalize('NFC').trim()
  if (plain === '' || plain.length > limits.consoleNameLengthMax || /\p{C}/u.test(plain)) {
    throw new Failure('invalid-request', `A name has 1 to ${limits.consoleNameLengthMax} characters.`)
  }
  return { name: plain, password }
}
