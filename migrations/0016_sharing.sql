-- Why: a household is shared by invitations, always has an owner, and its trail is asked by person and by time.

grant create on schema public to djinn_keeper;

-- The index of who did what, and when: a page of either is read from it in its order, however long the trail is.
create index journal_by_actor on journal (household_id, actor_id, at, number);
create index journal_by_time on journal (household_id, at, number);
-- Nearly all entries are of transactions, and found without an index of kinds.
create index journal_by_rare_kind on journal (household_id, kind, number) where kind <> 'transaction';

create table invitations (
  household_id uuid not null references households,
  id uuid not null,
  role text not null check (role in ('owner', 'editor', 'viewer')),
  -- Only whose address it is may accept. Told to nobody but the owners, and not to the journal, which could not forget a stranger.
  email text check (length(email) <= 254),
  email_key text,
  invited_by uuid not null default current_actor(),
  expires_at timestamptz not null,
  accepted_by uuid,
  accepted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  revision bigint not null default 0,
  primary key (household_id, id),
  check ((email is null) = (email_key is null)),
  check ((accepted_by is null) = (accepted_at is null)),
  check (expires_at between created_at and created_at + interval '30 days')
);
-- How many somebody had mailed of late.
create index invitations_by_inviter on invitations (invited_by, created_at) where email is not null;

-- What was given out for an invitation: the owner's token and one for each mail. A token names its household, so that
-- a look-up needs no index over all of them.
create table invitation_tokens (
  household_id uuid not null,
  hash bytea not null check (length(hash) = 32),
  invitation_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (household_id, hash),
  foreign key (household_id, invitation_id) references invitations (household_id, id) on delete cascade
);
create index invitation_tokens_by_invitation on invitation_tokens (household_id, invitation_id);

select guard_tenancy('invitations');
select guard_tenancy('invitation_tokens');
grant insert (household_id, id, role, email, email_key, expires_at), update (deleted_at) on invitations to djinn_app;
grant insert (household_id, hash, invitation_id) on invitation_tokens to djinn_app;

create trigger a_stamp before insert or update on invitations for each row execute function stamp_row();

-- The journal has of an invitation what is no secret and names no stranger. What ended long ago is forgotten without a word.
create function journal_invitation() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    perform append_journal('invitation', (
      select array_agg(jsonb_build_object('id', n.id, 'operation', 'create',
        'changes', jsonb_build_object('role', n.role, 'expires_at', n.expires_at)) order by n.id)
      from new_rows n));
  else
    perform append_journal('invitation', (
      select array_agg(jsonb_build_object('id', c.id, 'operation', c.operation, 'changes', c.changes) order by c.id)
      from (
        select n.id, case when n.deleted_at is null then 'update' else 'delete' end as operation,
          changed_columns(jsonb_build_object('accepted_by', o.accepted_by, 'deleted_at', o.deleted_at),
                          jsonb_build_object('accepted_by', n.accepted_by, 'deleted_at', n.deleted_at)) as changes
        from new_rows n join old_rows o on o.household_id = n.household_id and o.id = n.id
      ) c where c.changes <> '{}'));
  end if;
  return null;
end $$;
create trigger journal_insert after insert on invitations referencing new table as new_rows
  for each statement execute function journal_invitation();
create trigger journal_update after update on invitations referencing old table as old_rows new table as new_rows
  for each statement execute function journal_invitation();

-- An invitation lasts while the one who made it is an owner: whoever is sent away leaves no door behind.
create view open_invitations with (security_invoker) as
  select i.* from invitations i
  join memberships m on m.household_id = i.household_id and m.user_id = i.invited_by and m.role = 'owner'
  where i.deleted_at is null and i.accepted_at is null and i.expires_at > now();
grant select on open_invitations to djinn_app, djinn_keeper;

create function keep_invitation_limit() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if (select count(*) from open_invitations i where i.household_id = current_household()) > 20 then
    perform refuse('invitations_limit', 'there are as many as there may be');
  end if;
  return null;
end $$;
create trigger row_limit after insert on invitations for each statement execute function keep_invitation_limit();

-- Queues the mail of an invitation in the transaction that makes it. Mail to strangers is worth a limit of its own, over all households.
create function queue_invitation_mail(invitation uuid) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if (select count(*) from invitations i
      where i.invited_by = current_actor() and i.email is not null and i.created_at > now() - interval '1 day') > 50 then
    perform refuse('invitation_mails_limit', 'this user had as many mailed as there may be');
  end if;
  perform enqueue('mailInvitation', jsonb_build_object('household', current_household(), 'invitation', invitation), 'invitation:' || invitation);
end $$;
revoke execute on function queue_invitation_mail from public;
grant execute on function queue_invitation_mail to djinn_app;

-- What a token is worth to the transaction's user, without a household being set: whether it is open to them, or was theirs and still holds.
create function read_invitation(household uuid, wanted_hash bytea)
    returns table (household_name text, role text, expires_at timestamptz, open boolean, joined boolean)
  language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  return query
    select h.name, i.role, i.expires_at,
      exists (select from open_invitations o where o.household_id = i.household_id and o.id = i.id)
        and (i.email_key is null or i.email_key = (select u.email_key from users u where u.id = current_actor())),
      i.accepted_by is not distinct from current_actor()
        and exists (select from memberships m where m.household_id = i.household_id and m.user_id = current_actor())
    from invitation_tokens t
    join invitations i on i.household_id = t.household_id and i.id = t.invitation_id
    join households h on h.household_id = t.household_id and h.deleted_at is null
    where t.household_id = household and t.hash = wanted_hash;
end $$;
revoke execute on function read_invitation from public;
grant execute on function read_invitation to djinn_app;

-- Makes the transaction's user a member, in that household from then on. Null when the token is worth nothing to them; else whether they
-- joined by it now. The revision's row lock makes one of many winners: who waits for it reads the invitation as it is afterwards.
create function accept_invitation(household uuid, wanted_hash bytea) returns boolean
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  ranks constant text[] := array['viewer', 'editor', 'owner'];
  actor uuid := current_actor();
  asked uuid;
  wanted record;
  have text;
begin
  select t.invitation_id into asked from invitation_tokens t where t.household_id = household and t.hash = wanted_hash;
  if not found or actor is null then
    return null;
  end if;
  perform set_config('djinn.household', household::text, true);
  perform from revisions r where r.household_id = household for no key update;
  select * into wanted from read_invitation(household, wanted_hash);
  select m.role into have from memberships m where m.household_id = household and m.user_id = actor;
  if wanted.joined then
    return false;
  elsif wanted.open is not true then
    return null;
  elsif array_position(ranks, have) >= array_position(ranks, wanted.role) then
    -- It would give them nothing, so it stays open for whom it was meant.
    return false;
  end if;
  insert into memberships as m (household_id, user_id, role) values (household, actor, wanted.role)
    on conflict (household_id, user_id) do update set role = excluded.role;
  update invitations i set accepted_by = actor, accepted_at = now() where i.household_id = household and i.id = asked;
  return true;
end $$;
revoke execute on function accept_invitation from public;
grant execute on function accept_invitation to djinn_app;

-- Replaced: a household's members have an end too, and a user who joins two households at once is counted in both.
create or replace function keep_membership_limit() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('memberships of ' || new.user_id, 0));
  if (select count(*) from memberships m where m.user_id = new.user_id) > 50 then
    perform refuse('memberships_limit', 'a user belongs to at most 50 households');
  end if;
  if (select count(*) from memberships m where m.household_id = new.household_id) > 50 then
    perform refuse('members_limit', 'a household has at most 50 members');
  end if;
  return null;
end $$;

-- Whoever acts as the app changes members as an owner, leaves, or founds a household that has none yet; joining goes by
-- accept_invitation, whose rights are the keeper's. Without a user nobody acts, as in jobs.
create function keep_member() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
declare
  household uuid := coalesce(new.household_id, old.household_id);
  actor uuid := current_actor();
begin
  if current_user = 'djinn_app' and actor is not null
     and not exists (select from memberships m where m.household_id = household and m.user_id = actor and m.role = 'owner')
     and not (tg_op = 'DELETE' and old.user_id = actor)
     and not (tg_op = 'INSERT' and new.user_id = actor and new.role = 'owner'
              and not exists (select from memberships m where m.household_id = household)) then
    raise exception 'only an owner changes the members of a household' using errcode = 'insufficient_privilege';
  end if;
  return coalesce(new, old);
end $$;
create trigger b_keep before insert or update or delete on memberships for each row execute function keep_member();

-- Leaving is a write of the household like any other.
create function raise_before_delete() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  perform raise_revision(old.household_id);
  return old;
end $$;
create trigger a_raise before delete on memberships for each row execute function raise_before_delete();

-- A household in use has an owner. Looked at with the commit, so that one who hands over and the one who takes over need no order; owners who
-- step down at once wait for each other at the revision, and the last to commit finds what the others left.
create function keep_owner() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  household uuid := coalesce(new.household_id, old.household_id);
begin
  if exists (select from households h where h.household_id = household and h.deleted_at is null)
     and not exists (select from memberships m where m.household_id = household and m.role = 'owner') then
    perform refuse('household_has_owner', 'a household needs an owner');
  end if;
  return null;
end $$;
create constraint trigger z_owner after update of role or delete on memberships deferrable initially deferred
  for each row when (old.role = 'owner') execute function keep_owner();
create constraint trigger z_owner after insert or update of deleted_at on households deferrable initially deferred
  for each row when (new.deleted_at is null) execute function keep_owner();


-- Replaced: a session may not have heard yet that its user was sent away or may no longer write. Under the revision's row lock the
-- membership says so for certain, so that nothing is written by somebody once their removal is committed.
drop function begin_write(uuid, uuid, text, text, text);
create function begin_write(household uuid, actor uuid, wanted_method text, wanted_path text, wanted_key text, least_role text,
    out busy boolean, out known_hash bytea, out known_status integer, out known_headers jsonb, out known_body text, out revision bigint)
  language plpgsql set search_path = public, pg_temp as $$
declare
  ranks constant text[] := array['viewer', 'editor', 'owner'];
  have text;
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
    select m.role into have from memberships m where m.household_id = household and m.user_id = actor;
    if not found then
      perform refuse('caller_is_member', 'the caller does not belong to the household any more');
    elsif array_position(ranks, have) < array_position(ranks, least_role) then
      perform refuse('caller_has_role', 'the role of the caller has been lowered');
    end if;
  end if;
end $$;

create view broken_owners with (security_invoker) as
  select h.household_id from households h
  where h.deleted_at is null
    and not exists (select from memberships m where m.household_id = h.household_id and m.role = 'owner');
grant select on broken_owners to djinn_keeper;

alter function journal_invitation owner to djinn_keeper;
alter function keep_invitation_limit owner to djinn_keeper;
alter function queue_invitation_mail owner to djinn_keeper;
alter function read_invitation owner to djinn_keeper;
alter function accept_invitation owner to djinn_keeper;
alter function keep_owner owner to djinn_keeper;
revoke execute on function journal_invitation, keep_invitation_limit, keep_owner from public;
revoke create on schema public from djinn_keeper;
