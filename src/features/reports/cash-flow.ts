// Cash flow by month, from cells: what came in, what went out, and what was left; transfers are no part of it.
import { safe } from './amount.ts'
import type { Cell, Cells } from './flows.ts'
import type { Month } from './range.ts'

type Sum = Pick<Cell, 'inflow' | 'outflow' | 'pendingInflow' | 'pendingOutflow' | 'count'>
const nothing: Sum = { inflow: 0n, outflow: 0n, pendingInflow: 0n, pendingOutflow: 0n, count: 0 }

export function cashFlowOf({ cells, unconverted }: Cells, months: readonly Month[]) {
  const byMonth = new Map(months.map((month) => [month, nothing]))
  for (const cell of cells) byMonth.set(cell.month, plus(byMonth.get(cell.month) ?? nothing, cell))
  const missing = new Map<string, Sum & { month: Month; currency: string; from: string; to: string }>()
  for (const cell of unconverted) {
    const { month, currency, from, to } = cell
    const key = `${month} ${currency}`
    const known = missing.get(key) ?? { ...nothing, month, currency, from, to }
    missing.set(key, { ...known, ...plus(known, cell), from: from < known.from ? from : known.from, to: to > known.to ? to : known.to })
  }
  return {
    data: [...byMonth].map(([month, sum]) => ({ month, ...shown(sum) })),
    total: shown(cells.reduce(plus, nothing)),
    unconverted: [...missing]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { month, currency, from, to, ...sum }]) => ({ month, currency, from, to, ...shown(sum) })),
  }
}

function plus(a: Sum, b: Sum): Sum {
  return {
    inflow: a.inflow + b.inflow,
    outflow: a.outflow + b.outflow,
    pendingInflow: a.pendingInflow + b.pendingInflow,
    pendingOutflow: a.pendingOutflow + b.pendingOutflow,
    count: a.count + b.count,
  }
}

function shown({ inflow, outflow, pendingInflow, pendingOutflow, count }: Sum) {
  return {
    ...sides(inflow, outflow),
    pending: sides(pendingInflow, pendingOutflow),
    count,
  }
}

function sides(inflow: bigint, outflow: bigint) {
  return { inflow: safe(inflow), outflow: safe(outflow), net: safe(inflow + outflow) }
}
