-- Why: bank files are previewed, committed and undone as one batch; the preview is kept so that the commit does what it said.

create table imports (
  household_id uuid not null references households,
  id uuid not null,
  format text not null,
  file_name text,
  file_digest text not null,
  status text not null default 'previewed' check (status in ('previewed', 'committed', 'undone')),
  mapping jsonb,
  -- [{key, currency, label, accountId}]
  statements jsonb not null,
  warnings jsonb not null default '[]',
  summary jsonb not null,
  result jsonb,
  committed_at timestamptz,
  undone_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  revision bigint not null default 0,
  primary key (household_id, id)
);
create index imports_by_age on imports (household_id, created_at desc, id desc);

-- The file itself, until the import is committed: another mapping reads it again.
create table import_files (
  household_id uuid not null,
  import_id uuid not null,
  content bytea not null,
  primary key (household_id, import_id),
  foreign key (household_id, import_id) references imports (household_id, id) on delete cascade
);

create table import_rows (
  household_id uuid not null,
  import_id uuid not null,
  row integer not null,
  line integer not null,
  statement text not null,
  account_id uuid,
  status text not null check (status in ('new', 'duplicate', 'matched', 'error')),
  reason text,
  -- A duplicate by the bank's id, and so not one of those that are told by counting equal rows.
  known_by_id boolean not null default false,
  date date,
  amount bigint,
  payee text,
  raw_payee text,
  note text,
  external_id text,
  pending boolean not null default false,
  original_amount bigint,
  original_currency text,
  transaction_id uuid,
  -- The hand-written transaction that this row is, and what it was before the commit made it the bank's.
  match_id uuid,
  match_before jsonb,
  primary key (household_id, import_id, row),
  foreign key (household_id, import_id) references imports (household_id, id) on delete cascade
);
create index import_rows_by_match on import_rows (household_id, match_id) where match_id is not null;

alter table transactions add constraint transaction_import foreign key (household_id, import_id) references imports (household_id, id);
create index transactions_by_import on transactions (household_id, import_id) where import_id is not null;

select guard_household_table('imports', 'import');
select guard_tenancy('import_files');
select guard_tenancy('import_rows');
grant insert (household_id, id, format, file_name, file_digest, status, mapping, statements, warnings, summary),
  update (status, mapping, statements, warnings, summary, result, committed_at, undone_at, deleted_at, format) on imports to djinn_app;
grant insert, delete on import_files to djinn_app;
grant insert, update, delete on import_rows to djinn_app;

-- What two sendings of one entry have in common: banks pad, wrap and re-case the same words.
create function payee_key(raw text) returns text
  language sql immutable parallel safe
  return lower(regexp_replace(btrim(normalize(coalesce(raw, ''), NFKC)), '\s+', ' ', 'g'));

-- Marks each readable row of an import new, duplicate or matched against its account as it stands now. Statements in
-- `fresh` are judged for the first time; of the others, rows that the preview did not call new keep what it said.
-- Nested loops are off: the rows were written a moment ago, so the planner knows nothing of their number.
create function classify_import(household uuid, import uuid, fresh text[]) returns void
  language plpgsql set search_path = public, pg_temp set enable_nestloop = off as $$
declare
  pair record;
begin
  -- 1. The bank's own id, in the account or earlier in the file. What the user deleted counts, what an undo took back does not.
  with file as (
    select r.row, r.account_id, r.external_id, row_number() over (partition by r.account_id, r.external_id order by r.row) as nth
    from import_rows r
    where r.household_id = household and r.import_id = import and r.account_id is not null and r.external_id is not null
      and r.status in ('new', 'matched')
  ), kept as (
    select distinct t.source_account_id, t.external_id
    from transactions t left join imports i on i.household_id = t.household_id and i.id = t.import_id
    where t.household_id = household and t.source_account_id in (select account_id from file) and t.external_id is not null
      and (t.deleted_at is null or i.status is distinct from 'undone')
  ), found as (
    select f.row, f.external_id, k.external_id is not null as known
    from file f left join kept k on k.source_account_id = f.account_id and k.external_id = f.external_id
    where k.external_id is not null or f.nth > 1
  )
  update import_rows r set status = 'duplicate', match_id = null, known_by_id = true,
    reason = case when f.known then 'The account has the bank''s id ' || f.external_id || ' already.'
                  else 'The bank''s id ' || f.external_id || ' stands earlier in this file.' end
  from found f where r.household_id = household and r.import_id = import and r.row = f.row;

  -- 2. Equal (date, amount, raw payee) counted as a multiset: as many rows are duplicates as the account has of them.
  --    Two different ids of the bank are two entries, so rows with an id only count those without one.
  --    Duplicates that the preview found this way are counted again and come first, or new rows would take their place.
  with file as (
    select r.row, r.account_id, r.date, r.amount, payee_key(r.raw_payee) as payee, r.external_id is not null as named, r.status,
      row_number() over (partition by r.account_id, r.date, r.amount, payee_key(r.raw_payee), r.external_id is not null
        order by r.status <> 'duplicate', r.row) as nth,
      count(*) filter (where r.external_id is null)
        over (partition by r.account_id, r.date, r.amount, payee_key(r.raw_payee)) as unnamed_count
    from import_rows r
    where r.household_id = household and r.import_id = import and r.account_id is not null and r.status <> 'error' and not r.known_by_id
  ), span as (
    select account_id, min(date) as first_date, max(date) as last_date from file group by account_id
  ), kept as (
    select t.source_account_id as account_id, t.source_date as date, t.source_amount as amount, payee_key(t.raw_payee) as payee,
      count(*) filter (where t.external_id is not null) as named, count(*) filter (where t.external_id is null) as unnamed
    from span s
    join transactions t on t.household_id = household and t.source_account_id = s.account_id
      and t.source_date between s.first_date and s.last_date
    left join imports i on i.household_id = t.household_id and i.id = t.import_id
    where (t.deleted_at is null or i.status is distinct from 'undone')
      and not exists (select from import_rows e where e.household_id = household and e.import_id = import
                      and e.account_id = t.source_account_id and e.external_id = t.external_id)
    group by 1, 2, 3, 4
  )
  update import_rows r set status = 'duplicate', match_id = null,
    reason = 'The account has an equal entry of this day, amount and payee already.'
  from file f join kept k on k.account_id = f.account_id and k.date = f.date and k.amount = f.amount and k.payee = f.payee
  where r.household_id = household and r.import_id = import and r.row = f.row and f.status <> 'duplicate'
    and f.nth <= case when f.named then k.unnamed - greatest(f.unnamed_count - k.named, 0) else k.named + k.unnamed end;

  -- A match that is gone, changed or taken since the preview leaves its row new.
  update import_rows r set status = 'new', match_id = null, reason = null
  where r.household_id = household and r.import_id = import and r.status = 'matched' and not r.statement = any (fresh) and not exists (
    select from transactions t where t.household_id = household and t.id = r.match_id and t.account_id = r.account_id
      and t.amount = r.amount and t.deleted_at is null and t.source_account_id is null);

  -- 3. A transaction written by hand (of no bank) with the amount and within 3 days is the same one; the nearest first.
  for pair in
    select r.row, t.id, t.date
    from import_rows r
    join transactions t on t.household_id = household and t.account_id = r.account_id and t.amount = r.amount
    where r.household_id = household and r.import_id = import and r.status = 'new' and r.statement = any (fresh)
      and t.deleted_at is null and t.date between r.date - 3 and r.date + 3
      and t.source_account_id is null and t.status <> 'reconciled'
    order by abs(t.date - r.date), r.row, t.id
    limit 10000
  loop
    update import_rows r set status = 'matched', match_id = pair.id, reason = 'You wrote this one down on ' || pair.date || '.'
    where r.household_id = household and r.import_id = import and r.row = pair.row and r.status = 'new'
      and not exists (select from import_rows o where o.household_id = household and o.match_id = pair.id and o.import_id = import);
  end loop;
end $$;
