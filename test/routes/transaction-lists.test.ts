// Lists of transactions: order, pages, cursors, filters, search and chosen fields.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { newId } from '../../src/values/id.ts'
import { open, type Person, type Reply } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

type Row = {
  id: string
  accountId: string
  date: string
  amount: number
  payee: string
  note: string
  categoryId: string | null
  splits: { categoryId: string | null }[] | null
  status: string
}

let ana: Person
let accounts: string[]
let categories: string[]
/** Every row of Ana's household, in the order of the list. */
let all: Row[]

const payees = ['100% Juice', '1000 Juices', 'a_b', 'aXb', 'back\\slash', 'Café Ünal', '', 'café au lait']
const notes = ['', 'half 50%', 'under_score', 'Juice']
const dates = ['2026-01-31', '2026-01-31', '2026-01-31', '2026-02-01', '2025-12-31']
const statuses = ['posted', 'pending', 'reconciled', 'posted']
const newestFirst = (rows: Row[]) => rows.toSorted((a, b) => (a.date === b.date ? (a.id < b.id ? 1 : -1) : a.date < b.date ? 1 : -1))

before(async () => {
  ana = await djinn.person()
  accounts = [await ana.account(), await ana.account({ name: 'Cash', kind: 'cash' })]
  categories = []
  for (const name of ['One', 'Two']) categories.push((await ana.post('/api/categories', { name, kind: 'expense' })).body.id)
  all = []
  for (let index = 0; index < 60; index++) {
    const { status, body, text } = await ana.post('/api/transactions', {
      // Ids of a phone whose clock is wrong do not follow the dates.
      ...(index % 2 === 0 ? { id: crypto.randomUUID() } : {}),
      ...{ accountId: accounts[index % 7 === 0 ? 1 : 0], date: dates[index % dates.length], amount: (index % 11) * 100 - 500 },
      ...{ payee: payees[index % payees.length], note: notes[index % 4], status: statuses[(index * 3) % 4] },
      categoryId: index % 3 === 0 ? categories[0] : null,
      ...(index % 5 === 0
        ? {
            amount: -10,
            splits: [
              { amount: -4, categoryId: categories[1] },
              { amount: -6, categoryId: index % 2 ? categories[1] : null },
            ],
          }
        : {}),
    })
    assert.equal(status, 201, text)
    all.push(body)
  }
  all = newestFirst(all)
})

function assertRefused(reply: Reply, code: string, pointer: string) {
  assert.deepEqual([reply.status, reply.body.code, reply.body.errors[0]?.pointer], [400, code, pointer], reply.text)
}

const query = (parameters: Record<string, string>) => `/api/transactions?${new URLSearchParams(parameters).toString()}`

/** The ids that a walk over all pages meets, in its order; `between` runs before each further page. */
async function walk(person: Person, parameters: Record<string, string>, between?: () => Promise<unknown>): Promise<string[]> {
  const met: string[] = []
  let cursor: string | null = null
  do {
    const { status, body, text }: Reply = await person.get(query({ ...parameters, ...(cursor === null ? {} : { cursor }) }))
    assert.equal(status, 200, text)
    if (parameters['limit']) assert.ok(body.data.length <= Number(parameters['limit']))
    assert.ok(body.nextCursor === null || body.data.length > 0, 'a page before another one is not empty')
    met.push(...body.data.map((row: Row) => row.id))
    cursor = body.nextCursor
    if (cursor !== null) await between?.()
  } while (cursor !== null)
  return met
}

test('a list of 20 takes one round trip, splits and transfers among them', async () => {
  const [fromAccountId, toAccountId] = accounts
  const { body } = await ana.post('/api/transfers', { fromAccountId, toAccountId, date: '2026-03-01', amount: 5 })
  let listed: Reply | undefined
  const { statements, roundTrips } = await djinn.count(async () => {
    listed = await ana.get('/api/transactions')
  })
  assert.deepEqual(statements, ['transactions.list'])
  assert.equal(roundTrips, 1)
  assert.equal(listed!.body.data.length, 20)
  assert.deepEqual(new Set(listed!.body.data.slice(0, 2).map((row: Row) => row.id)), new Set([body.from.id, body.to.id]))
  assert.deepEqual(listed!.body.data[2], (await ana.get(`/api/transactions/${all[0]!.id}`)).body)
  await ana.delete(`/api/transfers/${body.id}`)
})

test('pages of any size meet every row once, newest day first and then by id downwards', async () => {
  const expected = all.map((row) => row.id)
  for (const limit of ['1', '2', '7', '20', '59', '60', '61', '100']) {
    assert.deepEqual(await walk(ana, { limit }), expected, `pages of ${limit}`)
  }
})

test('a walk meets each row that stays once, though others come and go meanwhile', async () => {
  const ben = await djinn.person()
  const accountId = await ben.account()
  const add = async (date: string) => (await ben.post('/api/transactions', { accountId, date, amount: -1 })).body.id as string
  const staying: string[] = []
  const leaving: string[] = []
  for (let count = 0; count < 12; count++) staying.push(await add('2026-01-31'))
  for (let count = 0; count < 6; count++) leaving.push(await add('2026-01-31'))
  const met = await walk(ben, { limit: '3' }, async () => {
    await add('2026-02-01')
    await add('2026-01-31')
    const id = leaving.pop()
    if (id) await ben.delete(`/api/transactions/${id}`)
  })
  assert.equal(new Set(met).size, met.length, 'no row twice')
  assert.deepEqual(
    staying.filter((id) => !met.includes(id)),
    [],
  )
})

test('a limit is a whole number from 1 to 100, given once', async () => {
  for (const limit of ['0', '-1', '101', '1000000000', '99999999999999999999', 'ten', '', '1.5', '+5', '0x10', '1e1', ' 5']) {
    const reply = await ana.get(query({ limit }))
    assertRefused(reply, 'invalid-request', '?limit')
  }
  assertRefused(await ana.get('/api/transactions?limit=5&limit=5'), 'invalid-request', '?limit')
})

test('a cursor that was tampered with, or is none of ours, is refused', async () => {
  const cursor: string = (await ana.get(query({ limit: '5' }))).body.nextCursor
  const tampered: string[] = [cursor.slice(0, -1), `${cursor}A`, `${cursor}=`, cursor.toLowerCase(), '*', 'null', "' or 1=1 --"]
  for (let at = 0; at < cursor.length; at += 3) {
    tampered.push(cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1))
  }
  const forged = Buffer.concat([Buffer.alloc(12), Buffer.from(JSON.stringify(['2026-01-31', newId()]))]).toString('base64url')
  for (const each of [...tampered, forged]) assertRefused(await ana.get(query({ limit: '5', cursor: each })), 'invalid-cursor', '?cursor')
  for (const each of ['', 'x'.repeat(1_001)]) assertRefused(await ana.get(query({ cursor: each })), 'invalid-request', '?cursor')
})

test('a cursor of another list, of other filters or of another household is refused', async () => {
  const account = accounts[0]!
  const own: string = (await ana.get(query({ limit: '5', account, from: '2026-01-01' }))).body.nextCursor
  const changes: Record<string, string>[] = [
    { account: accounts[1]!, from: '2026-01-01' },
    { account, from: '2026-01-02' },
    { account, to: '2026-01-01' },
    { account },
    { account, from: '2026-01-01', status: 'posted' },
    {},
  ]
  for (const changed of changes) {
    assertRefused(await ana.get(query({ limit: '5', ...changed, cursor: own })), 'invalid-cursor', '?cursor')
  }
  const listOfAccounts: string = (await ana.get('/api/accounts?limit=1')).body.nextCursor
  assertRefused(await ana.get(query({ cursor: listOfAccounts })), 'invalid-cursor', '?cursor')
  const plain: string = (await ana.get(query({ limit: '5' }))).body.nextCursor
  assertRefused(await ana.get(`/api/accounts?cursor=${plain}`), 'invalid-cursor', '?cursor')
  const ben = await djinn.person()
  assertRefused(await ben.get(query({ limit: '5', cursor: plain })), 'invalid-cursor', '?cursor')
  // The page's size, its fields and the order of the parameters are not part of it.
  const { status, body } = await ana.get(query({ cursor: own, fields: 'id', from: '2026-01-01', limit: '2', account }))
  assert.deepEqual([status, body.data.length], [200, 2])
})

test('filters together answer exactly the rows that each of them lets through', async () => {
  const filters: fc.Arbitrary<Record<string, string>> = fc.record(
    {
      account: fc.constantFrom(...accounts, newId()),
      category: fc.constantFrom(...categories, newId()),
      from: fc.constantFrom(...dates, '1900-01-01', '2026-02-02'),
      to: fc.constantFrom(...dates, '2199-12-31', '2025-12-30'),
      status: fc.constantFrom('posted', 'pending', 'reconciled'),
      amountMin: fc.constantFrom('-9007199254740991', '-300', '0', '501'),
      amountMax: fc.constantFrom('9007199254740991', '300', '-10', '-501'),
      q: fc.constantFrom('juice', '%', '_', '\\', 'CAFÉ', 'ünal', ' a_b ', 'nothing has it'),
      limit: fc.constantFrom('3', '50'),
    },
    { requiredKeys: ['limit'] },
  )
  const wide = { amountMin: '-9007199254740991', amountMax: '9007199254740991', from: '1900-01-01', to: '2199-12-31', limit: '3' }
  const most = { ...wide, account: accounts[0]!, category: categories[1]!, status: 'posted' }
  await fc.assert(
    fc.asyncProperty(filters, async (given) => {
      const { account, category, from, to, status, amountMin, amountMax } = given
      const q = given['q']?.trim().toLowerCase()
      const expected = all.filter(
        (row) =>
          (account === undefined || row.accountId === account) &&
          (category === undefined || row.categoryId === category || row.splits?.some((split) => split.categoryId === category)) &&
          (from === undefined || row.date >= from) &&
          (to === undefined || row.date <= to) &&
          (status === undefined || row.status === status) &&
          (amountMin === undefined || row.amount >= Number(amountMin)) &&
          (amountMax === undefined || row.amount <= Number(amountMax)) &&
          (q === undefined || row.payee.toLowerCase().includes(q) || row.note.toLowerCase().includes(q)),
      )
      assert.deepEqual(
        await walk(ana, given),
        expected.map((row) => row.id),
      )
    }),
    { numRuns: 80, examples: [[wide], [most], [{ ...most, q: 'c' }]] },
  )
})

test('each filter by itself lets some rows through and holds others back', async () => {
  const single: Record<string, string>[] = [
    { account: accounts[1]! },
    { category: categories[1]! },
    { from: '2026-02-01' },
    { to: '2025-12-31' },
    { status: 'pending' },
    { amountMin: '1' },
    { amountMax: '-1' },
    { q: 'juice' },
  ]
  for (const filter of single) {
    const { length } = await walk(ana, { ...filter, limit: '100' })
    assert.ok(length > 0 && length < all.length, `${JSON.stringify(filter)} lets ${length} through`)
  }
})

test('a search finds payee and note in any case, and takes % _ and \\ as they are', async () => {
  const found = async (q: string) => {
    const rows: Row[] = (await ana.get(query({ q, limit: '100' }))).body.data
    return new Set(rows.map((row) => row.payee))
  }
  assert.deepEqual(await found('100% j'), new Set(['100% Juice']))
  assert.deepEqual(await found('A_B'), new Set(['a_b']))
  assert.deepEqual(await found('k\\s'), new Set(['back\\slash']))
  assert.deepEqual(await found('CAFÉ'), new Set(['Café Ünal', 'café au lait']))
  assert.deepEqual(await found("'; drop table transactions; --"), new Set())
})

test('a parameter that is malformed or not known is refused by its name', async () => {
  const wrong: [string, string][] = [
    ['account', 'x'],
    ['account', newId().toUpperCase()],
    ['category', ''],
    ['from', '2026-02-29'],
    ['to', 'today'],
    ['status', 'cleared'],
    ['amountMin', '1.5'],
    ['amountMax', '9007199254740992'],
    ['q', ''],
    ['q', '   '],
    ['q', 'x'.repeat(101)],
    ['q', 'a\0b'],
    ['sort', 'amount'],
    ['householdId', ana.householdId],
    ['__proto__', 'x'],
  ]
  for (const [name, value] of wrong) assertRefused(await ana.get(query({ [name]: value })), 'invalid-request', `?${name}`)
})

test('chosen fields come alone, and a field that is not known is refused', async () => {
  const { id } = all[0]!
  const listed = await ana.get(query({ limit: '3', fields: 'amount,id' }))
  assert.deepEqual(
    listed.body.data,
    all.slice(0, 3).map((row) => ({ amount: row.amount, id: row.id })),
  )
  assert.equal(typeof listed.body.nextCursor, 'string')
  assert.deepEqual((await ana.get(`/api/transactions/${id}?fields=id`)).body, { id })
  for (const fields of [
    'nope',
    'id,nope',
    '',
    ',',
    'id,',
    'Id',
    'household_id',
    'householdId',
    '__proto__',
    'constructor',
    'splits.amount',
  ]) {
    assertRefused(await ana.get(query({ fields })), 'invalid-request', '?fields')
    assertRefused(await ana.get(`/api/transactions/${id}?${new URLSearchParams({ fields }).toString()}`), 'invalid-request', '?fields')
  }
  assertRefused(await ana.get('/api/transactions?fields=id&fields=id'), 'invalid-request', '?fields')
})

test('an empty household has an empty list, and a page that holds the last row has no next one', async () => {
  const ben = await djinn.person()
  assert.deepEqual((await ben.get('/api/transactions')).body, { data: [], nextCursor: null })
  assert.equal((await ana.get(query({ limit: '60' }))).body.nextCursor, null)
  assert.notEqual((await ana.get(query({ limit: '59' }))).body.nextCursor, null)
})

test('the books hold after all of this', () => djinn.verify())
