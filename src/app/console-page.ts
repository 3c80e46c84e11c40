// The operators' first look: is it up, since when, how busy.
import type { Resources } from './resources.ts'

export async function consolePage(resources: Resources, apiAddress: string | null, version: string): Promise<string> {
  const pool = resources.database.poolState
  const memory = process.memoryUsage()
  const rows: [string, string][] = [
    ['Version', version],
    ['API', apiAddress ?? 'not served by this process'],
    ['Up for', `${Math.floor(process.uptime())} s`],
    ['Database', resources.notifications.listening ? 'connected' : 'not reachable'],
    ['Pool', `${pool.total - pool.idle} busy, ${pool.idle} idle, ${pool.waiting} waited for`],
    ['Open connections', String(resources.connections.open)],
    ['Memory', `${Math.round(memory.rss / 1e6)} MB`],
  ]
  const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Djinn operator</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
th{text-align:left;padding:.3rem 1rem .3rem 0;font-weight:600}td{padding:.3rem 0}a{color:#0b5394}</style>
<h1>Djinn</h1><table>${rows.map(([name, value]) => `<tr><th scope="row">${name}</th><td>${escape(value)}</td></tr>`).join('')}</table>
<p><a href="/metrics">Metrics</a> for Prometheus.${apiAddress === null ? '' : ` <a href="${escape(apiAddress)}/docs">API documentation</a>.`}</p></html>`
}
