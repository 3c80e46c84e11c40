// A household's document: what goes out comes back in, to the byte, into an empty household and nowhere else.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { assertRefused, open, type Person } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

const exportOf = async (person: Person): Promise<string> => {
  const { status, text } = await person.post('/api/exports', { kind: 'household' })
  assert.equal(status, 200, text)
  return text
}
const restore = (person: Person, document: string | Buffer) => person.upload('/api/imports?format=djinn', document)

/** A household with something of every kind, deleted and adopted rows among it. */
async function livedIn(): Promise<Person> {
  const ana = await djinn.person({ currency: 'EUR', timeZone: 'Europe/Lisbon' })
  const current = await ana.account({ openingBalance: 12_345, note: 'Über "alles"\nzwei Zeilen' })
  const dollars = await ana.account({ name: 'Dollars', currency: 'USD' })
  const closed = await ana.account({ name: 'Old', currency: 'JPY', openingBalance: -5 })
  const { body: parent } = await ana.post('/api/categories', { name: 'Zoo', kind: 'expense' })
  const { body: child } = await ana.post('/api/categories', { name: 'Ants', kind: 'expense', parentId: parent.id, color: '#00ff00' })
  // A child whose id sorts before its parent's.
  const early = '00000000-0000-7000-8000-000000000001'
  await ana.post('/api/categories', { id: early, name: 'Early', kind: 'expense', parentId: child.id, archived: true })
  const add = async (draft: object) => {
    const { status, body, text } = await ana.post('/api/transactions', { accountId: current, date: '2026-02-28', amount: -999, ...draft })
    assert.equal(status, 201, text)
    return body.id as string
  }
  await add({ payee: '=1+1', note: 'a, "b"\n☃ \u{1f9de}', categoryId: child.id, status: 'pending' })
  await add({ splits: [{ amount: -500, categoryId: early, note: 'x' }, { amount: -499 }] })
  await add({ original: { amount: -1_234, currency: 'USD' }, status: 'reconciled', externalId: 'own-1' })
  await add({ accountId: closed, amount: Number.MAX_SAFE_INTEGER - 10 })
  await ana.delete(`/api/transactions/${await add({ payee: 'gone' })}`)
  await ana.post('/api/transfers', { fromAccountId: current, toAccountId: dollars, date: '2026-03-01', amount: 500, toAmount: 540 })
  const { body: transfer } = await ana.post('/api/transfers', {
    fromAccountId: current,
    toAccountId: dollars,
    date: '2026-03-01',
    amount: 1,
    toAmount: 1,
  })
  await ana.delete(`/api/transfers/${transfer.id}`)
  await add({ date: '2026-02-27', amount: -350, payee: 'by hand' })
  const file = 'Date;Amount;Payee\n2026-02-27;-3.50;Bakery\n2026-02-26;-7.25;Kiosk\n2026-02-25;-1.00;Tram\n'
  const { body: preview } = await ana.upload(`/api/imports?accountId=${current}`, file)
  assert.deepEqual(preview.summary, { new: 2, duplicate: 0, matched: 1, error: 0 })
  await ana.post(`/api/imports/${preview.id}/commit`, {})
  const { body: tram } = await ana.get('/api/transactions?q=Tram')
  await ana.delete(`/api/transactions/${tram.data[0].id}`)
  const budget = { categoryId: parent.id, amount: 500, period: 'monthly', startsOn: '2026-02-01', rollover: true }
  const { body: budgeted, status: made, text: why } = await ana.post('/api/budgets', budget)
  assert.equal(made, 201, why)
  // The level that it reached was told; what it is now would tell nothing.
  await ana.patch(`/api/budgets/${budgeted.id}`, { amount: 100_000 })
  const bill = { payee: 'Bakery', accountId: current, amountMin: -400, amountMax: -300, reminderDays: [3] }
  const weekly = { startsOn: '2026-02-06', rule: 'FREQ=WEEKLY;COUNT=8' }
  const { body: bills } = await ana.post('/api/bills', { ...bill, schedule: weekly })
  const { body: paid } = await ana.get(`/api/bills/${bills.id}/occurrences?status=paid`)
  assert.equal(paid.data.length, 1)
  const occurrence = `/api/bills/${bills.id}/occurrences`
  await ana.delete(`${occurrence}/${paid.data[0].date}/payments/${paid.data[0].payments[0].transactionId}`)
  await ana.patch(`${occurrence}/2026-02-06`, { status: 'skipped' })
  await ana.post(`${occurrence}/2026-02-13/payments`, { transactionId: await add({ amount: -350, payee: 'Baker' }) })
  // Its past is of another schedule than the one it has now.
  const posting = { payee: 'Rent', accountId: current, amountMin: -5, amountMax: -5, autoPost: true }
  const { body: rent } = await ana.post('/api/bills', { ...posting, schedule: { startsOn: '2026-01-31', rule: 'FREQ=MONTHLY' } })
  await ana.patch(`/api/bills/${rent.id}`, { schedule: { startsOn: '2026-01-15', rule: 'FREQ=MONTHLY' } })
  await ana.delete(`/api/bills/${(await ana.post('/api/bills', { ...bill, schedule: weekly })).body.id}`)
  const rule = {
    name: 'Ants',
    match: 'any',
    conditions: [
      { field: 'payee', operator: 'contains', value: '100% "ants"' },
      { field: 'account', operator: 'is', value: closed },
    ],
    actions: { categoryId: child.id, note: 'Ants' },
  }
  for (const position of [7, 7]) assert.equal((await ana.post('/api/rules', { ...rule, position })).status, 201)
  const { body: dropped } = await ana.post('/api/rules', { ...rule, position: 7 })
  await ana.delete(`/api/rules/${dropped.id}`)
  await ana.patch(`/api/accounts/${closed}`, { closedAt: '2026-03-02T00:00:00Z' })
  return ana
}

test('a document read into an empty household gives the same document again, and its books hold', async () => {
  const ana = await livedIn()
  const before = await exportOf(ana)
  const ben = await djinn.person({ currency: 'USD', timeZone: 'UTC' })
  const { status, body, text } = await restore(ben, before)
  assert.equal(status, 201, text)
  assert.deepEqual([body.format, body.status, body.summary.error], ['djinn', 'committed', 0])
  assert.equal(body.summary.new, JSON.parse(before).transactions.length)
  assert.equal(await exportOf(ben), before)
  await djinn.verify()
  const timeless = (_name: string, value: unknown) => {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
    const { updatedAt: _at, revision: _revision, ...rest } = value as Record<string, unknown>
    return rest
  }
  const shown = async (person: Person, path: string) => JSON.stringify((await person.get(path)).body.data, timeless)
  for (const path of [
    '/api/accounts?limit=100',
    '/api/categories?limit=100',
    '/api/transactions?limit=100',
    '/api/transfers?limit=100',
    '/api/rules?limit=100',
    '/api/imports',
    '/api/bills',
    '/api/budgets',
    '/api/bills/occurrences?limit=100',
  ]) {
    assert.equal(await shown(ben, path), await shown(ana, path), path)
  }
  const { body: household } = await ben.get(`/api/households/${ben.householdId}`)
  assert.deepEqual([household.baseCurrency, household.timeZone], ['EUR', 'Europe/Lisbon'])
})

test('what was restored goes on as it would have: files add nothing twice, imports are undone, deleted rows come back', async () => {
  const ana = await livedIn()
  const ben = await djinn.person()
  await restore(ben, await exportOf(ana))
  const { body: accounts } = await ben.get('/api/accounts?fields=id,name,balance')
  const current = accounts.data.find((account: { name: string }) => account.name === 'Current')
  const file = 'Date;Amount;Payee\n2026-02-27;-3.50;Bakery\n2026-02-26;-7.25;Kiosk\n2026-02-25;-1.00;Tram\n'
  const { body: again } = await ben.upload(`/api/imports?accountId=${current.id}`, file)
  assert.deepEqual(again.summary, { new: 0, duplicate: 3, matched: 0, error: 0 })
  const { body: imports } = await ben.get('/api/imports')
  const committed = imports.data.find((row: { status: string }) => row.status === 'committed')
  assert.equal((await ben.delete(`/api/imports/${committed.id}`)).status, 204)
  const { body: left } = await ben.get('/api/transactions?from=2026-02-25&to=2026-02-27&fields=payee,rawPayee,status')
  assert.deepEqual(left.data, [{ payee: 'by hand', rawPayee: null, status: 'posted' }])
  await djinn.verify()
})

test('a restore is answered as done when it is committed, and known to its household only', async () => {
  const ana = await livedIn()
  const document = await exportOf(ana)
  const ben = await djinn.person()
  const { body } = await restore(ben, document)
  const committed = await ben.post(`/api/imports/${body.id}/commit`, {})
  assert.deepEqual([committed.status, committed.body], [200, body.result])
  assertRefused(await ana.post(`/api/imports/${body.id}/commit`, {}), 404, 'not-found')
})

test('a household with rows of its own takes no document, and is left as it was', async () => {
  const ana = await livedIn()
  const before = await exportOf(ana)
  assertRefused(await restore(ana, before), 409, 'household-not-empty', 'Djinn-Household:')
  assert.equal(await exportOf(ana), before)
  const ben = await djinn.person()
  const own = await exportOf(ben)
  await ben.post('/api/categories', { name: 'Mine', kind: 'expense' })
  assertRefused(await restore(ben, own), 409, 'household-not-empty')
})

test('a document may be gzip, and the answer is compressed for who accepts it', async () => {
  const ana = await livedIn()
  const before = await exportOf(ana)
  const ben = await djinn.person()
  assert.equal((await restore(ben, gzipSync(before))).status, 201)
  const raw = await fetch(`${djinn.url}/api/exports`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ben.accessToken}`, 'content-type': 'application/json', 'accept-encoding': 'gzip' },
    body: '{"kind":"household"}',
  })
  assert.equal(raw.headers.get('content-encoding'), 'gzip')
  assert.match(raw.headers.get('content-disposition')!, /^attachment; filename="djinn-household-\d{4}-\d\d-\d\d\.json"$/)
  assert.equal(await raw.text(), before)
  assertRefused(await restore(await djinn.person(), gzipSync(before).subarray(0, 200)), 422, 'import-unreadable')
  assert.equal(gunzipSync(gzipSync(before)).toString(), before)
})

test('a document that is wrong anywhere is refused with its place, and nothing of it stays', async () => {
  const document = JSON.parse(await exportOf(await livedIn()))
  const ben = await djinn.person()
  const before = await exportOf(ben)
  type Change = (made: typeof document) => void
  const wrong: [string, string | undefined, Change][] = [
    ['an unknown section', '/spells', (made) => (made.spells = [])],
    ['another version', '/version', (made) => (made.version = 2)],
    ['another format', '/format', (made) => (made.format = 'ledger')],
    ['an unknown field', '/accounts/0', (made) => (made.accounts[0].balance = 5)],
    ['a missing field', '/transactions/0/payee', (made) => delete made.transactions[0].payee],
    ['an amount with a fraction', '/transactions/0/amount', (made) => (made.transactions[0].amount = 1.5)],
    ['a day that is none', '/transactions/0/date', (made) => (made.transactions[0].date = '2026-02-30')],
    ['an id twice', undefined, (made) => made.transactions.push(made.transactions[0])],
    ['an account that is not there', undefined, (made) => (made.transactions[0].accountId = '00000000-0000-7000-8000-00000000dead')],
    [
      'splits that do not sum',
      undefined,
      (made) => (made.transactions.find((row: { splits: unknown }) => row.splits).splits[0].amount -= 1),
    ],
    [
      'a transfer with one leg',
      undefined,
      (made) =>
        made.transactions.splice(
          made.transactions.findIndex((row: { transferSide: string }) => row.transferSide === 'to'),
          1,
        ),
    ],
    ['a category above itself', '/categories', (made) => (made.categories[0].parentId = made.categories[0].id)],
    ['a household without a name', '/household/name', (made) => (made.household.name = '')],
  ]
  for (const [what, pointer, change] of wrong) {
    const made = structuredClone(document)
    change(made)
    const reply = await restore(ben, JSON.stringify(made))
    assertRefused(reply, reply.status === 409 ? 409 : 422, reply.body.code)
    assert.equal(reply.body.code, 'import-unreadable', `${what}: ${reply.text}`)
    if (pointer !== undefined) assert.ok(reply.body.errors[0].pointer.startsWith(pointer), `${what}: ${reply.text}`)
  }
  for (const bytes of ['', '{', '[]', '{"format":"djinn","format":"djinn"}', '\u0000', Buffer.from([0xff, 0xfe])]) {
    const reply = await restore(ben, bytes)
    assertRefused(reply, 422, 'import-unreadable')
  }
  assert.equal(await exportOf(ben), before)
  await djinn.verify()
})

test('a viewer may take the household along, and only an owner may fill it', async () => {
  const ana = await livedIn()
  const ben = await djinn.person()
  await djinn.sql(
    `insert into memberships (household_id, user_id, role) select h::uuid, $2, 'viewer' from set_config('djinn.household', $1, true) h`,
    [ana.householdId, ben.userId],
  )
  const inAnas = { 'djinn-household': ana.householdId }
  const { text } = await ben.post('/api/exports', { kind: 'household' }, inAnas)
  assert.equal(text, await exportOf(ana))
  const sent = { raw: Buffer.from(text), headers: { 'content-type': 'application/octet-stream', ...inAnas } }
  assertRefused(await ben.call('POST', '/api/imports?format=djinn', sent), 403, 'forbidden')
})

test('a phone that had the empty household starts anew', async () => {
  const ana = await livedIn()
  const ben = await djinn.person()
  const { body: first } = await ben.get('/api/sync')
  await restore(ben, await exportOf(ana))
  assertRefused(await ben.get(`/api/sync?cursor=${encodeURIComponent(first.nextCursor)}`), 410, 'cursor-expired')
  const { body: anew } = await ben.get('/api/sync')
  assert.equal(anew.changes.categories.length, anew.checkpoint.categories.count)
})
