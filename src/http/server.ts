// The HTTP server: routes made from the operations, and a request's way from socket to answer.
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import multipart from '@fastify/multipart'
import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'
import { newId } from '../values/id.ts'
import { addressOf, type TrustedProxies } from './address.ts'
import type { Authenticate } from './authenticate.ts'
import { bearerToken } from './authenticate.ts'
import { bytesOf, header, readRequestBody } from './body.ts'
import { answerBrokenRequest } from './broken-request.ts'
import { chooseEncoding, compress, type Encoding } from './compress.ts'
import type { Charge, ChargeSigned } from './charge.ts'
import type { Observe } from './observe.ts'
import type { Operation } from './operation.ts'
import { classStartOf, type ClassStart, type Shedder } from './shedding.ts'
import { readNetwork, varyOnCaller } from './negotiate.ts'
import type { Readiness } from './readiness.ts'
import { openDownload } from './download.ts'
import { streamEvents } from './stream.ts'
import { withDeadline } from './deadline.ts'
import { currentTurn, turnEnd } from './turn.ts'
import { perform, type Call, type Performed, type Service } from './perform.ts'
import { singleValues } from './query.ts'
import { admitSigned } from './signature.ts'
import { methodNotAllowed } from './routes.ts'
import { toFailure, toProblem } from './refusals.ts'
import { refusalCodes } from '../values/refusal-codes.ts'

export type ServerOptions = {
  operations: readonly Operation[]
  service: Service
  authenticate: Authenticate
  charge: Charge
  chargeSigned: ChargeSigned
  observe: Observe
  shedder: Shedder
  /** How many requests are being answered. */
  answering: { requests: number }
  readiness: Readiness
  /** Told how large an answer was, as it was sent, and whether a cache on the way may keep it. Downloads are not among them. */
  sent: (bytes: number, isPublic: boolean) => void
  log: Logger
  trustedProxies: TrustedProxies
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const

/** Makes the server; the caller listens and closes. */
export async function makeServer(options: ServerOptions): Promise<FastifyInstance> {
  const app = Fastify({
    logger: false,
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: limits.receiveTimeoutMs,
    connectionTimeout: 0,
    keepAliveTimeout: 75_000,
    http: { maxHeaderSize: limits.headerBytesMax, headersTimeout: limits.receiveTimeoutMs, connectionsCheckingInterval: 2_000 },
    forceCloseConnections: 'idle',
    genReqId: (request: IncomingMessage) => requestIdOf(request.headers['x-request-id']),
    requestIdHeader: false,
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => void refuse(options, null, request, reply, error),
    clientErrorHandler: answerBrokenRequest,
    routerOptions: { maxParamLength: 200 },
    // What still comes in on a connection that is about to be closed is answered like any other request.
    return503OnClosing: false,
  } as never) as unknown as FastifyInstance
  app.removeContentTypeParser(['application/json', 'text/plain'])
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.addHook('onRequest', (request, reply, next) => {
    reply.header('x-request-id', request.id)
    reply.header('x-content-type-options', 'nosniff')
    if (options.readiness.leaving) reply.header('connection', 'close')
    next(ambiguousHost(request, reply))
  })
  app.setErrorHandler((error, request, reply) => refuse(options, null, request, reply, error))
  app.setNotFoundHandler((request, reply) => refuse(options, null, request, reply, new Failure('not-found', 'There is no such path.')))

  const paths = Map.groupBy(options.operations, (operation) => operation.path)
  const takesFile = (operation: Operation) => operation.body === 'file'
  // The parser of forms listens to every response of the routes that it knows: it gets those that take files.
  await app.register(async (forms) => {
    await forms.register(multipart, { limits: { fileSize: limits.importBytesMax, files: 1, fields: 10, parts: 11 } })
    for (const operation of options.operations.filter(takesFile)) {
      forms.route({ ...routeOf(options, operation), bodyLimit: limits.importBytesMax + 64 * 1024 })
    }
  })
  for (const [path, operations] of paths) {
    for (const operation of operations) if (!takesFile(operation)) app.route(routeOf(options, operation))
    const allowed = new Set(operations.flatMap((operation) => (operation.method === 'GET' ? ['GET', 'HEAD'] : [operation.method])))
    app.route({
      method: methods.filter((method) => !allowed.has(method)),
      url: urlOf(path),
      handler: (request, reply) => refuse(options, null, request, reply, methodNotAllowed(operations)),
    })
  }
  return app
}

const urlOf = (path: string) => path.replaceAll(/\{(\w+)\}/g, ':$1')

function routeOf(options: ServerOptions, operation: Operation) {
  const classStart = classStartOf(operation)
  return {
    method: operation.method,
    url: urlOf(operation.path),
    bodyLimit: limits.bodyBytesMax,
    handler: (request: FastifyRequest, reply: FastifyReply) => handle(options, operation, classStart, request, reply),
  }
}

async function handle(options: ServerOptions, operation: Operation, classStart: ClassStart, request: FastifyRequest, reply: FastifyReply) {
  const startedMs = performance.now()
  options.answering.requests++
  try {
    options.shedder.pass(classStart)
    const turn = currentTurn()
    const performed = await withDeadline(answer(options, operation, request, reply))
    if (performed.stream) return await streamEvents(request, reply, performed)
    if (turn === currentTurn()) await turnEnd()
    return await send(options, operation, startedMs, request, reply, performed)
  } catch (error) {
    return await refuse(options, operation, request, reply, error, startedMs)
  } finally {
    options.answering.requests--
  }
}

type Caller = Pick<Call, 'principal' | 'signer' | 'authenticateAgain'>

async function answer(options: ServerOptions, operation: Operation, request: FastifyRequest, reply: FastifyReply): Promise<Performed> {
  const address = addressOf(request.raw, options.trustedProxies)
  const nowMs = Date.now()
  const caller = operation.signed
    ? await admitSigner(options, operation, request, reply, address, nowMs)
    : await admitSession(options, request, reply, address)
  const body = await readRequestBody(operation, request)
  return await perform(options.service, operation, {
    ...caller,
    requestId: request.id,
    nowMs,
    address,
    householdHeader: header(request, 'djinn-household'),
    params: request.params as Record<string, string>,
    query: singleValues(request.query as Record<string, unknown>),
    url: request.url,
    body,
    network: readNetwork((name) => header(request, name)),
    headers: {
      ifNoneMatch: header(request, 'if-none-match'),
      ifMatch: header(request, 'if-match'),
      idempotencyKey: header(request, 'idempotency-key'),
      lastEventId: header(request, 'last-event-id'),
    },
  })
}

/** Whose token the request carries, if any, charged to them or to their address. */
async function admitSession(options: ServerOptions, request: FastifyRequest, reply: FastifyReply, address: string): Promise<Caller> {
  const token = bearerToken(request.headers.authorization)
  const principal = token === null ? null : await options.authenticate(token)
  const authenticateAgain = async () => (token === null ? null : await options.authenticate(token, true))
  const charged = options.charge(principal, address)
  // Without Redis it is decided at once, and nothing is waited for.
  reply.headers(charged instanceof Promise ? await charged : charged)
  if (token !== null && principal === null) {
    throw new Failure('unauthenticated', 'The access token is not valid any more; refresh it or sign in again.', { at: 'Authorization:' })
  }
  return { principal, signer: null, authenticateAgain }
}

/** Who signed the bytes, before anything is read from them. */
async function admitSigner(
  options: ServerOptions,
  operation: Operation,
  request: FastifyRequest,
  reply: FastifyReply,
  address: string,
  nowMs: number,
): Promise<Caller> {
  const { signer, headers } = await admitSigned(operation.signed!, options.chargeSigned, {
    params: request.params as Record<string, string>,
    path: request.url.split('?')[0]!,
    address,
    nowMs,
    header: (name) => header(request, name),
    bodyBytes: bytesOf(request),
  })
  reply.headers(headers)
  return { principal: null, signer, authenticateAgain: async () => null }
}

/** What every answer that is not a refusal says of itself. */
function writeHead(options: ServerOptions, operation: Operation, reply: FastifyReply, performed: Performed) {
  reply.code(performed.status)
  // It may have come in before the process was asked to end.
  if (options.readiness.leaving) reply.header('connection', 'close')
  reply.header('cache-control', operation.noStore ? 'no-store' : 'private, no-cache')
  reply.header('vary', varyOnCaller)
  reply.headers(performed.headers)
}

async function send(
  options: ServerOptions,
  operation: Operation,
  startedMs: number,
  request: FastifyRequest,
  reply: FastifyReply,
  performed: Performed,
) {
  const encoding = chooseEncoding(header(request, 'accept-encoding'))
  const observe = () => options.observe(operation, { requestId: request.id, status: performed.status, startedMs })
  if (performed.download) {
    const stream = await openDownload(performed.download, encoding, (error) => {
      observe()
      if (error) options.log.warn({ err: error, requestId: request.id, operation: operation.name }, 'a download broke off')
    })
    writeHead(options, operation, reply, performed)
    if (encoding) reply.header('content-encoding', encoding)
    return reply.send(stream)
  }
  writeHead(options, operation, reply, performed)
  const body = typeof performed.body === 'string' ? Buffer.from(performed.body) : performed.body
  const small = body === null ? null : await compressed(body, encoding, performed.encoded)
  if (small) reply.header('content-encoding', encoding!)
  observe()
  if (body === null) return reply.send()
  const bytes = small ?? body
  options.sent(bytes.length, performed.headers['cache-control']?.startsWith('public') === true)
  return reply.send(bytes)
}

/** The body compressed, or null when it is better sent as it is. */
async function compressed(body: Buffer, encoding: Encoding | null, kept: Performed['encoded']): Promise<Buffer | null> {
  const known = encoding === null ? undefined : kept?.get(encoding)
  if (known) return known
  const made = await compress(body, encoding)
  if (made) kept?.set(encoding!, made)
  return made
}

async function refuse(
  options: ServerOptions,
  operation: Operation | null,
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
  startedMs = performance.now(),
) {
  const failure = toFailure(error)
  const [status] = refusalCodes[failure.code]
  options.observe(operation, { requestId: request.id, status, startedMs, refusal: failure, error })
  reply.code(status)
  reply.headers({
    'x-request-id': request.id,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    vary: varyOnCaller,
    'content-type': 'application/problem+json; charset=utf-8',
  })
  if (options.readiness.leaving) reply.header('connection', 'close')
  if (failure.headers) reply.headers(failure.headers)
  if (failure.retryAfterS !== undefined) reply.header('retry-after', String(failure.retryAfterS))
  if (status === 401) reply.header('www-authenticate', operation?.signed ? 'Djinn-Signature' : 'Bearer')
  return await reply.send(JSON.stringify(toProblem(failure, request.url.split('?')[0]!, request.id)))
}

function requestIdOf(sent: string | string[] | undefined): string {
  return typeof sent === 'string' && /^[A-Za-z0-9._:/+=-]{1,128}$/.test(sent) ? sent : newId()
}

/** Two Host headers, or none that the parser kept apart, are the beginning of a smuggled request. */
function ambiguousHost(request: FastifyRequest, reply: FastifyReply): Failure | undefined {
  const { rawHeaders } = request.raw
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.length === 4 && rawHeaders[index]!.toLowerCase() === 'host') hosts++
  }
  if (hosts <= 1) return undefined
  reply.header('connection', 'close')
  return new Failure('invalid-request', 'There are two Host headers.', { at: 'Host:' })
}
