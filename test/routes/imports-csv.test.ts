// The columns of a CSV file: guessed, shown, and changed by the caller before the commit.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { open } from '../harness.ts'
import { brief, coffee, csv, importFile, previewFile, refused, rent, transactionsOf } from './import-files.ts'

const djinn = await open()
after(() => djinn.close())
const ana = await djinn.person()

const text = 'Booked;Valued;Amount;Who;What\n02/03/2026;05/03/2026;-3,20;Coffee Bar;Espresso\n13/03/2026;14/03/2026;1.000,00;Boss;Pay\n'
const guessed = {
  delimiter: ';',
  skipRows: 1,
  date: 0,
  dateOrder: 'dmy',
  decimal: ',',
  amount: { column: 2, invert: false },
  direction: null,
  payee: 3,
  note: 4,
  currency: null,
  externalId: null,
}

test('a guessed mapping is shown with the preview, and again when the import is read', async () => {
  const account = await ana.account()
  const preview = await previewFile(ana, account, 'Datum;Bedrag;Naam;Omschrijving\n01-02-2026;-3,20;Koffie;A\n13-02-2026;100,00;Baas;B\n')
  assert.deepEqual(preview.mapping, { ...guessed, amount: { column: 1, invert: false }, payee: 2, note: 3 })
  const { body } = await ana.get(`/api/imports/${preview.id}`)
  assert.deepEqual(body.mapping, preview.mapping)
  assert.deepEqual(body.rows, preview.rows)
})

test('a mapping changed in part reads the file again, and the commit does what the new preview said', async () => {
  const account = await ana.account()
  const preview = await previewFile(ana, account, text)
  const {
    status,
    body,
    text: said,
  } = await ana.patch(`/api/imports/${preview.id}`, {
    mapping: { date: 1, payee: 4, note: 3, amount: { column: 2, invert: true } },
  })
  assert.equal(status, 200, said)
  assert.deepEqual(body.mapping, { ...guessed, date: 1, payee: 4, note: 3, amount: { column: 2, invert: true } })
  assert.deepEqual(brief(body), [
    ['new', '2026-03-05', 320, 'Espresso'],
    ['new', '2026-03-14', -100000, 'Pay'],
  ])
  assert.deepEqual((await ana.get(`/api/imports/${preview.id}`)).body.rows, body.rows)
  assert.deepEqual((await ana.post(`/api/imports/${preview.id}/commit`, {})).body, { created: 2, duplicate: 0, matched: 0 })
  assert.deepEqual(
    (await transactionsOf(ana, account)).map((row) => [row.date, row.amount, row.payee, row.rawPayee, row.note]),
    [
      ['2026-03-14', -100000, 'Pay', 'Pay', 'Boss'],
      ['2026-03-05', 320, 'Espresso', 'Espresso', 'Coffee Bar'],
    ],
  )
  await djinn.verify()
})

test('changes of the mapping add up', async () => {
  const { id } = await previewFile(ana, await ana.account(), text)
  await ana.patch(`/api/imports/${id}`, { mapping: { date: 1 } })
  const { body } = await ana.patch(`/api/imports/${id}`, { mapping: { payee: null } })
  assert.deepEqual(body.mapping, { ...guessed, date: 1, payee: null })
  assert.deepEqual(brief(body), [
    ['new', '2026-03-05', -320, ''],
    ['new', '2026-03-14', 100000, ''],
  ])
})

test('columns of debit and credit are taken in place of one with a sign', async () => {
  const file = 'Date,Out,In,Who\n2026-02-01,3.20,,Coffee Bar\n2026-02-02,,100.00,Boss\n'
  const { id } = await previewFile(ana, await ana.account(), file)
  const { body } = await ana.patch(`/api/imports/${id}`, { mapping: { amount: { debit: 1, credit: 2 }, payee: 3 } })
  assert.deepEqual(body.mapping.amount, { debit: 1, credit: 2 })
  assert.deepEqual(brief(body), [
    ['new', '2026-02-01', -320, 'Coffee Bar'],
    ['new', '2026-02-02', 10000, 'Boss'],
  ])
})

test('a column of ids makes them the bank’s', async () => {
  const account = await ana.account()
  const file = 'Date,Amount,Who,Ref\n2026-02-01,-3.20,Coffee Bar,R-100001\n2026-02-01,-3.20,Coffee Bar,R-100002\n'
  const preview = await previewFile(ana, account, file)
  const { body } = await ana.patch(`/api/imports/${preview.id}`, { mapping: { externalId: 3 } })
  assert.deepEqual(
    body.rows.map((row: { transaction: { externalId: string } }) => row.transaction.externalId),
    ['R-100001', 'R-100002'],
  )
  assert.equal((await ana.post(`/api/imports/${preview.id}/commit`, {})).body.created, 2)
})

test('the order of day and month is the caller’s to say where the file leaves it open', async () => {
  const account = await ana.account()
  const undecided = 'Date,Amount,Who\n02/03/2026,-3.20,Coffee Bar\n'
  const days = async (query: string) => brief(await previewFile(ana, account, undecided, query)).map(([, day]) => day)
  assert.deepEqual(await days('&dateOrder=dmy'), ['2026-03-02'])
  assert.deepEqual(await days('&dateOrder=mdy'), ['2026-02-03'])
  const { id, warnings } = await previewFile(ana, account, undecided)
  assert.match(warnings.join(), /day or month/)
  const { body } = await ana.patch(`/api/imports/${id}`, { mapping: { dateOrder: 'dmy' } })
  assert.deepEqual(brief(body), [['new', '2026-03-02', -320, 'Coffee Bar']])
})

test('a mapping that does not fit the file is refused, and the preview stays as it was', async () => {
  const preview = await previewFile(ana, await ana.account(), text)
  const patch = (mapping: unknown) => ana.patch(`/api/imports/${preview.id}`, { mapping })
  refused(await patch({ date: 9 }), 422, 'import-mapping-invalid', '/mapping')
  assert.equal((await patch({ date: 3 })).status, 422)
  refused(await patch({ date: -1 }), 400, 'invalid-request', '/mapping/date')
  refused(await patch({ date: 1.5 }), 400, 'invalid-request', '/mapping/date')
  refused(await patch({ column: 1 }), 400, 'invalid-request', '/mapping/column')
  refused(await patch({ delimiter: 'x' }), 400, 'invalid-request', '/mapping/delimiter')
  refused(await patch({ amount: { column: 1, invert: false, debit: 2 } }), 400, 'invalid-request')
  const { body } = await ana.get(`/api/imports/${preview.id}`)
  assert.deepEqual([body.mapping, body.rows], [preview.mapping, preview.rows])
})

test('a file with the mapping changed is known again by what it said, not by the preview of before', async () => {
  const account = await ana.account()
  await importFile(ana, account, csv(coffee, rent))
  const { id } = await previewFile(ana, account, csv(coffee, rent))
  const { body } = await ana.patch(`/api/imports/${id}`, { mapping: { amount: { column: 2, invert: true } } })
  assert.deepEqual(body.summary, { new: 2, duplicate: 0, matched: 0, error: 0 })
  const back = await ana.patch(`/api/imports/${id}`, { mapping: { amount: { column: 2, invert: false } } })
  assert.deepEqual(back.body.summary, { new: 0, duplicate: 2, matched: 0, error: 0 })
})
