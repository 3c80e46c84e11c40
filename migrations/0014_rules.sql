-- Why: rules name and categorise what banks send, on arrival and over history; a run over history can be looked at beforehand and undone.

grant create on schema public to djinn_keeper;

-- What texts are compared as: without case, and alike however the same letters were encoded. ASCII is normal as it is:
-- 150,000 texts took 68 ms in place of 322.
create function rule_text(value text) returns text
  language sql immutable parallel safe
  return coalesce(case when octet_length(value) = length(value) then lower(value) else lower(normalize(value, NFKC)) end, '');

create function is_amount(value jsonb) returns boolean
  language sql immutable parallel safe
  return case jsonb_typeof(value) when 'number'
    then value::numeric = trunc(value::numeric) and abs(value::numeric) <= 9007199254740991 else false end;

create function is_condition(c jsonb) returns boolean
  language sql immutable parallel safe
  return coalesce(case
    when c ->> 'field' in ('payee', 'rawPayee', 'note') then c ->> 'operator' in ('is', 'contains', 'startsWith', 'endsWith')
      and jsonb_typeof(c -> 'value') = 'string' and length(c ->> 'value') between 1 and 200
    when c ->> 'field' = 'amount' and c ->> 'operator' = 'between' then is_amount(c -> 'value' -> 'min') and is_amount(c -> 'value' -> 'max')
    when c ->> 'field' = 'amount' then c ->> 'operator' in ('is', 'atLeast', 'atMost') and is_amount(c -> 'value')
    when c ->> 'field' = 'account' then c ->> 'operator' = 'is' and c ->> 'value' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
  end, false);

create function are_conditions(conditions jsonb) returns boolean
  language sql immutable parallel safe
  return case jsonb_typeof(conditions) when 'array'
    then jsonb_array_length(conditions) between 1 and 20
      and not exists (select from jsonb_array_elements(conditions) c where not is_condition(c))
    else false end;

create table rules (
  household_id uuid not null references households,
  id uuid not null,
  name text not null check (length(name) between 1 and 100),
  position integer not null check (position > 0),
  enabled boolean not null default true,
  match text not null check (match in ('all', 'any')),
  -- [{field, operator, value}]
  conditions jsonb not null constraint rule_conditions check (are_conditions(conditions)),
  -- {categoryId?, payee?, note?}
  actions jsonb not null constraint rule_actions check (
    jsonb_typeof(actions) = 'object' and actions ?| array['categoryId', 'payee', 'note'] and jsonb_strip_nulls(actions) = actions
    and coalesce(length(actions ->> 'payee') between 1 and 200, true) and coalesce(length(actions ->> 'note') between 1 and 2000, true)),
  -- What a foreign key can hold on to.
  category_id uuid generated always as ((actions ->> 'categoryId')::uuid) stored,
  stop boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  revision bigint not null default 0,
  primary key (household_id, id),
  -- A live rule's category is alive, so only a rule that was deleted earlier goes with a category that is forgotten.
  constraint rule_category foreign key (household_id, category_id) references categories (household_id, id) on delete cascade,
  -- The order is total; deferred, since a rule that moves and those that make room for it are written one after the other.
  constraint rule_position exclude using btree (household_id with =, position with =) where (deleted_at is null)
    deferrable initially deferred
);
create index rules_by_revision on rules (household_id, revision, id);
create index rules_by_category on rules (household_id, category_id) where category_id is not null;
create index rules_by_deletion on rules (deleted_at) where deleted_at is not null;

-- What a run over history was asked and what it came to.
create table rule_runs (
  household_id uuid not null references households,
  id uuid not null,
  -- Null were all that are enabled.
  rule_ids uuid[],
  from_date date,
  to_date date,
  account_id uuid,
  examined bigint not null default 0,
  matched bigint not null default 0,
  changed bigint not null default 0,
  -- [{ruleId, matched, changed}]
  per_rule jsonb not null default '[]',
  undone_at timestamptz,
  undone bigint,
  kept bigint,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  revision bigint not null default 0,
  primary key (household_id, id),
  foreign key (household_id, account_id) references accounts (household_id, id) on delete cascade
);
create index rule_runs_by_age on rule_runs (created_at);

-- What the run changed of a row; a field without an `after` was left alone.
create table rule_run_changes (
  household_id uuid not null,
  run_id uuid not null,
  transaction_id uuid not null,
  rule_ids uuid[] not null,
  category_before uuid,
  category_after uuid,
  payee_before text,
  payee_after text,
  note_before text,
  note_after text,
  primary key (household_id, run_id, transaction_id),
  foreign key (household_id, run_id) references rule_runs (household_id, id) on delete cascade,
  foreign key (household_id, transaction_id) references transactions (household_id, id) on delete cascade
);
create index rule_run_changes_by_transaction on rule_run_changes (household_id, transaction_id);

select guard_household_table('rules', 'rule');
select guard_replica('rules', 'rules');
create trigger row_limit after insert or update on rules for each statement execute function keep_row_limit('rules', '500');
-- Runs are reports: what they did to the ledger is told in the journal row by row.
select guard_tenancy('rule_runs');
create trigger a_stamp before insert or update on rule_runs for each row execute function stamp_row();
select guard_tenancy('rule_run_changes');

-- When it was made, and that it was deleted, is part of a household's document.
grant insert (household_id, id, name, position, enabled, match, conditions, actions, stop, created_at, deleted_at),
  update (name, position, enabled, match, conditions, actions, stop, deleted_at) on rules to djinn_app;
grant insert (household_id, id, rule_ids, from_date, to_date, account_id), update (examined, matched, changed, per_rule, undone_at, undone, kept),
  delete on rule_runs to djinn_app;
grant insert on rule_run_changes to djinn_app;

-- The accounts that conditions name.
create function rule_accounts(conditions jsonb) returns setof uuid
  language sql immutable parallel safe
begin atomic
  select (c ->> 'value')::uuid from jsonb_array_elements(conditions) c where c ->> 'field' = 'account';
end;

-- A live rule names only what is there.
create function keep_rule() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  if new.category_id is not null and not exists (
    select from categories c where c.household_id = new.household_id and c.id = new.category_id and c.deleted_at is null) then
    perform refuse('rule_category', 'there is no such category');
  end if;
  if exists (select from rule_accounts(new.conditions) named where not exists (
    select from accounts a where a.household_id = new.household_id and a.id = named and a.deleted_at is null)) then
    perform refuse('rule_account', 'there is no such account');
  end if;
  return null;
end $$;
-- After the row is written: a generated column has its value only then.
create trigger c_keep after insert or update of conditions, actions, deleted_at on rules for each row
  when (new.deleted_at is null) execute function keep_rule();

create function category_stays_while_ruled() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  if exists (select from rules r where r.household_id = new.household_id and r.category_id = new.id and r.deleted_at is null) then
    perform refuse('category_unruled', 'a rule sets the category');
  end if;
  return new;
end $$;
create trigger c_unruled before update of deleted_at on categories for each row
  when (new.deleted_at is not null and old.deleted_at is null) execute function category_stays_while_ruled();

create function account_stays_while_ruled() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  if exists (select from rules r, rule_accounts(r.conditions) named
             where r.household_id = new.household_id and r.deleted_at is null and named = new.id) then
    perform refuse('account_unruled', 'a rule looks for the account');
  end if;
  return new;
end $$;
create trigger c_unruled before update of deleted_at on accounts for each row
  when (new.deleted_at is not null and old.deleted_at is null) execute function account_stays_while_ruled();

-- One condition as SQL over the columns that rule_outcomes gives it. Everything that a person chose is a quoted literal, and no
-- text is a pattern: neither LIKE nor a regular expression, so that no value can make the search long.
create function condition_sql(c jsonb) returns text
  language sql immutable
begin atomic
  select case
    when c ->> 'field' = 'amount' and c ->> 'operator' = 'between' then
      format('amount between %s and %s', (c -> 'value' -> 'min')::bigint, (c -> 'value' -> 'max')::bigint)
    when c ->> 'field' = 'amount' then
      format('amount %s %s', case c ->> 'operator' when 'is' then '=' when 'atLeast' then '>=' when 'atMost' then '<=' end, (c -> 'value')::bigint)
    when c ->> 'field' = 'account' then format('account_id = %L::uuid', (c ->> 'value')::uuid)
    else format(case c ->> 'operator'
        when 'is' then '%1$I = %2$L'
        when 'contains' then 'strpos(%1$I, %2$L) > 0'
        when 'startsWith' then 'starts_with(%1$I, %2$L)'
        when 'endsWith' then 'right(%1$I, %3$s) = %2$L'
      end, case c ->> 'field' when 'payee' then 'payee_text' when 'rawPayee' then 'raw_payee_text' when 'note' then 'note_text' end,
      rule_text(c ->> 'value'), length(rule_text(c ->> 'value')))
  end;
end;

-- The rules {id, match, conditions, actions, stop} tried, in their order, on up to `most` live rows behind the id `after`. Of each
-- row: the rules that matched up to one that stops, counted from 1; what changes, null where nothing does, and by which rule.
-- The conditions become one expression that PostgreSQL evaluates in a single pass over the rows.
create function rule_outcomes(household uuid, rules jsonb, scope jsonb, after uuid, most integer)
  returns table (id uuid, matched integer[], category_by integer, category_after uuid, payee_by integer, payee_after text,
    note_by integer, note_after text, category_before uuid, payee_before text, note_before text, date date, amount bigint)
  language plpgsql stable set search_path = public, pg_temp set jit = off as $$
declare
  columns text;
  matches text;
  stops text;
  setters text[];
begin
  with rule as (
    select r.nth, r.rule, coalesce((r.rule ->> 'stop')::boolean, false) as stop,
      (select string_agg(condition_sql(c), case r.rule ->> 'match' when 'all' then ' and ' else ' or ' end)
       from jsonb_array_elements(r.rule -> 'conditions') c) as condition
    from jsonb_array_elements(rules) with ordinality r (rule, nth)
  )
  select string_agg(format('(%s) as m%s', condition, nth), ', '),
    string_agg(format('case when m%1$s then %1$s end', nth), ', ' order by nth),
    string_agg(format('when m%1$s then %1$s', nth), ' ' order by nth) filter (where stop),
    array[
      string_agg(format('when m%s then %s', nth, case when rule -> 'actions' ? 'categoryId' then nth::text else 'null' end), ' ' order by nth)
        filter (where stop or rule -> 'actions' ? 'categoryId'),
      string_agg(format('when %s then %L::uuid', nth, (rule -> 'actions' ->> 'categoryId')::uuid), ' ') filter (where rule -> 'actions' ? 'categoryId'),
      string_agg(format('when m%s then %s', nth, case when rule -> 'actions' ? 'payee' then nth::text else 'null' end), ' ' order by nth)
        filter (where stop or rule -> 'actions' ? 'payee'),
      string_agg(format('when %s then %L', nth, rule -> 'actions' ->> 'payee'), ' ') filter (where rule -> 'actions' ? 'payee'),
      string_agg(format('when m%s then %s', nth, case when rule -> 'actions' ? 'note' then nth::text else 'null' end), ' ' order by nth)
        filter (where stop or rule -> 'actions' ? 'note'),
      string_agg(format('when %s then %L', nth, rule -> 'actions' ->> 'note'), ' ') filter (where rule -> 'actions' ? 'note')]
    into columns, matches, stops, setters
    from rule;
  if columns is null then
    return;
  end if;
  for position in 1..6 loop
    setters[position] := coalesce('case ' || case when position % 2 = 0 then (array['category', 'payee', 'note'])[position / 2] || '_by ' else '' end
      || setters[position] || ' end', 'null');
  end loop;
  return query execute format($q$
    select s.id, case when s.stopped_by is null then s.matched else array(select m from unnest(s.matched) m where m <= s.stopped_by) end,
      case when category_changes then s.category_by end, case when category_changes then s.category_after end,
      case when payee_changes then s.payee_by end, case when payee_changes then s.payee_after end,
      case when note_changes then s.note_by end, case when note_changes then s.note_after end,
      s.category_id, s.payee, s.note, s.date, s.amount
    from (
      select d.*,
        d.category_after is distinct from d.category_id and d.category_after is not null and d.splits is null
          and not 'category_id' = any(d.edited_fields) as category_changes,
        d.payee_after <> d.payee and not 'payee' = any(d.edited_fields) as payee_changes,
        d.note_after <> d.note and not 'note' = any(d.edited_fields) as note_changes
      from (
        select b.*, (%s)::uuid as category_after, (%s)::text as payee_after, (%s)::text as note_after
        from (
          select x.*, array_remove(array[%s]::integer[], null) as matched, (%s)::integer as stopped_by,
            (%s)::integer as category_by, (%s)::integer as payee_by, (%s)::integer as note_by
          from (
            select f.*, %s
            from (
              select t.*, rule_text(t.payee) as payee_text, rule_text(t.raw_payee) as raw_payee_text, rule_text(t.note) as note_text
              from transactions t
              where t.household_id = $1 and t.deleted_at is null and t.transfer_id is null %s
              order by t.id limit $3
            ) f offset 0
          ) x offset 0
        ) b offset 0
      ) d
    ) s$q$,
    setters[2], setters[4], setters[6], matches, coalesce('case ' || stops || ' end', 'null'), setters[1], setters[3], setters[5], columns,
    concat_ws(' ', case when after is not null then 'and t.id > $2' end,
      case when scope ? 'from' then 'and t.date >= ($4 ->> ''from'')::date' end,
      case when scope ? 'to' then 'and t.date <= ($4 ->> ''to'')::date' end,
      case when scope ? 'accountId' then 'and t.account_id = ($4 ->> ''accountId'')::uuid' end,
      case when scope ? 'importId' then 'and t.import_id = ($4 ->> ''importId'')::uuid' end,
      case when scope ? 'transactionIds' then 'and t.id in (select jsonb_array_elements_text($4 -> ''transactionIds'')::uuid)' end))
    using household, after, most, scope;
end $$;

-- As before, but each row is made JSON and compared once, which the `offset 0` hold: the planner made three of the comparison. It was
-- three quarters of what a run over many rows takes, and is half of that now.
create or replace function journal_update() returns trigger
  language plpgsql security definer set search_path = public, pg_temp set enable_nestloop = off as $$
begin
  perform append_journal(tg_argv[0], (
    select array_agg(jsonb_build_object('id', c.id, 'changes', c.changes, 'operation',
      case when not c.changes ? 'deleted_at' then 'update'
           when c.changes -> 'deleted_at' -> 1 = 'null' then 'restore' else 'delete' end) order by c.id)
    from (
      select n.id, changed_columns(o.told, n.told) as changes
      from (select r.j ->> tg_argv[1] as id, told_columns(r.j) as told from (select to_jsonb(x) as j from new_rows x offset 0) r offset 0) n
      join (select r.j ->> tg_argv[1] as id, told_columns(r.j) as told from (select to_jsonb(x) as j from old_rows x offset 0) r offset 0) o
        on o.id = n.id
      offset 0
    ) c where c.changes <> '{}'));
  return null;
end $$;

-- Forgets up to `most` rules that were deleted before then, and remembers up to which revision deletions can no longer be told.
create function forget_rules(before timestamptz, most integer) returns bigint
  language plpgsql set search_path = public, pg_temp as $$
declare
  forgotten bigint;
begin
  with gone as (
    delete from rules r using (
      select o.household_id, o.id from rules o where o.deleted_at < before order by o.deleted_at limit most
    ) old where r.household_id = old.household_id and r.id = old.id
    returning r.household_id, r.revision
  ), told as (
    update revisions r set forgotten_revision = greatest(r.forgotten_revision, g.revision)
    from (select household_id, max(revision) as revision from gone group by household_id) g where r.household_id = g.household_id
    returning 1
  )
  select count(*) + 0 * (select count(*) from told) into forgotten from gone;
  return forgotten;
end $$;
revoke execute on function forget_rules from public;
grant execute on function forget_rules to djinn_keeper;

create view broken_rules with (security_invoker) as
  select r.household_id, r.id as rule_id, 'category' as missing
  from rules r left join categories c on c.household_id = r.household_id and c.id = r.category_id
  where r.deleted_at is null and r.category_id is not null and (c.id is null or c.deleted_at is not null)
  union all
  select r.household_id, r.id, 'account'
  from rules r cross join lateral rule_accounts(r.conditions) named
  left join accounts a on a.household_id = r.household_id and a.id = named
  where r.deleted_at is null and (a.id is null or a.deleted_at is not null);

grant select on broken_rules to djinn_keeper;
revoke create on schema public from djinn_keeper;
