// Real requests on a real database that is in trouble: the advice names what is wrong, and is clear again once it is put right.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { adviceOf, type Advice } from '../../src/app/advice.ts'
import { limits } from '../../src/values/limits.ts'
import pg from 'pg'
import { withClient } from '../cluster.ts'
import { open, type Djinn, type Person } from '../harness.ts'

const rows = 60_000
const executable = fileURLToPath(new URL('../../bin/djinn.js', import.meta.url))

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

async function adviceBy(djinn: Djinn): Promise<Record<string, Advice>> {
  const { advice } = await adviceOf(djinn.resources.directDatabase)
  return Object.fromEntries(advice.map((one) => [one.trigger, one]))
}

/** By the command, which knows nothing but the database. */
async function adviceApart({ adminUrl }: Djinn): Promise<Advice[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [executable, 'advise', '--json'], {
    env: { PATH: process.env['PATH'], LOG_LEVEL: 'silent', DATABASE_URL: adminUrl },
  })
  return (JSON.parse(stdout) as { advice: Advice[] }).advice
}

/** As many rounds of watching as lie between two looks at the costly part. */
async function minute(djinn: Djinn) {
  for (let round = 0; round < limits.watchSlowRounds; round++) await djinn.resources.watch.look()
}

test('an index that is missing behind a running service is the cheaper fix, and clears the advice when it is back', async () => {
  await using djinn = await open()
  const person = await djinn.person()
  await fill(djinn, person)
  const lists = async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, nth) =>
        person.get(`/api/transactions?limit=20&from=2021-01-${String((nth % 28) + 1).padStart(2, '0')}`),
      ),
    )
    assert.ok(answers.every(({ status }) => status === 200))
  }
  await minute(djinn)
  const before = await adviceBy(djinn)
  assert.equal(before['redis-p95']!.cheaperFix, null)

  const [kept] = await djinn.sql<{ definition: string }>(`select pg_get_indexdef('transactions_by_date'::regclass) as definition`)
  await djinn.sql('drop index transactions_by_date')
  await minute(djinn)
  await lists()
  await lists()
  await minute(djinn)
  const during = await adviceBy(djinn)
  for (const trigger of ['redis-p95', 'horizontal-p95']) {
    const { verdict, value, threshold, cheaperFix } = during[trigger]!
    assert.equal(verdict, 'now', `${trigger}: ${value} of ${threshold}`)
    assert.match(cheaperFix!, /^make the missing index transactions_by_date on transactions again: create index transactions_by_date on /)
  }
  const apart = await adviceApart(djinn)
  assert.deepEqual(
    apart.filter(({ trigger }) => trigger.endsWith('p95')),
    [during['redis-p95'], during['horizontal-p95']],
    'a process of its own says the same',
  )
  assert.equal(during['redis-durable-cache']!.cheaperFix, null, 'what an index has nothing to do with is not told of it')

  await djinn.sql(kept!.definition)
  const cleared = await adviceBy(djinn)
  for (const trigger of ['redis-p95', 'horizontal-p95']) {
    const { verdict, value, cheaperFix } = cleared[trigger]!
    assert.deepEqual([verdict, value, cheaperFix], ['not yet', null, null], 'what was slow for want of it says nothing of this server')
  }
  await lists()
  await minute(djinn)
  assert.ok(Object.values(await adviceBy(djinn)).every(({ cheaperFix }) => cheaperFix === null || !cheaperFix.includes('missing')))
})

test('a request that was ended for taking too long trips the queue, and the operation is named', async () => {
  await using djinn = await open()
  const person = await djinn.person()
  await minute(djinn)
  const holder = new pg.Client({ connectionString: djinn.adminUrl })
  await holder.connect()
  try {
    await holder.query('begin')
    await holder.query('lock table accounts in access exclusive mode')
    const { status, body } = await person.get('/api/accounts')
    assert.deepEqual([status, body.code], [503, 'timeout'])
    await holder.query('rollback')
  } finally {
    await holder.end()
  }
  await minute(djinn)
  const advice = await adviceBy(djinn)
  assert.deepEqual([advice['queue-timeouts']!.value, advice['queue-timeouts']!.verdict], [1, 'now'])
  const { verdict, value, cheaperFix } = advice['queue-long-operations']!
  assert.equal(verdict, value! > 5 ? 'now' : 'soon', 'a statement may take 5 s')
  assert.match(cheaperFix!, /^make accounts\.list shorter or smaller: its longest call took \d\.\d s$/)
})
