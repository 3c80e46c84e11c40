-- Why: the two roles, the tenant, its one revision, and the journal that every household-owned table writes.

-- djinn_app is what requests run as: no DDL, no BYPASSRLS, and only the rows of the household set in the transaction.
-- djinn_keeper owns the functions that keep the books; nobody logs in as it.
do $$
declare
  wanted text;
begin
  foreach wanted in array array['djinn_app', 'djinn_keeper'] loop
    if not exists (select from pg_roles where rolname = wanted) then
      begin
        execute format('create role %I nologin nosuperuser nocreatedb nocreaterole noinherit nobypassrls', wanted);
      exception when duplicate_object or unique_violation then
        -- Another database of the cluster made it at this moment: advisory locks are of one database.
        null;
      end;
    end if;
    if not pg_has_role(current_user, wanted, 'set') then
      execute format('grant %I to current_user', wanted);
    end if;
  end loop;
end $$;

grant usage on schema public to djinn_app, djinn_keeper;
-- Giving a function away needs CREATE on its schema; the last migration step takes it back.
grant create on schema public to djinn_keeper;

create table installation (
  only_row boolean primary key default true check (only_row),
  -- Signs list cursors, so that a cursor made by hand or for another list is refused.
  cursor_secret bytea not null default decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'),
  -- Part of every entity tag: a database restored from a backup counts its revisions again.
  epoch uuid not null default gen_random_uuid(),
  created_at timestamptz not null default now()
);
insert into installation default values;
grant select on installation to djinn_app, djinn_keeper;

create table households (
  household_id uuid primary key,
  name text not null check (length(name) between 1 and 100),
  base_currency text not null check (base_currency ~ '^[A-Z]{3}$'),
  time_zone text not null check (length(time_zone) between 1 and 64),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  revision bigint not null default 0
);

-- The hot row of a household: raised once by every write transaction, under its lock. Narrow, so that updates stay HOT.
create table revisions (
  -- Deferred: a household's first write raises its revision before its own row is there.
  household_id uuid primary key references households deferrable initially deferred,
  revision bigint not null default 0 check (revision between 0 and 9007199254740991),
  raised_by xid8,
  raised_at timestamptz not null default now(),
  -- Deletions up to this revision are forgotten: a replica that is older must start anew.
  forgotten_revision bigint not null default 0,
  entries bigint not null default 0,
  head bytea not null default '\x'
) with (fillfactor = 50);

-- Change feed, audit trail and outbox in one: who changed what, from which value to which, when, in which request.
create table journal (
  household_id uuid not null references households deferrable initially deferred,
  number bigint not null,
  revision bigint not null,
  kind text not null,
  entity_id uuid not null,
  operation text not null check (operation in ('create', 'update', 'delete', 'restore')),
  -- create: {column: value}; otherwise {column: [before, after]}. Null once erased; the digest keeps the chain whole.
  changes jsonb,
  salt bytea,
  changes_digest bytea not null,
  actor_id uuid,
  device_id uuid,
  request_id text,
  at timestamptz not null,
  previous_hash bytea not null,
  hash bytea not null,
  primary key (household_id, number)
);
create index journal_by_entity on journal (household_id, entity_id, number);

create function current_household() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('djinn.household', true), '')::uuid;

create function current_actor() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('djinn.user', true), '')::uuid;

-- Raises the revision of the transaction's household, once however often it is called, and answers it.
-- The row lock makes the order of revisions the order of commits.
create function raise_revision(household uuid) returns bigint
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  current revisions;
begin
  if household is distinct from current_household() then
    raise exception 'the transaction is not in this household' using errcode = 'insufficient_privilege';
  end if;
  select * into current from revisions where household_id = household;
  if current.raised_by = pg_current_xact_id() then
    return current.revision;
  end if;
  update revisions set revision = revisions.revision + 1, raised_by = pg_current_xact_id(), raised_at = now()
    where household_id = household returning * into current;
  if not found then
    insert into revisions (household_id, revision, raised_by) values (household, 1, pg_current_xact_id()) returning * into current;
  end if;
  return current.revision;
end $$;

-- What every read asks for together with its settings: the revision and the second it was raised in. plpgsql keeps its plan.
create function household_state(household uuid) returns bigint[]
  language plpgsql stable strict security definer set search_path = public, pg_temp as $$
begin
  return (select array[r.revision, floor(extract(epoch from r.raised_at))::bigint] from revisions r where r.household_id = household);
end $$;

-- The same of several households in one statement, for requests that ask for nothing else.
create function household_revisions(households uuid[]) returns table (household_id uuid, revision bigint)
  language plpgsql stable strict security definer set search_path = public, pg_temp as $$
begin
  return query select r.household_id, r.revision from revisions r where r.household_id = any(households);
end $$;

-- Stamps each written row with the revision of its transaction.
create function stamp_row() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  new.revision := raise_revision(new.household_id);
  new.updated_at := now();
  return new;
end $$;

-- hash(n) = sha256(hash(n-1) || content(n)). Strict with no initial value: the first input, the old head, is the start.
create function chain_next(previous bytea, content bytea) returns bytea
  language sql immutable strict parallel safe
  return sha256(previous || content);
create aggregate chain(bytea) (sfunc = chain_next, stype = bytea);

-- The columns of a change that say something: not the stamps, nor what the database derives.
create function told_columns(row_json jsonb) returns jsonb
  language sql immutable parallel safe
  return row_json - array['household_id', 'id', 'revision', 'created_at', 'updated_at', 'balance', 'pending_balance',
                          'edited_fields'];

create function changed_columns(old_json jsonb, new_json jsonb) returns jsonb
  language sql immutable parallel safe
  return (select coalesce(jsonb_object_agg(n.key, jsonb_build_array(old_json -> n.key, n.value)), '{}')
          from jsonb_each(new_json) n where n.value is distinct from old_json -> n.key);

-- What an entry's hash covers besides the hash before it; `djinn verify` computes it again.
create function entry_content(e journal) returns bytea
  language sql immutable
  return convert_to(concat_ws('|', e.household_id, e.number, e.revision, e.kind, e.entity_id, e.operation,
    encode(e.changes_digest, 'hex'), coalesce(e.actor_id::text, '-'), coalesce(e.device_id::text, '-'),
    coalesce('r' || e.request_id, '-'), (extract(epoch from e.at) * 1000000)::bigint), 'UTF8');

create function digest_of_changes(salt bytea, changes jsonb) returns bytea
  language sql immutable
  return sha256(salt || convert_to(changes::text, 'UTF8'));

-- Appends entries for the changed rows of one statement, chained after the household's head.
create function append_journal(told_kind text, told jsonb[]) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  household uuid := current_household();
  head revisions;
begin
  if coalesce(cardinality(told), 0) = 0 then
    return;
  end if;
  select * into strict head from revisions where household_id = household;
  with drafts as (
    select row (household, head.entries + t.ordinality, head.revision, told_kind, (t.entry ->> 'id')::uuid,
      t.entry ->> 'operation', t.entry -> 'changes', s.salt, digest_of_changes(s.salt, t.entry -> 'changes'),
      current_actor(), nullif(current_setting('djinn.device', true), '')::uuid,
      nullif(current_setting('djinn.request', true), ''), now(), null, null)::journal as e
    from unnest(told) with ordinality as t (entry, ordinality),
      lateral (select decode(replace((gen_random_uuid())::text, '-', ''), 'hex') as salt where t.ordinality > 0) s
  ), hashed as (
    select (x.e).*, chain(x.content) over (order by x.position rows between unbounded preceding and current row) as link, x.position
    from (
      select null::journal as e, head.head as content, 0::bigint as position
      union all select d.e, entry_content(d.e), (d.e).number from drafts d
    ) x
  ), linked as (
    select h.*, lag(h.link) over (order by h.position) as previous_link from hashed h
  ), written as (
    insert into journal (household_id, number, revision, kind, entity_id, operation, changes, salt, changes_digest,
      actor_id, device_id, request_id, at, previous_hash, hash)
    select l.household_id, l.number, l.revision, l.kind, l.entity_id, l.operation, l.changes, l.salt, l.changes_digest,
      l.actor_id, l.device_id, l.request_id, l.at, l.previous_link, l.link
    from linked l where l.position > 0
    returning number, hash
  )
  update revisions r set entries = w.number, head = w.hash
  from (select number, hash from written order by number desc limit 1) w
  where r.household_id = household;
end $$;
revoke execute on function append_journal from public;

create function journal_insert() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform append_journal(tg_argv[0], (
    select array_agg(jsonb_build_object('id', n.j ->> tg_argv[1], 'operation', 'create',
      'changes', jsonb_strip_nulls(told_columns(n.j))) order by n.j ->> tg_argv[1])
    from (select to_jsonb(r) as j from new_rows r) n));
  return null;
end $$;

-- The plan is kept from when few rows changed; a nested loop of it would take the square of the rows of a bulk change.
create function journal_update() returns trigger
  language plpgsql security definer set search_path = public, pg_temp set enable_nestloop = off as $$
begin
  perform append_journal(tg_argv[0], (
    select array_agg(jsonb_build_object('id', c.id, 'changes', c.changes, 'operation',
      case when not c.changes ? 'deleted_at' then 'update'
           when c.changes -> 'deleted_at' -> 1 = 'null' then 'restore' else 'delete' end) order by c.id)
    from (
      select n.j ->> tg_argv[1] as id,
        changed_columns(told_columns(o.j), told_columns(n.j)) as changes
      from (select to_jsonb(r) as j from new_rows r) n
      join (select to_jsonb(r) as j from old_rows r) o on o.j ->> tg_argv[1] = n.j ->> tg_argv[1]
    ) c where c.changes <> '{}'));
  return null;
end $$;

create function journal_delete() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform append_journal(tg_argv[0], (
    select array_agg(jsonb_build_object('id', o.j ->> tg_argv[1], 'operation', 'delete',
      'changes', jsonb_strip_nulls(told_columns(o.j))) order by o.j ->> tg_argv[1])
    from (select to_jsonb(r) as j from old_rows r) o
    -- Forgetting what was deleted long ago is no change of the household's.
    where o.j ->> 'deleted_at' is null));
  return null;
end $$;

-- Forces row-level security on a table: the app sees and writes the transaction's household only, and nothing without one.
create function guard_tenancy(guarded regclass) returns void
  language plpgsql as $$
begin
  execute format('alter table %s enable row level security', guarded);
  execute format('alter table %s force row level security', guarded);
  execute format($f$create policy tenant on %s to djinn_app
    using (household_id = nullif(current_setting('djinn.household', true), '')::uuid)
    with check (household_id = nullif(current_setting('djinn.household', true), '')::uuid)$f$, guarded);
  execute format('create policy keeper on %s to djinn_keeper using (true) with check (true)', guarded);
  execute format('grant select, insert, update, delete on %s to djinn_keeper', guarded);
  execute format('grant select on %s to djinn_app', guarded);
end $$;

-- The same, and every write is stamped with the revision and told in the journal as `kind`, keyed by `key_column`.
create function guard_household_table(guarded regclass, kind text, key_column text default 'id') returns void
  language plpgsql as $$
begin
  perform guard_tenancy(guarded);
  execute format('create trigger a_stamp before insert or update on %s for each row execute function stamp_row()', guarded);
  execute format('create trigger journal_insert after insert on %s referencing new table as new_rows
    for each statement execute function journal_insert(%L, %L)', guarded, kind, key_column);
  execute format('create trigger journal_update after update on %s referencing old table as old_rows new table as new_rows
    for each statement execute function journal_update(%L, %L)', guarded, kind, key_column);
  execute format('create trigger journal_delete after delete on %s referencing old table as old_rows
    for each statement execute function journal_delete(%L, %L)', guarded, kind, key_column);
end $$;

select guard_household_table('households', 'household', 'household_id');
select guard_tenancy('revisions');
select guard_tenancy('journal');
grant insert (household_id, name, base_currency, time_zone), update (name, base_currency, time_zone, deleted_at)
  on households to djinn_app;

alter function raise_revision owner to djinn_keeper;
alter function household_state owner to djinn_keeper;
alter function household_revisions owner to djinn_keeper;
alter function append_journal owner to djinn_keeper;
alter function journal_insert owner to djinn_keeper;
alter function journal_update owner to djinn_keeper;
alter function journal_delete owner to djinn_keeper;

-- A trigger needs no right to its function when it fires, only when it is made: the app could make one on a temporary table.
revoke execute on function journal_insert, journal_update, journal_delete from public;
