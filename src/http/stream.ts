// An answer that goes on: server-sent events on a connection taken from the server.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { limits } from '../values/limits.ts'
import { varyOnCaller } from './negotiate.ts'
import type { Performed } from './perform.ts'

/** Writes the head and hands the connection over; a client that does not read is cut, since others wait for none. */
export async function streamEvents(request: FastifyRequest, reply: FastifyReply, performed: Performed) {
  const { raw } = reply
  const kept = reply.getHeaders() as Record<string, string>
  reply.hijack()
  raw.writeHead(200, {
    ...kept,
    ...performed.headers,
    'x-request-id': request.id,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    // Proxies that gather answers would hold the pokes back.
    'x-accel-buffering': 'no',
    vary: varyOnCaller,
  })
  raw.socket?.setNoDelay(true)
  raw.socket?.setKeepAlive(true, 30_000)
  let stop: (() => void) | undefined
  let gone = false
  raw.once('close', () => {
    gone = true
    stop?.()
  })
  stop = await performed.stream!({
    write: (text) => {
      if (raw.writableLength > limits.eventUnreadBytesMax) raw.destroy()
      else raw.write(text)
    },
    end: () => raw.end(),
  })
  if (gone) stop()
}
