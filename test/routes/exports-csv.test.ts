// Transactions as CSV: every row, to the cent, in lines that neither break nor run in a spreadsheet.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { csvColumns, textCell } from '../../src/features/exports/csv.ts'
import { newId } from '../../src/values/id.ts'
import { assertRefused, open, type Person } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

type Line = Record<(typeof csvColumns)[number], string>

async function csvOf(person: Person, filters: object = {}): Promise<Line[]> {
  const reply = await person.post('/api/exports', { kind: 'transactions', ...filters })
  assert.equal(reply.status, 200, reply.text)
  assert.match(reply.headers['content-type']!, /^text\/csv; charset=utf-8/)
  assert.match(reply.headers['content-disposition']!, /^attachment; filename="djinn-transactions-\d{4}-\d\d-\d\d\.csv"$/)
  return parse(reply.text, { columns: true, relax_quotes: false })
}

test('no text of a person or a bank becomes a formula, and every text is read back as it was', () => {
  for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '=cmd|"/c calc"!A1']) {
    assert.match(textCell(text), /^"?'/, text)
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const [[cell]] = parse(`${textCell(text)},x\r\n`, { record_delimiter: '\r\n' }) as [[string]]
      assert.ok(cell === text || (cell === `'${text}` && /^[=+\-@\t\r]/.test(text)), JSON.stringify(text))
    }),
  )
})

test('each transaction is a line, a split one a line a split, oldest first, in decimal amounts of its currency', async () => {
  const ana = await djinn.person()
  const euros = await ana.account({ name: 'Euros' })
  const yen = await ana.account({ name: '=Yen', currency: 'JPY' })
  const { body: food } = await ana.post('/api/categories', { name: 'Food', kind: 'expense' })
  const { body: fruit } = await ana.post('/api/categories', { name: 'Fruit, dried', kind: 'expense', parentId: food.id })
  const add = (draft: object) => ana.post('/api/transactions', { accountId: euros, date: '2026-02-28', amount: -1, ...draft })
  await add({
    date: '2026-03-02',
    payee: 'Market',
    splits: [{ amount: -250, categoryId: fruit.id, note: 'figs' }, { amount: -5 }],
    amount: -255,
    note: 'n',
  })
  await add({ payee: '-5 % off', note: 'two\nlines', amount: -5, status: 'pending', original: { amount: -600, currency: 'BHD' } })
  await add({ accountId: yen, date: '2026-03-01', amount: 1_000, categoryId: food.id })
  await ana.post('/api/transfers', { fromAccountId: euros, toAccountId: yen, date: '2026-03-03', amount: 100, toAmount: 16_000 })
  const gone = await add({ payee: 'gone' })
  await ana.delete(`/api/transactions/${gone.body.id}`)
  const lines = await csvOf(ana)
  const told = lines.map((line) => [line.Date, line.Account, line.Payee, line.Amount, line.Currency, line.Category, line.Note])
  assert.deepEqual(told.slice(0, 4), [
    ['2026-02-28', 'Euros', "'-5 % off", '-0.05', 'EUR', '', 'two\nlines'],
    ['2026-03-01', "'=Yen", '', '1000', 'JPY', 'Food', ''],
    ['2026-03-02', 'Euros', 'Market', '-2.50', 'EUR', 'Food: Fruit, dried', 'n; figs'],
    ['2026-03-02', 'Euros', 'Market', '-0.05', 'EUR', '', 'n'],
  ])
  assert.deepEqual([lines[0]!['Original amount'], lines[0]!['Original currency'], lines[0]!.Status], ['-0.600', 'BHD', 'pending'])
  assert.deepEqual(
    lines
      .slice(4)
      .map((line) => [line.Account, line.Amount, line['Transfer account']].join(' '))
      .toSorted(),
    ["'=Yen 16000 Euros", "Euros -1.00 '=Yen"],
  )
  assert.equal((await csvOf(ana, { accountId: yen })).length, 2)
  assert.deepEqual((await csvOf(ana, { from: '2026-03-02', to: '2026-03-02' })).length, 2)
  assert.deepEqual(await csvOf(ana, { from: '2030-01-01' }), [])
})

test('more rows than a statement gives come all, each once', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  const rows = 2_345
  const csv = [
    'Date;Amount;Payee',
    ...Array.from({ length: rows }, (_, index) => `2026-01-${String((index % 28) + 1).padStart(2, '0')};-${index}.07;P${index}`),
  ]
  const { body: preview } = await ana.upload(`/api/imports?accountId=${account}`, csv.join('\n'))
  await ana.post(`/api/imports/${preview.id}/commit`, {})
  const lines = await csvOf(ana)
  assert.equal(lines.length, rows)
  assert.equal(new Set(lines.map((line) => line.Transaction)).size, rows)
  assert.deepEqual(
    lines.map((line) => line.Date),
    lines.map((line) => line.Date).toSorted(),
  )
})

test('what is asked wrongly is refused: kinds, fields, days, and accounts of others like missing ones', async () => {
  const ana = await djinn.person()
  const ben = await djinn.person()
  const foreign = await ben.account()
  assertRefused(await ana.post('/api/exports', {}), 400, 'invalid-request', '/kind')
  assertRefused(await ana.post('/api/exports', { kind: 'all' }), 400, 'invalid-request', '/kind')
  assertRefused(await ana.post('/api/exports', { kind: 'household', from: '2026-01-01' }), 400, 'invalid-request', '/from')
  assertRefused(await ana.post('/api/exports', { kind: 'transactions', to: '2026-02-30' }), 400, 'invalid-request', '/to')
  for (const accountId of [foreign, newId()]) {
    assertRefused(await ana.post('/api/exports', { kind: 'transactions', accountId }), 404, 'account-not-found', '/accountId')
  }
  const step = { id: 'a', method: 'POST', path: '/api/exports', body: { kind: 'household' } }
  const { body } = await ana.post('/api/batch', { operations: [step] })
  assert.equal(body.results[0].body.code, 'not-in-batch')
})

test('a reader that goes away frees the connection and the place of its export', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  const rows = Array.from({ length: 3_000 }, (_, index) => `2026-01-01;-${index}.07;${'P'.repeat(150)}${index}`)
  const { body: preview } = await ana.upload(`/api/imports?accountId=${account}`, ['Date;Amount;Payee', ...rows].join('\n'))
  await ana.post(`/api/imports/${preview.id}/commit`, {})
  const settled = async () => {
    while (djinn.resources.database.poolState.total !== djinn.resources.database.poolState.idle) await new Promise(setImmediate)
  }
  for (let turn = 0; turn < 5; turn++) {
    const leave = new AbortController()
    const answer = await fetch(`${djinn.url}/api/exports`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ana.accessToken}`, 'content-type': 'application/json', 'accept-encoding': 'identity' },
      body: '{"kind":"household"}',
      signal: leave.signal,
    })
    await answer.body!.getReader().read()
    leave.abort()
    await settled()
  }
  assert.equal((await csvOf(ana)).length, 3_000)
  await settled()
})
