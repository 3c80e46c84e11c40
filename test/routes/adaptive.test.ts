// Answers fit the network: essential fields and short pages on a slow one, related rows and the next page on a fast one.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { open, type Person } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

const date = '2026-01-31'
const slow = { 'djinn-network': 'slow' }
const fast = { 'djinn-network': 'fast' }
const essential = {
  transactions: ['id', 'accountId', 'date', 'amount', 'currency', 'payee', 'categoryId', 'status', 'revision'],
  accounts: ['id', 'name', 'kind', 'currency', 'balance', 'closedAt', 'revision'],
  categories: ['id', 'name', 'kind', 'parentId', 'archived', 'revision'],
  transfers: ['id', 'from', 'to', 'revision'],
}

let ana: Person
const accountIds: string[] = []
let categoryIds: string[]

before(async () => {
  ana = await djinn.person()
  for (const name of ['Current', 'Card', 'Chest', 'Box']) accountIds.push(await ana.account({ name }))
  const { data } = (await ana.get('/api/categories?limit=100&fields=id')).body
  categoryIds = data.map((row: { id: string }) => row.id)
  const [accountId, cardId] = accountIds
  for (let number = 1; number <= 45; number++) {
    const draft =
      number === 45
        ? {
            splits: [
              { amount: -40, categoryId: categoryIds[8] },
              { amount: -5, categoryId: categoryIds[9] },
            ],
          }
        : { categoryId: number % 2 ? categoryIds[number % 5] : null }
    const body = { accountId: number % 3 ? accountId : cardId, date, amount: -number, ...draft }
    assert.equal((await ana.post('/api/transactions', body)).status, 201)
  }
  for (let number = 1; number <= 12; number++) {
    const body = { fromAccountId: accountIds[2], toAccountId: accountIds[3], date: '2026-01-01', amount: number }
    assert.equal((await ana.post('/api/transfers', body)).status, 201)
  }
})

const ids = (rows: { id: string }[]) => rows.map((row) => row.id)
const keysOf = (row: object) => Object.keys(row).toSorted()

test('on a slow network rows have exactly the essential fields, in lists and alone', async () => {
  for (const [noun, fields] of Object.entries(essential)) {
    const list = await ana.get(`/api/${noun}`, slow)
    assert.equal(list.headers['djinn-quality'], 'essential')
    assert.ok(list.body.data.length > 0 && list.body.data.length <= 10)
    for (const row of list.body.data) assert.deepEqual(keysOf(row), fields.toSorted(), noun)
    assert.deepEqual(keysOf(list.body), ['data', 'nextCursor'])
    const path = `/api/${noun}/${list.body.data[0].id}`
    const [one, full] = [await ana.get(path, slow), await ana.get(path)]
    assert.deepEqual(one.body, list.body.data[0])
    assert.deepEqual([one.headers['djinn-quality'], full.headers['djinn-quality']], ['essential', 'full'])
    for (const field of fields) assert.deepEqual(one.body[field], full.body[field])
    assert.ok(one.text.length < full.text.length)
  }
})

test('explicit fields and limits win on every network', async () => {
  for (const headers of [slow, fast, {}]) {
    const { body } = await ana.get('/api/transactions?fields=id,note,splits&limit=15', headers)
    assert.equal(body.data.length, 15)
    for (const row of body.data) assert.deepEqual(keysOf(row), ['id', 'note', 'splits'])
  }
  const limited = await ana.get('/api/transactions?limit=25', slow)
  assert.equal(limited.body.data.length, 25)
  assert.deepEqual(keysOf(limited.body.data[0]), essential.transactions.toSorted())
  const chosen = await ana.get('/api/transactions?fields=id', slow)
  assert.equal(chosen.body.data.length, 10)
})

test('walks of every network meet every row once', async () => {
  const walks: string[][] = []
  for (const headers of [slow, fast, {}]) {
    const met: string[] = []
    let path: string | null = '/api/transactions'
    while (path !== null) {
      const { body } = await ana.get(path, headers)
      met.push(...ids(body.data))
      path = body.nextCursor === null ? null : `/api/transactions?cursor=${body.nextCursor}`
    }
    walks.push(met)
  }
  assert.deepEqual(walks[0], walks[2])
  assert.deepEqual(walks[1], walks[2])
  assert.equal(new Set(walks[0]).size, 69)
})

test('a cursor of a slow page goes on where it ended on a fast network', async () => {
  const first = await ana.get('/api/transactions', slow)
  const next = await ana.get(`/api/transactions?cursor=${first.body.nextCursor}`, fast)
  const all = ids((await ana.get('/api/transactions?limit=100')).body.data)
  assert.deepEqual([...ids(first.body.data), ...ids(next.body.data), ...ids(next.body.prefetched.data)], all.slice(0, 50))
})

test('a fast page brings the accounts and categories that it names, those of splits too, and no others', async () => {
  const { body } = await ana.get('/api/transactions?limit=3', fast)
  const rows = [...body.data, ...body.prefetched.data]
  const named = rows.flatMap((row) => [row.categoryId, ...(row.splits ?? []).map((split: { categoryId: string }) => split.categoryId)])
  const wanted = new Set(named.filter((id) => id !== null))
  assert.ok(wanted.has(categoryIds[8]) && wanted.has(categoryIds[9]))
  assert.deepEqual(Object.keys(body.included).toSorted(), ['accounts', 'categories'])
  assert.deepEqual([body.included.categories.length, new Set(ids(body.included.categories))], [wanted.size, wanted])
  const used = new Set(rows.map((row) => row.accountId))
  assert.deepEqual([body.included.accounts.length, new Set(ids(body.included.accounts))], [used.size, used])
  for (const account of body.included.accounts) assert.deepEqual(account, (await ana.get(`/api/accounts/${account.id}`)).body)
  for (const category of body.included.categories) assert.deepEqual(category, (await ana.get(`/api/categories/${category.id}`)).body)
})

test('included rows are whole when fields of the list are chosen', async () => {
  const { body } = await ana.get('/api/transactions?limit=3&fields=id', fast)
  assert.deepEqual(keysOf(body.data[0]), ['id'])
  assert.deepEqual(keysOf(body.prefetched.data[0]), ['id'])
  assert.ok(body.included.accounts.length > 0)
  assert.ok('balance' in body.included.accounts[0])
})

test('the prefetched page is the page that its cursor would have answered, and its own cursor goes on', async () => {
  for (const query of ['limit=7&', `account=${accountIds[1]}&limit=4&`, 'amountMax=-10&limit=10&']) {
    const page = await ana.get(`/api/transactions?${query}`, fast)
    const next = await ana.get(`/api/transactions?${query}cursor=${page.body.nextCursor}`)
    assert.deepEqual(page.body.prefetched, next.body)
    const third = await ana.get(`/api/transactions?${query}cursor=${page.body.prefetched.nextCursor}`)
    const all = await ana.get(`/api/transactions?${query.replace(/limit=\d+&/, '')}limit=100`)
    const met = [...ids(page.body.data), ...ids(next.body.data), ...ids(third.body.data)]
    assert.deepEqual(met, ids(all.body.data).slice(0, met.length))
  }
})

test('the last page has nothing behind it, and an empty list names nothing', async () => {
  const last = await ana.get('/api/transactions?limit=100', fast)
  assert.deepEqual([last.body.nextCursor, 'prefetched' in last.body], [null, false])
  const ben = await djinn.person()
  const { body } = await ben.get('/api/transactions', fast)
  assert.deepEqual(body, { data: [], nextCursor: null, included: { accounts: [], categories: [] } })
})

test('what a fast page costs does not grow with its rows', async () => {
  const cost = (path: string, headers: Record<string, string>) => djinn.count(() => ana.get(path, headers))
  for (const limit of [2, 5, 20]) {
    const { statements, roundTrips } = await cost(`/api/transactions?limit=${limit}`, fast)
    assert.deepEqual(
      statements.toSorted(),
      ['accounts.byIds', 'categories.byIds', 'transactions.list', 'transactions.list after'].filter(
        (name) => name !== 'categories.byIds' || limit > 0,
      ),
    )
    assert.ok(roundTrips <= 4)
  }
  for (const headers of [slow, {}])
    assert.deepEqual(await cost('/api/transactions', headers as Record<string, string>), {
      statements: ['transactions.list'],
      roundTrips: 1,
    })
})

test('answers that depend on the network say so in Vary and in Djinn-Quality; the others are the same on every network', async () => {
  const vary = 'Accept-Encoding, Authorization, Djinn-Household, Save-Data, ECT, Downlink, RTT, Djinn-Network'
  const { body: imported } = await ana.upload(`/api/imports?accountId=${accountIds[2]}`, 'Date,Amount,Payee\n2026-01-31,-5.00,Baker\n')
  const reads = djinn.api.operations.filter(
    (one) => one.method === 'GET' && one.effect === 'read' && one.path.startsWith('/api/') && one.access !== 'anonymous',
  )
  const rowIds: Record<string, string> = {
    accounts: accountIds[0]!,
    categories: categoryIds[0]!,
    transactions: (await ana.get('/api/transactions')).body.data[0].id,
    transfers: (await ana.get('/api/transfers')).body.data[0].id,
    imports: imported.id,
    households: ana.householdId,
  }
  /** What some reads must be asked with. */
  const asked: Record<string, string> = { '/api/rates': '?on=2026-01-31', '/api/reports/balance': '?date=2026-01-31' }
  let dependent = 0
  for (const operation of reads) {
    const path = operation.path.replace('{id}', rowIds[operation.path.split('/')[2]!] ?? newId()) + (asked[operation.path] ?? '')
    const replies = [await ana.get(path), await ana.get(path, slow), await ana.get(path, fast)]
    const bodies = new Set(replies.map((reply) => JSON.stringify(reply.body)))
    const tags = new Set(replies.map((reply) => reply.headers['etag']))
    if (replies.every((reply) => reply.status === 404)) continue
    for (const reply of replies) {
      assert.equal(reply.status, 200, `${path} ${reply.text}`)
      if (bodies.size > 1) assert.equal(reply.headers['vary'], vary, path)
      if (bodies.size > 1) assert.match(reply.headers['djinn-quality'] ?? '', /^(essential|full)$/, path)
    }
    if (bodies.size > 1) assert.ok(tags.size > 1, path)
    if (bodies.size > 1) dependent++
  }
  assert.ok(dependent >= 6)
})

test('tags differ by quality, and each is 304 for its own only', async () => {
  for (const path of ['/api/transactions', `/api/accounts/${accountIds[0]}`]) {
    const networks = [{}, slow, fast] as Record<string, string>[]
    const tags = await Promise.all(networks.map(async (headers) => (await ana.get(path, headers)).headers['etag']!))
    assert.equal(new Set(tags).size, 3)
    for (const [at, headers] of networks.entries()) {
      for (const [of, tag] of tags.entries()) {
        const { status, headers: given } = await ana.get(path, { ...headers, 'if-none-match': tag })
        assert.equal(status, at === of ? 304 : 200, `${path} ${at} ${of}`)
        assert.equal(given['djinn-quality'], at === 1 ? 'essential' : 'full')
        assert.match(given['vary'] ?? '', /Djinn-Network$/)
      }
    }
  }
})

test('writes answer whole rows on every network', async () => {
  for (const headers of [slow, fast]) {
    const draft = { accountId: accountIds[2], date, amount: -1 }
    const made = await ana.post('/api/transactions', draft, headers)
    assert.ok('createdAt' in made.body && 'splits' in made.body)
    assert.equal(made.headers['djinn-quality'], undefined)
    const patched = await ana.patch(made.headers['location']!, { note: 'x' }, headers)
    assert.equal(patched.body.note, 'x')
    assert.equal((await ana.delete(made.headers['location']!, headers)).status, 204)
  }
})
