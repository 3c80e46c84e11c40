-- Why: two promises are made of every kind of row that carries a revision, so they are stated once all kinds are there.

create or replace view broken_revisions with (security_invoker) as
  select r.household_id, w.kind, w.id, w.revision
  from revisions r
  join (
    select household_id, 'account' as kind, id, revision from accounts
    union all select household_id, 'category', id, revision from categories
    union all select household_id, 'transaction', id, revision from transactions
    union all select household_id, 'transfer', id, revision from transfers
    union all select household_id, 'import', id, revision from imports
    union all select household_id, 'invitation', id, revision from invitations
    union all select household_id, 'rule', id, revision from rules
    union all select household_id, 'ruleRun', id, revision from rule_runs
    union all select household_id, 'bill', id, revision from bills
    union all select household_id, 'occurrence', id, revision from bill_occurrences
    union all select household_id, 'budget', id, revision from budgets
    union all select household_id, 'feed', id, revision from feeds
  ) w on w.household_id = r.household_id
  where w.revision > r.revision or w.revision < 1;

create or replace view broken_digests with (security_invoker) as
  with rows as (
    select household_id, 'accounts' as kind, id, revision from accounts where deleted_at is null
    union all select household_id, 'categories', id, revision from categories where deleted_at is null
    union all select household_id, 'transactions', id, revision from transactions where deleted_at is null
    union all select household_id, 'rules', id, revision from rules where deleted_at is null
    union all select household_id, 'bills', id, revision from bills where deleted_at is null
    union all select household_id, 'occurrences', id, revision from bill_occurrences where deleted_at is null
    union all select household_id, 'budgets', id, revision from budgets where deleted_at is null
  ), naive as (
    select household_id, kind, count(*) as count, bit_xor(row_digest(id, revision)) as digest from rows group by 1, 2
  )
  select household_id, kind, naive.count as count_expected, kept.count
  from naive full join (select * from replica_digests where (count, digest) <> (0, 0)) kept using (household_id, kind)
  where (naive.count, naive.digest) is distinct from (kept.count, kept.digest);
