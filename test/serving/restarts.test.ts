// Two processes behind HAProxy, as shipped: one after the other is asked to end while people write, and nobody is refused.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { Connections } from '../../src/load/connections.ts'
import { wireOf } from '../../src/load/wire.ts'
import { readEvents } from '../../src/client/event-stream.ts'
import { cloneDatabase } from '../cluster.ts'
import { startDjinn, type DjinnProcess } from '../djinn-process.ts'
import { cluster } from '../harness.ts'
import { missingHaproxy, openBalancer, type ServerName } from '../haproxy.ts'
import { freePort } from '../pgbouncer.ts'

const skip = missingHaproxy()
if (skip) console.log(`SKIPPED: restarts behind a balancer: ${skip}`)
const patient = { skip, timeout: 60_000 }
/** How long a person looks at an answer. */
const lookMs = 20

async function until(holds: () => Promise<boolean>, what: string) {
  const deadline = performance.now() + 20_000
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `waited in vain: ${what}`)
    await setTimeout(20)
  }
}

test('a process that is asked to end is left out, answers what it has, ends its streams, and nobody is refused', patient, async () => {
  await using closing = new AsyncDisposableStack()
  const database = await cloneDatabase(await cluster())
  closing.defer(async () => void (await database.drop()))
  const environment = {
    ...{ DATABASE_URL: database.apiUrl, DATABASE_DIRECT_URL: database.adminUrl, TRUSTED_PROXIES: '127.0.0.1', LOG_LEVEL: 'warn' },
    ...{ RATE_LIMIT_ANONYMOUS: '100000', RATE_LIMIT_AUTHENTICATED: '100000', SHEDDING: 'off', DRAIN_SECONDS: '1' },
  }
  const ports = { one: await freePort(), two: await freePort() }
  const running = new Map<ServerName, DjinnProcess>()
  const start = async (name: ServerName) => {
    running.set(name, await startDjinn({ name, verb: 'serve', port: ports[name], opsPort: await freePort(), environment }))
  }
  closing.defer(async () => void (await Promise.all([...running.values()].map((each) => each.end('SIGKILL')))))
  await Promise.all([start('one'), start('two')])
  const balancer = await openBalancer(ports)
  closing.defer(balancer.close)
  for (const name of ['one', 'two'] as const) await until(() => balancer.isUp(name), `${name} is taken in`)

  const call = async (path: string, token?: string, body?: object) => {
    const headers = { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body ? { 'content-type': 'application/json' } : {}) }
    const answer = await fetch(balancer.url + path, { headers, ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}) })
    return (await answer.json()) as { accessToken: string; id: string; data: { id: string }[] }
  }
  const { accessToken } = await call('/api/auth/register', undefined, { email: 'rolling@example.org', password: 'correct horse battery' })
  const { id: accountId } = await call('/api/accounts', accessToken, { name: 'Current', kind: 'checking', currency: 'EUR' })

  // People who write and read all the time; a request is sent once, whatever comes back.
  const url = new URL(balancer.url)
  const connections = new Connections(url)
  closing.defer(() => connections.close())
  await connections.openAll(4)
  const failed: string[] = []
  const written: string[] = []
  let sent = 0
  let stop = false
  const person = async () => {
    while (!stop) {
      const id = `${++sent}`
      const write = sent % 2 === 0
      const headers = { Authorization: `Bearer ${accessToken}`, 'X-Request-Id': `request-${id}` }
      const draft = { accountId, date: '2026-01-15', amount: -100 - sent, payee: `row ${id}` }
      const bytes = wireOf(
        url,
        write
          ? {
              ...{ method: 'POST', path: '/api/transactions', body: JSON.stringify(draft) },
              headers: { ...headers, 'Content-Type': 'application/json', 'Idempotency-Key': `key-${id}` },
            }
          : { method: 'GET', path: '/api/transactions?limit=5', headers },
      )
      let times = 0
      const outcome = await new Promise<string>((resolve) => {
        connections.send(
          bytes,
          () => times++,
          (end) => resolve('fault' in end ? end.fault : String(end.response.status)),
        )
      })
      if (times !== 1 || outcome !== (write ? '201' : '200')) failed.push(`request-${id} ${outcome}, sent ${times} times`)
      else if (write) written.push(draft.payee)
      await setTimeout(lookMs)
    }
  }
  const people = Promise.all(Array.from({ length: 4 }, person))

  for (const name of ['one', 'two'] as const) {
    const { url: own, end, ended } = running.get(name)!
    const stream = await fetch(`${own}/api/events`, { headers: { authorization: `Bearer ${accessToken}` } })
    const events = Array.fromAsync(readEvents(stream.body!))
    const told = end('SIGTERM')
    await until(async () => (await fetch(`${own}/health/ready`)).status === 503, 'it says that it is not ready')
    const alive = await fetch(`${own}/health`)
    assert.deepEqual([alive.status, alive.headers.get('connection')], [200, 'close'])
    await until(async () => !(await balancer.isUp(name)), 'it is left out')
    const last = (await events).at(-1)!
    assert.deepEqual([last.event, JSON.parse(last.data)], ['end', { reason: 'restart' }])
    assert.equal((await told).code, 0)
    assert.equal(await ended, 0)
    await start(name)
    await until(() => balancer.isUp(name), 'it is taken in again')
  }
  stop = true
  await people
  assert.deepEqual(failed, [], balancer.log())
  const rows = await Array.fromAsync(
    (async function* () {
      for (let cursor = ''; ;) {
        const page = (await call(`/api/transactions?limit=100${cursor}`, accessToken)) as unknown as {
          data: { payee: string }[]
          nextCursor: string | null
        }
        yield* page.data.map((row) => row.payee)
        if (page.nextCursor === null) return
        cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`
      }
    })(),
  )
  assert.ok(written.length > 0)
  assert.deepEqual(rows.toSorted(), written.toSorted(), 'each row that was acknowledged, once')

  // A second signal is for whoever cannot wait.
  const leaver = running.get('one')!
  await fetch(`${leaver.url}/health/ready`)
  const leaving = once(leaver.child, 'exit')
  leaver.child.kill('SIGTERM')
  leaver.child.kill('SIGINT')
  await leaving
  assert.equal(leaver.child.exitCode, 0)
})
