// SQL of the reports: sums that the database keeps, and the edges of months. No statement of them reads a transaction.
import { statement } from '../../resources/statement.ts'

/**
 * Day (a month by its first), category, inflow, outflow, pending inflow, pending outflow and count, parted by blanks, a line by a comma: for a thousand
 * lines PostgreSQL takes 0.8 ms to write this, and 5 ms to write the same as jsonb.
 */
const lines = (period: string) =>
  `string_agg(concat_ws(' ', t.${period}, t.category_id, t.inflow, t.outflow, t.pending_inflow, t.pending_outflow, t.count), ',') as lines`
const categories = `(select coalesce(jsonb_agg(jsonb_build_array(k.id, k.parent_id, k.kind)), '[]')
    from categories k where k.household_id = :household and k.deleted_at is null) as categories`

/** What flowed, without transfers, a row a currency: the household's own by month, each other one by day. */
export const readFlows = statement(
  'reports.flows',
  { household: 'uuid', base: 'text', first: 'date', last: 'date' },
  { currency: 'text', lines: 'text', categories: 'jsonb' },
  `with wanted as (
    select :base as currency, 'month' as grain
    union all
    select distinct a.currency, 'day' from accounts a where a.household_id = :household and a.currency <> :base
  )
  select w.currency, c.lines, ${categories}
  from wanted w cross join lateral (
    select ${lines('period')}
    from category_totals t
    where t.household_id = :household and t.grain = w.grain and t.currency = w.currency and t.period between :first and :last and t.count <> 0
  ) c
  where c.lines is not null`,
)

/**
 * The same of one account, by month, in its own currency; no row when there is no such account. Each month is summed by itself: one look into the index a
 * month, where a join might read the rollup from end to end.
 */
export const readAccountFlows = statement(
  'reports.accountFlows',
  { household: 'uuid', account: 'uuid', months: 'date[]' },
  { currency: 'text', lines: 'text', categories: 'jsonb' },
  `select a.currency, coalesce(c.lines, '') as lines, ${categories}
  from accounts a cross join lateral (
    select string_agg(m.lines, ',') as lines
    from unnest(:months) w (month) cross join lateral (
      select ${lines('month')} from monthly_totals t
      where t.household_id = a.household_id and t.month = w.month and t.account_id = a.id and not t.transfer and t.count <> 0
    ) m
  ) c
  where a.household_id = :household and a.id = :account and a.deleted_at is null`,
)

/**
 * Each account's balance now, what its months after the first added to it, and what is dated behind today in today's month: from the end backwards,
 * because recent months are asked for most.
 */
export const readWorth = statement(
  'reports.worth',
  { household: 'uuid', first: 'date', today: 'date', monthEnd: 'date' },
  { id: 'uuid', kind: 'text', currency: 'text', balance: 'int8', months: 'text[]', posted: 'text[]', ahead: 'numeric' },
  `select a.id, a.kind, a.currency, a.balance, coalesce(m.months, '{}') as months, coalesce(m.posted, '{}') as posted,
    coalesce(d.posted, 0) as ahead
  from accounts a cross join lateral (
    select array_agg(to_char(s.month, 'YYYY-MM') order by s.month) as months, array_agg(s.posted::text order by s.month) as posted
    from account_months s where s.household_id = a.household_id and s.account_id = a.id and s.month > :first
  ) m cross join lateral (
    select sum(c.posted) as posted from balance_changes c
    where c.household_id = a.household_id and c.account_id = a.id and c.date > :today and c.date <= :monthEnd
  ) d
  where a.household_id = :household and a.deleted_at is null
  order by a.id`,
)

/** Balances at the end of a day as the household knows them now; `edge` are the days between the day and the nearer end of its month. */
export const readBalances = statement(
  'reports.balances',
  { household: 'uuid', account: 'uuid?', monthAfter: 'date', edgeFirst: 'date', edgeLast: 'date', edgeSign: 'int4' },
  { accountId: 'uuid', currency: 'text', balance: 'numeric' },
  `select a.id as "accountId", a.currency, a.balance - coalesce(m.posted, 0) + :edgeSign * coalesce(d.posted, 0) as balance
  from accounts a cross join lateral (
    select sum(s.posted) as posted from account_months s where s.household_id = a.household_id and s.account_id = a.id and s.month >= :monthAfter
  ) m cross join lateral (
    select sum(c.posted) as posted from balance_changes c
    where c.household_id = a.household_id and c.account_id = a.id and c.date between :edgeFirst and :edgeLast
  ) d
  where a.household_id = :household and a.deleted_at is null and (:account is null or a.id = :account)
  order by a.id`,
)

/**
 * The same as they were known at an instant, of the accounts that were there then: whole months of what was known by whole months of what it is of, and
 * the edges of both, each from the nearer end of its month.
 */
export const readKnownBalances = statement(
  'reports.knownBalances',
  {
    household: 'uuid',
    account: 'uuid?',
    date: 'date',
    monthAfter: 'date',
    edgeFirst: 'date',
    edgeLast: 'date',
    edgeSign: 'int4',
    knownAt: 'timestamptz',
    knownMonth: 'timestamptz',
    knownMonthAfter: 'timestamptz',
    early: 'bool',
  },
  { accountId: 'uuid', currency: 'text', balance: 'numeric' },
  `select a.id as "accountId", a.currency, coalesce(m.posted, 0) + :edgeSign * coalesce(d.posted, 0) + coalesce(k.posted, 0) as balance
  from accounts a
  cross join lateral (select case when :early then :knownMonth else :knownMonthAfter end as bound) b
  cross join lateral (
    select sum(s.posted) as posted from balance_months s
    where s.household_id = a.household_id and s.account_id = a.id and s.month < :monthAfter and s.known_month < (b.bound at time zone 'UTC')::date
  ) m cross join lateral (
    select sum(c.posted) as posted from balance_changes c
    where c.household_id = a.household_id and c.account_id = a.id and c.date between :edgeFirst and :edgeLast and c.known_at < b.bound
  ) d cross join lateral (
    select case when :early then (
      select sum(c.posted) from balance_changes c where c.household_id = a.household_id and c.account_id = a.id
        and c.known_at >= :knownMonth and c.known_at <= :knownAt and c.date <= :date
    ) else -(
      select sum(c.posted) from balance_changes c where c.household_id = a.household_id and c.account_id = a.id
        and c.known_at > :knownAt and c.known_at < :knownMonthAfter and c.date <= :date
    ) end as posted
  ) k
  where a.household_id = :household and a.created_at <= :knownAt and (a.deleted_at is null or a.deleted_at > :knownAt)
    and (:account is null or a.id = :account)
  order by a.id`,
)
