// What PostgreSQL itself refuses the app's role: unbalanced splits, half a transfer, and every column it keeps.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { open, type Person } from '../harness.ts'
import { asRole, refusalOf, type Run } from './app-role.ts'
import { assertBooks } from './naive-books.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
let current: string
let savings: string
let dollars: string

before(async () => {
  ana = await djinn.person()
  current = await ana.account()
  savings = await ana.account({ name: 'Savings', openingBalance: 500 })
  dollars = await ana.account({ name: 'Dollars', currency: 'USD' })
})

const write = (work: (run: Run) => Promise<unknown>) => asRole(djinn, { household: ana.householdId, user: ana.userId }, work)

/** Fails unless the work is refused by the constraint and leaves every book as it was. */
async function refused(constraint: string, work: (run: Run) => Promise<unknown>) {
  const [was] = await djinn.sql('select head, entries, revision from revisions where household_id = $1', [ana.householdId])
  const refusal = await refusalOf(write(work))
  assert.deepEqual([refusal?.code.slice(0, 2), refusal?.constraint], ['23', constraint], refusal?.message ?? 'done')
  assert.deepEqual(await djinn.sql('select head, entries, revision from revisions where household_id = $1', [ana.householdId]), [was])
  await assertBooks(djinn, ana.householdId)
}

async function denied(text: string, values: unknown[] = []) {
  const refusal = await refusalOf(write((run) => run(text, values)))
  assert.equal(refusal?.code, '42501', `${text}: ${refusal?.message ?? 'done'}`)
}

const insert = `insert into transactions (household_id, id, account_id, currency, date, amount, splits, transfer_id, transfer_side)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

type Draft = {
  id: string
  account: string
  currency: string
  date: string
  amount: number
  splits: object[] | null
  side: 'from' | 'to' | null
}
const values = (draft: Partial<Draft>, transfer: string | null = null) => [
  ana.householdId,
  draft.id ?? newId(),
  draft.account ?? current,
  draft.currency ?? 'EUR',
  draft.date ?? '2026-02-28',
  draft.amount ?? -100,
  draft.splits ? JSON.stringify(draft.splits) : null,
  transfer,
  draft.side ?? null,
]

/** A transfer with the given legs, as SQL writes it. */
const transfer =
  (...legs: Partial<Draft>[]) =>
  async (run: Run) => {
    const id = newId()
    await run('insert into transfers (household_id, id) values ($1, $2)', [ana.householdId, id])
    for (const leg of legs) await run(insert, values(leg, id))
  }
const legFrom = (draft: Partial<Draft> = {}): Partial<Draft> => ({ account: current, amount: -100, side: 'from', ...draft })
const legTo = (draft: Partial<Draft> = {}): Partial<Draft> => ({ account: savings, amount: 100, side: 'to', ...draft })

test('splits that do not sum to the amount are refused, on insert and on either change', async () => {
  await refused('splits_sum_to_amount', (run) => run(insert, values({ splits: [{ amount: -60 }, { amount: -41 }] })))
  const id = newId()
  await write((run) => run(insert, values({ id, splits: [{ amount: -60 }, { amount: -40 }] })))
  await refused('splits_sum_to_amount', (run) =>
    run('update transactions set amount = -101 where household_id = $1 and id = $2', [ana.householdId, id]),
  )
  await refused('splits_sum_to_amount', (run) =>
    run(`update transactions set splits = '[{"amount":-60},{"amount":-39}]' where household_id = $1 and id = $2`, [ana.householdId, id]),
  )
})

test('a split of no amount, of a fraction, or one alone is refused', async () => {
  for (const splits of [[{ amount: -100 }, {}], [{ amount: -99.5 }, { amount: -0.5 }], [{ amount: -100 }], []]) {
    const refusal = await refusalOf(write((run) => run(insert, values({ splits }))))
    assert.match(refusal?.code ?? 'done', /^(22|23)/, JSON.stringify(splits))
  }
  await assertBooks(djinn, ana.householdId)
})

test('a transfer with no leg, one leg or two of one side is refused at commit', async () => {
  await refused('transfer_has_two_legs', transfer())
  await refused('transfer_has_two_legs', transfer(legFrom()))
  await refused('transfer_has_two_legs', transfer(legTo()))
  const twice = await refusalOf(write(transfer(legFrom(), legFrom())))
  assert.equal(twice?.constraint, 'transactions_by_transfer')
})

test('legs that are unequal, of the wrong sign, on two days or in one account are refused', async () => {
  await refused('transfer_balances', transfer(legFrom(), legTo({ amount: 99 })))
  await refused('transfer_balances', transfer(legFrom({ amount: 100 }), legTo({ amount: -100 })))
  await refused('transfer_balances', transfer(legFrom({ amount: 0 }), legTo({ amount: 0 })))
  await refused('transfer_balances', transfer(legFrom(), legTo({ date: '2026-03-01' })))
  await refused('transfer_balances', transfer(legFrom(), legTo({ account: dollars, currency: 'USD', amount: -90 })))
  await refused('transfer_between_two_accounts', transfer(legFrom(), legTo({ account: current })))
})

test('one leg of a transfer cannot be changed or deleted without the other', async () => {
  await write(transfer(legFrom(), legTo()))
  const change = (set: string) => (run: Run) =>
    run(`update transactions set ${set} where household_id = $1 and transfer_side = 'to'`, [ana.householdId])
  await refused('transfer_balances', change('amount = amount + 1'))
  await refused('transfer_balances', change('date = date + 1'))
  await refused('transfer_has_two_legs', change('deleted_at = now()'))
  await refused('transfer_between_two_accounts', (run) =>
    run(`update transactions set account_id = $2 where household_id = $1 and transfer_side = 'to'`, [ana.householdId, current]),
  )
  await refused('transfer_has_two_legs', (run) => run('update transfers set deleted_at = now() where household_id = $1', [ana.householdId]))
})

test('a row cannot name an account of another currency, nor an account or category of another household', async () => {
  const ben = await djinn.person()
  const foreign = await ben.account()
  const { body: category } = await ben.post('/api/categories', { name: 'Hers', kind: 'expense' })
  await refused('transaction_account', (run) => run(insert, values({ currency: 'USD' })))
  await refused('transaction_account', (run) => run(insert, values({ account: foreign })))
  await refused('split_category', (run) => run(insert, values({ splits: [{ amount: -60, categoryId: category.id }, { amount: -40 }] })))
  await refused('category_parent', (run) =>
    run(`insert into categories (household_id, id, name, kind, parent_id) values ($1, $2, 'Mine', 'expense', $3)`, [
      ana.householdId,
      newId(),
      category.id,
    ]),
  )
})

test('a balance past 2^53-1 is refused', async () => {
  const most = Number.MAX_SAFE_INTEGER
  await refused('balance_in_range', async (run) => {
    await run(insert, values({ amount: most }))
    await run(insert, values({ amount: most }))
  })
  await refused('amount_in_range', (run) =>
    run('update accounts set opening_balance = $2 where household_id = $1', [ana.householdId, '9007199254740992']),
  )
})

test('the app cannot set what the database derives', async () => {
  const own = [ana.householdId]
  for (const column of ['balance', 'pending_balance', 'revision', 'created_at', 'updated_at', 'id', 'household_id']) {
    await denied(`update accounts set ${column} = ${column} where household_id = $1`, own)
  }
  for (const column of ['id', 'household_id', 'revision', 'transfer_id', 'transfer_side', 'created_at']) {
    await denied(`update transactions set ${column} = ${column} where household_id = $1`, own)
  }
  await denied(`insert into accounts (household_id, id, name, kind, currency, balance) values ($1, $2, 'Rich', 'cash', 'EUR', 100)`, [
    ana.householdId,
    newId(),
  ])
  for (const table of ['splits', 'monthly_totals', 'revisions', 'journal']) {
    await denied(`update ${table} set household_id = household_id`)
    await denied(`delete from ${table}`)
    await denied(`insert into ${table} select * from ${table}`)
    await denied(`truncate ${table}`)
  }
})

test('the app deletes no row of the ledger for good', async () => {
  for (const table of ['accounts', 'categories', 'transactions', 'transfers', 'households', 'imports']) {
    await denied(`delete from ${table}`)
    await denied(`truncate ${table} cascade`)
  }
})

test('the functions that keep the books answer to their own triggers only', async () => {
  await denied(`select keep_books('{}', '{}')`)
  await denied(`select append_journal('account', '{}')`)
})

test('a category does not come back below one that is deleted', async () => {
  const [above, below] = [newId(), newId()]
  await ana.post('/api/categories', { id: above, name: 'Above', kind: 'expense' })
  await ana.post('/api/categories', { id: below, name: 'Below', kind: 'expense', parentId: above })
  await ana.delete(`/api/categories/${below}`)
  await ana.delete(`/api/categories/${above}`)
  await refused('category_parent', (run) =>
    run('update categories set deleted_at = null where household_id = $1 and id = $2', [ana.householdId, below]),
  )
  const answer = await ana.post(`/api/categories/${below}/restore`)
  assert.deepEqual([answer.status, answer.body.code], [404, 'category-not-found'])
  for (const id of [above, below]) assert.equal((await ana.post(`/api/categories/${id}/restore`)).status, 200)
})

test('the app cannot forge the audit trail by a table of its own', async () => {
  const refusal = await refusalOf(
    write(async (run) => {
      await run('create temporary table forged (id uuid, name text)')
      await run(`create trigger forge after insert on forged referencing new table as new_rows
        for each statement execute function journal_insert('account', 'id')`)
      await run(`insert into forged values ($1, 'Never was')`, [newId()])
    }),
  )
  assert.equal(refusal?.code, '42501', refusal?.message ?? 'done')
  assert.deepEqual(await djinn.sql(`select from journal where changes ->> 'name' = 'Never was'`), [])
  const callable = await djinn.sql<{ name: string }>(
    `select proname as name from pg_proc where pronamespace = 'public'::regnamespace and prosecdef and has_function_privilege('djinn_app', oid, 'execute') order by 1`,
  )
  assert.deepEqual(
    callable.map((row) => row.name),
    // They give the sealed secret that a feed and its key name, or open a push for one; reveal numbers, or what the transaction's own user belongs
    // to or whoever asks holds the token of; take a push token from whom it was of; wake phones without a sign; queue a mail that its invitation is for; raise
    // occurrences of the household's own bills; erase the transaction's own user; or clear the default categories of a household that holds nothing else.
    [
      'accept_invitation',
      'begin_restore',
      'erase_user',
      'feed_credential',
      'free_push_token',
      'household_revisions',
      'household_state',
      'invitation_is_open',
      'open_push',
      'orphaned_households',
      'queue_invitation_mail',
      'queue_pokes',
      'raise_occurrences',
      'raise_revision',
      'read_invitation',
      'sync_vector',
    ],
    'functions that run with more rights than the app has',
  )
})
