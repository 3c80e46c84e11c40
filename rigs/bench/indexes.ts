// What each index takes for a row, and what the statement that it is there for costs with it and without.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { seedDatabase } from '../../src/app/seeding/seed.ts'
import { openEmbedded } from '../../src/resources/embedded.ts'
import { migrate } from '../../src/resources/migrations.ts'
import type { Figure } from './figure.ts'

const users = 1_000
const mean = 250

/** In the household that has most rows; `$1` is it. The first part of each is what the service asks in this order. */
const asked: Record<string, string> = {
  transactions_by_date: 'select * from transactions where household_id = $1 and deleted_at is null order by date desc, id desc limit 21',
  transactions_by_account: `select * from transactions where household_id = $1 and deleted_at is null
    and account_id = (select id from accounts where household_id = $1 order by id desc limit 1) order by date desc, id desc limit 21`,
  transactions_by_category: `select * from transactions where household_id = $1 and deleted_at is null
    and category_id = (select id from categories where household_id = $1 and system_key = 'shopping-electronics') order by date desc, id desc limit 21`,
  transactions_by_revision:
    'select * from transactions where household_id = $1 and (revision, id) > (5, $1) order by revision, id limit 501',
  transactions_by_transfer: `select t.* from transactions t where t.household_id = $1 and t.transfer_id = (select id from transfers where household_id = $1 limit 1)
    and t.transfer_side = 'to'`,
  splits_by_category: `select transaction_id from splits where household_id = $1
    and category_id = (select id from categories where household_id = $1 and system_key = 'shopping-electronics')`,
  categories_by_revision: 'select * from categories where household_id = $1 and (revision, id) > (5, $1) order by revision, id limit 501',
  categories_by_parent: `select id from categories where household_id = $1 and parent_id = (select id from categories where household_id = $1 and parent_id is null limit 1)`,
  accounts_by_revision: 'select * from accounts where household_id = $1 and (revision, id) > (5, $1) order by revision, id limit 501',
  category_totals_by_category: `select sum(outflow) from category_totals where household_id = $1 and grain = 'day' and period >= current_date - 30
    and category_id = (select id from categories where household_id = $1 and system_key = 'food-groceries')`,
  category_totals_by_currency: `select sum(outflow) from category_totals where household_id = $1 and grain = 'month'
    and currency = (select base_currency from households where household_id = $1) and period >= current_date - 365`,
  balance_changes_by_date: `select sum(posted) from balance_changes where household_id = $1
    and account_id = (select id from accounts where household_id = $1 limit 1) and date > current_date - 10`,
  memberships_by_user: `select household_id from memberships where user_id = (select user_id from memberships where household_id = $1 limit 1)`,
  journal_by_entity: 'select number from journal where household_id = $1 and entity_id = $1 order by number desc limit 21',
  journal_by_time: 'select number from journal where household_id = $1 and at > now() order by at desc, number desc limit 21',
  journal_by_actor: `select number from journal where household_id = $1 and actor_id = $1 order by at desc, number desc limit 21`,
  journal_by_rare_kind: `select number from journal where household_id = $1 and kind = 'account' and kind <> 'transaction' order by number desc limit 21`,
}

type Index = { name: string; table: string; rows: number; bytes: number; key: boolean }

export async function measureIndexes(): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'djinn-bench-'))
  const embedded = await openEmbedded({ dataDir, settings: { random_page_cost: '1.1', shared_buffers: '256MB' } })
  const client = new pg.Client({ connectionString: embedded.adminUrl })
  try {
    await migrate(embedded.adminUrl)
    await seedDatabase({
      url: embedded.adminUrl,
      seed: 1,
      users,
      transactions: mean,
      jobs: 3,
      besideOthers: false,
      hashPassword: async () => '',
    })
    await client.connect()
    return await readIndexes(client)
  } finally {
    await client.end()
    await embedded.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function readIndexes(client: pg.Client): Promise<Figure[]> {
  const { rows: indexes } = await client.query<Index>(`
    select i.indexrelid::regclass::text as name, i.indrelid::regclass::text as table, t.reltuples::float8 as rows,
      pg_relation_size(i.indexrelid)::float8 as bytes, exists (select from pg_constraint c where c.conindid = i.indexrelid) as key
    from pg_index i join pg_class t on t.oid = i.indrelid
    where t.relnamespace = 'public'::regnamespace and t.reltuples > 500 order by pg_relation_size(i.indexrelid) desc`)
  const { rows } = await client.query<{ household: string }>(
    'select household_id as household from transactions group by 1 order by count(*) desc limit 1',
  )
  const household = rows[0]!.household
  const figures: Figure[] = []
  for (const { name, table, rows: count, bytes, key } of indexes) {
    figures.push({ name: `${name}, for a row of ${table}`, value: Math.round(bytes / count), unit: 'bytes' })
    const text = asked[name]
    if (key || text === undefined) continue
    const having = await costOf(client, text, household)
    await client.query('begin')
    await client.query(`drop index ${name}`)
    const lacking = await costOf(client, text, household)
    await client.query('rollback')
    figures.push({ name: `  what it is for, without it (${having.toFixed(0)} with it)`, value: lacking, unit: 'cost' })
  }
  return figures
}

/** As PostgreSQL estimates it. */
async function costOf(client: pg.Client, text: string, household: string): Promise<number> {
  const { rows } = await client.query(`explain (format json) ${text.replaceAll('$1', `'${household}'::uuid`)}`)
  return (rows[0] as { 'QUERY PLAN': { Plan: { 'Total Cost': number } }[] })['QUERY PLAN'][0]!.Plan['Total Cost']
}
