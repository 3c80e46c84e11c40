// How much a report reads: never a scan of history, and less than 2,000 rows of a household of 50,000 transactions.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { withClient } from '../cluster.ts'
import { declaredStatements } from '../../src/resources/statement.ts'
import { readingScope } from '../../src/resources/scope.ts'
import { open, type Person } from '../harness.ts'
import { fillLargeHousehold, fillRates } from './large-household.ts'

const rowsMax = 2_000

const djinn = await open()
after(() => djinn.close())

let ana: Person
let account: string
/** The household's months, the first one whole. */
let months: string[]
let today: string

before(async () => {
  ana = await djinn.person()
  const [now] = await djinn.sql<{ today: string; first: string }>(
    `select current_date::text as today, (date_trunc('month', current_date) - interval '60 months')::date::text as first`,
  )
  today = now!.today
  await fillLargeHousehold(djinn, ana, now!.first)
  await fillRates(djinn, now!.first, today)
  const known = await djinn.sql<{ month: string }>(
    `select distinct to_char(month, 'YYYY-MM') as month from account_months where household_id = $1 order by 1`,
    [ana.householdId],
  )
  months = known.map((row) => row.month)
  const [busiest] = await djinn.sql<{ id: string }>(
    'select account_id as id from transactions where household_id = $1 group by 1 order by count(*) desc limit 1',
    [ana.householdId],
  )
  account = busiest!.id
})

type Node = { 'Node Type': string; 'Relation Name'?: string; Plans?: Node[] }
type Ran = { name: string; values: unknown[] }

/** The statements that a request sends, with their values. */
async function sentBy(path: string): Promise<Ran[]> {
  const sent: Ran[] = []
  const pool = Object.getPrototypeOf(djinn.resources.database)
  const original = pool.readTogether
  pool.readTogether = function (
    scope: object,
    reads: { statement: { name: string; order: string[] }; parameters: Record<string, unknown> }[],
    options: object,
  ) {
    for (const { statement, parameters } of reads) {
      if (/^(reports|rates)\./.test(statement.name))
        sent.push({ name: statement.name, values: statement.order.map((name) => parameters[name]) })
    }
    return original.call(this, scope, reads, options)
  }
  try {
    const reply = await ana.get(path)
    assert.equal(reply.status, 200, reply.text)
    assert.deepEqual(reply.body.unconverted, [], 'every rate is there')
  } finally {
    pool.readTogether = original
  }
  assert.ok(sent.length >= 1 && sent.length <= 2, `${path} sends ${sent.length} statements`)
  return sent
}

/** Rows that one statement reads from tables and indexes, as PostgreSQL itself counts them, and the tables that its plan scans. */
async function readBy({ name, values }: Ran, mode: string): Promise<{ rows: number; scanned: string[] }> {
  return await withClient(djinn.resources.config.databaseUrl!, async (client) => {
    const scope = readingScope({ household: ana.householdId, user: ana.userId })
    await client.query('begin read only')
    await client.query(scope.text, scope.values)
    await client.query(`set local plan_cache_mode = ${mode}`)
    const { text } = declaredStatements().get(name)!
    const plan = await client.query({ text: `explain (analyze, format json) ${text}`, values, name: 'explained' })
    const { rows } = await client.query<{ rows: number }>(
      `select sum(case c.relkind when 'i' then pg_stat_get_xact_tuples_returned(c.oid)
         else greatest(pg_stat_get_xact_tuples_returned(c.oid), 0) end)::int as rows
       from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'i')`,
    )
    await client.query('commit')
    const scanned: string[] = []
    const walk = (node: Node) => {
      if (node['Node Type'] === 'Seq Scan') scanned.push(node['Relation Name']!)
      node.Plans?.forEach(walk)
    }
    walk(plan.rows[0]['QUERY PLAN'][0].Plan)
    return { rows: rows[0]!.rows, scanned }
  })
}

const at = (month: string, day: string) => `${month}-${day}`

/** Each report as asked for by default, at its longest and at its edges. */
const reports: Record<string, () => string> = {
  'spending of 12 months': () => '/api/reports/spending',
  'spending of 24 months': () => `/api/reports/spending?from=${months[36]}&to=${months[59]}&by=category`,
  'income of the first 24 months': () => `/api/reports/spending?from=${months[0]}&to=${months[23]}&kind=income`,
  'spending of an account in 24 months': () => `/api/reports/spending?from=${months[36]}&to=${months[59]}&account=${account}`,
  'cash flow of 12 months': () => '/api/reports/cash-flow',
  'cash flow of 24 months': () => `/api/reports/cash-flow?from=${months[36]}&to=${months[59]}`,
  'net worth of 12 months': () => '/api/reports/net-worth',
  'net worth of 60 months': () => `/api/reports/net-worth?from=${months[0]}&to=${months[59]}`,
  'net worth of one month long ago': () => `/api/reports/net-worth?from=${months[0]}&to=${months[0]}`,
  'balances today': () => '/api/reports/balance',
  'balances in the middle of a month': () => `/api/reports/balance?date=${at(months[30]!, '15')}`,
  'balances behind the middle of a month': () => `/api/reports/balance?date=${at(months[30]!, '16')}`,
  'balances today as known today': () => `/api/reports/balance?knownAt=${today}T00:00:00Z`,
  'balances of the past as known in the middle of a month': () =>
    `/api/reports/balance?date=${at(months[30]!, '15')}&knownAt=${at(months.at(-2)!, '15')}T23:59:59Z`,
  'balances of the past as known behind the middle of a month': () =>
    `/api/reports/balance?date=${at(months[30]!, '16')}&knownAt=${at(months.at(-2)!, '16')}T00:00:00Z`,
  'balances of the past as known then': () =>
    `/api/reports/balance?date=${at(months[30]!, '15')}&knownAt=${at(months[30]!, '15')}T12:00:00Z`,
}

for (const [name, path] of Object.entries(reports)) {
  test(`${name}: less than ${rowsMax} rows, none of them a transaction, and no table of size is scanned`, async (t) => {
    const counts: number[] = []
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      let rows = 0
      for (const ran of await sentBy(path())) {
        const read = await readBy(ran, mode)
        rows += read.rows
        // The household has a page of accounts and of categories, which PostgreSQL reads as they lie.
        assert.deepEqual(
          read.scanned.filter((table) => !['accounts', 'categories'].includes(table)),
          [],
          `${ran.name} with ${mode}`,
        )
      }
      counts.push(rows)
    }
    t.diagnostic(`${Math.max(...counts)} rows`)
    assert.ok(Math.max(...counts) < rowsMax, `${name} reads ${counts.join(' or ')} rows`)
  })
}

test('the rollups of this household are what its transactions say', async () => {
  const [count] = await djinn.sql<{ count: number }>('select count(*)::int as count from transactions where household_id = $1', [
    ana.householdId,
  ])
  assert.equal(count!.count, 50_000)
  await djinn.verify()
})
