-- Why: most writes are one row, and for one row the statements that keep the books and the trail of many cost three quarters of the whole
-- write: they start thirty nodes anew each time, and are planned anew in part. One row is booked and told by statements of one row.
grant create on schema public to djinn_keeper;

alter function keep_books(transactions[], transactions[]) rename to keep_books_of_many;

-- What a row without splits adds to the monthly totals and those by category, or takes from them again where `direction` is -1.
create function book_row(r transactions, direction integer) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  of_category uuid := coalesce(r.category_id, '00000000-0000-0000-0000-000000000000');
  of_month date := date_trunc('month', r.date)::date;
  pending boolean := r.status = 'pending';
  gained bigint := direction * greatest(r.amount, 0);
  spent bigint := direction * least(r.amount, 0);
begin
  insert into monthly_totals as m (household_id, month, account_id, category_id, transfer, inflow, outflow, pending_inflow, pending_outflow, count)
    values (r.household_id, of_month, r.account_id, of_category, r.transfer_id is not null, case when pending then 0 else gained end,
      case when pending then 0 else spent end, case when pending then gained else 0 end, case when pending then spent else 0 end, direction)
    on conflict (household_id, month, account_id, category_id, transfer) do update set
      inflow = m.inflow + excluded.inflow, outflow = m.outflow + excluded.outflow,
      pending_inflow = m.pending_inflow + excluded.pending_inflow,
      pending_outflow = m.pending_outflow + excluded.pending_outflow, count = m.count + excluded.count;
  if r.transfer_id is null then
    insert into category_totals as c (household_id, grain, period, currency, category_id, inflow, outflow, pending_inflow, pending_outflow, count)
      select r.household_id, g.grain, g.period, r.currency, of_category, case when pending then 0 else gained end,
        case when pending then 0 else spent end, case when pending then gained else 0 end, case when pending then spent else 0 end, direction
      from (values ('day', r.date), ('month', of_month)) g (grain, period)
      on conflict (household_id, grain, period, currency, category_id) do update set
        inflow = c.inflow + excluded.inflow, outflow = c.outflow + excluded.outflow,
        pending_inflow = c.pending_inflow + excluded.pending_inflow,
        pending_outflow = c.pending_outflow + excluded.pending_outflow, count = c.count + excluded.count;
  end if;
end $$;

-- What a posted amount adds to its account's months and to how its balance became what it is.
create function tell_balance(household uuid, account uuid, booked_on date, amount bigint) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  of_month date := date_trunc('month', booked_on)::date;
begin
  if amount = 0 then
    return;
  end if;
  insert into account_months as m (household_id, account_id, month, posted) values (household, account, of_month, amount)
    on conflict (household_id, account_id, month) do update set posted = m.posted + excluded.posted;
  insert into balance_changes as c (household_id, account_id, known_at, date, posted) values (household, account, now(), booked_on, amount)
    on conflict (household_id, account_id, known_at, date) do update set posted = c.posted + excluded.posted;
  insert into balance_months as m (household_id, account_id, known_month, month, posted)
    values (household, account, date_trunc('month', now() at time zone 'UTC')::date, of_month, amount)
    on conflict (household_id, account_id, known_month, month) do update set posted = m.posted + excluded.posted;
end $$;

-- As keep_books_of_many, for one row that has no splits and had none; `was` is null for an insert, `now_is` for a delete.
create function keep_books_of_one(was transactions, now_is transactions) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  was_live boolean := was.id is not null and was.deleted_at is null;
  is_live boolean := now_is.id is not null and now_is.deleted_at is null;
  posted_before bigint := case when was_live and was.status <> 'pending' then was.amount else 0 end;
  posted_after bigint := case when is_live and now_is.status <> 'pending' then now_is.amount else 0 end;
  pending_before bigint := case when was_live and was.status = 'pending' then was.amount else 0 end;
  pending_after bigint := case when is_live and now_is.status = 'pending' then now_is.amount else 0 end;
  broken text;
begin
  if is_live and now_is.category_id is not null and exists (
    select from categories c where c.household_id = now_is.household_id and c.id = now_is.category_id and c.deleted_at is not null) then
    perform refuse('transaction_category', 'there is no such category');
  end if;
  if (was.account_id, was.date, was.amount, was.status = 'pending', was_live)
    is distinct from (now_is.account_id, now_is.date, now_is.amount, now_is.status = 'pending', is_live) then
    select case when a.deleted_at is not null then 'transaction_account' else 'account_open' end into broken from accounts a
      where a.household_id = coalesce(now_is.household_id, was.household_id)
        and a.id = any (array[case when was_live then was.account_id end, case when is_live then now_is.account_id end])
        and (a.closed_at is not null or a.deleted_at is not null)
      limit 1;
    if broken is not null then
      perform refuse(broken, 'the account is closed or gone');
    end if;
  elsif (was.currency, was.category_id, was.transfer_id is null) is not distinct from (now_is.currency, now_is.category_id, now_is.transfer_id is null) then
    return;
  end if;

  if was_live and is_live and was.account_id = now_is.account_id then
    posted_after := posted_after - posted_before;
    pending_after := pending_after - pending_before;
    if was.date = now_is.date then
      perform tell_balance(now_is.household_id, now_is.account_id, now_is.date, posted_after);
    else
      perform tell_balance(was.household_id, was.account_id, was.date, -posted_before);
      perform tell_balance(now_is.household_id, now_is.account_id, now_is.date, posted_after + posted_before);
    end if;
  else
    if posted_before <> 0 or pending_before <> 0 then
      update accounts a set balance = a.balance - posted_before, pending_balance = a.pending_balance - pending_before
        where a.household_id = was.household_id and a.id = was.account_id;
      perform tell_balance(was.household_id, was.account_id, was.date, -posted_before);
    end if;
    perform tell_balance(now_is.household_id, now_is.account_id, now_is.date, posted_after);
  end if;
  if posted_after <> 0 or pending_after <> 0 then
    update accounts a set balance = a.balance + posted_after, pending_balance = a.pending_balance + pending_after
      where a.household_id = now_is.household_id and a.id = now_is.account_id;
  end if;
  if was_live then
    perform book_row(was, -1);
  end if;
  if is_live then
    perform book_row(now_is, 1);
  end if;
end $$;

-- Brings the books from the rows as they were to the rows as they are; insert gives no `before`, delete no `after`.
create function keep_books(before transactions[], after transactions[]) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if cardinality(before) <= 1 and cardinality(after) <= 1 and before[1].splits is null and after[1].splits is null then
    perform keep_books_of_one(before[1], after[1]);
  else
    perform keep_books_of_many(before, after);
  end if;
end $$;

alter function append_journal(text, jsonb[]) rename to append_entries;

-- As append_entries, for one entry.
create function append_entry(told_kind text, told jsonb) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  head revisions;
  e journal;
begin
  select * into strict head from revisions where household_id = current_household();
  e.household_id := head.household_id;
  e.number := head.entries + 1;
  e.revision := head.revision;
  e.kind := told_kind;
  e.entity_id := told ->> 'id';
  e.operation := told ->> 'operation';
  e.changes := told -> 'changes';
  e.salt := decode(replace(gen_random_uuid()::text, '-', ''), 'hex');
  e.changes_digest := digest_of_changes(e.salt, e.changes);
  e.actor_id := current_actor();
  e.device_id := nullif(current_setting('djinn.device', true), '');
  e.request_id := nullif(current_setting('djinn.request', true), '');
  e.at := now();
  e.previous_hash := head.head;
  e.hash := chain_next(head.head, entry_content(e));
  insert into journal (household_id, number, revision, kind, entity_id, operation, changes, salt, changes_digest,
      actor_id, device_id, request_id, at, previous_hash, hash)
    values (e.household_id, e.number, e.revision, e.kind, e.entity_id, e.operation, e.changes, e.salt, e.changes_digest,
      e.actor_id, e.device_id, e.request_id, e.at, e.previous_hash, e.hash);
  update revisions set entries = e.number, head = e.hash where household_id = e.household_id;
end $$;

-- Appends entries for the changed rows of one statement, chained after the household's head.
create function append_journal(told_kind text, told jsonb[]) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if cardinality(told) = 1 then
    perform append_entry(told_kind, told[1]);
  elsif cardinality(told) > 1 then
    perform append_entries(told_kind, told);
  end if;
end $$;

alter function append_entry owner to djinn_keeper;
alter function append_journal owner to djinn_keeper;
alter function book_row owner to djinn_keeper;
alter function tell_balance owner to djinn_keeper;
alter function keep_books_of_one owner to djinn_keeper;
alter function keep_books owner to djinn_keeper;
revoke execute on function append_entry, append_journal, book_row, tell_balance, keep_books_of_one, keep_books from public;
revoke create on schema public from djinn_keeper;
