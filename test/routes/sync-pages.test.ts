// Pages of a sync: a bound fixed at the first one, any limit the same union, bounded bytes, and cursors that are refused.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { makeApi } from '../../src/app/api.ts'
import { openResources } from '../../src/app/resources.ts'
import { limits } from '../../src/values/limits.ts'
import { asRole } from '../database/app-role.ts'
import { open, type Person, type Reply } from '../harness.ts'
import { assertEqualsLists, brief, Replica, syncPage, syncPath, writeBehind } from './replica.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
let account: string
let savings: string
const date = '2026-01-31'

before(async () => {
  ana = await djinn.person()
  account = await ana.account()
  savings = await ana.account({ name: 'Savings' })
  for (let nth = 0; nth < 6; nth++) await transaction()
})

async function created(path: string, body: unknown): Promise<string> {
  const reply = await ana.post(path, body)
  assert.equal(reply.status, 201, reply.text)
  return reply.body.id
}

const transaction = () => created('/api/transactions', { accountId: account, date, amount: -100 })
const transfer = () => created('/api/transfers', { fromAccountId: account, toAccountId: savings, date, amount: 5 })

/** A household of its own with many rows that are long. */
async function wordy(rows: number, note: string): Promise<Person> {
  const person = await djinn.person()
  const id = await person.account()
  await asRole(djinn, { household: person.householdId, user: person.userId }, (run) =>
    run(
      `insert into transactions (household_id, id, account_id, currency, date, amount, note)
      select $1, gen_random_uuid(), $2, 'EUR', '2026-01-31', -1, $3 from generate_series(1, $4)`,
      [person.householdId, id, note, rows],
    ),
  )
  return person
}

const rowsOf = (page: { changes: Record<string, unknown[]>; removed: unknown[] }) =>
  Object.values(page.changes).reduce((count, rows) => count + rows.length, page.removed.length)

function assertRefused(reply: Reply, status: number, code: string, pointer = '?cursor') {
  assert.deepEqual([reply.status, reply.body.code, reply.body.errors[0].pointer], [status, code, pointer], reply.text)
}

test('what is written between the pages of a walk comes in the next round, and no row is missed or doubled', async () => {
  const whole = await syncPage(ana)
  const total = rowsOf(whole)
  const [changing] = whole.changes['transactions']!.slice(-1)
  const limit = 7
  const replica = new Replica()
  const first = await replica.page(ana, { limit })
  assert.deepEqual([rowsOf(first), first.hasMore, first.checkpoint], [limit, true, null])
  const made = await transaction()
  assert.equal((await ana.patch(`/api/transactions/${changing!.id}`, { note: 'later' })).status, 200)
  // The account was told on the first page; of the rest only the changed transaction went beyond the bound.
  for (let left = total - limit - 1; left > 0; left -= limit) {
    const page = await replica.page(ana, { limit })
    assert.deepEqual([rowsOf(page), page.hasMore, page.checkpoint], [Math.min(limit, left), true, null])
    assert.ok(!brief([page])['transactions']?.some((id) => id === made || id === changing!.id), 'the bound stands')
  }
  const last = await replica.pull(ana)
  assert.deepEqual(brief(last), { accounts: [account], transactions: [made, changing!.id].toSorted() })
  await assertEqualsLists(replica, ana)
  replica.assertNothingDoubled()
})

test('a write that falls between the two reads of a page comes with the next one, and no checkpoint before it', async () => {
  const replica = new Replica()
  await replica.pull(ana)
  await transaction()
  let made = ''
  const page = await writeBehind(
    djinn,
    () => replica.page(ana),
    async () => (made = await transaction()),
  )
  assert.ok(!brief([page])['transactions']!.includes(made), 'it is beyond the bound')
  assert.deepEqual([page.hasMore, page.checkpoint], [true, null])
  assert.deepEqual(brief(await replica.pull(ana)), { accounts: [account], transactions: [made] })
  replica.assertNothingDoubled()
  await assertEqualsLists(replica, ana)
})

test('a row that is deleted while a snapshot is paged is removed in the next round', async () => {
  const gone = await transaction()
  const replica = new Replica()
  let deleted = false
  const pages = await replica.pull(ana, {
    query: { limit: 9 },
    between: async () => {
      if (deleted) return
      deleted = true
      assert.equal((await ana.delete(`/api/transactions/${gone}`)).status, 204)
    },
  })
  assert.deepEqual(brief(pages)['removed transactions'], [gone])
  assert.ok(!replica.tables['transactions']!.has(gone))
  await assertEqualsLists(replica, ana)
})

test('any limits and any writes between pages give the same union, each change told once', async () => {
  const write = fc.constantFrom('make', 'change', 'delete', 'transfer', 'rename')
  const limit = fc.oneof({ weight: 1, arbitrary: fc.constant(1) }, { weight: 3, arbitrary: fc.integer({ min: 2, max: 40 }) })
  const followed = new Replica()
  await followed.pull(ana)
  await fc.assert(
    fc.asyncProperty(fc.array(limit, { minLength: 1, maxLength: 6 }), fc.array(write, { maxLength: 8 }), async (pageLimits, writes) => {
      let pages = 0
      const waiting = [...writes]
      const work = async () => {
        const next = waiting.shift()
        const row = followed.rows('transactions').find((one) => one['transfer'] === null)
        const path = `/api/transactions/${row!.id}`
        if (next === 'make') await transaction()
        else if (next === 'transfer') await transfer()
        else if (next === 'rename') await ana.patch(`/api/accounts/${savings}`, { name: `Savings ${waiting.length}` })
        // What another write deleted meanwhile is refused, which changes nothing.
        else if (next === 'change') await ana.patch(path, { note: `note ${waiting.length}`, amount: -1 - waiting.length })
        else if (next === 'delete') await ana.delete(path)
      }
      for (const replica of [new Replica(), followed]) {
        await work()
        replica.told.length = 0
        for (let complete = false; !complete;) {
          const page = await replica.page(ana, { limit: pageLimits[pages++ % pageLimits.length]! })
          assert.ok(rowsOf(page) <= pageLimits[(pages - 1) % pageLimits.length]!, 'a page keeps to its limit')
          complete = !page.hasMore
          if (page.hasMore) await work()
          else replica.assertProved(page)
        }
        replica.assertNothingDoubled()
      }
      const anew = new Replica()
      await anew.pull(ana)
      for (const kind of Object.keys(anew.tables)) assert.deepEqual(followed.rows(kind), anew.rows(kind))
      // The followed one needs a row to change in the next run.
      await transaction()
      await followed.pull(ana)
    }),
    { numRuns: 12 },
  )
  await assertEqualsLists(followed, ana)
})

test('pages are bounded in bytes as they are sent, and a slow network gets shorter ones', async () => {
  // Each is 4 kB long in UTF-8, half as many characters.
  const person = await wordy(300, 'é'.repeat(1_990))
  const walk = async (headers: Record<string, string>) => {
    const replica = new Replica()
    const texts: string[] = []
    for (let cursor: string | undefined; ;) {
      const { body, text } = await person.get(syncPath(cursor === undefined ? {} : { cursor }), headers)
      texts.push(text)
      replica.apply(body)
      if (!body.hasMore) break
      cursor = body.nextCursor
    }
    replica.assertNothingDoubled()
    assert.equal(replica.rows('transactions').length, 300)
    return texts.map((text) => Buffer.byteLength(text))
  }
  // The envelope is the cursor, the commas and the names of the kinds.
  const envelope = 2_000
  const plain = await walk({})
  const slow = await walk({ 'djinn-network': 'slow' })
  assert.ok(Math.max(...plain) <= limits.syncBytesMax + envelope, `${Math.max(...plain)} bytes`)
  assert.ok(Math.max(...slow) <= limits.syncBytesSlow + envelope, `${Math.max(...slow)} bytes`)
  assert.ok(plain.length >= 3 && slow.length >= 35, `${plain.length} and ${slow.length} pages`)
  assert.ok(Math.max(...plain) > limits.syncBytesMax - 6_000, 'a page is filled')
})

test('a row that is longer than a slow page is a page by itself', async () => {
  const person = await djinn.person()
  const accountId = await person.account()
  const splits = Array.from({ length: 50 }, () => ({ amount: -1, note: 'n'.repeat(1_000) }))
  const { status, body } = await person.post('/api/transactions', { accountId, date, amount: -50, splits })
  assert.equal(status, 201)
  const replica = new Replica()
  const pages = await replica.pull(person, { headers: { 'save-data': 'on' } })
  const page = pages.find((one) => one.changes['transactions']!.length > 0)
  assert.deepEqual([rowsOf(page!), brief([page!])], [1, { transactions: [body.id] }])
  await assertEqualsLists(replica, person)
})

test('pages hold at most 500 rows, 50 on a slow network, and a limit outside 1 to 500 is refused', async () => {
  const person = await wordy(600, '')
  assert.equal(rowsOf(await syncPage(person)), limits.syncRowsMax)
  assert.equal(rowsOf(await syncPage(person, {}, { 'djinn-network': 'slow' })), limits.syncRowsSlow)
  for (const limit of ['0', '501', '-1', '1e9', '1.5', 'all', '']) {
    const reply = await person.get(`/api/sync?limit=${limit}`)
    assert.deepEqual([reply.status, reply.body.errors[0].pointer], [400, '?limit'], limit)
  }
  for (const query of ['limit=1&limit=2', 'since=1', 'fields=id']) assert.equal((await person.get(`/api/sync?${query}`)).status, 400, query)
})

test('a cursor that was tampered with, is of another list or of another user is refused', async () => {
  const { nextCursor } = await syncPage(ana, { limit: 1 })
  const list = await ana.get('/api/transactions?limit=1')
  const ben = await djinn.person()
  const bytes = Buffer.from(nextCursor, 'base64url')
  for (const at of [0, 11, 12, 30, bytes.length - 1]) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 1
    assertRefused(await ana.get(syncPath({ cursor: changed.toString('base64url') })), 400, 'invalid-cursor')
  }
  for (const cursor of [list.body.nextCursor, (await syncPage(ben)).nextCursor, nextCursor.slice(0, -2), `${nextCursor}=`, 'x']) {
    assertRefused(await ana.get(syncPath({ cursor })), 400, 'invalid-cursor')
  }
  assert.equal((await ana.get('/api/sync?cursor=')).status, 400)
  assertRefused(await ben.get(syncPath({ cursor: nextCursor })), 400, 'invalid-cursor')
  assert.equal((await djinn.call('GET', '/api/sync')).status, 401)
  assert.equal((await ana.get(syncPath({ cursor: nextCursor }))).status, 200)
})

test('a cursor older than the deletions that are still told is 410, one of the same revision is not', async () => {
  const ben = await djinn.person()
  const replica = new Replica()
  await replica.pull(ben)
  const walking = (await syncPage(ben, { limit: 1 })).nextCursor
  await djinn.sql('update revisions set forgotten_revision = revision where household_id = $1', [ben.householdId])
  assert.deepEqual(brief(await replica.pull(ben)), {})
  await ben.account()
  await djinn.sql('update revisions set forgotten_revision = revision where household_id = $1', [ben.householdId])
  assertRefused(await ben.get(syncPath({ cursor: replica.cursor! })), 410, 'cursor-expired')
  // A first snapshot knows of nothing that could have been forgotten.
  assert.equal((await ben.get(syncPath({ cursor: walking }))).status, 200)
  const anew = new Replica()
  await anew.pull(ben)
  await assertEqualsLists(anew, ben)
})

test('a cursor of another history, as after a restored backup, is 410, and so is one ahead of the household', async () => {
  const ben = await djinn.person()
  await ben.account()
  const { nextCursor } = await syncPage(ben)
  const walking = (await syncPage(ben, { limit: 1 })).nextCursor
  await djinn.sql('update revisions set revision = revision - 1 where household_id = $1', [ben.householdId])
  assertRefused(await ben.get(syncPath({ cursor: nextCursor })), 410, 'cursor-expired')
  await djinn.sql('update revisions set revision = revision + 1 where household_id = $1', [ben.householdId])
  await djinn.sql('update installation set epoch = gen_random_uuid()')
  const resources = await openResources(djinn.resources.config)
  const api = await makeApi(resources)
  try {
    for (const cursor of [nextCursor, walking]) {
      const answer = await api.app.inject({
        method: 'GET',
        url: syncPath({ cursor }),
        headers: { authorization: `Bearer ${ben.accessToken}` },
      })
      assert.deepEqual([answer.statusCode, answer.json<{ code: string }>().code], [410, 'cursor-expired'])
    }
  } finally {
    await api.close()
    await resources.close()
  }
})
