// Spending (or income) by month and category, from cells: each category's own and with those below it.
import type { Day } from '../../values/day.ts'
import { safe } from './amount.ts'
import type { Cell, Cells, Unconverted } from './flows.ts'
import type { Month } from './range.ts'

export type Kind = 'expense' | 'income'
export type By = 'both' | 'month' | 'category'
/** A category, the one above it, and its kind. */
export type Category = [id: string, parentId: string | null, kind: Kind]

type Sum = { amount: bigint; pending: bigint; count: number }
const nothing: Sum = { amount: 0n, pending: 0n, count: 0 }

export type Wanted = { kind: Kind; by: By; withPending: boolean }

export function spendingOf({ cells, unconverted }: Cells, categories: readonly Category[], months: readonly Month[], wanted: Wanted) {
  const parents = new Map(categories.map(([id, parentId]) => [id, parentId]))
  const kinds = new Map(categories.map(([id, , kind]) => [id, kind]))
  const sumOf = (cell: Cell) => sumOfKind(cell, cell.categoryId === null ? undefined : kinds.get(cell.categoryId), wanted)
  const rows = new Map<string, { month: Month | null; categoryId: string | null; sum: Sum }>()
  const own = new Map<string | null, Sum>()
  const withChildren = new Map<string | null, Sum>()
  if (wanted.by === 'month') for (const month of months) rows.set(`${month} `, { month, categoryId: null, sum: nothing })
  let total = nothing
  for (const cell of cells) {
    const sum = sumOf(cell)
    if (sum === null) continue
    total = plus(total, sum)
    own.set(cell.categoryId, plus(own.get(cell.categoryId) ?? nothing, sum))
    for (let id = cell.categoryId; ; id = parents.get(id) ?? null) {
      withChildren.set(id, plus(withChildren.get(id) ?? nothing, sum))
      if (id === null || !parents.get(id)) break
    }
    const [month, categoryId] = [wanted.by === 'category' ? null : cell.month, wanted.by === 'month' ? null : cell.categoryId]
    const key = `${month ?? ''} ${categoryId ?? ''}`
    rows.set(key, { month, categoryId, sum: plus(rows.get(key)?.sum ?? nothing, sum) })
  }
  return {
    data: inOrder(rows).map(([, { month, categoryId, sum }]) => ({
      ...(month === null ? {} : { month }),
      ...(wanted.by === 'month' ? {} : { categoryId }),
      ...shown(sum),
    })),
    categories: [...withChildren]
      .toSorted(([a, x], [b, y]) => (x.amount === y.amount ? ((a ?? '~') < (b ?? '~') ? -1 : 1) : x.amount < y.amount ? 1 : -1))
      .map(([categoryId, sum]) => ({
        categoryId,
        parentId: categoryId === null ? null : (parents.get(categoryId) ?? null),
        ...shown(own.get(categoryId) ?? nothing),
        withChildren: shown(sum),
      })),
    total: shown(total),
    unconverted: unconvertedOf(unconverted, sumOf),
  }
}

/**
 * What a cell adds, positive for what the kind is about; null when it is of the other kind. Money without a category is spent when it goes out and
 * earned when it comes in, so that income less expenses is what flowed.
 */
function sumOfKind(cell: Cell, kind: Kind | undefined, { kind: wanted, withPending }: Wanted): Sum | null {
  if (kind !== undefined && kind !== wanted) return null
  const side = (inflow: bigint, outflow: bigint) =>
    kind === undefined ? (wanted === 'expense' ? -outflow : inflow) : wanted === 'expense' ? -(inflow + outflow) : inflow + outflow
  const pending = withPending ? side(cell.pendingInflow, cell.pendingOutflow) : 0n
  const sum = { amount: side(cell.inflow, cell.outflow) + pending, pending, count: cell.count }
  return kind === undefined && sum.amount === 0n && sum.pending === 0n ? null : sum
}

function unconvertedOf(left: readonly Unconverted[], sumOf: (cell: Cell) => Sum | null) {
  const rows = new Map<string, Sum & { month: Month; currency: string; from: Day; to: Day }>()
  for (const cell of left) {
    const sum = sumOf(cell)
    if (sum === null) continue
    const { month, currency, from, to } = cell
    const key = `${month} ${currency}`
    const known = rows.get(key) ?? { ...nothing, month, currency, from, to }
    rows.set(key, {
      ...known,
      ...plus(known, sum),
      from: from < known.from ? from : known.from,
      to: to > known.to ? to : known.to,
    })
  }
  return inOrder(rows).map(([, row]) => ({ ...row, ...shown(row) }))
}

function plus(a: Sum, b: Sum): Sum {
  return { amount: a.amount + b.amount, pending: a.pending + b.pending, count: a.count + b.count }
}

function shown({ amount, pending, count }: Sum) {
  return { amount: safe(amount), pending: safe(pending), count }
}

/** By key; what has no category comes last in its month. */
function inOrder<T>(rows: ReadonlyMap<string, T>): [string, T][] {
  const last = (key: string) => (key.endsWith(' ') ? `${key}~` : key)
  return [...rows].toSorted(([a], [b]) => (last(a) < last(b) ? -1 : 1))
}
