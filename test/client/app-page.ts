// A web app that is nothing but the client: its page, its modules with their types stripped, and the API on one origin.
import { readFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { stripTypeScriptTypes } from 'node:module'
import type { Api, DjinnClient, Entry } from '../../src/client/index.ts'

/** What the page puts into `globalThis.app`. */
export type App = { api: Api; client: DjinnClient; rejected: Entry[]; changes: number }

const page = `<!doctype html><meta charset="utf-8"><title>Djinn</title>
<script type="importmap">{"imports":{"uuidv7":"/uuidv7.js"}}</script>
<script type="module">
  import { Api, DjinnClient, openIndexedDb } from '/src/client/index.ts'
  const app = { rejected: [], changes: 0 }
  const tokens = JSON.parse(localStorage.getItem('tokens') ?? 'null')
  app.api = new Api({ url: location.origin, tokens, onTokens: (pair) => localStorage.setItem('tokens', JSON.stringify(pair)) })
  const storage = await openIndexedDb('djinn')
  const onRejected = (entry) => app.rejected.push(entry)
  app.client = await DjinnClient.open({ api: app.api, storage, onRejected, onChange: () => app.changes++ })
  globalThis.app = app
</script>`

/** A file of the app, as its service worker would keep it; null when it is none. */
export function appFile(path: string): { contentType: string; body: string } | null {
  if (path === '/') return { contentType: 'text/html; charset=utf-8', body: page }
  if (path === '/favicon.ico') return { contentType: 'image/x-icon', body: '' }
  const contentType = 'text/javascript; charset=utf-8'
  if (path === '/uuidv7.js') return { contentType, body: readFileSync(new URL(import.meta.resolve('uuidv7')), 'utf8') }
  if (!/^\/src\/client\/[a-z-]+\.ts$/.test(path)) return null
  return { contentType, body: stripTypeScriptTypes(readFileSync(new URL(`../..${path}`, import.meta.url), 'utf8')) }
}

/** Serves the app, and passes on what is for the API. */
export async function serveApp(apiUrl: string): Promise<{ url: string; server: Server }> {
  const server = createServer((incoming, outgoing) => {
    const file = appFile(incoming.url!)
    if (file) {
      outgoing.writeHead(200, { 'content-type': file.contentType }).end(file.body)
      return
    }
    const { method, headers } = incoming
    const passed = request(new URL(incoming.url!, apiUrl), { method, headers: { ...headers, host: new URL(apiUrl).host } }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(outgoing)
    })
    passed.on('error', () => outgoing.destroy())
    outgoing.on('close', () => passed.destroy())
    incoming.pipe(passed)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}
