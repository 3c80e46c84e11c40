-- Why: when more machinery is worth its price is told from what was measured over weeks, and that has to outlive the processes that measured it.

-- What a process saw in five minutes, later in an hour: at most 1,250 rows a process, of 700 to 1,300 bytes, for 30 days.
create table evidence (
  -- Minutes of the epoch, by five.
  slot bigint not null,
  process uuid not null,
  minutes smallint not null check (minutes in (5, 60)),
  host text not null check (length(host) <= 255),
  measures jsonb not null check (pg_column_size(measures) <= 8192),
  primary key (slot, process)
);

-- What no machine can measure: whoever runs the service says it.
create table declared_facts (
  name text primary key check (length(name) <= 40),
  value numeric(10, 3) not null check (value between 0 and 1000000),
  declared_at timestamptz not null default now()
);
grant select, insert, update, delete on evidence, declared_facts to djinn_keeper;

-- What large tables take on disk and what their rows would take if packed anew, by the widths that ANALYZE saw; indexes and what lies outside of
-- the rows are not in it. Of the owner's right, because row-level security hides statistics of columns too.
create function table_bloat(bytes_min bigint, most integer) returns table (name text, bytes bigint, packed_bytes bigint)
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select case when n.nspname = 'public' then c.relname::text else n.nspname || '.' || c.relname end, pg_relation_size(c.oid),
    (8192 * ceil(c.reltuples * (28 + 8 * ceil(w.width / 8)) / 8168))::bigint
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  cross join lateral (
    select sum((1 - s.null_frac) * s.avg_width) as width from pg_stats s where s.schemaname = n.nspname and s.tablename = c.relname) w
  where n.nspname in ('public', 'graphile_worker') and c.relkind = 'r' and c.reltuples > 0 and w.width is not null
    and pg_relation_size(c.oid) >= bytes_min
  order by pg_relation_size(c.oid) - 8192 * ceil(c.reltuples * (28 + 8 * ceil(w.width / 8)) / 8168) desc limit most
$$;
revoke execute on function table_bloat from public;
grant execute on function table_bloat to djinn_keeper;
