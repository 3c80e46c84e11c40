// The figures of budgets and the levels they reach, computed again from transactions and rates the slow and obvious way.
import { addDays, dayFrom, type Day } from '../../src/values/day.ts'
import { convert } from '../../src/values/conversion.ts'
import { exponentOf } from '../../src/values/money.ts'
import type { Djinn } from '../harness.ts'

export type Budget = {
  id: string
  categoryId: string
  currency: string
  period: 'weekly' | 'monthly' | 'yearly'
  startsOn: Day
  rollover: boolean
  alertLevels: number[]
  alive: boolean
}
/** The amounts that were set, each with the day it was set on; the first holds before all others. */
export type Amounts = { since: Day; amount: number }[]
type Line = { day: Day; currency: string; categoryId: string | null; amount: number; pending: boolean }
type Rate = { currency: string; day: Day; rate: string }
export type Books = { budgets: Budget[]; parents: Map<string, string | null>; lines: Line[]; rates: Rate[] }
export type Figures = {
  periodStart: Day
  periodEnd: Day
  periodAmount: number
  rolledOver: number
  available: number
  spent: number
  pendingSpent: number
  remaining: number
  percent: number | null
  unconverted: string[]
}

const rolloverPeriods = 60

export async function readBooks(djinn: Djinn, household: string): Promise<Books> {
  const read = async <T extends object>(text: string) => await djinn.sql<T>(text, [household])
  const budgets = await read<Budget>(
    `select id, category_id as "categoryId", currency, period, starts_on::text as "startsOn", rollover, alert_levels as "alertLevels",
      deleted_at is null as alive from budgets where household_id = $1 order by id`,
  )
  const categories = await read<{ id: string; parent: string | null }>(
    `select id, parent_id as parent from categories where household_id = $1`,
  )
  const rows = await read<{
    day: Day
    currency: string
    category: string | null
    amount: string
    pending: boolean
    splits: { amount: number; categoryId?: string | null }[] | null
  }>(
    `select date::text as day, currency, category_id as category, amount::text, status = 'pending' as pending, splits
     from transactions where household_id = $1 and deleted_at is null and transfer_id is null`,
  )
  const lines = rows.flatMap(({ splits, category, ...row }) =>
    (splits ?? [{ amount: Number(row.amount), categoryId: category }]).map((part) => ({
      ...row,
      amount: part.amount,
      categoryId: part.categoryId ?? null,
    })),
  )
  const rates = await djinn.sql<Rate>('select currency, day::text, rate::text from exchange_rates order by day')
  return { budgets, parents: new Map(categories.map(({ id, parent }) => [id, parent])), lines, rates }
}

/** The first day of period `number`, 0 being the one that begins on startsOn. */
export function periodStart({ startsOn, period }: Pick<Budget, 'startsOn' | 'period'>, number: number): Day {
  if (period === 'weekly') return addDays(startsOn, 7 * number)
  const [year = 0, month = 0, date = 0] = startsOn.split('-').map(Number)
  const months = year * 12 + month - 1 + number * (period === 'monthly' ? 1 : 12)
  for (let day = date; ; day--) {
    const found = dayFrom(Math.floor(months / 12), (months % 12) + 1, day)
    if (found) return found
  }
}

/** Which period holds the day. */
export function periodOf(budget: Pick<Budget, 'startsOn' | 'period'>, day: Day): number {
  let number = 0
  while (periodStart(budget, number) > day) number--
  while (periodStart(budget, number + 1) <= day) number++
  return number
}

function below({ parents }: Books, root: string): Set<string> {
  const within = (id: string | null): boolean => id !== null && (id === root || within(parents.get(id) ?? null))
  return new Set([...parents.keys()].filter(within))
}

function rateOn(rates: Rate[], currency: string, day: Day): string | undefined {
  if (currency === 'EUR') return '1'
  return rates.findLast((rate) => rate.currency === currency && rate.day <= day && rate.day >= addDays(day, -10))?.rate
}

type Sums = { spent: number; pending: number; unconverted: string[] }

/** What was spent from one day up to another, that one not included. */
function spentIn(books: Books, budget: Budget, lines: Line[], from: Day, next: Day): Sums {
  const days = new Map<string, { day: Day; currency: string; spent: number; pending: number }>()
  for (const line of lines.filter(({ day }) => day >= from && day < next)) {
    const key = `${line.currency} ${line.day}`
    const sum = days.get(key) ?? { day: line.day, currency: line.currency, spent: 0, pending: 0 }
    days.set(key, { ...sum, spent: sum.spent - line.amount, pending: sum.pending - (line.pending ? line.amount : 0) })
  }
  const sums: Sums = { spent: 0, pending: 0, unconverted: [] }
  for (const { day, currency, spent, pending } of days.values()) {
    if (spent === 0 && pending === 0) continue
    const [fromRate, toRate] = [rateOn(books.rates, currency, day), rateOn(books.rates, budget.currency, day)]
    if (currency === budget.currency) {
      sums.spent += spent
      sums.pending += pending
    } else if (fromRate === undefined || toRate === undefined) {
      sums.unconverted.push(currency)
    } else {
      const conversion = { fromRate, toRate, fromExponent: exponentOf(currency)!, toExponent: exponentOf(budget.currency)! }
      sums.spent += convert(spent, conversion)!
      sums.pending += convert(pending, conversion)!
    }
  }
  return sums
}

export class NaiveBudgets {
  readonly #books: Books
  readonly #amounts: ReadonlyMap<string, Amounts>
  readonly #lines = new Map<string, Line[]>()
  readonly #sums = new Map<string, Sums>()

  constructor(books: Books, amounts: ReadonlyMap<string, Amounts>) {
    this.#books = books
    this.#amounts = amounts
    for (const budget of books.budgets) {
      const tree = below(books, budget.categoryId)
      this.#lines.set(
        budget.id,
        books.lines.filter((line) => line.categoryId !== null && tree.has(line.categoryId)),
      )
    }
  }

  #spent(budget: Budget, number: number): Sums {
    const key = `${budget.id} ${number}`
    const known = this.#sums.get(key)
    if (known) return known
    const [from, next] = [periodStart(budget, number), periodStart(budget, number + 1)]
    const sums = spentIn(this.#books, budget, this.#lines.get(budget.id)!, from, next)
    this.#sums.set(key, sums)
    return sums
  }

  #amount(budget: Budget, number: number): number {
    const amounts = this.#amounts.get(budget.id)!
    return (amounts.findLast(({ since }) => periodOf(budget, since) <= number) ?? amounts[0]!).amount
  }

  figures(budget: Budget, number: number): Figures {
    const { spent, pending, unconverted } = this.#spent(budget, number)
    let rolledOver = 0
    const missing = new Set(unconverted)
    for (let earlier = Math.max(0, number - rolloverPeriods); budget.rollover && earlier < number; earlier++) {
      const sums = this.#spent(budget, earlier)
      rolledOver += this.#amount(budget, earlier) - sums.spent
      for (const currency of sums.unconverted) missing.add(currency)
    }
    const periodAmount = this.#amount(budget, number)
    const available = periodAmount + rolledOver
    return {
      periodStart: periodStart(budget, number),
      periodEnd: addDays(periodStart(budget, number + 1), -1),
      periodAmount,
      rolledOver,
      available,
      spent,
      pendingSpent: pending,
      remaining: available - spent,
      percent: available > 0 ? Math.floor((Math.max(spent, 0) * 100) / available) : null,
      unconverted: [...missing].toSorted(),
    }
  }

  /** Every level that live budgets are at or above now, in any period since they began. */
  reached(): string[] {
    return this.#books.budgets
      .filter((budget) => budget.alive)
      .flatMap((budget) => {
        const numbers = new Set(this.#lines.get(budget.id)!.map((line) => periodOf(budget, line.day)))
        return [...numbers]
          .filter((number) => number >= 0)
          .flatMap((number) => {
            const { spent, available, periodStart: start } = this.figures(budget, number)
            const levels = budget.alertLevels.filter((level) => spent > 0 && spent * 100 >= level * available)
            return levels.map((level) => `${budget.id} ${start} ${level}`)
          })
      })
  }
}
