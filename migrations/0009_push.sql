-- Why: people are told of what others did, in an inbox and on their phones; what is to be sent is queued in the transaction of the change itself.

grant create on schema public to djinn_keeper;

-- A UUIDv7: ids rise with time, so an inbox is in order by its key. PostgreSQL has its own from 18 on.
create function new_id() returns uuid
  language sql volatile parallel safe
  return encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid;

-- An installation of the app that a user signed in to. Its id is the app's to choose, so it is unique within the user only.
create table devices (
  user_id uuid not null references users on delete cascade,
  id uuid not null,
  session_id uuid not null references sessions on delete cascade,
  platform text not null check (platform in ('android', 'ios', 'web')),
  -- Where FCM reaches it; null once FCM called it dead.
  push_token text unique check (length(push_token) between 1 and 1024),
  name text check (length(name) <= 100),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  primary key (user_id, id)
);
create index devices_by_session on devices (session_id);

-- What a user wants to be told of; a user without a row wants everything.
create table notification_settings (
  user_id uuid primary key references users on delete cascade,
  transaction_received boolean not null default true,
  budget_exceeded boolean not null default true,
  bill_reminder boolean not null default true,
  quiet_from time,
  quiet_to time,
  -- Null is the household's.
  time_zone text check (length(time_zone) between 1 and 64),
  updated_at timestamptz not null default now(),
  constraint quiet_hours_have_two_ends check ((quiet_from is null) = (quiet_to is null) and coalesce(quiet_from <> quiet_to, true))
);

-- Forces row-level security on a table of users: the app sees and writes the transaction's user only.
create function guard_user_table(guarded regclass) returns void
  language plpgsql as $$
begin
  execute format('alter table %s enable row level security', guarded);
  execute format('alter table %s force row level security', guarded);
  execute format($f$create policy own on %s to djinn_app
    using (user_id = nullif(current_setting('djinn.user', true), '')::uuid)
    with check (user_id = nullif(current_setting('djinn.user', true), '')::uuid)$f$, guarded);
  execute format('create policy keeper on %s to djinn_keeper using (true) with check (true)', guarded);
  execute format('grant select, insert, update, delete on %s to djinn_app, djinn_keeper', guarded);
end $$;
select guard_user_table('devices');
select guard_user_table('notification_settings');

-- The inbox: one row a person and event. The key makes an event the same one however often it is told.
create table notifications (
  household_id uuid not null references households,
  id uuid not null,
  user_id uuid not null references users on delete cascade,
  event text not null check (event in ('transactionReceived', 'budgetExceeded', 'billReminder')),
  dedupe_key text not null check (length(dedupe_key) between 1 and 200),
  data jsonb not null default '{}',
  created_at timestamptz not null default now(),
  read_at timestamptz,
  primary key (household_id, id),
  unique (household_id, user_id, dedupe_key)
);
create index notifications_by_user on notifications (user_id, id desc);
create index notifications_unread on notifications (user_id, id desc) where read_at is null;
create index notifications_by_age on notifications (created_at);
select guard_tenancy('notifications');
grant update (read_at) on notifications to djinn_app;
-- One inbox over all households that the user still belongs to, and nobody else's. In place of the common policy, not beside
-- it: with an "or" between the two, the list would sort a whole inbox instead of reading its index.
drop policy tenant on notifications;
create policy tenant on notifications to djinn_app
  using (user_id = nullif(current_setting('djinn.user', true), '')::uuid
         and household_id in (select m.household_id from memberships m
                              where m.user_id = nullif(current_setting('djinn.user', true), '')::uuid));

-- What became of a notification on a device. Whoever sends holds the lease, so that two workers never send the same.
create table deliveries (
  household_id uuid not null,
  notification_id uuid not null,
  device_id uuid not null,
  tries integer not null default 0,
  leased_until timestamptz,
  sent_at timestamptz,
  failure text,
  primary key (household_id, notification_id, device_id),
  foreign key (household_id, notification_id) references notifications (household_id, id) on delete cascade,
  check (sent_at is null or failure is null)
);
select guard_tenancy('deliveries');

-- Queues a job in this transaction. A job that waits under the same key is replaced; 5 tries, then it stays as a dead letter.
create function enqueue(task text, payload jsonb, key text, due timestamptz default now()) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform graphile_worker.add_job(task, payload::json, run_at => due, max_attempts => 5, job_key => key);
end $$;
revoke execute on function enqueue from public;

-- Tells the members of a household but one, those who want to hear of it. A key that was told before is told no more;
-- where both count something, the counts add up.
create function tell_members(household uuid, told_event text, told_key text, told_data jsonb, except_user uuid) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into notifications as n (household_id, id, user_id, event, dedupe_key, data)
    select household, new_id(), m.user_id, told_event, told_key, told_data
    from memberships m left join notification_settings s on s.user_id = m.user_id
    where m.household_id = household and m.user_id is distinct from except_user
      and coalesce(case told_event when 'transactionReceived' then s.transaction_received
                                   when 'budgetExceeded' then s.budget_exceeded
                                   when 'billReminder' then s.bill_reminder end, true)
    on conflict (household_id, user_id, dedupe_key) do update
      set data = n.data || jsonb_build_object('count', (n.data ->> 'count')::bigint + (excluded.data ->> 'count')::bigint)
      where n.data ? 'count' and excluded.data ? 'count';
end $$;
revoke execute on function tell_members from public;

-- New transactions are told to the other members: one by one up to 10 a statement, an import and a larger bulk as one.
create function tell_transactions() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  actor uuid := current_actor();
  household uuid := current_household();
  told record;
begin
  -- Most households have one member: one look-up is all that it costs them.
  if actor is null or not exists (select from memberships m where m.household_id = household and m.user_id <> actor) then
    return null;
  end if;
  for told in
    with single as (
      select n.*, count(*) over () as many from new_rows n
      where n.import_id is null and n.transfer_id is null and n.deleted_at is null
    )
    select 'transaction:' || s.id as key, jsonb_build_object('kind', 'transaction', 'transactionId', s.id, 'accountId', s.account_id,
        'date', s.date, 'amount', s.amount, 'currency', s.currency, 'payee', s.payee) as data
      from single s where s.many <= 10
    union all
    select 'transactions:' || max(s.revision), jsonb_build_object('kind', 'transactions', 'count', count(*))
      from single s where s.many > 10 having count(*) > 0
    union all
    select 'import:' || n.import_id, jsonb_build_object('kind', 'import', 'importId', n.import_id, 'count', count(*))
      from new_rows n where n.import_id is not null and n.deleted_at is null group by n.import_id
    union all
    select 'transfer:' || n.transfer_id, jsonb_build_object('kind', 'transfer', 'transferId', n.transfer_id, 'transactionId', n.id,
        'accountId', n.account_id, 'date', n.date, 'amount', n.amount, 'currency', n.currency)
      from new_rows n where n.transfer_side = 'to' and n.deleted_at is null
  loop
    perform tell_members(household, 'transactionReceived', told.key, told.data || jsonb_build_object('actorId', actor), actor);
  end loop;
  return null;
end $$;
create trigger tell_insert after insert on transactions referencing new table as new_rows
  for each statement execute function tell_transactions();

-- The outbox: what is to be sent is queued with what it tells of, or not at all. Only where push is configured (see the scope).
create function queue_push() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if exists (select from devices d where d.user_id = new.user_id and d.push_token is not null) then
    perform enqueue('push', jsonb_build_object('household', new.household_id, 'notification', new.id), 'push:' || new.id);
  end if;
  return null;
end $$;
create trigger queue_push after insert on notifications for each row
  when (current_setting('djinn.push', true) = 'on') execute function queue_push();

-- Queues a silent poke of each household whose devices, but those of the session that wrote, have something to fetch.
-- Browsers show a sign for every push, so they are left alone.
create function queue_pokes(households uuid[], revisions bigint[], writers uuid[], until timestamptz) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform enqueue('poke', jsonb_build_object('household', p.household, 'revision', p.revision, 'writer', p.writer,
      'untilMs', floor(extract(epoch from until) * 1000)), 'poke:' || p.household || ':' || coalesce(p.writer::text, 'all'))
    from unnest(households, revisions, writers) p (household, revision, writer)
    where exists (select from memberships m join devices d on d.user_id = m.user_id
                  where m.household_id = p.household and d.push_token is not null and d.platform <> 'web'
                    and d.session_id is distinct from p.writer);
end $$;
revoke execute on function queue_pokes from public;
grant execute on function queue_pokes to djinn_app;

-- A push token names one installation: it leaves every other device, of whichever user, for the one that has it now.
create function free_push_token(token text, kept uuid) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  delete from devices where push_token = token and (user_id, id) is distinct from (current_actor(), kept);
end $$;
revoke execute on function free_push_token from public;
grant execute on function free_push_token to djinn_app;

-- Whoever signs out, or is signed out, is pushed to no more, whichever way the session ended.
create function forget_devices() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  delete from devices where session_id = new.id;
  return null;
end $$;
create trigger forget_devices after update of revoked_at on sessions for each row
  when (old.revoked_at is null and new.revoked_at is not null) execute function forget_devices();

-- A trigger on a table of the app's own would run them with the keeper's rights.
revoke execute on function tell_transactions, queue_push, forget_devices from public;

alter function enqueue owner to djinn_keeper;
alter function tell_members owner to djinn_keeper;
alter function tell_transactions owner to djinn_keeper;
alter function queue_push owner to djinn_keeper;
alter function queue_pokes owner to djinn_keeper;
alter function free_push_token owner to djinn_keeper;
alter function forget_devices owner to djinn_keeper;
revoke create on schema public from djinn_keeper;
