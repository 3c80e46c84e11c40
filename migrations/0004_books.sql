-- Why: balances, rollups, the splits' mirror and transfer pairs hold whatever code writes, so the database keeps them itself.

-- What a transaction adds to its month: one line, or one for each split.
create function book_lines(own_category uuid, own_amount bigint, splits jsonb) returns table (category_id uuid, amount bigint)
  language sql immutable parallel safe rows 1
begin atomic
  select coalesce(own_category, '00000000-0000-0000-0000-000000000000'), own_amount where splits is null
  union all
  select coalesce((s ->> 'categoryId')::uuid, '00000000-0000-0000-0000-000000000000'), (s ->> 'amount')::bigint
  from jsonb_array_elements(splits) s;
end;

-- Brings the books from the rows as they were to the rows as they are; insert gives no `before`, delete no `after`.
create function keep_books(before transactions[], after transactions[]) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  broken text;
begin
  select case when a.id is null or a.deleted_at is not null then 'transaction_account'
              when a.closed_at is not null then 'account_open' end
    into broken
    from unnest(before) b full join unnest(after) n on n.id = b.id
    cross join lateral (values (b.account_id, coalesce(b.deleted_at is null, false)),
                               (n.account_id, coalesce(n.deleted_at is null, false))) touched (account_id, live)
    join accounts a on a.household_id = coalesce(n.household_id, b.household_id) and a.id = touched.account_id
    where touched.live and (a.closed_at is not null or a.deleted_at is not null)
      and (b.account_id, b.date, b.amount, b.status = 'pending', b.deleted_at is null)
        is distinct from (n.account_id, n.date, n.amount, n.status = 'pending', n.deleted_at is null)
    limit 1;
  if broken is not null then
    perform refuse(broken, 'the account is closed or gone');
  end if;

  if exists (select from unnest(before) b where b.splits is not null)
     or exists (select from unnest(after) n where n.splits is not null) then
    delete from splits s using unnest(before) b
      where s.household_id = b.household_id and s.transaction_id = b.id and b.splits is not null;
    insert into splits (household_id, transaction_id, position, amount, category_id)
      select n.household_id, n.id, p.ordinality, (p.split ->> 'amount')::bigint, (p.split ->> 'categoryId')::uuid
      from unnest(after) n, jsonb_array_elements(n.splits) with ordinality p (split, ordinality)
      where n.splits is not null;
  end if;

  if exists (
    select from unnest(after) n cross join lateral book_lines(n.category_id, n.amount, n.splits) line
    join categories c on c.household_id = n.household_id and c.id = line.category_id
    where n.deleted_at is null and c.deleted_at is not null) then
    perform refuse('transaction_category', 'there is no such category');
  end if;

  with lines as (
    select r.household_id, r.account_id, date_trunc('month', r.date)::date as month, line.category_id,
      r.transfer_id is not null as transfer, r.status = 'pending' as pending, r.direction, line.amount
    from (
      select -1 as direction, b.* from unnest(before) b where b.deleted_at is null
      union all
      select 1, n.* from unnest(after) n where n.deleted_at is null
    ) r cross join lateral book_lines(r.category_id, r.amount, r.splits) line
  ), months as (
    select household_id, month, account_id, category_id, transfer,
      sum(direction * greatest(amount, 0)) filter (where not pending) as inflow,
      sum(direction * least(amount, 0)) filter (where not pending) as outflow,
      sum(direction * greatest(amount, 0)) filter (where pending) as pending_inflow,
      sum(direction * least(amount, 0)) filter (where pending) as pending_outflow,
      sum(direction) as count
    from lines group by household_id, month, account_id, category_id, transfer
  ), rolled as (
    insert into monthly_totals as m
    select household_id, month, account_id, category_id, transfer, coalesce(inflow, 0), coalesce(outflow, 0),
      coalesce(pending_inflow, 0), coalesce(pending_outflow, 0), count
    from months
    where (coalesce(inflow, 0), coalesce(outflow, 0), coalesce(pending_inflow, 0), coalesce(pending_outflow, 0), count)
      <> (0, 0, 0, 0, 0)
    on conflict (household_id, month, account_id, category_id, transfer) do update set
      inflow = m.inflow + excluded.inflow, outflow = m.outflow + excluded.outflow,
      pending_inflow = m.pending_inflow + excluded.pending_inflow,
      pending_outflow = m.pending_outflow + excluded.pending_outflow, count = m.count + excluded.count
    returning 1
  ), balances as (
    select household_id, account_id, coalesce(sum(direction * amount) filter (where not pending), 0) as posted,
      coalesce(sum(direction * amount) filter (where pending), 0) as pending
    from lines group by household_id, account_id
  )
  update accounts a set balance = a.balance + b.posted, pending_balance = a.pending_balance + b.pending
    from balances b
    where a.household_id = b.household_id and a.id = b.account_id and (b.posted <> 0 or b.pending <> 0);
end $$;
revoke execute on function keep_books from public;

create function keep_books_on_insert() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform keep_books('{}', (select array_agg(r::transactions) from new_rows r));
  return null;
end $$;
create function keep_books_on_update() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform keep_books((select coalesce(array_agg(r::transactions), '{}') from old_rows r),
                     (select coalesce(array_agg(r::transactions), '{}') from new_rows r));
  return null;
end $$;
create function keep_books_on_delete() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform keep_books((select coalesce(array_agg(r::transactions), '{}') from old_rows r), '{}');
  return null;
end $$;
create trigger books_insert after insert on transactions referencing new table as new_rows
  for each statement execute function keep_books_on_insert();
create trigger books_update after update on transactions referencing old table as old_rows new table as new_rows
  for each statement execute function keep_books_on_update();
create trigger books_delete after delete on transactions referencing old table as old_rows
  for each statement execute function keep_books_on_delete();

-- A transfer is whole at every commit: two live legs in two accounts on one day, or none; equal and opposite in one currency.
create function transfer_is_whole() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  wanted uuid := case when tg_table_name = 'transfers' then new.id else (to_jsonb(new) ->> 'transfer_id')::uuid end;
  gone boolean;
  leg_from transactions;
  leg_to transactions;
begin
  select deleted_at is not null into gone from transfers where household_id = new.household_id and id = wanted;
  select * into leg_from from transactions where household_id = new.household_id and transfer_id = wanted and transfer_side = 'from';
  select * into leg_to from transactions where household_id = new.household_id and transfer_id = wanted and transfer_side = 'to';
  if leg_from.id is null or leg_to.id is null
     or (leg_from.deleted_at is not null) <> gone or (leg_to.deleted_at is not null) <> gone then
    perform refuse('transfer_has_two_legs', 'a transfer has two legs');
  end if;
  if leg_from.account_id = leg_to.account_id then
    perform refuse('transfer_between_two_accounts', 'a transfer needs two accounts');
  end if;
  if leg_from.amount >= 0 or leg_to.amount <= 0 or leg_from.date <> leg_to.date
     or leg_from.currency = leg_to.currency and leg_from.amount + leg_to.amount <> 0 then
    perform refuse('transfer_balances', 'the legs of a transfer are equal and opposite');
  end if;
  return null;
end $$;
create constraint trigger transfer_is_whole after insert or update on transfers
  deferrable initially deferred for each row execute function transfer_is_whole();
create constraint trigger transfer_is_whole after insert or update on transactions
  deferrable initially deferred for each row when (new.transfer_id is not null) execute function transfer_is_whole();

alter function keep_books owner to djinn_keeper;
alter function keep_books_on_insert owner to djinn_keeper;
alter function keep_books_on_update owner to djinn_keeper;
alter function keep_books_on_delete owner to djinn_keeper;
alter function transfer_is_whole owner to djinn_keeper;
revoke execute on function keep_books_on_insert, keep_books_on_update, keep_books_on_delete, transfer_is_whole from public;
