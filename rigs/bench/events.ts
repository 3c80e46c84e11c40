// Event streams: the memory that 2,000 open ones take.
import { mkdtempSync, rmSync } from 'node:fs'
import { request, type ClientRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Figure } from './figure.ts'
import { openHousehold } from './household.ts'
import { memoryMb, startService } from './service.ts'

const streams = 2_000
const perUser = 3

export async function measureEvents(): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'djinn-bench-'))
  const service = await startService(dataDir, {
    RATE_LIMIT_AUTHENTICATED: '1000000',
    RATE_LIMIT_ANONYMOUS: '1000000',
    RATE_LIMIT_LOGIN: '1000000',
  })
  const open: ClientRequest[] = []
  try {
    const tokens: string[] = []
    for (let user = 0; user < Math.ceil(streams / perUser); user++) tokens.push(await openUser(service.url, user))
    await openHousehold(service, 10)
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    const before = memoryMb(service.child.pid!).now
    for (let index = 0; index < streams; index++) {
      open.push(await openStream(service.url, tokens[Math.floor(index / perUser)]!))
    }
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    return [{ name: `${streams} open event streams`, value: memoryMb(service.child.pid!).now - before, unit: 'MB', target: 100 }]
  } finally {
    for (const stream of open) stream.destroy()
    await service.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function openUser(url: string, user: number): Promise<string> {
  const answer = await fetch(`${url}/api/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: `stream${user}@example.org`, password: 'turnip lantern gravel' }),
  })
  return ((await answer.json()) as { accessToken: string }).accessToken
}

/** Resolves when the first event is there. */
async function openStream(url: string, token: string): Promise<ClientRequest> {
  return await new Promise((resolve, reject) => {
    const sent = request(`${url}/api/events`, { headers: { authorization: `Bearer ${token}` }, agent: false }, (answer) => {
      answer.once('data', () => resolve(sent))
    })
    sent.on('error', reject)
    sent.end()
  })
}
