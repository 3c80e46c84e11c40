// Statements that travel together are one transaction and one round trip, whatever travels before and behind them.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import pg from 'pg'
import { travel, type Leg } from '../../src/resources/trip.ts'
import { open } from '../harness.ts'

const djinn = await open()
const client = new pg.Client({ connectionString: djinn.resources.config.databaseUrl!, pipeline: true })
client.on('error', () => {})
await client.connect()
after(() => client.end())

const remember = (value: string): Leg => ({
  name: 'remember',
  text: `select set_config('djinn.household', $1, true) as kept`,
  values: [value],
})
const recall: Leg = { name: 'recall', text: `select current_setting('djinn.household', true) as kept, pg_backend_pid() as pid`, values: [] }
const divide = (by: number): Leg => ({ name: 'divide', text: 'select 12 / $1::int as quotient', values: [by] })
const late = (name: string): Leg => ({ name, text: `select '${name}' as text`, values: [] })
const codeOf = (outcome: PromiseSettledResult<unknown>) =>
  outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'ok'

test('what one leg sets holds in those behind it, and for nobody else', async () => {
  const trips = ['a', 'b', 'c'].map((value) => travel(client, [remember(value), recall]))
  const kept = (await Promise.all(trips)).map(([, rows]) => (rows![0] as { kept: string }).kept)
  assert.deepEqual(kept, ['a', 'b', 'c'])
  const [[behind]] = (await travel(client, [recall])) as [[{ kept: string }]]
  assert.equal(behind.kept, '')
})

test('rows come as objects with values of their types, each leg’s apart, none from a leg that finds none', async () => {
  const text = `select n::int8 as big, n % 2 = 0 as even, case when n > 1 then '{"a": 1}'::jsonb end as json, date '2024-02-29' as day, array['x,y', null] as list
    from generate_series(1, $1::int) n`
  const rows = await travel(client, [
    { name: 'typed', text, values: [2] },
    { name: 'typed', text, values: [0] },
    { text: 'select $1::text as word', values: [`it's "so"`] },
  ])
  const row = { day: '2024-02-29', list: ['x,y', null] }
  assert.deepEqual(rows, [
    [
      { big: 1, even: false, json: null, ...row },
      { big: 2, even: true, json: { a: 1 }, ...row },
    ],
    [],
    [{ word: `it's "so"` }],
  ])
})

test('the first error refuses the trip and undoes what it did; those before and behind it arrive', async () => {
  await travel(client, [{ text: 'create temporary table noted (n int)', values: [] }])
  const note = (n: number): Leg => ({ name: 'note', text: 'insert into noted values ($1) returning n', values: [n] })
  const outcomes = await Promise.allSettled([
    travel(client, [note(1), divide(1)]),
    travel(client, [note(2), divide(0), note(3)]),
    travel(client, [note(4), divide(4)]),
  ])
  assert.deepEqual(outcomes.map(codeOf), ['ok', '22012', 'ok'])
  const [rows] = await travel(client, [{ text: 'select n from noted order by n', values: [] }])
  assert.deepEqual(rows, [{ n: 1 }, { n: 4 }])
})

test('a statement that an error kept from being prepared is prepared by the next trip', async () => {
  const outcomes = await Promise.allSettled([
    travel(client, [divide(0), late('late')]),
    // Sent before the first is answered: it counts on what that one was to prepare.
    travel(client, [divide(3), late('late')]),
  ])
  assert.deepEqual(outcomes.map(codeOf), ['22012', '26000'])
  assert.deepEqual(await travel(client, [divide(3), late('late')]), [[{ quotient: 4 }], [{ text: 'late' }]])
  assert.deepEqual((await client.query({ name: 'late', text: `select 'late' as text` })).rows, [{ text: 'late' }], 'pg knows it too')
})

test('trips and single queries share a connection, each answered its own', async () => {
  const outcomes = await Promise.all([
    client.query({ ...divide(2) }),
    travel(client, [divide(3), remember('x')]),
    client.query('begin'),
    travel(client, [remember('y'), recall]),
    client.query(recall),
    client.query('commit'),
    travel(client, [recall]),
  ])
  assert.equal(outcomes[0].rows[0].quotient, 6)
  assert.deepEqual(outcomes[1], [[{ quotient: 4 }], [{ kept: 'x' }]])
  assert.equal((outcomes[3][1]![0] as { kept: string }).kept, 'y')
  assert.equal(outcomes[4].rows[0].kept, 'y', 'inside of an open transaction it lasts to its end')
  assert.equal((outcomes[6][0]![0] as { kept: string }).kept, '')
})

test('a read whose plan the schema overtook is answered all the same', async () => {
  const ana = await djinn.person()
  await ana.account()
  const list = async () => (await ana.get('/api/accounts?fields=name')).body.data
  assert.deepEqual(await list(), [{ name: 'Current' }])
  await djinn.sql('alter table accounts alter column name type varchar(400)')
  const answers = await Promise.all(Array.from({ length: 20 }, list))
  assert.deepEqual(
    answers,
    Array.from({ length: 20 }, () => [{ name: 'Current' }]),
  )
})

test('a read writes nothing, whatever its statement does', async () => {
  const ana = await djinn.person()
  const { database } = djinn.resources
  const writing = {
    name: 'zz',
    preparedName: 'zz',
    text: `update households set name = 'x' returning name`,
    parameters: {},
    columns: {},
    order: [],
  }
  await assert.rejects(database.reader({ household: ana.householdId, user: ana.userId }).run(writing, {}), { code: '25006' })
})
