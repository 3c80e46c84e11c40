// What a write costs: at most three round trips to the database, with an Idempotency-Key and a base revision too.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { open, type Person, type Reply } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

const date = '2026-02-28'
let ana: Person
let accountId: string
let dollarsId: string

before(async () => {
  ana = await djinn.person()
  accountId = await ana.account()
  dollarsId = await ana.account({ name: 'Dollars', currency: 'USD' })
})

async function made(path: string, draft: object): Promise<{ path: string; revision: number }> {
  const { status, body, text } = await ana.post(path, draft)
  assert.equal(status, 201, text)
  return { path: `${path}/${body.id}`, revision: body.revision ?? body.from.revision }
}
const spent = (draft: object = {}) => made('/api/transactions', { accountId, date, amount: -1_000, ...draft })
const original = { amount: -1_100, currency: 'USD' }

const bill = { payee: 'Rent', amountMin: -5, amountMax: -5, schedule: { startsOn: date, rule: 'FREQ=MONTHLY' } }

/** Each write, made by what it needs beforehand. */
const writes: [what: string, prepare: () => Promise<() => [method: string, path: string, body?: object]>][] = [
  ['a new transaction', async () => () => ['POST', '/api/transactions', { id: newId(), accountId, date, amount: -5 }]],
  [
    'a new transaction in another currency',
    async () => () => ['POST', '/api/transactions', { id: newId(), accountId, date, amount: -1_000, original }],
  ],
  ...(
    [
      ['payee', { payee: 'Baker' }],
      ['amount', { amount: -1_234 }],
      ['date', { date: '2026-02-27' }],
      ['splits', { splits: [{ amount: -400 }, { amount: -600 }] }],
      ['original', { original }],
    ] as const
  ).flatMap(
    ([name, changes]) =>
      [
        [
          `a transaction's changed ${name}`,
          async () => {
            const { path } = await spent()
            return () => ['PATCH', path, changes]
          },
        ],
        [
          `a transaction's changed ${name}, made offline`,
          async () => {
            const { path, revision } = await spent()
            return () => ['PATCH', path, { ...changes, baseRevision: revision }]
          },
        ],
      ] as typeof writes,
  ),
  [
    'a transaction that moves to an account in another currency and keeps its original',
    async () => {
      const { path, revision } = await spent({ original: { amount: -1_200, currency: 'CHF' } })
      return () => ['PATCH', path, { accountId: dollarsId, baseRevision: revision }]
    },
  ],
  [
    'a deleted transaction',
    async () => {
      const { path } = await spent()
      return () => ['DELETE', path]
    },
  ],
  [
    'a restored transaction',
    async () => {
      const { path } = await spent()
      await ana.delete(path)
      return () => ['POST', `${path}/restore`]
    },
  ],
  [
    "an account's changed name, made offline",
    async () => {
      const { path, revision } = await made('/api/accounts', { name: 'Tin', kind: 'cash', currency: 'EUR' })
      return () => ['PATCH', path, { name: 'Purse', baseRevision: revision }]
    },
  ],
  [
    "a category's changed name, made offline",
    async () => {
      const { path, revision } = await made('/api/categories', { name: 'Hats', kind: 'expense' })
      return () => ['PATCH', path, { name: 'Caps', baseRevision: revision }]
    },
  ],
  [
    "a transfer's changed amount, made offline",
    async () => {
      const savings = await ana.account({ name: 'Savings' })
      const { path, revision } = await made('/api/transfers', { fromAccountId: accountId, toAccountId: savings, date, amount: 5 })
      return () => ['PATCH', path, { amount: 7, baseRevision: revision }]
    },
  ],
  ['a new bill', async () => () => ['POST', '/api/bills', { id: newId(), ...bill }]],
  [
    "a bill's changed schedule, made offline",
    async () => {
      const { path, revision } = await made('/api/bills', bill)
      return () => ['PATCH', path, { schedule: { startsOn: date, rule: 'FREQ=WEEKLY' }, baseRevision: revision }]
    },
  ],
  [
    "a bill's changed end",
    async () => {
      const { path } = await made('/api/bills', bill)
      return () => ['PATCH', path, { endsOn: '2199-12-31' }]
    },
  ],
  [
    'a restored bill',
    async () => {
      const { path } = await made('/api/bills', bill)
      await ana.delete(path)
      return () => ['POST', `${path}/restore`]
    },
  ],
  [
    'an occurrence that is skipped, offline',
    async () => {
      const { path } = await made('/api/bills', bill)
      const { body } = await ana.get(`${path}/occurrences`)
      return () => ['PATCH', `${path}/occurrences/${body.data[0].date}`, { status: 'skipped', baseRevision: body.data[0].revision }]
    },
  ],
  [
    'an occurrence that is paid by hand',
    async () => {
      const { path } = await made('/api/bills', bill)
      const { body } = await ana.get(`${path}/occurrences`)
      const { body: transaction } = await ana.post('/api/transactions', { accountId, date, amount: -1 })
      return () => ['POST', `${path}/occurrences/${body.data[0].date}/payments`, { transactionId: transaction.id }]
    },
  ],
]

for (const [what, prepare] of writes) {
  for (const key of [undefined, 'key']) {
    test(`${what} takes at most three round trips ${key ? 'with a key, and its repeat two' : 'without a key'}`, async () => {
      const [method, path, body] = (await prepare())()
      const headers: Record<string, string> = key ? { 'idempotency-key': newId() } : {}
      const sent = { ...(body ? { body } : {}), headers }
      const send = async () => {
        let reply!: Reply
        const { statements, roundTrips } = await djinn.count(async () => {
          reply = await ana.call(method, path, sent)
        })
        assert.ok(reply.status < 300, reply.text)
        return { reply, roundTrips, told: `${roundTrips}: ${statements.join(', ')}` }
      }
      const first = await send()
      assert.ok(first.roundTrips <= 3, first.told)
      if (!key) return
      const again = await send()
      assert.equal(again.reply.headers['idempotency-replayed'], 'true')
      assert.equal(again.reply.text, first.reply.text)
      assert.ok(again.roundTrips <= 2, again.told)
    })
  }
}

test('the books hold after all of this', () => djinn.verify())
