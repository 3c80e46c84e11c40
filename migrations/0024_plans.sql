-- Why: what a write's triggers look up is a handful of rows, which the planner takes for hundreds: with 2,000 households it read all their
-- accounts for each transaction, and the bills of everybody for each change of one.
alter function keep_books(transactions[], transactions[]) set enable_seqscan = off;

-- As before (0013), but whether the household has bills is no join: with nested loops off, that one read the bills of everybody at each
-- change of a transaction.
create or replace function bills_on_update() returns trigger
  language plpgsql security definer set search_path = public, pg_temp set enable_nestloop = off as $$
declare
  touched record;
begin
  if not exists (select from bills b where b.household_id = any (array(select distinct n.household_id from new_rows n))) then
    return null;
  end if;
  for touched in
    select n.household_id, array_agg(n.id) as ids
    from new_rows n join old_rows o on o.household_id = n.household_id and o.id = n.id
    where (o.account_id, o.currency, o.date, o.amount, o.payee, o.raw_payee, o.deleted_at is null)
      is distinct from (n.account_id, n.currency, n.date, n.amount, n.payee, n.raw_payee, n.deleted_at is null)
    group by n.household_id
  loop
    perform pay_bills(touched.household_id, touched.ids);
  end loop;
  return null;
end $$;

-- Nothing asks for transfers by revision: phones are told of the legs. The planner took it for the key where it knows no household's size.
drop index transfers_by_revision;
