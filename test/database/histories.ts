// Random histories of a household: what people do over HTTP and what SQL of the app's role does, each either done or refused by a rule.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { newId } from '../../src/values/id.ts'
import type { Djinn, Person } from '../harness.ts'
import { asRole, refusalOf, type Run } from './app-role.ts'

/** What a step may draw on; each picks by remainder from what is there. */
export type Draw = { a: number; b: number; c: number; amount: number; date: string }
type Noun = 'accounts' | 'categories' | 'transactions' | 'transfers'
export type World = { djinn: Djinn; person: Person; gone: Record<Noun, string[]>; currencies: Map<string, string> } & Record<Noun, string[]>
export type Outcome = 'done' | 'refused'
export type Step = (world: World, draw: Draw) => Promise<Outcome>

const pick = (from: string[], index: number): string => (from.length === 0 ? newId() : from[index % from.length]!)
const statusOf = (index: number) => (['posted', 'pending', 'posted', 'reconciled'] as const)[index % 4]!

/** Splits of an amount in three uneven parts, one of them of the other sign. */
function splitsOf(amount: number, world: World, draw: Draw) {
  const first = Math.trunc(amount / 3) + 17
  return [
    { amount: first, categoryId: pick(world.categories, draw.b) },
    { amount: -5, categoryId: pick(world.categories, draw.c) },
    { amount: amount - first + 5, note: 'rest' },
  ]
}

async function http(world: World, method: string, path: string, body?: object): Promise<Outcome> {
  const { status, text } = await world.person.call(method, path, body === undefined ? {} : { body })
  assert.ok(status < 500, `${method} ${path}: ${text}`)
  return status < 300 ? 'done' : 'refused'
}

async function create(world: World, ids: Noun, body: object): Promise<Outcome> {
  const id = newId()
  const outcome = await http(world, 'POST', `/api/${ids}`, { id, ...body })
  if (outcome === 'done') world[ids].push(id)
  return outcome
}

async function remove(world: World, noun: Noun, id: string): Promise<Outcome> {
  const outcome = await http(world, 'DELETE', `/api/${noun}/${id}`)
  if (outcome === 'done') world.gone[noun].push(id)
  return outcome
}

/** Brings back what was deleted; when nothing was, deletes something first. */
async function restore(world: World, noun: Noun, draw: Draw): Promise<Outcome> {
  if (world.gone[noun].length === 0) await remove(world, noun, pick(world[noun], draw.b))
  return await http(world, 'POST', `/api/${noun}/${pick(world.gone[noun], draw.a)}/restore`)
}

/** Runs SQL as the app does, which either holds or is refused by a constraint. */
async function sql(world: World, work: (run: Run, household: string) => Promise<unknown>): Promise<Outcome> {
  const household = world.person.householdId
  const refusal = await refusalOf(asRole(world.djinn, { household, user: world.person.userId }, (run) => work(run, household)))
  if (refusal) assert.match(refusal.code, /^23/, refusal.message)
  return refusal ? 'refused' : 'done'
}

export const steps: Record<string, Step> = {
  openAccount: async (world, draw) => {
    const currency = ['EUR', 'EUR', 'USD', 'JPY'][draw.a % 4]!
    const outcome = await create(world, 'accounts', { name: 'Account', kind: 'checking', currency, openingBalance: draw.amount })
    world.currencies.set(world.accounts.at(-1)!, currency)
    return outcome
  },
  changeAccount: (world, draw) =>
    http(world, 'PATCH', `/api/accounts/${pick(world.accounts, draw.a)}`, {
      openingBalance: draw.amount,
      ...(draw.b % 3 === 0 ? { closedAt: draw.c % 2 === 0 ? '2026-01-01T00:00:00Z' : null } : {}),
    }),
  deleteAccount: async (world, draw) => {
    // One that nothing uses, else most would be refused.
    if (draw.b % 2) await steps['openAccount']!(world, draw)
    return await remove(world, 'accounts', draw.b % 2 ? world.accounts.at(-1)! : pick(world.accounts, draw.a))
  },
  restoreAccount: (world, draw) => restore(world, 'accounts', draw),
  addCategory: (world, draw) =>
    create(world, 'categories', { name: 'Category', kind: 'expense', ...(draw.a % 2 ? { parentId: pick(world.categories, draw.b) } : {}) }),
  deleteCategory: async (world, draw) => {
    if (draw.b % 2) await steps['addCategory']!(world, draw)
    return await remove(world, 'categories', draw.b % 2 ? world.categories.at(-1)! : pick(world.categories, draw.a))
  },
  restoreCategory: (world, draw) => restore(world, 'categories', draw),
  addTransaction: (world, draw) =>
    create(world, 'transactions', {
      accountId: pick(world.accounts, draw.a),
      date: draw.date,
      amount: draw.amount,
      status: statusOf(draw.b),
      ...(draw.c % 2 ? { splits: splitsOf(draw.amount, world, draw) } : { categoryId: pick(world.categories, draw.b) }),
    }),
  changeTransaction: (world, draw) =>
    http(world, 'PATCH', `/api/transactions/${pick(world.transactions, draw.a)}`, {
      ...(draw.b % 2 ? { amount: draw.amount, splits: draw.c % 3 ? null : splitsOf(draw.amount, world, draw) } : { date: draw.date }),
      ...(draw.c % 2 ? { accountId: pick(world.accounts, draw.c) } : { status: statusOf(draw.c), categoryId: null }),
    }),
  deleteTransaction: (world, draw) => remove(world, 'transactions', pick(world.transactions, draw.a)),
  restoreTransaction: (world, draw) => restore(world, 'transactions', draw),
  addTransfer: (world, draw) => {
    const [fromAccountId, toAccountId] = [pick(world.accounts, draw.a), pick(world.accounts, draw.a + 1 + (draw.b % 2))]
    const differ = world.currencies.get(fromAccountId) !== world.currencies.get(toAccountId)
    // Now and then what arrives is missing, or named where it must not be.
    const toAmount = differ !== (draw.c % 7 === 0) ? { toAmount: (draw.c % 900) + 1 } : {}
    return create(world, 'transfers', { fromAccountId, toAccountId, date: draw.date, amount: Math.abs(draw.amount) || 1, ...toAmount })
  },
  changeTransfer: (world, draw) =>
    http(world, 'PATCH', `/api/transfers/${pick(world.transfers, draw.a)}`, {
      amount: Math.abs(draw.amount) || 1,
      ...(draw.b % 3 ? { date: draw.date } : { toAccountId: pick(world.accounts, draw.c) }),
    }),
  deleteTransfer: (world, draw) => remove(world, 'transfers', pick(world.transfers, draw.a)),
  restoreTransfer: (world, draw) => restore(world, 'transfers', draw),

  insertMany: (world, draw) =>
    sql(world, async (run, household) => {
      const made = await run<{ id: string }>(
        `insert into transactions (household_id, id, account_id, currency, date, amount, category_id, status, splits)
         select $1, gen_random_uuid(), a.id, a.currency, $3::date + n * 9, $4::bigint / 8 + n, case when n % 3 = 0 then $5::uuid end,
           case when n % 4 = 0 then 'pending' else 'posted' end,
           case when n % 5 = 0 then jsonb_build_array(jsonb_build_object('amount', $4::bigint / 8, 'categoryId', $5::uuid),
             jsonb_build_object('amount', n, 'categoryId', null)) end
         from accounts a, generate_series(1, $6::int) n where a.household_id = $1 and (a.id = $2 or n % 2 = 0) returning id`,
        [household, pick(world.accounts, draw.a), draw.date, draw.amount, pick(world.categories, draw.b), (draw.c % 30) + 1],
      )
      world.transactions.push(...made.slice(0, 3).map((row) => row.id))
    }),
  updateMany: (world, draw) =>
    sql(world, (run, household) =>
      run(
        `update transactions set amount = amount + $2::bigint % 1000, splits = case when $3 % 2 = 0 and splits is not null then
             jsonb_set(splits, '{0,amount}', to_jsonb((splits #>> '{0,amount}')::bigint + $2::bigint % 1000)) end,
           date = date + $3 % 60, status = case when $3 % 3 = 0 then 'pending' else status end
         where household_id = $1 and transfer_id is null and status <> 'reconciled' and date < '2199-01-01'`,
        [household, draw.amount, draw.a % 1_000],
      ),
    ),
  moveMany: (world, draw) =>
    sql(world, (run, household) =>
      run(
        `update transactions t set account_id = a.id, currency = a.currency, category_id = $3 from accounts a
         where t.household_id = $1 and a.household_id = $1 and a.id = $2 and t.transfer_id is null and t.amount % 2 = 0`,
        [household, pick(world.accounts, draw.a), draw.b % 2 ? pick(world.categories, draw.c) : null],
      ),
    ),
  deleteMany: (world, draw) =>
    sql(world, async (run, household) => {
      const transfers = draw.b % 3 === 0
      if (transfers) await run(`update transfers set deleted_at = now() where household_id = $1 and deleted_at is null`, [household])
      await run(
        `update transactions set deleted_at = now()
         where household_id = $1 and deleted_at is null and case when transfer_id is null then amount % 3 = $2 else $3 end`,
        [household, draw.a % 3, transfers],
      )
    }),
  restoreMany: (world) =>
    sql(world, async (run, household) => {
      await run(`update transactions set deleted_at = null where household_id = $1 and deleted_at is not null`, [household])
      await run(`update transfers set deleted_at = null where household_id = $1 and deleted_at is not null`, [household])
    }),
  scaleTransfers: (world, draw) =>
    sql(world, (run, household) =>
      run(
        `update transactions set amount = amount / 2 + sign(amount)::bigint, date = $2 where household_id = $1 and transfer_id is not null`,
        [household, draw.date],
      ),
    ),
  changeOneLeg: (world) =>
    sql(world, (run, household) =>
      run(`update transactions set amount = amount + 1 where household_id = $1 and transfer_side = 'to' and amount > 1`, [household]),
    ),
  changeSplitsOnly: (world) =>
    sql(world, (run, household) =>
      run(`update transactions set splits = jsonb_set(splits, '{0,amount}', '1') where household_id = $1 and splits is not null`, [
        household,
      ]),
    ),
  upsert: (world, draw) =>
    sql(world, (run, household) =>
      run(
        `insert into transactions (household_id, id, account_id, currency, date, amount, status)
         select $1, x.id, a.id, a.currency, $4, $5, 'posted' from accounts a, unnest($3::uuid[]) x (id) where a.household_id = $1 and a.id = $2
         on conflict (household_id, id) do update set amount = excluded.amount, date = excluded.date, splits = null, account_id = excluded.account_id,
           currency = excluded.currency`,
        [household, pick(world.accounts, draw.a), [newId(), pick(world.transactions, draw.b), newId()], draw.date, draw.amount],
      ),
    ),
  merge: (world, draw) =>
    sql(world, (run, household) =>
      run(
        `merge into transactions t
         using (select a.id as account, a.currency, n, gen_random_uuid() as id from accounts a, generate_series(1, 4) n where a.household_id = $1) s
         on t.household_id = $1 and t.account_id = s.account and t.amount % 4 = s.n - 1 and t.transfer_id is null
         when matched then update set amount = t.amount + 4, splits = null, deleted_at = null
         when not matched then insert (household_id, id, account_id, currency, date, amount) values ($1, s.id, s.account, s.currency, $2, s.n)`,
        [household, draw.date],
      ),
    ),
  twoInOneStatement: (world, draw) =>
    sql(world, (run, household) =>
      run(
        `with changed as (update transactions set amount = amount - 1, splits = null where household_id = $1 and transfer_id is null returning amount),
           added as (insert into transactions (household_id, id, account_id, currency, date, amount)
             select $1, gen_random_uuid(), a.id, a.currency, $2, (select count(*) from changed) from accounts a where a.household_id = $1 returning 1),
           opened as (update accounts set opening_balance = opening_balance + 1 where household_id = $1 and id = $3 returning 1)
         select (select count(*) from added) + (select count(*) from opened)`,
        [household, draw.date, pick(world.accounts, draw.a)],
      ),
    ),
  undoneBySavepoint: (world, draw) =>
    sql(world, async (run, household) => {
      await run('savepoint before')
      await run(`update transactions set amount = amount + 7, splits = null where household_id = $1 and transfer_id is null`, [household])
      await run('rollback to before')
      await run(`update accounts set opening_balance = opening_balance + $2 where household_id = $1`, [household, draw.a % 100])
    }),
  erase: async (world, draw) => {
    const scope = { household: world.person.householdId, role: 'djinn_keeper' } as const
    // Only the keeper may: what is erased for good leaves the books too, and rows of a closed account stay.
    const refusal = await refusalOf(
      asRole(world.djinn, scope, (run) =>
        run(`delete from transactions where household_id = $1 and transfer_id is null and amount % 5 = $2 % 5`, [
          scope.household,
          draw.a % 5,
        ]),
      ),
    )
    if (refusal) assert.match(refusal.constraint ?? '', /^(account_open|transaction_account)$/, refusal.message)
    return refusal ? 'refused' : 'done'
  },
}

const days = fc
  .date({ min: new Date('2024-11-20'), max: new Date('2026-03-10'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10))
const draws = fc.record<Draw>({
  a: fc.nat(999),
  b: fc.nat(999),
  c: fc.nat(999),
  amount: fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: -90_000, max: 90_000 }) },
    { weight: 1, arbitrary: fc.constantFrom(0, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER) },
  ),
  date: fc.oneof({ weight: 12, arbitrary: days }, { weight: 1, arbitrary: fc.constantFrom('1900-01-01', '2199-12-31', '2024-02-29') }),
})
const weight: Record<string, number> = {
  openAccount: 3,
  addCategory: 2,
  addTransaction: 5,
  addTransfer: 4,
  changeTransaction: 3,
  changeTransfer: 3,
  deleteTransfer: 2,
  restoreTransfer: 2,
  deleteTransaction: 2,
  restoreTransaction: 2,
  restoreAccount: 2,
  restoreCategory: 2,
}
const names = fc.oneof(...Object.keys(steps).map((name) => ({ weight: weight[name] ?? 1, arbitrary: fc.constant(name) })))

/** Steps by name with what they draw on. */
export const histories = fc.array(fc.tuple(names, draws), { minLength: 12, maxLength: 40, size: 'max' })
export type History = [string, Draw][]

/** A new household with three accounts and a category, in which a history may happen. */
export async function beginHistory(djinn: Djinn, history: History): Promise<World> {
  const empty = () => ({ accounts: [], categories: [], transactions: [], transfers: [] })
  const world: World = { djinn, person: await djinn.person(), gone: empty(), currencies: new Map(), ...empty() }
  for (const a of [0, 1, 2]) await steps['openAccount']!(world, { ...history[0]![1], a })
  await steps['addCategory']!(world, history[0]![1])
  return world
}
