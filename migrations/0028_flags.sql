-- Why: an operator switches parts of the service while it runs, on every process within the second, and who did it is kept.

grant create on schema public to djinn_keeper;

-- A flag that is not here has its default, which the code declares together with the names.
create table flags (
  name text primary key check (name ~ '^[a-zA-Z]{1,40}$'),
  value text not null check (value ~ '^[a-z]{1,20}$|^[0-9]{1,2}([.][0-9]{1,2})?%$')
);

-- Who changed what, when, from what to what; a null stands for the default.
create table flag_changes (
  number bigint generated always as identity primary key,
  name text not null,
  old_value text,
  new_value text,
  changed_by text not null check (length(changed_by) between 1 and 200),
  reason text check (length(reason) between 1 and 500),
  changed_at timestamptz not null default clock_timestamp(),
  check (old_value is distinct from new_value)
);
create index flag_changes_by_name on flag_changes (name, number);

grant select on flags to djinn_app;
grant select, insert, update, delete on flags to djinn_keeper;
grant select, insert on flag_changes to djinn_keeper;

-- Keeps the change and tells every process, whatever made it: psql too, which says who by djinn.operator or else by its login.
create function keep_flag_change() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if tg_op = 'UPDATE' and (old.name <> new.name) then
    raise exception 'a flag keeps its name' using errcode = 'integrity_constraint_violation';
  end if;
  if tg_op <> 'UPDATE' or old.value <> new.value then
    insert into flag_changes (name, old_value, new_value, changed_by, reason)
      values (coalesce(new.name, old.name), old.value, new.value,
        coalesce(nullif(current_setting('djinn.operator', true), ''), session_user),
        nullif(current_setting('djinn.reason', true), ''));
    perform pg_notify('djinn_flags', coalesce(new.name, old.name));
  end if;
  return null;
end $$;
revoke execute on function keep_flag_change from public;
alter function keep_flag_change owner to djinn_keeper;
create trigger keep_change after insert or update or delete on flags for each row execute function keep_flag_change();

create function refuse_flag_rewrite() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  raise exception 'changes of flags are kept as they were' using errcode = 'integrity_constraint_violation';
end $$;
create trigger append_only before update or delete or truncate on flag_changes for each statement execute function refuse_flag_rewrite();
-- Row by row it is told; a truncate would be silent.
create trigger no_truncate before truncate on flags for each statement execute function refuse_flag_rewrite();

-- Each flag is what its last change made of it, and each change began where the one before ended.
create view broken_flags with (security_invoker) as
  select coalesce(f.name, c.name) as name, f.value, c.new_value as last_change
  from flags f
  full join (select distinct on (name) name, new_value from flag_changes order by name, number desc) c on c.name = f.name
  where f.value is distinct from c.new_value
  union all
  select c.name, c.old_value, c.before
  from (select name, old_value, lag(new_value) over (partition by name order by number) as before from flag_changes) c
  where c.old_value is distinct from c.before;
grant select on broken_flags to djinn_keeper;

-- Whether somebody of this address, who has no account yet, could accept the invitation.
create function invitation_is_open(household uuid, wanted_hash bytea, address_key text) returns boolean
  language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  return exists (
    select from invitation_tokens t
    join open_invitations o on o.household_id = t.household_id and o.id = t.invitation_id
    join households h on h.household_id = t.household_id and h.deleted_at is null
    where t.household_id = household and t.hash = wanted_hash and (o.email_key is null or o.email_key = address_key));
end $$;
revoke execute on function invitation_is_open from public;
grant execute on function invitation_is_open to djinn_app;
alter function invitation_is_open owner to djinn_keeper;

revoke create on schema public from djinn_keeper;
