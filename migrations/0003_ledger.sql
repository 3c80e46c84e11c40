-- Why: accounts, categories, transactions and transfers, and the triggers that keep their books.

create table accounts (
  household_id uuid not null references households,
  id uuid not null,
  name text not null check (length(name) between 1 and 100),
  kind text not null check (kind in ('checking', 'savings', 'cash', 'creditCard', 'loan', 'investment', 'other')),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  institution_id text,
  note text not null default '' check (length(note) <= 2000),
  opening_balance bigint not null default 0
    constraint amount_in_range check (opening_balance between -9007199254740991 and 9007199254740991),
  -- Opening balance plus posted and reconciled rows; pending rows stand beside it. The database keeps both.
  balance bigint not null default 0
    constraint balance_in_range check (balance between -9007199254740991 and 9007199254740991),
  pending_balance bigint not null default 0
    constraint pending_balance_in_range check (pending_balance between -9007199254740991 and 9007199254740991),
  closed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  revision bigint not null default 0,
  primary key (household_id, id),
  -- Lets a transaction carry its account's currency, held equal by the foreign key.
  unique (household_id, id, currency)
);
create index accounts_by_revision on accounts (household_id, revision, id);

create table categories (
  household_id uuid not null references households,
  id uuid not null,
  name text not null check (length(name) between 1 and 100),
  kind text not null check (kind in ('income', 'expense')),
  parent_id uuid,
  icon text,
  color text,
  archived boolean not null default false,
  -- The slug of the default it was copied from.
  system_key text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  revision bigint not null default 0,
  primary key (household_id, id),
  constraint category_parent foreign key (household_id, parent_id) references categories (household_id, id)
);
create index categories_by_revision on categories (household_id, revision, id);
create index categories_by_parent on categories (household_id, parent_id) where parent_id is not null;

create table transfers (
  household_id uuid not null references households,
  id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  revision bigint not null default 0,
  primary key (household_id, id)
);
create index transfers_by_revision on transfers (household_id, revision);

create function splits_sum(splits jsonb) returns numeric
  language sql immutable parallel safe
  return (select coalesce(sum((s ->> 'amount')::numeric), 0) from jsonb_array_elements(splits) s);

create table transactions (
  household_id uuid not null references households,
  id uuid not null,
  account_id uuid not null,
  -- The account's, held equal by the foreign key.
  currency text not null,
  date date not null check (date between '1900-01-01' and '2199-12-31'),
  amount bigint not null constraint amount_in_range check (amount between -9007199254740991 and 9007199254740991),
  payee text not null default '' check (length(payee) <= 200),
  note text not null default '' check (length(note) <= 2000),
  category_id uuid,
  -- [{amount, categoryId, note}]; the table `splits` mirrors it with foreign keys.
  splits jsonb constraint splits_sum_to_amount check (splits is null or splits_sum(splits) = amount),
  status text not null default 'posted' check (status in ('pending', 'posted', 'reconciled')),
  original_amount bigint constraint original_amount_in_range check (original_amount between -9007199254740991 and 9007199254740991),
  original_currency text check (original_currency ~ '^[A-Z]{3}$'),
  original_rate numeric,
  -- As the bank sent it, never changed by a user: what duplicates are found by.
  raw_payee text check (length(raw_payee) <= 1000),
  external_id text check (length(external_id) between 1 and 255),
  source_account_id uuid,
  source_date date,
  source_amount bigint,
  import_id uuid,
  transfer_id uuid,
  transfer_side text check (transfer_side in ('from', 'to')),
  -- Fields a person set: rules, feeds and imports leave them alone.
  edited_fields text[] not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  revision bigint not null default 0,
  primary key (household_id, id),
  constraint transaction_account foreign key (household_id, account_id, currency) references accounts (household_id, id, currency),
  constraint transaction_category foreign key (household_id, category_id) references categories (household_id, id),
  constraint transaction_transfer foreign key (household_id, transfer_id) references transfers (household_id, id),
  check ((transfer_id is null) = (transfer_side is null)),
  check ((original_amount is null) = (original_currency is null)),
  check (splits is null or jsonb_typeof(splits) = 'array' and jsonb_array_length(splits) between 2 and 50)
);
-- The list's order, whole household and one account; dead rows stay out.
create index transactions_by_date on transactions (household_id, date desc, id desc) where deleted_at is null;
create index transactions_by_account on transactions (household_id, account_id, date desc, id desc) where deleted_at is null;
create index transactions_by_category on transactions (household_id, category_id, date desc, id desc)
  where deleted_at is null and category_id is not null;
create index transactions_by_revision on transactions (household_id, revision, id);
create unique index transactions_external_id on transactions (household_id, source_account_id, external_id)
  where external_id is not null and deleted_at is null;
-- What a statement's rows are held against when it is imported again.
create index transactions_by_source on transactions (household_id, source_account_id, source_date) where source_account_id is not null;
create unique index transactions_by_transfer on transactions (household_id, transfer_id, transfer_side) where transfer_id is not null;

-- The mirror of transactions.splits, written by trigger only: foreign keys, category filters and rollups need rows.
create table splits (
  household_id uuid not null,
  transaction_id uuid not null,
  position integer not null,
  amount bigint not null,
  category_id uuid,
  primary key (household_id, transaction_id, position),
  foreign key (household_id, transaction_id) references transactions (household_id, id) on delete cascade,
  constraint split_category foreign key (household_id, category_id) references categories (household_id, id)
);
create index splits_by_category on splits (household_id, category_id, transaction_id) where category_id is not null;

-- Money by account, month and category; a split row counts by its splits. The zero id stands for no category.
create table monthly_totals (
  household_id uuid not null,
  month date not null,
  account_id uuid not null,
  category_id uuid not null,
  transfer boolean not null,
  inflow bigint not null default 0,
  outflow bigint not null default 0,
  pending_inflow bigint not null default 0,
  pending_outflow bigint not null default 0,
  count bigint not null default 0,
  primary key (household_id, month, account_id, category_id, transfer),
  constraint total_in_range check (greatest(inflow, pending_inflow, -outflow, -pending_outflow) <= 9007199254740991)
);

select guard_household_table('accounts', 'account');
select guard_household_table('categories', 'category');
select guard_household_table('transfers', 'transfer');
select guard_household_table('transactions', 'transaction');
select guard_tenancy('splits');
select guard_tenancy('monthly_totals');

-- What the database derives (balance, revision, currency's equality, the mirror) the app cannot write.
grant insert (household_id, id, name, kind, currency, institution_id, note, opening_balance, closed_at),
  update (name, kind, currency, institution_id, note, opening_balance, closed_at, deleted_at) on accounts to djinn_app;
grant insert (household_id, id, name, kind, parent_id, icon, color, archived, system_key),
  update (name, kind, parent_id, icon, color, archived, deleted_at) on categories to djinn_app;
grant insert (household_id, id), update (deleted_at) on transfers to djinn_app;
grant insert (household_id, id, account_id, currency, date, amount, payee, note, category_id, splits, status, original_amount,
    original_currency, original_rate, raw_payee, external_id, source_account_id, source_date, source_amount, import_id,
    transfer_id, transfer_side, edited_fields),
  update (account_id, currency, date, amount, payee, note, category_id, splits, status, original_amount, original_currency,
    original_rate, raw_payee, external_id, source_account_id, source_date, source_amount, import_id, edited_fields, deleted_at)
  on transactions to djinn_app;

-- Refuses with a constraint's name: the API translates it to a code in one place.
create function refuse(constraint_name text, message text) returns void
  language plpgsql as $$
begin
  raise exception '%', message using errcode = 'check_violation', constraint = constraint_name;
end $$;

create function keep_account() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    new.balance := new.opening_balance;
    new.pending_balance := 0;
  elsif new.opening_balance <> old.opening_balance then
    new.balance := old.balance + new.opening_balance - old.opening_balance;
  end if;
  return new;
end $$;
create trigger b_keep before insert or update on accounts for each row execute function keep_account();

-- A category's parent is alive, of its kind, and not below it.
create function keep_category() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
declare
  above categories;
  steps integer := 0;
begin
  above.parent_id := new.parent_id;
  while above.parent_id is not null loop
    if above.parent_id = new.id then
      perform refuse('category_not_below_itself', 'a category cannot be under itself');
    end if;
    select * into above from categories where household_id = new.household_id and id = above.parent_id;
    if not found or (steps = 0 and new.deleted_at is null and above.deleted_at is not null) then
      perform refuse('category_parent', 'there is no such parent category');
    end if;
    if above.kind <> new.kind then
      perform refuse('category_of_parents_kind', 'a category is of its parent''s kind');
    end if;
    steps := steps + 1;
    if steps > 8 then
      perform refuse('category_depth', 'categories nest at most 8 deep');
    end if;
  end loop;
  -- What stands below comes along.
  if tg_op = 'UPDATE' and new.parent_id is distinct from old.parent_id and steps > 0 then
    if steps + (with recursive below as (
        select c.id, 1 as depth from categories c where c.household_id = new.household_id and c.parent_id = new.id
        union all
        select c.id, b.depth + 1 from categories c join below b on c.parent_id = b.id where c.household_id = new.household_id and b.depth < 9
      ) select coalesce(max(depth), 0) from below) > 8 then
      perform refuse('category_depth', 'categories nest at most 8 deep');
    end if;
  end if;
  if tg_op = 'UPDATE' and new.kind <> old.kind
     and exists (select from categories c where c.household_id = new.household_id and c.parent_id = new.id and c.deleted_at is null) then
    perform refuse('category_of_parents_kind', 'a category is of its parent''s kind');
  end if;
  return new;
end $$;
create trigger b_keep before insert or update of parent_id, kind, deleted_at on categories for each row execute function keep_category();

create function category_stays_unless_unused() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  if exists (select from transactions t where t.household_id = new.household_id and t.category_id = new.id and t.deleted_at is null)
     or exists (select from splits s join transactions t on t.household_id = s.household_id and t.id = s.transaction_id
                where s.household_id = new.household_id and s.category_id = new.id and t.deleted_at is null)
     or exists (select from categories c where c.household_id = new.household_id and c.parent_id = new.id and c.deleted_at is null) then
    perform refuse('category_unused', 'the category is in use');
  end if;
  return new;
end $$;
create trigger c_unused before update of deleted_at on categories for each row
  when (new.deleted_at is not null and old.deleted_at is null) execute function category_stays_unless_unused();

create function account_stays_unless_unused() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  if exists (select from transactions t where t.household_id = new.household_id and t.account_id = new.id and t.deleted_at is null) then
    perform refuse('account_unused', 'the account has transactions');
  end if;
  return new;
end $$;
create trigger c_unused before update of deleted_at on accounts for each row
  when (new.deleted_at is not null and old.deleted_at is null) execute function account_stays_unless_unused();

create function reconciled_stays() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
begin
  perform refuse('reconciled_stays', 'the transaction is reconciled');
  return null;
end $$;
create trigger c_reconciled before update on transactions for each row
  when (old.status = 'reconciled' and (new.amount <> old.amount or new.date <> old.date or new.account_id <> old.account_id
        or (new.deleted_at is null) <> (old.deleted_at is null)))
  execute function reconciled_stays();

