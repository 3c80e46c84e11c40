-- Why: budgets and reports read sums by category, day and month, and balances on any day as they were known at any time.

grant create on schema public to djinn_keeper;

-- Money by category, without transfers, in each currency; a split row counts by its splits. The zero id stands for no category.
-- Days serve weeks and conversions at the rate of the day, months everything longer.
create table category_totals (
  household_id uuid not null,
  grain text not null check (grain in ('day', 'month')),
  period date not null,
  currency text not null,
  category_id uuid not null,
  inflow bigint not null default 0,
  outflow bigint not null default 0,
  pending_inflow bigint not null default 0,
  pending_outflow bigint not null default 0,
  count bigint not null default 0,
  -- Sums over all accounts may pass 2^53: each account's month does not, and 500 of those fit in a bigint.
  primary key (household_id, grain, period, currency, category_id)
);

-- What the posted and reconciled rows of a month add to the balance of an account, transfers included.
create table account_months (
  household_id uuid not null,
  account_id uuid not null,
  month date not null,
  posted bigint not null default 0,
  primary key (household_id, account_id, month)
);

-- How balances became what they are: what each write added to a day, known since its transaction began, as the journal says.
-- An opening balance is of before all days; it leaves with its account.
create table balance_changes (
  household_id uuid not null,
  account_id uuid not null,
  known_at timestamptz not null,
  date date not null,
  posted bigint not null,
  primary key (household_id, account_id, known_at, date)
);
create index balance_changes_by_date on balance_changes (household_id, account_id, date, known_at) include (posted);

-- The same by the month it was known in (UTC) and the month it is of: what a report adds up, but for the two months at its edges.
create table balance_months (
  household_id uuid not null,
  account_id uuid not null,
  known_month date not null,
  month date not null,
  posted bigint not null default 0,
  primary key (household_id, account_id, known_month, month)
);

select guard_tenancy('category_totals');
select guard_tenancy('account_months');
select guard_tenancy('balance_changes');
select guard_tenancy('balance_months');

-- Writes down what this transaction adds to balances.
create function tell_balances(household uuid, accounts uuid[], dates date[], amounts bigint[]) returns void
  language sql security definer set search_path = public, pg_temp as $$
  with told as (
    select account_id, date, posted from unnest(accounts, dates, amounts) t (account_id, date, posted) where posted <> 0
  ), changed as (
    insert into balance_changes as c (household_id, account_id, known_at, date, posted)
    select household, account_id, now(), date, posted from told
    on conflict (household_id, account_id, known_at, date) do update set posted = c.posted + excluded.posted
    returning 1
  )
  insert into balance_months as m (household_id, account_id, known_month, month, posted)
  select household, account_id, date_trunc('month', now() at time zone 'UTC')::date, date_trunc('month', date)::date, sum(posted)
  from told group by 2, 4
  on conflict (household_id, account_id, known_month, month) do update set posted = m.posted + excluded.posted
$$;
revoke execute on function tell_balances from public;

create function tell_opening_balance() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  was bigint := case when tg_op <> 'INSERT' and old.deleted_at is null then old.opening_balance else 0 end;
  now_is bigint := case when tg_op <> 'DELETE' and new.deleted_at is null then new.opening_balance else 0 end;
begin
  perform tell_balances(coalesce(new.household_id, old.household_id), array[coalesce(new.id, old.id)], array['-infinity'::date],
    array[now_is - was]);
  return null;
end $$;
-- By row and not by statement: every transaction updates its account's balance, which is not to cost a look at this.
create trigger opening_balance after insert or delete or update of opening_balance, deleted_at on accounts
  for each row execute function tell_opening_balance();

-- As before (0004), and keeps the new rollups from the same lines.
create or replace function keep_books(before transactions[], after transactions[]) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  broken text;
  changed record;
begin
  select case when a.id is null or a.deleted_at is not null then 'transaction_account'
              when a.closed_at is not null then 'account_open' end
    into broken
    from unnest(before) b full join unnest(after) n on n.id = b.id
    cross join lateral (values (b.account_id, coalesce(b.deleted_at is null, false)),
                               (n.account_id, coalesce(n.deleted_at is null, false))) touched (account_id, live)
    join accounts a on a.household_id = coalesce(n.household_id, b.household_id) and a.id = touched.account_id
    where touched.live and (a.closed_at is not null or a.deleted_at is not null)
      and (b.account_id, b.date, b.amount, b.status = 'pending', b.deleted_at is null)
        is distinct from (n.account_id, n.date, n.amount, n.status = 'pending', n.deleted_at is null)
    limit 1;
  if broken is not null then
    perform refuse(broken, 'the account is closed or gone');
  end if;

  if exists (select from unnest(before) b where b.splits is not null)
     or exists (select from unnest(after) n where n.splits is not null) then
    delete from splits s using unnest(before) b
      where s.household_id = b.household_id and s.transaction_id = b.id and b.splits is not null;
    insert into splits (household_id, transaction_id, position, amount, category_id)
      select n.household_id, n.id, p.ordinality, (p.split ->> 'amount')::bigint, (p.split ->> 'categoryId')::uuid
      from unnest(after) n, jsonb_array_elements(n.splits) with ordinality p (split, ordinality)
      where n.splits is not null;
  end if;

  if exists (
    select from unnest(after) n cross join lateral book_lines(n.category_id, n.amount, n.splits) line
    join categories c on c.household_id = n.household_id and c.id = line.category_id
    where n.deleted_at is null and c.deleted_at is not null) then
    perform refuse('transaction_category', 'there is no such category');
  end if;

  with lines as materialized (
    select r.household_id, r.account_id, r.currency, r.date, date_trunc('month', r.date)::date as month, line.category_id,
      r.transfer_id is not null as transfer, r.status = 'pending' as pending, r.direction, line.amount
    from (
      select -1 as direction, b.* from unnest(before) b where b.deleted_at is null
      union all
      select 1, n.* from unnest(after) n where n.deleted_at is null
    ) r cross join lateral book_lines(r.category_id, r.amount, r.splits) line
  ), months as (
    select household_id, month, account_id, category_id, transfer,
      coalesce(sum(direction * greatest(amount, 0)) filter (where not pending), 0) as inflow,
      coalesce(sum(direction * least(amount, 0)) filter (where not pending), 0) as outflow,
      coalesce(sum(direction * greatest(amount, 0)) filter (where pending), 0) as pending_inflow,
      coalesce(sum(direction * least(amount, 0)) filter (where pending), 0) as pending_outflow,
      sum(direction) as count
    from lines group by household_id, month, account_id, category_id, transfer
  ), rolled as (
    insert into monthly_totals as m
    select * from months where (inflow, outflow, pending_inflow, pending_outflow, count) <> (0, 0, 0, 0, 0)
    on conflict (household_id, month, account_id, category_id, transfer) do update set
      inflow = m.inflow + excluded.inflow, outflow = m.outflow + excluded.outflow,
      pending_inflow = m.pending_inflow + excluded.pending_inflow,
      pending_outflow = m.pending_outflow + excluded.pending_outflow, count = m.count + excluded.count
  ), categories as (
    select household_id, grain, case grain when 'day' then date else month end as period, currency, category_id,
      coalesce(sum(direction * greatest(amount, 0)) filter (where not pending), 0) as inflow,
      coalesce(sum(direction * least(amount, 0)) filter (where not pending), 0) as outflow,
      coalesce(sum(direction * greatest(amount, 0)) filter (where pending), 0) as pending_inflow,
      coalesce(sum(direction * least(amount, 0)) filter (where pending), 0) as pending_outflow,
      sum(direction) as count
    from lines cross join (values ('day'), ('month')) g (grain) where not transfer group by 1, 2, 3, 4, 5
  ), categories_rolled as (
    insert into category_totals as c
    select * from categories where (inflow, outflow, pending_inflow, pending_outflow, count) <> (0, 0, 0, 0, 0)
    on conflict (household_id, grain, period, currency, category_id) do update set
      inflow = c.inflow + excluded.inflow, outflow = c.outflow + excluded.outflow,
      pending_inflow = c.pending_inflow + excluded.pending_inflow,
      pending_outflow = c.pending_outflow + excluded.pending_outflow, count = c.count + excluded.count
  ), days as (
    select household_id, account_id, month, date, sum(direction * amount) filter (where not pending) as posted,
      sum(direction * amount) filter (where pending) as pending
    from lines group by household_id, account_id, month, date
  ), accounts_rolled as (
    insert into account_months as m (household_id, account_id, month, posted)
    select household_id, account_id, month, sum(posted) from days group by household_id, account_id, month having sum(posted) <> 0
    on conflict (household_id, account_id, month) do update set posted = m.posted + excluded.posted
  ), balances as (
    select household_id, account_id, coalesce(sum(posted), 0) as posted, coalesce(sum(pending), 0) as pending
    from days group by household_id, account_id
  ), balanced as (
    update accounts a set balance = a.balance + b.posted, pending_balance = a.pending_balance + b.pending
    from balances b
    where a.household_id = b.household_id and a.id = b.account_id and (b.posted <> 0 or b.pending <> 0)
  )
  -- Rows of several households are touched only where the keeper forgets what is old, which is dead and adds nothing.
  select (array_agg(household_id))[1] as household, array_agg(account_id) as accounts, array_agg(date) as dates,
    array_agg(posted::bigint) as amounts
    into changed from days where posted <> 0;
  if changed.household is not null then
    perform tell_balances(changed.household, changed.accounts, changed.dates, changed.amounts);
  end if;
end $$;

-- What a session knows of its households changes with them, on every process within the second.
create function tell_household() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform pg_notify('djinn_users', m.user_id::text) from memberships m where m.household_id = new.household_id;
  return null;
end $$;
revoke execute on function tell_household from public;
create trigger tell_household after update of time_zone, base_currency, deleted_at on households for each row
  when ((old.time_zone, old.base_currency, old.deleted_at) is distinct from (new.time_zone, new.base_currency, new.deleted_at))
  execute function tell_household();

create view broken_category_totals with (security_invoker) as
  with naive as (
    select t.household_id, g.grain, case g.grain when 'day' then t.date else date_trunc('month', t.date)::date end as period, t.currency,
      l.category_id,
      coalesce(sum(greatest(l.amount, 0)) filter (where t.status <> 'pending'), 0) as inflow,
      coalesce(sum(least(l.amount, 0)) filter (where t.status <> 'pending'), 0) as outflow,
      coalesce(sum(greatest(l.amount, 0)) filter (where t.status = 'pending'), 0) as pending_inflow,
      coalesce(sum(least(l.amount, 0)) filter (where t.status = 'pending'), 0) as pending_outflow,
      count(*) as count
    from transactions t cross join lateral book_lines(t.category_id, t.amount, t.splits) l cross join (values ('day'), ('month')) g (grain)
    where t.deleted_at is null and t.transfer_id is null
    group by 1, 2, 3, 4, 5
  )
  select household_id, grain, period, currency, category_id
  from naive full join (select * from category_totals where count <> 0 or (inflow, outflow, pending_inflow, pending_outflow) <> (0, 0, 0, 0)) kept
    using (household_id, grain, period, currency, category_id)
  where (naive.inflow, naive.outflow, naive.pending_inflow, naive.pending_outflow, naive.count)
    is distinct from (kept.inflow, kept.outflow, kept.pending_inflow, kept.pending_outflow, kept.count);

create view broken_account_months with (security_invoker) as
  with naive as (
    select household_id, account_id, date_trunc('month', date)::date as month, sum(amount) as posted
    from transactions where deleted_at is null and status <> 'pending' group by 1, 2, 3
  )
  select household_id, account_id, month, naive.posted as posted_expected, kept.posted
  from naive full join account_months kept using (household_id, account_id, month)
  where coalesce(naive.posted, 0) <> coalesce(kept.posted, 0);

-- The changes of a day sum to its rows, and the months sum to the changes.
create view broken_balance_changes with (security_invoker) as
  with naive as (
    select household_id, account_id, date, sum(amount) as posted from transactions
    where deleted_at is null and status <> 'pending' group by 1, 2, 3
    union all
    select household_id, id, '-infinity', opening_balance from accounts where deleted_at is null
  ), kept as (
    select household_id, account_id, date, sum(posted) as posted from balance_changes group by 1, 2, 3
  ), days as (
    select household_id, account_id, date::text as what from naive full join kept using (household_id, account_id, date)
    where coalesce(naive.posted, 0) <> coalesce(kept.posted, 0)
  ), months as (
    select household_id, account_id, date_trunc('month', known_at at time zone 'UTC')::date as known_month,
      date_trunc('month', date)::date as month, sum(posted) as posted from balance_changes group by 1, 2, 3, 4
  )
  select * from days
  union all
  select household_id, account_id, known_month || ' of ' || month
  from months full join balance_months m using (household_id, account_id, known_month, month)
  where coalesce(months.posted, 0) <> coalesce(m.posted, 0);
grant select on broken_category_totals, broken_account_months, broken_balance_changes to djinn_keeper;

-- What is there already. When an older change became known is not kept by itself, so a row counts as known since it was made.
set local role djinn_keeper;
insert into category_totals
  select t.household_id, g.grain, case g.grain when 'day' then t.date else date_trunc('month', t.date)::date end, t.currency, l.category_id,
    coalesce(sum(greatest(l.amount, 0)) filter (where t.status <> 'pending'), 0),
    coalesce(sum(least(l.amount, 0)) filter (where t.status <> 'pending'), 0),
    coalesce(sum(greatest(l.amount, 0)) filter (where t.status = 'pending'), 0),
    coalesce(sum(least(l.amount, 0)) filter (where t.status = 'pending'), 0), count(*)
  from transactions t cross join lateral book_lines(t.category_id, t.amount, t.splits) l cross join (values ('day'), ('month')) g (grain)
  where t.deleted_at is null and t.transfer_id is null group by 1, 2, 3, 4, 5;
insert into account_months
  select t.household_id, t.account_id, date_trunc('month', t.date)::date, sum(t.amount)
  from transactions t where t.deleted_at is null and t.status <> 'pending' group by 1, 2, 3;
insert into balance_changes
  select household_id, account_id, created_at, date, sum(amount) from transactions
  where deleted_at is null and status <> 'pending' group by 1, 2, 3, 4 having sum(amount) <> 0
  union all
  select household_id, id, created_at, '-infinity', opening_balance from accounts where deleted_at is null and opening_balance <> 0;
insert into balance_months
  select household_id, account_id, date_trunc('month', known_at at time zone 'UTC')::date, date_trunc('month', date)::date, sum(posted)
  from balance_changes group by 1, 2, 3, 4;
reset role;

alter function tell_balances owner to djinn_keeper;
alter function tell_opening_balance owner to djinn_keeper;
alter function tell_household owner to djinn_keeper;
revoke execute on function tell_opening_balance from public;
revoke create on schema public from djinn_keeper;
