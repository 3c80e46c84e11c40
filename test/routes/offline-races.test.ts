// Changes made offline that arrive at once, that arrive twice, and what they cost.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { open, type Person } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

const date = '2026-01-31'
let ana: Person
let accountId: string
let savingsId: string
let categoryIds: string[]

before(async () => {
  ana = await djinn.person()
  accountId = await ana.account()
  savingsId = await ana.account({ name: 'Savings' })
  categoryIds = (await ana.get('/api/categories?fields=id')).body.data.map((row: { id: string }) => row.id)
})

async function made(noun: string, draft: object) {
  const { status, body, text } = await ana.post(`/api/${noun}`, draft)
  assert.equal(status, 201, text)
  return { path: `/api/${noun}/${body.id}`, base: body.revision as number }
}

const spent = (draft: object = {}) => made('transactions', { accountId, date, amount: -500, payee: 'Baker', ...draft })

test('of changes on one base at once none is lost: the same field has one winner, different fields all', async () => {
  for (let round = 0; round < 5; round++) {
    const { path, base } = await spent()
    const payees = Array.from({ length: 6 }, (_, index) => `Payee ${index}`)
    const others = [{ note: 'rolls' }, { date: '2026-02-02' }, { categoryId: categoryIds[1] }, { status: 'pending' }]
    const [sameField, disjoint] = await Promise.all([
      Promise.all(payees.map((payee) => ana.patch(path, { baseRevision: base, payee }))),
      Promise.all(others.map((body) => ana.patch(path, { baseRevision: base, ...body }))),
    ])
    const winners = sameField.filter((reply) => reply.status === 200)
    assert.equal(winners.length, 1)
    for (const reply of sameField.filter((each) => each.status !== 200)) {
      assert.deepEqual([reply.status, reply.body.code, reply.body.conflicts], [409, 'conflict', ['payee']])
      assert.equal(reply.body.current.payee, winners[0]!.body.payee)
    }
    for (const reply of disjoint) assert.equal(reply.status, 200, reply.text)
    const { body } = await ana.get(path)
    assert.deepEqual(
      [body.payee, body.note, body.date, body.categoryId, body.status],
      [winners[0]!.body.payee, 'rolls', '2026-02-02', categoryIds[1], 'pending'],
    )
  }
  await djinn.verify()
})

test('a change on a base takes at most three round trips, whatever it changes', async () => {
  const { path, base } = await spent({ original: { amount: -600, currency: 'USD' } })
  const cheques = [
    { path, body: { note: 'x' } },
    { path, body: { amount: -400 } },
    { path, body: { original: { amount: -600, currency: 'USD' } } },
    { path, body: { accountId: savingsId, amount: -450 } },
    { path: (await made('transfers', { fromAccountId: accountId, toAccountId: savingsId, date, amount: 500 })).path, body: { amount: 5 } },
    { path: `/api/accounts/${savingsId}`, body: { note: 'x' } },
  ]
  for (const { path: where, body } of cheques) {
    const { statements, roundTrips } = await djinn.count(async () => {
      const reply = await ana.patch(where, { baseRevision: Math.max(base, 10 ** 6), ...body })
      assert.equal(reply.status, 200, reply.text)
    })
    assert.ok(roundTrips <= 3, `${where} ${JSON.stringify(body)}: ${roundTrips} for ${statements.join()}`)
  }
})

test('a change that arrives twice with one key replays its answer, a conflict is decided anew', async () => {
  const { path, base } = await spent()
  const send = (payee: string) => ana.patch(path, { baseRevision: base, payee }, { 'idempotency-key': 'offline-1' })
  const first = await send('Bakery')
  const again = await send('Bakery')
  assert.deepEqual([first.status, again.headers['idempotency-replayed'], again.text], [200, 'true', first.text])
  const refused = () => ana.patch(path, { baseRevision: base, payee: 'Grocer' }, { 'idempotency-key': 'offline-2' })
  assert.equal((await refused()).status, 409)
  assert.equal((await ana.patch(path, { payee: 'Grocer' })).status, 200)
  assert.equal((await refused()).status, 200)
})

test('a change against a deletion at once is merged before it or refused behind it', async () => {
  for (let round = 0; round < 5; round++) {
    const { path, base } = await spent()
    const [patched, gone] = await Promise.all([ana.patch(path, { baseRevision: base, note: 'rolls' }), ana.delete(path)])
    assert.equal(gone.status, 204)
    assert.ok(patched.status === 200 || (patched.status === 409 && patched.body.code === 'deleted'), patched.text)
    const { body } = await ana.post(`${path}/restore`)
    assert.equal(body.note, patched.status === 200 ? 'rolls' : '')
  }
})

test('transfers changed on one base at once stay whole, and nobody overwrites another', async () => {
  const draft = { fromAccountId: accountId, toAccountId: savingsId, date, amount: 500 }
  const { path, base } = await made('transfers', draft)
  const replies = await Promise.all([600, 700, 800].map((amount) => ana.patch(path, { baseRevision: base, amount })))
  const [winner, ...others] = replies.filter((reply) => reply.status === 200)
  assert.equal(others.length, 0)
  for (const reply of replies.filter((each) => each.status !== 200)) assert.deepEqual([reply.status, reply.body.code], [409, 'conflict'])
  const { body } = await ana.get(path)
  assert.deepEqual([body.from.amount, body.to.amount], [winner!.body.from.amount, winner!.body.to.amount])
  await djinn.verify()
})
