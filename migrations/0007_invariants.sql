-- Why: each promise of the books is a view that stays empty; `djinn verify` and the tests read them.

create view broken_balances with (security_invoker) as
  select a.household_id, a.id as account_id, a.balance, a.pending_balance, a.opening_balance + coalesce(t.posted, 0) as balance_expected,
    coalesce(t.pending, 0) as pending_balance_expected
  from accounts a
  left join (
    select household_id, account_id, sum(amount) filter (where status <> 'pending') as posted,
      sum(amount) filter (where status = 'pending') as pending
    from transactions where deleted_at is null group by household_id, account_id
  ) t on t.household_id = a.household_id and t.account_id = a.id
  where (a.balance, a.pending_balance) is distinct from (a.opening_balance + coalesce(t.posted, 0), coalesce(t.pending, 0));

create view broken_monthly_totals with (security_invoker) as
  with naive as (
    select t.household_id, date_trunc('month', t.date)::date as month, t.account_id, l.category_id, t.transfer_id is not null as transfer,
      coalesce(sum(greatest(l.amount, 0)) filter (where t.status <> 'pending'), 0) as inflow,
      coalesce(sum(least(l.amount, 0)) filter (where t.status <> 'pending'), 0) as outflow,
      coalesce(sum(greatest(l.amount, 0)) filter (where t.status = 'pending'), 0) as pending_inflow,
      coalesce(sum(least(l.amount, 0)) filter (where t.status = 'pending'), 0) as pending_outflow,
      count(*) as count
    from transactions t cross join lateral book_lines(t.category_id, t.amount, t.splits) l
    where t.deleted_at is null
    group by 1, 2, 3, 4, 5
  )
  select household_id, month, account_id, category_id, transfer
  from naive full join (select * from monthly_totals where count <> 0 or (inflow, outflow, pending_inflow, pending_outflow) <> (0, 0, 0, 0)) kept
    using (household_id, month, account_id, category_id, transfer)
  where (naive.inflow, naive.outflow, naive.pending_inflow, naive.pending_outflow, naive.count)
    is distinct from (kept.inflow, kept.outflow, kept.pending_inflow, kept.pending_outflow, kept.count);

create view broken_splits with (security_invoker) as
  select t.household_id, t.id as transaction_id
  from transactions t
  left join (select household_id, transaction_id, sum(amount) as amount, count(*) as count from splits group by 1, 2) s
    on s.household_id = t.household_id and s.transaction_id = t.id
  where t.splits is null and s.count is not null
     or t.splits is not null and (s.amount is distinct from t.amount or s.count <> jsonb_array_length(t.splits)
        or splits_sum(t.splits) <> t.amount);

create view broken_transfers with (security_invoker) as
  select x.household_id, x.id as transfer_id
  from transfers x
  left join transactions f on f.household_id = x.household_id and f.transfer_id = x.id and f.transfer_side = 'from'
  left join transactions t on t.household_id = x.household_id and t.transfer_id = x.id and t.transfer_side = 'to'
  where f.id is null or t.id is null or f.account_id = t.account_id or f.date <> t.date or f.amount >= 0 or t.amount <= 0
     or (f.deleted_at is null) <> (x.deleted_at is null) or (t.deleted_at is null) <> (x.deleted_at is null)
     or f.currency = t.currency and f.amount + t.amount <> 0;

create view broken_revisions with (security_invoker) as
  select r.household_id, w.kind, w.id, w.revision
  from revisions r
  join (
    select household_id, 'account' as kind, id, revision from accounts
    union all select household_id, 'category', id, revision from categories
    union all select household_id, 'transaction', id, revision from transactions
    union all select household_id, 'transfer', id, revision from transfers
    union all select household_id, 'import', id, revision from imports
  ) w on w.household_id = r.household_id
  where w.revision > r.revision or w.revision < 1;

-- An entry whose hash, digest, number or link is not what its content and the entry before it make of it; or a head that is not the last entry.
create view broken_journal with (security_invoker) as
  select j.household_id, j.number,
    case when j.changes is not null and j.changes_digest <> digest_of_changes(j.salt, j.changes) then 'changes'
         when j.number <> coalesce(j.number_before, 0) + 1 then 'gap'
         when j.previous_hash <> coalesce(j.hash_before, '\x') then 'link'
         else 'hash' end as broken
  from (
    select *, lag(number) over w as number_before, lag(hash) over w as hash_before
    from journal window w as (partition by household_id order by number)
  ) j
  where j.changes is not null and j.changes_digest <> digest_of_changes(j.salt, j.changes)
     or j.hash <> sha256(j.previous_hash || entry_content(
          row (j.household_id, j.number, j.revision, j.kind, j.entity_id, j.operation, j.changes, j.salt, j.changes_digest,
               j.actor_id, j.device_id, j.request_id, j.at, j.previous_hash, j.hash)::journal))
     or j.number <> coalesce(j.number_before, 0) + 1
     or j.previous_hash <> coalesce(j.hash_before, '\x')
  union all
  select r.household_id, r.entries, 'head'
  from revisions r left join journal j on j.household_id = r.household_id and j.number = r.entries
  where r.entries > 0 and j.hash is distinct from r.head
     or exists (select from journal l where l.household_id = r.household_id and l.number > r.entries);

grant select on broken_balances, broken_monthly_totals, broken_splits, broken_transfers, broken_revisions, broken_journal to djinn_keeper;
revoke create on schema public from djinn_keeper;
