// A server that answers as a test says, and counts.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'

export type Stub = { url: URL; seen: { method: string; path: string }[]; server: Server }

export async function openStub(answer: (request: IncomingMessage, response: ServerResponse, seen: number) => void): Promise<Stub> {
  const seen: Stub['seen'] = []
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      seen.push({ method: request.method!, path: request.url! })
      answer(request, response, seen.length)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), seen, server }
}

export function answerJson(response: ServerResponse, body: unknown, status = 200) {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), etag: '"1"' }).end(text)
}
