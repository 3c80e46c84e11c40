// What keeps households apart, read from PostgreSQL's own catalog and tried as the app's role.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { withClient } from '../cluster.ts'
import { open, type Person } from '../harness.ts'
import { push, row as pushedRow } from '../routes/feed-pushes.ts'
import { asRole, refusalOf } from './app-role.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
let ben: Person
let tables: string[]

const listTables = async () =>
  (
    await djinn.sql<{ name: string }>(
      `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'household_id'
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1`,
    )
  ).map((row) => row.name)

before(async () => {
  tables = await listTables()
  ana = await djinn.person()
  ben = await djinn.person()
  for (const person of [ana, ben]) {
    const account = await person.account()
    const other = await person.account({ name: 'Savings' })
    const splits = [{ amount: -60 }, { amount: -40 }]
    await person.post('/api/transactions', { accountId: account, date: '2026-02-28', amount: -100, splits })
    await person.post('/api/transfers', { fromAccountId: account, toAccountId: other, date: '2026-02-28', amount: 5 })
    await person.upload(`/api/imports?accountId=${account}`, 'Date;Amount;Payee\n2026-02-27;-3.50;Bakery\n')
    await person.post(`/api/households/${person.householdId}/invitations`, { role: 'viewer' })
    const bill = {
      payee: 'Rent',
      amountMin: -100,
      amountMax: -100,
      reminderDays: [1],
      schedule: { startsOn: '2026-02-28', rule: 'FREQ=MONTHLY' },
    }
    const { body } = await person.post('/api/bills', bill)
    const { data } = (await person.get('/api/transactions')).body
    const day = (await person.get(`/api/bills/${body.id}/occurrences`)).body.data[0].date
    const payments = `/api/bills/${body.id}/occurrences/${day}/payments`
    for (const { id } of data.slice(0, 2)) await person.post(payments, { transactionId: id })
    await person.delete(`${payments}/${data[0].id}`)
    const conditions = [{ field: 'payee', operator: 'is', value: 'Bakery' }]
    await person.post('/api/transactions', { accountId: account, date: '2026-02-28', amount: -1, payee: 'Bakery' })
    await person.post('/api/rules', { name: 'Bread', match: 'all', conditions, actions: { note: 'Bread' } })
    await person.post('/api/rules/run', {})
    const food = (await person.get('/api/categories?limit=100')).body.data.find((row: { kind: string }) => row.kind === 'expense')
    await person.post('/api/transactions', { accountId: account, date: '2026-02-28', amount: -100, categoryId: food.id })
    await person.post('/api/budgets', { categoryId: food.id, amount: 100, period: 'monthly', startsOn: '2026-01-01' })
    const { body: feed } = await person.post('/api/feeds', { accountId: account, name: 'Bank' })
    await push(djinn, feed, [pushedRow('a')])
    await djinn.sql(`select tell_members($1, 'billReminder', 'bill', '{}', null)`, [person.householdId])
  }
  await djinn.sql('insert into restores (household_id, id, transactions) select household_id, household_id, 0 from households')
  await djinn.sql('insert into deliveries (household_id, notification_id, device_id) select household_id, id, id from notifications')
})

test('every household table has household_id first in its primary key', async () => {
  const keys = await djinn.sql<{ name: string; first: string }>(
    `select c.relname as name, a.attname as first from pg_index i join pg_class c on c.oid = i.indrelid
     join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
     where i.indisprimary and c.relname = any($1) order by 1`,
    [tables],
  )
  assert.ok(tables.length >= 12, `only ${tables.join(', ')}`)
  assert.deepEqual(
    keys,
    tables.map((name) => ({ name, first: 'household_id' })),
  )
})

test('a table that hangs on a household table is one itself', async () => {
  const loose = await djinn.sql(
    `select c.conrelid::regclass::text as table, c.conname from pg_constraint c
     where c.contype = 'f' and c.confrelid::regclass::text = any($1) and not c.conrelid::regclass::text = any($1)`,
    [tables],
  )
  assert.deepEqual(loose, [])
})

test('every household table forces row-level security, with a policy for each role that may use it', async () => {
  const rows = await djinn.sql<{ name: string; guarded: boolean; policies: string[] }>(
    `select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as guarded,
       array(select p.polname || ' ' || (select string_agg(r::regrole::text, ',') from unnest(p.polroles) r) || ' ' || p.polcmd::text
             from pg_policy p where p.polrelid = c.oid order by 1) as policies
     from pg_class c where c.relname = any($1) and c.relkind = 'r' order by 1`,
    [tables],
  )
  assert.deepEqual(
    rows,
    tables.map((name) => ({
      name,
      guarded: true,
      policies: [
        'keeper djinn_keeper *',
        // Before a household is chosen, a user finds the own ones.
        ...(['households', 'memberships'].includes(name) ? ['own djinn_app r'] : []),
        'tenant djinn_app *',
      ],
    })),
  )
})

test('every foreign key between household tables carries household_id', async () => {
  const keys = await djinn.sql<{ key: string; carries: boolean }>(
    `select c.conrelid::regclass || '.' || c.conname as key,
       exists (select from unnest(c.conkey, c.confkey) k (own, other)
         join pg_attribute o on o.attrelid = c.conrelid and o.attnum = k.own and o.attname = 'household_id'
         join pg_attribute f on f.attrelid = c.confrelid and f.attnum = k.other and f.attname = 'household_id') as carries
     from pg_constraint c where c.contype = 'f' and c.conrelid::regclass::text = any($1) and c.confrelid::regclass::text = any($1)`,
    [tables],
  )
  assert.ok(keys.length >= 12, `only ${keys.length} keys`)
  assert.deepEqual(
    keys.filter((key) => !key.carries),
    [],
  )
})

test('the roles have no power over the cluster, and the login inherits none', async () => {
  const roles = await djinn.sql(
    `select rolname, rolcanlogin as login, rolinherit as inherit, rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls as power
     from pg_roles where rolname like 'djinn\\_%' order by 1`,
  )
  assert.deepEqual(roles, [
    { rolname: 'djinn_api', login: true, inherit: false, power: false },
    { rolname: 'djinn_app', login: false, inherit: false, power: false },
    { rolname: 'djinn_keeper', login: false, inherit: false, power: false },
  ])
  const memberships = await djinn.sql(
    `select roleid::regrole::text as role, member::regrole::text as member, inherit_option as inherit, admin_option as admin
     from pg_auth_members where member::regrole::text like 'djinn\\_%' order by 1`,
  )
  assert.deepEqual(memberships, [
    { role: 'djinn_app', member: 'djinn_api', inherit: false, admin: false },
    // What PostgreSQL counts of itself, of everybody's statements; no data of any table.
    { role: 'pg_read_all_settings', member: 'djinn_keeper', inherit: true, admin: false },
    { role: 'pg_read_all_stats', member: 'djinn_keeper', inherit: true, admin: false },
  ])
  const owned = await djinn.sql(`select relname from pg_class where relowner::regrole::text like 'djinn\\_%'`)
  assert.deepEqual(owned, [], 'they own no table')
})

test('the login reads and writes nothing before it takes a role', async () => {
  await withClient(djinn.resources.config.databaseUrl!, async (client) => {
    for (const table of [...tables, 'users', 'sessions', 'idempotency_keys', 'installation']) {
      const refusal = await refusalOf(client.query(`select from ${table} limit 1`))
      assert.equal(refusal?.code, '42501', table)
    }
    assert.equal((await refusalOf(client.query('delete from users')))?.code, '42501')
  })
})

test('the app changes no schema', async () => {
  const orders = [
    'create table mine (id int)',
    'create view mine as select 1',
    'create function mine() returns int language sql return 1',
    'create schema mine',
    'alter table accounts add column mine int',
    'alter table accounts disable trigger all',
    'alter table accounts disable row level security',
    'drop policy tenant on accounts',
    'create policy mine on accounts using (true)',
    'create trigger mine before insert on accounts for each row execute function stamp_row()',
    'create index mine on accounts (name)',
    'drop table accounts',
    'drop function raise_revision(uuid)',
    'alter role djinn_app bypassrls',
    'set session_replication_role = replica',
  ]
  for (const text of orders) {
    const refusal = await refusalOf(asRole(djinn, { household: ana.householdId }, (run) => run(text)))
    assert.equal(refusal?.code, '42501', `${text}: ${refusal?.message ?? 'done'}`)
  }
  // A grant of what one does not hold is answered with a warning only.
  await asRole(djinn, { household: ana.householdId }, (run) => run('grant update on journal to djinn_app, public'))
  const [granted] = await djinn.sql(`select count(*)::int as count from information_schema.table_privileges where
    (grantee = 'PUBLIC' or grantee = 'djinn_app' and table_name = 'journal' and privilege_type <> 'SELECT') and table_schema = 'public' and table_name <> 'migrations'`)
  assert.deepEqual(granted, { count: 0 })
})

test('without a household the app sees no row of any household table', async () => {
  for (const table of tables) {
    const [all] = await djinn.sql<{ count: number }>(`select count(*)::int as count from ${table}`)
    assert.ok(all!.count > 0, `${table} has rows to hide`)
    const [seen] = await asRole(djinn, {}, (run) => run(`select count(*)::int as count from ${table}`))
    assert.deepEqual(seen, { count: 0 }, table)
  }
})

test('with a household the app sees its rows and no others', async () => {
  for (const table of tables) {
    const scope = { household: ana.householdId, user: ana.userId }
    const seen = await asRole(djinn, scope, (run) => run(`select distinct household_id from ${table}`))
    assert.deepEqual(seen, [{ household_id: ana.householdId }], table)
  }
})

test('a user without a household finds the own households and memberships only', async () => {
  for (const table of ['households', 'memberships']) {
    const seen = await asRole(djinn, { user: ben.userId }, (run) => run(`select household_id from ${table}`))
    assert.deepEqual(seen, [{ household_id: ben.householdId }], table)
  }
})

test('the app writes no row of another household, nor without one', async () => {
  const drafts: Record<string, string> = {
    accounts: `(household_id, id, name, kind, currency) values ('${ben.householdId}', '${newId()}', 'Mine', 'cash', 'EUR')`,
    categories: `(household_id, id, name, kind) values ('${ben.householdId}', '${newId()}', 'Mine', 'expense')`,
    transfers: `(household_id, id) values ('${ben.householdId}', '${newId()}')`,
    memberships: `(household_id, user_id, role) values ('${ben.householdId}', '${ana.userId}', 'owner')`,
    import_files: `(household_id, import_id, content) select '${ben.householdId}', '${newId()}', ''`,
    bills: `(household_id, id, payee, currency, amount_min, amount_max, schedule) values ('${ben.householdId}', '${newId()}', 'Mine', 'EUR', 1, 1,
      '{"startsOn":"2026-01-01","rule":"FREQ=DAILY","weekend":"keep"}')`,
    bill_mismatches: `(household_id, transaction_id, bill_id) select household_id, id, id from transactions where household_id = '${ben.householdId}'
      union all select '${ben.householdId}', '${newId()}', '${newId()}'`,
    rules: `(household_id, id, name, position, match, conditions, actions) values ('${ben.householdId}', '${newId()}', 'Mine', 9, 'all',
      '[{"field":"payee","operator":"is","value":"x"}]', '{"note":"x"}')`,
    rule_runs: `(household_id, id) values ('${ben.householdId}', '${newId()}')`,
    households: `(household_id, name, base_currency, time_zone) values ('${newId()}', 'Mine', 'EUR', 'UTC')`,
  }
  const [was] = await djinn.sql('select count(*)::int as count, max(number)::int as number from journal')
  for (const [table, draft] of Object.entries(drafts)) {
    for (const household of [ana.householdId, '']) {
      const refusal = await refusalOf(asRole(djinn, { household, user: ana.userId }, (run) => run(`insert into ${table} ${draft}`)))
      assert.equal(refusal?.code, '42501', `${table}: ${refusal?.message ?? 'done'}`)
    }
  }
  for (const [table, column] of Object.entries({ accounts: 'name', transactions: 'payee', categories: 'name', households: 'name' })) {
    const changed = await asRole(djinn, { household: ana.householdId, user: ana.userId }, (run) =>
      run(`update ${table} set ${column} = 'Mine' where household_id = $1 returning 1`, [ben.householdId]),
    )
    assert.deepEqual(changed, [], table)
  }
  const refusal = await refusalOf(
    asRole(djinn, { household: ana.householdId }, (run) => run('select raise_revision($1)', [ben.householdId])),
  )
  assert.equal(refusal?.code, '42501')
  assert.deepEqual(await djinn.sql('select count(*)::int as count, max(number)::int as number from journal'), [was])
})

test('the app neither changes nor cuts the journal', async () => {
  for (const text of [
    'update journal set actor_id = null',
    'delete from journal',
    'truncate journal',
    'insert into journal select * from journal',
  ]) {
    const refusal = await refusalOf(asRole(djinn, { household: ana.householdId }, (run) => run(text)))
    assert.equal(refusal?.code, '42501', text)
  }
})
