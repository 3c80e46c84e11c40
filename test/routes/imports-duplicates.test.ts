// Which rows of a file are in the account already: by the bank's id, else by counting equal rows, never by what a user edits.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { open } from '../harness.ts'
import { amountsOf, brief, coffee, csv, importFile, ofx, previewFile, rent, salary, transactionsOf, type Line } from './import-files.ts'

const djinn = await open()
after(() => djinn.close())
const ana = await djinn.person()

const statuses = (preview: { rows: { status: string }[] }) => preview.rows.map(({ status }) => status)

test('two equal coffees of one day stay two, and the same file again adds none', async () => {
  const account = await ana.account()
  const text = csv(rent, coffee, coffee, salary)
  assert.deepEqual((await importFile(ana, account, text)).result, { created: 4, duplicate: 0, matched: 0 })
  for (const again of [text, csv(salary, coffee, rent, coffee)]) {
    const { preview, result } = await importFile(ana, account, again)
    assert.deepEqual(statuses(preview), ['duplicate', 'duplicate', 'duplicate', 'duplicate'])
    assert.match(preview.rows[0].reason, /equal entry of this day, amount and payee already/)
    assert.deepEqual(result, { created: 0, duplicate: 4, matched: 0 })
  }
  assert.deepEqual(await amountsOf(ana, account), [-80000, -320, -320, 250000])
  await djinn.verify()
})

test('a third coffee in a later file is the only one that is new', async () => {
  const account = await ana.account()
  await importFile(ana, account, csv(coffee, coffee))
  const { preview, result } = await importFile(ana, account, csv(coffee, coffee, coffee))
  assert.deepEqual(statuses(preview), ['duplicate', 'duplicate', 'new'])
  assert.deepEqual(result, { created: 1, duplicate: 2, matched: 0 })
  const fewer = await importFile(ana, account, csv(coffee))
  assert.deepEqual(fewer.result, { created: 0, duplicate: 1, matched: 0 })
})

test('of a file that overlaps half, the other half is added', async () => {
  const account = await ana.account()
  const day = (date: number): Line => [`2026-03-${String(date).padStart(2, '0')}`, '-1.00', 'Kiosk']
  await importFile(ana, account, csv(...[1, 2, 3, 4].map(day)))
  const { preview, result } = await importFile(ana, account, csv(...[3, 4, 5, 6].map(day)))
  assert.deepEqual(statuses(preview), ['duplicate', 'duplicate', 'new', 'new'])
  assert.deepEqual(result, { created: 2, duplicate: 2, matched: 0 })
  assert.equal((await transactionsOf(ana, account)).length, 6)
  await djinn.verify()
})

test('rows differ by day, by amount, by payee and by account', async () => {
  const [account, other] = [await ana.account(), await ana.account()]
  await importFile(ana, account, csv(coffee))
  const near: Line[] = [
    ['2026-02-04', '-3.20', 'Coffee Bar'],
    ['2026-02-03', '-3.21', 'Coffee Bar'],
    ['2026-02-03', '3.20', 'Coffee Bar'],
    ['2026-02-03', '-3.20', 'Coffee Bar 2'],
  ]
  assert.equal((await previewFile(ana, account, csv(...near))).summary.new, 4)
  assert.equal((await previewFile(ana, other, csv(coffee))).summary.new, 1)
})

test('the same words padded, wrapped and in other case are the same payee', async () => {
  const account = await ana.account()
  await importFile(ana, account, csv(['2026-02-03', '-3.20', 'Café  Müller KG']))
  for (const payee of ['CAFÉ MÜLLER KG', '  café müller   kg ', 'Cafe\u0301 Mu\u0308ller KG', '"café\nmüller kg"']) {
    assert.deepEqual(statuses(await previewFile(ana, account, csv(['2026-02-03', '-3.20', payee]))), ['duplicate'], payee)
  }
  assert.deepEqual(statuses(await previewFile(ana, account, csv(['2026-02-03', '-3.20', 'Cafe Muller KG']))), ['new'])
})

test('whatever the user edits, the file again adds none', async () => {
  const [account, other] = [await ana.account(), await ana.account()]
  for (const text of [csv(coffee, rent, salary), ofx('9', 'EUR', [...coffee, 'A1'], [...rent, 'A2'], [...salary, 'A3'])]) {
    const { preview } = await importFile(ana, account, text)
    const [first, second, third] = preview.rows.map((row: { transaction: { id: string } }) => `/api/transactions/${row.transaction.id}`)
    const [category] = (await ana.get('/api/categories?limit=1')).body.data
    const edits = [
      await ana.patch(first, { payee: 'Breakfast', note: 'with Ben', categoryId: category.id }),
      await ana.patch(second, { date: '2026-01-31', amount: -79900 }),
      await ana.patch(third, { accountId: other, status: 'reconciled' }),
    ]
    assert.deepEqual(
      edits.map(({ status }) => status),
      [200, 200, 200],
    )
    assert.equal(edits[0]!.body.rawPayee, 'Coffee Bar')
    assert.deepEqual((await importFile(ana, account, text)).result, { created: 0, duplicate: 3, matched: 0 })
    await djinn.verify()
    await ana.patch(third, { status: 'posted' })
    assert.equal((await ana.delete(`/api/imports/${preview.id}`)).status, 204)
  }
})

test('a row that the user deleted does not come back', async () => {
  const account = await ana.account()
  const files = [csv(coffee, coffee, rent), ofx('8', 'EUR', ['2026-02-05', '-7.00', 'Kiosk', 'K1'], ['2026-02-06', '-8.00', 'Kiosk', 'K2'])]
  for (const text of files) {
    const { preview } = await importFile(ana, account, text)
    assert.equal((await ana.delete(`/api/transactions/${preview.rows[0].transaction.id}`)).status, 204)
    assert.deepEqual((await importFile(ana, account, text)).result, { created: 0, duplicate: preview.rows.length, matched: 0 })
  }
  assert.deepEqual(await amountsOf(ana, account), [-80000, -800, -320])
  await djinn.verify()
})

test('the bank’s id decides over all else, and another id is another entry', async () => {
  const account = await ana.account()
  await importFile(ana, account, ofx('7', 'EUR', [...coffee, 'A1']))
  const later = ofx('7', 'EUR', ['2026-02-09', '-99.00', 'Other words', 'A1'], [...coffee, 'A2'])
  const { preview } = await importFile(ana, account, later)
  assert.deepEqual(statuses(preview), ['duplicate', 'new'])
  assert.match(preview.rows[0].reason, /has the bank's id A1 already/)
  assert.deepEqual(await amountsOf(ana, account), [-320, -320])
})

test('an entry repeated in one file with one id is one, and its ids are of one account only', async () => {
  const [account, other] = [await ana.account(), await ana.account()]
  const preview = await previewFile(ana, account, ofx('6', 'EUR', [...coffee, 'A1'], [...coffee, 'A1']))
  assert.deepEqual(statuses(preview), ['new', 'duplicate'])
  assert.match(preview.rows[1].reason, /A1 stands earlier in this file/)
  await ana.post(`/api/imports/${preview.id}/commit`, {})
  assert.deepEqual(statuses(await previewFile(ana, other, ofx('5', 'EUR', [...coffee, 'A1']))), ['new'])
})

test('rows without an id are known again in a format that has one, and the other way round', async () => {
  const account = await ana.account()
  const withIds = ofx('4', 'EUR', [...coffee, 'A1'], [...coffee, 'A2'], [...rent, 'A3'])
  await importFile(ana, account, csv(coffee, rent))
  const { preview } = await importFile(ana, account, withIds)
  assert.deepEqual(statuses(preview), ['duplicate', 'new', 'duplicate'])
  assert.deepEqual((await importFile(ana, account, withIds)).result, { created: 0, duplicate: 3, matched: 0 })
  assert.deepEqual((await importFile(ana, account, csv(coffee, coffee, rent))).result, { created: 0, duplicate: 3, matched: 0 })
  assert.deepEqual(await amountsOf(ana, account), [-80000, -320, -320])
  await djinn.verify()
})

test('two previews of one file, both committed, add it once', async () => {
  const account = await ana.account()
  const [first, second] = [await previewFile(ana, account, csv(coffee, rent)), await previewFile(ana, account, csv(coffee, rent))]
  assert.equal(second.summary.new, 2)
  assert.equal((await ana.post(`/api/imports/${first.id}/commit`, {})).body.created, 2)
  assert.deepEqual((await ana.post(`/api/imports/${second.id}/commit`, {})).body, { created: 0, duplicate: 2, matched: 0 })
  const shown = (await ana.get(`/api/imports/${second.id}`)).body
  assert.deepEqual(statuses(shown), ['duplicate', 'duplicate'])
  assert.deepEqual(shown.summary, { new: 0, duplicate: 2, matched: 0, error: 0 })
})

test('files that overlap at random leave of each row as many as the file that has most of it', async () => {
  const line = fc.constantFrom<Line>(coffee, rent, ['2026-02-03', '-3.20', 'Bakery'], ['2026-02-04', '-3.20', 'Coffee Bar'])
  const files = fc.array(fc.array(line, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 3 })
  const countOf = (lines: readonly Line[], wanted: Line) => lines.filter((one) => one === wanted).length
  await fc.assert(
    fc.asyncProperty(files, async (sent) => {
      const account = await ana.account()
      for (const lines of sent) {
        const { preview, result } = await importFile(ana, account, csv(...lines))
        assert.deepEqual([result.created, result.duplicate], [preview.summary.new, preview.summary.duplicate])
      }
      const expected = [...new Set(sent.flat())].flatMap((one) =>
        Array.from({ length: Math.max(...sent.map((lines) => countOf(lines, one))) }, () => JSON.stringify(one)),
      )
      const kept = (await transactionsOf(ana, account)).map(({ date, amount, rawPayee }) =>
        JSON.stringify([date, (amount / 100).toFixed(2), rawPayee]),
      )
      assert.deepEqual(kept.toSorted(), expected.toSorted())
      assert.equal(brief(await previewFile(ana, account, csv(...sent[0]!))).filter(([status]) => status === 'new').length, 0)
      await ana.patch(`/api/accounts/${account}`, { closedAt: '2026-03-01T00:00:00Z' })
    }),
    { numRuns: 15 },
  )
  await djinn.verify()
})

test('files of whole days, with ids or without, in any order and overlap leave each entry of the bank once', async () => {
  const day = fc.integer({ min: 1, max: 4 })
  const bank = fc.array(fc.record({ day, payee: fc.constantFrom('Coffee Bar', 'Kiosk') }), { minLength: 1, maxLength: 8 })
  const files = fc.array(fc.record({ from: day, to: day, withIds: fc.boolean() }), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(bank, files, async (entries, windows) => {
      const account = await ana.account()
      const seen = new Set<Line>()
      const lines = entries.map((entry, index) => ({
        day: entry.day,
        line: [`2026-04-0${entry.day}`, '-2.00', entry.payee, `ID${index}`] satisfies Line,
      }))
      for (const { from, to, withIds } of windows) {
        const within = lines.filter((entry) => entry.day >= from && entry.day <= to).map(({ line }) => line)
        if (within.length === 0) continue
        for (const line of within) seen.add(line)
        await importFile(ana, account, withIds ? ofx('3', 'EUR', ...within) : csv(...within))
      }
      const kept = (await transactionsOf(ana, account)).map(({ date, rawPayee }) => `${date} ${rawPayee}`)
      assert.deepEqual(kept.toSorted(), [...seen].map(([date, , payee]) => `${date} ${payee}`).toSorted())
      await ana.patch(`/api/accounts/${account}`, { closedAt: '2026-05-01T00:00:00Z' })
    }),
    { numRuns: 25 },
  )
  await djinn.verify()
})
