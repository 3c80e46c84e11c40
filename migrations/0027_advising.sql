-- Why: when more machinery is worth its price is told from what was measured over weeks, and that has to outlive the processes that measured it.

-- What a process saw in five minutes, later in an hour: at most 1,250 rows a process, of 500 to 900 bytes, for 30 days.
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
