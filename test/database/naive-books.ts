// The books of a household, computed again from its transactions the slow and obvious way.
import assert from 'node:assert/strict'
import type { Djinn } from '../harness.ts'

type Split = { amount: number; categoryId?: string | null }
type TransactionRow = {
  id: string
  account_id: string
  month: string
  amount: string
  category_id: string | null
  splits: Split[] | null
  status: string
  transfer_id: string | null
  transfer_side: string | null
  date: string
  currency: string
  alive: boolean
}
type Totals = { inflow: bigint; outflow: bigint; pendingInflow: bigint; pendingOutflow: bigint; count: bigint }

const noCategory = '00000000-0000-0000-0000-000000000000'

/** Fails when what the database keeps differs from what its transactions say. */
export async function assertBooks(djinn: Djinn, household: string) {
  const rows = async <T extends object>(text: string) => await djinn.sql<T>(text, [household])
  const transactions = await rows<TransactionRow>(
    `select id, account_id, to_char(date, 'YYYY-MM') as month, amount::text, category_id, splits, status, transfer_id, transfer_side,
      date::text, currency, deleted_at is null as alive from transactions where household_id = $1`,
  )
  const accounts = await rows<{ id: string; opening: string; balance: string; pending: string }>(
    `select id, opening_balance::text as opening, balance::text, pending_balance::text as pending from accounts where household_id = $1 order by id`,
  )
  const alive = transactions.filter((row) => row.alive)
  const sum = (some: TransactionRow[]) => some.reduce((total, row) => total + BigInt(row.amount), 0n)
  assert.deepEqual(
    accounts.map(({ id, balance, pending }) => [id, BigInt(balance), BigInt(pending)]),
    accounts.map(({ id, opening }) => {
      const own = alive.filter((row) => row.account_id === id)
      return [id, BigInt(opening) + sum(own.filter((row) => row.status !== 'pending')), sum(own.filter((row) => row.status === 'pending'))]
    }),
    'balances',
  )
  assert.deepEqual(await keptTotals(rows), naiveTotals(alive), 'monthly totals')
  const mirror = await rows<object>(
    `select transaction_id, position, amount::text, category_id from splits where household_id = $1 order by 1, 2`,
  )
  const expected = transactions
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .flatMap((row) =>
      (row.splits ?? []).map((split, index) => ({
        transaction_id: row.id,
        position: index + 1,
        amount: String(split.amount),
        category_id: split.categoryId ?? null,
      })),
    )
  assert.deepEqual(mirror, expected, 'the mirror of the splits')
  for (const row of transactions.filter((each) => each.splits)) {
    const total = row.splits!.reduce((so, split) => so + BigInt(split.amount), 0n)
    assert.equal(total, BigInt(row.amount), 'splits sum to the amount')
  }
  await assertTransfers(rows, transactions)
}

function naiveTotals(alive: TransactionRow[]): Map<string, Totals> {
  const totals = new Map<string, Totals>()
  for (const row of alive) {
    const lines: Split[] = row.splits ?? [{ amount: Number(row.amount), categoryId: row.category_id }]
    for (const line of lines) {
      const key = [row.month, row.account_id, line.categoryId ?? noCategory, row.transfer_id !== null].join(' ')
      const at = totals.get(key) ?? { inflow: 0n, outflow: 0n, pendingInflow: 0n, pendingOutflow: 0n, count: 0n }
      const amount = BigInt(line.amount)
      if (row.status === 'pending') at[amount > 0n ? 'pendingInflow' : 'pendingOutflow'] += amount
      else at[amount > 0n ? 'inflow' : 'outflow'] += amount
      at.count++
      totals.set(key, at)
    }
  }
  return inOrder(totals)
}

async function keptTotals(rows: <T extends object>(text: string) => Promise<T[]>): Promise<Map<string, Totals>> {
  const kept = await rows<Record<string, string>>(
    `select concat_ws(' ', to_char(month, 'YYYY-MM'), account_id, category_id, transfer::text) as key, to_char(month, 'DD') as day,
      inflow::text, outflow::text, pending_inflow::text, pending_outflow::text, count::text from monthly_totals where household_id = $1`,
  )
  const totals = new Map<string, Totals>()
  for (const row of kept) {
    assert.equal(row['day'], '01')
    const [inflow, outflow, pendingInflow, pendingOutflow, count] = ['inflow', 'outflow', 'pending_inflow', 'pending_outflow', 'count'].map(
      (name) => BigInt(row[name]!),
    ) as [bigint, bigint, bigint, bigint, bigint]
    // A month whose rows all went keeps a row of zeroes.
    if (count !== 0n || inflow !== 0n || outflow !== 0n || pendingInflow !== 0n || pendingOutflow !== 0n) {
      totals.set(row['key']!, { inflow, outflow, pendingInflow, pendingOutflow, count })
    }
  }
  return inOrder(totals)
}

const inOrder = (totals: Map<string, Totals>) => new Map([...totals].toSorted(([a], [b]) => (a < b ? -1 : 1)))

async function assertTransfers(rows: <T extends object>(text: string) => Promise<T[]>, transactions: TransactionRow[]) {
  const transfers = await rows<{ id: string; alive: boolean }>(
    `select id, deleted_at is null as alive from transfers where household_id = $1`,
  )
  assert.equal(transactions.filter((row) => row.transfer_id !== null).length, transfers.length * 2, 'every leg has its transfer')
  for (const transfer of transfers) {
    const legs = transactions.filter((row) => row.transfer_id === transfer.id)
    const from = legs.find((leg) => leg.transfer_side === 'from')
    const to = legs.find((leg) => leg.transfer_side === 'to')
    assert.ok(from && to, 'a transfer has two legs')
    assert.deepEqual([from.alive, to.alive], [transfer.alive, transfer.alive], 'legs live and die with their transfer')
    assert.equal(from.date, to.date)
    assert.notEqual(from.account_id, to.account_id)
    assert.ok(BigInt(from.amount) < 0n && BigInt(to.amount) > 0n)
    if (from.currency === to.currency) assert.equal(BigInt(from.amount) + BigInt(to.amount), 0n, 'legs are equal and opposite')
  }
}
