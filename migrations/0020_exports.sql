-- Why: a household is taken out as one document and put back into an empty one with nothing lost.

grant create on schema public to djinn_keeper;

-- When a row was made, and that it was deleted, is part of it.
grant insert (created_at, deleted_at) on accounts, categories, imports, transfers, transactions to djinn_app;
grant insert (created_at, deleted_at) on budgets to djinn_app;
grant insert on budget_amounts, budget_alerts to djinn_app;
grant insert (result, committed_at, undone_at) on imports to djinn_app;

-- Documents that were read into the household, so that a commit sent for one is answered.
create table restores (
  household_id uuid not null references households,
  id uuid not null,
  transactions bigint not null,
  created_at timestamptz not null default now(),
  primary key (household_id, id)
);
select guard_tenancy('restores');
grant insert on restores to djinn_app;

-- Whether the transaction puts back what was told when it happened: nobody is told again, and what matched or crossed then is in the document.
create function is_restoring() returns boolean
  language sql stable parallel safe
  return coalesce(current_setting('djinn.restoring', true) = 'on', false);

-- Whether the household holds nothing but the default categories it began with; if so they go, since the document has its own. Replicas of the
-- household start anew.
create function begin_restore(household uuid) returns boolean
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if household is distinct from current_household() then
    raise exception 'the transaction is not in this household' using errcode = 'insufficient_privilege';
  end if;
  if exists (select from accounts where household_id = household) or exists (select from transactions where household_id = household)
     or exists (select from transfers where household_id = household) or exists (select from imports where household_id = household)
     or exists (select from rules where household_id = household)
     or exists (select from bills where household_id = household) or exists (select from budgets where household_id = household)
     or exists (select from categories where household_id = household and (system_key is null or deleted_at is not null)) then
    return false;
  end if;
  delete from categories where household_id = household;
  update revisions set forgotten_revision = revision where household_id = household;
  perform set_config('djinn.restoring', 'on', true);
  return true;
end $$;
revoke execute on function begin_restore from public;
grant execute on function begin_restore to djinn_app;

-- As before (0009), and silent while a household is restored.
create or replace function tell_members(household uuid, told_event text, told_key text, told_data jsonb, except_user uuid) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if is_restoring() then
    return;
  end if;
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

alter function begin_restore owner to djinn_keeper;
revoke create on schema public from djinn_keeper;
