// What the database's triggers would have made of a household's rows, added up in one pass.
import type { SeedHousehold } from './history.ts'

export type Sums = { inflow: number; outflow: number; pendingInflow: number; pendingOutflow: number; count: number }
export type MonthlyTotal = Sums & { month: number; account: number; category: number; transfer: boolean }
export type CategoryTotal = Sums & { grain: 'day' | 'month'; period: number; currency: string; category: number }
export type Posted = { account: number; day: number; posted: number }

export type Books = {
  balances: number[]
  pendingBalances: number[]
  monthlyTotals: MonthlyTotal[]
  categoryTotals: CategoryTotal[]
  /** By the first day of a month. */
  accountMonths: Posted[]
  /** By day; opening balances are of no day and not among them. */
  balanceChanges: Posted[]
}

/** Room for the place of an account and, one raised since -1 is none, of a category in a key. */
const accountsMax = 16
const categoriesMax = 128

export function keepBooks(household: SeedHousehold): Books {
  const { accounts, transactions } = household
  const monthly = new Map<number, MonthlyTotal>()
  const categories = new Map<number, CategoryTotal>()
  const months = new Map<number, Posted>()
  const changes = new Map<number, Posted>()
  const balances = accounts.map(({ openingBalance }) => openingBalance)
  const pendingBalances = accounts.map(() => 0)
  const currencies = [...new Set(accounts.map(({ currency }) => currency))]
  const currencyOf = accounts.map(({ currency }) => currencies.indexOf(currency))
  const monthOf = makeMonthOf()
  for (const { account, day, amount, category, splits, pending, transfer } of transactions) {
    const month = monthOf(day)
    for (const line of splits ?? [{ amount, category }]) {
      const place = line.category + 1
      const monthKey = ((month * accountsMax + account) * categoriesMax + place) * 2 + (transfer < 0 ? 0 : 1)
      let total = monthly.get(monthKey)
      if (!total) monthly.set(monthKey, (total = { month, account, category: line.category, transfer: transfer >= 0, ...noSums() }))
      add(total, line.amount, pending)
      if (transfer >= 0) continue
      const currency = currencyOf[account]!
      for (const grain of ['day', 'month'] as const) {
        const period = grain === 'day' ? day : month
        const key = ((period * accountsMax + currency) * categoriesMax + place) * 2 + (grain === 'day' ? 0 : 1)
        let sums = categories.get(key)
        if (!sums) categories.set(key, (sums = { grain, period, currency: currencies[currency]!, category: line.category, ...noSums() }))
        add(sums, line.amount, pending)
      }
    }
    if (pending) pendingBalances[account]! += amount
    else {
      balances[account]! += amount
      post(months, account, month, amount)
      post(changes, account, day, amount)
    }
  }
  return {
    balances,
    pendingBalances,
    monthlyTotals: [...monthly.values()],
    categoryTotals: [...categories.values()],
    accountMonths: [...months.values()],
    balanceChanges: [...changes.values()],
  }
}

function noSums(): Sums {
  return { inflow: 0, outflow: 0, pendingInflow: 0, pendingOutflow: 0, count: 0 }
}

function add(sums: Sums, amount: number, pending: boolean) {
  if (pending) {
    if (amount > 0) sums.pendingInflow += amount
    else sums.pendingOutflow += amount
  } else if (amount > 0) sums.inflow += amount
  else sums.outflow += amount
  sums.count++
}

function post(into: Map<number, Posted>, account: number, day: number, amount: number) {
  const key = day * accountsMax + account
  const known = into.get(key)
  if (known) known.posted += amount
  else into.set(key, { account, day, posted: amount })
}

/** The first day of a day's month, by number; the last one is kept, since rows come day by day. */
function makeMonthOf() {
  const known = new Map<number, number>()
  return (day: number): number => {
    let first = known.get(day)
    if (first === undefined) known.set(day, (first = day - new Date(day * 86_400_000).getUTCDate() + 1))
    return first
  }
}
