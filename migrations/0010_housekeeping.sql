-- Why: what was deleted is told to phones for 90 days and then forgotten; answers, sessions and links that nobody can use any more go too.

create index transactions_by_deletion on transactions (deleted_at) where deleted_at is not null;

-- Forgets up to `most` transactions, with the transfers, accounts and categories that nothing names any more, and remembers up to
-- which revision a household's deletions can no longer be told. What came from a bank's file stays, or the file would bring it again.
create function forget_deleted(before timestamptz, most integer) returns bigint
  language plpgsql set search_path = public, pg_temp as $$
declare
  forgotten bigint;
begin
  with old_transactions as (
    select t.household_id, t.id from transactions t
    where t.deleted_at < before and t.source_account_id is null
      -- Both legs of a transfer go together.
      and (t.transfer_id is null or not exists (
        select from transactions o where o.household_id = t.household_id and o.transfer_id = t.transfer_id
          and (o.deleted_at is null or o.deleted_at >= before or o.source_account_id is not null)))
    order by t.deleted_at limit most
  ), gone_transactions as (
    delete from transactions t using old_transactions o where t.household_id = o.household_id and t.id = o.id
    returning t.household_id, t.revision
  ), gone as (
    select household_id, max(revision) as revision, count(*) as rows from gone_transactions group by household_id
  ), told as (
    update revisions r set forgotten_revision = greatest(r.forgotten_revision, g.revision) from gone g where r.household_id = g.household_id
    returning g.rows
  )
  select coalesce(sum(rows), 0) into forgotten from told;

  with gone_transfers as (
    delete from transfers x where x.deleted_at < before
      and not exists (select from transactions t where t.household_id = x.household_id and t.transfer_id = x.id)
    returning 1
  ), gone_rows as (
    delete from accounts a where a.deleted_at < before
      and not exists (select from transactions t where t.household_id = a.household_id and (t.account_id = a.id or t.source_account_id = a.id))
    returning a.household_id, a.revision
  ), told as (
    update revisions r set forgotten_revision = greatest(r.forgotten_revision, g.revision)
    from (select household_id, max(revision) as revision from gone_rows group by household_id) g where r.household_id = g.household_id
    returning 1
  )
  select forgotten + (select count(*) from gone_transfers) + (select count(*) from gone_rows) + 0 * (select count(*) from told) into forgotten;

  with gone_rows as (
    delete from categories c where c.deleted_at < before
      and not exists (select from transactions t where t.household_id = c.household_id and t.category_id = c.id)
      and not exists (select from splits s where s.household_id = c.household_id and s.category_id = c.id)
      and not exists (select from categories b where b.household_id = c.household_id and b.parent_id = c.id)
    returning c.household_id, c.revision
  ), told as (
    update revisions r set forgotten_revision = greatest(r.forgotten_revision, g.revision)
    from (select household_id, max(revision) as revision from gone_rows group by household_id) g where r.household_id = g.household_id
    returning 1
  )
  select forgotten + (select count(*) from gone_rows) + 0 * (select count(*) from told) into forgotten;
  return forgotten;
end $$;
revoke execute on function forget_deleted from public;
grant execute on function forget_deleted to djinn_keeper;

-- Who deletes by a condition reads it.
grant select on idempotency_keys, refresh_tokens, email_requests, email_links to djinn_keeper;
