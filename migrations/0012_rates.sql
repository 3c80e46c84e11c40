-- Why: money in one currency is shown in another by the rate of its day, a fact of others that is kept as it was published.

-- Units of a currency for one euro, as the European Central Bank publishes them. The euro itself is 1 and has no row.
create table exchange_rates (
  currency text not null check (currency ~ '^[A-Z]{3}$' and currency <> 'EUR'),
  day date not null check (day between '1900-01-01' and '2199-12-31'),
  -- Above 0 alone would let NaN and Infinity in.
  rate numeric not null check (rate > 0 and rate < 1000000000000 and scale(rate) <= 12),
  -- The format of the file it came from, or `demo`.
  source text not null check (length(source) between 1 and 50),
  imported_at timestamptz not null default now(),
  constraint rate_not_of_future check (day <= (imported_at at time zone 'UTC')::date),
  primary key (currency, day) include (rate)
);

-- What a rate was before it was changed, or taken away (new is null): kept by a trigger, so nobody changes one silently.
create table exchange_rate_corrections (
  id bigint generated always as identity primary key,
  currency text not null,
  day date not null,
  old numeric not null,
  new numeric,
  old_source text not null,
  new_source text,
  at timestamptz not null default now()
);
create index exchange_rate_corrections_by_rate on exchange_rate_corrections (currency, day, id desc);

create function keep_replaced_rates() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  insert into exchange_rate_corrections (currency, day, old, new, old_source, new_source)
  select b.currency, b.day, b.rate, a.rate, b.source, a.source
  from before b join after a using (currency, day)
  where b.rate <> a.rate
  order by 1, 2;
  return null;
end $$;
create function keep_removed_rates() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  insert into exchange_rate_corrections (currency, day, old, old_source)
  select currency, day, rate, source from before order by 1, 2;
  return null;
end $$;
-- A rate that gets another key would be a removal and an addition in disguise.
create function refuse_moved_rate() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  raise exception 'a rate keeps its currency and day' using errcode = 'check_violation', constraint = 'rate_keeps_its_day';
end $$;
create trigger keep_replaced after update on exchange_rates
  referencing old table as before new table as after for each statement execute function keep_replaced_rates();
create trigger keep_removed after delete on exchange_rates
  referencing old table as before for each statement execute function keep_removed_rates();
create trigger refuse_moved before update on exchange_rates
  for each row when ((old.currency, old.day) is distinct from (new.currency, new.day)) execute function refuse_moved_rate();
revoke execute on function keep_replaced_rates, keep_removed_rates, refuse_moved_rate from public;

-- For each pair the rate in force: that of the day or the latest before it, at most 10 days older (limits.rateAgeDaysMax), for there is none on weekends and
-- holidays. Both are null where there is none; never a guess, never a later one. One look into the index a pair.
create function rates_on(currencies text[], days date[])
  returns table (currency text, day date, rate numeric, rate_day date)
  language sql stable parallel safe as $$
  select w.currency, w.day, case when w.currency = 'EUR' then 1 else r.rate end, case when w.currency = 'EUR' then w.day else r.day end
  from unnest(currencies, days) with ordinality w (currency, day, nth)
  left join lateral (
    select r.rate, r.day from exchange_rates r
    where r.currency = w.currency and r.day between w.day - 10 and w.day
    order by r.day desc limit 1
  ) r on true
  order by w.nth
$$;

-- Every rate that is in force on some day from the first to the last: those of the days between, and the one in force on the first.
create function rates_between(currencies text[], first date, last date)
  returns table (currency text, day date, rate numeric)
  language sql stable parallel safe as $$
  select 'EUR', first, 1::numeric where 'EUR' = any (currencies)
  union all
  select w.currency, r.day, r.rate
  from (select distinct unnest(currencies) as currency) w
  join lateral (
    select r.day, r.rate from exchange_rates r
    where r.currency = w.currency and r.day <= last and r.day >= coalesce(
      (select max(o.day) from exchange_rates o where o.currency = w.currency and o.day between first - 10 and first), first)
  ) r on true
$$;
revoke execute on function rates_on, rates_between from public;
grant execute on function rates_on, rates_between to djinn_app, djinn_keeper;

grant select on exchange_rates to djinn_app;
grant select, insert, update, delete on exchange_rates to djinn_keeper;
grant select, insert on exchange_rate_corrections to djinn_keeper;

-- A rate is what its last correction made of it.
create view broken_rates with (security_invoker) as
  select c.currency, c.day, r.rate, c.new as corrected
  from (select distinct on (currency, day) currency, day, new from exchange_rate_corrections order by currency, day, id desc) c
  left join exchange_rates r on r.currency = c.currency and r.day = c.day
  where c.new is not null and r.rate is distinct from c.new;
grant select on broken_rates to djinn_keeper;
