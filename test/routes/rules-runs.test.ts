// Rules over history: the run, its report, what it leaves alone, and its undo.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { makeTasks } from '../../src/app/tasks.ts'
import { newId } from '../../src/values/id.ts'
import { limits } from '../../src/values/limits.ts'
import { assertRefused, open, type Person } from '../harness.ts'
import { addCategory, addRule, importRows, readTransaction, type Draft } from './rule-drafts.ts'

const djinn = await open()
after(() => djinn.close())

type World = { person: Person; account: string; category: string; rows: string[] }

/** A household with a row a payee. */
async function world(...payees: string[]): Promise<World> {
  const person = await djinn.person()
  const account = await person.account()
  const category = await addCategory(person)
  const rows = await importRows(
    person,
    account,
    payees.map((payee, index) => [`2026-02-${String(index + 1).padStart(2, '0')}`, `-${index + 1}.00`, payee] as const),
  )
  return { person, account, category, rows }
}

async function run(person: Person, body: Draft = {}) {
  const reply = await person.post('/api/rules/run', body)
  assert.equal(reply.status, 201, reply.text)
  return reply.body
}

async function undo(person: Person, id: string): Promise<{ undone: number; kept: number }> {
  const reply = await person.delete(`/api/rules/runs/${id}`)
  assert.equal(reply.status, 200, reply.text)
  return reply.body
}

const contains = (value: string) => ({ conditions: [{ field: 'payee', operator: 'contains', value }] })

test('a run changes what its preview told, and reports it by rule', async () => {
  const { person, category, rows } = await world('Corner bakery', 'Bakery two', 'Butcher')
  const bakery = await addRule(person, { actions: { categoryId: category, payee: 'The bakery' } })
  const all = await addRule(person, { name: 'All', ...contains('b'), actions: { payee: 'never', note: 'seen' } })
  const preview = (await person.post('/api/rules/preview', {})).body
  const report = await run(person, { from: '2026-02-01' })
  const { id, startedAt, revision, ...told } = report
  assert.deepEqual(told, {
    ...{ ruleIds: null, from: '2026-02-01', to: null, accountId: null, examined: 3, matched: 3, changed: 3 },
    perRule: [
      { ruleId: bakery, matched: 2, changed: 2 },
      { ruleId: all, matched: 3, changed: 3 },
    ],
    ...{ undoneAt: null, undone: null, kept: null },
  })
  const read = (await person.get(`/api/rules/runs/${id}`)).body
  assert.deepEqual({ ...read, changes: [], nextCursor: null }, { ...report, changes: [], nextCursor: null })
  const brief = (changes: Draft[]) =>
    changes
      .map(({ transactionId, ruleIds, before, after: then }) => JSON.stringify([transactionId, ruleIds, before, then]))
      .toSorted((one, other) => (one < other ? -1 : 1))
  assert.deepEqual(brief(read.changes), brief(preview.data))
  assert.deepEqual((await readTransaction(person, rows[0]!)).payee, 'The bakery')
  assert.deepEqual((await readTransaction(person, rows[2]!)).payee, 'never')
  assert.equal((await readTransaction(person, rows[1]!)).categoryId, category)
  assert.deepEqual((await person.get('/api/rules/runs')).body.data, [report])
  assert.ok(startedAt && revision)
  const again = await run(person)
  assert.deepEqual([again.examined, again.matched, again.changed], [3, 2, 0], 'conditions look at the rows as they are now')
  await djinn.verify()
})

test('the first rule that sets a field wins it, and one that stops ends the run for its rows', async () => {
  const { person, rows } = await world('Alpha', 'Beta')
  await addRule(person, { name: 'note', ...contains('a'), actions: { note: 'first' } })
  await addRule(person, { name: 'stop', ...contains('alpha'), actions: { note: 'second' }, stop: true })
  await addRule(person, { name: 'payee', ...contains('a'), actions: { note: 'third', payee: 'Renamed' } })
  const { perRule } = await run(person)
  assert.deepEqual(
    perRule.map(({ matched, changed }: Draft) => [matched, changed]),
    [
      [2, 2],
      [1, 0],
      [1, 1],
    ],
  )
  const [alpha, beta] = [await readTransaction(person, rows[0]!), await readTransaction(person, rows[1]!)]
  assert.deepEqual([alpha.note, alpha.payee, beta.note, beta.payee], ['first', 'Alpha', 'first', 'Renamed'])
})

test('the order is that of the rules, whichever order they are named in; disabled ones run when they are named', async () => {
  const { person, rows } = await world('Alpha')
  const first = await addRule(person, { ...contains('alpha'), actions: { note: 'first' }, enabled: false })
  const second = await addRule(person, { ...contains('alpha'), actions: { note: 'second' } })
  assert.equal((await run(person, { ruleIds: [second, first] })).perRule[0].ruleId, first)
  assert.equal((await readTransaction(person, rows[0]!)).note, 'first')
  await run(person)
  assert.equal((await readTransaction(person, rows[0]!)).note, 'second')
})

test('a field that a person set is never overwritten, not even one that was set to nothing', async () => {
  const { person, category, rows } = await world('Bakery a', 'Bakery b', 'Bakery c', 'Bakery d')
  const own = await addCategory(person, { name: 'Own' })
  await person.patch(`/api/transactions/${rows[0]}`, { categoryId: own })
  await person.patch(`/api/transactions/${rows[1]}`, { payee: 'My bakery by hand' })
  await person.patch(`/api/transactions/${rows[2]}`, { note: '', categoryId: null })
  await addRule(person, { actions: { categoryId: category, payee: 'Rule', note: 'Rule' } })
  const report = await run(person)
  const shown = await Promise.all(rows.map((row) => readTransaction(person, row)))
  assert.deepEqual(
    shown.map(({ categoryId, payee, note }) => [categoryId, payee, note]),
    [
      [own, 'Rule', 'Rule'],
      [category, 'My bakery by hand', 'Rule'],
      [null, 'Rule', ''],
      [category, 'Rule', 'Rule'],
    ],
  )
  assert.equal(report.changed, 4)
  const edited = await djinn.sql('select edited_fields as fields from transactions where id = any($1) order by id', [rows])
  assert.deepEqual(
    edited.map((row) => (row as { fields: string[] }).fields.toSorted()),
    [['category_id'], ['payee'], ['category_id', 'note'], []],
    'a rule is no person',
  )
})

test('split rows keep their categories, legs of transfers everything; reconciled rows and closed accounts take names', async () => {
  const { person, account, category, rows } = await world('Bakery', 'Bakery', 'Bakery')
  const savings = await person.account({ name: 'Savings' })
  await person.patch(`/api/transactions/${rows[0]}`, { splits: [{ amount: -60 }, { amount: -40, categoryId: category }] })
  await person.patch(`/api/transactions/${rows[1]}`, { status: 'reconciled' })
  const transfer = (
    await person.post('/api/transfers', { fromAccountId: account, toAccountId: savings, date: '2026-02-01', amount: 5, note: 'bakery' })
  ).body
  await person.patch(`/api/accounts/${account}`, { closedAt: '2026-03-01T00:00:00Z' })
  await addRule(person, {
    match: 'any',
    conditions: [...contains('bakery').conditions, { field: 'note', operator: 'contains', value: 'bakery' }],
    actions: { categoryId: category, payee: 'Rule' },
  })
  assert.equal((await run(person)).examined, 3)
  const shown = await Promise.all(rows.map((row) => readTransaction(person, row)))
  assert.deepEqual(
    shown.map(({ categoryId, payee }) => [categoryId, payee]),
    [
      [null, 'Rule'],
      [category, 'Rule'],
      [category, 'Rule'],
    ],
  )
  const legs = (await person.get(`/api/transfers/${transfer.id}`)).body
  assert.deepEqual([legs.from.payee, legs.from.categoryId, legs.to.payee], ['', null, ''])
  await djinn.verify()
})

test('an undo puts back exactly what the run changed, and does so once', async () => {
  const { person, category, rows } = await world('Bakery a', 'Bakery b')
  const before = await Promise.all(rows.map((row) => readTransaction(person, row)))
  await addRule(person, { actions: { categoryId: category, payee: 'Rule', note: 'Rule' } })
  const { id } = await run(person)
  assert.deepEqual(await undo(person, id), { undone: 2, kept: 0 })
  const plain = (row: Draft) => ({ ...row, revision: 0, updatedAt: '' })
  const back = await Promise.all(rows.map((row) => readTransaction(person, row)))
  assert.deepEqual(back.map(plain), before.map(plain))
  const marked = (await person.get(`/api/rules/runs/${id}`)).body
  assert.deepEqual([marked.undone, marked.kept, marked.undoneAt === null], [2, 0, false])
  assert.deepEqual(await undo(person, id), { undone: 2, kept: 0 })
  assert.deepEqual(await Promise.all(rows.map((row) => readTransaction(person, row))), back)
  await djinn.verify()
})

test('an undo leaves what was changed since: by a person, by a later run, by deletion, by splitting', async () => {
  const { person, category, rows } = await world('Bakery a', 'Bakery b', 'Bakery c', 'Bakery d', 'Bakery e', 'Bakery f')
  const rule = await addRule(person, { actions: { categoryId: category, note: 'Rule' } })
  const first = await run(person)
  await person.patch(`/api/transactions/${rows[0]}`, { note: 'mine' })
  // Set to what it is already, but set by a person.
  await person.patch(`/api/transactions/${rows[1]}`, { categoryId: category })
  await person.delete(`/api/transactions/${rows[2]}`)
  await person.patch(`/api/transactions/${rows[3]}`, { splits: [{ amount: -399 }, { amount: -1 }] })
  await person.patch(`/api/rules/${rule}`, { actions: { note: 'Later' }, ...contains('bakery e') })
  const later = await run(person)
  assert.deepEqual(await undo(person, first.id), { undone: 1, kept: 5 })
  const shown = await Promise.all([0, 1, 3, 4, 5].map((index) => readTransaction(person, rows[index]!)))
  assert.deepEqual(
    shown.map(({ categoryId, note }) => [categoryId, note]),
    [
      [null, 'mine'],
      [category, ''],
      [category, ''],
      [null, 'Later'],
      [null, ''],
    ],
  )
  assert.deepEqual(await undo(person, later.id), { undone: 1, kept: 0 })
  assert.equal((await readTransaction(person, rows[4]!)).note, 'Rule')
  await djinn.verify()
})

test('an undo does not bring back a category that is gone', async () => {
  const { person, category, rows } = await world('Bakery')
  const old = await addCategory(person, { name: 'Old' })
  const rule = await addRule(person, { actions: { categoryId: old } })
  await run(person)
  await person.patch(`/api/rules/${rule}`, { actions: { categoryId: category, note: 'Rule' } })
  const { id } = await run(person)
  assert.equal((await person.delete(`/api/categories/${old}`)).status, 204)
  assert.deepEqual(await undo(person, id), { undone: 0, kept: 1 })
  const { categoryId, note } = await readTransaction(person, rows[0]!)
  assert.deepEqual([categoryId, note], [category, ''])
})

test('a run sent again under its key runs once, and a run with nothing to do is a report of nothing', async () => {
  const { person } = await world('Bakery')
  await addRule(person)
  const send = () => person.post('/api/rules/run', {}, { 'idempotency-key': 'once' })
  const [first, again] = [await send(), await send()]
  assert.deepEqual([again.status, again.headers['idempotency-replayed'], again.body], [201, 'true', first.body])
  assert.equal((await person.get('/api/rules/runs')).body.data.length, 1)
  const empty = await run(await djinn.person())
  assert.deepEqual([empty.examined, empty.matched, empty.changed, empty.perRule], [0, 0, 0, []])
})

test('the changes of a run are paged, and its list says 304 until there is another', async () => {
  const { person } = await world('Bakery a', 'Bakery b', 'Bakery c', 'Bakery d', 'Bakery e')
  await addRule(person)
  const { id } = await run(person)
  const seen: string[] = []
  let cursor = ''
  do {
    const { body } = await person.get(`/api/rules/runs/${id}?limit=2${cursor}`)
    seen.push(...body.changes.map((change: { transactionId: string }) => change.transactionId))
    cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`
  } while (cursor !== '')
  assert.deepEqual([seen.length, seen], [5, seen.toSorted()])
  const { etag } = (await person.get('/api/rules/runs')).headers
  assert.equal((await person.get('/api/rules/runs', { 'if-none-match': etag! })).status, 304)
  await run(person)
  assert.equal((await person.get('/api/rules/runs?limit=1', { 'if-none-match': etag! })).body.data.length, 1)
  assertRefused(await person.get(`/api/rules/runs/${newId()}`), 404, 'not-found')
  assertRefused(await person.delete(`/api/rules/runs/${newId()}`), 404, 'not-found')
})

test('only the last 100 runs are kept', async () => {
  const { person } = await world('Bakery')
  await addRule(person)
  const { id } = await run(person)
  await djinn.sql(
    `do $$ begin
      perform set_config('djinn.household', '${person.householdId}', true);
      insert into rule_runs (household_id, id) select '${person.householdId}', new_id() from generate_series(1, ${limits.ruleRunsKept - 1});
    end $$`,
  )
  assert.equal((await person.get(`/api/rules/runs/${id}`)).status, 200)
  await run(person)
  assertRefused(await person.get(`/api/rules/runs/${id}`), 404, 'not-found')
  const [{ count }] = (await djinn.sql('select count(*)::int as count from rule_runs where household_id = $1', [person.householdId])) as [
    { count: number },
  ]
  assert.equal(count, limits.ruleRunsKept)
})

test('runs are forgotten after 30 days with what they changed, rules 90 days after their deletion', async () => {
  const { person, category, rows } = await world('Bakery')
  const tasks = makeTasks(djinn.resources)
  const [rule, other] = [await addRule(person, { actions: { categoryId: category } }), await addRule(person)]
  const { id } = await run(person)
  const old = (await person.get('/api/sync')).body.nextCursor
  await person.delete(`/api/rules/${rule}`)
  const since = (await person.get('/api/sync')).body.nextCursor
  const age = (table: string, column: string, days: number) =>
    djinn.sql(
      `do $$ begin
        set local session_replication_role = replica;
        update ${table} set ${column} = now() - interval '${days} days' where household_id = '${person.householdId}' and ${column} is not null;
      end $$`,
    )
  await age('rule_runs', 'created_at', 29)
  await age('rules', 'deleted_at', 89)
  await tasks['forgetRules']!({})
  assert.equal((await person.get(`/api/rules/runs/${id}`)).body.changes.length, 1)
  assert.equal((await person.get(`/api/sync?cursor=${old}`)).status, 200)
  await age('rule_runs', 'created_at', 31)
  await age('rules', 'deleted_at', 91)
  await tasks['forgetRules']!({})
  assertRefused(await person.delete(`/api/rules/runs/${id}`), 404, 'not-found')
  assertRefused(await person.get(`/api/sync?cursor=${old}`), 410, 'cursor-expired')
  assert.equal((await person.get(`/api/sync?cursor=${since}`)).status, 200)
  assert.deepEqual(await djinn.sql('select id from rules where household_id = $1', [person.householdId]), [{ id: other }])
  assert.deepEqual(await djinn.sql('select from rule_run_changes where household_id = $1', [person.householdId]), [])
  assert.equal((await readTransaction(person, rows[0]!)).categoryId, category)
  await djinn.verify()
})

test('a category that is forgotten takes the deleted rule that set it along', async () => {
  const { person, category } = await world('Bakery')
  const rule = await addRule(person, { actions: { categoryId: category } })
  await person.delete(`/api/rules/${rule}`)
  await person.delete(`/api/categories/${category}`)
  await djinn.sql(
    `do $$ begin
      set local session_replication_role = replica;
      update categories set deleted_at = now() - interval '91 days' where id = '${category}';
      update rules set deleted_at = now() - interval '92 days' where id = '${rule}';
    end $$`,
  )
  await makeTasks(djinn.resources)['forgetDeleted']!({})
  assert.deepEqual(await djinn.sql('select from rules where id = $1', [rule]), [])
  await djinn.verify()
})

test('a run with more rows than one may look at is refused whole', async () => {
  const { person, account } = await world('Bakery')
  await addRule(person)
  await djinn.sql(
    `do $$ begin
      set local session_replication_role = replica;
      insert into transactions (household_id, id, account_id, currency, date, amount)
        select '${person.householdId}', gen_random_uuid(), '${account}', 'EUR', '2020-01-01', 0 from generate_series(1, ${limits.ruleRowsMax});
    end $$`,
  )
  assertRefused(await person.post('/api/rules/run', {}), 409, 'limit-reached')
  assertRefused(await person.post('/api/rules/preview', {}), 409, 'limit-reached')
  assert.equal((await person.post('/api/rules/preview', { from: '2026-01-01' })).body.examined, 1)
  assert.equal((await person.post('/api/rules/preview', { to: '2020-12-31' })).body.examined, limits.ruleRowsMax)
})
