// Sync: how cheap it is to learn that nothing is new, and how long a whole snapshot takes.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, type Figure } from './figure.ts'
import { openHousehold } from './household.ts'
import { inTurn, requestText, saturate } from './saturate.ts'
import { startService } from './service.ts'

const rows = 10_000
const rounds = 3

export async function measureSync(): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'djinn-bench-'))
  const service = await startService(dataDir, { RATE_LIMIT_AUTHENTICATED: '1000000' })
  try {
    const { token, call } = await openHousehold(service, rows)
    const authorization = `Bearer ${token}`
    const snapshots: number[] = []
    let cursor = ''
    for (let round = 0; round < rounds; round++) {
      const startedMs = performance.now()
      let page = await call('GET', '/api/sync')
      while (page['hasMore'] === true) page = await call('GET', `/api/sync?cursor=${String(page['nextCursor'])}`)
      snapshots.push(performance.now() - startedMs)
      cursor = String(page['nextCursor'])
    }
    const path = `/api/sync?cursor=${cursor}`
    const { headers } = await fetch(service.url + path, { headers: { authorization } })
    const etag = headers.get('etag')!
    const lists: number[] = []
    const idles: number[] = []
    const ratios: number[] = []
    for (let round = 0; round < rounds; round++) {
      const request = (of: string, more: Record<string, string>) =>
        inTurn([requestText(service.url, 'GET', of, { authorization, ...more })])
      const list = await saturate(service.url, { next: request('/api/transactions?limit=20', {}), status: 200 })
      const idle = await saturate(service.url, { next: request(path, { 'if-none-match': etag }), status: 304 })
      lists.push(list.perSecond)
      idles.push(idle.perSecond)
      ratios.push(idle.perSecond / list.perSecond)
    }
    return [
      { name: `snapshot of ${rows} transactions in all pages`, value: median(snapshots), unit: 'ms', target: 1_000 },
      { name: 'lists of 20 transactions', value: median(lists), unit: 'per second' },
      { name: 'syncs with nothing new (304)', value: median(idles), unit: 'per second' },
      { name: 'syncs with nothing new, times the lists', value: median(ratios), unit: 'times', atLeast: 2 },
    ]
  } finally {
    await service.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
