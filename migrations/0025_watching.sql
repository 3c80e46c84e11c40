-- Why: what is of the whole service is gathered by one process at a time, and who was active is counted over all of them.

-- Unlogged: after a crash of the database the next round writes them anew.
create unlogged table watchers (
  only_row boolean primary key default true check (only_row),
  process uuid not null,
  until timestamptz not null
);

-- Users seen in five minutes, as a sketch (HyperLogLog, 4,096 registers): it tells how many, and of nobody whether they are among them.
create unlogged table activity (
  slot bigint primary key,
  sketch bytea not null check (length(sketch) = 4096)
);
grant select, insert, update, delete on watchers, activity to djinn_keeper;

-- Statistics of statements lie where only the keeper looks. Who may not make the extension does without, and `docs/monitoring.md` says what to ask for.
create schema watching;
grant usage on schema watching to djinn_keeper;
do $$
begin
  create extension if not exists pg_stat_statements schema watching;
exception when insufficient_privilege or undefined_file or feature_not_supported then
  raise notice 'pg_stat_statements is not available: %', sqlerrm;
end $$;

-- The keeper counts what everybody runs, and asks where the data lie; it is nobody's login.
do $$
declare
  wanted text;
begin
  foreach wanted in array array['pg_read_all_stats', 'pg_read_all_settings'] loop
    if not pg_has_role('djinn_keeper', wanted, 'usage') then
      begin
        execute format('grant %I to djinn_keeper with inherit true', wanted);
      exception when insufficient_privilege or unique_violation or internal_error then
        -- Another database of the cluster granted it at this moment, or this login may not.
        raise notice '% was not granted to djinn_keeper: %', wanted, sqlerrm;
      end;
    end if;
  end loop;
end $$;

-- Statements of this database whose mean lies above `slow_ms`, by what they cost in all; nothing without the extension.
create function slow_statements(slow_ms integer, most integer)
  returns table (query text, calls bigint, mean_us bigint, total_us bigint)
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  home text;
begin
  select n.nspname into home from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements';
  if home is null then
    return;
  end if;
  return query execute format(
    'select left(s.query, 2000), s.calls, (s.mean_exec_time * 1000)::bigint, (s.total_exec_time * 1000)::bigint from %I.pg_stat_statements s
     where s.dbid = (select d.oid from pg_database d where d.datname = current_database()) and s.mean_exec_time > $1
     order by s.total_exec_time desc limit $2', home) using slow_ms, most;
exception when object_not_in_prerequisite_state then
  -- The extension is there and the server was started without its library.
  return;
end $$;
revoke execute on function slow_statements from public;
grant execute on function slow_statements to djinn_keeper;
