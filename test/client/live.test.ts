// An open app: changes arrive by events, writes leave at once, and stop() leaves nothing behind.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { readEvents, type ServerEvent } from '../../src/client/event-stream.ts'
import { open, type Person } from '../harness.ts'
import { Device, offline, type Network } from './device.ts'

const djinn = await open()
after(() => djinn.close())

/** Told what the network is asked for; `streams` are the open event streams, to be broken. */
function watched(): { network: Network; streams: AbortController[]; opened: (count: number) => Promise<void> } {
  const streams: AbortController[] = []
  let told: (() => void)[] = []
  const network: Network = async (request, send) => {
    const answer = await send()
    if (request !== 'GET /api/events') return answer
    const breaking = new AbortController()
    const body = answer.body!.pipeThrough(new TransformStream(), { signal: breaking.signal })
    streams.push(breaking)
    for (const tell of told) tell()
    return new Response(body, answer)
  }
  const opened = async (count: number) => {
    while (streams.length < count) await new Promise<void>((resolve) => (told = [...told, resolve]))
  }
  return { network, streams, opened }
}

async function started(): Promise<{ person: Person; account: string; device: Device; world: ReturnType<typeof watched> }> {
  const person = await djinn.person()
  const account = await person.account()
  const device = await Device.open(djinn, person)
  const world = watched()
  device.network = world.network
  device.client.start()
  await world.opened(1)
  await device.until(() => device.client.rows('accounts').length === 1)
  return { person, account, device, world }
}

const draft = (accountId: string, payee: string) => ({ accountId, date: '2026-03-01', amount: -1, payee })
const has = (device: Device, payee: string) => () => device.client.rows('transactions').some((row) => row.payee === payee)

test('a write of another device arrives by event, long before the next poll', async () => {
  const { person, account, device } = await started()
  for (const payee of ['first', 'second']) {
    await person.post('/api/transactions', draft(account, payee))
    await device.until(has(device, payee))
  }
  device.client.stop()
})

test('a write of this device leaves at once', async () => {
  const { person, account, device } = await started()
  const id = await device.client.create('transactions', draft(account, 'mine'))
  await device.until(() => device.client.waiting === 0)
  assert.equal((await person.get(`/api/transactions/${id}`)).status, 200)
  device.client.stop()
})

test('two open devices keep each other up to date', async () => {
  const { person, account, device: one } = await started()
  const other = await Device.open(djinn, person)
  other.client.start()
  await other.until(() => other.client.rows('accounts').length === 1)
  await one.client.create('transactions', draft(account, 'from one'))
  await other.until(has(other, 'from one'))
  await other.client.create('transactions', draft(account, 'from other'))
  await one.until(has(one, 'from other'))
  one.client.stop()
  other.client.stop()
})

test('an event that comes during a sync is not lost', async () => {
  const { person, account, device, world } = await started()
  const { promise: answered, resolve: seen } = Promise.withResolvers<void>()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  let held = false
  device.network = async (request, send, init) => {
    const answer = await world.network(request, send, init)
    if (request !== 'GET /api/sync' || held) return answer
    held = true
    seen()
    await released
    return answer
  }
  const going = device.client.sync()
  await answered
  // The answer on its way does not have it yet; its event comes while the app is busy.
  const events: ServerEvent[] = []
  const stream = await fetch(`${djinn.url}/api/events`, { headers: { authorization: `Bearer ${person.accessToken}` } })
  const own = readEvents(stream.body!)
  await own.next()
  await person.post('/api/transactions', draft(account, 'meanwhile'))
  events.push((await own.next()).value as ServerEvent)
  await own.return(undefined)
  assert.equal(events[0]!.event, 'revision')
  release()
  await going
  await device.until(has(device, 'meanwhile'))
  device.client.stop()
})

test('after the stream broke it is opened again from where it was, and what was missed arrives', async () => {
  const { person, account, device, world } = await started()
  const ids: (string | undefined)[] = []
  device.network = async (request, send, init) => {
    if (request === 'GET /api/events') ids.push((init.headers as Record<string, string>)['last-event-id'])
    return await world.network(request, send, init)
  }
  world.streams[0]!.abort()
  await person.post('/api/transactions', draft(account, 'missed'))
  await device.until(has(device, 'missed'))
  await world.opened(2)
  assert.match(ids[0]!, new RegExp(`^${person.householdId}\\.\\d+$`))
  await person.post('/api/transactions', draft(account, 'after'))
  await device.until(has(device, 'after'))
  device.client.stop()
})

test('written offline while open, it is sent when the network is back', async () => {
  const { person, account, device, world } = await started()
  const { promise: failed, resolve: fails } = Promise.withResolvers<void>()
  device.network = async (request, send, init) => {
    if (request === 'POST /api/batch') fails()
    return await offline(request, send, init)
  }
  world.streams[0]!.abort()
  const id = await device.client.create('transactions', draft(account, 'in the tunnel'))
  await failed
  assert.equal(device.client.waiting, 1)
  device.network = world.network
  await device.until(() => device.client.waiting === 0)
  assert.equal((await person.get(`/api/transactions/${id}`)).body.payee, 'in the tunnel')
  device.client.stop()
})

test('a server that asks to come back later is not asked sooner, whatever the user does', async () => {
  const { account, device, world } = await started()
  let batches = 0
  const { promise: asked, resolve: refused } = Promise.withResolvers<void>()
  device.network = async (request, send, init) => {
    if (request !== 'POST /api/batch') return await world.network(request, send, init)
    batches++
    refused()
    const headers = { 'content-type': 'application/problem+json', 'retry-after': '3600' }
    return new Response('{"status":429,"code":"rate-limited"}', { status: 429, headers })
  }
  await device.client.create('transactions', draft(account, 'first'))
  await asked
  // By the next turn of the loop the client waits.
  await new Promise((resolve) => setImmediate(resolve))
  for (const payee of ['second', 'third']) await device.client.create('transactions', draft(account, payee))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([batches, device.client.waiting], [1, 3])
  device.client.stop()
})

test('signed out elsewhere, the client stops asking', async () => {
  const { person, device, world } = await started()
  await person.delete('/api/me/sessions')
  assert.equal(world.streams.length, 1, 'ending the other sessions leaves this one')
  await person.post('/api/auth/logout')
  while (device.api.signedIn) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual(device.kept, [null])
  device.client.stop()
})

test('stop() leaves nothing that keeps a process running, also in the middle of a sync', async () => {
  const person = await djinn.person()
  const script = (stop: string) => `
    import { Api, DjinnClient, MemoryStorage } from ${JSON.stringify(new URL('../../src/client/index.ts', import.meta.url).href)}
    const api = new Api({ url: ${JSON.stringify(djinn.url)}, tokens: { accessToken: ${JSON.stringify(person.accessToken)}, refreshToken: '' } })
    const client = await DjinnClient.open({ api, storage: new MemoryStorage(), onChange: () => ${stop} })
    client.start()
    ${stop === 'client.stop()' ? '' : 'await client.sync(); client.stop()'}
    console.log('stopped')`
  for (const stop of ['client.stop()', '{}']) {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script(stop)], { timeout: 20_000 })
    assert.equal(stdout, 'stopped\n')
  }
})

test('events are read across chunks, comments skipped, and a silent stream is given up', async () => {
  const encoder = new TextEncoder()
  const parts = [
    'retry: 3000\n: open\n\nid: a.1\nevent: rev',
    'ision\r\ndata: {"revision":1}\n',
    '\n: beat\n\nid: a.2\ndata: ',
    '\u00fc\n\n',
  ]
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const part of parts) controller.enqueue(encoder.encode(part))
    },
  })
  const events: ServerEvent[] = []
  for await (const event of readEvents(body, 20)) events.push(event)
  assert.deepEqual(events, [
    { id: 'a.1', event: 'revision', data: '{"revision":1}' },
    { id: 'a.2', event: 'message', data: '\u00fc' },
  ])
})
