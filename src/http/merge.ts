// Offline writes: a PATCH made on an older revision goes through unless others changed the same fields meanwhile.
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { Failure } from '../values/failure.ts'
import { changedColumns } from '../resources/journal.ts'
import { columnsOf } from '../resources/rows.ts'
import type { Context } from './operation.ts'

/** The field that a PATCH made offline adds. */
export const baseRevision = z.int().min(0).optional().meta({
  description: "The row's revision when the change was made: changes of other fields since then merge, of the same ones are refused.",
})

export type Merge = {
  /** The row as answers show it, its revision among it. */
  current: Record<string, unknown> & { revision: number }
  /** What the changes are compared with, where that differs from what is shown. */
  comparable?: Record<string, unknown>
  /** What the caller wants, by the API's names. */
  changes: Record<string, unknown>
  /** The columns of the journal that a field stands for; its own name unless said. */
  columns?: Record<string, readonly string[]>
}

export type Since = { columns: string[]; whole: boolean }

/** What changed after the base revision, told by the journal of the row itself or of the parts that it is made of. */
export async function changedSince(context: Context, base: number, ids: readonly string[]): Promise<Since> {
  const [since] = await context.db.run(changedColumns, { household: context.household!.id, ids: [...ids], base })
  return since!
}

/** Refuses with `conflict` when a wanted field was changed to something else after the base revision. */
export function refuseConflicts(base: number, since: Since, merge: Merge) {
  const { current, comparable = current, changes } = merge
  if (current.revision <= base) return
  const conflicts = Object.keys(changes).filter((field) => {
    const columns = merge.columns?.[field] ?? Object.keys(columnsOf({ [field]: null }))
    const touched = since.whole || columns.some((column) => since.columns.includes(column))
    return touched && !isDeepStrictEqual(comparable[field] ?? null, changes[field] ?? null)
  })
  if (conflicts.length === 0) return
  throw new Failure('conflict', `Changed since revision ${base}: ${conflicts.join(', ')}.`, {
    errors: conflicts.map((field) => ({ pointer: `/${field}`, code: 'conflict', detail: 'It was changed to something else meanwhile.' })),
    extra: { current, conflicts },
  })
}
