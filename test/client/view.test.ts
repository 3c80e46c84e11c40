// What the user sees before the server knows: rows and balances as they will be.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { legId } from '../../src/client/digest.ts'
import { open, type Person } from '../harness.ts'
import { Device, offline, share } from './device.ts'

const djinn = await open()
after(() => djinn.close())

/** A device with two accounts in EUR and one in USD. */
async function household(): Promise<{ person: Person; device: Device; current: string; savings: string; dollars: string }> {
  const person = await djinn.person()
  const current = await person.account({ openingBalance: 10_000 })
  const savings = await person.account({ name: 'Savings' })
  const dollars = await person.account({ name: 'Dollars', currency: 'USD' })
  return { person, device: await Device.synced(djinn, person), current, savings, dollars }
}

const draft = (accountId: string, amount: number, more: object = {}) => ({ accountId, date: '2026-03-01', amount, payee: 'Shop', ...more })

/** What the user sees while offline is what both see after a sync, but for stamps. */
async function sameAfterSync(device: Device) {
  const shown = () =>
    ['accounts', 'categories', 'transactions', 'rules'].map((kind) =>
      device.client
        .rows(kind as 'accounts')
        .map((row) => ({ ...row, createdAt: '', updatedAt: '', revision: 0 }))
        .toSorted((one, other) => one.id.localeCompare(other.id)),
    )
  const before = shown()
  await device.client.sync()
  assert.equal(device.client.waiting, 0)
  assert.deepEqual(device.rejected, [])
  assert.deepEqual(before, shown())
}

test('before the first sync there is nothing, and no household to write to', async () => {
  const device = await Device.open(djinn, await djinn.person())
  assert.deepEqual(device.client.rows('accounts'), [])
  assert.throws(() => device.client.homeId(), /sync once/)
})

test('a row made offline is shown at once as the server will answer it, with the balance moved', async () => {
  const { device, current } = await household()
  const id = await device.client.create('transactions', draft(current, -1_250))
  assert.equal(device.client.row('transactions', id)!.currency, 'EUR')
  assert.equal(device.client.row('accounts', current)!.balance, 8_750)
  assert.equal(device.client.confirmed('transactions').length, 0)
  assert.equal(device.client.confirmed('accounts').find((one) => one.id === current)!.balance, 10_000)
  await sameAfterSync(device)
})

test('rules made offline are shown last, one behind the other, as the server will have them', async () => {
  const { person, device } = await household()
  const rule = { match: 'all', conditions: [{ field: 'payee', operator: 'is', value: 'Shop' }], actions: { note: 'x' } }
  await person.post('/api/rules', { ...rule, name: 'first', position: 3 })
  await device.client.sync()
  const second = await device.client.create('rules', { ...rule, name: 'second' })
  await device.client.create('rules', { ...rule, name: 'third', enabled: false })
  await device.client.update('rules', second, { stop: true })
  assert.deepEqual(
    device.client.rows('rules').map((row) => [row.name, row.position]),
    [
      ['first', 3],
      ['second', 4],
      ['third', 5],
    ],
  )
  await sameAfterSync(device)
})

test('pending money is shown beside the balance, and in it once posted', async () => {
  const { device, current } = await household()
  const id = await device.client.create('transactions', draft(current, -500, { status: 'pending' }))
  const shown = () => device.client.row('accounts', current)!
  assert.deepEqual([shown().balance, shown().pendingBalance], [10_000, -500])
  await device.client.update('transactions', id, { status: 'posted' })
  assert.deepEqual([shown().balance, shown().pendingBalance], [9_500, 0])
  await sameAfterSync(device)
})

test('a changed amount, a changed account and a removal move the balances', async () => {
  const { device, current, savings } = await household()
  const [kept, gone] = [
    await device.client.create('transactions', draft(current, -100)),
    await device.client.create('transactions', draft(current, -200)),
  ]
  await device.client.sync()
  await device.client.update('transactions', kept, { amount: -150 })
  assert.equal(device.client.row('accounts', current)!.balance, 9_650)
  await device.client.update('transactions', kept, { accountId: savings })
  await device.client.remove('transactions', gone)
  assert.equal(device.client.row('accounts', current)!.balance, 10_000)
  assert.equal(device.client.row('accounts', savings)!.balance, -150)
  assert.equal(device.client.row('transactions', gone), null)
  await sameAfterSync(device)
})

test('an account that opens with more has more', async () => {
  const { device, current } = await household()
  await device.client.update('accounts', current, { openingBalance: 12_000, name: 'Main' })
  assert.deepEqual([device.client.row('accounts', current)!.balance, device.client.row('accounts', current)!.name], [12_000, 'Main'])
  await sameAfterSync(device)
})

test('an account with its transactions, all made offline, is shown whole', async () => {
  const { device } = await household()
  const account = await device.client.create('accounts', { name: 'Cash', kind: 'cash', currency: 'EUR', openingBalance: 5_000 })
  const category = await device.client.create('categories', { name: 'Snacks', kind: 'expense' })
  await device.client.create('transactions', draft(account, -300, { categoryId: category }))
  assert.equal(device.client.row('accounts', account)!.balance, 4_700)
  await sameAfterSync(device)
})

test('a transfer made offline is two rows whose ids the server derives alike', async () => {
  const { device, person, current, savings } = await household()
  const id = await device.client.create('transfers', { fromAccountId: current, toAccountId: savings, date: '2026-03-02', amount: 2_500 })
  const [from, to] = [await legId(id, 'from'), await legId(id, 'to')]
  assert.deepEqual(
    [from, to].map((leg) => device.client.row('transactions', leg)!.transfer),
    [
      { id, side: 'from', transactionId: to, accountId: savings },
      { id, side: 'to', transactionId: from, accountId: current },
    ],
  )
  assert.equal(device.client.row('accounts', current)!.balance, 7_500)
  assert.equal(device.client.row('accounts', savings)!.balance, 2_500)
  await sameAfterSync(device)
  const { body } = await person.get(`/api/transfers/${id}`)
  assert.deepEqual([body.from.id, body.to.id], [from, to])
})

test('a changed transfer changes both legs in one currency, and each amount by itself across two', async () => {
  const { device, current, savings, dollars } = await household()
  const base = { fromAccountId: current, date: '2026-03-02', amount: 2_500 }
  const one = await device.client.create('transfers', { ...base, toAccountId: savings })
  const two = await device.client.create('transfers', { ...base, toAccountId: dollars, toAmount: 2_700 })
  await device.client.sync()
  await device.client.update('transfers', one, { amount: 1_000, note: 'less' })
  await device.client.update('transfers', two, { toAmount: 2_800 })
  const amounts = async (id: string) =>
    await Promise.all((['from', 'to'] as const).map(async (side) => device.client.row('transactions', await legId(id, side))!.amount))
  assert.deepEqual(await amounts(one), [-1_000, 1_000])
  assert.deepEqual(await amounts(two), [-2_500, 2_800])
  await sameAfterSync(device)

  await device.client.update('transfers', two, { amount: 3_000, toAmount: 3_100 })
  await device.client.remove('transfers', one)
  assert.deepEqual(await amounts(two), [-3_000, 3_100])
  assert.equal(device.client.row('transactions', await legId(one, 'from')), null)
  await sameAfterSync(device)
})

test('a balance stays when the writes were confirmed and the network went before the pull', async () => {
  const { person, device, current, savings } = await household()
  const kept = await device.client.create('transactions', draft(current, -1_250))
  await device.client.sync()
  device.network = (request, send, init) => (request === 'GET /api/sync' ? offline(request, send, init) : send())
  await device.client.create('transactions', draft(current, -100))
  await device.client.create('transactions', draft(current, -50, { status: 'pending' }))
  await device.client.create('transfers', { fromAccountId: current, toAccountId: savings, date: '2026-03-02', amount: 1_000 })
  await device.client.update('transactions', kept, { amount: -250 })
  await assert.rejects(device.client.sync(), { name: 'OfflineError' })
  assert.equal(device.client.waiting, 0)
  const shown = () => [current, savings].map((id) => device.client.row('accounts', id)!).map((one) => [one.balance, one.pendingBalance])
  const wanted = [
    [8_650, -50],
    [1_000, 0],
  ]
  assert.deepEqual(shown(), wanted)
  await device.client.remove('transactions', kept)
  await assert.rejects(device.client.sync(), { name: 'OfflineError' })
  await device.restart()
  assert.deepEqual(shown()[0], [8_900, -50])
  device.network = (_request, send) => send()
  await device.client.sync()
  assert.deepEqual(shown()[0], [8_900, -50])
  assert.equal((await person.get(`/api/accounts/${current}`)).body.balance, 8_900)
})

test('what is shown survives a restart without a network', async () => {
  const { device, current } = await household()
  device.network = offline
  const id = await device.client.create('transactions', draft(current, -700))
  await device.restart()
  assert.equal(device.client.waiting, 1)
  assert.equal(device.client.row('transactions', id)!.amount, -700)
  assert.equal(device.client.row('accounts', current)!.balance, 9_300)
})

test('a row that is not there cannot be changed', async () => {
  const { device, current } = await household()
  const id = await device.client.create('transactions', draft(current, -700))
  await device.client.remove('transactions', id)
  await assert.rejects(device.client.update('transactions', id, { note: 'x' }), /no transactions/)
  await assert.rejects(device.client.update('transfers', id, { note: 'x' }), /no transfers/)
  assert.equal(device.client.waiting, 0)
})

test("writes go to the user's own household, also when an older one was joined", async () => {
  const ana = await djinn.person()
  const ben = await djinn.person()
  await share(djinn, ana, ben)
  const device = await Device.synced(djinn, ben)
  assert.equal(device.client.rows('households').length, 2)
  assert.equal(device.client.homeId(), ben.householdId)
  const theirs = await device.client.create('accounts', { name: 'Shared', kind: 'cash', currency: 'EUR' }, ana.householdId)
  await device.client.sync()
  assert.equal((await ana.get(`/api/accounts/${theirs}`)).status, 200)
  assert.equal(device.client.row('accounts', theirs), null, 'it is not of the own household')
  assert.equal(device.client.row('accounts', theirs, ana.householdId)!.name, 'Shared')
})
