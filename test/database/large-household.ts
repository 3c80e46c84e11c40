// A household as large as the targets speak of: 50,000 transactions over 5 years in 10 accounts and 60 categories, two of the accounts foreign.
import type { Djinn, Person } from '../harness.ts'
import { withClient } from '../cluster.ts'
import { asRole } from './app-role.ts'

export const years = 5
export const transactions = 50_000
const chunk = 2_000

/** The first account has most rows, the last two are kept in dollars and pounds; a third of the categories is used daily, the others now and then. */
export async function fillLargeHousehold(djinn: Djinn, person: Person, first: string): Promise<void> {
  const household = person.householdId
  const app = { household, user: person.userId }
  await asRole(djinn, app, async (run) => {
    await run(
      `insert into accounts (household_id, id, name, kind, currency, opening_balance)
       select $1, gen_random_uuid(), 'Account ' || n, case when n = 3 then 'creditCard' when n < 5 then 'checking' else 'savings' end,
         case n when 9 then 'USD' when 10 then 'GBP' else 'EUR' end, n * 1000 from generate_series(1, 10) n`,
      [household],
    )
    const [used] = await run<{ count: number }>('select count(*)::int as count from categories where household_id = $1', [household])
    await run(
      `insert into categories (household_id, id, name, kind, parent_id)
       select $1, gen_random_uuid(), 'Category ' || n, p.kind, p.id from generate_series(1, 60 - $2) n
       cross join lateral (select id, kind from categories where household_id = $1 and kind = 'expense' order by id offset n % 5 limit 1) p`,
      [household, used!.count],
    )
  })
  for (let from = 0; from < transactions; from += chunk) {
    await asRole(djinn, app, (run) =>
      run(
        `with a as materialized (select id, currency, row_number() over (order by currency, name) - 1 as nth from accounts where household_id = $1),
           c as materialized (select id, kind, row_number() over (order by id) - 1 as nth from categories where household_id = $1)
         insert into transactions (household_id, id, account_id, currency, date, amount, payee, category_id, status)
         select $1, gen_random_uuid(), a.id, a.currency, $2::date + (n::bigint * $3 / $4)::int, case when c.kind = 'income' then 1 else -1 end * (n % 9000 + 10),
           'Payee ' || n % 700, c.id, case when n % 50 = 0 then 'pending' else 'posted' end
         from generate_series($5::int, $5 + $6 - 1) n
         -- One row in fifty is foreign; one in twenty-five is of the rarer categories.
         join a on a.nth = case when n % 50 = 7 then 8 + n / 50 % 2 when n % 2 = 0 then 0 else n / 2 % 8 end
         join c on c.nth = case when n % 25 = 3 then 20 + (hashint4(n) & 65535) % 40 else n / 3 % 20 end`,
        [household, first, years * 365, transactions, from, chunk],
      ),
    )
  }
  await spreadKnowledge(djinn, household)
}

/** As if each row had been written on its day or up to three days later: nobody can write into the past but the administrator. */
async function spreadKnowledge(djinn: Djinn, household: string) {
  await withClient(djinn.adminUrl, async (client) => {
    await client.query('begin')
    // The triggers that would refuse it or note it stay out.
    await client.query('set local session_replication_role = replica')
    await client.query('delete from balance_changes where household_id = $1', [household])
    await client.query('delete from balance_months where household_id = $1', [household])
    await client.query(`update accounts set created_at = created_at - interval '6 years' where household_id = $1`, [household])
    await client.query(
      `insert into balance_changes
       select household_id, account_id, date + (row_number() over () % 65536) * interval '4 seconds', date, amount from transactions
       where household_id = $1 and deleted_at is null and status <> 'pending'
       union all
       select household_id, id, created_at, '-infinity', opening_balance from accounts where household_id = $1`,
      [household],
    )
    await client.query(
      `insert into balance_months
       select household_id, account_id, date_trunc('month', known_at at time zone 'UTC')::date, date_trunc('month', date)::date, sum(posted)
       from balance_changes where household_id = $1 group by 1, 2, 3, 4`,
      [household],
    )
    await client.query('commit')
  })
  await djinn.sql('vacuum analyze')
}

/** A rate of each working day. */
export async function fillRates(djinn: Djinn, first: string, last: string) {
  await asRole(djinn, { role: 'djinn_keeper' }, (run) =>
    run(
      `insert into exchange_rates (currency, day, rate, source)
       select c.code, d::date, c.rate + extract(doy from d)::int * 0.0001, 'test'
       from (values ('USD', 1.08), ('GBP', 0.86)) c (code, rate), generate_series($1::date, $2::date, '1 day') d where extract(isodow from d) < 6`,
      [first, last],
    ),
  )
}
