// Waits for the database that a request costs, counted where the statements are sent.
import { makeApi } from '../../src/app/api.ts'
import { openResources } from '../../src/app/resources.ts'
import { readConfig } from '../../src/resources/config.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Figure } from './figure.ts'

export async function measureRoundTrips(): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'djinn-bench-'))
  let roundTrips = 0
  const resources = await openResources(readConfig({ DJINN_DATA_DIR: dataDir, LOG_LEVEL: 'silent' }), {
    roundTrip: () => void roundTrips++,
  })
  const api = await makeApi(resources)
  const origin = await api.app.listen({ host: '127.0.0.1', port: 0 })
  try {
    let token = ''
    const call = async (method: 'GET' | 'POST', url: string, payload?: object) => {
      const before = roundTrips
      const answer = await fetch(origin + url, {
        method,
        headers: {
          ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
          ...(payload ? { 'content-type': 'application/json' } : {}),
        },
        ...(payload ? { body: JSON.stringify(payload) } : {}),
      })
      if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
      return { body: (await answer.json()) as Record<string, string>, cost: roundTrips - before }
    }
    const person = await call('POST', '/api/auth/register', { email: 'bench@example.org', password: 'turnip lantern gravel' })
    token = person.body['accessToken']!
    // The first request of a session also reads the session; the others find it in memory.
    await call('GET', '/api/accounts')
    await call('POST', '/api/accounts', { name: 'First', kind: 'cash', currency: 'EUR' })
    const account = await call('POST', '/api/accounts', { name: 'Bench', kind: 'checking', currency: 'EUR' })
    const draft = { accountId: account.body['id'], date: '2026-01-31', payee: 'Shop' }
    for (let index = 0; index < 20; index++) await call('POST', '/api/transactions', { ...draft, amount: -index - 1 })
    const create = await call('POST', '/api/transactions', { ...draft, amount: -1_250 })
    const list = await call('GET', '/api/transactions')
    const row = await call('GET', `/api/transactions/${create.body['id']!}`)
    return [
      { name: 'list of 20 transactions', value: list.cost, unit: 'round trips', target: 1 },
      { name: 'one transaction by its id', value: row.cost, unit: 'round trips', target: 1 },
      { name: 'create a transaction', value: create.cost, unit: 'round trips', target: 3 },
      { name: 'create an account', value: account.cost, unit: 'round trips', target: 3 },
    ]
  } finally {
    await api.close()
    await resources.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
