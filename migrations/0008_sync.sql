-- Why: phones keep a replica; each household keeps per kind a count and a digest by which a phone proves its copy equal.

grant create on schema public to djinn_keeper;

-- The first 8 bytes of SHA-256 of "<id>:<revision>": what one row adds to the digest of its kind.
create function row_digest(id uuid, revision bigint) returns bigint
  language sql immutable parallel safe
  return ('x' || encode(substring(sha256(convert_to(id::text || ':' || revision::text, 'UTF8')) from 1 for 8), 'hex'))::bit(64)::bigint;

-- Live rows by kind: how many, and the exclusive or of their digests, which no order changes.
create table replica_digests (
  household_id uuid not null references households,
  kind text not null,
  count bigint not null default 0,
  digest bigint not null default 0,
  primary key (household_id, kind)
) with (fillfactor = 50);
select guard_tenancy('replica_digests');

create function add_to_digest(told_kind text, more bigint, mixed bigint) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if more <> 0 or mixed <> 0 then
    insert into replica_digests as d (household_id, kind, count, digest) values (current_household(), told_kind, more, mixed)
      on conflict (household_id, kind) do update set count = d.count + excluded.count, digest = d.digest # excluded.digest;
  end if;
end $$;
revoke execute on function add_to_digest from public;

create function digest_insert() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  more bigint;
  mixed bigint;
begin
  select count(*), coalesce(bit_xor(row_digest(id, revision)), 0) into more, mixed from new_rows where deleted_at is null;
  perform add_to_digest(tg_argv[0], more, mixed);
  return null;
end $$;

create function digest_update() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  more bigint;
  mixed bigint;
begin
  select coalesce(sum(r.direction), 0), coalesce(bit_xor(row_digest(r.id, r.revision)), 0) into more, mixed
    from (select 1 as direction, id, revision from new_rows where deleted_at is null
          union all select -1, id, revision from old_rows where deleted_at is null) r;
  perform add_to_digest(tg_argv[0], more, mixed);
  return null;
end $$;

create function digest_delete() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  more bigint;
  mixed bigint;
begin
  select count(*), coalesce(bit_xor(row_digest(id, revision)), 0) into more, mixed from old_rows where deleted_at is null;
  perform add_to_digest(tg_argv[0], -more, mixed);
  return null;
end $$;

-- Makes a household table part of the replica under `kind`, the name that changes of it have in a sync answer.
create function guard_replica(guarded regclass, kind text) returns void
  language plpgsql as $$
begin
  execute format('create trigger digest_insert after insert on %s referencing new table as new_rows
    for each statement execute function digest_insert(%L)', guarded, kind);
  execute format('create trigger digest_update after update on %s referencing old table as old_rows new table as new_rows
    for each statement execute function digest_update(%L)', guarded, kind);
  execute format('create trigger digest_delete after delete on %s referencing old table as old_rows
    for each statement execute function digest_delete(%L)', guarded, kind);
  execute format('insert into replica_digests (household_id, kind, count, digest)
    select household_id, %L, count(*), bit_xor(row_digest(id, revision)) from %s where deleted_at is null group by 1', kind, guarded);
end $$;

select guard_replica('accounts', 'accounts');
select guard_replica('categories', 'categories');
select guard_replica('transactions', 'transactions');

-- A household holds so many live rows of a kind; the digests count them. Fires after digest_insert and digest_update.
create function keep_row_limit() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if (select d.count from replica_digests d where d.household_id = current_household() and d.kind = tg_argv[0]) > tg_argv[1]::bigint then
    perform refuse(tg_argv[0] || '_limit', 'there are as many as there may be');
  end if;
  return null;
end $$;
create trigger row_limit after insert or update on accounts for each statement execute function keep_row_limit('accounts', '500');
create trigger row_limit after insert or update on categories for each statement execute function keep_row_limit('categories', '1000');

-- Where the transaction's user stands in each of their households: one look-up answers a replica that is up to date.
create function sync_vector() returns table (household_id uuid, role text, revision bigint, forgotten_revision bigint,
    own_revision bigint, digests jsonb)
  language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  return query
    select m.household_id, m.role, r.revision, r.forgotten_revision, greatest(h.revision, m.revision),
      (select jsonb_object_agg(d.kind, jsonb_build_array(d.count, lpad(to_hex(d.digest), 16, '0')))
       from replica_digests d where d.household_id = m.household_id)
      || jsonb_build_object('households',
           jsonb_build_array(1, lpad(to_hex(row_digest(m.household_id, greatest(h.revision, m.revision))), 16, '0')))
    from memberships m
    join households h on h.household_id = m.household_id and h.deleted_at is null
    join revisions r on r.household_id = m.household_id
    where m.user_id = current_actor()
    order by m.household_id;
end $$;

create view broken_digests with (security_invoker) as
  with rows as (
    select household_id, 'accounts' as kind, id, revision from accounts where deleted_at is null
    union all select household_id, 'categories', id, revision from categories where deleted_at is null
    union all select household_id, 'transactions', id, revision from transactions where deleted_at is null
  ), naive as (
    select household_id, kind, count(*) as count, bit_xor(row_digest(id, revision)) as digest from rows group by 1, 2
  )
  select household_id, kind, naive.count as count_expected, kept.count
  from naive full join (select * from replica_digests where (count, digest) <> (0, 0)) kept using (household_id, kind)
  where (naive.count, naive.digest) is distinct from (kept.count, kept.digest);
grant select on broken_digests to djinn_keeper;

alter function add_to_digest owner to djinn_keeper;
alter function digest_insert owner to djinn_keeper;
alter function digest_update owner to djinn_keeper;
alter function digest_delete owner to djinn_keeper;
alter function keep_row_limit owner to djinn_keeper;
alter function sync_vector owner to djinn_keeper;
revoke execute on function digest_insert, digest_update, digest_delete, keep_row_limit from public;
revoke create on schema public from djinn_keeper;
