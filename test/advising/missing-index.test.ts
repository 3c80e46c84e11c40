// Real load on a real database that lacks an index: the advice names it, and is clear again once it is back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adviceOf } from '../../src/app/advice.ts'
import { withClient } from '../cluster.ts'
import { open, type Djinn, type Person } from '../harness.ts'

const rows = 60_000

async function fill(djinn: Djinn, person: Person) {
  const accountId = await person.account()
  await withClient(djinn.adminUrl, async (client) => {
    // The books do not matter here, and would take longer than the rows.
    await client.query('set session_replication_role = replica')
    await client.query(
      `insert into transactions (household_id, id, account_id, date, amount, currency, revision, payee)
       select $1, gen_random_uuid(), $2, date '2026-01-01' - (n % 2000), -100 - n % 500, 'EUR', 1, 'Shop ' || n % 100
       from generate_series(1, $3) n`,
      [person.householdId, accountId, rows],
    )
    await client.query('analyze')
  })
}

test('an index that is missing behind a running service is the cheaper fix, and clears the advice when it is back', async () => {
  await using djinn = await open()
  const { watch, directDatabase } = djinn.resources
  const person = await djinn.person()
  await fill(djinn, person)
  const advice = async () => {
    const { advice: all } = await adviceOf(directDatabase)
    return Object.fromEntries(all.map((one) => [one.trigger, one]))
  }
  /** As many rounds of watching as lie between two looks at the costly part. */
  const minute = async () => {
    for (let round = 0; round < 6; round++) await watch.look()
  }
  const lists = async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, nth) =>
        person.get(`/api/transactions?limit=20&from=2021-01-${String((nth % 28) + 1).padStart(2, '0')}`),
      ),
    )
    assert.ok(answers.every(({ status }) => status === 200))
  }
  await minute()
  const before = await advice()
  assert.equal(before['redis-p95']!.cheaperFix, null)

  const [kept] = await djinn.sql<{ definition: string }>(`select pg_get_indexdef('transactions_by_date'::regclass) as definition`)
  await djinn.sql('drop index transactions_by_date')
  await minute()
  await lists()
  await lists()
  await minute()
  const during = await advice()
  for (const trigger of ['redis-p95', 'horizontal-p95']) {
    const { verdict, value, threshold, cheaperFix } = during[trigger]!
    assert.equal(verdict, 'now', `${trigger}: ${value} of ${threshold}`)
    assert.match(cheaperFix!, /^make the missing index transactions_by_date on transactions again: create index transactions_by_date on /)
  }
  assert.equal(during['redis-durable-cache']!.cheaperFix, null, 'what an index has nothing to do with is not told of it')

  await djinn.sql(kept!.definition)
  const cleared = await advice()
  for (const trigger of ['redis-p95', 'horizontal-p95']) {
    const { verdict, value, cheaperFix } = cleared[trigger]!
    assert.deepEqual([verdict, value, cheaperFix], ['not yet', null, null], 'what was slow for want of it says nothing of this server')
  }
  await lists()
  await minute()
  assert.ok(Object.values(await advice()).every(({ cheaperFix }) => cheaperFix === null || !cheaperFix.includes('missing')))
})
