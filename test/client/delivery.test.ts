// Sending the outbox: each write is carried out once, whatever the network and the server do in between.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { OfflineError, RetryLater, type Storage } from '../../src/client/index.ts'
import { open, type Person } from '../harness.ts'
import { answering, Device, losing, offline, share, transactionsOf } from './device.ts'

const djinn = await open()
after(() => djinn.close())

async function household(): Promise<{ person: Person; device: Device; account: string }> {
  const person = await djinn.person()
  const account = await person.account()
  return { person, device: await Device.synced(djinn, person), account }
}

const draft = (accountId: string, more: object = {}) => ({ accountId, date: '2026-03-01', amount: -1_000, payee: 'Shop', ...more })

test('twelve writes go out in two batches and each is one row', async () => {
  const { person, device, account } = await household()
  for (let count = 0; count < 12; count++) await device.client.create('transactions', draft(account, { payee: `Shop ${count}` }))
  await device.client.sync()
  assert.deepEqual(device.requests, ['POST /api/batch', 'POST /api/batch', 'GET /api/sync'])
  assert.equal((await transactionsOf(person)).length, 12)
})

test('a lost answer is asked for again, and there is one row', async () => {
  const { person, device, account } = await household()
  const id = await device.client.create('transactions', draft(account))
  device.network = losing('POST /api/batch')
  for (let tries = 0; tries < 3; tries++) await assert.rejects(device.client.sync(), OfflineError)
  assert.equal(device.client.waiting, 1)
  device.network = (_request, send) => send()
  await device.client.sync()
  assert.equal(device.client.waiting, 0)
  const rows = await transactionsOf(person)
  assert.deepEqual(
    rows.map((row) => row['id']),
    [id],
  )
  assert.equal(rows[0]!['revision'], device.client.row('transactions', id)!.revision)
})

test('an edit made after a lost answer goes out after it, without a conflict with itself', async () => {
  const { person, device, account } = await household()
  const id = await device.client.create('transactions', draft(account))
  const other = await person.account({ name: 'Savings' })
  const transfer = { fromAccountId: account, toAccountId: other, date: '2026-03-02', amount: 500 }
  await device.client.sync()
  const moved = await device.client.create('transfers', transfer)
  await device.client.sync()
  for (const amount of [-1_100, -1_200]) {
    await device.client.update('transactions', id, { amount, note: `${amount}` })
    await device.client.update('transfers', moved, { amount: -amount })
    if (amount === -1_100) {
      device.network = losing('POST /api/batch')
      await assert.rejects(device.client.sync(), OfflineError)
      device.network = (_request, send) => send()
    }
  }
  assert.equal(device.client.waiting, 4)
  await device.client.sync()
  assert.deepEqual(device.conflicts, [])
  assert.equal((await person.get(`/api/transactions/${id}`)).body.amount, -1_200)
  assert.equal((await person.get(`/api/transfers/${moved}`)).body.to.amount, 1_200)
})

test('an app killed between the sending and the answer sends the same again', async () => {
  const { person, device, account } = await household()
  await device.client.create('transactions', draft(account))
  const bodies: string[] = []
  const { promise: carriedOut, resolve: done } = Promise.withResolvers<void>()
  device.network = async (request, send, init) => {
    if (request !== 'POST /api/batch') return await send()
    bodies.push(String(init.body))
    const answer = await send()
    if (bodies.length > 1) return answer
    done()
    // The app does not live to see it.
    return await new Promise<Response>(() => {})
  }
  void device.client.sync()
  await carriedOut
  await device.restart()
  assert.equal(device.client.waiting, 1)
  await device.client.sync()
  assert.equal(bodies.length, 2)
  assert.equal(bodies[0], bodies[1])
  assert.equal((await transactionsOf(person)).length, 1)
})

test('what the device could not keep is not sent', async () => {
  const { person, device, account } = await household()
  await device.client.create('transactions', draft(account))
  const storage = device.storage as { commit: Storage['commit'] }
  storage.commit = () => Promise.reject(new Error('the disk is full'))
  await assert.rejects(device.client.sync(), /disk is full/)
  assert.deepEqual(device.requests, [])
  assert.equal((await transactionsOf(person)).length, 0)
})

test('a write that the server refuses for good is taken out and told, and the others go through', async () => {
  const { person, device, account } = await household()
  const wrong = await device.client.create('transactions', draft(account, { splits: [{ amount: -1 }, { amount: -2 }] }))
  const right = await device.client.create('transactions', draft(account))
  await device.client.sync()
  assert.deepEqual(
    device.rejected.map(({ entry, problem }) => [entry.id, problem['code'], problem['status']]),
    [[wrong, 'split-sum-mismatch', 422]],
  )
  assert.equal(device.client.row('transactions', wrong), null)
  assert.deepEqual(
    (await transactionsOf(person)).map((row) => row['id']),
    [right],
  )
})

test('a write that makes the whole batch unreadable is rejected alone', async () => {
  const { person, device, account } = await household()
  const before = await device.client.create('transactions', draft(account))
  const wrong = await device.client.create('transactions', draft(account, { payee: 'half an emoji \ud83d' }))
  const behind = await device.client.create('transactions', draft(account))
  await device.client.sync()
  assert.deepEqual(
    device.rejected.map(({ entry, problem }) => [entry.id, problem['status']]),
    [[wrong, 400]],
  )
  assert.deepEqual(new Set((await transactionsOf(person)).map((row) => row['id'])), new Set([before, behind]))
})

test('a write that names a row which is gone is rejected, not taken for a conflict of its own row', async () => {
  const { person, device, account } = await household()
  const category = (await person.post('/api/categories', { name: 'Snacks', kind: 'expense' })).body.id
  const id = await device.client.create('transactions', draft(account))
  await device.client.sync()
  await person.delete(`/api/categories/${category}`)
  await device.client.update('transactions', id, { categoryId: category })
  await device.client.sync()
  assert.deepEqual(device.conflicts, [])
  assert.deepEqual(
    device.rejected.map(({ entry, problem }) => [entry.id, problem['code']]),
    [[id, 'category-not-found']],
  )
})

test('removing what another device removed succeeds', async () => {
  const { person, device, account } = await household()
  const id = await device.client.create('transactions', draft(account))
  await device.client.sync()
  await person.delete(`/api/transactions/${id}`)
  await device.client.remove('transactions', id)
  await device.client.sync()
  assert.deepEqual([device.client.waiting, device.rejected, device.conflicts], [0, [], []])
  await device.client.restore('transactions', id)
  await device.client.sync()
  assert.equal(device.client.row('transactions', id)!.payee, 'Shop')
})

for (const [status, code] of [
  [429, 'rate-limited'],
  [503, 'unavailable'],
] as const) {
  test(`an entry answered ${status} within a batch stays and says when to come back`, async () => {
    const { person, device, account } = await household()
    const held = await device.client.create('transactions', draft(account, { payee: 'held' }))
    const passed = await device.client.create('transactions', draft(account, { payee: 'passed' }))
    device.network = async (request, send) => {
      const answer = await send()
      if (request !== 'POST /api/batch') return answer
      const body = (await answer.json()) as { results: object[] }
      body.results[0] = { ...body.results[0], status, headers: { 'retry-after': '7' }, body: { code } }
      return Response.json(body)
    }
    await assert.rejects(device.client.sync(), (error) => error instanceof RetryLater && error.afterMs === 7_000)
    assert.equal(device.client.waiting, 1)
    assert.deepEqual(device.rejected, [])
    device.network = (_request, send) => send()
    await device.client.sync()
    assert.equal(device.client.waiting, 0)
    assert.deepEqual(new Set((await transactionsOf(person)).map((row) => row['id'])), new Set([held, passed]))
  })
}

test('a batch refused as a whole with 503 stays in the outbox', async () => {
  const { person, device, account } = await household()
  await device.client.create('transactions', draft(account))
  const problem = JSON.stringify({ status: 503, code: 'unavailable', requestId: 'one' })
  device.network = answering('POST /api/batch', 503, problem, { 'content-type': 'application/problem+json', 'retry-after': '2' })
  await assert.rejects(device.client.sync(), { name: 'ApiError', code: 'unavailable', retryAfterMs: 2_000, requestId: 'one' })
  assert.equal(device.client.waiting, 1)
  await device.client.sync()
  assert.equal((await transactionsOf(person)).length, 1)
})

test('what fails behind a postponed write, for want of it, waits with it', async () => {
  const { person, device } = await household()
  const account = await device.client.create('accounts', { name: 'Cash', kind: 'cash', currency: 'EUR' })
  await device.client.create('transactions', draft(account))
  device.network = async (request, send, init) => {
    if (request !== 'POST /api/batch') return await send()
    // The first is shed by the server, the second carried out without it.
    const { operations } = JSON.parse(String(init.body)) as { operations: [{ id: string }, { id: string }] }
    const answer = await person.post('/api/batch', { operations: [operations[1]] })
    const shed = { id: operations[0].id, status: 503, headers: { 'retry-after': '1' }, body: { code: 'unavailable' } }
    return Response.json({ results: [shed, answer.body.results[0]] })
  }
  await assert.rejects(device.client.sync(), RetryLater)
  assert.equal(device.client.waiting, 2)
  assert.deepEqual(device.rejected, [])
})

test('offline nothing is lost and nothing is rejected', async () => {
  const { device, account } = await household()
  device.network = offline
  await device.client.create('transactions', draft(account))
  await assert.rejects(device.client.sync(), OfflineError)
  assert.deepEqual([device.client.waiting, device.rejected], [1, []])
})

test('a lost household drops its rows and rejects what waits for it, once and for good', async () => {
  const [ana, ben] = [await djinn.person(), await djinn.person()]
  const shared = await ana.account()
  const row = (await ana.post('/api/transactions', draft(shared))).body.id
  await share(djinn, ana, ben)
  const device = await Device.synced(djinn, ben)
  assert.ok(device.client.row('transactions', row, ana.householdId))
  await device.client.create('transactions', draft(shared), ana.householdId)
  await device.client.update('transactions', row, { note: 'late' }, ana.householdId)
  const own = await device.client.create('accounts', { name: 'Mine', kind: 'cash', currency: 'EUR' })
  await djinn.sql(
    `with scope as (select set_config('djinn.household', $1::text, true)) delete from memberships using scope
     where household_id = $1::uuid and user_id = $2::uuid`,
    [ana.householdId, ben.userId],
  )
  await device.client.sync()
  assert.deepEqual(
    device.rejected.map(({ entry, problem }) => [entry.action, entry.householdId, problem['code']]),
    [
      ['create', ana.householdId, 'not-found'],
      ['update', ana.householdId, 'not-found'],
    ],
  )
  assert.deepEqual(device.conflicts, [])
  const households = new Set(
    ['accounts', 'categories', 'transactions'].flatMap((kind) => device.client.rows(kind as 'accounts').map((one) => one.householdId)),
  )
  assert.deepEqual(households, new Set([ben.householdId]))
  assert.ok(device.client.row('accounts', own))
  await device.restart()
  assert.equal(device.client.waiting, 0, 'what was rejected is gone from the device too')
})
