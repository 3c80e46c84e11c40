// One revision a household, raised under its lock: what follows the journal by revision misses nothing.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { withClient } from '../cluster.ts'
import { open, type Person } from '../harness.ts'
import { asRole } from './app-role.ts'

const djinn = await open()
after(() => djinn.close())

const writers = 8
const writesEach = 20
type Seen = { revision: number; id: string }

const revisionOf = async (person: Person) =>
  (await djinn.sql<{ revision: number }>('select revision::int from revisions where household_id = $1', [person.householdId]))[0]!.revision

/** Reads what is new after the cursor until `done`, and once more; fails at the first revision that is not the next. */
async function follow(person: Person, start: number, done: () => boolean): Promise<Seen[]> {
  return await withClient(djinn.adminUrl, async (client) => {
    const seen: Seen[] = []
    let cursor = start
    for (let last = false; ;) {
      const { rows } = await client.query<Seen>(
        `select revision::int, entity_id as id from journal where household_id = $1 and revision > $2 order by revision, number`,
        [person.householdId, cursor],
      )
      for (const row of rows) {
        assert.ok(row.revision === cursor || row.revision === cursor + 1, `after ${cursor} comes ${row.revision}`)
        cursor = row.revision
      }
      seen.push(...rows)
      if (last) return seen
      last = done()
    }
  })
}

test('a reader who follows the revisions of a household with 8 writers misses nothing and sees no gap', async () => {
  const ana = await djinn.person()
  const [account, savings] = [await ana.account(), await ana.account({ name: 'Savings' })]
  const start = await revisionOf(ana)
  const written = new Set<string>()
  const answered: { id: string; revision: number }[] = []
  const write = async (writer: number, nth: number) => {
    const id = newId()
    // Every other writer makes rows by SQL, whose revision is raised by its trigger, after its snapshot is taken.
    if (writer % 2 === 0) {
      await asRole(djinn, { household: ana.householdId, user: ana.userId }, async (run) => {
        await run('select count(*) from transactions')
        await run(
          `insert into transactions (household_id, id, account_id, currency, date, amount) values ($1, $2, $3, 'EUR', '2026-02-28', $4)`,
          [ana.householdId, id, account, nth],
        )
      })
    } else {
      const path = nth % 4 === 0 ? '/api/transfers' : '/api/transactions'
      const body = nth % 4 === 0 ? { fromAccountId: account, toAccountId: savings, amount: 1 } : { accountId: account, amount: -nth }
      const { status, body: made, text } = await ana.post(path, { id, date: '2026-02-28', ...body })
      assert.equal(status, 201, text)
      answered.push({ id, revision: made.revision })
    }
    written.add(id)
  }
  let running = true
  const reading = follow(ana, start, () => !running)
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      for (let nth = 1; nth <= writesEach; nth++) await write(writer, nth)
    }),
  ).finally(() => (running = false))
  const seen = await reading
  const missed = [...written].filter((id) => !seen.some((row) => row.id === id))
  assert.deepEqual([written.size, missed], [writers * writesEach, []])
  assert.deepEqual(
    [...new Set(seen.map((row) => row.revision))],
    Array.from({ length: writers * writesEach }, (_, index) => start + 1 + index),
    'revisions are dense: one a transaction',
  )
  for (const { id, revision } of answered) {
    assert.equal(seen.find((row) => row.id === id)?.revision, revision, 'an answer carries the revision of its write')
  }
  await djinn.verify()
})

test('a transaction raises the revision once, and every row that it writes carries it', async () => {
  const ana = await djinn.person()
  const before = await revisionOf(ana)
  const ids = [newId(), newId()]
  await asRole(djinn, { household: ana.householdId }, async (run) => {
    for (const id of ids) {
      await run(`insert into accounts (household_id, id, name, kind, currency) values ($1, $2, 'Many', 'cash', 'EUR')`, [
        ana.householdId,
        id,
      ])
    }
    await run(
      `insert into transactions (household_id, id, account_id, currency, date, amount)
       select $1, gen_random_uuid(), $2, 'EUR', '2026-02-28', n from generate_series(1, 50) n`,
      [ana.householdId, ids[0]],
    )
  })
  assert.equal(await revisionOf(ana), before + 1)
  const revisions = await djinn.sql(
    `select revision::int, count(*)::int from (select revision from transactions where household_id = $1
       union all select revision from accounts where household_id = $1 and id = any($2)) x group by 1`,
    [ana.householdId, ids],
  )
  assert.deepEqual(revisions, [{ revision: before + 1, count: 52 }])
})

test('a write that is refused or rolled back takes no revision', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  const before = await revisionOf(ana)
  const refused = await ana.post('/api/transactions', { accountId: newId(), date: '2026-02-28', amount: 1 })
  assert.equal(refused.status, 404)
  await asRole(djinn, { household: ana.householdId }, async (run) => {
    await run('savepoint before')
    await run(`update accounts set name = 'Other' where id = $1`, [account])
    await run('rollback to before')
  })
  assert.equal(await revisionOf(ana), before)
  await ana.patch(`/api/accounts/${account}`, { name: 'Renamed' })
  assert.equal(await revisionOf(ana), before + 1)
})

test('writers of two households do not wait for each other', async () => {
  const [ana, ben] = [await djinn.person(), await djinn.person()]
  await asRole(djinn, { household: ana.householdId }, async (run) => {
    await run('select raise_revision($1)', [ana.householdId])
    const account = await ben.account()
    assert.equal((await ben.get(`/api/accounts/${account}`)).status, 200)
    assert.equal((await ana.get('/api/accounts')).status, 200, 'readers of the household do not wait either')
  })
})

test('a household whose other writer holds it too long answers 503 and has written nothing', async () => {
  const ana = await djinn.person()
  await asRole(djinn, { household: ana.householdId }, async (run) => {
    await run('select raise_revision($1)', [ana.householdId])
    const { status, body, headers } = await ana.post('/api/accounts', { name: 'Late', kind: 'cash', currency: 'EUR' })
    assert.deepEqual([status, body.code], [503, 'unavailable'])
    assert.ok(Number(headers['retry-after']) >= 1)
  })
  assert.deepEqual((await ana.get('/api/accounts')).body.data, [])
  await ana.account()
})
