// Eight writers in one household, whose commits are delayed: who follows sync cursors misses nothing.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { withClient } from '../cluster.ts'
import { open, type Person } from '../harness.ts'
import { Replica } from '../routes/replica.ts'
import { asRole } from './app-role.ts'

const djinn = await open()
after(() => djinn.close())

const writers = 8
const writesEach = 15
const date = '2026-02-28'

/** A write by HTTP, as phones make them. */
async function writeByHttp(person: Person, account: string): Promise<string> {
  const id = newId()
  const { status, text } = await person.post('/api/transactions', { id, accountId: account, date, amount: -1 })
  assert.equal(status, 201, text)
  return id
}

/** A write by SQL that is stamped with its time, and commits a good while after. */
async function writeSlowly(person: Person, account: string, nth: number): Promise<string> {
  const id = newId()
  await asRole(djinn, { household: person.householdId, user: person.userId }, async (run) => {
    // Before the write other writers pass it; after the write they wait for its household.
    await run('select pg_sleep($1)', [(nth % 4) * 0.008])
    await run(`insert into transactions (household_id, id, account_id, currency, date, amount) values ($1, $2, $3, 'EUR', $4, -1)`, [
      person.householdId,
      id,
      account,
      date,
    ])
    await run('select pg_sleep($1)', [(nth % 3) * 0.004])
  })
  return id
}

/** Follows the stamps of the rows, as a client without revisions would. */
async function followTimes(person: Person, done: () => boolean): Promise<Set<string>> {
  return await withClient(djinn.adminUrl, async (client) => {
    const seen = new Set<string>()
    let newest = '-infinity'
    for (let last = false; ;) {
      const { rows } = await client.query<{ id: string; at: string }>(
        `select id, updated_at::text as at from transactions where household_id = $1 and updated_at > $2 order by updated_at`,
        [person.householdId, newest],
      )
      for (const row of rows) seen.add(row.id)
      newest = rows.at(-1)?.at ?? newest
      if (last) return seen
      last = done()
    }
  })
}

test('a reader who follows sync cursors while 8 writers commit late misses no row and is told of none twice', async (t) => {
  const ana = await djinn.person()
  const account = await ana.account()
  const replica = new Replica()
  await replica.pull(ana)
  let writing = true
  const written = new Set<string>()
  const write = async (writer: number) => {
    for (let nth = 0; nth < writesEach; nth++) {
      written.add(writer % 2 === 0 ? await writeByHttp(ana, account) : await writeSlowly(ana, account, writer + nth))
    }
  }
  let pages = 0
  const follow = async () => {
    for (let last = false; ;) {
      // A page of two rows leaves walks open while others commit.
      await replica.page(ana, pages++ % 2 === 0 ? { limit: 2 } : {})
      if (last) break
      last = !writing
    }
    pages += (await replica.pull(ana)).length
  }
  const [timed] = await Promise.all([
    followTimes(ana, () => !writing),
    follow(),
    Promise.all(Array.from({ length: writers }, (_, writer) => write(writer))).finally(() => {
      writing = false
    }),
  ])
  assert.equal(written.size, writers * writesEach)
  const missed = [...written].filter((id) => !replica.tables['transactions']!.has(id))
  t.diagnostic(`${written.size} rows, ${pages} pages: by cursor ${missed.length} missed`)
  t.diagnostic(`by updatedAt ${[...written].filter((id) => !timed.has(id)).length} missed`)
  assert.deepEqual(missed, [])
  replica.assertNothingDoubled()
  assert.equal(replica.rows('transactions').length, written.size)
  assert.equal(replica.tables['accounts']!.get(account)!['balance'], -written.size)
  await djinn.verify()
})
