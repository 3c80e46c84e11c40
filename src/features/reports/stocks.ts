// What there is on a day: balances of accounts, each converted by the rate of the day and rounded once, and what they sum to.
import type { Day } from '../../values/day.ts'
import { ConvertedSum } from '../../values/converted-sum.ts'
import { safe } from './amount.ts'
import { addMonths, lastDay, monthOf, type Month } from './range.ts'
import type { RateBook } from './rate-book.ts'

export type WorthAccount = {
  kind: string
  currency: string
  balance: number
  /** Months behind the first one asked for, and what each added. */
  months: string[]
  posted: string[]
  ahead: string
}

/** The days that net worth is shown of: each month's last, and today in its own month. */
export function worthDays(months: readonly Month[], today: Day): Day[] {
  return months.map((month) => (month === monthOf(today) ? today : lastDay(month)))
}

/** Net worth on each of the days: what is owned, what is owed, and both by the kinds of accounts. */
export function netWorthOf(accounts: readonly WorthAccount[], months: readonly Month[], today: Day, rates: RateBook) {
  const walks = accounts.map((account) => ({ account, balances: balancesOf(account, months, today) }))
  const unconverted: { date: Day; currency: string; amount: number }[] = []
  const data = worthDays(months, today).map((date, index) => {
    let [assets, liabilities] = [0n, 0n]
    const kinds = new Map<string, bigint>()
    const missing = new Map<string, bigint>()
    for (const { account, balances } of walks) {
      const balance = balances[index]!
      const worth = convertOn(balance, account.currency, date, rates)
      if (worth === null) {
        missing.set(account.currency, (missing.get(account.currency) ?? 0n) + balance)
        continue
      }
      if (worth > 0n) assets += worth
      else liabilities += worth
      kinds.set(account.kind, (kinds.get(account.kind) ?? 0n) + worth)
    }
    for (const [currency, amount] of [...missing].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      unconverted.push({ date, currency, amount: safe(amount) })
    }
    return {
      date,
      assets: safe(assets),
      liabilities: safe(liabilities),
      net: safe(assets + liabilities),
      kinds: [...kinds].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([kind, amount]) => ({ kind, amount: safe(amount) })),
    }
  })
  return { data, unconverted }
}

/** The balance at the end of each month, walked from now backwards; in today's month at the end of today. */
function balancesOf(account: WorthAccount, months: readonly Month[], today: Day): bigint[] {
  const added = new Map(account.months.map((month, index) => [month, BigInt(account.posted[index]!)]))
  const last = months.at(-1)!
  let balance = BigInt(account.balance)
  for (const [month, posted] of added) if (month > last) balance -= posted
  return months
    .toReversed()
    .map((month) => {
      // The month behind is left when this one is reached; behind the last it is left already.
      if (month !== last) balance -= added.get(addMonths(month, 1)) ?? 0n
      return month === monthOf(today) ? balance - BigInt(account.ahead) : balance
    })
    .toReversed()
}

/** Balances of one day, and their sum in the base currency. */
export function balancesOn(accounts: readonly { accountId: string; currency: string; balance: string }[], date: Day, rates: RateBook) {
  const unconverted = new Map<string, bigint>()
  let total = 0n
  const data = accounts.map(({ accountId, currency, balance: text }) => {
    const balance = BigInt(text)
    const converted = convertOn(balance, currency, date, rates)
    if (converted === null) unconverted.set(currency, (unconverted.get(currency) ?? 0n) + balance)
    else total += converted
    return { accountId, currency, balance: safe(balance), converted: converted === null ? null : safe(converted) }
  })
  return {
    data,
    total: safe(total),
    unconverted: [...unconverted]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([currency, amount]) => ({ currency, amount: safe(amount) })),
  }
}

/** Nothing is worth nothing at any rate. */
function convertOn(amountMinor: bigint, currency: string, day: Day, rates: RateBook): bigint | null {
  if (amountMinor === 0n) return 0n
  const factor = rates.factor(currency, day)
  if (factor === null) return null
  const sum = new ConvertedSum()
  sum.add(amountMinor, factor)
  return sum.rounded()
}
