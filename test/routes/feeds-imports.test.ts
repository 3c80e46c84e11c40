// Feeds beside files and beside what people type: whichever comes first, nobody has an entry twice.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { open, type Person } from '../harness.ts'
import { makeFeed, outcomes, push, row, type Feed } from './feed-pushes.ts'
import { balanceOf, brief, coffee, csv, importFile, ofx, previewFile, rent, salary, transactionsOf, type Line } from './import-files.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
let account: string
let feed: Feed
before(async () => {
  ana = await djinn.person()
})
beforeEach(async () => {
  account = await ana.account()
  feed = await makeFeed(ana, account)
})

/** The same entry as a file's line has it. */
const pushed = (externalId: string, [date, amount, payee]: Line, changes: object = {}) =>
  row(externalId, { date, amount: Math.round(Number(amount) * 100), payee, ...changes })
const statuses = (preview: { rows: { status: string }[] }) => preview.rows.map(({ status }) => status)
const count = async () => (await transactionsOf(ana, account)).length
const byHand = async (draft: object = {}) => {
  const { status, body, text } = await ana.post('/api/transactions', { accountId: account, date: '2026-02-03', amount: -320, ...draft })
  assert.equal(status, 201, text)
  return body.id as string
}

test('a file without ids finds what the feed brought, by counting: three coffees where the feed has two bring one', async () => {
  await push(djinn, feed, [pushed('a', coffee), pushed('b', coffee), pushed('c', rent)])
  const { preview, result } = await importFile(ana, account, csv(coffee, coffee, coffee, rent, salary))
  assert.deepEqual(statuses(preview), ['duplicate', 'duplicate', 'new', 'duplicate', 'new'])
  assert.deepEqual(result, { created: 2, duplicate: 3, matched: 0 })
})

test('a file with the bank’s ids finds what the feed brought by them, whatever else differs', async () => {
  await push(djinn, feed, [pushed('F1', coffee), pushed('F2', rent)])
  const file = ofx(
    '1',
    'EUR',
    ['2026-02-04', '-3.20', 'COFFEE BAR 0042', 'F1'],
    [...rent.slice(0, 3), 'F2'] as never,
    [...salary, 'F3'] as never,
  )
  const { preview } = await importFile(ana, account, file)
  assert.deepEqual(statuses(preview), ['duplicate', 'duplicate', 'new'])
  assert.equal(await count(), 3)
})

test('a file whose ids are not the aggregator’s finds what the feed brought by counting', async () => {
  await push(djinn, feed, [pushed('tx_1', coffee), pushed('tx_2', coffee), pushed('tx_3', rent)])
  const file = ofx('1', 'EUR', [...coffee, 'F1'] as never, [...coffee, 'F2'] as never, [...rent, 'F3'] as never, [...salary, 'F4'] as never)
  const { preview } = await importFile(ana, account, file)
  assert.deepEqual(statuses(preview), ['duplicate', 'duplicate', 'duplicate', 'new'])
  assert.deepEqual((await importFile(ana, account, file)).result, { created: 0, duplicate: 4, matched: 0 })
  assert.deepEqual(outcomes(await push(djinn, feed, [pushed('tx_4', salary)])), ['unchanged'], 'and the other way round')
  assert.equal(await count(), 4)
})

test('a file that has the ids of before an entry was posted finds it', async () => {
  await push(djinn, feed, [pushed('P', coffee, { status: 'pending' })])
  await push(djinn, feed, [pushed('E', ['2026-02-05', '-3.80', 'Coffee Bar'], { pendingExternalId: 'P' })])
  const { preview } = await importFile(ana, account, ofx('1', 'EUR', [...coffee, 'P'] as never))
  assert.deepEqual(statuses(preview), ['duplicate'])
})

test('a feed takes over the rows of a file without ids, one each, and gives them its ids', async () => {
  await importFile(ana, account, csv(coffee, coffee, rent))
  const earlier = await transactionsOf(ana, account)
  assert.deepEqual(outcomes(await push(djinn, feed, [pushed('a', coffee)])), ['adopted'])
  assert.deepEqual(outcomes(await push(djinn, feed, [pushed('a', coffee), pushed('b', coffee), pushed('c', coffee)])), [
    'unchanged',
    'adopted',
    'created',
  ])
  const rows = await transactionsOf(ana, account)
  assert.equal(rows.length, 4)
  for (const { id } of earlier) assert.ok(rows.some((each) => each.id === id))
  assert.deepEqual((await importFile(ana, account, csv(coffee, coffee, rent))).result, { created: 0, duplicate: 3, matched: 0 })
})

test('a feed finds the rows of a file with the same ids, and a new id there is a new entry', async () => {
  await importFile(ana, account, ofx('1', 'EUR', [...coffee, 'F1'] as never, [...rent, 'F2'] as never))
  assert.deepEqual(outcomes(await push(djinn, feed, [pushed('F1', coffee), pushed('F2', rent), pushed('F3', coffee)])), [
    'unchanged',
    'unchanged',
    'created',
  ])
  assert.deepEqual(outcomes(await push(djinn, feed, [pushed('F4', rent)])), ['created'], 'the ids are the bank’s')
  assert.equal(await count(), 4)
})

test('a feed with ids of its own finds the rows of a file with the bank’s, and both ids are known from then on', async () => {
  const file = ofx('1', 'EUR', [...coffee, 'F1'] as never, [...rent, 'F2'] as never)
  await importFile(ana, account, file)
  assert.deepEqual(outcomes(await push(djinn, feed, [pushed('tx_1', coffee), pushed('tx_2', rent), pushed('tx_3', coffee)])), [
    'unchanged',
    'unchanged',
    'created',
  ])
  assert.deepEqual((await importFile(ana, account, file)).result, { created: 0, duplicate: 2, matched: 0 })
  assert.deepEqual(outcomes(await push(djinn, feed, [pushed('tx_1', coffee)])), ['unchanged'])
  const rows = await transactionsOf(ana, account)
  assert.deepEqual(rows.map(({ externalId }) => externalId as string).toSorted(), ['F1', 'F2', 'tx_3'])
  assert.deepEqual(outcomes(await push(djinn, feed, [pushed('tx_1', ['2026-02-03', '-3.30', 'Coffee Bar'])])), ['updated'])
})

test('what an undo of a file took back comes by the feed; what a person deleted of it does not', async () => {
  const { id } = await importFile(ana, account, csv(coffee, rent))
  await push(djinn, feed, [pushed('a', coffee)])
  const deleted = (await transactionsOf(ana, account)).find(({ amount }) => amount === -80_000)
  await ana.delete(`/api/transactions/${deleted!.id}`)
  assert.deepEqual(outcomes(await push(djinn, feed, [pushed('b', rent)])), ['deleted'])
  await ana.delete(`/api/imports/${id}`)
  assert.equal(await count(), 0)
  assert.deepEqual(outcomes(await push(djinn, feed, [pushed('a', coffee)])), ['created'])
  assert.equal(await count(), 1)
})

test('what the bank took back from a feed is new in a file, and found by the feed again', async () => {
  await push(djinn, feed, [pushed('P', coffee, { status: 'pending' })])
  await push(djinn, feed, [], ['P'])
  const { preview } = await importFile(ana, account, ofx('1', 'EUR', [...coffee, 'P'] as never))
  assert.deepEqual(statuses(preview), ['new'])
  assert.deepEqual(outcomes(await push(djinn, feed, [pushed('P', coffee)])), ['unchanged'])
  assert.equal(await count(), 1)
})

test('a transaction typed by hand within three days is the bank’s, and keeps what its writer said', async () => {
  const id = await byHand({ date: '2026-02-01', payee: 'Café', note: 'with Ben' })
  const answer = await push(djinn, feed, [row('a', { note: 'card 1', rawPayee: 'COFFEE BAR 0042' })])
  assert.deepEqual([answer.updated, answer.results], [1, [{ externalId: 'a', transactionId: id, outcome: 'adopted' }]])
  const [adopted] = await transactionsOf(ana, account)
  assert.deepEqual(
    [adopted!.id, adopted!.date, adopted!.payee, adopted!.note, adopted!.rawPayee, adopted!.externalId, adopted!.status],
    [id, '2026-02-01', 'Café', 'with Ben', 'COFFEE BAR 0042', 'a', 'posted'],
  )
  assert.deepEqual(outcomes(await push(djinn, feed, [row('a', { note: 'card 1', rawPayee: 'COFFEE BAR 0042' })])), ['unchanged'])
  const { preview } = await importFile(ana, account, csv(['2026-02-03', '-3.20', 'COFFEE BAR 0042']))
  assert.deepEqual(brief(preview)[0]![0], 'duplicate')
})

test('what is four days away, of another amount, reconciled, deleted or of another account is another one', async () => {
  await byHand({ date: '2026-01-30' })
  await byHand({ amount: -321 })
  await byHand({ status: 'reconciled' })
  await ana.delete(`/api/transactions/${await byHand()}`)
  await byHand({ accountId: await ana.account() })
  assert.deepEqual(outcomes(await push(djinn, feed, [row('a')])), ['created'])
})

test('each one typed by hand is taken once, the nearest first', async () => {
  const [near, far] = [await byHand({ date: '2026-02-03' }), await byHand({ date: '2026-02-05' })]
  const { results } = await push(djinn, feed, [row('late', { date: '2026-02-06' }), row('same'), row('third')])
  assert.deepEqual(
    results.map(({ externalId, transactionId, outcome }) => [externalId, outcome, transactionId === near, transactionId === far]),
    [
      ['late', 'adopted', false, true],
      ['same', 'adopted', true, false],
      ['third', 'created', false, false],
    ],
  )
})

test('one typed by hand that was pending at the bank and never posted is its writer’s again', async () => {
  const id = await byHand({ note: 'mine' })
  await push(djinn, feed, [row('p', { status: 'pending' })])
  assert.deepEqual((await transactionsOf(ana, account))[0]!.externalId, 'p')
  assert.deepEqual(outcomes(await push(djinn, feed, [], ['p'])), ['kept'])
  const [free] = await transactionsOf(ana, account)
  assert.deepEqual([free!.id, free!.externalId, free!.rawPayee, free!.note], [id, null, null, 'mine'])
  assert.deepEqual((await push(djinn, feed, [row('e')])).results, [{ externalId: 'e', transactionId: id, outcome: 'adopted' }])
})

test('a leg of a transfer is adopted and stays whole, whatever the bank makes of it later', async () => {
  const savings = await ana.account({ name: 'Savings' })
  const { body: transfer } = await ana.post('/api/transfers', {
    fromAccountId: account,
    toAccountId: savings,
    date: '2026-02-03',
    amount: 320,
  })
  const { results } = await push(djinn, feed, [row('p', { status: 'pending' })])
  assert.deepEqual(results, [{ externalId: 'p', transactionId: transfer.from.id, outcome: 'adopted' }])
  assert.deepEqual(outcomes(await push(djinn, feed, [row('e', { pendingExternalId: 'p', amount: -330, date: '2026-02-04' })])), ['updated'])
  const { body: whole } = await ana.get(`/api/transfers/${transfer.id}`)
  assert.deepEqual([whole.from.amount, whole.from.date, whole.to.amount], [-320, '2026-02-03', 320])
})

test('an externalId that an app gave by itself is found by it', async () => {
  const id = await byHand({ externalId: 'a', payee: 'Mine' })
  assert.deepEqual((await push(djinn, feed, [row('a', { payee: 'Coffee Bar' })])).results[0]!.transactionId, id)
  assert.deepEqual(
    (await transactionsOf(ana, account)).map(({ payee, rawPayee }) => [payee, rawPayee]),
    [['Mine', 'Coffee Bar']],
  )
})

test('a preview that was made before the push counts what the push brought when it is committed', async () => {
  const preview = await previewFile(ana, account, csv(coffee, rent))
  assert.deepEqual(statuses(preview), ['new', 'new'])
  await push(djinn, feed, [pushed('a', coffee)])
  assert.deepEqual((await ana.post(`/api/imports/${preview.id}/commit`, {})).body, { created: 1, duplicate: 1, matched: 0 })
  assert.equal(await balanceOf(ana, account), -80_320)
})

test('the books hold after all of this', () => djinn.verify())
