// djinn seed: made-up households that hold every promise of the books, as if each row had been written by the service.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { openProgress } from '../src/app/seeding/progress.ts'
import { brokenReferences } from './database/references.ts'
import { makePerson, open, type Djinn, type Person } from './harness.ts'
import { assertEqualsLists, Replica } from './routes/replica.ts'

const folder = mkdtempSync(join(tmpdir(), 'djinn-seed-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function start(url: string, args: (string | number)[], environment: Record<string, string> = {}) {
  return spawn(process.execPath, [fileURLToPath(new URL('../bin/djinn.js', import.meta.url)), 'seed', ...args.map(String)], {
    env: { PATH: process.env['PATH'], DATABASE_URL: url, LOG_LEVEL: 'silent', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function seed(url: string, args: (string | number)[], environment: Record<string, string> = {}) {
  const child = start(url, args, environment)
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number]>])
  return { out: out.trim(), errors: errors.trim(), code }
}

/** What the seed made, but for the salts of the trail. */
async function contentOf(djinn: Djinn): Promise<Record<string, string>> {
  const told: Record<string, string> = {}
  for (const [table, key] of [
    ['users', '(t.id, t.email, t.display_name)'],
    ['households', '(t.household_id, t.name, t.base_currency, t.time_zone, t.revision)'],
    ['memberships', '(t.household_id, t.user_id, t.role)'],
    ['accounts', `to_jsonb(t) - '{created_at,updated_at}'::text[]`],
    ['categories', `to_jsonb(t) - '{created_at,updated_at}'::text[]`],
    ['transactions', `to_jsonb(t) - '{created_at,updated_at}'::text[]`],
    ['category_totals', 't'],
    ['monthly_totals', 't'],
    ['replica_digests', 't'],
  ] as const) {
    const [row] = await djinn.sql<{ digest: string }>(
      `select md5(string_agg(x, '' order by x)) as digest from (select (${key})::text as x from ${table} t) r`,
    )
    told[table] = row!.digest
  }
  return told
}

async function countOf(djinn: Djinn, table: string): Promise<number> {
  return Number((await djinn.sql<{ count: string }>(`select count(*) from ${table}`))[0]!.count)
}

async function indexesOf(djinn: Djinn): Promise<string[]> {
  return (await djinn.sql<{ indexdef: string }>(`select indexdef from pg_indexes where schemaname = 'public' order by 1`)).map(
    ({ indexdef }) => indexdef,
  )
}

/** Makes a run wait at a batch until it is released. */
async function holdBatch(own: Djinn, number: number, batch: number) {
  const client = new pg.Client({ connectionString: own.adminUrl })
  await client.connect()
  await openProgress(client)
  await client.query(`begin; set local session_replication_role = replica`)
  await client.query('insert into seed.batches (seed, number, transactions) values ($1, $2, 0)', [number, batch])
  const waiting = `select from pg_stat_activity where datname = current_database() and application_name = 'djinn seed' and wait_event_type = 'Lock'`
  return {
    reached: async (child: ChildProcess) => {
      while ((await own.sql(waiting)).length === 0) {
        assert.equal(child.exitCode, null, 'the run waits before its end')
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    release: async () => {
      await client.query('rollback')
      await client.end()
    },
  }
}

/** A role of the cluster for one test. */
async function loginOf(own: Djinn, noun: string) {
  const name = `${noun}_${Math.random().toString(36).slice(2, 10)}`
  await own.sql(`create role ${name} login password 'a-password-of-tests'`)
  const url = new URL(own.adminUrl)
  ;[url.username, url.password] = [name, 'a-password-of-tests']
  return {
    name,
    url: url.href,
    [Symbol.asyncDispose]: async () => {
      await own.sql(`drop owned by ${name} cascade`)
      await own.sql(`drop role ${name}`)
    },
  }
}

const small = ['--users', 300, '--transactions', 50, '--json']
const djinn = await open()
after(() => djinn.close())
const sessions = join(folder, 'sessions.jsonl')
const indexesBefore = await indexesOf(djinn)
const made = await seed(djinn.adminUrl, [...small, '--sessions', sessions, '--indexes', 'rebuild'])
assert.equal(made.code, 0, made.errors)
const people: Person[] = readFileSync(sessions, 'utf8')
  .trim()
  .split('\n')
  .map((line) => {
    const { accessToken, userId, householdId } = JSON.parse(line) as Pick<Person, 'accessToken' | 'userId' | 'householdId'>
    return makePerson(djinn.call, { accessToken, userId, householdId, email: '', password: '', refreshToken: '' })
  })

test('the rows are as many as asked for, every promise and every foreign key holds, and the indexes are what they were', async () => {
  const report = JSON.parse(made.out)
  assert.deepEqual([report.transactions, report.transactionsWritten, report.complete, report.takenUp], [15_000, 15_000, true, false])
  assert.deepEqual(
    [await countOf(djinn, 'transactions'), await countOf(djinn, 'users'), await countOf(djinn, 'households')],
    [15_000, 300, 300],
  )
  await djinn.verify()
  assert.deepEqual(await brokenReferences(djinn), [])
  assert.deepEqual(await indexesOf(djinn), indexesBefore)
  assert.equal(await countOf(djinn, 'seed.indexes'), 0)
  assert.equal(report.rowsWritten, await writtenRows())
})

async function writtenRows(): Promise<number> {
  let sum = 0
  for (const table of [
    'users',
    'households',
    'revisions',
    'journal',
    'memberships',
    'accounts',
    'categories',
    'transfers',
    'transactions',
    'splits',
  ]) {
    sum += await countOf(djinn, table)
  }
  for (const table of ['monthly_totals', 'category_totals', 'account_months', 'balance_changes', 'balance_months', 'replica_digests']) {
    sum += await countOf(djinn, table)
  }
  return sum
}

test('most households are small, and the rows are of every sort', async () => {
  const sizes = (await djinn.sql<{ size: string }>('select count(*) as size from transactions group by household_id order by 1')).map(
    ({ size }) => Number(size),
  )
  assert.ok(sizes[Math.floor(sizes.length / 2)]! < 35, 'half of them have less than the mean')
  assert.ok(sizes.at(-1)! > 250, 'some have many')
  const [row] = await djinn.sql<Record<string, number>>(`
    select (count(*) filter (where transfer_id is not null))::int as legs, (count(*) filter (where splits is not null))::int as splits,
      (count(*) filter (where status = 'pending'))::int as pending, (count(*) filter (where category_id is null))::int as bare,
      (count(distinct currency))::int as currencies, (count(*) filter (where date > current_date + 1))::int as future,
      (count(*) filter (where status = 'pending' and date < current_date - 4))::int as stale from transactions`)
  const { legs, splits, pending, currencies, future, stale } = row!
  assert.ok(legs! > 500 && legs! < 1_000, `${legs} legs of transfers are about 5 %`)
  assert.ok(splits! > 300 && splits! < 600, `${splits} rows with splits are about 3 %`)
  assert.ok(pending! > 50 && currencies! >= 4, `${pending} pending, ${currencies} currencies`)
  assert.deepEqual([future, stale], [0, 0], 'history ends today, and only its end is pending')
  const accounts = await djinn.sql<{ least: number; most: number }>(
    'select min(n)::int as least, max(n)::int as most from (select count(*) as n from accounts group by household_id) a',
  )
  assert.deepEqual(accounts, [{ least: 2, most: 6 }])
  const [shared] = await djinn.sql<{ count: number }>(`select count(*)::int as count from memberships where role <> 'owner'`)
  assert.ok(shared!.count > 3 && shared!.count < 30, `${shared!.count} are members of another household`)
})

test('the file of sessions is for its owner alone, and its tokens act as the users they name', async () => {
  assert.equal(statSync(sessions).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(folder), ['sessions.jsonl'])
  assert.equal(people.length, 300)
  const ana = people[7]!
  const me = await ana.get('/api/me')
  assert.deepEqual([me.status, me.body.id, me.body.email], [200, ana.userId, 'user8@seed.example'])
  assert.equal((await ana.get(`/api/households/${ana.householdId}`)).status, 200)
  const stored = await djinn.sql(`select from sessions where position($1 in encode(access_hash, 'escape')) > 0`, [ana.accessToken])
  assert.deepEqual(stored, [])
  const signedIn = await djinn.call('POST', '/api/auth/login', { body: { email: 'user8@seed.example', password: 'a field full of seeds' } })
  assert.equal(signedIn.status, 200, signedIn.text)
})

test('a phone that pulls a seeded household, or two that are shared, has what the lists say', async () => {
  const [member] = await djinn.sql<{ user_id: string }>(`select user_id from memberships where role <> 'owner' order by 1 limit 1`)
  for (const person of [people[0]!, people.find(({ userId }) => userId === member!.user_id)!]) {
    const replica = new Replica()
    await replica.pull(person)
    await assertEqualsLists(replica, person)
  }
})

test('a seeded household is written to like any other', async () => {
  const ana = people[3]!
  const { body: accounts } = await ana.get('/api/accounts')
  const draft = { accountId: accounts.data[0].id, date: '2026-02-28', amount: -999, payee: 'Kiosk' }
  const created = await ana.post('/api/transactions', draft)
  assert.equal(created.status, 201, created.text)
  const { body: transactions } = await ana.get('/api/transactions?limit=100')
  for (const row of transactions.data.filter(({ transfer, splits }: Record<string, unknown>) => !transfer && !splits).slice(0, 5)) {
    assert.equal((await ana.patch(`/api/transactions/${row.id}`, { amount: row.amount - 1, note: 'changed' })).status, 200)
  }
  const { body: transfers } = await ana.get('/api/transfers')
  if (transfers.data.length > 0) assert.equal((await ana.delete(`/api/transfers/${transfers.data[0].id}`)).status, 204)
  assert.equal((await ana.patch(`/api/accounts/${accounts.data[0].id}`, { openingBalance: 5 })).status, 200)
  assert.equal((await ana.get('/api/reports/spending')).status, 200)
  await djinn.verify()
})

test('the document of a seeded household goes into an empty one and comes out the same', async () => {
  const exportOf = async (person: Person) => (await person.post('/api/exports', { kind: 'household' })).text
  const before = await exportOf(people[5]!)
  const ben = await djinn.person()
  const restored = await ben.upload('/api/imports?format=djinn', before)
  assert.equal(restored.status, 201, restored.text)
  assert.equal(await exportOf(ben), before)
  await djinn.verify()
})

test('a database with users of its own is left alone unless told otherwise, and other numbers want another seed', async () => {
  const refused = await seed(djinn.adminUrl, small)
  assert.deepEqual([refused.code, refused.errors], [1, 'djinn: the database has users of its own; --beside-others seeds beside them'])
  const differing = await seed(djinn.adminUrl, ['--users', 301, '--transactions', 50, '--beside-others'])
  assert.equal(differing.code, 1)
  assert.match(differing.errors, /seed 1 was begun with --users 300 --transactions 50/)
  const again = await seed(djinn.adminUrl, [...small, '--beside-others'])
  assert.deepEqual([again.code, JSON.parse(again.out).transactionsWritten, JSON.parse(again.out).takenUp], [0, 0, true])
  const beside = await seed(djinn.adminUrl, ['--users', 20, '--transactions', 10, '--seed', 2, '--beside-others', '--json'])
  assert.equal(beside.code, 0, beside.errors)
  assert.equal(JSON.parse(beside.out).transactionsWritten, 200)
  await djinn.verify()
})

test('production, a login without the rights and numbers out of range are refused before anything is written', async () => {
  const production = await seed(djinn.adminUrl, small, { NODE_ENV: 'production' })
  assert.deepEqual([production.code, production.errors], [1, 'djinn: NODE_ENV is production; --into-production seeds all the same'])
  await using login = await loginOf(djinn, 'seedless')
  const { code, errors } = await seed(login.url, small)
  assert.equal(code, 1)
  assert.match(errors, /grant set on parameter session_replication_role to "seedless_\w+"\n {2}alter role "seedless_\w+" bypassrls/)
  for (const args of [
    ['--users', 0, '--transactions', 1],
    ['--users', 5, '--transactions', 'many'],
    ['--users', 5],
  ]) {
    assert.equal((await seed(djinn.adminUrl, args)).code, 1)
  }
  const dry = await seed(djinn.adminUrl, ['--users', 100_000, '--transactions', 200, '--dry-run', '--json'])
  const facts = JSON.parse(dry.out)
  assert.deepEqual([facts.transactions, facts.largest, facts.largeHouseholds], [20_000_000, 50_000, 20])
  assert.ok(facts.median < 120 && facts.bytes > 10e9)
})

test('a login that is no superuser seeds with the rights that are named', async () => {
  await using own = await open()
  await using login = await loginOf(own, 'seeder')
  const [{ owner, database }] = (await own.sql(`select current_user as owner, current_database() as database`)) as [Record<string, string>]
  await own.sql(`grant ${owner} to ${login.name}`)
  await own.sql(`alter role ${login.name} bypassrls`)
  await own.sql(`grant set on parameter session_replication_role to ${login.name}`)
  await own.sql(`grant create on database ${database} to ${login.name}`)
  const { code, errors } = await seed(login.url, ['--users', 20, '--transactions', 10, '--indexes', 'rebuild', '--json'])
  assert.equal(code, 0, errors)
  assert.equal(await countOf(own, 'transactions'), 200)
  assert.deepEqual(await indexesOf(own), indexesBefore)
  await own.verify()
})

test('the same seed makes the same rows, and a run that was killed goes on to them, indexes and all', async () => {
  await using whole = await open()
  await using cut = await open()
  const args = ['--users', 600, '--transactions', 30, '--seed', 5, '--json', '--jobs', 1]
  const straight = await seed(whole.adminUrl, args)
  assert.equal(straight.code, 0, straight.errors)
  const held = await holdBatch(cut, 5, 1)
  const child = start(cut.adminUrl, [...args, '--indexes', 'rebuild'])
  const ended = once(child, 'exit')
  await held.reached(child)
  child.kill('SIGKILL')
  await ended
  await held.release()
  const there = await countOf(cut, 'transactions')
  assert.ok(there > 0 && there < 18_000, `${there} rows are there`)
  assert.ok((await countOf(cut, 'seed.indexes')) > 0)
  for (const verb of ['migrate', 'verify']) {
    const refused = spawn(process.execPath, [fileURLToPath(new URL('../bin/djinn.js', import.meta.url)), verb], {
      env: { PATH: process.env['PATH'], DATABASE_URL: cut.adminUrl },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    assert.match(await text(refused.stderr), /djinn seed has taken \d+ indexes away and not put them back yet/, verb)
  }
  const resumed = await seed(cut.adminUrl, args)
  assert.equal(resumed.code, 0, resumed.errors)
  const { transactions, transactionsWritten, takenUp } = JSON.parse(resumed.out)
  assert.deepEqual([transactions, takenUp, await countOf(cut, 'transactions')], [18_000, true, 18_000])
  assert.ok(transactionsWritten < 18_000)
  assert.deepEqual(await contentOf(cut), await contentOf(whole))
  assert.deepEqual(await indexesOf(cut), indexesBefore)
  await cut.verify()
  await whole.verify()
  assert.deepEqual(await brokenReferences(cut), [])
})

test('a signal ends a run after the batch that is being written, with its indexes in place', async () => {
  await using own = await open()
  const args = ['--users', 600, '--transactions', 30, '--json', '--jobs', 1]
  const held = await holdBatch(own, 1, 1)
  const child = start(own.adminUrl, [...args, '--indexes', 'rebuild'])
  const out = text(child.stdout)
  await held.reached(child)
  child.kill('SIGINT')
  await once(child.stderr, 'data')
  await held.release()
  const [code] = (await once(child, 'exit')) as [number]
  const report = JSON.parse(await out)
  assert.deepEqual([code, report.complete, report.transactions], [130, false, await countOf(own, 'transactions')])
  assert.deepEqual(await indexesOf(own), indexesBefore)
  await own.verify()
  assert.equal((await seed(own.adminUrl, args)).code, 0)
  assert.equal(await countOf(own, 'transactions'), 18_000)
})
