// Categories over HTTP.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { assertRefused, open, type Person, type Reply } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
before(async () => {
  ana = await djinn.person()
})

async function category(draft: Record<string, unknown> = {}): Promise<string> {
  const { status, body, text } = await ana.post('/api/categories', { name: 'Hobbies', kind: 'expense', ...draft })
  assert.equal(status, 201, text)
  return body.id
}

type Category = { id: string; name: string; kind: string; parentId: string | null; systemKey: string | null }

async function all(person: Person): Promise<Category[]> {
  const rows: Category[] = []
  let cursor = ''
  do {
    const { body } = await person.get(`/api/categories?limit=7${cursor}`)
    rows.push(...body.data)
    cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`
  } while (cursor !== '')
  return rows
}

test('a household starts with a copy of the default categories, under the same parents', async () => {
  const ben = await djinn.person()
  const rows = await all(ben)
  const defaults: { key: string; name: string; kind: string; parent: string | null }[] = (await ben.get('/api/system/categories')).body.data
  assert.ok(defaults.length > 20)
  const keyOf = new Map(rows.map((row) => [row.id, row.systemKey]))
  const told = rows.map((row) => [row.systemKey, row.name, row.kind, row.parentId && keyOf.get(row.parentId)].join('; '))
  const expected = defaults.map((each) => [each.key, each.name, each.kind, each.parent].join('; '))
  assert.deepEqual(told.toSorted(), expected.toSorted())
  // Another household's copies are rows of their own.
  const others = new Set((await all(ana)).map((row) => row.id))
  assert.equal(rows.filter((row) => others.has(row.id)).length, 0)
})

test('categories are listed by id, each once', async () => {
  const rows = await all(ana)
  assert.deepEqual(
    rows.map((row) => row.id),
    [...new Set(rows.map((row) => row.id))].toSorted(),
  )
  const { statements, roundTrips } = await djinn.count(() => ana.get('/api/categories?limit=100'))
  assert.deepEqual(statements, ['categories.list'])
  assert.equal(roundTrips, 1)
})

test('a category is added in at most three round trips, with what was left out empty', async () => {
  let made: Reply | undefined
  const { roundTrips } = await djinn.count(async () => {
    made = await ana.post('/api/categories', { name: 'Climbing', kind: 'expense', icon: 'mountain', color: '#1b7F4d' })
  })
  assert.ok(roundTrips <= 3, `${roundTrips} round trips`)
  const { status, headers, body } = made!
  assert.equal(status, 201)
  assert.equal(headers['location'], `/api/categories/${body.id}`)
  assert.deepEqual(
    { ...body, id: '', createdAt: '', updatedAt: '', revision: 0 },
    {
      ...{ id: '', name: 'Climbing', kind: 'expense', parentId: null, icon: 'mountain', color: '#1b7F4d', archived: false },
      ...{ systemKey: null, createdAt: '', updatedAt: '', revision: 0 },
    },
  )
  assert.deepEqual((await ana.get(`/api/categories/${body.id}`)).body, body)
})

test('the same id with the same content answers the category that is there; other content is refused', async () => {
  const id = newId()
  const sent = { id, name: 'Music', kind: 'expense', color: '#000000' }
  const first = await ana.post('/api/categories', sent)
  const again = await ana.post('/api/categories', sent)
  assert.deepEqual([first.status, again.status], [201, 200])
  assert.deepEqual(again.body, first.body)
  for (const other of [{ name: 'Songs' }, { kind: 'income' }, { color: null }, { icon: 'note' }, { archived: true }]) {
    assertRefused(await ana.post('/api/categories', { ...sent, ...other }), 409, 'already-exists', '/id')
  }
  assertRefused(await ana.post('/api/categories', { id, name: 'Music', kind: 'expense' }), 409, 'already-exists', '/id')
})

test('a field of the wrong kind, or one that is not ours to set, is refused at its place', async () => {
  const id = await category()
  const wrong: [string, unknown][] = [
    ['/name', ''],
    ['/kind', 'asset'],
    ['/color', 'green'],
    ['/color', '#12345'],
    ['/icon', ''],
    ['/archived', 'true'],
    ['/parentId', 'root'],
    ['/systemKey', 'groceries'],
    ['/householdId', newId()],
  ]
  for (const [pointer, value] of wrong) {
    const field = { [pointer.slice(1)]: value }
    assertRefused(await ana.post('/api/categories', { name: 'x', kind: 'expense', ...field }), 400, 'invalid-request', pointer)
    assertRefused(await ana.patch(`/api/categories/${id}`, field), 400, 'invalid-request', pointer)
  }
})

test('a category stands under one of its kind that is there', async () => {
  const parent = await category({ name: 'Sport' })
  const child = await category({ name: 'Climbing', parentId: parent })
  assertRefused(
    await ana.post('/api/categories', { name: 'Prizes', kind: 'income', parentId: parent }),
    422,
    'category-kind-mismatch',
    '/kind',
  )
  assertRefused(await ana.patch(`/api/categories/${child}`, { kind: 'income' }), 422, 'category-kind-mismatch', '/kind')
  assertRefused(await ana.patch(`/api/categories/${parent}`, { kind: 'income' }), 422, 'category-kind-mismatch', '/kind')
  assertRefused(
    await ana.post('/api/categories', { name: 'x', kind: 'expense', parentId: newId() }),
    404,
    'category-not-found',
    '/parentId',
  )
  const moved = await ana.patch(`/api/categories/${child}`, { parentId: null, kind: 'income' })
  assert.deepEqual([moved.status, moved.body.parentId, moved.body.kind], [200, null, 'income'])
})

test('no category stands under itself, and none more than eight deep', async () => {
  const chain = [await category({ name: 'Level 0' })]
  for (let level = 1; level <= 8; level++) chain.push(await category({ name: `Level ${level}`, parentId: chain.at(-1) }))
  assertRefused(
    await ana.post('/api/categories', { name: 'Level 9', kind: 'expense', parentId: chain[8] }),
    422,
    'category-cycle',
    '/parentId',
  )
  for (const below of [0, 1, 5]) {
    assertRefused(await ana.patch(`/api/categories/${chain[0]}`, { parentId: chain[below] }), 422, 'category-cycle', '/parentId')
  }
  const own = newId()
  assertRefused(
    await ana.post('/api/categories', { id: own, name: 'x', kind: 'expense', parentId: own }),
    422,
    'category-cycle',
    '/parentId',
  )
})

test('a category that a row, a split or a child uses is not deleted, but archived', async () => {
  const accountId = await ana.account()
  const parent = await category()
  const child = await category({ parentId: parent })
  const bySplit = await category()
  const row = await ana.post('/api/transactions', { accountId, date: '2026-01-31', amount: -5, categoryId: child })
  const split = await ana.post('/api/transactions', {
    ...{ accountId, date: '2026-01-31', amount: -5 },
    splits: [{ amount: -2, categoryId: bySplit }, { amount: -3 }],
  })
  for (const id of [parent, child, bySplit]) assertRefused(await ana.delete(`/api/categories/${id}`), 409, 'in-use')
  assert.equal((await ana.patch(`/api/categories/${child}`, { archived: true })).body.archived, true)
  await ana.delete(`/api/transactions/${row.body.id}`)
  await ana.patch(`/api/transactions/${split.body.id}`, { splits: null })
  for (const id of [child, parent, bySplit]) assert.equal((await ana.delete(`/api/categories/${id}`)).status, 204)
  assertRefused(await ana.post(`/api/transactions/${row.body.id}/restore`), 404, 'category-not-found', '/categoryId')
})

test('a deleted category is gone until it is restored', async () => {
  const id = await category({ name: 'Chess', icon: 'pawn' })
  const was = (await ana.get(`/api/categories/${id}`)).body
  assert.equal((await ana.delete(`/api/categories/${id}`)).status, 204)
  assert.equal((await ana.delete(`/api/categories/${id}`)).status, 204)
  assertRefused(await ana.get(`/api/categories/${id}`), 404, 'not-found')
  assertRefused(await ana.patch(`/api/categories/${id}`, { name: 'x' }), 409, 'deleted')
  assertRefused(await ana.post('/api/categories', { name: 'x', kind: 'expense', parentId: id }), 404, 'category-not-found', '/parentId')
  assert.equal((await all(ana)).filter((row) => row.id === id).length, 0)
  const back = await ana.post(`/api/categories/${id}/restore`)
  assert.deepEqual(back.body, { ...was, updatedAt: back.body.updatedAt, revision: back.body.revision })
  assertRefused(await ana.post(`/api/categories/${id}/restore`), 409, 'not-deleted')
  for (const reply of [
    await ana.post(`/api/categories/${newId()}/restore`),
    await ana.delete(`/api/categories/${newId()}`),
    await ana.patch(`/api/categories/${newId()}`, { name: 'x' }),
  ]) {
    assertRefused(reply, 404, 'not-found')
  }
})

test('a category comes back only under a parent that is there and still of its kind', async () => {
  const parent = await category()
  const child = await category({ parentId: parent })
  await ana.delete(`/api/categories/${child}`)
  await ana.delete(`/api/categories/${parent}`)
  assertRefused(await ana.post(`/api/categories/${child}/restore`), 404, 'category-not-found', '/parentId')
  await ana.post(`/api/categories/${parent}/restore`)
  await ana.patch(`/api/categories/${parent}`, { kind: 'income' })
  assertRefused(await ana.post(`/api/categories/${child}/restore`), 422, 'category-kind-mismatch', '/kind')
  await ana.patch(`/api/categories/${parent}`, { kind: 'expense' })
  assert.equal((await ana.post(`/api/categories/${child}/restore`)).body.parentId, parent)
})

test('the books hold after all of this', () => djinn.verify())
