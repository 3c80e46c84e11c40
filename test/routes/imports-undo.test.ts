// Undoing an import takes back the whole batch, whatever became of its rows since.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { open } from '../harness.ts'
import {
  amountsOf,
  balanceOf,
  coffee,
  csv,
  importFile,
  ofx,
  previewFile,
  refused,
  rent,
  salary,
  statementsOf,
  transactionsOf,
} from './import-files.ts'

const djinn = await open()
after(() => djinn.close())
const ana = await djinn.person()

test('rows edited, split, moved and deleted since are all taken back, and rows of others stay', async () => {
  const [account, other] = [await ana.account({ openingBalance: 100 }), await ana.account()]
  await ana.post('/api/transactions', { accountId: account, date: '2026-05-01', amount: -77 })
  const earlier = await importFile(ana, account, csv(['2026-01-01', '-5.00', 'Kiosk']))
  const { id, preview } = await importFile(ana, account, csv(coffee, rent, salary, ['2026-02-09', '-4.00', 'Kiosk']))
  const [first, second, third, fourth] = preview.rows.map(
    (row: { transaction: { id: string } }) => `/api/transactions/${row.transaction.id}`,
  )
  const edits = [
    await ana.patch(first, { amount: -999, payee: 'Breakfast', note: 'x', date: '2026-03-01' }),
    await ana.patch(second, { splits: [{ amount: -70000 }, { amount: -10000 }] }),
    await ana.patch(third, { accountId: other }),
    await ana.delete(fourth),
  ]
  assert.deepEqual(
    edits.map(({ status }) => status),
    [200, 200, 200, 204],
  )
  await djinn.verify()
  const reply = await ana.delete(`/api/imports/${id}`)
  assert.deepEqual([reply.status, reply.text], [204, ''])
  assert.deepEqual(await amountsOf(ana, account), [-500, -77])
  assert.deepEqual(await amountsOf(ana, other), [])
  assert.deepEqual([await balanceOf(ana, account), await balanceOf(ana, other)], [100 - 577, 0])
  for (const path of [first, second, third, fourth]) refused(await ana.get(path), 404, 'not-found')
  assert.equal((await ana.get(`/api/imports/${earlier.id}`)).body.status, 'committed')
  await djinn.verify()
})

test('an undone import can be sent again as if it had never been', async () => {
  const account = await ana.account()
  for (const text of [csv(coffee, coffee, rent), ofx('1', 'EUR', [...coffee, 'A1'], [...rent, 'A2'])]) {
    const { id, preview } = await importFile(ana, account, text)
    const { new: added } = preview.summary
    await ana.delete(`/api/transactions/${preview.rows[0].transaction.id}`)
    assert.equal((await ana.delete(`/api/imports/${id}`)).status, 204)
    assert.deepEqual(await transactionsOf(ana, account), [])
    const again = await importFile(ana, account, text)
    assert.deepEqual(again.result, { created: added, duplicate: 0, matched: 0 })
    assert.equal((await ana.delete(`/api/imports/${again.id}`)).status, 204)
  }
  await djinn.verify()
})

test('an import undone twice is undone once, and neither commits nor changes again', async () => {
  const { id } = await importFile(ana, await ana.account(), csv(coffee))
  assert.equal((await ana.delete(`/api/imports/${id}`)).status, 204)
  const { body } = await ana.get(`/api/imports/${id}`)
  assert.equal(body.status, 'undone')
  assert.equal(body.rows.length, 1)
  assert.notEqual(body.undoneAt, null)
  assert.equal((await ana.delete(`/api/imports/${id}`)).status, 204)
  assert.equal((await ana.get(`/api/imports/${id}`)).body.revision, body.revision)
  refused(await ana.post(`/api/imports/${id}/commit`, {}), 409, 'import-undone')
  refused(await ana.patch(`/api/imports/${id}`, {}), 409, 'import-undone')
})

test('a preview that is deleted is gone with its file', async () => {
  const { id } = await previewFile(ana, await ana.account(), csv(coffee))
  assert.equal((await ana.delete(`/api/imports/${id}`)).status, 204)
  refused(await ana.get(`/api/imports/${id}`), 404, 'not-found')
  refused(await ana.post(`/api/imports/${id}/commit`, {}), 404, 'not-found')
  assert.equal((await ana.delete(`/api/imports/${id}`)).status, 204)
  const [left] = await djinn.sql(
    `select (select count(*)::int from import_files where import_id = $1) as files, (select count(*)::int from import_rows where import_id = $1) as rows`,
    [id],
  )
  assert.deepEqual(left, { files: 0, rows: 0 })
})

test('a reconciled row or a closed account refuses the undo whole', async () => {
  const account = await ana.account()
  const { id, preview } = await importFile(ana, account, csv(coffee, rent))
  const path = `/api/transactions/${preview.rows[1].transaction.id}`
  await ana.patch(path, { status: 'reconciled' })
  refused(await ana.delete(`/api/imports/${id}`), 409, 'transaction-reconciled')
  assert.deepEqual(await amountsOf(ana, account), [-80000, -320])
  await ana.patch(path, { status: 'posted' })
  await ana.patch(`/api/accounts/${account}`, { closedAt: '2026-03-01T00:00:00Z' })
  refused(await ana.delete(`/api/imports/${id}`), 409, 'account-closed')
  assert.equal((await ana.get(`/api/imports/${id}`)).body.status, 'committed')
  await ana.patch(`/api/accounts/${account}`, { closedAt: null })
  assert.equal((await ana.delete(`/api/imports/${id}`)).status, 204)
  assert.equal(await balanceOf(ana, account), 0)
  await djinn.verify()
})

test('a commit and an undo at the same time leave all of the rows or none', async () => {
  for (let round = 0; round < 4; round++) {
    const account = await ana.account()
    const { id } = await previewFile(ana, account, csv(coffee, rent))
    const [committed, undone] = await Promise.all([ana.post(`/api/imports/${id}/commit`, {}), ana.delete(`/api/imports/${id}`)])
    assert.equal(undone.status, 204)
    if (committed.status !== 200) refused(committed, 404, 'not-found')
    assert.deepEqual(await transactionsOf(ana, account), [])
  }
  await djinn.verify()
})

test('undos at the same time take the rows back once', async () => {
  const account = await ana.account()
  const { id } = await importFile(ana, account, csv(coffee, rent))
  const replies = await Promise.all([1, 2, 3].map(() => ana.delete(`/api/imports/${id}`)))
  assert.deepEqual(
    replies.map(({ status }) => status),
    [204, 204, 204],
  )
  assert.equal(await balanceOf(ana, account), 0)
  await djinn.verify()
})

test('the statements of an undo are as many for 600 rows as for 2', async () => {
  const cost = async (rows: number) => {
    const account = await ana.account()
    const lines = Array.from({ length: rows }, (_, index) => ['2026-02-01', '-1.00', `Shop ${index}`] as const)
    const { id } = await importFile(ana, account, csv(...lines))
    return await statementsOf(djinn, async () => assert.equal((await ana.delete(`/api/imports/${id}`)).status, 204))
  }
  const few = await cost(2)
  assert.ok(few.includes('imports.removeImported'))
  assert.deepEqual(await cost(600), few)
})
