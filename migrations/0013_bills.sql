-- Why: bills fall due by a schedule; each occurrence is raised once, and the database itself finds the transactions that pay it.

grant create on schema public to djinn_keeper;

create table bills (
  household_id uuid not null references households,
  id uuid not null,
  -- Its key is what payees of transactions are searched for.
  payee text not null check (length(payee) <= 200 and payee_key(payee) <> ''),
  account_id uuid,
  -- The account's where there is one, held equal by the foreign key.
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  category_id uuid,
  amount_min bigint not null,
  amount_max bigint not null,
  -- {startsOn, rule, weekend}; the rule is RFC 5545's, expanded by the service.
  schedule jsonb not null check (schedule ->> 'startsOn' ~ '^\d{4}-\d\d-\d\d$' and length(schedule ->> 'rule') between 1 and 500
    and schedule ->> 'weekend' in ('keep', 'before', 'after')),
  ends_on date check (ends_on between '1900-01-01' and '2199-12-31'),
  reminder_days integer[] not null default '{}' check (cardinality(reminder_days) <= 5 and reminder_days <@ array[0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30]),
  auto_post boolean not null default false,
  -- Occurrences before it make no transaction: the day from which the bill does so.
  auto_post_from date,
  note text not null default '' check (length(note) <= 2000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  revision bigint not null default 0,
  primary key (household_id, id),
  -- What is forgotten for good takes the bills along that name it: they were deleted before it.
  constraint bill_account foreign key (household_id, account_id, currency) references accounts (household_id, id, currency)
    on update cascade on delete cascade,
  constraint bill_category foreign key (household_id, category_id) references categories (household_id, id) on delete cascade,
  constraint bill_amount_in_range check (least(amount_min, amount_max) >= -9007199254740991 and greatest(amount_min, amount_max) <= 9007199254740991),
  constraint bill_range check (amount_min <= amount_max),
  constraint bill_auto_post check (not auto_post or account_id is not null and amount_min = amount_max and auto_post_from is not null)
);
create index bills_by_revision on bills (household_id, revision, id);
create index bills_by_account on bills (household_id, account_id) where account_id is not null;
create index bills_by_category on bills (household_id, category_id) where category_id is not null;

-- One day on which a bill falls due. Its range and currency are the bill's when it was raised, or since changed ahead of its day.
create table bill_occurrences (
  household_id uuid not null,
  bill_id uuid not null,
  date date not null,
  -- Follows from bill and date, so that phones know it too.
  id uuid not null,
  currency text not null,
  amount_min bigint not null,
  amount_max bigint not null,
  skipped boolean not null default false,
  -- The rest is kept by the database: [{transactionId, amount, origin}], their sum, and whether it is enough.
  payments jsonb not null default '[]',
  paid_amount bigint not null default 0
    constraint bill_paid_in_range check (paid_amount between -9007199254740991 and 9007199254740991),
  paid boolean not null default false,
  -- When it made its own transaction: once, whatever became of that since.
  posted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  revision bigint not null default 0,
  primary key (household_id, bill_id, date),
  unique (household_id, id),
  constraint bill_payments_limit check (jsonb_array_length(payments) <= 100),
  constraint occurrence_bill foreign key (household_id, bill_id) references bills (household_id, id) on delete cascade
);
create index bill_occurrences_by_revision on bill_occurrences (household_id, revision, id);
create index bill_occurrences_by_date on bill_occurrences (household_id, date, bill_id) where deleted_at is null;
-- What still waits for a payment.
create index bill_occurrences_open on bill_occurrences (household_id, date, bill_id) where deleted_at is null and not paid and not skipped;

-- Which transaction pays what: `matched` by the database and taken back when it does not fit any more; by `hand` or `posted` by the bill it stays.
create table bill_payments (
  household_id uuid not null,
  transaction_id uuid not null,
  bill_id uuid not null,
  date date not null,
  origin text not null check (origin in ('matched', 'hand', 'posted')),
  primary key (household_id, transaction_id),
  constraint payment_transaction foreign key (household_id, transaction_id) references transactions (household_id, id) on delete cascade,
  constraint payment_occurrence foreign key (household_id, bill_id, date) references bill_occurrences (household_id, bill_id, date) on delete cascade
);
create index bill_payments_by_occurrence on bill_payments (household_id, bill_id, date);
create unique index bill_payments_matched on bill_payments (household_id, bill_id, date) where origin = 'matched';

-- What a person took off a bill is not put there again by itself.
create table bill_mismatches (
  household_id uuid not null,
  transaction_id uuid not null,
  bill_id uuid not null,
  primary key (household_id, transaction_id, bill_id),
  constraint mismatch_transaction foreign key (household_id, transaction_id) references transactions (household_id, id) on delete cascade,
  constraint mismatch_bill foreign key (household_id, bill_id) references bills (household_id, id) on delete cascade
);
create index bill_mismatches_by_bill on bill_mismatches (household_id, bill_id);

-- How far a bill is raised: the next day of its schedule that is not, or none. It is no part of the bill: phones need not hear of it.
create table bill_plans (
  household_id uuid not null,
  bill_id uuid not null,
  next_date date,
  primary key (household_id, bill_id),
  constraint plan_bill foreign key (household_id, bill_id) references bills (household_id, id) on delete cascade
) with (fillfactor = 70);
create index bill_plans_by_date on bill_plans (next_date) where next_date is not null;

-- What an open occurrence still does by the clock: makes its transaction, reminds.
create table bill_alarms (
  household_id uuid not null,
  bill_id uuid not null,
  date date not null,
  post_on date,
  remind_on date,
  due_on date generated always as (least(post_on, remind_on)) stored,
  primary key (household_id, bill_id, date),
  constraint alarm_occurrence foreign key (household_id, bill_id, date) references bill_occurrences (household_id, bill_id, date) on delete cascade
);
create index bill_alarms_by_day on bill_alarms (due_on);

select guard_household_table('bills', 'bill');
select guard_household_table('bill_occurrences', 'occurrence');
select guard_tenancy('bill_payments');
select guard_tenancy('bill_mismatches');
select guard_tenancy('bill_plans');
select guard_tenancy('bill_alarms');
select guard_replica('bills', 'bills');
select guard_replica('bill_occurrences', 'occurrences');
create trigger row_limit after insert or update on bills for each statement execute function keep_row_limit('bills', '200');

grant insert (household_id, id, payee, account_id, currency, category_id, amount_min, amount_max, schedule, ends_on, reminder_days, auto_post,
    note),
  update (payee, account_id, currency, category_id, amount_min, amount_max, schedule, ends_on, reminder_days, auto_post, note, deleted_at) on bills to djinn_app;
grant update (skipped) on bill_occurrences to djinn_app;
-- Only a household that is put back has these from its document; otherwise the database makes them.
grant insert (auto_post_from, created_at, deleted_at) on bills to djinn_app;
grant insert (household_id, bill_id, date, id, currency, amount_min, amount_max, skipped, posted_at, created_at, deleted_at)
  on bill_occurrences to djinn_app;
grant insert (household_id, bill_id, next_date) on bill_plans to djinn_app;

-- The local day of a household; UTC's where PostgreSQL does not know the zone.
create function household_today(household uuid) returns date
  language plpgsql stable set search_path = public, pg_temp as $$
begin
  return (select (now() at time zone h.time_zone)::date from households h where h.household_id = household);
exception when invalid_parameter_value then
  return (now() at time zone 'UTC')::date;
end $$;

-- UUIDv8 of SHA-256("<bill>/<date><suffix>"): the id of an occurrence, and that of the transaction it makes.
create function bill_derived_id(bill uuid, day date, suffix text default '') returns uuid
  language sql immutable parallel safe
  return (
    select encode(set_byte(set_byte(d.bytes, 6, get_byte(d.bytes, 6) & 15 | 128), 8, get_byte(d.bytes, 8) & 63 | 128), 'hex')::uuid
    from (select substring(sha256(convert_to(bill::text || '/' || to_char(day, 'YYYY-MM-DD') || suffix, 'UTF8')) from 1 for 16) as bytes) d
  );

-- Whether payments are enough: their sum reaches the end of the range that is nearer to nothing.
create function bill_is_paid(payments bigint, total numeric, amount_min bigint, amount_max bigint) returns boolean
  language sql immutable parallel safe
  return payments > 0 and case when amount_max < 0 then total <= amount_max when amount_min > 0 then total >= amount_min else true end;

-- Whether the database itself takes a transaction for the payment of an occurrence.
create function payment_fits(t transactions, o bill_occurrences, b bills) returns boolean
  language sql immutable parallel safe
  return t.deleted_at is null and o.deleted_at is null and b.deleted_at is null and not o.skipped
    and t.date between o.date - 7 and o.date + 7
    and t.currency = o.currency and t.amount between o.amount_min and o.amount_max
    and (b.account_id is null or t.account_id = b.account_id)
    and (position(payee_key(b.payee) in payee_key(t.payee)) > 0 or position(payee_key(b.payee) in payee_key(t.raw_payee)) > 0);

-- Brings occurrences to what their payments are; those of deleted transactions do not count.
create function refresh_occurrences(household uuid, bill_ids uuid[], days date[]) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update bill_occurrences o set payments = p.payments, paid_amount = p.total, paid = bill_is_paid(p.count, p.total, o.amount_min, o.amount_max)
  from (
    select k.bill_id, k.date, count(t.id) as count, coalesce(sum(t.amount), 0) as total,
      coalesce(jsonb_agg(jsonb_build_object('transactionId', t.id, 'amount', t.amount, 'origin', p.origin) order by t.id)
        filter (where t.id is not null), '[]') as payments
    from (select distinct bill_id, date from unnest(bill_ids, days) u (bill_id, date)) k
    left join bill_payments p on p.household_id = household and p.bill_id = k.bill_id and p.date = k.date
    left join transactions t on t.household_id = household and t.id = p.transaction_id and t.deleted_at is null
    group by k.bill_id, k.date
  ) p
  where o.household_id = household and o.bill_id = p.bill_id and o.date = p.date
    and (o.payments, o.paid_amount, o.paid)
      is distinct from (p.payments, p.total::bigint, bill_is_paid(p.count, p.total, o.amount_min, o.amount_max));
end $$;

-- Finds payments for transactions and for occurrences that have none: the nearest day first; each transaction pays one occurrence.
create function match_payments(household uuid, ids uuid[], bill_ids uuid[], days date[]) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  pair record;
begin
  -- A household that is put back brings its payments along.
  if is_restoring() then
    return;
  end if;
  for pair in
    with candidates as (
      select t.id, t.date as paid_on, o.bill_id, o.date
      from unnest(ids) i (id)
      join transactions t on t.household_id = household and t.id = i.id and t.deleted_at is null
      join bill_occurrences o on o.household_id = household and o.date between t.date - 7 and t.date + 7
        and o.deleted_at is null and not o.paid and not o.skipped and o.payments = '[]'
      join bills b on b.household_id = household and b.id = o.bill_id
      where payment_fits(t, o, b)
      union
      select t.id, t.date, o.bill_id, o.date
      from unnest(bill_ids, days) k (bill_id, date)
      join bill_occurrences o on o.household_id = household and o.bill_id = k.bill_id and o.date = k.date
        and o.deleted_at is null and not o.paid and not o.skipped and o.payments = '[]'
      join bills b on b.household_id = household and b.id = o.bill_id
      join transactions t on t.household_id = household and t.date between o.date - 7 and o.date + 7 and t.deleted_at is null
      where payment_fits(t, o, b)
    )
    select c.* from candidates c
    where not exists (select from bill_mismatches m where m.household_id = household and m.transaction_id = c.id and m.bill_id = c.bill_id)
    order by abs(c.paid_on - c.date), c.date, c.paid_on, c.bill_id, c.id
    limit 20000
  loop
    -- What still names an occurrence that is gone pays nothing.
    insert into bill_payments as p (household_id, transaction_id, bill_id, date, origin)
      select household, pair.id, o.bill_id, o.date, 'matched' from bill_occurrences o
      where o.household_id = household and o.bill_id = pair.bill_id and o.date = pair.date and o.payments = '[]'
      on conflict (household_id, transaction_id) do update set bill_id = excluded.bill_id, date = excluded.date, origin = excluded.origin
        where exists (select from bill_occurrences g where g.household_id = household and g.bill_id = p.bill_id and g.date = p.date
                      and g.deleted_at is not null);
  end loop;
end $$;

-- An open occurrence has an alarm for what it still does; the first reminder stands for all: the newest of them is told.
create function keep_alarms(household uuid, bill_ids uuid[], days date[]) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  with wanted as (
    select o.bill_id, o.date, o.deleted_at is null and not o.paid and not o.skipped as open,
      case when b.auto_post and o.posted_at is null and o.date >= b.auto_post_from then o.date end as post_on,
      (select o.date - max(d) from unnest(b.reminder_days) d) as remind_on
    from (select distinct bill_id, date from unnest(bill_ids, days) u (bill_id, date)) k
    join bill_occurrences o on o.household_id = household and o.bill_id = k.bill_id and o.date = k.date
    join bills b on b.household_id = household and b.id = o.bill_id
  ), gone as (
    delete from bill_alarms a using wanted w
    where a.household_id = household and a.bill_id = w.bill_id and a.date = w.date and not (w.open and coalesce(w.post_on, w.remind_on) is not null)
  )
  insert into bill_alarms as a (household_id, bill_id, date, post_on, remind_on)
    select household, w.bill_id, w.date, w.post_on, w.remind_on from wanted w where w.open and coalesce(w.post_on, w.remind_on) is not null
    on conflict (household_id, bill_id, date) do update set post_on = excluded.post_on, remind_on = excluded.remind_on
      where (a.post_on, a.remind_on) is distinct from (excluded.post_on, excluded.remind_on);
end $$;

create function payments_changed() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  touched record;
begin
  for touched in
    select r.household_id, array_agg(r.bill_id) as bill_ids, array_agg(r.date) as days from changed_rows r group by r.household_id
  loop
    perform refresh_occurrences(touched.household_id, touched.bill_ids, touched.days);
  end loop;
  return null;
end $$;
create function payments_moved() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  touched record;
begin
  for touched in
    select r.household_id, array_agg(r.bill_id) as bill_ids, array_agg(r.date) as days
    from (select * from old_rows union all select * from new_rows) r group by r.household_id
  loop
    perform refresh_occurrences(touched.household_id, touched.bill_ids, touched.days);
  end loop;
  return null;
end $$;
-- Who was taken off one occurrence may pay another.
create function payments_removed() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  touched record;
begin
  for touched in
    select r.household_id, array_agg(r.bill_id) as bill_ids, array_agg(r.date) as days, array_agg(r.transaction_id) as ids
    from changed_rows r group by r.household_id
  loop
    perform refresh_occurrences(touched.household_id, touched.bill_ids, touched.days);
    perform match_payments(touched.household_id, touched.ids, '{}', '{}');
  end loop;
  return null;
end $$;
create trigger payments_insert after insert on bill_payments referencing new table as changed_rows
  for each statement execute function payments_changed();
create trigger payments_update after update on bill_payments referencing old table as old_rows new table as new_rows
  for each statement execute function payments_moved();
create trigger payments_delete after delete on bill_payments referencing old table as changed_rows
  for each statement execute function payments_removed();

-- New occurrences, and those that wait for a payment again, look for one.
create function occurrences_raised() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  touched record;
begin
  for touched in
    select n.household_id, array_agg(n.bill_id) as bill_ids, array_agg(n.date) as days from new_rows n group by n.household_id
  loop
    perform keep_alarms(touched.household_id, touched.bill_ids, touched.days);
    perform match_payments(touched.household_id, '{}', touched.bill_ids, touched.days);
  end loop;
  return null;
end $$;
create function occurrences_changed() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  touched record;
begin
  for touched in
    select n.household_id, array_agg(n.bill_id) as bill_ids, array_agg(n.date) as days,
      coalesce(array_agg(n.bill_id) filter (where n.freed), '{}') as freed_bills, coalesce(array_agg(n.date) filter (where n.freed), '{}') as freed_days
    from (
      select n.*, n.payments = '[]' and n.deleted_at is null and not n.skipped
        and (o.payments <> '[]' or o.deleted_at is not null or o.skipped
             or (o.amount_min, o.amount_max, o.currency) <> (n.amount_min, n.amount_max, n.currency)) as freed
      from new_rows n join old_rows o on o.household_id = n.household_id and o.bill_id = n.bill_id and o.date = n.date
      where (o.deleted_at, o.paid, o.skipped, o.payments, o.posted_at, o.amount_min, o.amount_max, o.currency)
        is distinct from (n.deleted_at, n.paid, n.skipped, n.payments, n.posted_at, n.amount_min, n.amount_max, n.currency)
    ) n group by n.household_id
  loop
    perform keep_alarms(touched.household_id, touched.bill_ids, touched.days);
    perform match_payments(touched.household_id, '{}', touched.freed_bills, touched.freed_days);
  end loop;
  return null;
end $$;
create trigger occurrences_insert after insert on bill_occurrences referencing new table as new_rows
  for each statement execute function occurrences_raised();
create trigger occurrences_update after update on bill_occurrences referencing old table as old_rows new table as new_rows
  for each statement execute function occurrences_changed();

-- Transactions were written: payments that no longer fit are taken back, the others counted again, and new ones found.
create function pay_bills(household uuid, ids uuid[]) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  kept record;
begin
  delete from bill_payments p using transactions t, bill_occurrences o, bills b
    where p.household_id = household and p.transaction_id = any (ids)
      and t.household_id = household and t.id = p.transaction_id
      and o.household_id = household and o.bill_id = p.bill_id and o.date = p.date
      and b.household_id = household and b.id = p.bill_id
      and (t.currency <> o.currency or p.origin = 'matched' and not payment_fits(t, o, b));
  select array_agg(p.bill_id) as bill_ids, array_agg(p.date) as days into kept
    from bill_payments p where p.household_id = household and p.transaction_id = any (ids);
  if kept.bill_ids is not null then
    perform refresh_occurrences(household, kept.bill_ids, kept.days);
  end if;
  perform match_payments(household, ids, '{}', '{}');
end $$;

-- One probe is all that a household without bills pays.
create function bills_on_insert() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  touched record;
begin
  for touched in
    select h.household_id from (select distinct household_id from new_rows) h
    where exists (select from bills b where b.household_id = h.household_id)
  loop
    perform match_payments(touched.household_id, (select array_agg(n.id) from new_rows n where n.household_id = touched.household_id), '{}', '{}');
  end loop;
  return null;
end $$;
-- The plan is kept from when few rows changed; a nested loop of it would take the square of the rows of a bulk change.
create function bills_on_update() returns trigger
  language plpgsql security definer set search_path = public, pg_temp set enable_nestloop = off as $$
declare
  touched record;
begin
  if not exists (select from bills b where b.household_id in (select n.household_id from new_rows n)) then
    return null;
  end if;
  for touched in
    select n.household_id, array_agg(n.id) as ids
    from new_rows n join old_rows o on o.household_id = n.household_id and o.id = n.id
    where (o.account_id, o.currency, o.date, o.amount, o.payee, o.raw_payee, o.deleted_at is null)
      is distinct from (n.account_id, n.currency, n.date, n.amount, n.payee, n.raw_payee, n.deleted_at is null)
    group by n.household_id
  loop
    perform pay_bills(touched.household_id, touched.ids);
  end loop;
  return null;
end $$;
alter function pay_bills set enable_nestloop = on;
create trigger bills_insert after insert on transactions referencing new table as new_rows
  for each statement execute function bills_on_insert();
create trigger bills_update after update on transactions referencing old table as old_rows new table as new_rows
  for each statement execute function bills_on_update();

-- A bill names an account and a category that are there; one in use by a bill stays. It posts from its first day on, or from when it was told to.
create function keep_bill() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if new.deleted_at is null and exists (select from accounts a where a.household_id = new.household_id and a.id = new.account_id
                                        and a.deleted_at is not null) then
    perform refuse('bill_account', 'there is no such account');
  end if;
  if new.deleted_at is null and exists (select from categories c where c.household_id = new.household_id and c.id = new.category_id
                                        and c.deleted_at is not null) then
    perform refuse('bill_category', 'there is no such category');
  end if;
  if is_restoring() then
    return new;
  end if;
  if new.auto_post and tg_op = 'INSERT' then
    new.auto_post_from := (new.schedule ->> 'startsOn')::date - 2;
  elsif new.auto_post and not old.auto_post then
    new.auto_post_from := household_today(new.household_id);
  end if;
  return new;
end $$;
create trigger b_keep before insert or update on bills for each row execute function keep_bill();

create function bills_keep_account() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  if exists (select from bills b where b.household_id = new.household_id and b.account_id = new.id and b.deleted_at is null) then
    perform refuse('account_without_bills', 'a bill names the account');
  end if;
  return new;
end $$;
create trigger d_bills before update of deleted_at on accounts for each row
  when (new.deleted_at is not null and old.deleted_at is null) execute function bills_keep_account();

create function bills_keep_category() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  if exists (select from bills b where b.household_id = new.household_id and b.category_id = new.id and b.deleted_at is null) then
    perform refuse('category_without_bills', 'a bill names the category');
  end if;
  return new;
end $$;
create trigger d_bills before update of deleted_at on categories for each row
  when (new.deleted_at is not null and old.deleted_at is null) execute function bills_keep_category();

-- What follows from a bill: its plan (from two days before, since a first day on a weekend may move), and what becomes of its occurrences when it changes. The past stays as it was.
create function bill_made() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if is_restoring() then
    return null;
  end if;
  insert into bill_plans (household_id, bill_id, next_date) values (new.household_id, new.id, (new.schedule ->> 'startsOn')::date - 2);
  return null;
end $$;
create trigger bill_made after insert on bills for each row execute function bill_made();

create function bill_changed() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  today date := household_today(new.household_id);
  open record;
begin
  if new.deleted_at is not null and old.deleted_at is null then
    update bill_occurrences o set deleted_at = new.deleted_at
      where o.household_id = new.household_id and o.bill_id = new.id and o.deleted_at is null;
    delete from bill_payments p where p.household_id = new.household_id and p.bill_id = new.id and p.origin = 'matched';
    return null;
  elsif new.deleted_at is null and old.deleted_at is not null then
    update bill_occurrences o set deleted_at = null
      where o.household_id = new.household_id and o.bill_id = new.id and o.deleted_at = old.deleted_at;
  end if;
  if (new.schedule, new.ends_on) is distinct from (old.schedule, old.ends_on) then
    update bill_occurrences o set deleted_at = now()
      where o.household_id = new.household_id and o.bill_id = new.id and o.date >= today and o.deleted_at is null and o.payments = '[]';
    update bill_plans p set next_date = greatest(today, (new.schedule ->> 'startsOn')::date - 2)
      where p.household_id = new.household_id and p.bill_id = new.id;
  end if;
  if (new.payee, new.account_id, new.currency, new.amount_min, new.amount_max)
     is distinct from (old.payee, old.account_id, old.currency, old.amount_min, old.amount_max) then
    update bill_occurrences o set currency = new.currency, amount_min = new.amount_min, amount_max = new.amount_max
      where o.household_id = new.household_id and o.bill_id = new.id and o.date >= today and o.deleted_at is null and o.payments = '[]'
        and (o.currency, o.amount_min, o.amount_max) is distinct from (new.currency, new.amount_min, new.amount_max);
    delete from bill_payments p using transactions t, bill_occurrences o
      where p.household_id = new.household_id and p.bill_id = new.id and p.date >= today and p.origin = 'matched'
        and t.household_id = p.household_id and t.id = p.transaction_id
        and o.household_id = p.household_id and o.bill_id = p.bill_id and o.date = p.date and not payment_fits(t, o, new);
  end if;
  if (new.payee, new.account_id, new.reminder_days, new.auto_post, new.auto_post_from)
     is distinct from (old.payee, old.account_id, old.reminder_days, old.auto_post, old.auto_post_from) then
    select array_agg(o.bill_id) as bill_ids, array_agg(o.date) as days into open
      from bill_occurrences o
      where o.household_id = new.household_id and o.bill_id = new.id and o.deleted_at is null and not o.paid and not o.skipped;
    perform keep_alarms(new.household_id, open.bill_ids, open.days);
    perform match_payments(new.household_id, '{}', open.bill_ids, open.days);
  end if;
  return null;
end $$;
create trigger bill_changed after update on bills for each row execute function bill_changed();

-- Raises occurrences of a bill that is planned from a day on and notes the next day that is left; a plan that has gone on meanwhile stays.
-- One that was taken back by a change of the schedule comes back as it was.
create function raise_occurrences(household uuid, bill uuid, from_day date, days date[], next_day date) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if household is distinct from current_household() then
    raise exception 'the transaction is not in this household' using errcode = 'insufficient_privilege';
  end if;
  if not exists (select from bill_plans p join bills b on b.household_id = p.household_id and b.id = p.bill_id and b.deleted_at is null
                 where p.household_id = household and p.bill_id = bill and p.next_date = from_day) then
    return;
  end if;
  insert into bill_occurrences as o (household_id, bill_id, date, id, currency, amount_min, amount_max)
    select b.household_id, b.id, d.date, bill_derived_id(b.id, d.date), b.currency, b.amount_min, b.amount_max
    from bills b, unnest(days) d (date) where b.household_id = household and b.id = bill
    on conflict (household_id, bill_id, date) do update
      set deleted_at = null, currency = excluded.currency, amount_min = excluded.amount_min, amount_max = excluded.amount_max
      where o.deleted_at is not null;
  update bill_plans p set next_date = next_day where p.household_id = household and p.bill_id = bill;
end $$;
revoke execute on function raise_occurrences from public;
grant execute on function raise_occurrences to djinn_app;

-- The occurrence makes its transaction, once in its life, and is paid by it. A closed account makes none until it is open again.
create function post_occurrence(household uuid, bill uuid, day date) returns boolean
  language plpgsql set search_path = public, pg_temp as $$
declare
  made uuid := bill_derived_id(bill, day, '/transaction');
begin
  insert into transactions (household_id, id, account_id, currency, date, amount, payee, note, category_id)
    select b.household_id, made, a.id, a.currency, o.date, o.amount_min, b.payee, b.note, b.category_id
    from bills b
    join bill_occurrences o on o.household_id = b.household_id and o.bill_id = b.id and o.date = day
      and o.deleted_at is null and not o.paid and not o.skipped and o.posted_at is null and o.amount_min = o.amount_max
    join accounts a on a.household_id = b.household_id and a.id = b.account_id and a.currency = o.currency
      and a.deleted_at is null and a.closed_at is null
    where b.household_id = household and b.id = bill and b.deleted_at is null and b.auto_post
    on conflict (household_id, id) do nothing;
  if not found then
    return false;
  end if;
  insert into bill_payments as p (household_id, transaction_id, bill_id, date, origin) values (household, made, bill, day, 'posted')
    on conflict (household_id, transaction_id) do update set bill_id = excluded.bill_id, date = excluded.date, origin = excluded.origin;
  update bill_occurrences o set posted_at = now() where o.household_id = household and o.bill_id = bill and o.date = day;
  return true;
exception when check_violation then
  -- The account's balance would leave its range: it stays due, and is tried again.
  return false;
end $$;
revoke execute on function post_occurrence from public;

-- Tells reminders, and sets each alarm to its next one: [{bill_id, date, next, key, data}], without a key where none is to be told.
create function remind_of_bills(household uuid, reminders jsonb) returns bigint
  language plpgsql set search_path = public, pg_temp as $$
declare
  reminder record;
  told bigint := 0;
begin
  for reminder in
    select r.* from jsonb_to_recordset(reminders) r (bill_id uuid, date date, next date, key text, data jsonb)
  loop
    if reminder.key is not null then
      perform tell_members(household, 'billReminder', reminder.key, reminder.data, null);
      told := told + 1;
    end if;
    update bill_alarms a set remind_on = reminder.next
      where a.household_id = household and a.bill_id = reminder.bill_id and a.date = reminder.date;
  end loop;
  delete from bill_alarms a where a.household_id = household and a.due_on is null;
  return told;
end $$;
revoke execute on function remind_of_bills from public;

-- Forgets up to `most` bills and occurrences that were deleted before then.
create function forget_bills(before timestamptz, most integer) returns bigint
  language plpgsql set search_path = public, pg_temp as $$
declare
  forgotten bigint;
begin
  with old_occurrences as (
    select o.household_id, o.bill_id, o.date from bill_occurrences o where o.deleted_at < before order by o.deleted_at limit most
  ), gone_occurrences as (
    delete from bill_occurrences o using old_occurrences x
    where o.household_id = x.household_id and o.bill_id = x.bill_id and o.date = x.date returning o.household_id, o.revision
  ), told as (
    update revisions r set forgotten_revision = greatest(r.forgotten_revision, g.revision)
    from (select household_id, max(revision) as revision from gone_occurrences group by household_id) g where r.household_id = g.household_id
    returning 1
  )
  select (select count(*) from gone_occurrences) + 0 * (select count(*) from told) into forgotten;
  with gone_bills as (
    delete from bills b where b.deleted_at < before
      and not exists (select from bill_occurrences o where o.household_id = b.household_id and o.bill_id = b.id)
    returning b.household_id, b.revision
  ), told as (
    update revisions r set forgotten_revision = greatest(r.forgotten_revision, g.revision)
    from (select household_id, max(revision) as revision from gone_bills group by household_id) g where r.household_id = g.household_id
    returning 1
  )
  select forgotten + (select count(*) from gone_bills) + 0 * (select count(*) from told) into forgotten;
  return forgotten;
end $$;
revoke execute on function forget_bills from public;
grant execute on function post_occurrence, remind_of_bills, forget_bills to djinn_keeper;
create index bill_occurrences_by_deletion on bill_occurrences (deleted_at) where deleted_at is not null;

grant insert (household_id, transaction_id, bill_id, date, origin), update (bill_id, date, origin), delete on bill_payments to djinn_app;
grant insert, delete on bill_mismatches to djinn_app;

create view broken_bills with (security_invoker) as
  select o.household_id, o.bill_id, o.date, 'sum' as broken
  from bill_occurrences o
  left join (
    select p.household_id, p.bill_id, p.date, count(*) as count, sum(t.amount) as total,
      jsonb_agg(jsonb_build_object('transactionId', t.id, 'amount', t.amount, 'origin', p.origin) order by t.id) as payments
    from bill_payments p join transactions t on t.household_id = p.household_id and t.id = p.transaction_id and t.deleted_at is null
    group by 1, 2, 3
  ) n on n.household_id = o.household_id and n.bill_id = o.bill_id and n.date = o.date
  where (o.payments, o.paid_amount, o.paid) is distinct from (coalesce(n.payments, '[]'), coalesce(n.total, 0)::bigint,
    bill_is_paid(coalesce(n.count, 0), coalesce(n.total, 0), o.amount_min, o.amount_max))
  union all
  select p.household_id, p.bill_id, p.date, 'payment'
  from bill_payments p
  join transactions t on t.household_id = p.household_id and t.id = p.transaction_id
  join bill_occurrences o on o.household_id = p.household_id and o.bill_id = p.bill_id and o.date = p.date
  where t.currency <> o.currency or p.origin = 'matched' and (t.deleted_at is not null or o.deleted_at is not null)
  union all
  select o.household_id, o.bill_id, o.date, 'orphan'
  from bill_occurrences o join bills b on b.household_id = o.household_id and b.id = o.bill_id
  where o.deleted_at is null and b.deleted_at is not null or o.id <> bill_derived_id(o.bill_id, o.date)
  union all
  select b.household_id, b.id, null, 'plan' from bills b
  where not exists (select from bill_plans p where p.household_id = b.household_id and p.bill_id = b.id)
  union all
  select a.household_id, a.bill_id, a.date, 'alarm'
  from bill_alarms a join bill_occurrences o on o.household_id = a.household_id and o.bill_id = a.bill_id and o.date = a.date
  where o.deleted_at is not null or o.paid or o.skipped;

grant select on broken_bills to djinn_keeper;

alter function refresh_occurrences owner to djinn_keeper;
alter function match_payments owner to djinn_keeper;
alter function keep_alarms owner to djinn_keeper;
alter function pay_bills owner to djinn_keeper;
alter function payments_changed owner to djinn_keeper;
alter function payments_moved owner to djinn_keeper;
alter function payments_removed owner to djinn_keeper;
alter function occurrences_raised owner to djinn_keeper;
alter function occurrences_changed owner to djinn_keeper;
alter function bills_on_insert owner to djinn_keeper;
alter function bills_on_update owner to djinn_keeper;
alter function keep_bill owner to djinn_keeper;
alter function bill_made owner to djinn_keeper;
alter function bill_changed owner to djinn_keeper;
alter function raise_occurrences owner to djinn_keeper;
revoke execute on function refresh_occurrences, match_payments, keep_alarms, pay_bills, payments_changed, payments_moved, payments_removed, occurrences_raised,
  occurrences_changed, bills_on_insert, bills_on_update, keep_bill, bill_made, bill_changed from public;
revoke create on schema public from djinn_keeper;
