// What flowed, as cells of a month and a category: each converted by the rates of its days and rounded once, so that all sums of cells agree.
import type { Day } from '../../values/day.ts'
import { ConvertedSum } from '../../values/converted-sum.ts'
import { monthOf, type Month } from './range.ts'
import type { RateBook } from './rate-book.ts'

/** The zero id stands for no category. */
const noCategory = '00000000-0000-0000-0000-000000000000'

/** Lines of the rollups as store.ts writes them: day, category, inflow, outflow, pending inflow, pending outflow, count. */
export type Flow = { currency: string; lines: string }

/** In minor units of the report's currency; outflows are negative. */
export type Cell = {
  month: Month
  categoryId: string | null
  inflow: bigint
  outflow: bigint
  pendingInflow: bigint
  pendingOutflow: bigint
  count: number
}
/** What had no rate, in its own currency, with the first and last day concerned. */
export type Unconverted = Cell & { currency: string; from: Day; to: Day }

export type Cells = { cells: Cell[]; unconverted: Unconverted[] }

export function cellsOf(flows: readonly Flow[], rates: RateBook): Cells {
  const cells: Cell[] = []
  const unconverted: Unconverted[] = []
  for (const { currency, lines } of flows) {
    // The base currency comes by month, so that a line is a cell.
    if (currency === rates.base) cells.push(...linesOf(lines).map(({ day, ...cell }) => ({ ...cell, month: monthOf(day) })))
    else convert(currency, lines, rates, cells, unconverted)
  }
  return { cells, unconverted }
}

/** The days on which anything flowed. */
export function daysOf({ currency, lines }: Flow): { currency: string; day: Day }[] {
  return linesOf(lines).map(({ day }) => ({ currency, day }))
}

type Line = Omit<Cell, 'month'> & { day: Day }

function linesOf(lines: string): Line[] {
  if (lines === '') return []
  return lines.split(',').map((line) => {
    const [day, category, inflow, outflow, pendingInflow, pendingOutflow, count] = line.split(' ') as [
      Day,
      ...[string, string, string, string, string, string],
    ]
    return {
      day,
      categoryId: category === noCategory ? null : category,
      inflow: BigInt(inflow),
      outflow: BigInt(outflow),
      pendingInflow: BigInt(pendingInflow),
      pendingOutflow: BigInt(pendingOutflow),
      count: Number(count),
    }
  })
}

const sides = ['inflow', 'outflow', 'pendingInflow', 'pendingOutflow'] as const
type Sums = Pick<Cell, 'month' | 'categoryId' | 'count'> & Record<(typeof sides)[number], ConvertedSum>

function convert(currency: string, lines: string, rates: RateBook, cells: Cell[], unconverted: Unconverted[]) {
  const sums = new Map<string, Sums>()
  const missing = new Map<string, Unconverted>()
  for (const { day, ...line } of linesOf(lines)) {
    const month = monthOf(day)
    const key = `${month} ${line.categoryId}`
    const factor = rates.factor(currency, day)
    if (factor === null) {
      const left = missing.get(key)
      if (!left) {
        missing.set(key, { ...line, month, currency, from: day, to: day })
        continue
      }
      for (const side of sides) left[side] += line[side]
      left.count += line.count
      if (day < left.from) left.from = day
      if (day > left.to) left.to = day
      continue
    }
    const sum = sums.get(key) ?? emptySums(month, line.categoryId)
    sums.set(key, sum)
    for (const side of sides) sum[side].add(line[side], factor)
    sum.count += line.count
  }
  for (const sum of sums.values()) {
    cells.push({
      ...sum,
      inflow: sum.inflow.rounded(),
      outflow: sum.outflow.rounded(),
      pendingInflow: sum.pendingInflow.rounded(),
      pendingOutflow: sum.pendingOutflow.rounded(),
    })
  }
  unconverted.push(...missing.values())
}

function emptySums(month: Month, categoryId: string | null): Sums {
  return {
    month,
    categoryId,
    count: 0,
    inflow: new ConvertedSum(),
    outflow: new ConvertedSum(),
    pendingInflow: new ConvertedSum(),
    pendingOutflow: new ConvertedSum(),
  }
}
