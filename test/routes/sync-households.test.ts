// Sync over several households: what is gained arrives, what is lost goes, and of others nothing is told.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { asRole } from '../database/app-role.ts'
import { open, type Person } from '../harness.ts'
import { assertEqualsLists, brief, Replica, setRole, syncPage, syncPath, until, type Page } from './replica.ts'

const djinn = await open()
after(() => djinn.close())

const date = '2026-01-31'

async function furnished(): Promise<Person> {
  const person = await djinn.person()
  const accountId = await person.account()
  for (const amount of [-1, -2]) assert.equal((await person.post('/api/transactions', { accountId, date, amount })).status, 201)
  return person
}

const householdsOf = (replica: Replica) => replica.rows('households').map((row) => [row.id, row['role']])
const inOrder = (...rows: string[][]) => rows.toSorted(([a], [b]) => (a! < b! ? -1 : 1))
const removed = (...people: Person[]) => people.map(({ householdId: id }) => ({ type: 'households', id, householdId: id }))
const rowsOf = (page: Page) => Object.values(page.changes).flat()

test('a household that is gained arrives as upserts with its own id, beside the own rows', async () => {
  const [ana, ben] = [await furnished(), await furnished()]
  const own = new Replica()
  await own.pull(ben)
  const replica = new Replica()
  await replica.pull(ana)
  assert.deepEqual(householdsOf(replica), [[ana.householdId, 'owner']])
  await setRole(djinn, ben.householdId, ana.userId, 'editor')
  const pages = await replica.pull(ana)
  assert.deepEqual(
    pages.flatMap((page) => page.removed),
    [],
  )
  const { households: _, ...rows } = brief(pages)
  assert.deepEqual(
    rows,
    Object.fromEntries(['accounts', 'categories', 'transactions'].map((kind) => [kind, own.rows(kind).map(({ id }) => id)])),
  )
  for (const page of pages) {
    for (const row of rowsOf(page)) assert.equal(row.householdId ?? row.id, ben.householdId)
  }
  assert.deepEqual(householdsOf(replica), inOrder([ana.householdId, 'owner'], [ben.householdId, 'editor']))
  await assertEqualsLists(replica, ana)
})

test('writes in each household arrive under its id, and each limit gives the same', async () => {
  const [ana, ben] = [await furnished(), await furnished()]
  await setRole(djinn, ben.householdId, ana.userId, 'editor')
  const replica = new Replica()
  await replica.pull(ana)
  const made = await Promise.all([ana.account({ name: 'Mine' }), ben.account({ name: 'Theirs' })])
  const told = await replica.pull(ana, { query: { limit: 1 } })
  assert.deepEqual(brief(told), { accounts: made.toSorted() })
  assert.deepEqual(
    made.map((id) => replica.tables['accounts']!.get(id)!.householdId),
    [ana.householdId, ben.householdId],
  )
  for (const limit of [1, 2, 3, 50]) {
    const anew = new Replica()
    await anew.pull(ana, { query: { limit } })
    anew.assertNothingDoubled()
    await assertEqualsLists(anew, ana)
  }
})

test('a role that changes arrives with the household, and a viewer syncs what it may not write', async () => {
  const [ana, ben] = [await furnished(), await furnished()]
  await setRole(djinn, ben.householdId, ana.userId, 'editor')
  const replica = new Replica()
  await replica.pull(ana)
  const path = `/api/households/${ben.householdId}`
  const tag = (await ana.get(path)).headers['etag']!
  await setRole(djinn, ben.householdId, ana.userId, 'viewer')
  assert.equal((await ana.get(path, { 'if-none-match': tag })).status, 200, 'the role is part of the row')
  assert.deepEqual(brief(await replica.pull(ana)), { households: [ben.householdId] })
  assert.equal(replica.tables['households']!.get(ben.householdId)!['role'], 'viewer')
  const account = await ben.account()
  assert.deepEqual(brief(await replica.pull(ana)), { accounts: [account] })
  await assertEqualsLists(replica, ana)
  const write = await ana.post('/api/accounts', { name: 'A', kind: 'cash', currency: 'EUR' }, { 'djinn-household': ben.householdId })
  assert.deepEqual([write.status, write.body.code], [403, 'forbidden'])
  // Another member's role is nothing that a replica holds.
  const before = replica.cursor
  await setRole(djinn, ben.householdId, ana.userId, 'viewer')
  const cleo = await djinn.person()
  await setRole(djinn, ben.householdId, cleo.userId, 'viewer')
  await replica.pull(ana)
  assert.notEqual(replica.cursor, before)
})

test('a household that is lost is removed and leaves its rows to nobody; gained again it arrives whole', async () => {
  const [ana, ben] = [await furnished(), await furnished()]
  await setRole(djinn, ben.householdId, ana.userId, 'viewer')
  const replica = new Replica()
  await replica.pull(ana)
  const tag = (await ana.get(syncPath({ cursor: replica.cursor! }))).headers['etag']!
  await setRole(djinn, ben.householdId, ana.userId, null)
  let lost = await ana.get(syncPath({ cursor: replica.cursor! }))
  assert.deepEqual([lost.status, lost.body.removed], [200, removed(ben)])
  // Who else knew of the membership hears of its end with the commit, a moment later.
  await until('the tag is old', async () => {
    lost = await ana.get(syncPath({ cursor: replica.cursor! }), { 'if-none-match': tag })
    return lost.status === 200
  })
  assert.deepEqual([lost.body.removed, rowsOf(lost.body)], [removed(ben), []])
  await ben.account()
  await replica.pull(ana)
  assert.deepEqual(householdsOf(replica), [[ana.householdId, 'owner']])
  await assertEqualsLists(replica, ana)
  assert.deepEqual((await syncPage(ana, { cursor: replica.cursor! })).removed, [], 'told once')
  await setRole(djinn, ben.householdId, ana.userId, 'viewer')
  await replica.pull(ana)
  assert.equal(replica.rows('accounts').length, 3)
  await assertEqualsLists(replica, ana)
})

test('a household that was lost and gained between two syncs arrives as its changes', async () => {
  const [ana, ben] = [await furnished(), await furnished()]
  await setRole(djinn, ben.householdId, ana.userId, 'viewer')
  const replica = new Replica()
  await replica.pull(ana)
  await setRole(djinn, ben.householdId, ana.userId, null)
  const account = await ben.account()
  await setRole(djinn, ben.householdId, ana.userId, 'editor')
  assert.deepEqual(brief(await replica.pull(ana)), { households: [ben.householdId], accounts: [account] })
  await assertEqualsLists(replica, ana)
})

test('a household that is deleted is lost to its members', async () => {
  const [ana, ben] = [await furnished(), await furnished()]
  await setRole(djinn, ben.householdId, ana.userId, 'viewer')
  const replica = new Replica()
  await replica.pull(ana)
  await asRole(djinn, { household: ben.householdId }, (run) => run('update households set deleted_at = now()'))
  const [page] = await replica.pull(ana)
  assert.deepEqual(page!.removed, removed(ben))
  await assertEqualsLists(replica, ana)
})

/** Ana in the households of three, in the order in which a walk takes them, and a walk that has come to the last. */
async function walking() {
  const people = await Promise.all([furnished(), furnished(), furnished()])
  const ana = people[0]
  for (const { householdId } of people.slice(1)) await setRole(djinn, householdId, ana.userId, 'viewer')
  const inTurn = people.toSorted((a, b) => (a.householdId < b.householdId ? -1 : 1))
  const passed = inTurn.find((one) => one !== ana)!
  const last = inTurn.at(-1)!.householdId
  const replica = new Replica()
  for (let reached = false; !reached;) {
    const page = await replica.page(ana, { limit: 3 })
    assert.ok(page.hasMore)
    reached = rowsOf(page).some((row) => row.householdId === last)
  }
  return { ana, passed, replica }
}

test('a household lost in the middle of a walk is removed on its next page and stays away', async () => {
  const { ana, passed, replica } = await walking()
  await setRole(djinn, passed.householdId, ana.userId, null)
  const page = await replica.page(ana, { limit: 3 })
  assert.deepEqual(page.removed, removed(passed))
  const pages = await replica.pull(ana, { query: { limit: 3 } })
  assert.deepEqual(
    pages.flatMap((one) => one.removed),
    [],
    'told once',
  )
  await assertEqualsLists(replica, ana)
})

test('a household lost and gained again in the middle of a walk arrives whole after it', async () => {
  const { ana, passed, replica } = await walking()
  await setRole(djinn, passed.householdId, ana.userId, null)
  const page = await replica.page(ana, { limit: 3 })
  assert.deepEqual(page.removed, removed(passed))
  assert.ok(page.hasMore)
  await setRole(djinn, passed.householdId, ana.userId, 'editor')
  await replica.pull(ana, { query: { limit: 3 } })
  await assertEqualsLists(replica, ana)
})

test('a write in a household that the walk has passed comes in the next round, and no checkpoint before it', async () => {
  const { ana, passed, replica } = await walking()
  const account = await passed.account()
  const page = await replica.page(ana, { limit: 500 })
  assert.ok(rowsOf(page).every((row) => row.householdId !== passed.householdId))
  assert.deepEqual([page.hasMore, page.checkpoint], [true, null])
  assert.deepEqual(brief(await replica.pull(ana)), { accounts: [account] })
  await assertEqualsLists(replica, ana)
})

test('a household gained in the middle of a walk arrives in the next round', async () => {
  const { ana, replica } = await walking()
  const dora = await furnished()
  await setRole(djinn, dora.householdId, ana.userId, 'viewer')
  const page = await replica.page(ana, { limit: 500 })
  assert.ok(rowsOf(page).every((row) => row.householdId !== dora.householdId))
  assert.deepEqual([page.hasMore, page.checkpoint], [true, null])
  await replica.pull(ana)
  await assertEqualsLists(replica, ana)
})

test('of a household that is not the own nothing is told, whatever is written in it', async () => {
  const [ana, ben] = [await furnished(), await furnished()]
  const replica = new Replica()
  await replica.pull(ana)
  const cursor = replica.cursor!
  const first = await ana.get(syncPath({ cursor }))
  const account = await ben.account()
  const later = await ana.get(syncPath({ cursor }), { 'if-none-match': first.headers['etag']! })
  assert.equal(later.status, 304)
  const header = await ana.get(syncPath({}), { 'djinn-household': ben.householdId })
  for (const { text } of [await ana.get('/api/sync'), await ana.get(syncPath({ cursor })), header]) {
    for (const foreign of [ben.householdId, ben.userId, account]) assert.ok(!text.includes(foreign))
  }
})
