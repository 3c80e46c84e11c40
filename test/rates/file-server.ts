// A web server on this machine that gives out files, redirects, and what else servers do.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type FileServer = {
  url: string
  asked: string[]
  routes: Record<string, (response: ServerResponse) => void>
  close: () => Promise<void>
}

export async function openFileServer(): Promise<FileServer> {
  const asked: string[] = []
  const routes: FileServer['routes'] = {}
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const route = routes[request.url ?? '']
    if (route) route(response)
    else response.writeHead(404).end('nothing here')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    routes,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
