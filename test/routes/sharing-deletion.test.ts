// Deleting a whole household and bringing it back: who may, who loses it, and for how long.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertRefused, open, type Person } from '../harness.ts'
import { accept, inside, invite, member, memberPath, membersPath, openAnother, within1s } from './members.ts'
import { Replica } from './replica.ts'

const djinn = await open()
after(() => djinn.close())

const path = (owner: Person) => `/api/households/${owner.householdId}`

test('a deleted household is gone for all of its members, on every process, and comes back as it was', async () => {
  const another = await openAnother(djinn)
  try {
    const ana = await djinn.person()
    const accountId = await ana.account()
    const ben = await member(djinn, ana, 'editor')
    const there = another.as(ben)
    const replica = new Replica()
    await replica.pull(ben)
    assert.equal((await there.get('/api/accounts', inside(ana))).status, 200)
    const { token } = await invite(ana, { role: 'viewer' })

    assert.equal((await ana.delete(path(ana))).status, 204)
    for (const person of [ana, ben, there]) {
      await within1s('it is gone', 404, () => person.get('/api/accounts', inside(ana)))
      for (const call of [person.get(path(ana)), person.get(membersPath(ana)), person.patch(path(ana), { name: 'x' })]) {
        assertRefused(await call, 404, 'not-found')
      }
    }
    assert.deepEqual((await ana.get('/api/households')).body.data, [])
    assertRefused(await ana.get('/api/accounts'), 404, 'not-found')
    const [page] = await replica.pull(ben)
    assert.deepEqual(page!.removed, [{ type: 'households', id: ana.householdId, householdId: ana.householdId }])
    assertRefused(await accept(await djinn.person(), token), 422, 'link-expired')
    assert.equal((await ana.delete(path(ana))).status, 204, 'deleting again succeeds')
    assertRefused(await ben.post(`${path(ana)}/restore`), 404, 'not-found')
    assertRefused(await ben.delete(path(ana)), 404, 'not-found')

    const restored = await ana.post(`${path(ana)}/restore`)
    assert.equal(restored.status, 200, restored.text)
    assert.equal(restored.body.role, 'owner')
    await within1s('it is back', 200, () => there.get(`/api/accounts/${accountId}`, inside(ana)))
    assertRefused(await ana.post(`${path(ana)}/restore`), 409, 'not-deleted')
    await replica.pull(ben)
    assert.ok(replica.tables['accounts']!.has(accountId))
    assert.equal((await accept(await djinn.person(), token)).status, 200, 'and so is what was open')
    const told = (await ana.get('/api/audit?kind=household&limit=2')).body.data
    assert.deepEqual(
      told.map((entry: { operation: string; actorId: string }) => [entry.operation, entry.actorId]),
      [
        ['restore', ana.userId],
        ['delete', ana.userId],
      ],
    )
  } finally {
    await another.close()
  }
})

test('it takes an owner, the household as one read it, and 30 days at most', async () => {
  const ana = await djinn.person()
  for (const role of ['editor', 'viewer'] as const) {
    const person = await member(djinn, ana, role)
    assertRefused(await person.delete(path(ana)), 403, 'forbidden')
    assertRefused(await person.post(`${path(ana)}/restore`), 403, 'forbidden')
  }
  const tag = (await ana.get(path(ana))).headers['etag']!
  await ana.patch(path(ana), { name: 'Changed' })
  assertRefused(await ana.delete(path(ana), { 'if-match': tag }), 412, 'precondition-failed')
  assert.equal((await ana.delete(path(ana), { 'if-match': '*' })).status, 204)
  const age = (days: number) =>
    djinn.sql(
      `with scope as (select set_config('djinn.household', $1::text, true))
       update households set deleted_at = now() - make_interval(days => $2) from scope where household_id = $1::uuid`,
      [ana.householdId, days],
    )
  await age(31)
  assertRefused(await ana.post(`${path(ana)}/restore`), 409, 'restore-expired')
  await age(29)
  assert.equal((await ana.post(`${path(ana)}/restore`)).status, 200)
})

test('who has no household left founds one, and works in it', async () => {
  const ana = await djinn.person()
  assert.equal((await ana.delete(path(ana))).status, 204)
  const { body } = await ana.post('/api/households', { name: 'Anew', baseCurrency: 'EUR', timeZone: 'UTC' })
  const made = await within1s('the new one is the own', 201, () =>
    ana.post('/api/accounts', { name: 'Purse', kind: 'cash', currency: 'EUR' }),
  )
  assert.equal((await ana.get(`/api/accounts/${made.body.id}`, { 'djinn-household': body.id })).status, 200)
})

test('a former owner who repeats an old deletion is answered like a stranger', async () => {
  const ana = await djinn.person()
  const ben = await member(djinn, ana, 'owner')
  const key = { 'idempotency-key': 'gone' }
  assert.equal((await ben.delete(path(ana), key)).status, 204)
  assert.equal((await ben.delete(path(ana), key)).headers['idempotency-replayed'], 'true')
  assert.equal((await ana.post(`${path(ana)}/restore`)).status, 200)
  assert.equal((await ana.delete(memberPath(ana, ben))).status, 204)
  assertRefused(await ben.delete(path(ana), key), 404, 'not-found')
})

test('the books hold after all of this', () => djinn.verify())
