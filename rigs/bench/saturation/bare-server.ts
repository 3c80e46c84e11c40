// A bare Fastify route that answers given bytes with given headers, in a process of its own: what a HIT of the system data is held against.
import Fastify from 'fastify'

process.once('message', (given: { path: string; headers: Record<string, string>; body: string }) => {
  const body = Buffer.from(given.body, 'base64')
  const app = Fastify({ logger: false })
  app.get(given.path, (_request, reply) => {
    reply.headers(given.headers)
    return reply.send(body)
  })
  void app.listen({ host: '127.0.0.1', port: 0 }).then((url) => process.send!(url))
})
process.once('disconnect', () => process.exit())
