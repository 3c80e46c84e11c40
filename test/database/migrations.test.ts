// Migrations: once each, by however many processes, forward only, and never with a changed content.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { listMigrations, migrate } from '../../src/resources/migrations.ts'
import { cloneDatabase, withClient } from '../cluster.ts'
import { cluster } from '../harness.ts'

const running = await cluster()
const shipped = listMigrations().map((migration) => migration.name)

async function fresh(empty = true) {
  const database = await cloneDatabase(running, empty)
  return { ...database, [Symbol.asyncDispose]: async () => void (await database.drop()) }
}

/** A copy of the migrations that a test may change. */
function folder() {
  const path = mkdtempSync(join(tmpdir(), 'djinn-migrations-'))
  cpSync(fileURLToPath(new URL('../../migrations', import.meta.url)), path, { recursive: true })
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

const query = async <T extends object>(url: string, sql: string) =>
  await withClient(url, async (client) => (await client.query<T>(sql)).rows)

/** Every object of the schema with its definition, so that two schemas can be held against each other. */
const schemaOf = async (url: string) =>
  await query(
    url,
    `select 'column' as what, table_name || '.' || column_name as name, data_type || coalesce(column_default, '') || is_nullable as is
       from information_schema.columns where table_schema = 'public'
     union all select 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) from pg_constraint
       where connamespace = 'public'::regnamespace
     union all select 'index', indexname, indexdef from pg_indexes where schemaname = 'public'
     union all select 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
     union all select 'policy', tablename || '.' || policyname, concat_ws(' ', roles, cmd, qual, with_check) from pg_policies
     union all select 'function', p.oid::regprocedure::text, md5(prosrc) || proowner::regrole || coalesce(proacl::text, '') from pg_proc p
       where pronamespace = 'public'::regnamespace
     union all select 'view', viewname, md5(definition) from pg_views where schemaname = 'public'
     order by 1, 2, 3`,
  )

test('the first run makes everything in order, the second finds nothing to do', async () => {
  await using database = await fresh()
  assert.deepEqual(await migrate(database.adminUrl), shipped)
  const schema = await schemaOf(database.adminUrl)
  assert.ok(schema.length > 200)
  assert.deepEqual(await migrate(database.adminUrl), [])
  assert.deepEqual(await schemaOf(database.adminUrl), schema)
  const recorded = await query(database.adminUrl, 'select name, checksum from migrations order by name')
  assert.deepEqual(
    recorded,
    listMigrations().map(({ name, checksum }) => ({ name, checksum })),
  )
})

test('migrators side by side run each migration once', async () => {
  await using database = await fresh()
  const ran = await Promise.all([1, 2, 3].map(() => migrate(database.adminUrl)))
  assert.deepEqual(
    ran.map((names) => names.length).toSorted((a, b) => a - b),
    [0, 0, shipped.length],
  )
  assert.deepEqual(ran.flat(), shipped)
})

test('a migration that was edited after it ran is refused by name, and nothing after it runs', async () => {
  await using database = await fresh()
  using copy = folder()
  await migrate(database.adminUrl, { from: copy.path })
  const edited = join(copy.path, shipped[2]!)
  writeFileSync(edited, `${readFileSync(edited, 'utf8')}\n-- one more word\n`)
  writeFileSync(join(copy.path, '9999_later.sql'), 'create table later (id int);')
  await assert.rejects(migrate(database.adminUrl, { from: copy.path }), new RegExp(`^Error: ${shipped[2]!} was edited after it ran`))
  assert.deepEqual(await query(database.adminUrl, `select to_regclass('later') as later`), [{ later: null }])
})

test('a migration that fails leaves nothing of itself and runs once it is mended', async () => {
  await using database = await fresh()
  using copy = folder()
  const file = join(copy.path, '9998_half.sql')
  writeFileSync(file, 'create table half (id int);\nselect nothing_there from half;\n')
  await assert.rejects(migrate(database.adminUrl, { from: copy.path }), /^Error: 9998_half.sql failed near "nothing_there from half;"/)
  assert.deepEqual(await query(database.adminUrl, `select to_regclass('half') as half`), [{ half: null }])
  writeFileSync(file, 'create table half (id int);')
  // The queue's own schema comes behind all of ours.
  assert.deepEqual(await migrate(database.adminUrl, { from: copy.path }), ['9998_half.sql', shipped.at(-1)])
})

test('a migration outside of a transaction may build an index concurrently', async () => {
  await using database = await fresh(false)
  using copy = folder()
  writeFileSync(
    join(copy.path, '9999_index.sql'),
    '-- Why: a test.\n-- no transaction\ncreate index concurrently accounts_by_name on accounts (household_id, name);\n',
  )
  assert.deepEqual(await migrate(database.adminUrl, { from: copy.path }), ['9999_index.sql'])
  assert.deepEqual(await query(database.adminUrl, `select indisvalid from pg_index where indexrelid = 'accounts_by_name'::regclass`), [
    { indisvalid: true },
  ])
})

test('the login of the service may start on a database that is at this version', async () => {
  await using database = await fresh(false)
  assert.deepEqual(await migrate(database.apiUrl), [])
})

async function migrateByCommand(url: string, ...flags: string[]) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../src/djinn.ts', import.meta.url)), 'migrate', ...flags], {
    env: { PATH: process.env['PATH'], DATABASE_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number]>])
  return { out, errors, code }
}

test('a dry run says what would run and changes nothing', async () => {
  await using database = await fresh()
  const objects = () => query(database.adminUrl, `select oid from pg_class where relnamespace = 'public'::regnamespace`)
  assert.deepEqual(await objects(), [])
  const dry = await migrateByCommand(database.adminUrl, '--dry-run', '--json')
  assert.deepEqual([dry.code, dry.errors, JSON.parse(dry.out)], [0, '', { dryRun: true, migrations: shipped }])
  assert.deepEqual(await objects(), [])
  const plain = await migrateByCommand(database.adminUrl, '--dry-run')
  assert.equal(plain.out, `Would run:\n  ${shipped.join('\n  ')}\n`)
  assert.deepEqual(await objects(), [])
  const real = await migrateByCommand(database.adminUrl, '--json')
  assert.deepEqual([real.code, JSON.parse(real.out)], [0, { dryRun: false, migrations: shipped }])
  assert.equal((await migrateByCommand(database.adminUrl, '--dry-run')).out, 'The database is at this version.\n')
})

test('a database that cannot be reached is one clear line and exit 1', async () => {
  const { code, out, errors } = await migrateByCommand('postgres://nobody@127.0.0.1:1/none')
  assert.deepEqual([code, out], [1, ''])
  assert.match(errors, /^djinn: .*127\.0\.0\.1:1\n$/)
})
