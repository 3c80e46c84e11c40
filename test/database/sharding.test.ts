// What keeps the way open to a database that is split by household: keys, indexes and statements that never need two households at once.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { open } from '../harness.ts'
import { coldStatements } from './cold-statements.ts'
import { everyStatement } from './every-statement.ts'

const djinn = await open()
after(() => djinn.close())

/** Tables of no household: where they are kept once households are split. docs/scaling.md says how. */
const ofNoHousehold: Record<string, string> = {
  'the directory: of people, asked before a household is known':
    'users sessions refresh_tokens second_factors recovery_codes email_requests email_links devices notification_settings idempotency_keys',
  'reference data, the same on every shard':
    'system_data exchange_rates exchange_rate_corrections flags flag_changes installation migrations',
  'of each cluster by itself': 'activity backups declared_facts erasures evidence watchers',
}

/** Foreign keys between a household's tables and others: they end at the shard's edge, and what they kept is kept so. */
const keysAcross: Record<string, string> = {
  memberships_user_id_fkey: 'erase_user() ends memberships household by household before the user is gone',
  notifications_user_id_fkey: 'the same; an inbox of nobody is swept',
}

/** Hot statements that read a household's tables and say no household themselves: row-level security adds it. */
const byRowLevelSecurity: Record<string, string> = {
  'notifications.markAll': 'the inbox of a user in the household of the call',
}

/** Hot statements of the directory, or of no table: there is no household to name. */
const ofTheDirectory: Record<string, string> = {
  'idempotency_keys are of a user': 'replay.keep',
  'sign-in, sessions and refresh, before a household is known':
    'users.byEmail users.lockPassword users.byId sessions.insert sessions.endOldest sessions.byAccess sessions.list sessions.revoke sessions.renew refreshTokens.insert refreshTokens.lock refreshTokens.use secondFactors.lock',
  'devices and preferences are of a user':
    'devices.list devices.read devices.patch notificationSettings.read notificationSettings.ensure notificationSettings.patch',
  'rates are reference data': 'rates.on',
}

/** Hot statements that call a function of the database with its household as argument or in the scope. */
const byFunction: Record<string, string> = {
  'replay.begin': 'begin_write() takes the revision of the household that it is given',
  'feeds.openPush': 'open_push() reads the household of the scope, which feed_credential() has found',
}

let tables: string[]
before(async () => {
  const rows = await djinn.sql<{ name: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'household_id' and not a.attisdropped
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1`,
  )
  tables = rows.map(({ name }) => name)
})
const words = (lists: Record<string, string>) => Object.values(lists).flatMap((list) => list.split(' '))

test('every table is of a household, or says where it is kept', async () => {
  const all = await djinn.sql<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1`,
  )
  assert.ok(tables.length >= 40, `only ${tables.length} tables`)
  assert.deepEqual([...tables, ...words(ofNoHousehold)].toSorted(), all.map(({ name }) => name).toSorted())
})

test('every primary key of a household’s table begins with household_id, and every unique index has it', async () => {
  const indexes = await djinn.sql<{ table: string; name: string; primary: boolean; first: string; has: boolean }>(
    `select c.relname as table, i.indexrelid::regclass::text as name, i.indisprimary as primary,
       (select a.attname from pg_attribute a where a.attrelid = c.oid and a.attnum = i.indkey[0]) as first,
       exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'household_id'
         and a.attnum = any ((i.indkey::int2[])[0:i.indnkeyatts - 1])) as has
     from pg_index i join pg_class c on c.oid = i.indrelid where i.indisunique and c.relname = any($1) and c.relnamespace = 'public'::regnamespace`,
    [tables],
  )
  const keyed = indexes.filter(({ primary }) => primary)
  assert.deepEqual(keyed.map(({ table }) => table).toSorted(), tables, 'each has one')
  assert.deepEqual(
    keyed.filter(({ first }) => first !== 'household_id'),
    [],
  )
  assert.deepEqual(
    indexes.filter(({ has }) => !has),
    [],
  )
})

test('every foreign key of a household’s table carries household_id, but for those that say what takes its place', async () => {
  const keys = await djinn.sql<{ name: string; carries: boolean }>(
    `select c.conname as name, exists (select from unnest(c.conkey, c.confkey) k (own, other)
         join pg_attribute o on o.attrelid = c.conrelid and o.attnum = k.own and o.attname = 'household_id'
         join pg_attribute f on f.attrelid = c.confrelid and f.attnum = k.other and f.attname = 'household_id') as carries
     from pg_constraint c where c.contype = 'f' and (c.conrelid::regclass::text = any($1) or c.confrelid::regclass::text = any($1))`,
    [tables],
  )
  assert.ok(keys.length > 20, `only ${keys.length}`)
  assert.deepEqual(
    keys
      .filter(({ carries }) => !carries)
      .map(({ name }) => name)
      .toSorted(),
    Object.keys(keysAcross).toSorted(),
  )
})

test('no id of a household’s table comes from a sequence', async () => {
  const counted = await djinn.sql(
    `select a.attrelid::regclass::text as table, a.attname from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where a.attrelid::regclass::text = any($1) and (a.attidentity <> '' or pg_get_expr(d.adbin, d.adrelid) like '%nextval%')`,
    [tables],
  )
  assert.deepEqual(counted, [])
})

type Node = { 'Node Type': string; 'Relation Name'?: string; Plans?: Node[] } & Record<string, unknown>

/** Scans of households' tables with the conditions on them and above them, of a plan for any values. */
function scansOf(plan: Node): { table: string; bound: boolean }[] {
  const conditions = Object.entries(plan).flatMap(([name, value]) => (/Cond|Filter/.test(name) ? [String(value)] : []))
  const own = plan['Relation Name']
  const scan = own !== undefined && plan['Node Type'] !== 'ModifyTable' && tables.includes(own)
  const below = (plan.Plans ?? []).flatMap(scansOf)
  return [...(scan ? [{ table: own, bound: conditions.some((each) => each.includes('household_id')) }] : []), ...below]
}

test('every statement of every day reads one household: it says which, or row-level security does, or it is of no household', async () => {
  const cold = new Set(coldStatements.flatMap(({ names }) => names))
  const hot = everyStatement().filter(({ name }) => !cold.has(name))
  const client = new pg.Client({ connectionString: djinn.adminUrl })
  await client.connect()
  const found = { named: 0, secured: [] as string[], elsewhere: [] as string[], unbound: [] as string[] }
  try {
    // As the app's role, so that its policies are part of each plan.
    await client.query('set role djinn_app')
    for (const { name, text } of hot) {
      const { rows } = await client
        .query<{ 'QUERY PLAN': [{ Plan: Node }] }>(`explain (generic_plan, format json) ${text}`)
        .catch((error: Error) => {
          throw new Error(`${name}: ${error.message}`, { cause: error })
        })
      const scans = scansOf(rows[0]!['QUERY PLAN'][0].Plan)
      for (const { table, bound } of scans) if (!bound) found.unbound.push(`${name} reads ${table}`)
      const names = /household/i.test(text)
      const touches = scans.length > 0 || tables.some((table) => new RegExp(`\\b(?:into|update|from|join) ${table}\\b`).test(text))
      if (names) found.named++
      else if (touches) found.secured.push(name)
      else found.elsewhere.push(name)
    }
  } finally {
    await client.end()
  }
  assert.ok(found.named > 60, `only ${found.named} of ${hot.length} name a household`)
  assert.deepEqual(found.unbound, [])
  assert.deepEqual(found.secured.toSorted(), Object.keys(byRowLevelSecurity).toSorted())
  assert.deepEqual(found.elsewhere.toSorted(), [...words(ofTheDirectory), ...Object.keys(byFunction)].toSorted())
})

test('every function that touches a household’s table says of which household', async () => {
  const functions = await djinn.sql<{ name: string; body: string }>(
    `select p.oid::regprocedure::text as name, coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) as body
     from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prokind = 'f' order by 1`,
  )
  const touching = functions.filter(({ body }) =>
    tables.some((table) => new RegExp(`\\b(?:from|join|into|update) (?:public\\.)?${table}\\b`).test(body)),
  )
  assert.ok(touching.length > 50, `only ${touching.length}`)
  const silent = touching.filter(({ body }) => !/household/.test(body)).map(({ name }) => name)
  assert.deepEqual(silent, [])
})
