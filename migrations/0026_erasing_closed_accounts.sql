-- Why: rows of a closed account cannot be removed, so a household that had one could never be erased.

-- As before (0021), but its accounts are opened first: nobody is in it any more.
create or replace function erase_household(household uuid, most integer) returns boolean
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  erased_table text;
  erased bigint;
begin
  if household is distinct from current_household() then
    raise exception 'the transaction is not in this household' using errcode = 'insufficient_privilege';
  end if;
  if not exists (select from households h where h.household_id = household
                 and (h.deleted_at < now() - interval '30 days'
                      or h.deleted_at is not null and not exists (select from memberships m where m.household_id = household))) then
    raise exception 'the household is in use' using errcode = 'insufficient_privilege';
  end if;
  perform raise_revision(household);
  update accounts a set closed_at = null where a.household_id = household and a.closed_at is not null;
  for erased_table in select name from household_tables() loop
    execute format('delete from %I where ctid = any(array(select ctid from %I where household_id = $1 limit $2))', erased_table, erased_table)
      using household, most;
    get diagnostics erased = row_count;
    if erased > 0 then
      return true;
    end if;
  end loop;
  update journal j set changes = null, salt = null
    where j.household_id = household and j.number in (
      select e.number from journal e where e.household_id = household and e.changes is not null order by e.number limit most);
  get diagnostics erased = row_count;
  if erased > 0 then
    return true;
  end if;
  update households h set name = 'Erased', erased_at = now() where h.household_id = household and h.erased_at is null;
  update journal j set changes = null, salt = null
    where j.household_id = household and j.number = (select r.entries from revisions r where r.household_id = household);
  return false;
end $$;
