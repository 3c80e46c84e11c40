// Requests at saturation: some connections, each with the next request as soon as the answer is there; cheap enough not to be the limit.
import { connect } from 'node:net'

export type Saturated = { perSecond: number; statuses: Record<string, number> }

/** Sends one request over and over for a while; the first fifth warms up and does not count. */
export async function saturate(
  url: string,
  path: string,
  headers: Record<string, string>,
  { connections = 32, durationMs = 3_000 } = {},
): Promise<Saturated> {
  const { hostname, port } = new URL(url)
  const request = [
    `GET ${path} HTTP/1.1`,
    `host: ${hostname}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    '',
  ].join('\r\n')
  const startMs = performance.now()
  const countFromMs = startMs + durationMs / 5
  const endMs = startMs + durationMs
  let counted = 0
  const statuses: Record<string, number> = {}
  await Promise.all(
    Array.from({ length: connections }, async () => {
      await new Promise<void>((resolve, reject) => {
        const socket = connect(Number(port), hostname)
        socket.setNoDelay(true)
        let received: Buffer = Buffer.alloc(0)
        socket.on('error', reject)
        socket.on('close', () => resolve())
        socket.on('connect', () => socket.write(request))
        socket.on('data', (chunk: Buffer) => {
          received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
          const headEnd = received.indexOf('\r\n\r\n')
          if (headEnd === -1) return
          const head = received.toString('latin1', 0, headEnd)
          const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
          if (received.length < headEnd + 4 + length) return
          received = received.subarray(headEnd + 4 + length)
          const now = performance.now()
          const status = head.slice(9, 12)
          if (now >= countFromMs) {
            counted++
            statuses[status] = (statuses[status] ?? 0) + 1
          }
          if (now >= endMs) socket.end()
          else socket.write(request)
        })
      })
    }),
  )
  return { perSecond: (counted * 1000) / (endMs - countFromMs), statuses }
}
