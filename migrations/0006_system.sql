-- Why: institutions and the mobile configuration are the operator's to replace; everything else of the system data ships with the code.

create table system_data (
  name text primary key check (name in ('institutions', 'categories', 'currencies', 'countries', 'timezones', 'config/mobile')),
  content jsonb not null,
  updated_at timestamptz not null default now()
);
grant select on system_data to djinn_app, djinn_keeper;

create function tell_system_data() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  perform pg_notify('djinn_system', coalesce(new.name, old.name));
  return null;
end $$;
create trigger tell_system_data after insert or update or delete on system_data for each row execute function tell_system_data();
