// Rules over HTTP: what a rule may be, its life, and its place in the order.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { newId } from '../../src/values/id.ts'
import { limits } from '../../src/values/limits.ts'
import { assertRefused, open, type Person } from '../harness.ts'
import { addCategory, addRule, draftOf, type Draft } from './rule-drafts.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
before(async () => {
  ana = await djinn.person()
})

const names = async (person: Person): Promise<string> =>
  (await person.get('/api/rules?limit=100')).body.data.map((rule: { name: string }) => rule.name).join(' ')

async function withRules(...wanted: string[]): Promise<{ person: Person; ids: Record<string, string> }> {
  const person = await djinn.person()
  const ids: Record<string, string> = {}
  for (const name of wanted) ids[name] = await addRule(person, { name })
  return { person, ids }
}

test('a rule is added with what was left out at its default, in at most three round trips, and read back', async () => {
  const categoryId = await addCategory(ana)
  const accountId = await ana.account()
  const id = newId()
  const draft = draftOf({
    id,
    match: 'any',
    conditions: [
      { field: 'payee', operator: 'is', value: 'Bäckerei ☕ 100%' },
      { field: 'rawPayee', operator: 'startsWith', value: 'SEPA' },
      { field: 'note', operator: 'endsWith', value: '\\' },
      { field: 'amount', operator: 'between', value: { min: -Number.MAX_SAFE_INTEGER, max: 0 } },
      { field: 'amount', operator: 'atMost', value: -1 },
      { field: 'account', operator: 'is', value: accountId },
    ],
    actions: { categoryId, payee: 'Bakery', note: 'Bread' },
  })
  let reply = await ana.post('/api/rules', draft)
  assert.equal(reply.status, 201, reply.text)
  const { createdAt, updatedAt, revision, ...rule } = reply.body
  assert.deepEqual(rule, { ...draft, position: 1, enabled: true, stop: false })
  assert.equal(reply.headers['location'], `/api/rules/${id}`)
  assert.deepEqual((await ana.get(`/api/rules/${id}`)).body, { ...rule, createdAt, updatedAt, revision })
  const { roundTrips } = await djinn.count(async () => {
    reply = await ana.post('/api/rules', draftOf({ position: 1, enabled: false, stop: true }))
  })
  assert.ok(roundTrips <= 3, `${roundTrips} round trips`)
  assert.deepEqual([reply.body.position, reply.body.enabled, reply.body.stop], [1, false, true])
})

test('what a rule cannot be is refused with its place', async () => {
  const condition = (value: unknown) => draftOf({ conditions: [value] })
  const refusals: [Draft, string, string?][] = [
    [draftOf({ conditions: [] }), '/conditions', 'too-small'],
    [
      draftOf({ conditions: Array.from({ length: 21 }, () => ({ field: 'payee', operator: 'is', value: 'x' })) }),
      '/conditions',
      'too-large',
    ],
    [draftOf({ actions: {} }), '/actions', 'required'],
    [draftOf({ actions: { payee: '' } }), '/actions/payee', 'too-small'],
    [draftOf({ actions: { payee: 'x'.repeat(201) } }), '/actions/payee', 'too-large'],
    [draftOf({ actions: { note: 'x'.repeat(2_001) } }), '/actions/note', 'too-large'],
    [draftOf({ actions: { categoryId: null } }), '/actions/categoryId', 'wrong-type'],
    [draftOf({ actions: { amount: 1 } }), '/actions/amount', 'unknown-field'],
    [draftOf({ match: 'none' }), '/match', 'not-a-choice'],
    [draftOf({ name: '' }), '/name', 'too-small'],
    [draftOf({ position: 0 }), '/position', 'too-small'],
    [condition({ field: 'payee', operator: 'matches', value: '(a+)+$' }), '/conditions/0/operator', 'not-a-choice'],
    [condition({ field: 'payee', operator: 'contains', value: '' }), '/conditions/0/value', 'too-small'],
    [condition({ field: 'payee', operator: 'contains', value: 'x'.repeat(50_000) }), '/conditions/0/value', 'too-large'],
    [condition({ field: 'payee', operator: 'contains', value: 5 }), '/conditions/0/value', 'wrong-type'],
    [condition({ field: 'payee', operator: 'contains', value: 'a\u0007b' }), '/conditions/0/value', 'control-character'],
    [condition({ field: 'amount', operator: 'is', value: 1.5 }), '/conditions/0/value'],
    [condition({ field: 'amount', operator: 'is', value: '5' }), '/conditions/0/value', 'wrong-type'],
    [condition({ field: 'amount', operator: 'between', value: { min: 2, max: 1 } }), '/conditions/0/value/max', 'out-of-range'],
    [condition({ field: 'amount', operator: 'between', value: 5 }), '/conditions/0/value', 'wrong-type'],
    [condition({ field: 'account', operator: 'contains', value: newId() }), '/conditions/0/operator'],
    [condition({ field: 'account', operator: 'is', value: 'savings' }), '/conditions/0/value', 'malformed-id'],
    [condition({ field: 'status', operator: 'is', value: 'posted' }), '/conditions/0/field'],
  ]
  const was = await names(ana)
  for (const [draft, pointer, code] of refusals) {
    const reply = await ana.post('/api/rules', draft)
    assertRefused(reply, 400, 'invalid-request', pointer)
    if (code) assert.equal(reply.body.errors[0].code, code, reply.text)
  }
  assert.equal(await names(ana), was)
})

test('an account or category that is not there is refused, and so is deleting one that a rule names', async () => {
  const person = await djinn.person()
  const gone = await addCategory(person)
  await person.delete(`/api/categories/${gone}`)
  for (const categoryId of [newId(), gone]) {
    assertRefused(await person.post('/api/rules', draftOf({ actions: { categoryId } })), 404, 'category-not-found', '/actions/categoryId')
  }
  const looking = (value: string) => ({ conditions: [{ field: 'account', operator: 'is', value }] })
  assertRefused(await person.post('/api/rules', draftOf(looking(newId()))), 404, 'account-not-found', '/conditions')
  const [categoryId, accountId] = [await addCategory(person), await person.account()]
  const rule = await addRule(person, { actions: { categoryId }, ...looking(accountId) })
  assertRefused(await person.patch(`/api/rules/${rule}`, looking(newId())), 404, 'account-not-found', '/conditions')
  assertRefused(await person.delete(`/api/categories/${categoryId}`), 409, 'in-use')
  assertRefused(await person.delete(`/api/accounts/${accountId}`), 409, 'in-use')
  assert.equal((await person.delete(`/api/rules/${rule}`)).status, 204)
  assert.equal((await person.delete(`/api/categories/${categoryId}`)).status, 204)
  assertRefused(await person.post(`/api/rules/${rule}/restore`), 404, 'category-not-found')
  assert.equal((await person.post(`/api/categories/${categoryId}/restore`)).status, 200)
  assert.equal((await person.delete(`/api/accounts/${accountId}`)).status, 204)
  assertRefused(await person.post(`/api/rules/${rule}/restore`), 404, 'account-not-found')
  assert.equal((await person.post(`/api/accounts/${accountId}/restore`)).status, 200)
  assert.equal((await person.post(`/api/rules/${rule}/restore`)).status, 200)
  await djinn.verify()
})

test('the same rule sent again is the one that is there, also after others moved before it', async () => {
  const { person } = await withRules('a', 'b')
  const draft = draftOf({ id: newId(), name: 'c', position: 2 })
  assert.equal((await person.post('/api/rules', draft)).status, 201)
  assert.equal((await person.post('/api/rules', draft)).status, 200)
  assert.equal(await names(person), 'a c b')
  assertRefused(await person.post('/api/rules', { ...draft, name: 'd' }), 409, 'already-exists', '/id')
  assert.equal(await names(person), 'a c b')
})

test('rules are listed in their order, page by page, unchanged ones answered 304', async () => {
  const { person, ids } = await withRules('a', 'b', 'c', 'd', 'e')
  await person.patch(`/api/rules/${ids['e']}`, { position: 2 })
  const seen: string[] = []
  let cursor = ''
  do {
    const { body } = await person.get(`/api/rules?limit=2${cursor}`)
    seen.push(...body.data.map((rule: { name: string }) => rule.name))
    cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`
  } while (cursor !== '')
  assert.deepEqual(seen, ['a', 'e', 'b', 'c', 'd'])
  const list = await person.get('/api/rules?fields=name,position')
  assert.deepEqual(list.body.data[0], { name: 'a', position: 1 })
  assert.equal((await person.get('/api/rules?fields=name,position', { 'if-none-match': list.headers['etag']! })).status, 304)
  assertRefused(await person.get('/api/rules?cursor=AAAA'), 400, 'invalid-cursor')
  assert.equal((await person.get('/api/rules?updatedSince=2199-01-01T00:00:00Z')).body.data.length, 0)
})

test('a moved rule stands before the one that had the position, and no two share one', async () => {
  const { person, ids } = await withRules('a', 'b', 'c', 'd')
  const move = async (name: string, position: number) => {
    const { status, text } = await person.patch(`/api/rules/${ids[name]}`, { position })
    assert.equal(status, 200, text)
    return await names(person)
  }
  assert.equal(await move('d', 1), 'd a b c')
  assert.equal(await move('d', 100), 'a b c d')
  assert.equal(await move('a', 4), 'b a c d')
  assert.equal(await move('a', 4), 'b a c d')
  const gone = (await person.get(`/api/rules/${ids['c']}`)).body
  await person.delete(`/api/rules/${ids['c']}`)
  await addRule(person, { name: 'e', position: gone.position })
  assert.equal((await person.post(`/api/rules/${ids['c']}/restore`)).body.position, gone.position)
  assert.equal(await names(person), 'b a c e d')
})

test('random moves, deletions and returns leave the order that a list of names would have', async () => {
  const step = fc.record({
    what: fc.constantFrom('add', 'move', 'delete', 'restore'),
    a: fc.nat(20),
    position: fc.integer({ min: 1, max: 8 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
      const { person, ids } = await withRules('r0', 'r1', 'r2')
      let order = (await person.get('/api/rules')).body.data as { id: string; position: number }[]
      const gone: { id: string; position: number }[] = []
      const put = (id: string, position: number) => {
        const rest = order.filter((rule) => rule.id !== id)
        for (let at = position; ; at++) {
          const there = rest.find((rule) => rule.position === at)
          rest.push({ id, position: at })
          if (!there) break
          rest.splice(rest.indexOf(there), 1)
          id = there.id
        }
        order = rest.toSorted((one, other) => one.position - other.position)
      }
      for (const { what, a, position } of steps) {
        const rule = order[a % Math.max(1, order.length)]
        if (what === 'add') put(await addRule(person, { position }), position)
        else if (what === 'restore' && gone.length > 0) {
          const back = gone.shift()!
          await person.post(`/api/rules/${back.id}/restore`)
          put(back.id, back.position)
        } else if (rule && what === 'move') {
          assert.equal((await person.patch(`/api/rules/${rule.id}`, { position })).status, 200)
          put(rule.id, position)
        } else if (rule && what === 'delete') {
          await person.delete(`/api/rules/${rule.id}`)
          gone.push(rule)
          order = order.filter((each) => each !== rule)
        }
        const data = (await person.get('/api/rules?limit=100')).body.data as typeof order
        assert.deepEqual(
          data.map((each) => [each.id, each.position]),
          order.map((each) => [each.id, each.position]),
        )
      }
      assert.ok(ids)
    }),
    { numRuns: 8 },
  )
  await djinn.verify()
})

test('two phones that put a rule at one place at once leave both in a total order', async () => {
  const { person } = await withRules('a', 'b')
  const replies = await Promise.all(['x', 'y', 'z'].map((name) => person.post('/api/rules', draftOf({ name, position: 1 }))))
  assert.deepEqual(
    replies.map(({ status }) => status),
    [201, 201, 201],
  )
  assert.match(await names(person), /^[xyz] [xyz] [xyz] a b$/)
})

test('a rule changed offline merges with changes of other fields and collides on the same', async () => {
  const { person, ids } = await withRules('a')
  const path = `/api/rules/${ids['a']}`
  const base = (await person.get(path)).body.revision
  await person.patch(path, { name: 'theirs' })
  assert.equal((await person.patch(path, { enabled: false, baseRevision: base })).body.name, 'theirs')
  const reply = await person.patch(path, { name: 'mine', baseRevision: base })
  assertRefused(reply, 409, 'conflict', '/name')
  assert.deepEqual(reply.body.conflicts, ['name'])
  assertRefused(await person.patch(path, { name: 'mine' }, { 'if-match': '"1.x"' }), 412, 'precondition-failed')
  await person.delete(path)
  assertRefused(await person.patch(path, { name: 'mine' }), 409, 'deleted')
  assert.equal((await person.delete(path)).status, 204)
})

test('rules come with a sync, are told of when they are gone, and are in the audit trail', async () => {
  const { person, ids } = await withRules('a', 'b')
  const first = (await person.get('/api/sync')).body
  assert.deepEqual(
    first.changes.rules.map((rule: { name: string }) => rule.name),
    ['a', 'b'],
  )
  assert.equal(first.checkpoint.rules.count, 2)
  await person.delete(`/api/rules/${ids['a']}`)
  const next = (await person.get(`/api/sync?cursor=${first.nextCursor}`)).body
  assert.deepEqual(next.removed, [{ type: 'rules', id: ids['a'], householdId: person.householdId }])
  const audit = (await person.get('/api/audit?kind=rule')).body.data
  assert.deepEqual(
    audit.map((entry: { operation: string; entityId: string }) => [entry.operation, entry.entityId]),
    [
      ['delete', ids['a']],
      ['create', ids['b']],
      ['create', ids['a']],
    ],
  )
})

test('a viewer reads rules and changes none; another household has none of them', async () => {
  const { person, ids } = await withRules('a')
  const ben = await djinn.person()
  await djinn.sql(
    `do $$ begin
      perform set_config('djinn.household', '${person.householdId}', true);
      insert into memberships (household_id, user_id, role) values ('${person.householdId}', '${ben.userId}', 'viewer');
    end $$`,
  )
  const inHers = { 'djinn-household': person.householdId }
  assert.equal((await ben.get('/api/rules', inHers)).body.data.length, 1)
  for (const path of ['/api/rules', '/api/rules/preview', '/api/rules/run']) {
    assertRefused(await ben.post(path, path === '/api/rules' ? draftOf() : {}, inHers), 403, 'forbidden')
  }
  assertRefused(await ben.delete(`/api/rules/${ids['a']}`, inHers), 403, 'forbidden')
  assertRefused(await ben.get(`/api/rules/${ids['a']}`), 404, 'not-found')
})

test('a household has at most 500 rules', async () => {
  const { person, ids } = await withRules('a')
  await djinn.sql(
    `do $$ begin
      perform set_config('djinn.household', '${person.householdId}', true);
      insert into rules (household_id, id, name, position, match, conditions, actions)
        select household_id, gen_random_uuid(), 'copy', n, match, conditions, actions from rules, generate_series(2, ${limits.rulesMax}) n where id = '${ids['a']}';
    end $$`,
  )
  assertRefused(await person.post('/api/rules', draftOf()), 409, 'limit-reached')
  await person.delete(`/api/rules/${ids['a']}`)
  assert.equal((await person.post('/api/rules', draftOf({ position: 1 }))).status, 201)
  assertRefused(await person.post(`/api/rules/${ids['a']}/restore`), 409, 'limit-reached')
})

test('rules are steps of an atomic batch, all of it or nothing', async () => {
  const { person, ids } = await withRules('a', 'b')
  const step = (id: string, method: string, path: string, body: unknown) => ({ id, method, path, body })
  const operations = [
    step('1', 'POST', '/api/rules', draftOf({ name: 'c', position: 1 })),
    step('2', 'PATCH', `/api/rules/${ids['b']}`, { position: 1 }),
  ]
  const failing = [...operations, step('3', 'POST', '/api/rules', draftOf({ actions: { categoryId: newId() } }))]
  const undone = await person.post('/api/batch', { operations: failing, atomic: true })
  assert.deepEqual(
    undone.body.results.map((each: { status: number }) => each.status),
    [424, 424, 404],
  )
  assert.equal(await names(person), 'a b')
  await person.post('/api/batch', { operations, atomic: true })
  assert.equal(await names(person), 'b c a')
})
