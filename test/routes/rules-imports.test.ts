// Rules meet imports: what a bank sends is named and categorised on arrival, and the import stays what it is.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { applyRules } from '../../src/features/rules/apply.ts'
import { newId } from '../../src/values/id.ts'
import { open } from '../harness.ts'
import { addCategory, addRule, draftOf, readTransaction } from './rule-drafts.ts'
import { coffee, csv, importFile, ofx, previewFile, rent, transactionsOf } from './import-files.ts'

const djinn = await open()
after(() => djinn.close())

const renaming = { conditions: [{ field: 'rawPayee', operator: 'contains', value: 'coffee' }] }

test('the rows that an import adds have the rules applied when it answers', async () => {
  const ana = await djinn.person()
  const [account, category] = [await ana.account(), await addCategory(ana)]
  await addRule(ana, { ...renaming, actions: { categoryId: category, payee: 'Cafe', note: 'Latte' } })
  const earlier = await ana.post('/api/transactions', { accountId: account, date: '2025-01-01', amount: -1, payee: 'Coffee by hand' })
  const { preview, result } = await importFile(ana, account, csv(coffee, rent))
  assert.deepEqual(result, { created: 2, duplicate: 0, matched: 0 })
  assert.equal(preview.rows[0].transaction.payee, 'Coffee Bar', 'a preview shows what the bank sent')
  const [first, second] = await Promise.all(
    preview.rows.map((row: { transaction: { id: string } }) => readTransaction(ana, row.transaction.id)),
  )
  assert.deepEqual([first.payee, first.note, first.categoryId, first.rawPayee], ['Cafe', 'Latte', category, 'Coffee Bar'])
  assert.deepEqual([second.payee, second.categoryId], ['Landlord', null])
  assert.equal((await readTransaction(ana, earlier.body.id)).revision, earlier.body.revision)
  await djinn.verify()
})

test('the same file adds nothing after rules renamed its payees, whether it has ids or not', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  await addRule(ana, { ...renaming, actions: { payee: 'Cafe', note: 'Latte' } })
  for (const file of [csv(coffee, coffee, rent), ofx('1', 'EUR', [...coffee, 'A1'], ['2026-03-01', '-9.00', 'Coffee', 'A2'])]) {
    await importFile(ana, account, file)
    const { created } = (await importFile(ana, account, file)).result
    assert.equal(created, 0)
  }
  await ana.post('/api/rules/run', {})
  assert.equal((await importFile(ana, account, csv(coffee, coffee, rent))).result.created, 0)
})

test('the undo of an import takes all of it back, ruled or not, and it can be sent again', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  await addRule(ana, { ...renaming, actions: { payee: 'Cafe' } })
  const { id } = await importFile(ana, account, csv(coffee, rent))
  const run = (await ana.post('/api/rules/run', {})).body
  assert.equal((await ana.delete(`/api/imports/${id}`)).status, 204)
  assert.deepEqual(await transactionsOf(ana, account), [])
  assert.equal((await ana.delete(`/api/rules/runs/${run.id}`)).status, 200)
  assert.equal((await importFile(ana, account, csv(coffee, rent))).result.created, 2)
  await djinn.verify()
})

test('a row written by hand that the import matches keeps what its writer said', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  const own = (await ana.post('/api/transactions', { accountId: account, date: coffee[0], amount: -320, payee: 'Coffee with Ben' })).body
  await addRule(ana, { ...renaming, actions: { payee: 'Cafe', note: 'Latte' } })
  assert.deepEqual((await importFile(ana, account, csv(coffee))).result, { created: 0, duplicate: 0, matched: 1 })
  const { payee, note } = await readTransaction(ana, own.id)
  assert.deepEqual([payee, note], ['Coffee with Ben', ''])
})

test('disabled and deleted rules, and those of another household, leave an import alone', async () => {
  const [ana, ben] = [await djinn.person(), await djinn.person()]
  await addRule(ana, { ...renaming, enabled: false })
  const gone = await addRule(ana, renaming)
  await ana.delete(`/api/rules/${gone}`)
  await addRule(ben, renaming)
  const account = await ana.account()
  await importFile(ana, account, csv(coffee))
  assert.equal((await transactionsOf(ana, account))[0].payee, 'Coffee Bar')
})

test('what is typed by hand is left to its writer', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  const category = await addCategory(ana)
  await addRule(ana, { actions: { categoryId: category } })
  const made = await ana.post('/api/transactions', { accountId: account, date: '2026-02-01', amount: -1, payee: 'Bakery' })
  assert.equal(made.body.categoryId, null)
})

test('the statements of a commit are one more for the rules, however many rows, and one a 2,000 rows when there are rules', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  const cost = async (rows: number, marker: string) => {
    const lines = Array.from({ length: rows }, (_, index) => ['2026-02-01', '-1.00', `${marker} ${index}`] as const)
    const { id } = await previewFile(ana, account, csv(...lines))
    const { statements } = await djinn.count(() => ana.post(`/api/imports/${id}/commit`, {}))
    return statements.filter((name) => name.startsWith('rules.'))
  }
  assert.deepEqual(await cost(3, 'none'), ['rules.chosen'])
  await ana.post('/api/rules', draftOf({ conditions: [{ field: 'payee', operator: 'startsWith', value: 'Few' }] }))
  assert.deepEqual(await cost(3, 'few'), ['rules.chosen', 'rules.applyChunk'])
  assert.deepEqual(await cost(400, 'many'), ['rules.chosen', 'rules.applyChunk'])
})

test('a feed applies them to the rows it names, in its own transaction', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  const { preview } = await importFile(ana, account, csv(coffee, ['2026-02-09', '-5.00', 'Coffee']))
  const [first, second] = preview.rows.map((row: { transaction: { id: string } }) => row.transaction.id) as [string, string]
  await addRule(ana, { ...renaming, actions: { payee: 'Cafe' } })
  await djinn.resources.database.write({ household: ana.householdId, user: ana.userId }, (tx) =>
    applyRules(tx, ana.householdId, { transactionIds: [second, newId()] }),
  )
  assert.deepEqual([(await readTransaction(ana, first)).payee, (await readTransaction(ana, second)).payee], ['Coffee Bar', 'Cafe'])
  await djinn.resources.database.write({ household: ana.householdId, user: ana.userId }, (tx) =>
    applyRules(tx, ana.householdId, { transactionIds: [] }),
  )
  assert.equal((await readTransaction(ana, first)).payee, 'Coffee Bar')
})
