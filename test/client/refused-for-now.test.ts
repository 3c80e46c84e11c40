// A service that is read-only, has a feature off or is too busy, as a device sees it: nothing that was written on it is lost.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ApiError, RetryLater } from '../../src/client/index.ts'
import { setOn } from '../flags/setting.ts'
import { open } from '../harness.ts'
import { Device, transactionsOf } from './device.ts'

const djinn = await open()
after(() => djinn.close())

const draft = (accountId: string, payee: string) => ({ accountId, date: '2026-03-01', amount: -1_000, payee })

test('while the service is read-only the outbox waits, others’ changes still arrive, and then each write is one row', async () => {
  const person = await djinn.person()
  const account = await person.account()
  const device = await Device.synced(djinn, person)
  const id = await device.client.create('transactions', draft(account, 'mine'))
  await person.post('/api/transactions', draft(account, 'theirs'))
  await setOn(djinn, 'readOnly', 'on')
  try {
    for (let tries = 0; tries < 2; tries++) {
      await assert.rejects(device.client.sync(), (error) => error instanceof RetryLater && error.afterMs === 30_000)
    }
    await device.restart()
    assert.equal(device.client.waiting, 1)
    assert.deepEqual(
      device.client
        .rows('transactions')
        .map((row) => row.payee)
        .toSorted(),
      ['mine', 'theirs'],
    )
    assert.deepEqual(device.rejected, [])
    await device.api.refresh()
    assert.notEqual(device.tokens!.accessToken, person.accessToken, 'who is signed in stays so')
    person.accessToken = device.tokens!.accessToken
  } finally {
    await setOn(djinn, 'readOnly', 'off')
  }
  await device.client.sync()
  assert.equal(device.client.waiting, 0)
  assert.equal((await transactionsOf(person)).filter((row) => row['id'] === id).length, 1)
})

test('what a feature that is off refuses is told to the user, and what waits behind it goes out', async () => {
  const person = await djinn.person()
  const account = await person.account()
  const device = await Device.synced(djinn, person)
  const rule = { name: 'Shop', match: 'all', conditions: [{ field: 'payee', operator: 'contains', value: 'Shop' }], actions: { note: 'x' } }
  await setOn(djinn, 'rules', 'off')
  try {
    await device.client.create('rules', rule)
    await device.client.create('transactions', draft(account, 'behind'))
    await device.client.sync()
    assert.deepEqual(
      device.rejected.map(({ problem }) => problem['code']),
      ['feature-off'],
    )
    assert.equal(device.client.waiting, 0)
    assert.equal((await transactionsOf(person)).length, 1)
  } finally {
    await setOn(djinn, 'rules', 'on')
  }
})

test('a device whose live events are refused pulls now and then, and does not ask for them again at once', async (t) => {
  const person = await djinn.person()
  await setOn(djinn, 'liveEvents', 'off')
  const device = await Device.open(djinn, person)
  let answered = () => {}
  const refused = new Promise<void>((resolve) => (answered = resolve))
  device.network = async (request, send) => {
    const answer = await send()
    if (request === 'GET /api/events') {
      assert.equal(answer.status, 403)
      answered()
    }
    return answer
  }
  const timers = t.mock.method(globalThis, 'setTimeout')
  try {
    device.client.start()
    await refused
    await device.until(() => device.client.rows('households').length === 1)
    const waitsMs = () => timers.mock.calls.map(({ arguments: [, ms] }) => Number(ms)).filter((ms) => ms >= 300_000)
    while (waitsMs().length < 2) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(device.requests.filter((request) => request === 'GET /api/events').length, 1)
  } finally {
    device.client.stop()
    await setOn(djinn, 'liveEvents', 'on')
  }
})

test('a server that is too busy is asked again when it said, for live events too, and nothing is lost', async (t) => {
  const person = await djinn.person()
  const account = await person.account()
  const device = await Device.synced(djinn, person)
  await device.client.create('transactions', draft(account, 'mine'))
  const problem = JSON.stringify({ code: 'overloaded', detail: 'busy' })
  const busy = { 'retry-after': '7', 'content-type': 'application/problem+json' }
  device.network = async () => new Response(problem, { status: 503, headers: busy })
  await assert.rejects(device.client.sync(), (error) => error instanceof ApiError && error.retryAfterMs === 7_000)
  const timers = t.mock.method(globalThis, 'setTimeout')
  device.client.start()
  const waitsMs = () => timers.mock.calls.map(({ arguments: [, ms] }) => Number(ms)).filter((ms) => ms >= 7_000 && ms <= 14_000)
  while (waitsMs().length < 2) await new Promise((resolve) => setImmediate(resolve))
  device.client.stop()
  assert.equal(device.requests.filter((request) => request === 'GET /api/events').length, 1)
  assert.equal(device.client.waiting, 1)
  assert.deepEqual(device.rejected, [])
  device.network = (_request, send) => send()
  await device.client.sync()
  assert.equal((await transactionsOf(person)).length, 1)
})
