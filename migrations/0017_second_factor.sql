-- Why: an optional second factor of signing in: a sealed TOTP secret, its last accepted step, and recovery codes as digests.

create table second_factors (
  user_id uuid primary key references users on delete cascade,
  -- Sealed by the vault; none until the first code confirmed it.
  secret bytea,
  enabled_at timestamptz,
  -- The time step of the last accepted code (RFC 6238, 30 s each): a code is good once.
  last_step bigint not null default 0,
  -- One that waits to be confirmed, beside the one in force or before the first.
  pending_secret bytea,
  pending_until timestamptz,
  -- When a wrong code was sent with the right password, from whatever address.
  wrong_at timestamptz[] not null default '{}' check (cardinality(wrong_at) <= 100),
  check ((secret is null) = (enabled_at is null)),
  check ((pending_secret is null) = (pending_until is null))
);

-- Codes of 80 random bits: a plain SHA-256 over the user's id and the code is as good as a slow hash, since nobody tries 2^80.
create table recovery_codes (
  user_id uuid not null references second_factors on delete cascade,
  hash bytea not null,
  used_at timestamptz,
  primary key (user_id, hash)
);

-- A code that was used stays used, and an accepted step is never taken back while its secret is in force.
create function last_step_rises() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  if new.secret is not distinct from old.secret and new.last_step < old.last_step then
    perform refuse('last_step_rises', 'an accepted step is never taken back');
  end if;
  return new;
end $$;
create trigger last_step_rises before update on second_factors for each row execute function last_step_rises();

create function recovery_code_stays_used() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  if old.used_at is not null and new.used_at is distinct from old.used_at then
    perform refuse('recovery_code_stays_used', 'a recovery code is used once');
  end if;
  return new;
end $$;
create trigger recovery_code_stays_used before update on recovery_codes for each row execute function recovery_code_stays_used();

grant select, insert, update, delete on second_factors to djinn_app;
grant select, insert, update (used_at), delete on recovery_codes to djinn_app;
