// The API on its port: operations, health, the OpenAPI document and the readable docs.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { makeCharge, makeChargeSigned } from '../http/charge.ts'
import { chooseEncoding, compress } from '../http/compress.ts'
import { docsPage } from '../http/docs-page.ts'
import { SlidingWindows } from '../http/limit.ts'
import { makeObserve } from '../http/observe.ts'
import type { Operation } from '../http/operation.ts'
import { openApiDocument } from '../http/openapi.ts'
import type { Service } from '../http/perform.ts'
import { Cursors } from '../http/page.ts'
import { Readiness } from '../http/readiness.ts'
import { makeServer } from '../http/server.ts'
import { SharedWindows, type Windows } from '../http/shared-limit.ts'
import { classStartOf, Shedder } from '../http/shedding.ts'
import { makeAuthenticate } from '../features/identity/sessions.ts'
import { SharedSessions } from '../features/identity/shared-sessions.ts'
import { statement } from '../resources/statement.ts'
import { makeLook } from '../resources/strain.ts'
import { limits } from '../values/limits.ts'
import { makeFeatures } from './features.ts'
import type { Resources } from './resources.ts'
import { version } from './version.ts'

const idleLookMs = 50
const isReady = statement('health.ready', {}, { ready: 'bool' }, 'select true as ready from installation')

export type Api = {
  app: FastifyInstance
  shedder: Shedder
  operations: readonly Operation[]
  readiness: Readiness
  /** Ends once what is being answered has been; `cut` ends that too. */
  close: (cut?: AbortSignal) => Promise<void>
}

export async function makeApi(resources: Resources): Promise<Api> {
  const { config, database, installation, metrics, log } = resources
  const service: Service = {
    database,
    replicas: resources.replicas,
    cursors: new Cursors(installation.cursorSecret),
    lineage: `${version} ${installation.epoch}`,
    gate: resources.flags,
    onCall: ({ name, tag, method }, { principal, signer }) => {
      // A batch is neither: its steps come by themselves.
      const effect = name === 'batch' ? null : method === 'GET' ? 'read' : 'write'
      metrics.called(tag, principal ? 'user' : signer ? 'feed' : 'anonymous', effect)
      if (principal) resources.watch.seen(principal.userId)
    },
  }
  const { redis } = resources
  await redis?.open()
  const windows = (windowMs: number): Windows =>
    redis === null
      ? new SlidingWindows(windowMs)
      : new SharedWindows({ redis, secret: installation.cursorSecret, fellBack: () => resources.redisFigures.fellBack(), windowMs })
  const { charge, chargeSteps } = makeCharge(config.rate, windows(limits.rateWindowMs))
  const sharedSessions =
    redis === null ? null : new SharedSessions({ redis, vault: resources.vault, notifications: resources.notifications })
  const authenticate = makeAuthenticate(database, resources.notifications, (hit) => metrics.cacheRead('session', hit), sharedSessions)
  const answering = { requests: 0 }
  const readiness = new Readiness()
  const shedder = new Shedder({
    on: config.shedding,
    look: makeLook(
      () => database.poolState,
      () => answering.requests,
    ),
    log,
  })
  metrics.add(...shedder.instruments)
  const features = await makeFeatures(resources, {
    service,
    windows,
    chargeSteps,
    shed: (operation) => shedder.pass(classStartOf(operation)),
  })
  resources.streams.open = features.streamsOpen
  resources.serving.api = true
  const app = await makeServer({
    operations: features.operations,
    service,
    authenticate,
    charge,
    chargeSigned: makeChargeSigned(config.rate, charge, windows(limits.rateWindowMs)),
    observe: makeObserve(metrics, log),
    shedder,
    answering,
    readiness,
    sent: (bytes, isPublic) => metrics.answered(bytes, isPublic),
    log,
    trustedProxies: config.trustedProxies,
  })
  app.server.on('connection', (socket) => {
    resources.connections.open++
    socket.once('close', () => resources.connections.open--)
  })
  app.addHook('preClose', async () => {
    readiness.leaving = true
    features.endStreams()
  })
  const noStore = { 'cache-control': 'no-store' }
  app.get('/health', async (_request, reply) => reply.headers(noStore).send({ status: 'alive', version }))
  app.get('/health/ready', async (_request, reply) => {
    readiness.asked()
    const ready =
      !readiness.leaving &&
      (await database
        .reader({})
        .run(isReady, {})
        .then(
          () => true,
          () => false,
        ))
    return reply
      .code(ready ? 200 : 503)
      .headers(ready ? noStore : { ...noStore, 'retry-after': '1' })
      .send({ status: ready ? 'ready' : 'not ready' })
  })
  const sendPublic = async (request: FastifyRequest, reply: FastifyReply, bytes: Buffer, mediaType: string) => {
    const encoding = chooseEncoding(request.headers['accept-encoding'])
    const small = await compress(bytes, encoding)
    if (small) reply.header('content-encoding', encoding!)
    metrics.answered((small ?? bytes).length, true)
    return reply
      .headers({ 'cache-control': 'public, max-age=300', vary: 'Accept-Encoding', 'content-type': mediaType })
      .send(small ?? bytes)
  }
  let made: { document: Buffer; page: Buffer } | undefined
  // Made for the first reader: a tenth of what starting takes, for what few processes are ever asked for.
  const documented = () => {
    if (!made) {
      const document = openApiDocument(features.operations, version)
      made = { document: Buffer.from(JSON.stringify(document)), page: Buffer.from(docsPage(document)) }
    }
    return made
  }
  app.get('/api/openapi.json', (request, reply) => sendPublic(request, reply, documented().document, 'application/json; charset=utf-8'))
  app.get('/docs', (request, reply) => {
    reply.header(
      'content-security-policy',
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    return sendPublic(request, reply, documented().page, 'text/html; charset=utf-8')
  })
  shedder.start()
  return {
    app,
    shedder,
    operations: features.operations,
    readiness,
    close: async (cut) => {
      shedder.close()
      // One that was answered before the process was asked to end would stay open for as long as its client likes.
      const idle = setInterval(() => app.server.closeIdleConnections(), idleLookMs)
      const cutAll = () => app.server.closeAllConnections()
      cut?.addEventListener('abort', cutAll)
      if (cut?.aborted) cutAll()
      await app.close().finally(() => clearInterval(idle))
      await features.close()
    },
  }
}
