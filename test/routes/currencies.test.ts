// Money in several currencies: originals and transfers keep both amounts to the minor unit, and no rate ever changes what is stored.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { importRateFile } from '../../src/features/rates/rate-import.ts'
import { dayOf } from '../../src/values/day.ts'
import { newId } from '../../src/values/id.ts'
import { assertRefused, open, type Person } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

const date = '2024-03-13'
const tables = ['households', 'revisions', 'accounts', 'categories', 'transactions', 'splits', 'transfers', 'monthly_totals', 'journal']
/** Everything that is stored of a household, revisions and hashes included. */
const stored = async ({ householdId }: Person, without: readonly string[] = []) =>
  Object.fromEntries(
    await Promise.all(
      tables
        .filter((table) => !without.includes(table))
        .map(async (table) => [
          table,
          (await djinn.sql(`select to_jsonb(t)::text as row from ${table} t where household_id = $1 order by 1`, [householdId])).map(
            (each) => each['row'],
          ),
        ]),
    ),
  )

/** A household with accounts of 0, 2, 3 and 4 minor digits, originals and transfers across them. */
async function household() {
  const person = await djinn.person()
  const ids: Record<string, string> = {}
  for (const currency of ['EUR', 'JPY', 'BHD', 'CLF'])
    ids[currency] = await person.account({ name: currency, currency, openingBalance: 1_000_000 })
  for (const [account, amount, original, paid] of [
    ['EUR', -1_233, 'JPY', -2_001],
    ['JPY', -2_001, 'BHD', -5_123],
    ['BHD', -5_123, 'CLF', -3_337],
    ['CLF', -3_337, 'EUR', -11_999],
  ] as [string, number, string, number][]) {
    const splits = [{ amount: amount + 1 }, { amount: -1 }]
    const made = await person.post('/api/transactions', {
      accountId: ids[account],
      date,
      amount,
      splits,
      original: { amount: paid, currency: original },
    })
    assert.equal(made.status, 201, made.text)
  }
  const transfer = await person.post('/api/transfers', {
    fromAccountId: ids['EUR'],
    toAccountId: ids['JPY'],
    date,
    amount: 10_001,
    toAmount: 16_127,
  })
  assert.equal(transfer.status, 201, transfer.text)
  return { person, ids, transferId: transfer.body.id as string }
}

test('an original amount is kept to the minor unit in any currency, with the rate that was paid', async () => {
  const { person, ids } = await household()
  const originals = Object.fromEntries(
    (await person.get('/api/transactions?limit=100')).body.data
      .filter((row: { original: unknown }) => row.original !== null)
      .map((row: { currency: string; amount: number; original: object }) => [
        row.currency,
        { amount: row.amount, ...row.original, paid: row.amount, original: row.original },
      ]),
  )
  assert.deepEqual(originals['EUR'].original, { amount: -2_001, currency: 'JPY', rate: '0.006161919' })
  assert.deepEqual(originals['JPY'].original, { amount: -5_123, currency: 'BHD', rate: '390.5914503221' })
  assert.deepEqual(originals['BHD'].original, { amount: -3_337, currency: 'CLF', rate: '15.3521126761' })
  assert.deepEqual(originals['CLF'].original, { amount: -11_999, currency: 'EUR', rate: '0.0027810651' })
  const extreme = Number.MAX_SAFE_INTEGER
  const { status, body } = await person.post('/api/transactions', {
    accountId: ids['EUR'],
    date,
    amount: 1,
    original: { amount: extreme, currency: 'JPY' },
  })
  assert.deepEqual([status, body.original.amount], [201, extreme])
  assertRefused(
    await person.post('/api/transactions', { accountId: ids['EUR'], date, amount: 1, original: { amount: 1, currency: 'HRK' } }),
    400,
    'invalid-request',
    '/original/currency',
  )
  await djinn.verify()
})

test('a transfer across currencies moves exactly its two amounts, whatever the rates are', async () => {
  const { person, ids, transferId } = await household()
  const balance = async (currency: string) => (await person.get(`/api/accounts/${ids[currency]}`)).body.balance
  assert.deepEqual([await balance('EUR'), await balance('JPY')], [1_000_000 - 1_233 - 10_001, 1_000_000 - 2_001 + 16_127])
  const changed = await person.patch(`/api/transfers/${transferId}`, { toAmount: 16_128 })
  assert.deepEqual([changed.body.from.amount, changed.body.to.amount], [-10_001, 16_128])
  assertRefused(
    await person.post('/api/transfers', { fromAccountId: ids['BHD'], toAccountId: ids['CLF'], date, amount: 1 }),
    422,
    'currency-mismatch',
  )
  const there = await person.post('/api/transfers', {
    fromAccountId: ids['BHD'],
    toAccountId: ids['CLF'],
    date,
    amount: 123_457,
    toAmount: 81,
  })
  assert.equal((await person.delete(`/api/transfers/${there.body.id}`)).status, 204)
  assert.deepEqual([await balance('BHD'), await balance('CLF')], [1_000_000 - 5_123, 1_000_000 - 3_337])
  await djinn.verify()
})

test('importing and correcting rates changes no stored row of any household', async () => {
  const { person } = await household()
  const before = await stored(person)
  const take = (csv: string, policy: 'refuse' | 'correct') =>
    importRateFile(djinn.resources.directDatabase, Buffer.from(csv), policy, dayOf(Date.now(), 'UTC'))
  await take(`Date,USD,JPY,\n${date},1.1,161.25,\n`, 'refuse')
  await take(`Date,USD,JPY,\n${date},1.2,170,\n`, 'correct')
  assert.deepEqual(await stored(person), before)
  await djinn.verify()
})

test('another base currency changes the household and nothing that it holds', async () => {
  const { person } = await household()
  const apart = ['households', 'revisions', 'journal']
  const before = await stored(person, apart)
  const { status, body } = await person.patch(`/api/households/${person.householdId}`, { baseCurrency: 'JPY' })
  assert.deepEqual([status, body.baseCurrency], [200, 'JPY'])
  assert.deepEqual(await stored(person, apart), before)
  const [entry] = (await person.get('/api/audit?limit=1')).body.data
  assert.deepEqual([entry.kind, Object.keys(entry.changes)], ['household', ['base_currency']])
  await djinn.verify()
})

test('an account keeps its currency once it has transactions', async () => {
  const { person, ids } = await household()
  assertRefused(await person.patch(`/api/accounts/${ids['JPY']}`, { currency: 'USD' }), 409, 'in-use', '/currency')
  assertRefused(
    await person.post('/api/accounts', { id: newId(), name: 'Old', kind: 'cash', currency: 'HRK' }),
    400,
    'invalid-request',
    '/currency',
  )
})
