// What becomes of pushed rows: once each, pending to posted under our id, and nothing of what a person set is lost.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { assertRefused, open, type Person, type Reply } from '../harness.ts'
import { wordsOf } from '../../src/features/push/notification.ts'
import { join, signIn } from '../push/household.ts'
import { makeFeed, outcomes, push, row, send, type Feed } from './feed-pushes.ts'
import { transactionsOf } from './import-files.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
let account: string
let feed: Feed
before(async () => {
  ana = await djinn.person({ displayName: 'Ana' })
})
beforeEach(async () => {
  account = await ana.account()
  feed = await makeFeed(ana, account)
})

const only = async (): Promise<Reply['body']> => {
  const rows = await transactionsOf(ana, account)
  assert.equal(rows.length, 1, JSON.stringify(rows))
  return rows[0]
}
const pending = (externalId: string, changes: object = {}) => row(externalId, { status: 'pending', ...changes })
const balances = async () => {
  const { body } = await ana.get(`/api/accounts/${account}`)
  return [body.balance, body.pendingBalance]
}

test('new rows are transactions with all that the bank said, and the answer names them in order', async () => {
  const answer = await push(djinn, feed, [
    row('b', { amount: 250_000, payee: 'Works', rawPayee: 'EXAMPLE WORKS 0042', note: 'Salary', currency: 'EUR' }),
    pending('a', { original: { amount: -350, currency: 'USD' } }),
  ])
  assert.deepEqual([answer.created, answer.updated, answer.unchanged, answer.removed], [2, 0, 0, 0])
  assert.deepEqual(
    answer.results.map(({ externalId, outcome }) => [externalId, outcome]),
    [
      ['b', 'created'],
      ['a', 'created'],
    ],
  )
  const { body: salary } = await ana.get(`/api/transactions/${answer.results[0]!.transactionId}`)
  assert.deepEqual(
    [salary.amount, salary.payee, salary.rawPayee, salary.note, salary.status, salary.externalId, salary.currency],
    [250_000, 'Works', 'EXAMPLE WORKS 0042', 'Salary', 'posted', 'b', 'EUR'],
  )
  const { body: coffee } = await ana.get(`/api/transactions/${answer.results[1]!.transactionId}`)
  assert.deepEqual(
    [coffee.status, coffee.rawPayee, coffee.original],
    ['pending', 'Coffee Bar', { amount: -350, currency: 'USD', rate: '0.9142857143' }],
  )
  assert.deepEqual(await balances(), [250_000, -320])
})

test('an empty push goes through: the connector is alive', async () => {
  assert.deepEqual(await push(djinn, feed, []), { created: 0, updated: 0, unchanged: 0, removed: 0, results: [] })
  assert.ok((await ana.get(`/api/feeds/${feed.id}`)).body.lastPushAt)
})

for (const [name, then] of [
  ['the same id', { externalId: 'p' }],
  ['another id', { externalId: 'e', pendingExternalId: 'p' }],
] as const) {
  test(`pending to posted under ${name} keeps our id and what a person set`, async () => {
    const transactionId = (await push(djinn, feed, [pending('p', { payee: 'SQ *COFFEE' })])).results[0]!.transactionId!
    const { body: category } = await ana.post('/api/categories', { name: 'Coffee', kind: 'expense' })
    await ana.patch(`/api/transactions/${transactionId}`, { categoryId: category.id, note: 'with Ben', payee: 'The café' })
    const answer = await push(djinn, feed, [row('', { ...then, amount: -380, date: '2026-02-05', payee: 'Coffee Bar', note: 'card 1' })])
    assert.deepEqual(answer.results, [{ externalId: then.externalId, transactionId, outcome: 'updated' }])
    const posted = await only()
    assert.deepEqual(
      [posted.id, posted.status, posted.amount, posted.date, posted.rawPayee, posted.externalId],
      [transactionId, 'posted', -380, '2026-02-05', 'Coffee Bar', then.externalId],
    )
    assert.deepEqual([posted.payee, posted.note, posted.categoryId], ['The café', 'with Ben', category.id])
    assert.deepEqual(await balances(), [-380, 0])
    assert.deepEqual(outcomes(await push(djinn, feed, [row('', { ...then, amount: -380, date: '2026-02-05', note: 'card 1' })])), [
      'unchanged',
    ])
  })
}

test('what nobody touched follows the bank: payee, note and original too', async () => {
  await push(djinn, feed, [pending('p', { payee: 'SQ *COFFEE', note: 'hold', original: { amount: -350, currency: 'USD' } })])
  await push(djinn, feed, [row('p', { payee: 'Coffee Bar', note: 'card 1', amount: -330, original: { amount: -360, currency: 'USD' } })])
  const posted = await only()
  assert.deepEqual([posted.payee, posted.note, posted.original.amount], ['Coffee Bar', 'card 1', -360])
  await push(djinn, feed, [row('p', { amount: -340, note: 'card 1' })])
  assert.deepEqual((await only()).original, { amount: -360, currency: 'USD', rate: '0.9444444444' }, 'the rate follows the amount')
  await push(djinn, feed, [row('p', { amount: -340, original: null })])
  assert.deepEqual([(await only()).original, (await only()).note], [null, 'card 1'])
})

test('an amount and a date that a person set stay, and the bank’s are remembered all the same', async () => {
  await push(djinn, feed, [pending('p')])
  const { id } = await only()
  await ana.patch(`/api/transactions/${id}`, { amount: -1_000, date: '2026-01-31' })
  assert.deepEqual(outcomes(await push(djinn, feed, [row('p', { amount: -380 })])), ['updated'])
  const posted = await only()
  assert.deepEqual([posted.amount, posted.date, posted.status], [-1_000, '2026-01-31', 'posted'])
  assert.deepEqual(outcomes(await push(djinn, feed, [row('p', { amount: -380 })])), ['unchanged'])
})

test('what a rule made of the payee stays: only a payee that is still the bank’s follows it', async () => {
  await push(djinn, feed, [pending('p', { payee: 'SQ *COFFEE' })])
  const { id } = await only()
  await djinn.sql(
    `select set_config('djinn.household', '${ana.householdId}', true); update transactions set payee = 'Coffee by rule' where id = '${id}'`,
  )
  await push(djinn, feed, [row('p', { payee: 'Coffee Bar' })])
  assert.deepEqual([(await only()).payee, (await only()).rawPayee], ['Coffee by rule', 'Coffee Bar'])
})

test('rules are applied to what a push brings, once, in its own transaction', async () => {
  const { body: category } = await ana.post('/api/categories', { name: 'Bread', kind: 'expense' })
  const rule = {
    name: 'Bread',
    match: 'all',
    conditions: [{ field: 'payee', operator: 'is', value: 'SQ *BAKERY' }],
    actions: { payee: 'Bakery', categoryId: category.id },
  }
  const { status, text } = await ana.post('/api/rules', rule)
  assert.equal(status, 201, text)
  await push(djinn, feed, [pending('p', { payee: 'SQ *BAKERY' })])
  const ruled = await only()
  assert.deepEqual([ruled.payee, ruled.categoryId, ruled.rawPayee], ['Bakery', category.id, 'SQ *BAKERY'])
  await ana.patch(`/api/transactions/${ruled.id}`, { categoryId: null })
  await push(djinn, feed, [row('e', { pendingExternalId: 'p', payee: 'SQ *BAKERY 0042' })])
  const posted = await only()
  assert.deepEqual([posted.id, posted.payee, posted.categoryId, posted.rawPayee], [ruled.id, 'Bakery', null, 'SQ *BAKERY 0042'])
})

test('splits share a new amount in proportion, without a cent lost', async () => {
  await push(djinn, feed, [pending('p', { amount: -1_000 })])
  const { id } = await only()
  const { body: food } = await ana.post('/api/categories', { name: 'Food', kind: 'expense' })
  await ana.patch(`/api/transactions/${id}`, {
    splits: [{ amount: -333, categoryId: food.id, note: 'mine' }, { amount: -333 }, { amount: -334 }],
  })
  await push(djinn, feed, [row('p', { amount: -1_100 })])
  assert.deepEqual((await only()).splits, [
    { amount: -366, categoryId: food.id, note: 'mine' },
    { amount: -366, categoryId: null, note: '' },
    { amount: -368, categoryId: null, note: '' },
  ])
})

test('splits of both signs leave the difference to the largest', async () => {
  await push(djinn, feed, [pending('p', { amount: -1_000 })])
  const { id } = await only()
  await ana.patch(`/api/transactions/${id}`, { splits: [{ amount: 200 }, { amount: -1_200 }] })
  await push(djinn, feed, [row('p', { amount: -1_001 })])
  assert.deepEqual(
    (await only()).splits.map((split: { amount: number }) => split.amount),
    [200, -1_201],
  )
})

test('a posted row that the bank corrects follows; a reconciled one is kept and said to be', async () => {
  await push(djinn, feed, [row('a')])
  assert.deepEqual(outcomes(await push(djinn, feed, [row('a', { amount: -321 })])), ['updated'])
  const { id } = await only()
  await ana.patch(`/api/transactions/${id}`, { status: 'reconciled' })
  assert.deepEqual(outcomes(await push(djinn, feed, [row('a', { amount: -321 })])), ['unchanged'])
  for (const change of [{ amount: -322 }, { date: '2026-02-04' }, { rawPayee: 'OTHER' }]) {
    const answer = await push(djinn, feed, [row('a', { amount: -321, ...change })])
    assert.deepEqual([answer.unchanged, outcomes(answer)], [1, ['kept']], JSON.stringify(change))
  }
  assert.deepEqual([(await only()).amount, (await only()).status], [-321, 'reconciled'])
})

test('what a person deleted does not come back, neither pending nor posted nor under another id', async () => {
  await push(djinn, feed, [pending('p')])
  const { id } = await only()
  await ana.delete(`/api/transactions/${id}`)
  for (const rows of [[pending('p')], [row('p')], [row('e', { pendingExternalId: 'p' })], [row('e')]]) {
    assert.deepEqual((await push(djinn, feed, rows)).results[0], { externalId: rows[0]!.externalId, transactionId: id, outcome: 'deleted' })
  }
  assert.deepEqual(await transactionsOf(ana, account), [])
})

test('a pending entry that the bank took back is removed; a posted one is not', async () => {
  await push(djinn, feed, [pending('p'), row('a')])
  const answer = await push(djinn, feed, [], ['p', 'a', 'unknown'])
  assert.deepEqual([answer.removed, answer.unchanged, outcomes(answer)], [1, 2, ['removed', 'kept', 'unchanged']])
  assert.deepEqual(answer.results[2], { externalId: 'unknown', transactionId: null, outcome: 'unchanged' })
  assert.equal((await only()).externalId, 'a')
  assert.deepEqual(outcomes(await push(djinn, feed, [], ['p'])), ['unchanged'])
})

test('an entry that was taken back and comes again is the same one, with what a person made of it', async () => {
  await push(djinn, feed, [pending('p')])
  const { id } = await only()
  const { body: food } = await ana.post('/api/categories', { name: 'Food', kind: 'expense' })
  const { body: fun } = await ana.post('/api/categories', { name: 'Fun', kind: 'expense' })
  await ana.patch(`/api/transactions/${id}`, {
    note: 'with Ben',
    splits: [
      { amount: -120, categoryId: food.id },
      { amount: -200, categoryId: fun.id },
    ],
  })
  await push(djinn, feed, [], ['p'])
  await ana.delete(`/api/categories/${fun.id}`)
  assert.deepEqual(outcomes(await push(djinn, feed, [row('e', { pendingExternalId: 'p' })])), ['updated'])
  const back = await only()
  assert.deepEqual([back.id, back.status, back.note], [id, 'posted', 'with Ben'])
  assert.deepEqual(
    back.splits.map((split: { categoryId: string | null }) => split.categoryId),
    [food.id, null],
    'a category that was deleted meanwhile is left behind',
  )
})

test('what a person restored and deleted again stays deleted', async () => {
  await push(djinn, feed, [pending('p')])
  const { id } = await only()
  await push(djinn, feed, [], ['p'])
  await ana.post(`/api/transactions/${id}/restore`)
  await ana.delete(`/api/transactions/${id}`)
  assert.deepEqual(outcomes(await push(djinn, feed, [row('p')])), ['deleted'])
})

test('answers that come late undo nothing: neither the pending row nor its removal', async () => {
  await push(djinn, feed, [pending('p')])
  await push(djinn, feed, [row('e', { pendingExternalId: 'p', amount: -350 })])
  const posted = await only()
  assert.deepEqual(outcomes(await push(djinn, feed, [pending('p')])), ['unchanged'])
  assert.deepEqual(outcomes(await push(djinn, feed, [pending('e')])), ['unchanged'])
  assert.deepEqual(outcomes(await push(djinn, feed, [], ['p'])), ['kept'])
  assert.deepEqual(await only(), posted)
})

test('the posted row may come before the pending one that it was', async () => {
  await push(djinn, feed, [row('e', { pendingExternalId: 'p' })])
  assert.deepEqual(outcomes(await push(djinn, feed, [pending('p')])), ['unchanged'])
  await only()
})

test('both in one push are one transaction', async () => {
  const answer = await push(djinn, feed, [pending('p'), row('e', { pendingExternalId: 'p', amount: -340 })])
  assert.deepEqual(outcomes(answer), ['unchanged', 'created'])
  assert.equal(answer.results[0]!.transactionId, answer.results[1]!.transactionId)
  assert.deepEqual([(await only()).amount, (await only()).externalId], [-340, 'e'])
})

test('an authorisation that is posted in parts is the first part, and the others are new', async () => {
  await push(djinn, feed, [pending('p', { amount: -500 })])
  const { id } = await only()
  const parts = [row('e1', { pendingExternalId: 'p', amount: -200 }), row('e2', { pendingExternalId: 'p', amount: -300 })]
  assert.deepEqual(outcomes(await push(djinn, feed, parts)), ['updated', 'created'])
  assert.equal((await transactionsOf(ana, account)).find((each) => each.externalId === 'e1')!.id, id)
  assert.deepEqual(outcomes(await push(djinn, feed, [row('e3', { pendingExternalId: 'p', amount: -1 })])), ['created'])
  assert.deepEqual(outcomes(await push(djinn, feed, parts)), ['unchanged', 'unchanged'])
})

test('parts of an authorisation that was never seen are new, each once', async () => {
  const parts = [row('e1', { pendingExternalId: 'p', amount: -200 }), row('e2', { pendingExternalId: 'p', amount: -300 })]
  assert.deepEqual(outcomes(await push(djinn, feed, parts)), ['created', 'created'])
  assert.deepEqual(outcomes(await push(djinn, feed, parts)), ['unchanged', 'unchanged'])
})

test('two equal coffees of one day stay two', async () => {
  assert.equal((await push(djinn, feed, [row('a'), row('b')])).created, 2)
  assert.equal((await push(djinn, feed, [row('c')])).created, 1)
  assert.deepEqual(await balances(), [-960, 0])
})

test('a row that a person calls posted before the bank does still follows it', async () => {
  await push(djinn, feed, [pending('p')])
  const { id } = await only()
  await ana.patch(`/api/transactions/${id}`, { status: 'posted' })
  await push(djinn, feed, [pending('p', { amount: -330 })])
  assert.deepEqual([(await only()).amount, (await only()).status], [-330, 'posted'])
  await push(djinn, feed, [row('e', { pendingExternalId: 'p', amount: -340 })])
  assert.deepEqual([(await only()).amount, (await only()).externalId], [-340, 'e'])
})

test('a row that was moved to another account follows the bank there, unless its money cannot be changed there', async () => {
  await push(djinn, feed, [row('a')])
  const { id } = await only()
  const other = await ana.account({ name: 'Other' })
  await ana.patch(`/api/transactions/${id}`, { accountId: other })
  assert.deepEqual(outcomes(await push(djinn, feed, [row('a', { amount: -321 })])), ['updated'])
  assert.deepEqual([(await transactionsOf(ana, other))[0]!.amount, await transactionsOf(ana, account)], [-321, []])
  await ana.patch(`/api/accounts/${other}`, { closedAt: '2026-03-01T00:00:00Z' })
  assert.deepEqual(outcomes(await push(djinn, feed, [row('a', { amount: -322 }), row('b')])), ['kept', 'created'])
})

test('a bad row refuses the whole push, with its place', async () => {
  const good = row('good')
  for (const [bad, at, status, code] of [
    [{ amount: 1.5 }, '/amount', 400, 'invalid-request'],
    [{ amount: '1' }, '/amount', 400, 'invalid-request'],
    [{ amount: 2 ** 53 }, '/amount', 400, 'invalid-json'],
    [{ date: '2026-02-30' }, '/date', 400, 'invalid-request'],
    [{ externalId: '' }, '/externalId', 400, 'invalid-request'],
    [{ externalId: 'good' }, '/externalId', 400, 'invalid-request'],
    [{ payee: 'x'.repeat(201) }, '/payee', 400, 'invalid-request'],
    [{ payee: undefined }, '/payee', 400, 'invalid-request'],
    [{ status: 'reconciled' }, '/status', 400, 'invalid-request'],
    [{ categoryId: null }, '/categoryId', 400, 'invalid-request'],
    [{ currency: 'USD' }, '/currency', 422, 'currency-mismatch'],
    [{ original: { amount: 5, currency: 'USD' } }, '/original/amount', 422, 'currency-mismatch'],
    [{ original: { amount: -5, currency: 'EUR' } }, '/original/currency', 422, 'currency-mismatch'],
  ] as const) {
    const transactions = [good, row('ok'), row('fine'), { ...row('bad'), ...bad }]
    assertRefused(await send(djinn, feed, { transactions }), status, code, `/transactions/3${at}`)
  }
  const removed = await send(djinn, feed, { transactions: [good], removed: ['x', 'good'] })
  assertRefused(removed, 400, 'invalid-request', '/removed/1')
  assert.deepEqual(await transactionsOf(ana, account), [])
})

test('a push has at most 500 rows, those removed among them', async () => {
  const rows = Array.from({ length: 500 }, (_, index) => row(`many ${index}`, { amount: -index - 1 }))
  const tooMany = { transactions: [...rows, row('one more')] }
  assertRefused(await send(djinn, feed, tooMany), 400, 'invalid-request', '/transactions')
  assertRefused(await send(djinn, feed, { transactions: rows, removed: ['p'] }), 400, 'invalid-request', '/removed')
  assert.equal((await push(djinn, feed, rows)).created, 500)
  assert.equal((await push(djinn, feed, rows)).unchanged, 500)
  assert.deepEqual(await balances(), [-(500 * 501) / 2, 0])
})

test('a sum that leaves the range refuses the push and leaves the account as it was', async () => {
  const most = Number.MAX_SAFE_INTEGER
  const reply = await send(djinn, feed, { transactions: [row('a', { amount: most }), row('b', { amount: most })] })
  assertRefused(reply, 422, 'amount-out-of-range', '/transactions')
  assert.deepEqual([await balances(), await transactionsOf(ana, account)], [[0, 0], []])
})

test('the audit trail says which feed did it', async () => {
  const answer = await push(djinn, feed, [row('a')])
  const entity = answer.results[0]!.transactionId
  const [entry] = (await ana.get(`/api/audit?entity=${entity}`)).body.data
  assert.deepEqual([entry.operation, entry.actorId, entry.actorName, entry.deviceId], ['create', null, 'Feed Bank', feed.id])
  await ana.patch(`/api/transactions/${entity}`, { note: 'mine' })
  const [own] = (await ana.get(`/api/audit?entity=${entity}`)).body.data
  assert.deepEqual([own.actorId, own.actorName], [ana.userId, 'Ana'])
  await ana.delete(`/api/feeds/${feed.id}`)
  const trail = (await ana.get(`/api/audit?entity=${entity}`)).body.data
  assert.equal(trail.at(-1).actorName, 'Feed Bank', 'a deleted feed too')
})

test('all members are told of what a feed brought: one by one, many at once as one, changes not at all', async () => {
  const ben = await djinn.person()
  await join(djinn, ana.householdId, ben.userId)
  const told = async (person: Person, work: () => Promise<unknown>): Promise<Reply['body'][]> => {
    const inbox = async () => (await person.get('/api/notifications?limit=100')).body.data
    const was = (await inbox()).length
    await work()
    const now = await inbox()
    return now.slice(0, now.length - was)
  }
  let toBen: Reply['body'][] = []
  const toAna = await told(ana, async () => {
    toBen = await told(ben, () => push(djinn, feed, [pending('p')]))
  })
  const { id } = await only()
  const wanted = {
    kind: 'transaction',
    transactionId: id,
    accountId: account,
    date: '2026-02-03',
    amount: -320,
    currency: 'EUR',
    payee: 'Coffee Bar',
    feedId: feed.id,
  }
  assert.deepEqual(
    [...toAna, ...toBen].map(({ event, data }) => [event, data]),
    [
      ['transactionReceived', wanted],
      ['transactionReceived', wanted],
    ],
  )
  const many = Array.from({ length: 11 }, (_, index) => row(`many ${index}`))
  const [one, ...more] = await told(ben, () => push(djinn, feed, many))
  assert.deepEqual([one.data, more], [{ kind: 'transactions', count: 11, feedId: feed.id }, []])
  const body = (data: Record<string, unknown>) =>
    wordsOf({ id: '', householdId: '', event: 'transactionReceived', data, actorName: null }).body
  assert.deepEqual([body(wanted), body(one.data)], ['Your bank sent a transaction.', 'Your bank sent 11 transactions.'])
  assert.deepEqual(await told(ben, () => push(djinn, feed, [row('e', { pendingExternalId: 'p' }), ...many])), [])
})

test('phones fetch what a feed brought: the revision rises once for a push, and a live stream is poked', async () => {
  const phone = await signIn(djinn, ana, 'phone')
  let first = (await phone.get('/api/sync?limit=500')).body
  while (first.hasMore) first = (await phone.get(`/api/sync?limit=500&cursor=${first.nextCursor}`)).body
  await push(djinn, feed, [row('a'), row('b')])
  const { changes } = (await phone.get(`/api/sync?limit=500&cursor=${first.nextCursor}`)).body
  const mine = changes.transactions.filter((each: { accountId: string }) => each.accountId === account)
  assert.deepEqual(mine.map((each: { externalId: string }) => each.externalId).toSorted(), ['a', 'b'])
  assert.equal(new Set(mine.map((each: { revision: number }) => each.revision)).size, 1)
  const announced: [string, number][] = []
  djinn.resources.announcements.on((household, revision) => void announced.push([household, revision]))
  await push(djinn, feed, [row('c')])
  await push(djinn, feed, [row('c')])
  const [state] = await djinn.sql<{ revision: string }>('select revision from revisions where household_id = $1', [ana.householdId])
  assert.deepEqual(announced, [[ana.householdId, Number(state!.revision)]], 'a push with nothing new announces nothing')
})

test('the books hold after all of this', () => djinn.verify())
