-- Why: a bank's connector pushes transactions by itself, signed with a credential of one account, so that nobody has to import files.

grant create on schema public to djinn_keeper;

create table feeds (
  household_id uuid not null references households,
  id uuid not null,
  account_id uuid not null,
  name text not null check (length(name) between 1 and 100),
  paused boolean not null default false,
  -- Names the secret in use and is none itself, so the journal tells of every rotation.
  key_id text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  revision bigint not null default 0,
  primary key (household_id, id),
  constraint feed_account foreign key (household_id, account_id) references accounts (household_id, id)
);
create index feeds_by_account on feeds (household_id, account_id);

-- The secrets of a feed, sealed: the one in use, and those before it until their overlap ends. A deleted feed has none.
create table feed_keys (
  household_id uuid not null,
  feed_id uuid not null,
  key_id text not null unique,
  secret bytea not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  primary key (household_id, feed_id, key_id),
  foreign key (household_id, feed_id) references feeds (household_id, id) on delete cascade
);

-- Signatures that were accepted, until their moment is too old to be accepted anyway.
create table feed_signatures (
  household_id uuid not null,
  feed_id uuid not null,
  signature bytea not null,
  signed_at timestamptz not null,
  primary key (household_id, feed_id, signature),
  foreign key (household_id, feed_id) references feeds (household_id, id) on delete cascade
);
create index feed_signatures_by_age on feed_signatures (signed_at);

-- What came of a feed. Beside it, so that a push with nothing new neither raises the revision nor wakes a phone.
create table feed_usage (
  household_id uuid not null,
  feed_id uuid not null,
  last_push_at timestamptz not null default now(),
  pushes bigint not null default 0,
  created bigint not null default 0,
  updated bigint not null default 0,
  removed bigint not null default 0,
  primary key (household_id, feed_id),
  foreign key (household_id, feed_id) references feeds (household_id, id) on delete cascade
);

-- Every id by which the feeds of an account named a transaction, those it had while pending among them, and what was said of it last:
-- a payee or note that is still the said one follows the bank, another one is a rule's or a person's.
create table feed_rows (
  household_id uuid not null,
  account_id uuid not null,
  external_id text not null check (length(external_id) between 1 and 255),
  transaction_id uuid not null,
  -- The feed made it, took over one typed by hand, or met one that a file had brought.
  origin text not null check (origin in ('made', 'adopted', 'met')),
  status text not null check (status in ('pending', 'posted')),
  payee text not null,
  note text not null,
  -- When the bank took a pending entry back; equal to the transaction's deletion unless it was restored since.
  withdrawn_at timestamptz,
  primary key (household_id, account_id, external_id),
  foreign key (household_id, transaction_id) references transactions (household_id, id) on delete cascade
);
create index feed_rows_by_transaction on feed_rows (household_id, transaction_id);
-- Each push looks for its ids among all rows of the account, deleted ones too, which the unique index leaves out.
create index transactions_by_external_id on transactions (household_id, source_account_id, external_id) where external_id is not null;

select guard_household_table('feeds', 'feed');
select guard_tenancy('feed_keys');
select guard_tenancy('feed_signatures');
select guard_tenancy('feed_usage');
select guard_tenancy('feed_rows');
grant insert (household_id, id, account_id, name, paused, key_id), update (name, paused, key_id, deleted_at) on feeds to djinn_app;
-- Who may write a secret need not read it back: one is given out by feed_credential() to whoever names it.
revoke select on feed_keys from djinn_app;
grant select (household_id, feed_id, key_id, created_at, expires_at), insert (household_id, feed_id, key_id, secret), update (expires_at), delete
  on feed_keys to djinn_app;
grant insert (household_id, feed_id, pushes, created, updated, removed), update (last_push_at, pushes, created, updated, removed)
  on feed_usage to djinn_app;
grant insert, update, delete on feed_rows to djinn_app;

-- A feed is of an account that takes transactions.
create function keep_feed() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
declare
  account accounts;
begin
  select * into account from accounts where household_id = new.household_id and id = new.account_id;
  if account.id is null or account.deleted_at is not null then
    perform refuse('feed_account', 'there is no such account');
  elsif account.closed_at is not null then
    perform refuse('account_open', 'the account is closed');
  end if;
  return new;
end $$;
create trigger b_keep before insert on feeds for each row execute function keep_feed();

create function keep_feed_limit() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if (select count(*) from feeds f where f.household_id = current_household() and f.deleted_at is null) > 100 then
    perform refuse('feeds_limit', 'there are as many as there may be');
  end if;
  return null;
end $$;
create trigger z_limit after insert or update on feeds for each statement execute function keep_feed_limit();

-- The audit trail names feeds, deleted ones too, so their accounts are not forgotten either: the sweep of what is old passes over them.
create function keep_account_of_feed() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  return case when exists (select from feeds f where f.household_id = old.household_id and f.account_id = old.id) then null else old end;
end $$;
create trigger a_feed before delete on accounts for each row execute function keep_account_of_feed();

-- Before a household is known: the one sealed secret that a live feed and a key of it name.
create function feed_credential(feed uuid, key text) returns table (household_id uuid, secret bytea)
  language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  return query
    select k.household_id, k.secret
    from feed_keys k join feeds f on f.household_id = k.household_id and f.id = k.feed_id
      join households h on h.household_id = f.household_id and h.deleted_at is null
    where k.key_id = key and k.feed_id = feed and f.deleted_at is null and (k.expires_at is null or k.expires_at > now());
end $$;

-- Opens a push in its household: takes the place of its writer, looks again at what may have changed since the signature was
-- checked, and remembers the signature in this transaction. The revision is raised by the first row that is written, if any is.
create function open_push(feed uuid, key text, given_signature bytea, given_at timestamptz, out standing text, out currency text)
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  household uuid := current_household();
  found_feed feeds;
  account accounts;
begin
  perform from revisions r where r.household_id = household for update;
  -- Three times as long as a moment is accepted: clocks of processes differ.
  delete from feed_signatures s where s.household_id = household and s.feed_id = feed and s.signed_at < now() - interval '15 minutes';
  select f.* into found_feed from feeds f join feed_keys k on k.household_id = f.household_id and k.feed_id = f.id
    join households h on h.household_id = f.household_id and h.deleted_at is null
    where f.household_id = household and f.id = feed and f.deleted_at is null and k.key_id = key
      and (k.expires_at is null or k.expires_at > now());
  if not found then
    standing := 'gone';
    return;
  end if;
  insert into feed_signatures (household_id, feed_id, signature, signed_at) values (household, feed, given_signature, given_at)
    on conflict do nothing;
  if not found then
    standing := 'replayed';
    return;
  end if;
  select * into account from accounts a where a.household_id = household and a.id = found_feed.account_id;
  currency := account.currency;
  standing := case when found_feed.paused then 'paused' when account.deleted_at is not null then 'accountGone'
                   when account.closed_at is not null then 'accountClosed' else 'open' end;
end $$;

-- What an undo of its import or the bank itself took back, and so may come again; what a person deleted may not.
create function is_taken_back(t transactions) returns boolean
  language sql stable set search_path = public, pg_temp as $$
  select t.deleted_at is not null and (
    exists (select from imports i where i.household_id = t.household_id and i.id = t.import_id and i.status = 'undone')
    or exists (select from feed_rows f where f.household_id = t.household_id and f.transaction_id = t.id and f.withdrawn_at = t.deleted_at))
$$;

-- Whether the ids of an account's feeds are those that its files give too, or an aggregator's own: then they say nothing of each other.
create function feed_ids_are_the_banks(household uuid, account uuid) returns boolean
  language sql stable set search_path = public, pg_temp as $$
  select exists (
    select from feed_rows f join transactions t on t.household_id = f.household_id and t.id = f.transaction_id
    where f.household_id = household and f.account_id = account and t.import_id is not null and t.external_id = f.external_id)
$$;

-- As before (0005), and knows what feeds brought: every id that a feed gave a transaction, and that an aggregator's id is not the bank's,
-- so that a file counts such a row as one without an id.
create or replace function classify_import(household uuid, import uuid, fresh text[]) returns void
  language plpgsql set search_path = public, pg_temp set enable_nestloop = off as $$
declare
  pair record;
begin
  -- 1. The bank's own id, in the account or earlier in the file. What the user deleted counts, what was taken back does not.
  with file as (
    select r.row, r.account_id, r.external_id, row_number() over (partition by r.account_id, r.external_id order by r.row) as nth
    from import_rows r
    where r.household_id = household and r.import_id = import and r.account_id is not null and r.external_id is not null
      and r.status in ('new', 'matched')
  ), kept as (
    select t.source_account_id, t.external_id
    from transactions t
    where t.household_id = household and t.source_account_id in (select account_id from file) and t.external_id is not null
      and (t.deleted_at is null or not is_taken_back(t))
    union
    select f.account_id, f.external_id
    from feed_rows f join transactions t on t.household_id = f.household_id and t.id = f.transaction_id
    where f.household_id = household and f.account_id in (select account_id from file) and (t.deleted_at is null or not is_taken_back(t))
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
    select account_id, min(date) as first_date, max(date) as last_date, feed_ids_are_the_banks(household, account_id) as shared
    from file group by account_id
  ), kept as (
    select t.source_account_id as account_id, t.source_date as date, t.source_amount as amount, payee_key(t.raw_payee) as payee,
      count(*) filter (where named.by_bank) as named, count(*) filter (where not named.by_bank) as unnamed
    from span s
    join transactions t on t.household_id = household and t.source_account_id = s.account_id
      and t.source_date between s.first_date and s.last_date
    cross join lateral (select t.external_id is not null and (s.shared or not exists (
      select from feed_rows f where f.household_id = household and f.account_id = s.account_id and f.external_id = t.external_id)) as by_bank) named
    where (t.deleted_at is null or not is_taken_back(t))
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

-- As before (0009), and what a feed brought is told to all members: none of them did it.
create or replace function tell_transactions() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  actor uuid := current_actor();
  household uuid := current_household();
  teller jsonb := jsonb_build_object('actorId', actor);
  told record;
begin
  if actor is null then
    select jsonb_build_object('feedId', f.id) into teller from feeds f
      where f.household_id = household and f.id = nullif(current_setting('djinn.device', true), '')::uuid;
    if not found then
      return null;
    end if;
  -- Most households have one member: one look-up is all that it costs them.
  elsif not exists (select from memberships m where m.household_id = household and m.user_id <> actor) then
    return null;
  end if;
  for told in
    with single as (
      select n.*, count(*) over () as many from new_rows n
      where n.import_id is null and n.transfer_id is null and n.deleted_at is null
    )
    select 'transaction:' || s.id as key, jsonb_build_object('kind', 'transaction', 'transactionId', s.id, 'accountId', s.account_id,
        'date', s.date, 'amount', s.amount, 'currency', s.currency, 'payee', s.payee) as data
      from single s where s.many <= 10
    union all
    select 'transactions:' || max(s.revision), jsonb_build_object('kind', 'transactions', 'count', count(*))
      from single s where s.many > 10 having count(*) > 0
    union all
    select 'import:' || n.import_id, jsonb_build_object('kind', 'import', 'importId', n.import_id, 'count', count(*))
      from new_rows n where n.import_id is not null and n.deleted_at is null group by n.import_id
    union all
    select 'transfer:' || n.transfer_id, jsonb_build_object('kind', 'transfer', 'transferId', n.transfer_id, 'transactionId', n.id,
        'accountId', n.account_id, 'date', n.date, 'amount', n.amount, 'currency', n.currency)
      from new_rows n where n.transfer_side = 'to' and n.deleted_at is null
  loop
    perform tell_members(household, 'transactionReceived', told.key, told.data || teller, actor);
  end loop;
  return null;
end $$;

-- A live feed has exactly one secret without an end, the one that it names; a deleted feed has none; none is ahead of its household.
create view broken_feeds with (security_invoker) as
  select f.household_id, f.id as feed_id
  from feeds f
  left join (select household_id, feed_id, count(*) as keys, array_agg(key_id) filter (where expires_at is null) as lasting
             from feed_keys group by 1, 2) k on k.household_id = f.household_id and k.feed_id = f.id
  left join revisions r on r.household_id = f.household_id
  where f.deleted_at is null and k.lasting is distinct from array[f.key_id]
     or f.deleted_at is not null and k.keys is not null
     or f.revision not between 1 and coalesce(r.revision, 0);
grant select on broken_feeds to djinn_keeper;

alter function keep_feed_limit owner to djinn_keeper;
alter function keep_account_of_feed owner to djinn_keeper;
alter function feed_credential owner to djinn_keeper;
alter function open_push owner to djinn_keeper;
revoke execute on function keep_feed_limit, keep_account_of_feed, feed_credential, open_push from public;
grant execute on function feed_credential, open_push to djinn_app;
revoke create on schema public from djinn_keeper;
