-- Why: people, their sessions and who belongs to which household; secrets are stored as hashes only.

create table users (
  id uuid primary key,
  email text not null,
  -- Trimmed, NFKC, lower case: what makes two addresses the same person's.
  email_key text not null unique,
  password_hash text not null,
  display_name text not null default '',
  locale text,
  tier text not null default 'standard' check (tier in ('standard', 'premium')),
  preferences jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- One sign-in on one device, and the family of its refresh tokens.
create table sessions (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  device_name text,
  access_hash bytea not null unique,
  access_expires_at timestamptz not null,
  refresh_expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz not null default now(),
  revoked_at timestamptz,
  revoked_reason text
);
create index sessions_by_user on sessions (user_id) where revoked_at is null;

-- Every refresh token a session ever had: a used one that comes back later than the retry window is a theft.
create table refresh_tokens (
  hash bytea primary key,
  session_id uuid not null references sessions on delete cascade,
  issued_at timestamptz not null default now(),
  used_at timestamptz,
  -- The successor is derived from the old token and this nonce, so that a lost answer can be given again though only hashes are kept.
  successor_nonce bytea
);
create index refresh_tokens_by_session on refresh_tokens (session_id);

-- Sign-ups waiting for their mailed link, and recoveries: written alike for known and unknown addresses.
create table email_requests (
  id uuid primary key,
  purpose text not null check (purpose in ('confirm', 'recover')),
  email text not null,
  email_key text not null,
  -- What the sign-up asked for, its password already hashed.
  draft jsonb,
  created_at timestamptz not null default now(),
  handled_at timestamptz
);
create index email_requests_waiting on email_requests (created_at) where handled_at is null;

create table email_links (
  hash bytea primary key,
  request_id uuid not null references email_requests on delete cascade,
  purpose text not null,
  user_id uuid references users on delete cascade,
  expires_at timestamptz not null,
  used_at timestamptz
);

create table memberships (
  household_id uuid not null references households,
  user_id uuid not null references users on delete cascade,
  role text not null check (role in ('owner', 'editor', 'viewer')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  revision bigint not null default 0,
  primary key (household_id, user_id)
);
create index memberships_by_user on memberships (user_id);
select guard_household_table('memberships', 'member', 'user_id');
-- A session knows all the households of its user, so there is an end to them.
create function keep_membership_limit() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if (select count(*) from memberships m where m.user_id = new.user_id) > 50 then
    raise exception 'a user belongs to at most 50 households' using errcode = 'check_violation', constraint = 'memberships_limit';
  end if;
  return null;
end $$;
alter function keep_membership_limit owner to djinn_keeper;
revoke execute on function keep_membership_limit from public;
create trigger z_limit after insert on memberships for each row execute function keep_membership_limit();
grant insert (household_id, user_id, role), update (role), delete on memberships to djinn_app;
-- A user finds the own households before one is set.
create policy own on memberships for select to djinn_app
  using (user_id = nullif(current_setting('djinn.user', true), '')::uuid);
create policy own on households for select to djinn_app
  using (household_id in (select m.household_id from memberships m
                          where m.user_id = nullif(current_setting('djinn.user', true), '')::uuid));

-- What a key answered, kept in the transaction of the write it names.
create table idempotency_keys (
  user_id uuid not null references users on delete cascade,
  method text not null,
  path text not null,
  key text not null,
  request_hash bytea not null,
  status integer not null,
  headers jsonb not null default '{}',
  body text,
  created_at timestamptz not null default now(),
  primary key (user_id, method, path, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);

grant select, insert, update, delete on users, sessions, refresh_tokens, email_requests, email_links, idempotency_keys to djinn_app;
grant select on users, sessions to djinn_keeper;
grant delete on idempotency_keys, sessions, refresh_tokens, email_requests, email_links to djinn_keeper;

-- Every process forgets a revoked session within the second: the listeners hear of it with the commit.
create function tell_session() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  if new.revoked_at is not null and old.revoked_at is null or new.access_hash <> old.access_hash then
    perform pg_notify('djinn_sessions', new.id::text);
  end if;
  return null;
end $$;
create trigger tell_session after update on sessions for each row execute function tell_session();

create function tell_session_gone() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  perform pg_notify('djinn_sessions', old.id::text);
  return null;
end $$;
create trigger tell_session_gone after delete on sessions for each row execute function tell_session_gone();

create function tell_membership() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  perform pg_notify('djinn_users', coalesce(new.user_id, old.user_id)::text);
  return null;
end $$;
create trigger tell_membership after insert or update or delete on memberships for each row execute function tell_membership();

create function tell_user() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  perform pg_notify('djinn_users', old.id::text);
  return null;
end $$;
create trigger tell_user after update or delete on users for each row execute function tell_user();

-- Opens a write: refuses at once while another request with the key runs, answers what the key answered before,
-- else raises the household's revision (waiting for its other writer).
create function begin_write(household uuid, actor uuid, wanted_method text, wanted_path text, wanted_key text,
    out busy boolean, out known_hash bytea, out known_status integer, out known_headers jsonb, out known_body text, out revision bigint)
  language plpgsql set search_path = public, pg_temp as $$
begin
  busy := false;
  if wanted_key is not null then
    if not pg_try_advisory_xact_lock(hashtextextended(concat_ws(E'\n', actor, wanted_method, wanted_path, wanted_key), 0)) then
      busy := true;
      return;
    end if;
    select k.request_hash, k.status, k.headers, k.body into known_hash, known_status, known_headers, known_body
      from idempotency_keys k
      where k.user_id = actor and k.method = wanted_method and k.path = wanted_path and k.key = wanted_key;
    if found then
      return;
    end if;
  end if;
  if household is not null then
    revision := raise_revision(household);
  end if;
end $$;
