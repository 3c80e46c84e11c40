-- Why: people and households are erased for good; the audit trail keeps its chain and loses its words.

grant create on schema public to djinn_keeper;

-- Erases the transaction's user and answers the households that nobody belongs to any more: they are deleted, and queued to be erased.
-- A household of others has to keep an owner (household_has_owner).
create function erase_user() returns table (household uuid)
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  actor uuid := current_actor();
  own_key text;
begin
  select u.email_key into own_key from users u where u.id = actor;
  -- In the order of ids, as everybody who holds several households does, so that nobody waits for each other.
  for household in select m.household_id from memberships m where m.user_id = actor order by 1 loop
    perform set_config('djinn.household', household::text, true);
    perform raise_revision(household);
    if not exists (select from memberships m where m.household_id = household and m.user_id <> actor) then
      update households h set deleted_at = now() where h.household_id = household and h.deleted_at is null;
      perform enqueue('eraseHousehold', jsonb_build_object('household', household), 'erase:' || household);
      return next;
    end if;
    delete from memberships m where m.household_id = household and m.user_id = actor;
  end loop;
  delete from invitations i where i.email_key = own_key;
  delete from email_requests r where r.email_key = own_key;
  delete from users u where u.id = actor;
end $$;
revoke execute on function erase_user from public;
grant execute on function erase_user to djinn_app;

-- Which of the transaction's user's households others belong to and nobody else owns.
create function orphaned_households(wanted uuid) returns table (id uuid, name text)
  language sql stable security definer set search_path = public, pg_temp as $$
  select h.household_id, h.name from memberships m join households h on h.household_id = m.household_id and h.deleted_at is null
  where m.user_id = wanted and wanted = current_actor() and m.role = 'owner'
    and exists (select from memberships o where o.household_id = m.household_id and o.user_id <> wanted)
    and not exists (select from memberships o where o.household_id = m.household_id and o.user_id <> wanted and o.role = 'owner')
$$;
revoke execute on function orphaned_households from public;
grant execute on function orphaned_households to djinn_app;

-- When nothing was left of a household but its chain.
alter table households add column erased_at timestamptz;

-- The tables of households in an order in which nothing is deleted before what refers to it; what is only derived, and so refers to nothing,
-- comes last. Read from the catalog, so that no table is forgotten.
create function household_tables() returns table (name text)
  language sql stable set search_path = public, pg_temp as $$
  with recursive tables as (
    select c.oid from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'household_id' and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname not in ('households', 'revisions', 'journal')
  ), keys as (
    select k.conrelid as child, k.confrelid as parent from pg_constraint k
    where k.contype = 'f' and k.conrelid <> k.confrelid and k.conrelid in (select oid from tables) and k.confrelid in (select oid from tables)
  ), depths as (
    select oid, 0 as depth from tables
    union
    select k.parent, d.depth + 1 from depths d join keys k on k.child = d.oid
  )
  select d.oid::regclass::text from depths d group by d.oid
  order by not exists (select from keys k where d.oid in (k.child, k.parent)), max(d.depth), 1
$$;

-- Erases up to so many rows of a household that nobody belongs to, or can restore any more; whether anything is left. The trail keeps its entries
-- and hashes without what they say. Called until nothing is left, each time in a transaction of its own.
create function erase_household(household uuid, most integer) returns boolean
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  erased_table text;
  erased bigint;
begin
  if household is distinct from current_household() then
    raise exception 'the transaction is not in this household' using errcode = 'insufficient_privilege';
  end if;
  if not exists (select from households h where h.household_id = household
                 and (h.deleted_at < now() - interval '30 days'
                      or h.deleted_at is not null and not exists (select from memberships m where m.household_id = household))) then
    raise exception 'the household is in use' using errcode = 'insufficient_privilege';
  end if;
  perform raise_revision(household);
  for erased_table in select name from household_tables() loop
    execute format('delete from %I where ctid = any(array(select ctid from %I where household_id = $1 limit $2))', erased_table, erased_table)
      using household, most;
    get diagnostics erased = row_count;
    if erased > 0 then
      return true;
    end if;
  end loop;
  update journal j set changes = null, salt = null
    where j.household_id = household and j.number in (
      select e.number from journal e where e.household_id = household and e.changes is not null order by e.number limit most);
  get diagnostics erased = row_count;
  if erased > 0 then
    return true;
  end if;
  update households h set name = 'Erased', erased_at = now() where h.household_id = household and h.erased_at is null;
  update journal j set changes = null, salt = null
    where j.household_id = household and j.number = (select r.entries from revisions r where r.household_id = household);
  return false;
end $$;
revoke execute on function erase_household from public;
grant execute on function erase_household to djinn_keeper;
create index households_to_erase on households (deleted_at) where deleted_at is not null and erased_at is null;
grant delete on users, email_requests to djinn_keeper;

alter function orphaned_households owner to djinn_keeper;
alter function erase_user owner to djinn_keeper;
alter function household_tables owner to djinn_keeper;
alter function erase_household owner to djinn_keeper;
revoke create on schema public from djinn_keeper;
