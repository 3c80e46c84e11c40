// The reports of a household, computed again from its rows the slow and obvious way; amounts are whole numbers of any size.
import type { Djinn } from '../harness.ts'
import { exponentOf } from '../../src/values/money.ts'

export type NaiveRow = {
  account_id: string
  currency: string
  date: string
  amount: bigint
  category_id: string | null
  splits: { amount: number; categoryId?: string | null }[] | null
  pending: boolean
  transfer: boolean
}
export type NaiveAccount = { id: string; kind: string; currency: string; opening: bigint }
export type NaiveCategory = { id: string; parent_id: string | null; kind: 'income' | 'expense' }
/** What is alive in a household. */
export type Books = { rows: NaiveRow[]; accounts: NaiveAccount[]; categories: NaiveCategory[] }

export async function readBooks(djinn: Djinn, household: string): Promise<Books> {
  const rows = await djinn.sql<NaiveRow & { amount: string }>(
    `select account_id, currency, date::text, amount::text, category_id, splits, status = 'pending' as pending, transfer_id is not null as transfer
     from transactions where household_id = $1 and deleted_at is null`,
    [household],
  )
  const accounts = await djinn.sql<NaiveAccount & { opening: string }>(
    'select id, kind, currency, opening_balance::text as opening from accounts where household_id = $1 and deleted_at is null order by id',
    [household],
  )
  const categories = await djinn.sql<NaiveCategory>(
    'select id, parent_id, kind from categories where household_id = $1 and deleted_at is null',
    [household],
  )
  return {
    rows: rows.map((row) => ({ ...row, amount: BigInt(row.amount) })),
    accounts: accounts.map((account) => ({ ...account, opening: BigInt(account.opening) })),
    categories,
  }
}

/** Rates by `<currency> <day>`, units for one euro in millionths. */
export type NaiveRates = ReadonlyMap<string, bigint>

type Fraction = [numerator: bigint, denominator: bigint]

const shift = (day: string, days: number) => new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10)

function rateOn(rates: NaiveRates, currency: string, day: string): bigint | null {
  if (currency === 'EUR') return 1_000_000n
  for (let back = 0; back <= 10; back++) {
    const rate = rates.get(`${currency} ${shift(day, -back)}`)
    if (rate !== undefined) return rate
  }
  return null
}

function factor(rates: NaiveRates, base: string, currency: string, day: string): Fraction | null {
  if (currency === base) return [1n, 1n]
  const [from, to] = [rateOn(rates, currency, day), rateOn(rates, base, day)]
  if (from === null || to === null) return null
  return [to * 10n ** BigInt(exponentOf(base)!), from * 10n ** BigInt(exponentOf(currency)!)]
}

function round([numerator, denominator]: Fraction): bigint {
  const size = numerator < 0n ? -numerator : numerator
  const rounded = size / denominator + ((size % denominator) * 2n >= denominator ? 1n : 0n)
  return numerator < 0n ? -rounded : rounded
}

const sides = ['inflow', 'outflow', 'pendingInflow', 'pendingOutflow'] as const
type Cell = { month: string; category: string | null; currency: string; missing: boolean; days: string[]; count: number } & Record<
  (typeof sides)[number],
  bigint
>

/** Each month, category and currency, what has no rate apart. */
function cellsOf({ rows }: Books, months: readonly string[], rates: NaiveRates, base: string): Cell[] {
  const found = new Map<string, Omit<Cell, (typeof sides)[number]> & { sums: Record<(typeof sides)[number], Fraction> }>()
  for (const row of rows) {
    const month = row.date.slice(0, 7)
    if (row.transfer || !months.includes(month)) continue
    for (const line of row.splits ?? [{ amount: row.amount, categoryId: row.category_id }]) {
      const amount = BigInt(line.amount)
      const at = factor(rates, base, row.currency, row.date)
      const key = [month, line.categoryId ?? '', row.currency, at === null].join(' ')
      const cell = found.get(key) ?? {
        month,
        category: line.categoryId ?? null,
        currency: row.currency,
        missing: at === null,
        days: [],
        count: 0,
        sums: { inflow: [0n, 1n], outflow: [0n, 1n], pendingInflow: [0n, 1n], pendingOutflow: [0n, 1n] },
      }
      found.set(key, cell)
      const side = row.pending ? (amount > 0n ? 'pendingInflow' : 'pendingOutflow') : amount > 0n ? 'inflow' : 'outflow'
      const [numerator, denominator] = at ?? [1n, 1n]
      const [n, d] = cell.sums[side]
      cell.sums[side] = [n * denominator + amount * numerator * d, d * denominator]
      cell.days.push(row.date)
      cell.count++
    }
  }
  return [...found.values()].map(({ sums, ...cell }) => ({
    ...cell,
    inflow: round(sums.inflow),
    outflow: round(sums.outflow),
    pendingInflow: round(sums.pendingInflow),
    pendingOutflow: round(sums.pendingOutflow),
  }))
}

type Sum = { amount: bigint; pending: bigint; count: number }
const add = (a: Sum | undefined, b: Sum): Sum => ({
  amount: (a?.amount ?? 0n) + b.amount,
  pending: (a?.pending ?? 0n) + b.pending,
  count: (a?.count ?? 0) + b.count,
})

/** What `GET /api/reports/spending` says, as maps by month and category. */
export function naiveSpending(
  books: Books,
  months: readonly string[],
  rates: NaiveRates,
  base: string,
  wanted: { kind: 'expense' | 'income'; withPending: boolean },
) {
  const kinds = new Map(books.categories.map((category) => [category.id, category]))
  const [data, own, below, unconverted] = [new Map<string, Sum>(), new Map<string, Sum>(), new Map<string, Sum>(), new Map<string, Sum>()]
  let total: Sum = { amount: 0n, pending: 0n, count: 0 }
  for (const cell of cellsOf(books, months, rates, base)) {
    const kind = cell.category === null ? null : kinds.get(cell.category)!.kind
    if (kind !== null && kind !== wanted.kind) continue
    const sign = wanted.kind === 'expense' ? -1n : 1n
    const side = (inflow: bigint, outflow: bigint) =>
      kind !== null ? sign * (inflow + outflow) : sign * (wanted.kind === 'expense' ? outflow : inflow)
    const pending = wanted.withPending ? side(cell.pendingInflow, cell.pendingOutflow) : 0n
    const sum = { amount: side(cell.inflow, cell.outflow) + pending, pending, count: cell.count }
    if (kind === null && sum.amount === 0n && pending === 0n) continue
    if (cell.missing) {
      const key = `${cell.month} ${cell.currency}`
      unconverted.set(key, add(unconverted.get(key), sum))
      continue
    }
    const key = cell.category ?? 'none'
    data.set(`${cell.month} ${key}`, add(data.get(`${cell.month} ${key}`), sum))
    own.set(key, add(own.get(key), sum))
    total = add(total, sum)
    for (let above: string | null = key; above !== null; above = kinds.get(above)?.parent_id ?? null)
      below.set(above, add(below.get(above), sum))
  }
  return { data, own, below, total, unconverted }
}

/** What `GET /api/reports/cash-flow` says of each month, and of what has no rate. */
export function naiveCashFlow(books: Books, months: readonly string[], rates: NaiveRates, base: string) {
  const zero = () => ({ inflow: 0n, outflow: 0n, pendingInflow: 0n, pendingOutflow: 0n, count: 0 })
  const data = new Map(months.map((month) => [month, zero()]))
  const unconverted = new Map<string, ReturnType<typeof zero>>()
  for (const cell of cellsOf(books, months, rates, base)) {
    const key = `${cell.month} ${cell.currency}`
    if (cell.missing && !unconverted.has(key)) unconverted.set(key, zero())
    const sum = cell.missing ? unconverted.get(key)! : data.get(cell.month)!
    for (const side of sides) sum[side] += cell[side]
    sum.count += cell.count
  }
  return { data, unconverted }
}

/** Each account's balance at the end of the day. */
export function naiveBalances({ rows, accounts }: Books, day: string): Map<string, bigint> {
  return new Map(
    accounts.map(({ id, opening }) => [
      id,
      rows
        .filter((row) => row.account_id === id && !row.pending && row.date <= day)
        .reduce((balance, row) => balance + row.amount, opening),
    ]),
  )
}

/** What is owned, owed and left on the day, and what has no rate by currency. */
export function naiveWorth(books: Books, day: string, rates: NaiveRates, base: string) {
  const worth = { assets: 0n, liabilities: 0n, kinds: new Map<string, bigint>(), unconverted: new Map<string, bigint>() }
  const balances = naiveBalances(books, day)
  for (const { id, kind, currency } of books.accounts) {
    const balance = balances.get(id)!
    const at = balance === 0n ? ([0n, 1n] as Fraction) : factor(rates, base, currency, day)
    if (at === null) {
      worth.unconverted.set(currency, (worth.unconverted.get(currency) ?? 0n) + balance)
      continue
    }
    const converted = round([balance * at[0], at[1]])
    worth[converted > 0n ? 'assets' : 'liabilities'] += converted
    worth.kinds.set(kind, (worth.kinds.get(kind) ?? 0n) + converted)
  }
  return worth
}
