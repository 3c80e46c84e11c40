// Sync of one household: a snapshot is what the lists say, a delta is what changed, and the checkpoint proves it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { open, type Person } from '../harness.ts'
import { coffee, csv, importFile, rent } from './import-files.ts'
import { assertEqualsLists, brief, kinds, listAll, Replica, syncPage, syncPath } from './replica.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
let account: string
let savings: string
let category: string
let bread: string
const date = '2026-01-31'

before(async () => {
  ana = await djinn.person()
  account = await ana.account({ openingBalance: 1_000 })
  savings = await ana.account({ name: 'Savings', kind: 'savings' })
  category = (await listAll(ana, '/api/categories'))[0]!.id
  bread = await transaction({ amount: -111, payee: 'Bakery' })
})

async function created(path: string, body: unknown): Promise<string> {
  const reply = await ana.post(path, body)
  assert.equal(reply.status, 201, reply.text)
  return reply.body.id
}

const transaction = (draft: Record<string, unknown> = {}) =>
  created('/api/transactions', { accountId: account, date, amount: -100, ...draft })

async function synced(): Promise<Replica> {
  const replica = new Replica()
  await replica.pull(ana)
  return replica
}

/** What the next sync tells of the work, proved by checkpoint and lists. */
async function deltaOf(replica: Replica, work: () => Promise<unknown>): Promise<Record<string, string[]>> {
  await work()
  const pages = await replica.pull(ana)
  await assertEqualsLists(replica, ana)
  return brief(pages)
}

const ok = async (reply: Promise<{ status: number; text: string }>) => {
  const { status, text } = await reply
  assert.ok(status < 300, text)
}
const sorted = (...ids: string[]) => ids.toSorted()

test('a snapshot is what the lists say, without tombstones, and its checkpoint is that of an independent count', async () => {
  const gone = await transaction()
  await ok(ana.delete(`/api/transactions/${gone}`))
  await transaction({ amount: -900, splits: [{ amount: -400, categoryId: category }, { amount: -500 }] })
  const replica = new Replica()
  const [page, ...more] = await replica.pull(ana)
  assert.equal(more.length, 0)
  assert.deepEqual([page!.removed, page!.hasMore], [[], false])
  assert.deepEqual(Object.keys(page!.changes), [...kinds])
  assert.equal(page!.checkpoint!['accounts']!.count, 2)
  assert.ok(!replica.told.some((one) => one.includes(gone)), 'a snapshot tells nothing of what is gone')
  await assertEqualsLists(replica, ana)
})

test('accounts and categories that are made, changed, deleted and restored arrive alone', async () => {
  const replica = await synced()
  for (const [kind, draft, change] of [
    ['accounts', { name: 'Cash', kind: 'cash', currency: 'EUR' }, { name: 'Purse' }],
    ['categories', { name: 'Books', kind: 'expense' }, { color: '#112233' }],
  ] as const) {
    let id = ''
    const path = () => `/api/${kind}/${id}`
    const made = await deltaOf(replica, async () => (id = await created(`/api/${kind}`, draft)))
    assert.deepEqual(made, { [kind]: [id] })
    assert.deepEqual(await deltaOf(replica, () => ok(ana.patch(path(), change))), { [kind]: [id] })
    assert.deepEqual(await deltaOf(replica, () => ok(ana.delete(path()))), { [`removed ${kind}`]: [id] })
    assert.deepEqual(await deltaOf(replica, () => ok(ana.post(`${path()}/restore`))), { [kind]: [id] })
  }
})

test('a transaction comes with the account whose balance it moved, and alone when it moved none', async () => {
  const replica = await synced()
  let id = ''
  const path = () => `/api/transactions/${id}`
  const both = () => ({ accounts: [account], transactions: [id] })
  const balance = () => replica.tables['accounts']!.get(account)!['balance'] as number
  const start = balance()
  assert.deepEqual(await deltaOf(replica, async () => (id = await transaction({ amount: -250 }))), both())
  assert.equal(balance(), start - 250)
  assert.deepEqual(await deltaOf(replica, () => ok(ana.patch(path(), { note: 'x', categoryId: category }))), { transactions: [id] })
  assert.deepEqual(
    await deltaOf(replica, () => ok(ana.patch(path(), { splits: [{ amount: -200, categoryId: category }, { amount: -50 }] }))),
    {
      transactions: [id],
    },
  )
  assert.deepEqual(await deltaOf(replica, () => ok(ana.patch(path(), { amount: -300, splits: null }))), both())
  assert.equal(balance(), start - 300)
  assert.deepEqual(await deltaOf(replica, () => ok(ana.patch(path(), { accountId: savings }))), {
    accounts: sorted(account, savings),
    transactions: [id],
  })
  assert.deepEqual(await deltaOf(replica, () => ok(ana.patch(path(), { accountId: account }))), {
    accounts: sorted(account, savings),
    transactions: [id],
  })
  assert.deepEqual(await deltaOf(replica, () => ok(ana.delete(path()))), { accounts: [account], 'removed transactions': [id] })
  assert.equal(balance(), start)
  assert.deepEqual(await deltaOf(replica, () => ok(ana.post(`${path()}/restore`))), both())
})

test('a transfer arrives as two transactions and two accounts, and is removed as such', async () => {
  const replica = await synced()
  let transfer = { id: '', from: { id: '' }, to: { id: '' } }
  const told = (name: string) => ({ accounts: sorted(account, savings), [name]: sorted(transfer.from.id, transfer.to.id) })
  const made = await deltaOf(replica, async () => {
    const reply = await ana.post('/api/transfers', { fromAccountId: account, toAccountId: savings, date, amount: 40 })
    assert.equal(reply.status, 201, reply.text)
    transfer = reply.body
  })
  assert.deepEqual(made, told('transactions'))
  const path = `/api/transfers/${transfer.id}`
  assert.deepEqual(await deltaOf(replica, () => ok(ana.patch(path, { amount: 50 }))), told('transactions'))
  assert.deepEqual(await deltaOf(replica, () => ok(ana.delete(path))), told('removed transactions'))
  assert.deepEqual(await deltaOf(replica, () => ok(ana.post(`${path}/restore`))), told('transactions'))
})

test('an import arrives with its rows and its account, and its undoing removes them', async () => {
  const replica = await synced()
  let id = ''
  const imported = await deltaOf(replica, async () => ({ id } = await importFile(ana, account, csv(coffee, coffee, rent))))
  const { transactions = [], ...rest } = imported
  assert.deepEqual([transactions.length, rest], [3, { accounts: [account] }])
  const undone = await deltaOf(replica, () => ok(ana.delete(`/api/imports/${id}`)))
  assert.deepEqual(undone, { accounts: [account], 'removed transactions': transactions })
})

test('a change of the household arrives as its row with the role', async () => {
  const replica = await synced()
  const told = await deltaOf(replica, () => ok(ana.patch(`/api/households/${ana.householdId}`, { name: 'Home' })))
  assert.deepEqual(told, { households: [ana.householdId] })
  const [row] = replica.rows('households')
  assert.deepEqual([row!['name'], row!['role']], ['Home', 'owner'])
})

test('many changes of a row arrive once, as it is now; what came and went between is removed only', async () => {
  const replica = await synced()
  let gone = ''
  const told = await deltaOf(replica, async () => {
    for (const note of ['a', 'b', 'c']) await ok(ana.patch(`/api/transactions/${bread}`, { note }))
    gone = await transaction()
    await ok(ana.delete(`/api/transactions/${gone}`))
  })
  assert.deepEqual(told, { accounts: [account], transactions: [bread], 'removed transactions': [gone] })
  assert.equal(replica.tables['transactions']!.get(bread)!['note'], 'c')
})

test('nothing new is one statement in one round trip, 304 with the tag and an empty page with the checkpoint without', async () => {
  const replica = await synced()
  const path = syncPath({ cursor: replica.cursor! })
  const plain = await ana.get(path)
  assert.deepEqual(brief([plain.body]), {})
  replica.assertProved(plain.body)
  const tag = plain.headers['etag']!
  const empty = await djinn.count(async () => assert.equal((await ana.get(path)).status, 200))
  assert.deepEqual(empty, { statements: ['sync.vector'], roundTrips: 1 })
  const unchanged = await djinn.count(async () => {
    const reply = await ana.get(path, { 'if-none-match': `"other", ${tag}` })
    assert.deepEqual([reply.status, reply.text, reply.headers['etag']], [304, '', tag])
  })
  assert.deepEqual(unchanged, { statements: ['revisions.read'], roundTrips: 1 })
  await ok(ana.patch(`/api/transactions/${bread}`, { note: 'new' }))
  const changed = await ana.get(path, { 'if-none-match': tag })
  assert.deepEqual([changed.status, brief([changed.body])], [200, { transactions: [bread] }])
  assert.notEqual(changed.headers['etag'], tag)
})

test('a delta reads each kind once, however many rows it has', async () => {
  const replica = await synced()
  for (let nth = 0; nth < 5; nth++) await transaction()
  const cost = await djinn.count(async () =>
    assert.equal((await syncPage(ana, { cursor: replica.cursor! })).changes['transactions']!.length, 5),
  )
  const statements = [
    'sync.vector',
    'accounts.changed',
    'categories.changed',
    'transactions.changed',
    'budgets.changed',
    'rules.changed',
    'bills.changed',
    'occurrences.changed',
    'sync.household',
  ]
  assert.deepEqual({ ...cost, statements: cost.statements.toSorted() }, { statements: statements.toSorted(), roundTrips: 2 })
})

test('the newest tag does not hide what an older cursor has not seen', async () => {
  const old = (await synced()).cursor!
  const id = await transaction()
  const tag = (await ana.get(syncPath({ cursor: old }))).headers['etag']!
  const again = await ana.get(syncPath({ cursor: old }), { 'if-none-match': tag })
  assert.deepEqual([again.status, again.status === 200 && brief([again.body])['transactions']], [200, [id]])
  const anew = await ana.get(syncPath({}), { 'if-none-match': tag })
  assert.equal(anew.status, 200)
})

test('kinds fetches some kinds anew with their checkpoint and leaves the other cursor as it was', async () => {
  const replica = await synced()
  const page = await syncPage(ana, { kinds: 'categories,accounts' })
  assert.deepEqual(Object.keys(page.changes).toSorted(), ['accounts', 'categories'])
  const { accounts, categories } = (await syncPage(ana, { cursor: replica.cursor! })).checkpoint!
  assert.deepEqual(page.checkpoint, { accounts, categories })
  for (const kind of ['accounts', 'categories']) assert.deepEqual(new Set(page.changes[kind]), new Set(replica.rows(kind)))
  const pages = []
  for (let cursor: string | undefined; ;) {
    const next = await syncPage(ana, cursor === undefined ? { kinds: 'transactions', limit: 3 } : { cursor, limit: 3 })
    pages.push(next)
    assert.deepEqual(Object.keys(next.changes), ['transactions'])
    if (!next.hasMore) break
    cursor = next.nextCursor
  }
  assert.deepEqual(brief(pages), { transactions: replica.rows('transactions').map(({ id }) => id) })
  for (const wrong of ['', 'spells', 'accounts,', 'accounts,Budgets']) {
    const reply = await ana.get(`/api/sync?kinds=${wrong}`)
    assert.deepEqual([reply.status, reply.body.errors[0].pointer], [400, '?kinds'], wrong)
  }
})
