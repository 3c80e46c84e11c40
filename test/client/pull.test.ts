// Pulling: page after page, proved by the checkpoint, repaired where the copy differs.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { MemoryStorage, OfflineError } from '../../src/client/index.ts'
import { digestOf, legId, rowDigest } from '../../src/client/digest.ts'
import { legId as serverLegId } from '../../src/features/transfers/transfer.ts'
import { open, type Person } from '../harness.ts'
import { answering, Device, offline, share } from './device.ts'

const djinn = await open()
after(() => djinn.close())

async function household(rows = 3): Promise<{ person: Person; storage: MemoryStorage; device: Device; account: string }> {
  const person = await djinn.person()
  const account = await person.account()
  for (let count = 0; count < rows; count++) {
    const draft = { accountId: account, date: '2026-03-01', amount: -100 - count, payee: `Shop ${count}` }
    assert.equal((await person.post('/api/transactions', draft)).status, 201)
  }
  const storage = new MemoryStorage()
  const device = await Device.open(djinn, person, storage)
  await device.client.sync()
  device.requests.length = 0
  return { person, storage, device, account }
}

async function sameAsServer(device: Device, person: Person) {
  for (const kind of ['accounts', 'categories', 'transactions'] as const) {
    const wanted = (await person.get(`/api/${kind}?limit=100`)).body.data as { id: string; revision: number }[]
    const versions = (rows: { id: string; revision: number }[]) => rows.map((row) => `${row.id} ${row.revision}`).toSorted()
    assert.deepEqual(versions(device.client.confirmed(kind)), versions(wanted), kind)
  }
}

/** Syncs, and answers the query of each sync request on the way. */
async function queriesOf(device: Device): Promise<URLSearchParams[]> {
  const queries: URLSearchParams[] = []
  const kept = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    const url = new URL(input as URL)
    if (url.pathname === '/api/sync') queries.push(url.searchParams)
    return await kept(input, init)
  }
  try {
    await device.client.sync()
  } finally {
    globalThis.fetch = kept
  }
  return queries
}

test('digests are those of the worked example in the guide, and legs those of the server', async () => {
  const one = { id: '01890a5d-ac96-774b-bcce-b302099a8057', revision: 42 }
  const other = { id: '01890a5d-ac96-7ab2-80e2-4536629c90de', revision: 43 }
  assert.equal((await rowDigest(one)).toString(16).padStart(16, '0'), await digestOf([one]))
  assert.equal(await digestOf([]), '0000000000000000')
  assert.equal(await digestOf([one, other]), await digestOf([other, one]))
  assert.equal(await digestOf([one, other, one]), await digestOf([other]), 'a row taken twice takes itself out')
  for (const side of ['from', 'to'] as const) assert.equal(await legId(one.id, side), serverLegId(one.id, side))
})

test('the first sync brings everything, the next one nothing', async () => {
  const { person, device } = await household()
  await sameAsServer(device, person)
  assert.deepEqual(await device.client.sync(), { changed: false, repaired: [] })
  assert.deepEqual(device.requests, ['GET /api/sync'])
})

test('changes and removals of other devices arrive, and only they', async () => {
  const { person, device } = await household()
  const [first, second] = device.client.rows('transactions')
  await person.patch(`/api/transactions/${first!.id}`, { note: 'changed' })
  await person.delete(`/api/transactions/${second!.id}`)
  assert.deepEqual(await device.client.sync(), { changed: true, repaired: [] })
  assert.equal(device.client.row('transactions', first!.id)!.note, 'changed')
  assert.equal(device.client.row('transactions', second!.id), null)
  await sameAsServer(device, person)
})

test('calls at one time share one run', async () => {
  const { device } = await household()
  await Promise.all([device.client.sync(), device.client.sync(), device.client.sync()])
  assert.deepEqual(device.requests, ['GET /api/sync'])
})

test('a walk that breaks off goes on where it was, also after a restart', async () => {
  const person = await djinn.person()
  const account = await person.account()
  for (let count = 0; count < 5; count++)
    await person.post('/api/transactions', { accountId: account, date: '2026-03-01', amount: -1, payee: `Shop ${count}` })
  const device = await Device.open(djinn, person)
  let pages = 0
  const sent: string[] = []
  const kept = globalThis.fetch
  device.network = async (request, send) => (request === 'GET /api/sync' && ++pages === 3 ? await offline(request, send, {}) : await send())
  globalThis.fetch = async (input, init) => {
    const url = new URL(input as URL)
    if (url.pathname === '/api/sync') url.searchParams.set('limit', '4')
    sent.push(url.searchParams.get('cursor') ?? 'none')
    return await kept(url, init)
  }
  try {
    await assert.rejects(device.client.sync(), OfflineError)
    await device.restart()
    await device.client.sync()
  } finally {
    globalThis.fetch = kept
  }
  assert.equal(sent.filter((cursor) => cursor === 'none').length, 1, 'the snapshot is begun once')
  assert.equal(new Set(sent).size, sent.length, 'no page is fetched twice')
  await sameAsServer(device, person)
})

for (const [how, corrupt] of [
  ['changed in revision', (row: { revision: number }) => ({ ...row, revision: row.revision - 1 })],
  ['lost', () => null],
] as const) {
  test(`a row ${how} on the device is healed by fetching its kind alone`, async () => {
    const { person, storage, device, account } = await household()
    const [row] = device.client.confirmed('transactions')
    await storage.commit({ rows: [['transactions', `${person.householdId}/${row!.id}`, corrupt(row!) as never]] })
    await device.restart()
    await person.patch(`/api/accounts/${account}`, { note: 'something new' })
    const categories = device.client.confirmed('categories')
    const queries = await queriesOf(device)
    assert.deepEqual(
      queries.map((query) => [query.has('cursor'), query.get('kinds')]),
      [
        [true, null],
        [false, 'transactions'],
      ],
    )
    await sameAsServer(device, person)
    assert.deepEqual(device.client.confirmed('categories'), categories)
    await device.restart()
    await sameAsServer(device, person)
    assert.deepEqual(await device.client.sync(), { changed: false, repaired: [] })
  })
}

test('a row that the server does not have is taken away', async () => {
  const { person, storage, device, account } = await household()
  const [row] = device.client.confirmed('transactions')
  const ghost = { ...row!, id: '01890a5d-ac96-774b-bcce-b302099a8057' }
  await storage.commit({ rows: [['transactions', `${person.householdId}/${ghost.id}`, ghost]] })
  await device.restart()
  assert.ok(device.client.row('transactions', ghost.id))
  await person.patch(`/api/accounts/${account}`, { note: 'something new' })
  assert.deepEqual(await device.client.sync(), { changed: true, repaired: ['transactions'] })
  assert.equal(device.client.row('transactions', ghost.id), null)
})

for (const code of ['cursor-expired', 'invalid-cursor']) {
  test(`after ${code} the replica is fetched anew, and the outbox is kept and sent`, async () => {
    const { person, device, account } = await household()
    const id = await device.client.create('transactions', { accountId: account, date: '2026-03-02', amount: -5 })
    const [, gone] = device.client.confirmed('transactions')
    await person.delete(`/api/transactions/${gone!.id}`)
    // Writes stay on the device while only reading works.
    device.network = async (request, send, init) => (request === 'POST /api/batch' ? await offline(request, send, init) : await send())
    await assert.rejects(device.client.sync(), OfflineError)
    assert.equal(device.client.waiting, 1)
    const problem = JSON.stringify({ status: code === 'cursor-expired' ? 410 : 400, code })
    device.network = answering('GET /api/sync', code === 'cursor-expired' ? 410 : 400, problem, {
      'content-type': 'application/problem+json',
    })
    await device.client.sync()
    assert.equal(device.client.waiting, 0)
    assert.ok(device.client.row('transactions', id))
    assert.equal(device.client.row('transactions', gone!.id), null, 'what was removed meanwhile is found by the checkpoint')
    await sameAsServer(device, person)
  })
}

test('a real cursor of another history is expired', async () => {
  const { person, device, storage } = await household()
  const { meta } = await storage.load()
  await person.account({ name: 'Another' })
  await person.account({ name: 'A third' })
  await djinn.sql('update revisions set forgotten_revision = revision where household_id = $1', [person.householdId])
  assert.equal((await person.get(`/api/sync?cursor=${encodeURIComponent(meta.cursor!)}`)).status, 410)
  await device.client.sync()
  await sameAsServer(device, person)
})

test('a household gained arrives with its rows', async () => {
  const { person: ana } = await household()
  const ben = await djinn.person()
  const device = await Device.synced(djinn, ben)
  await share(djinn, ana, ben, 'viewer')
  // The process hears of it by a notification, so a conditional request at the same moment may still be told that nothing is new.
  let tries = 0
  while (!(await device.client.sync()).changed) assert.ok(++tries < 1_000, 'the household arrives')
  assert.equal(device.client.rows('transactions').filter((row) => row.householdId === ana.householdId).length, 3)
  assert.equal(device.client.rows('households').find((one) => one.id === ana.householdId)!.role, 'viewer')
})
