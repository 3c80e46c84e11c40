// Files of several accounts: which statement goes where, said by the caller or remembered.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { open } from '../harness.ts'
import {
  amountsOf,
  coffee,
  csv,
  importFile,
  ofx,
  ofxOf,
  ofxStatement,
  previewFile,
  refused,
  rent,
  salary,
  transactionsOf,
} from './import-files.ts'

const djinn = await open()
after(() => djinn.close())

const accountsOf = (preview: { statements: { key: string; accountId: string | null }[] }) =>
  preview.statements.map(({ key, accountId }) => [key, accountId])

test('the statements of one file go to the accounts that the commit names', async () => {
  const ana = await djinn.person()
  const [first, second] = [await ana.account(), await ana.account({ currency: 'USD' })]
  const preview = await previewFile(ana, null, ofxOf(ofxStatement('100', 'EUR', coffee, rent), ofxStatement('200', 'USD', salary)))
  assert.deepEqual(accountsOf(preview), [
    ['100', null],
    ['200', null],
  ])
  assert.deepEqual(
    preview.rows.map((row: { statement: string; status: string; transaction: { accountId: null } }) => [
      row.statement,
      row.status,
      row.transaction.accountId,
    ]),
    [
      ['100', 'new', null],
      ['100', 'new', null],
      ['200', 'new', null],
    ],
  )
  const { body } = await ana.post(`/api/imports/${preview.id}/commit`, { accounts: { 100: first, 200: second } })
  assert.deepEqual(body, { created: 3, duplicate: 0, matched: 0 })
  assert.deepEqual([await amountsOf(ana, first), await amountsOf(ana, second)], [[-80000, -320], [250000]])
  await djinn.verify()
})

test('a statement without an account refuses the commit, which names each', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  const preview = await previewFile(ana, null, ofxOf(ofxStatement('100', 'EUR', coffee), ofxStatement('1/2', 'EUR', rent)))
  const none = await ana.post(`/api/imports/${preview.id}/commit`, {})
  refused(none, 422, 'import-account-missing')
  assert.deepEqual(
    none.body.errors.map(({ pointer, code }: { pointer: string; code: string }) => [pointer, code]),
    [
      ['/accounts/100', 'import-account-missing'],
      ['/accounts/1~12', 'import-account-missing'],
    ],
  )
  refused(
    await ana.post(`/api/imports/${preview.id}/commit`, { accounts: { 100: account } }),
    422,
    'import-account-missing',
    '/accounts/1~12',
  )
  refused(await ana.post(`/api/imports/${preview.id}/commit`, { accounts: { 300: account } }), 400, 'invalid-request', '/accounts/300')
  refused(await ana.post(`/api/imports/${preview.id}/commit`, { accounts: { 100: 'x' } }), 400, 'invalid-request', '/accounts/100')
  assert.deepEqual(await transactionsOf(ana, account), [])
})

test('the next file of an account goes where its last one went, and only known names are asked for', async () => {
  const ana = await djinn.person()
  const [first, second] = [await ana.account(), await ana.account()]
  await importFile(ana, first, ofx('100', 'EUR', coffee))
  assert.deepEqual(accountsOf(await previewFile(ana, null, ofx('100', 'EUR', rent))), [['100', first]])
  const two = ofxOf(ofxStatement('100', 'EUR', rent), ofxStatement('200', 'EUR', salary))
  assert.deepEqual(accountsOf(await previewFile(ana, null, two)), [
    ['100', first],
    ['200', null],
  ])
  assert.deepEqual(accountsOf(await previewFile(ana, second, two)), [
    ['100', first],
    ['200', second],
  ])
  await ana.patch(`/api/accounts/${first}`, { closedAt: '2026-03-01T00:00:00Z' })
  assert.deepEqual(accountsOf(await previewFile(ana, null, ofx('100', 'EUR', rent))), [['100', null]])
})

test('nothing is remembered of an import that was undone, nor of a format that names no account', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  const { id } = await importFile(ana, account, ofx('100', 'EUR', coffee))
  await ana.delete(`/api/imports/${id}`)
  assert.deepEqual(accountsOf(await previewFile(ana, null, ofx('100', 'EUR', coffee))), [['100', null]])
  await importFile(ana, account, csv(coffee))
  assert.deepEqual(accountsOf(await previewFile(ana, null, csv(coffee))), [['csv', null]])
})

test('what was remembered is nobody else’s', async () => {
  const [ana, ben] = [await djinn.person(), await djinn.person()]
  await importFile(ana, await ana.account(), ofx('100', 'EUR', coffee))
  assert.deepEqual(accountsOf(await previewFile(ben, null, ofx('100', 'EUR', coffee))), [['100', null]])
})

test('a statement given its account at the commit is held against that account', async () => {
  const ana = await djinn.person()
  const [full, empty] = [await ana.account(), await ana.account()]
  await importFile(ana, full, csv(coffee, rent))
  const { body: written } = await ana.post('/api/transactions', { accountId: empty, date: '2026-02-27', amount: 250000 })
  const text = csv(coffee, rent, salary)

  const unassigned = await previewFile(ana, null, text)
  assert.equal(unassigned.summary.new, 3)
  assert.deepEqual((await ana.post(`/api/imports/${unassigned.id}/commit`, { accounts: { csv: full } })).body, {
    created: 1,
    duplicate: 2,
    matched: 0,
  })

  const other = await previewFile(ana, full, text)
  assert.equal(other.summary.duplicate, 3)
  assert.deepEqual((await ana.post(`/api/imports/${other.id}/commit`, { accounts: { csv: empty } })).body, {
    created: 2,
    duplicate: 0,
    matched: 1,
  })
  assert.deepEqual(await amountsOf(ana, empty), [-80000, -320, 250000])
  assert.equal((await ana.get(`/api/transactions/${written.id}`)).body.rawPayee, 'Example Works')
  await djinn.verify()
})

test('a change of the account before the commit previews the rows anew', async () => {
  const ana = await djinn.person()
  const [full, empty] = [await ana.account(), await ana.account()]
  await importFile(ana, full, csv(coffee, rent))
  const { id } = await previewFile(ana, empty, csv(coffee, rent))
  const { status, body } = await ana.patch(`/api/imports/${id}`, { accountId: full })
  assert.equal(status, 200)
  assert.deepEqual(accountsOf(body), [['csv', full]])
  assert.deepEqual(body.summary, { new: 0, duplicate: 2, matched: 0, error: 0 })
})

test('an account number that every object has as a property is a number like others', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  const { id } = await previewFile(ana, null, ofx('constructor', 'EUR', coffee))
  refused(await ana.post(`/api/imports/${id}/commit`, {}), 422, 'import-account-missing', '/accounts/constructor')
  assert.equal((await ana.post(`/api/imports/${id}/commit`, { accounts: { constructor: account } })).body.created, 1)
})
