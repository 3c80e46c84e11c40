// The operators' port: metrics, health and the console; never reachable through the API port.
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { availableParallelism } from 'node:os'
import type { Console, Request as ConsoleRequest } from '../features/console/console.ts'
import { History, type Sources } from '../features/console/history.ts'
import { Recent } from '../features/console/recent.ts'
import { limits } from '../values/limits.ts'
import type { Resources } from './resources.ts'
import { version } from './version.ts'

/** `apiAddress` is null where this process serves no API. */
export function makeOps(resources: Resources, apiAddress: () => string | null): FastifyInstance {
  const { metrics } = resources
  const app = Fastify({ logger: false, bodyLimit: limits.consoleBodyBytesMax })
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()))
  app.get('/health', async () => ({ status: 'alive', version }))
  app.get('/', async (_request, reply) => reply.redirect('/console/'))
  app.get('/console', async (_request, reply) => reply.redirect('/console/'))

  const history = new History(sourcesOf(resources))
  const recent = new Recent(() => metrics.counted)
  app.addHook('onReady', async () => {
    history.start()
    recent.start()
  })
  app.addHook('onClose', async () => {
    history.stop()
    recent.stop()
  })
  // Most processes are never looked at: what is only for the console is loaded by its first visitor.
  let opened: Promise<Console> | undefined
  const open = async () => (await import('./console.ts')).openConsole(resources, { version, apiAddress, history, recent })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.all('/console/*', async (request, reply) => {
    opened ??= open()
    const { status, headers, body } = await (await opened).answer(asked(request))
    return reply.code(status).headers(headers).send(body)
  })
  return app
}

function sourcesOf({ metrics, database, connections, streams, watch }: Resources): Sources {
  return {
    counted: () => metrics.counted,
    pool: () => database.poolState,
    connections: () => connections.open,
    streams: () => streams.open(),
    cpus: availableParallelism(),
    machine: () => ({ cpu: watch.machine?.cpu ?? null, memory: watch.machine?.memory ?? null }),
    service: () => {
      const found = watch.latest
      if (found === null) return null
      const { connections: open, blocksHit, blocksRead } = found.database
      return { atMs: found.atMs, connections: open, blocksHit, blocksRead, cpuSeconds: found.databaseCpuSeconds }
    },
  }
}

/** A request as the console judges it: by its socket, and by headers that come once. */
function asked({ raw, method, url, body }: FastifyRequest): ConsoleRequest {
  const header = (name: string) => {
    const values = raw.headersDistinct[name]
    return values?.length === 1 ? values[0] : undefined
  }
  return {
    ...{ method, url, header, host: header('host') },
    peer: raw.socket.remoteAddress,
    port: raw.socket.localPort ?? 0,
    body: body instanceof Uint8Array ? body : null,
  }
}
