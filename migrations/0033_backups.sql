-- Why: whoever runs the service sees how old the last backup and the last drill are, and whom a restored database has to forget again.

grant create on schema public to djinn_keeper;

-- What was made and what was tried, each when it had succeeded: a base backup, or a drill that restored and proved one.
create table backups (
  id uuid primary key,
  kind text not null check (kind in ('base', 'drill')),
  base text not null check (length(base) <= 40),
  started_at timestamptz not null,
  finished_at timestamptz not null check (finished_at >= started_at),
  bytes bigint not null check (bytes >= 0),
  stored_bytes bigint check (stored_bytes >= 0),
  encrypted boolean not null,
  duration_ms bigint not null check (duration_ms >= 0)
);
create index backups_by_kind on backups (kind, finished_at);
grant select, insert, delete on backups to djinn_keeper;

-- Who was erased for good, by ids that stand for nobody any more; of households their own rows say so. Both are copied beside the backups, which are
-- older and still know them.
create table erasures (
  user_id uuid primary key,
  erased_at timestamptz not null default now()
);
create index erasures_by_time on erasures (erased_at, user_id);
create index households_by_end on households ((greatest(deleted_at, erased_at)), household_id) where deleted_at is not null;
grant select, insert on erasures to djinn_keeper;

-- As before (0021), and it is noted whom a restored database has to forget.
create or replace function erase_user() returns table (household uuid)
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
  insert into erasures (user_id) values (actor) on conflict do nothing;
  delete from invitations i where i.email_key = own_key;
  delete from email_requests r where r.email_key = own_key;
  delete from users u where u.id = actor;
end $$;

-- Erases again what a restored database has from before; answers the households that are then to be erased step by step. What others share with a
-- person who was its only owner at that moment goes to the member who may do most and joined first: it had another owner when the person left.
create function erase_again(gone_kind text, gone uuid) returns table (household uuid)
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  shared uuid;
begin
  if gone_kind = 'household' then
    if exists (select from households h where h.household_id = gone and h.erased_at is null) then
      perform set_config('djinn.household', gone::text, true);
      perform raise_revision(gone);
      update households h set deleted_at = now() where h.household_id = gone and h.deleted_at is null;
      delete from memberships m where m.household_id = gone;
      household := gone;
      return next;
    end if;
    return;
  end if;
  if not exists (select from users u where u.id = gone) then
    return;
  end if;
  perform set_config('djinn.user', gone::text, true);
  for shared in
    select m.household_id from memberships m where m.user_id = gone and m.role = 'owner'
      and exists (select from memberships o where o.household_id = m.household_id and o.user_id <> gone)
      and not exists (select from memberships o where o.household_id = m.household_id and o.user_id <> gone and o.role = 'owner')
    order by 1
  loop
    perform set_config('djinn.household', shared::text, true);
    perform raise_revision(shared);
    update memberships m set role = 'owner' where m.household_id = shared and m.user_id = (
      select o.user_id from memberships o where o.household_id = shared and o.user_id <> gone
      order by array_position(array['editor', 'viewer'], o.role), o.created_at, o.user_id limit 1);
  end loop;
  return query select e.household from erase_user() e;
end $$;

-- A restored database counts its revisions again, so whatever was handed out for the old count is of another history from now on. Brought back to an
-- earlier moment it would also know sessions that were ended since, so all of them end.
create function begin_new_history(end_sessions boolean) returns bigint
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  ended bigint := 0;
begin
  update installation set epoch = gen_random_uuid();
  if end_sessions then
    update sessions set revoked_at = now(), revoked_reason = 'restored' where revoked_at is null;
    get diagnostics ended = row_count;
  end if;
  return ended;
end $$;

revoke execute on function erase_again, begin_new_history from public;
grant execute on function erase_again, begin_new_history to djinn_keeper;
grant update (role) on memberships to djinn_keeper;
alter function erase_again owner to djinn_keeper;
revoke create on schema public from djinn_keeper;
