// Two devices of one household change the same row: what merges, what collides, and who decides.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { open, type Person } from '../harness.ts'
import { Device } from './device.ts'

const djinn = await open()
after(() => djinn.close())

type Pair = { person: Person; one: Device; other: Device; id: string; account: string }

async function pair(): Promise<Pair> {
  const person = await djinn.person()
  const account = await person.account()
  const draft = { accountId: account, date: '2026-03-01', amount: -1_000, payee: 'Shop', note: 'first' }
  const id = (await person.post('/api/transactions', draft)).body.id
  return { person, one: await Device.synced(djinn, person), other: await Device.synced(djinn, person), id, account }
}

/** Both change the row offline; `other` is the second to come online. */
async function collide({ one, other, id }: Pair, theirs: object, mine: object) {
  await one.client.update('transactions', id, { ...theirs })
  await other.client.update('transactions', id, { ...mine })
  await one.client.sync()
  await other.client.sync()
  await one.client.sync()
}

function shown(device: Device, id: string) {
  const { payee, note, amount } = device.client.row('transactions', id)!
  return { payee, note, amount }
}

test('changes of different fields merge without asking', async () => {
  const both = await pair()
  await collide(both, { payee: 'Bakery' }, { note: 'bread' })
  assert.deepEqual(both.other.conflicts, [])
  for (const device of [both.one, both.other]) assert.deepEqual(shown(device, both.id), { payee: 'Bakery', note: 'bread', amount: -1_000 })
})

test('the same change by both is no conflict', async () => {
  const both = await pair()
  await collide(both, { payee: 'Bakery' }, { payee: 'Bakery' })
  assert.deepEqual(both.other.conflicts, [])
  assert.equal(both.other.client.waiting, 0)
})

test('the same field is a conflict that tells both sides; theirs keeps the rest of mine', async () => {
  const both = await pair()
  await collide(both, { payee: 'Theirs' }, { payee: 'Mine', note: 'kept' })
  const [conflict] = both.other.conflicts
  assert.equal(both.other.conflicts.length, 1)
  assert.deepEqual(
    [conflict!.reason, conflict!.fields, conflict!.current!['payee'], conflict!.current!['id']],
    ['changed', ['payee'], 'Theirs', both.id],
  )
  for (const device of [both.one, both.other]) assert.deepEqual(shown(device, both.id), { payee: 'Theirs', note: 'kept', amount: -1_000 })
})

test('without anybody to ask theirs stays', async () => {
  const both = await pair()
  await collide(both, { payee: 'Theirs' }, { payee: 'Mine' })
  for (const device of [both.one, both.other]) assert.equal(shown(device, both.id).payee, 'Theirs')
  assert.deepEqual([both.other.client.waiting, both.other.rejected], [0, []])
})

test('mine overwrites theirs', async () => {
  const both = await pair()
  both.other.resolve = () => 'mine'
  await collide(both, { payee: 'Theirs', amount: -2_000 }, { payee: 'Mine' })
  for (const device of [both.one, both.other]) assert.deepEqual(shown(device, both.id), { payee: 'Mine', note: 'first', amount: -2_000 })
})

test('an answer of the user is sent in place of both', async () => {
  const both = await pair()
  both.other.resolve = ({ entry, current }) => ({ note: `${String(current!['note'])} and ${String(entry.body['note'])}` })
  await collide(both, { note: 'theirs' }, { note: 'mine' })
  for (const device of [both.one, both.other]) assert.equal(shown(device, both.id).note, 'theirs and mine')
})

test('a third change between the answer and its sending is another conflict', async () => {
  const both = await pair()
  both.other.resolve = () => 'mine'
  let batches = 0
  both.other.network = async (request, send) => {
    if (request === 'POST /api/batch' && ++batches === 2) await both.person.patch(`/api/transactions/${both.id}`, { payee: 'Third' })
    return await send()
  }
  await collide(both, { payee: 'Theirs' }, { payee: 'Mine' })
  assert.deepEqual(
    both.other.conflicts.map((conflict) => conflict.current!['payee']),
    ['Theirs', 'Third'],
  )
  assert.equal(shown(both.one, both.id).payee, 'Mine')
})

test('a lost answer to a resolution is asked for again and decides nothing twice', async () => {
  const both = await pair()
  both.other.resolve = () => 'mine'
  let batches = 0
  both.other.network = async (request, send) => {
    const answer = await send()
    if (request !== 'POST /api/batch' || ++batches !== 2) return answer
    throw new TypeError('the connection broke before the answer')
  }
  await both.one.client.update('transactions', both.id, { payee: 'Theirs' })
  await both.other.client.update('transactions', both.id, { payee: 'Mine' })
  await both.one.client.sync()
  await assert.rejects(both.other.client.sync(), { name: 'OfflineError' })
  await both.other.restart()
  await both.other.client.sync()
  assert.equal(both.other.conflicts.length, 1)
  const { body } = await both.person.get(`/api/transactions/${both.id}`)
  assert.deepEqual([body.payee, both.other.client.waiting], ['Mine', 0])
  assert.deepEqual(shown(both.other, both.id).payee, 'Mine')
})

test('changing what another removed is a conflict with nothing to keep', async () => {
  const both = await pair()
  both.other.resolve = () => 'mine'
  await both.one.client.remove('transactions', both.id)
  await both.other.client.update('transactions', both.id, { payee: 'Mine' })
  await both.one.client.sync()
  await both.other.client.sync()
  assert.deepEqual(
    both.other.conflicts.map(({ reason, current }) => [reason, current]),
    [['gone', null]],
  )
  assert.equal(both.other.client.row('transactions', both.id), null)
  assert.deepEqual([both.other.client.waiting, both.other.rejected], [0, []])
})

test('an edit after a conflict that theirs won goes on from theirs', async () => {
  const both = await pair()
  await collide(both, { payee: 'Theirs' }, { payee: 'Mine' })
  await both.other.client.update('transactions', both.id, { payee: 'Mine after all' })
  await both.other.client.sync()
  assert.equal(both.other.conflicts.length, 1)
  assert.equal(shown(both.other, both.id).payee, 'Mine after all')
})

test('a transfer changed by both collides in its own fields', async () => {
  const { person, one, other, account } = await pair()
  const savings = await person.account({ name: 'Savings' })
  const id = await one.client.create('transfers', { fromAccountId: account, toAccountId: savings, date: '2026-03-01', amount: 100 })
  await one.client.sync()
  await other.client.sync()
  await one.client.update('transfers', id, { amount: 200 })
  await other.client.update('transfers', id, { amount: 300, date: '2026-03-05' })
  await one.client.sync()
  await other.client.sync()
  assert.deepEqual(
    other.conflicts.map(({ fields }) => fields),
    [['amount']],
  )
  const { body } = await person.get(`/api/transfers/${id}`)
  assert.deepEqual([body.to.amount, body.from.date], [200, '2026-03-05'])
})
