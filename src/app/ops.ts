// The operators' port: metrics, health and the console; never reachable through the API port.
import Fastify, { type FastifyInstance } from 'fastify'
import type { Resources } from './resources.ts'
import { consolePage } from './console-page.ts'
import { version } from './api.ts'

/** `apiAddress` is null where this process serves no API. */
export function makeOps(resources: Resources, apiAddress: () => string | null): FastifyInstance {
  const app = Fastify({ logger: false })
  app.get('/metrics', async (_request, reply) => reply.type(resources.metrics.contentType).send(await resources.metrics.text()))
  app.get('/health', async () => ({ status: 'alive', version }))
  app.get('/', async (_request, reply) =>
    reply
      .headers({ 'cache-control': 'no-store', 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'" })
      .type('text/html; charset=utf-8')
      .send(await consolePage(resources, apiAddress(), version)),
  )
  return app
}
