// The commit of an import: once, whole, for the accounts it is given, at a cost that does not grow with its rows.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { open } from '../harness.ts'
import {
  amountsOf,
  balanceOf,
  coffee,
  csv,
  ofx,
  previewFile,
  refused,
  rent,
  salary,
  statementsOf,
  transactionsOf,
  type Line,
} from './import-files.ts'

const djinn = await open()
after(() => djinn.close())
const ana = await djinn.person()

test('a second commit is refused with a code of its own, and a replayed one is answered as the first', async () => {
  const account = await ana.account()
  const { id } = await previewFile(ana, account, csv(coffee, rent))
  const commit = () => ana.post(`/api/imports/${id}/commit`, {}, { 'idempotency-key': 'commit-1' })
  const first = await commit()
  assert.deepEqual([first.status, first.body], [200, { created: 2, duplicate: 0, matched: 0 }])
  const replayed = await commit()
  assert.deepEqual([replayed.status, replayed.body, replayed.headers['idempotency-replayed']], [200, first.body, 'true'])
  refused(await ana.post(`/api/imports/${id}/commit`, {}), 409, 'import-committed')
  refused(await ana.patch(`/api/imports/${id}`, { dateOrder: 'dmy' }), 409, 'import-committed')
  assert.deepEqual(await amountsOf(ana, account), [-80000, -320])
  const shown = (await ana.get(`/api/imports/${id}`)).body
  assert.equal(shown.status, 'committed')
  assert.deepEqual(shown.result, first.body)
  await djinn.verify()
})

test('of commits at the same time one is done and the others are refused', async () => {
  const account = await ana.account()
  const { id } = await previewFile(ana, account, csv(coffee, rent, salary))
  const replies = await Promise.all(Array.from({ length: 5 }, () => ana.post(`/api/imports/${id}/commit`, {})))
  assert.deepEqual(
    replies.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 409, 409, 409, 409],
  )
  for (const reply of replies.filter(({ status }) => status === 409)) refused(reply, 409, 'import-committed')
  assert.equal((await transactionsOf(ana, account)).length, 3)
  await djinn.verify()
})

test('previews of one file committed at the same time add it once', async () => {
  const account = await ana.account()
  const previews = await Promise.all([1, 2, 3].map(() => previewFile(ana, account, csv(coffee, coffee, rent))))
  const replies = await Promise.all(previews.map(({ id }) => ana.post(`/api/imports/${id}/commit`, {})))
  assert.deepEqual(replies.map(({ status, body }) => `${status} ${body.created}`).toSorted(), ['200 0', '200 0', '200 3'])
  assert.deepEqual(await amountsOf(ana, account), [-80000, -320, -320])
  await djinn.verify()
})

test('rows in error hold a commit back until they are to be skipped', async () => {
  const account = await ana.account()
  const preview = await previewFile(ana, account, csv(coffee, ['2026-02-30', '-1.00', 'Never'], rent, ['2026-02-03', 'x', 'Nothing']))
  assert.deepEqual(preview.summary, { new: 2, duplicate: 0, matched: 0, error: 2 })
  assert.deepEqual(
    preview.rows.map(({ row, line, status, transaction }: never) => [row, line, status, transaction === null]),
    [
      [1, 2, 'new', false],
      [2, 3, 'error', true],
      [3, 4, 'new', false],
      [4, 5, 'error', true],
    ],
  )
  assert.match(preview.rows[1].reason, /not a date.*2026-02-30,Never,-1\.00/)
  assert.match(preview.rows[3].reason, /"x"/)
  for (const body of [{}, { skipErrors: false }]) {
    refused(await ana.post(`/api/imports/${preview.id}/commit`, body), 409, 'import-has-errors', '/skipErrors')
  }
  assert.deepEqual(await transactionsOf(ana, account), [])
  const { status, body } = await ana.post(`/api/imports/${preview.id}/commit`, { skipErrors: true })
  assert.deepEqual([status, body], [200, { created: 2, duplicate: 0, matched: 0 }])
  assert.equal(await balanceOf(ana, account), -80320)
  await djinn.verify()
})

test('an account closed, deleted or without a currency in common since the preview refuses the commit whole', async () => {
  const closed = await ana.account()
  const first = await previewFile(ana, closed, csv(coffee))
  await ana.patch(`/api/accounts/${closed}`, { closedAt: '2026-03-01T00:00:00Z' })
  refused(await ana.post(`/api/imports/${first.id}/commit`, {}), 409, 'account-closed', '/accounts/csv')
  await ana.patch(`/api/accounts/${closed}`, { closedAt: null })
  assert.equal((await ana.post(`/api/imports/${first.id}/commit`, {})).status, 200)

  const gone = await ana.account()
  const second = await previewFile(ana, gone, csv(coffee))
  assert.equal((await ana.delete(`/api/accounts/${gone}`)).status, 204)
  refused(await ana.post(`/api/imports/${second.id}/commit`, {}), 404, 'account-not-found', '/accounts/csv')

  const dollars = await ana.account({ currency: 'USD' })
  const third = await previewFile(ana, null, ofx('11', 'EUR', coffee))
  const reply = await ana.post(`/api/imports/${third.id}/commit`, { accounts: { 11: dollars } })
  refused(reply, 422, 'currency-mismatch', '/accounts/11')
  assert.deepEqual(await transactionsOf(ana, dollars), [])
  assert.equal((await ana.get(`/api/imports/${third.id}`)).body.status, 'previewed')
  await djinn.verify()
})

test('a balance past its range refuses the commit whole', async () => {
  const account = await ana.account()
  const most = '90071992547409.91'
  const { id } = await previewFile(ana, account, csv(coffee, ['2026-02-01', most, 'A'], ['2026-02-01', most, 'B']))
  refused(await ana.post(`/api/imports/${id}/commit`, {}), 422, 'amount-out-of-range')
  assert.deepEqual(await transactionsOf(ana, account), [])
  assert.equal((await ana.get(`/api/imports/${id}`)).body.status, 'previewed')
  await djinn.verify()
})

test('unknown imports and those of another household are not found, alike', async () => {
  const eve = await djinn.person()
  const { id } = await previewFile(ana, await ana.account(), csv(coffee))
  const withoutIds = (text: string) => text.replaceAll(/[\da-f]{8}-[\da-f-]{27}/g, 'id')
  for (const [method, path] of [
    ['GET', ''],
    ['PATCH', ''],
    ['POST', '/commit'],
    ['DELETE', ''],
  ] as const) {
    const sent = method === 'PATCH' || method === 'POST' ? { body: {} } : {}
    const foreign = await eve.call(method, `/api/imports/${id}${path}`, sent)
    const missing = await eve.call(method, `/api/imports/019b76da-a800-7000-8000-000000000000${path}`, sent)
    refused(foreign, 404, 'not-found')
    assert.equal(withoutIds(foreign.text), withoutIds(missing.text))
    refused(await eve.call(method, `/api/imports/nonsense${path}`, sent), 400, 'invalid-request')
  }
  assert.deepEqual((await eve.get('/api/imports')).body.data, [])
  assert.equal((await ana.get(`/api/imports/${id}`)).body.status, 'previewed')
})

test('a commit names no account of another household', async () => {
  const strangers = await (await djinn.person()).account()
  const { id } = await previewFile(ana, null, ofx('12', 'EUR', coffee))
  refused(await ana.post(`/api/imports/${id}/commit`, { accounts: { 12: strangers } }), 404, 'account-not-found', '/accounts/12')
  const [{ count }] = (await djinn.sql('select count(*)::int from transactions where account_id = $1', [strangers])) as [{ count: number }]
  assert.equal(count, 0)
})

test('the statements of a preview and a commit are as many for 1,500 rows as for 3', async () => {
  const many: Line[] = Array.from({ length: 1_500 }, (_, index) => ['2026-02-01', `-${index}.25`, `Shop ${index % 7}`])
  const cost = async (lines: Line[]) => {
    const account = await ana.account()
    // A row to match, so that the work of every kind of row is counted.
    await ana.post('/api/transactions', { accountId: account, date: '2026-02-01', amount: -125 })
    let id = ''
    const preview = await statementsOf(djinn, async () => void ({ id } = await previewFile(ana, account, csv(...lines))))
    const commit = await statementsOf(djinn, async () => assert.equal((await ana.post(`/api/imports/${id}/commit`, {})).status, 200))
    assert.equal((await ana.get(`/api/imports/${id}`)).body.result.created, lines.length - 1)
    // The rows of an answer are read in statements of at most 1,000.
    return { preview: preview.filter((name) => name !== 'imports.rows'), commit }
  }
  const few = await cost(many.slice(0, 3))
  assert.ok(
    few.preview.includes('imports.stage') && few.commit.includes('imports.insertNew') && few.commit.includes('imports.adoptMatched'),
  )
  assert.deepEqual(await cost(many), few)
  await djinn.verify()
})

test('a commit of several chunks adds every row, and its undo takes every row back', async () => {
  const account = await ana.account()
  const lines: Line[] = Array.from({ length: 4_001 }, (_, index) => ['2026-02-01', '-1.00', `Shop ${index}`])
  const preview = await previewFile(ana, account, csv(...lines))
  assert.equal(preview.rows.length, 4_001)
  assert.deepEqual(
    preview.rows.map(({ row }: { row: number }) => row),
    Array.from({ length: 4_001 }, (_, index) => index + 1),
  )
  assert.equal((await ana.post(`/api/imports/${preview.id}/commit`, {})).body.created, 4_001)
  assert.equal(await balanceOf(ana, account), -400_100)
  await djinn.verify()
  assert.equal((await ana.delete(`/api/imports/${preview.id}`)).status, 204)
  assert.equal(await balanceOf(ana, account), 0)
  await djinn.verify()
})

test('the list of imports is newest first, by pages', async () => {
  const ben = await djinn.person()
  const account = await ben.account()
  const ids: string[] = []
  for (const line of [coffee, rent, salary]) ids.unshift((await previewFile(ben, account, csv(line))).id)
  const first = (await ben.get('/api/imports?limit=2')).body
  const second = (await ben.get(`/api/imports?limit=2&cursor=${first.nextCursor}`)).body
  assert.deepEqual(
    [first, second].map(({ data }) => data.map(({ id }: { id: string }) => id)),
    [ids.slice(0, 2), ids.slice(2)],
  )
  assert.equal(second.nextCursor, null)
})
