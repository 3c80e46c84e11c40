// Rows of a file that the user wrote down before: the written transaction becomes the bank's and keeps its words.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { open } from '../harness.ts'
import { amountsOf, balanceOf, coffee, csv, importFile, ofx, previewFile, transactionsOf, type Line } from './import-files.ts'

const djinn = await open()
after(() => djinn.close())
const ana = await djinn.person()

async function write(accountId: string, draft: Record<string, unknown> = {}): Promise<string> {
  const { status, body, text } = await ana.post('/api/transactions', {
    accountId,
    date: '2026-02-03',
    amount: -320,
    payee: 'Breakfast',
    note: 'with Ben',
    ...draft,
  })
  assert.equal(status, 201, text)
  return body.id
}

const statuses = (preview: { rows: { status: string }[] }) => preview.rows.map(({ status }) => status)

test('a row written by hand is matched, adopted with its words kept, and known again', async () => {
  const account = await ana.account()
  const written = await write(account, { status: 'pending', date: '2026-02-02' })
  const text = ofx('1', 'EUR', [...coffee, 'A1'])
  const preview = await previewFile(ana, account, text)
  assert.deepEqual(statuses(preview), ['matched'])
  assert.equal(preview.rows[0].transaction.id, written)
  assert.match(preview.rows[0].reason, /2026-02-02/)
  assert.equal(await balanceOf(ana, account), 0)
  assert.deepEqual((await ana.post(`/api/imports/${preview.id}/commit`, {})).body, { created: 0, duplicate: 0, matched: 1 })

  const [only, ...others] = await transactionsOf(ana, account)
  assert.deepEqual(others, [])
  const { id, date, amount, payee, note, rawPayee, externalId, status } = only
  assert.deepEqual(
    { id, date, amount, payee, note, rawPayee, externalId, status },
    {
      id: written,
      date: '2026-02-02',
      amount: -320,
      payee: 'Breakfast',
      note: 'with Ben',
      rawPayee: 'Coffee Bar',
      externalId: 'A1',
      status: 'posted',
    },
  )
  assert.equal(await balanceOf(ana, account), -320)
  assert.deepEqual((await importFile(ana, account, text)).result, { created: 0, duplicate: 1, matched: 0 })
  await djinn.verify()
})

test('undoing the import gives the written row back as it was', async () => {
  const account = await ana.account()
  const [pending, posted] = [await write(account, { status: 'pending' }), await write(account, { amount: -500 })]
  const { id, result } = await importFile(ana, account, csv(coffee, ['2026-02-03', '-5.00', 'Kiosk'], ['2026-02-03', '-9.00', 'Kiosk']))
  assert.deepEqual(result, { created: 1, duplicate: 0, matched: 2 })
  assert.equal((await ana.delete(`/api/imports/${id}`)).status, 204)
  const rows = await transactionsOf(ana, account)
  assert.deepEqual(
    new Map(rows.map((row) => [row.id, [row.status, row.rawPayee, row.externalId, row.payee]])),
    new Map([
      [posted, ['posted', null, null, 'Breakfast']],
      [pending, ['pending', null, null, 'Breakfast']],
    ]),
  )
  assert.equal(await balanceOf(ana, account), -500)
  assert.deepEqual(statuses(await previewFile(ana, account, csv(coffee))), ['matched'])
  await djinn.verify()
})

test('a match is within 3 days, of the same amount and account, and of the nearest day', async () => {
  const [account, other] = [await ana.account(), await ana.account()]
  await write(account, { date: '2026-01-30' })
  await write(account, { date: '2026-02-07' })
  await write(account, { amount: -321 })
  await write(account, { amount: 320 })
  await write(other)
  assert.deepEqual(statuses(await previewFile(ana, account, csv(coffee))), ['new'])
  await write(account, { date: '2026-02-06' })
  const near = await write(account, { date: '2026-02-01' })
  const preview = await previewFile(ana, account, csv(coffee))
  assert.deepEqual([preview.rows[0].status, preview.rows[0].transaction.id], ['matched', near])
})

test('each written row is matched once, and each row of the file to one', async () => {
  const account = await ana.account()
  const written = [await write(account), await write(account)]
  const preview = await previewFile(ana, account, csv(coffee, coffee, coffee))
  assert.deepEqual(preview.summary, { new: 1, duplicate: 0, matched: 2, error: 0 })
  const matched = preview.rows.filter(({ status }: { status: string }) => status === 'matched')
  assert.deepEqual(new Set(matched.map((row: { transaction: { id: string } }) => row.transaction.id)), new Set(written))
  assert.deepEqual((await ana.post(`/api/imports/${preview.id}/commit`, {})).body, { created: 1, duplicate: 0, matched: 2 })
  assert.deepEqual(await amountsOf(ana, account), [-320, -320, -320])
  await djinn.verify()
})

test('deleted, reconciled and imported rows are no matches, nor is one with an id of the bank', async () => {
  const account = await ana.account()
  const gone = await write(account)
  await ana.delete(`/api/transactions/${gone}`)
  await write(account, { status: 'reconciled' })
  await write(account, { externalId: 'OWN-1' })
  await importFile(ana, account, csv(['2026-02-02', '-3.20', 'Kiosk']))
  assert.deepEqual(statuses(await previewFile(ana, account, csv(coffee))), ['new'])
})

for (const [change, apply] of [
  ['deleted', (id: string) => ana.delete(`/api/transactions/${id}`)],
  ['changed in amount', (id: string) => ana.patch(`/api/transactions/${id}`, { amount: -330 })],
  ['moved', async (id: string) => ana.patch(`/api/transactions/${id}`, { accountId: await ana.account() })],
] as const) {
  test(`a match that was ${change} since the preview leaves its row to be added`, async () => {
    const account = await ana.account()
    const written = await write(account)
    const preview = await previewFile(ana, account, csv(coffee))
    assert.deepEqual(statuses(preview), ['matched'])
    assert.equal((await apply(written)).status < 300, true)
    assert.deepEqual((await ana.post(`/api/imports/${preview.id}/commit`, {})).body, { created: 1, duplicate: 0, matched: 0 })
    assert.equal((await transactionsOf(ana, account)).filter(({ amount }) => amount === -320).length, 1)
    await djinn.verify()
  })
}

test('a row that became reconciled since the preview is not changed', async () => {
  const account = await ana.account()
  const written = await write(account)
  const preview = await previewFile(ana, account, csv(coffee))
  await ana.patch(`/api/transactions/${written}`, { status: 'reconciled' })
  const { status, body, text } = await ana.post(`/api/imports/${preview.id}/commit`, {})
  assert.equal(status, 200, text)
  assert.equal(body.created + body.matched, 1)
  const kept = (await ana.get(`/api/transactions/${written}`)).body
  assert.deepEqual([kept.status, kept.amount, kept.date, kept.payee], ['reconciled', -320, '2026-02-03', 'Breakfast'])
  await djinn.verify()
})

test('a row written after the preview is not matched by the commit, which does what the preview said', async () => {
  const account = await ana.account()
  const preview = await previewFile(ana, account, csv(coffee))
  assert.deepEqual(statuses(preview), ['new'])
  await write(account)
  assert.deepEqual((await ana.post(`/api/imports/${preview.id}/commit`, {})).body, { created: 1, duplicate: 0, matched: 0 })
  assert.equal((await transactionsOf(ana, account)).length, 2)
})

test('two files that match the same written row add what only one of them can have', async () => {
  const account = await ana.account()
  await write(account)
  const kiosk: Line = ['2026-02-04', '-3.20', 'Kiosk']
  const [first, second] = [await previewFile(ana, account, csv(coffee)), await previewFile(ana, account, csv(kiosk))]
  assert.deepEqual([...statuses(first), ...statuses(second)], ['matched', 'matched'])
  assert.equal((await ana.post(`/api/imports/${first.id}/commit`, {})).body.matched, 1)
  assert.deepEqual((await ana.post(`/api/imports/${second.id}/commit`, {})).body, { created: 1, duplicate: 0, matched: 0 })
  assert.deepEqual(await amountsOf(ana, account), [-320, -320])
  await djinn.verify()
})
