// What a rule would change, told before anything does.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { assertRefused, open, type Person } from '../harness.ts'
import { addCategory, addRule, draftOf, importRows, type Draft } from './rule-drafts.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
let account: string
let category: string
before(async () => {
  ana = await djinn.person()
  account = await ana.account()
  category = await addCategory(ana)
})

const preview = async (body: Draft, person = ana) => {
  const { status, body: told, text } = await person.post('/api/rules/preview', body)
  assert.equal(status, 200, text)
  return told
}
/** A rule without a name, as an app tries it while it is being written. */
const trial = (conditions: Draft[], actions: Draft = { categoryId: category }, more: Draft = {}) => ({
  match: 'all',
  conditions,
  actions,
  ...more,
})
const payee = (operator: string, value: string) => ({ field: 'payee', operator, value })

test('a draft tells what it would change and writes nothing', async () => {
  const [first, second, third] = await importRows(ana, account, [
    ['2026-02-01', '-3.20', 'Corner BAKERY 12'],
    ['2026-02-03', '-4.10', 'The bakery'],
    ['2026-02-04', '-5.00', 'Butcher'],
  ])
  const state = () => djinn.sql('select revision, entries, head from revisions where household_id = $1', [ana.householdId])
  const was = await state()
  const told = await preview({ rule: trial([payee('contains', 'bakery')], { categoryId: category, payee: 'The bakery' }) })
  assert.deepEqual(told, {
    examined: 3,
    matched: 2,
    changed: 2,
    data: [
      {
        ...{ transactionId: second, date: '2026-02-03', amount: -410, payee: 'The bakery', ruleIds: [] },
        before: { categoryId: null },
        after: { categoryId: category },
      },
      {
        ...{ transactionId: first, date: '2026-02-01', amount: -320, payee: 'Corner BAKERY 12', ruleIds: [] },
        before: { categoryId: null, payee: 'Corner BAKERY 12' },
        after: { categoryId: category, payee: 'The bakery' },
      },
    ],
    truncated: false,
  })
  assert.deepEqual(await state(), was)
  assert.equal((await ana.get(`/api/transactions/${third}`)).body.categoryId, null)
})

test('the scope narrows it by days and account; each end counts', async () => {
  const person = await djinn.person()
  const [one, other] = [await person.account(), await person.account({ name: 'Other' })]
  await importRows(person, one, [
    ['2026-01-31', '-1.00', 'x'],
    ['2026-02-01', '-1.00', 'x'],
  ])
  await importRows(person, other, [['2026-02-02', '-1.00', 'x']])
  const rule = trial([payee('is', 'X')], { payee: 'y' })
  const examined = async (scope: Draft) => (await preview({ rule, ...scope }, person)).examined
  assert.deepEqual(
    [
      await examined({}),
      await examined({ from: '2026-02-01' }),
      await examined({ to: '2026-01-31' }),
      await examined({ from: '2026-02-01', to: '2026-02-01' }),
      await examined({ accountId: other }),
      await examined({ accountId: one, from: '2026-02-02' }),
    ],
    [3, 2, 1, 1, 1, 0],
  )
})

test('no character of a value is special, and letters are compared as people read them', async () => {
  const person = await djinn.person()
  const home = await person.account()
  const payees = ['100% Wolle', '100x Wolle', 'a_b', 'axb', 'back\\slash', "O'Neil -- ;", 'Straße Ｆｕｌｌ', 'Cafe\u0301', '(a+)+$', '.*']
  await importRows(
    person,
    home,
    payees.map((name, index) => [`2026-03-${String(index + 1).padStart(2, '0')}`, '-1.00', name] as const),
  )
  const matching = async (operator: string, value: string) => {
    const { data } = await preview({ rule: trial([payee(operator, value)], { note: 'x' }) }, person)
    return data.map((row: { payee: string }) => row.payee).toSorted()
  }
  assert.deepEqual(await matching('contains', '0%'), ['100% Wolle'])
  assert.deepEqual(await matching('startsWith', '100'), ['100% Wolle', '100x Wolle'])
  assert.deepEqual(await matching('contains', 'A_B'), ['a_b'])
  assert.deepEqual(await matching('endsWith', '\\SLASH'), ['back\\slash'])
  assert.deepEqual(await matching('contains', "' -- ;"), [])
  assert.deepEqual(await matching('is', "o'neil -- ;"), ["O'Neil -- ;"])
  assert.deepEqual(await matching('endsWith', 'full'), ['Straße Ｆｕｌｌ'])
  assert.deepEqual(await matching('is', 'CAFÉ'), ['Café'.normalize('NFD')])
  assert.deepEqual(await matching('is', '(A+)+$'), ['(a+)+$'])
  assert.deepEqual(await matching('contains', '.*'), ['.*'])
  assert.deepEqual(await matching('contains', '%s %1$I $1 {}'), [])
})

test('amounts have their sign, and a range both of its ends', async () => {
  const person = await djinn.person()
  const most = Number.MAX_SAFE_INTEGER
  // Each in an account and a month of its own, whose sums hold it.
  for (const [index, amount] of [-most, -100, 0, 100, most].entries()) {
    const made = await person.post('/api/transactions', { accountId: await person.account(), date: `2026-0${index + 1}-01`, amount })
    assert.equal(made.status, 201, made.text)
  }
  const matching = async (operator: string, value: unknown) => {
    const { data } = await preview({ rule: trial([{ field: 'amount', operator, value }], { note: 'x' }) }, person)
    return data.map((row: { amount: number }) => row.amount).toSorted((a: number, b: number) => a - b)
  }
  assert.deepEqual(await matching('is', -100), [-100])
  assert.deepEqual(await matching('is', 0), [0])
  assert.deepEqual(await matching('atLeast', 100), [100, most])
  assert.deepEqual(await matching('atMost', -100), [-most, -100])
  assert.deepEqual(await matching('between', { min: -100, max: 100 }), [-100, 0, 100])
  assert.deepEqual(await matching('between', { min: most, max: most }), [most])
  assert.deepEqual(await matching('atMost', -most), [-most])
})

test('kept rules are previewed by their ids, disabled ones too, or all that are enabled', async () => {
  const person = await djinn.person()
  const home = await person.account()
  await importRows(person, home, [['2026-02-01', '-1.00', 'Bakery']])
  const [on, off] = [await addRule(person, { name: 'on', actions: { note: 'on' } }), await addRule(person, { name: 'off', enabled: false })]
  const told = async (body: Draft) => (await preview(body, person)).data.map((row: Draft) => [row['ruleIds'], row['after']])
  assert.deepEqual(await told({}), [[[on], { note: 'on' }]])
  assert.deepEqual(await told({ ruleIds: [off] }), [[[off], { payee: 'The bakery' }]])
  assert.deepEqual(await told({ ruleIds: [off, on] }), [[[on, off], { payee: 'The bakery', note: 'on' }]])
  await person.delete(`/api/rules/${on}`)
  assert.deepEqual(await preview({}, person), { examined: 0, matched: 0, changed: 0, data: [], truncated: false })
})

test('of more than 100 rows the newest 100 are shown', async () => {
  const person = await djinn.person()
  const home = await person.account()
  const day = (index: number) => `2026-${String(1 + Math.floor(index / 28)).padStart(2, '0')}-${String(1 + (index % 28)).padStart(2, '0')}`
  await importRows(
    person,
    home,
    Array.from({ length: 130 }, (_, index) => [day(index), '-1.00', `Bakery ${index}`] as const),
  )
  const { changed, data, truncated } = await preview({ rule: draftOf() }, person)
  assert.deepEqual([changed, data.length, truncated, data[0].date, data[99].date], [130, 100, true, day(129), day(30)])
})

test('what a draft or a scope names and is not there is refused, like what is of another household', async () => {
  const ben = await djinn.person()
  const foreign = { account: await ben.account(), category: await addCategory(ben), rule: await addRule(ben) }
  for (const categoryId of [newId(), foreign.category]) {
    const reply = await ana.post('/api/rules/preview', { rule: draftOf({ actions: { categoryId } }) })
    assertRefused(reply, 404, 'category-not-found', '/rule/actions/categoryId')
  }
  for (const value of [newId(), foreign.account]) {
    const conditions = [payee('is', 'x'), { field: 'account', operator: 'is', value }]
    assertRefused(await ana.post('/api/rules/preview', { rule: trial(conditions) }), 404, 'account-not-found', '/rule/conditions/1/value')
    assertRefused(await ana.post('/api/rules/preview', { accountId: value }), 404, 'account-not-found', '/accountId')
    assertRefused(await ana.post('/api/rules/run', { accountId: value }), 404, 'account-not-found', '/accountId')
  }
  const own = await addRule(ana)
  for (const rule of [newId(), foreign.rule]) {
    assertRefused(await ana.post('/api/rules/preview', { ruleIds: [own, rule] }), 404, 'rule-not-found', '/ruleIds/1')
    assertRefused(await ana.post('/api/rules/run', { ruleIds: [own, rule] }), 404, 'rule-not-found', '/ruleIds/1')
  }
})

test('a preview that asks for two things, twice for one or for nothing that can be is refused', async () => {
  const own = await addRule(ana)
  const rule = draftOf()
  for (const [body, pointer] of [
    [{ rule, ruleIds: [own] }, '/rule'],
    [{ ruleIds: [own, own] }, '/ruleIds'],
    [{ ruleIds: [] }, '/ruleIds'],
    [{ rule: { ...rule, conditions: [] } }, '/rule/conditions'],
    [{ rule, from: '2026-02-30' }, '/from'],
    [{ rule, since: '2026-02-01' }, '/since'],
  ] as const) {
    assertRefused(await ana.post('/api/rules/preview', body), 400, 'invalid-request', pointer)
  }
  assertRefused(await ana.post('/api/rules/run', { rule }), 400, 'invalid-request', '/rule')
})

test('a value of 50 KB is refused before anything is searched, and the longest one that is taken is a plain search', async () => {
  const value = 'a'.repeat(50_000)
  assertRefused(
    await ana.post('/api/rules/preview', { rule: trial([payee('contains', value)]) }),
    400,
    'invalid-request',
    '/rule/conditions/0/value',
  )
  assert.equal((await preview({ rule: trial([payee('contains', `${'a'.repeat(199)}b`)]) })).matched, 0)
})

test('a preview costs a handful of statements, however many rows', async () => {
  const { statements } = await djinn.count(() => preview({ rule: draftOf() }))
  assert.deepEqual(statements, ['rules.missing', 'rules.hasAccount', 'rules.countScope', 'rules.preview'])
})
