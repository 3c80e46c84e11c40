// Changes made offline: on an older revision disjoint ones merge, overlapping ones are refused with the server's copy.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { open, type Person, type Reply } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

const date = '2026-01-31'
let ana: Person
let accountId: string
let savingsId: string
let categoryIds: string[]

before(async () => {
  ana = await djinn.person()
  accountId = await ana.account()
  savingsId = await ana.account({ name: 'Savings' })
  categoryIds = (await ana.get('/api/categories?fields=id')).body.data.map((row: { id: string }) => row.id)
})

/** A row with its path and the revision that an offline client knows of it. */
async function made(noun: string, draft: object) {
  const { status, body, text } = await ana.post(`/api/${noun}`, draft)
  assert.equal(status, 201, text)
  return { path: `/api/${noun}/${body.id}`, id: body.id as string, base: body.revision as number, row: body }
}

const spent = (draft: object = {}) => made('transactions', { accountId, date, amount: -500, payee: 'Baker', ...draft })
const moved = (draft: object = {}) => made('transfers', { fromAccountId: accountId, toAccountId: savingsId, date, amount: 500, ...draft })

/** The change of another device, which reached the server first. */
async function change(path: string, body: object): Promise<Reply> {
  const reply = await ana.patch(path, body)
  assert.equal(reply.status, 200, reply.text)
  return reply
}

function assertConflict(reply: Reply, current: object, ...fields: string[]) {
  assert.deepEqual([reply.status, reply.body.code], [409, 'conflict'], reply.text)
  assert.deepEqual(reply.body.conflicts.toSorted(), fields.toSorted())
  const points = reply.body.errors.map((point: { pointer: string; code: string }) => [point.pointer, point.code])
  assert.deepEqual(
    points,
    reply.body.conflicts.map((field: string) => [`/${field}`, 'conflict']),
  )
  assert.deepEqual(reply.body.current, current)
}

test('changes of different fields merge', async () => {
  const { path, base } = await spent()
  await change(path, { note: 'rolls' })
  await change(path, { date: '2026-02-01' })
  const merged = await ana.patch(path, { baseRevision: base, payee: 'Bakery', amount: -450, categoryId: categoryIds[0] })
  assert.equal(merged.status, 200, merged.text)
  const { body } = await ana.get(path)
  assert.deepEqual(body, merged.body)
  assert.deepEqual(
    [body.note, body.date, body.payee, body.amount, body.categoryId],
    ['rolls', '2026-02-01', 'Bakery', -450, categoryIds[0]],
  )
})

test("a field that both changed is a conflict with the server's row and the fields, and nothing is written", async () => {
  const { path, base } = await spent()
  const current = (await change(path, { payee: 'Grocer', note: 'apples' })).body
  const was = await djinn.sql('select revision, entries from revisions where household_id = $1', [ana.householdId])
  assertConflict(await ana.patch(path, { baseRevision: base, payee: 'Bakery', note: 'rolls', amount: -1 }), current, 'payee', 'note')
  assertConflict(await ana.patch(path, { baseRevision: base, payee: 'Bakery', categoryId: categoryIds[0] }), current, 'payee')
  assert.deepEqual((await ana.get(path)).body, current)
  assert.deepEqual(await djinn.sql('select revision, entries from revisions where household_id = $1', [ana.householdId]), was)
})

test('the revision of the conflict is the base on which the change goes through', async () => {
  const { path, base } = await spent()
  await change(path, { payee: 'Grocer' })
  const { body: conflict } = await ana.patch(path, { baseRevision: base, payee: 'Bakery' })
  const settled = await ana.patch(path, { baseRevision: conflict.current.revision, payee: 'Bakery' })
  assert.deepEqual([settled.status, settled.body.payee], [200, 'Bakery'])
})

test('the same change made twice is none, also when it went there and back', async () => {
  const { path, base } = await spent({ splits: [{ amount: -300, note: 'a' }, { amount: -200 }] })
  await change(path, { payee: 'Grocer', splits: [{ amount: -100, note: 'b' }, { amount: -400 }] })
  const same = {
    baseRevision: base,
    payee: 'Grocer',
    splits: [
      { amount: -100, note: 'b', categoryId: null },
      { amount: -400, note: '' },
    ],
  }
  assert.equal((await ana.patch(path, same)).status, 200)
  await change(path, { payee: 'Baker' })
  const { status, body: current } = await ana.patch(path, { baseRevision: base, payee: 'Baker' })
  assert.equal(status, 200)
  assertConflict(await ana.patch(path, { baseRevision: base, payee: 'Bakery' }), current, 'payee')
})

test('amount and splits collide, for they belong together', async () => {
  const splits = [{ amount: -300 }, { amount: -200 }]
  for (const [theirs, mine, field] of [
    [{ amount: -600, splits: [{ amount: -300 }, { amount: -300 }] }, { splits: null }, 'splits'],
    [{ splits: [{ amount: -100 }, { amount: -400 }] }, { amount: -400, splits: [{ amount: -300 }, { amount: -100 }] }, 'amount splits'],
    [{ splits: null }, { amount: -400 }, 'amount'],
    [{ amount: -600, splits: null }, { amount: -400 }, 'amount'],
  ] as const) {
    const { path, base } = await spent({ splits })
    const current = (await change(path, theirs)).body
    assertConflict(await ana.patch(path, { baseRevision: base, ...mine }), current, ...field.split(' '))
  }
  const { path, base } = await spent({ splits })
  await change(path, { note: 'x' })
  assert.equal((await ana.patch(path, { baseRevision: base, splits: null })).status, 200)
})

test('an original amount is compared without the rate that follows from it', async () => {
  const { path, base } = await spent({ original: { amount: -600, currency: 'USD' } })
  await change(path, { original: { amount: -700, currency: 'USD' } })
  assert.equal((await ana.patch(path, { baseRevision: base, original: { amount: -700, currency: 'USD' } })).status, 200)
  const { body: current } = await ana.get(path)
  assertConflict(await ana.patch(path, { baseRevision: base, original: null }), current, 'original')
  const other = await spent({ original: { amount: -600, currency: 'USD' } })
  await change(other.path, { amount: -300 })
  const merged = await ana.patch(other.path, { baseRevision: other.base, note: 'x' })
  assert.deepEqual([merged.status, merged.body.original], [200, { amount: -600, currency: 'USD', rate: '0.5' }])
})

test('a base that is the current revision or one of the future conflicts with nothing', async () => {
  const { path } = await spent()
  const { revision } = (await change(path, { payee: 'Grocer' })).body
  assert.equal((await ana.patch(path, { baseRevision: revision, payee: 'Bakery' })).status, 200)
  const future = await ana.patch(path, { baseRevision: Number.MAX_SAFE_INTEGER, payee: 'Butcher' })
  assert.deepEqual([future.status, future.body.payee], [200, 'Butcher'])
})

test('a base of before the row, such as 0, conflicts with every field that differs', async () => {
  const { path, row } = await spent()
  assertConflict(await ana.patch(path, { baseRevision: 0, payee: 'Bakery', note: '', amount: -500 }), row, 'payee')
  assert.equal((await ana.patch(path, { baseRevision: 0, payee: 'Baker' })).status, 200)
})

test('a change of another row, and balances that move, are no conflict', async () => {
  const account = await made('accounts', { name: 'Purse', kind: 'cash', currency: 'EUR' })
  await spent({ accountId: account.id })
  await spent()
  const renamed = await ana.patch(account.path, { baseRevision: account.base, name: 'Chest' })
  assert.deepEqual([renamed.status, renamed.body.name, renamed.body.balance], [200, 'Chest', -500])
})

test('accounts and categories merge and conflict alike', async () => {
  const account = await made('accounts', { name: 'Purse', kind: 'cash', currency: 'EUR' })
  const closed = (await change(account.path, { name: 'Chest', openingBalance: 5, closedAt: '2026-02-01T00:00:00Z' })).body
  assert.equal((await ana.patch(account.path, { baseRevision: account.base, note: 'x' })).status, 200)
  const { body: current } = await ana.get(account.path)
  const mine = { name: 'Jar', openingBalance: 6, institutionId: null, kind: 'other', closedAt: null }
  assertConflict(await ana.patch(account.path, { baseRevision: account.base, ...mine }), current, 'name', 'openingBalance', 'closedAt')
  assert.equal((await ana.patch(account.path, { baseRevision: account.base, closedAt: closed.closedAt })).status, 200)

  const category = await made('categories', { name: 'Hats', kind: 'expense', color: '#112233' })
  const parent = await made('categories', { name: 'Clothes', kind: 'expense' })
  await change(category.path, { parentId: parent.id, color: '#445566' })
  assert.equal((await ana.patch(category.path, { baseRevision: category.base, archived: true, icon: 'hat' })).status, 200)
  const { body: there } = await ana.get(category.path)
  assert.deepEqual([there.parentId, there.archived, there.icon], [parent.id, true, 'hat'])
  assertConflict(await ana.patch(category.path, { baseRevision: category.base, parentId: null, color: null }), there, 'parentId', 'color')
})

test('transfers merge and conflict by what their legs say', async () => {
  const { path, base } = await moved()
  await change(path, { note: 'rent' })
  const merged = await ana.patch(path, { baseRevision: base, date: '2026-02-01' })
  assert.deepEqual([merged.status, merged.body.from.note, merged.body.to.date], [200, 'rent', '2026-02-01'])
  await change(path, { amount: 600 })
  const { body: current } = await ana.get(path)
  for (const [mine, ...fields] of [
    [{ amount: 700 }, 'amount'],
    [{ amount: 700, toAmount: 700, note: 'loan' }, 'amount', 'toAmount', 'note'],
    [{ date: '2026-03-01' }, 'date'],
  ] as [object, ...string[]][]) {
    const reply = await ana.patch(path, { baseRevision: base, ...mine })
    assertConflict(reply, current, ...fields)
  }
  assert.equal((await ana.patch(path, { baseRevision: base, amount: 600, note: 'rent' })).status, 200)
  const other = await ana.account({ name: 'Other' })
  assert.equal((await ana.patch(path, { baseRevision: base, toAccountId: other })).status, 200)
})

test('a change on the copy that was just read is no conflict, whatever was changed before, its legs by themselves too', async () => {
  const transfer = await moved()
  await change(`/api/transactions/${transfer.row.from.id}`, { note: 'mine', payee: 'x' })
  const rows = [transfer.path, (await spent()).path, (await made('accounts', { name: 'A', kind: 'cash', currency: 'EUR' })).path]
  for (const path of rows) {
    const { body } = await ana.get(path)
    const reply = await ana.patch(path, { baseRevision: body.revision, note: 'later' })
    assert.equal(reply.status, 200, reply.text)
  }
})

test('the conflict of a transfer tells a revision on which it goes through', async () => {
  const { path, base } = await moved()
  await change(path, { amount: 600 })
  const { body: conflict } = await ana.patch(path, { baseRevision: base, amount: 700 })
  assert.equal((await ana.patch(path, { baseRevision: conflict.current.revision, amount: 700 })).status, 200)
})

test('changing what was deleted is 409, what was never there or is elsewhere 404, with a base and without', async () => {
  const ben = await djinn.person()
  const foreign = await ben.account()
  const rows = [
    await spent(),
    await moved(),
    await made('accounts', { name: 'A', kind: 'cash', currency: 'EUR' }),
    await made('categories', { name: 'Hats', kind: 'expense' }),
  ]
  for (const { path, base } of rows) {
    assert.equal((await ana.delete(path)).status, 204)
    const field = path.includes('/accounts/') || path.includes('/categories/') ? { name: 'x' } : { date: '2026-02-02' }
    for (const body of [{ ...field, baseRevision: base }, { ...field, baseRevision: 0 }, field]) {
      const gone = await ana.patch(path, body)
      assert.deepEqual([gone.status, gone.body.code], [409, 'deleted'], path)
      const noun = path.split('/')[2]
      for (const id of [newId(), foreign]) {
        const missing = await ana.patch(`/api/${noun}/${id}`, body)
        assert.deepEqual([missing.status, missing.body.code], [404, 'not-found'], path)
      }
    }
  }
})

test('deleting what is gone succeeds and writes nothing', async () => {
  for (const { path } of [
    await spent(),
    await moved(),
    await made('accounts', { name: 'A', kind: 'cash', currency: 'EUR' }),
    await made('categories', { name: 'Hats', kind: 'expense' }),
  ]) {
    assert.equal((await ana.delete(path)).status, 204)
    const entries = () => djinn.sql('select entries, head from revisions where household_id = $1', [ana.householdId])
    const was = await entries()
    const again = await ana.delete(path)
    assert.deepEqual([again.status, again.text], [204, ''], path)
    assert.deepEqual(await entries(), was)
  }
})

test('a change of before a deletion and a restore merges with what was changed since', async () => {
  const { path, base } = await spent()
  await change(path, { note: 'rolls' })
  assert.equal((await ana.delete(path)).status, 204)
  const { body: current } = await ana.post(`${path}/restore`)
  assert.equal((await ana.patch(path, { baseRevision: base, payee: 'Bakery' })).status, 200)
  const reply = await ana.patch(path, { baseRevision: base, note: 'bread' })
  assertConflict(
    reply,
    { ...current, payee: 'Bakery', revision: reply.body.current.revision, updatedAt: reply.body.current.updatedAt },
    'note',
  )
})

test('where the journal was erased every field counts as touched', async () => {
  const { path, base, id } = await spent()
  await change(path, { note: 'rolls' })
  await djinn.sql('update journal set changes = null, salt = null where household_id = $1 and entity_id = $2', [ana.householdId, id])
  const { body: current } = await ana.get(path)
  assertConflict(await ana.patch(path, { baseRevision: base, payee: 'Bakery', amount: -500 }), current, 'payee')
  assert.equal((await ana.patch(path, { baseRevision: base, payee: 'Baker' })).status, 200)
})

test('a base that is no revision is refused', async () => {
  const { path } = await spent()
  for (const baseRevision of [-1, 1.5, '7', null, true, 2 ** 53]) {
    const { status, body } = await ana.patch(path, { baseRevision, note: 'x' })
    assert.deepEqual([status, body.errors[0].pointer], [400, '/baseRevision'])
  }
})

test('a base and If-Match both hold', async () => {
  const { path, base } = await spent()
  const tag = (await ana.get(path)).headers['etag']!
  await change(path, { note: 'rolls' })
  const stale = await ana.patch(path, { baseRevision: base, payee: 'Bakery' }, { 'if-match': tag })
  assert.deepEqual([stale.status, stale.body.code], [412, 'precondition-failed'])
})
