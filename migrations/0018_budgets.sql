-- Why: what may be spent on a category in a period, what was, and who is told when a level of it is reached, in the transaction that reached it.

grant create on schema public to djinn_keeper;

create table budgets (
  household_id uuid not null references households,
  id uuid not null,
  category_id uuid not null,
  name text not null default '' check (length(name) <= 100),
  -- What holds now; `budget_amounts` has what held before.
  amount bigint not null constraint amount_in_range check (amount between 1 and 9007199254740991),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  period text not null check (period in ('weekly', 'monthly', 'yearly')),
  -- The first day of the first period; each next one begins a week, a month or a year later.
  starts_on date not null check (starts_on between '1900-01-01' and '2199-12-31'),
  rollover boolean not null default false,
  alert_levels integer[] not null default '{80,100}'
    check (cardinality(alert_levels) <= 10 and 1 <= all (alert_levels) and 1000 >= all (alert_levels)),
  note text not null default '' check (length(note) <= 2000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  revision bigint not null default 0,
  primary key (household_id, id),
  -- A category is forgotten 90 days after it was deleted, and a budget of it was deleted even earlier: both go.
  constraint budget_category foreign key (household_id, category_id) references categories (household_id, id) on delete cascade
);
create unique index budgets_one_a_period on budgets (household_id, category_id, period, currency) where deleted_at is null;
create index budgets_by_category on budgets (household_id, category_id);
create index budgets_by_revision on budgets (household_id, revision, id);
create index budgets_by_deletion on budgets (deleted_at) where deleted_at is not null;

-- The amount of a budget from a period on: a change leaves the periods before the current one as they were.
create table budget_amounts (
  household_id uuid not null,
  budget_id uuid not null,
  from_day date not null,
  amount bigint not null,
  primary key (household_id, budget_id, from_day),
  foreign key (household_id, budget_id) references budgets (household_id, id) on delete cascade
);

-- The levels that were reached, each once a period, with what was spent of how much at that moment.
create table budget_alerts (
  household_id uuid not null,
  budget_id uuid not null,
  period_start date not null,
  level integer not null,
  period_end date not null,
  spent bigint not null,
  available bigint not null,
  currency text not null,
  crossed_at timestamptz not null default now(),
  primary key (household_id, budget_id, period_start, level),
  foreign key (household_id, budget_id) references budgets (household_id, id) on delete cascade
);

select guard_household_table('budgets', 'budget');
select guard_tenancy('budget_amounts');
select guard_tenancy('budget_alerts');
select guard_replica('budgets', 'budgets');
create trigger row_limit after insert or update on budgets for each statement execute function keep_row_limit('budgets', '200');
grant insert (household_id, id, category_id, name, amount, currency, period, starts_on, rollover, alert_levels, note),
  update (category_id, name, amount, currency, period, starts_on, rollover, alert_levels, note, deleted_at) on budgets to djinn_app;

-- A budget reads the months and days of its categories; the primary key has them by day.
create index category_totals_by_category on category_totals (household_id, category_id, grain, period, currency);

-- Period 0 begins on starts_on. A day that a month has not becomes its last: 31 January, 28 February, 31 March.
create function budget_period_start(starts_on date, period text, number integer) returns date
  language sql immutable parallel safe
  return case period when 'weekly' then starts_on + 7 * number
    when 'monthly' then (starts_on + make_interval(months => number))::date
    else (starts_on + make_interval(years => number))::date end;

-- Whole months since starts_on: the last day of a short month completes one.
create function budget_period_number(starts_on date, period text, day date) returns integer
  language sql immutable parallel safe
  return case period when 'weekly' then floor((day - starts_on) / 7.0)
    else floor((12 * (extract(year from day) - extract(year from starts_on)) + extract(month from day) - extract(month from starts_on)
      - (extract(day from day) < extract(day from starts_on) and extract(day from day + 1) <> 1)::integer)
      / case period when 'monthly' then 1 else 12 end) end::integer;

-- Minor digits of ISO 4217, as src/values/currencies.ts has them.
create function minor_digits(currency text) returns integer
  language sql immutable parallel safe
  return case
    when currency in ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') then 0
    when currency in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 3
    when currency in ('CLF', 'UYW') then 4
    else 2 end;

-- Minor units in another currency, rounded once, half away from zero: the rule of src/values/conversion.ts. Rates are units for one euro.
create function convert_minor(amount numeric, from_currency text, to_currency text, from_rate numeric, to_rate numeric) returns numeric
  language sql immutable parallel safe
  return (
    select sign(amount) * div(2 * f.numerator + f.denominator, 2 * f.denominator)
    from (select abs(amount) * to_rate * 10::numeric ^ minor_digits(to_currency) as numerator,
      from_rate * 10::numeric ^ minor_digits(from_currency) as denominator) f);

-- What an answer can say of a sum: amounts stay within +-(2^53-1).
create function within_amounts(sum numeric) returns bigint
  language sql immutable parallel safe
  return least(greatest(sum, -9007199254740991), 9007199254740991)::bigint;

-- The figures of budgets for the periods that hold the days: what answers show and what alerts go by, so that the two cannot differ.
-- Spent is what went out less what came back, pending rows included, of the category and all below it. A day's money in another currency
-- is converted as one sum, by the rates of that day; where there are none it is left out and its currency is named.
-- Rolled over is what the periods before left or overspent, 60 at most, none before starts_on. Percent is rounded down; null when nothing was available.
-- Whole months are read as months and the days around them as days: 60 months cost 60 rows a category.
create function budget_figures(household uuid, asked_budgets uuid[], asked_days date[]) returns table (
    budget_id uuid, period_start date, period_end date, period_amount bigint, spent bigint, pending_spent bigint, rolled_over bigint,
    available bigint, remaining bigint, percent bigint, converted boolean, unconverted text[])
  -- Its plan is kept, perhaps from when the tables were small: it is to look into indexes all the same.
  language plpgsql stable set search_path = public, pg_temp set enable_seqscan = off as $$
#variable_conflict use_column
begin
  return query
  with recursive asked as materialized (
    select distinct b.id, b.category_id, b.currency, b.period, b.starts_on, b.rollover, n.number, greatest(0, n.number - 60) as carried_from
    from unnest(asked_budgets, asked_days) w (id, day)
    join budgets b on b.household_id = household and b.id = w.id
    cross join lateral (select budget_period_number(b.starts_on, b.period, w.day) as number) n
  ), tree (root, id) as (
    select distinct a.category_id, a.category_id from asked a
    union
    select t.root, c.id from tree t join categories c on c.household_id = household and c.parent_id = t.id
  ), parts as (
    select a.id, a.number, a.category_id, a.currency, false as carried, budget_period_start(a.starts_on, a.period, a.number) as first,
      budget_period_start(a.starts_on, a.period, a.number + 1) as next
    from asked a
    union all
    select a.id, a.number, a.category_id, a.currency, true, budget_period_start(a.starts_on, a.period, a.carried_from),
      budget_period_start(a.starts_on, a.period, a.number)
    from asked a where a.rollover and a.number > 0
  ), pieces as materialized (
    select p.id, p.number, p.category_id, p.currency, p.carried, x.grain, x.first, x.next
    from parts p
    cross join lateral (select date_trunc('month', p.first + interval '1 month' - interval '1 day')::date as first,
      date_trunc('month', p.next)::date as next) m
    cross join lateral (values ('month', m.first, m.next), ('day', p.first, case when m.first < m.next then m.first else p.next end),
      ('day', case when m.first < m.next then m.next end, p.next)) x (grain, first, next)
    where x.first < x.next
  ), found as materialized (
    select p.id, p.number, p.carried, p.currency as own, (c.period + interval '1 month')::date as next_month, c.*
    from pieces p
    join tree t on t.root = p.category_id
    -- Offset 0 keeps it a look into the index by all of its columns.
    cross join lateral (
      select c.* from category_totals c
      where c.household_id = household and c.category_id = t.id and c.grain = p.grain and c.period >= p.first and c.period < p.next offset 0
    ) c
  ), lines as (
    select f.id, f.number, f.carried, f.own, f.currency, f.period as day, f.inflow, f.outflow, f.pending_inflow, f.pending_outflow
    from found f where f.currency = f.own or f.grain = 'day'
    union all
    select f.id, f.number, f.carried, f.own, d.currency, d.period, d.inflow, d.outflow, d.pending_inflow, d.pending_outflow
    from found f
    cross join lateral (
      select d.* from category_totals d
      where d.household_id = household and d.category_id = f.category_id and d.grain = 'day' and d.currency = f.currency
        and d.period >= f.period and d.period < f.next_month offset 0
    ) d
    where f.currency <> f.own and f.grain = 'month'
  ), sums as (
    select l.id, l.number, l.carried, l.own, l.currency, case when l.currency <> l.own then l.day end as day,
      -sum(l.inflow + l.outflow + l.pending_inflow + l.pending_outflow) as spent, -sum(l.pending_inflow + l.pending_outflow) as pending
    from lines l group by 1, 2, 3, 4, 5, 6
  ), rated as (
    select s.*, own.rate as own_rate, other.rate as other_rate
    from sums s
    left join lateral rates_on(array[s.own], array[s.day]) own on s.currency <> s.own
    left join lateral rates_on(array[s.currency], array[s.day]) other on s.currency <> s.own
  ), totals as (
    select r.id, r.number,
      coalesce(sum(v.spent) filter (where not r.carried), 0) as spent, coalesce(sum(v.pending) filter (where not r.carried), 0) as pending,
      coalesce(sum(v.spent) filter (where r.carried), 0) as carried,
      bool_or(r.currency <> r.own) as converted, array_agg(distinct r.currency) filter (where v.spent is null and (r.spent, r.pending) <> (0, 0)) as unconverted
    from rated r
    cross join lateral (select
      case when r.currency = r.own then r.spent else convert_minor(r.spent, r.currency, r.own, r.other_rate, r.own_rate) end as spent,
      case when r.currency = r.own then r.pending else convert_minor(r.pending, r.currency, r.own, r.other_rate, r.own_rate) end as pending) v
    group by r.id, r.number
  ), funds as (
    -- Each amount holds from its period until that of the next; the first one also before.
    select a.id, a.number,
      coalesce(sum(m.amount) filter (where m.nth = m.held), min(m.amount) filter (where m.nth = 1)) as amount,
      coalesce(sum(m.amount::numeric * greatest(0, least(a.number, m.next) - greatest(a.carried_from, m.first)))
        filter (where a.rollover and a.number > 0), 0) as carried
    from asked a
    cross join lateral (
      select h.amount, h.nth, h.first, h.next, max(h.nth) filter (where h.first <= a.number) over () as held
      from (
        select b.amount, row_number() over w as nth, budget_period_number(a.starts_on, a.period, b.from_day) as first,
          coalesce(budget_period_number(a.starts_on, a.period, lead(b.from_day) over w), a.number + 1) as next
        from budget_amounts b where b.household_id = household and b.budget_id = a.id window w as (order by b.from_day)
      ) h
    ) m
    group by a.id, a.number
  )
  select a.id, greatest(budget_period_start(a.starts_on, a.period, a.number), '1900-01-01'),
    least(budget_period_start(a.starts_on, a.period, a.number + 1) - 1, '2199-12-31'), f.amount::bigint, x.spent,
    within_amounts(coalesce(t.pending, 0)), x.rolled_over, y.available, within_amounts(y.available::numeric - x.spent),
    case when y.available > 0 then within_amounts(div(greatest(x.spent, 0)::numeric * 100, y.available)) end, coalesce(t.converted, false), coalesce(t.unconverted, '{}')
  from asked a
  join funds f on f.id = a.id and f.number = a.number
  left join totals t on t.id = a.id and t.number = a.number
  cross join lateral (select within_amounts(coalesce(t.spent, 0)) as spent, within_amounts(f.carried - coalesce(t.carried, 0)) as rolled_over) x
  cross join lateral (select within_amounts(f.amount::numeric + x.rolled_over) as available) y;
end $$;
revoke execute on function budget_figures from public;
grant execute on function budget_figures to djinn_app, djinn_keeper;

-- Writes down the levels that budgets have reached in the periods of the days and had not before, and tells the household.
-- A level is reached when something was spent, and that is so many percent of what was available or more.
create function raise_budget_alerts(household uuid, asked_budgets uuid[], asked_days date[]) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  told record;
begin
  -- A household that is put back brings the levels that were told.
  if asked_budgets is null or is_restoring() then
    return;
  end if;
  for told in
    with crossed as (
      insert into budget_alerts as a (household_id, budget_id, period_start, level, period_end, spent, available, currency)
      select household, f.budget_id, f.period_start, l.level, f.period_end, f.spent, f.available, b.currency
      from budget_figures(household, asked_budgets, asked_days) f
      join budgets b on b.household_id = household and b.id = f.budget_id and b.deleted_at is null
      cross join unnest(b.alert_levels) l (level)
      where f.period_start >= b.starts_on and coalesce(f.percent >= l.level, f.spent > 0)
      on conflict do nothing
      returning a.*
    )
    select c.*, b.category_id from crossed c join budgets b on b.household_id = household and b.id = c.budget_id
    order by c.period_start, c.budget_id, c.level
  loop
    perform tell_members(household, 'budgetExceeded', 'budget:' || told.budget_id || ':' || told.period_start || ':' || told.level,
      jsonb_build_object('budgetId', told.budget_id, 'categoryId', told.category_id, 'level', told.level, 'spent', told.spent,
        'available', told.available, 'currency', told.currency,
        'period', jsonb_build_object('from', told.period_start, 'to', told.period_end)), null);
  end loop;
end $$;
revoke execute on function raise_budget_alerts from public;

-- Looks at every period of budgets in which there is money.
create function check_budgets(household uuid, asked_budgets uuid[]) returns void
  language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
declare
  ids uuid[];
  days date[];
begin
  with recursive tree (budget, starts_on, period, id) as (
    select b.id, b.starts_on, b.period, b.category_id from budgets b
    where b.household_id = household and b.id = any (asked_budgets) and b.deleted_at is null
    union
    select t.budget, t.starts_on, t.period, c.id from tree t join categories c on c.household_id = household and c.parent_id = t.id
  ), periods as (
    select distinct t.budget, budget_period_start(t.starts_on, t.period, budget_period_number(t.starts_on, t.period, c.period)) as day
    from tree t join category_totals c on c.household_id = household and c.category_id = t.id and c.grain = 'day' and c.period >= t.starts_on
  )
  select array_agg(budget), array_agg(day) into ids, days from periods;
  perform raise_budget_alerts(household, ids, days);
end $$;
revoke execute on function check_budgets from public;

-- Looks at the periods in which the written rows let a category's spending rise; with rollover, at those behind too.
create function keep_budget_alerts(before transactions[], after transactions[]) returns void
  language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
declare
  household uuid := current_household();
  ids uuid[];
  days date[];
begin
  with recursive rose as materialized (
    select l.category_id, r.date as day
    from (
      select -1 as direction, b.* from unnest(before) b where b.deleted_at is null and b.transfer_id is null
      union all
      select 1, n.* from unnest(after) n where n.deleted_at is null and n.transfer_id is null
    ) r cross join lateral book_lines(r.category_id, r.amount, r.splits) l
    group by l.category_id, r.date, r.currency having sum(r.direction * l.amount) < 0
  ), above (category_id, at) as (
    select distinct category_id, category_id from rose
    union
    select a.category_id, c.parent_id from above a
    join categories c on c.household_id = household and c.id = a.at where c.parent_id is not null
  ), met as (
    select distinct b.id, budget_period_number(b.starts_on, b.period, r.day) as number
    from above a
    join budgets b on b.household_id = household and b.category_id = a.at and b.deleted_at is null
    join rose r on r.category_id = a.category_id and r.day >= b.starts_on
  ), latest as (
    select max(c.period) as day from category_totals c where c.household_id = household and c.grain = 'day'
  ), periods as (
    select distinct b.id, b.alert_levels, budget_period_start(b.starts_on, b.period, n.number) as day
    from met m
    join budgets b on b.household_id = household and b.id = m.id
    cross join latest l
    cross join lateral generate_series(m.number, case when b.rollover
      then greatest(m.number, least(m.number + 60, budget_period_number(b.starts_on, b.period, l.day))) else m.number end) n (number)
  )
  select array_agg(p.id), array_agg(p.day) into ids, days from periods p
    where exists (select from unnest(p.alert_levels) w (level) where not exists (
      select from budget_alerts a where a.household_id = household and a.budget_id = p.id and a.period_start = p.day and a.level = w.level));
  perform raise_budget_alerts(household, ids, days);
end $$;
revoke execute on function keep_budget_alerts from public;

-- Named to fire after books_*: the rollups are those of the rows. A household without budgets pays one probe.
create function budgets_on_insert() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if exists (select from budgets b where b.household_id = current_household() and b.deleted_at is null) then
    perform keep_budget_alerts('{}', (select array_agg(r::transactions) from new_rows r));
  end if;
  return null;
end $$;
create function budgets_on_update() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if exists (select from budgets b where b.household_id = current_household() and b.deleted_at is null) then
    perform keep_budget_alerts((select array_agg(r::transactions) from old_rows r), (select array_agg(r::transactions) from new_rows r));
  end if;
  return null;
end $$;
create function budgets_on_delete() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if exists (select from budgets b where b.household_id = current_household() and b.deleted_at is null) then
    perform keep_budget_alerts((select array_agg(r::transactions) from old_rows r), '{}');
  end if;
  return null;
end $$;
create trigger budgets_insert after insert on transactions referencing new table as new_rows
  for each statement execute function budgets_on_insert();
create trigger budgets_update after update on transactions referencing old table as old_rows new table as new_rows
  for each statement execute function budgets_on_update();
create trigger budgets_delete after delete on transactions referencing old table as old_rows
  for each statement execute function budgets_on_delete();

-- A budget is of a live expense category. What a new one leaves out is the household's currency, and the period of its day.
create function keep_budget() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  spent_on categories;
begin
  new.currency := coalesce(new.currency, (select h.base_currency from households h where h.household_id = new.household_id));
  new.starts_on := coalesce(new.starts_on, date_trunc(
    case new.period when 'weekly' then 'week' when 'monthly' then 'month' else 'year' end, household_today(new.household_id))::date);
  new.alert_levels := (select coalesce(array_agg(distinct level order by level), '{}') from unnest(new.alert_levels) level);
  if new.deleted_at is null then
    select * into spent_on from categories c where c.household_id = new.household_id and c.id = new.category_id;
    if not found or spent_on.deleted_at is not null then
      perform refuse('budget_category', 'there is no such category');
    end if;
    if spent_on.kind <> 'expense' then
      perform refuse('budget_of_expenses', 'a budget is of an expense category');
    end if;
  end if;
  return new;
end $$;
create trigger b_keep before insert or update on budgets for each row execute function keep_budget();

-- A new amount holds from the current period on; a budget with other periods or another currency begins anew. Then what it means is told.
create function budget_changed() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  since date := new.starts_on;
begin
  -- A household that is put back brings the amounts that held when.
  if is_restoring() then
    return null;
  end if;
  if tg_op = 'INSERT' or (new.period, new.starts_on, new.currency) is distinct from (old.period, old.starts_on, old.currency)
     or new.amount <> old.amount then
    if tg_op = 'UPDATE' and (new.period, new.starts_on, new.currency) is not distinct from (old.period, old.starts_on, old.currency) then
      since := greatest(since, budget_period_start(new.starts_on, new.period,
        budget_period_number(new.starts_on, new.period, household_today(new.household_id))));
    else
      delete from budget_amounts a where a.household_id = new.household_id and a.budget_id = new.id;
    end if;
    delete from budget_amounts a where a.household_id = new.household_id and a.budget_id = new.id and a.from_day >= since;
    insert into budget_amounts (household_id, budget_id, from_day, amount) values (new.household_id, new.id, since, new.amount);
  end if;
  perform check_budgets(new.household_id, array[new.id]);
  return null;
end $$;
create trigger budget_made after insert on budgets for each row execute function budget_changed();
create trigger budget_changed after update of amount, category_id, currency, period, starts_on, rollover, alert_levels, deleted_at on budgets
  for each row execute function budget_changed();

-- A category that moves brings its spending to the budgets above it; one that got more back than went out takes that from those it leaves.
create function category_moved() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform check_budgets(new.household_id, (
    with recursive above (id) as (
      values (new.parent_id), (old.parent_id)
      union
      select c.parent_id from above a join categories c on c.household_id = new.household_id and c.id = a.id where c.parent_id is not null
    )
    select array_agg(b.id) from above a join budgets b on b.household_id = new.household_id and b.category_id = a.id and b.deleted_at is null));
  return null;
end $$;
create trigger category_moved after update of parent_id on categories for each row
  when (new.parent_id is distinct from old.parent_id) execute function category_moved();

-- A category with a budget is neither deleted nor made one of income.
create function category_stays_while_budgeted() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if exists (select from budgets b where b.household_id = new.household_id and b.category_id = new.id and b.deleted_at is null) then
    perform refuse(case when new.deleted_at is null then 'category_budgeted' else 'category_unused' end, 'the category has a budget');
  end if;
  return new;
end $$;
create trigger c_unbudgeted before update of deleted_at, kind on categories for each row
  when (new.deleted_at is not null and old.deleted_at is null or new.kind <> old.kind) execute function category_stays_while_budgeted();

-- Forgets up to `most` budgets that were deleted before then.
create function forget_budgets(before timestamptz, most integer) returns bigint
  language sql set search_path = public, pg_temp as $$
  with old as (
    select b.household_id, b.id from budgets b where b.deleted_at < before order by b.deleted_at limit most
  ), gone as (
    delete from budgets b using old o where b.household_id = o.household_id and b.id = o.id returning b.household_id, b.revision
  ), told as (
    update revisions r set forgotten_revision = greatest(r.forgotten_revision, g.revision)
    from (select household_id, max(revision) as revision from gone group by household_id) g where r.household_id = g.household_id
    returning 1
  )
  select (select count(*) from gone) + 0 * (select count(*) from told)
$$;
revoke execute on function forget_budgets from public;
grant execute on function forget_budgets to djinn_keeper;

-- A budget's amounts begin with its first period, each with a period, and end with what it says; every level that a period reached was told.
-- Levels are looked at where no rate is in play: one that comes later tells nothing by itself.
create view broken_budgets with (security_invoker) as
  select b.household_id, b.id as budget_id, 'amounts' as broken, null::date as period_start, null::integer as level
  from budgets b
  left join lateral (
    select min(a.from_day) as first, (array_agg(a.amount order by a.from_day desc))[1] as last,
      bool_and(a.amount > 0 and a.from_day = budget_period_start(b.starts_on, b.period, budget_period_number(b.starts_on, b.period, a.from_day))) as sound
    from budget_amounts a where a.household_id = b.household_id and a.budget_id = b.id
  ) m on true
  where (m.first, m.last, m.sound) is distinct from (b.starts_on, b.amount, true)
  union all
  select b.household_id, b.id, 'category', null, null
  from budgets b join categories c on c.household_id = b.household_id and c.id = b.category_id
  where b.deleted_at is null and (c.deleted_at is not null or c.kind <> 'expense')
  union all
  select p.household_id, p.id, 'untold', f.period_start, l.level
  from (
    select b.household_id, b.id, b.alert_levels, array_agg(d.day) as days
    from budgets b
    join lateral (select distinct c.period as day from category_totals c
                  where c.household_id = b.household_id and c.grain = 'day' and c.period >= b.starts_on) d on true
    where b.deleted_at is null
      and not exists (select from category_totals c where c.household_id = b.household_id and c.currency <> b.currency)
    group by b.household_id, b.id
  ) p
  cross join lateral budget_figures(p.household_id, array_fill(p.id, array[cardinality(p.days)]), p.days) f
  cross join lateral unnest(p.alert_levels) l (level)
  where coalesce(f.percent >= l.level, f.spent > 0) and not exists (
    select from budget_alerts a where a.household_id = p.household_id and a.budget_id = p.id and a.period_start = f.period_start and a.level = l.level);
grant select on broken_budgets to djinn_keeper;

alter function raise_budget_alerts owner to djinn_keeper;
alter function check_budgets owner to djinn_keeper;
alter function keep_budget_alerts owner to djinn_keeper;
alter function budgets_on_insert owner to djinn_keeper;
alter function budgets_on_update owner to djinn_keeper;
alter function budgets_on_delete owner to djinn_keeper;
alter function keep_budget owner to djinn_keeper;
alter function budget_changed owner to djinn_keeper;
alter function category_moved owner to djinn_keeper;
alter function category_stays_while_budgeted owner to djinn_keeper;
revoke execute on function budgets_on_insert, budgets_on_update, budgets_on_delete, keep_budget, budget_changed, category_moved,
  category_stays_while_budgeted from public;
revoke create on schema public from djinn_keeper;
