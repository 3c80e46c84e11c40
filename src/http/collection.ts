// What the operations of a collection do alike: create once, read, patch, delete, restore, and say why not.
import { isDeepStrictEqual } from 'node:util'
import { Failure } from '../values/failure.ts'
import { newId } from '../values/id.ts'
import { limits } from '../values/limits.ts'
import { columnsOf, type Row, type RowStatements } from '../resources/rows.ts'
import type { Shape, Statement } from '../resources/statement.ts'
import { page } from './page.ts'
import { pageQuery, updatedSince } from './parameters.ts'
import { changedSince, refuseConflicts, type Since } from './merge.ts'
import type { Answer, Context } from './operation.ts'

type Presented = Record<string, unknown> & { id: string; revision: number }

/** What lists in the order of ids take. */
export const idListQuery = { ...pageQuery, updatedSince }

/** A page of a list in the order of ids; `list` gives the statement of each variant, `more` what else it takes. */
export async function listRows<C extends Shape>(
  context: Context,
  noun: string,
  list: (after: boolean, since: boolean) => Statement<Shape, C>,
  query: { limit?: number | undefined; cursor?: string | undefined; updatedSince?: string | undefined },
  more: Record<string, string> = {},
) {
  const household = context.household!.id
  const binding = `${noun} ${household} ${query.updatedSince ?? ''}`
  const limit = query.limit ?? context.pageRows
  const [after] = query.cursor === undefined ? [] : context.cursors.decode(binding, query.cursor)
  const rows = await context.db.run(list(after !== undefined, query.updatedSince !== undefined), {
    household,
    rows: limit + 1,
    ...more,
    ...(query.updatedSince === undefined ? {} : { updatedSince: query.updatedSince }),
    ...(after === undefined ? {} : { after }),
  })
  return page(context.cursors, binding, rows, limit, (row) => [row['id'] as string])
}

/** One row by its id; deleted and foreign ones alike are `not-found`. */
export async function readRow<C extends Shape>(context: Context, rows: RowStatements<C>, id: string): Promise<Row<C>> {
  const row = await context.load(rows, id)
  if (!row) throw notFound(rows.noun)
  return row
}

/**
 * Creates a row under the client's id or a new one. The same id with the same content answers the row that is there;
 * with other content it is refused. `insert` runs the statement; `sent` is what the client sent, by the API's names.
 */
export async function createRow<C extends Shape>(
  context: Context,
  rows: RowStatements<C>,
  path: string,
  sent: Record<string, unknown> & { id?: string },
  defaults: Record<string, unknown>,
  insert = (draft: Record<string, unknown>) => context.db.run(rows.insert as never, { draft }),
): Promise<Answer> {
  const id = sent.id ?? newId()
  const draft = { ...columnsOf({ ...defaults, ...sent }), id, household_id: context.household!.id }
  const [made] = (await insert(draft)) as Presented[]
  if (made) return { status: 201, body: made, headers: { location: `${path}/${id}` } }
  const [existing] = (await context.db.run(rows.byIds, { household: context.household!.id, ids: [id] })) as Presented[]
  // A field left out asks for its default. What the row does not show is no part of its content.
  const wanted = Object.entries({ ...defaults, ...sent }).filter(([name]) => existing && Object.hasOwn(existing, name))
  const same = existing && wanted.every(([name, value]) => isDeepStrictEqual(existing[name], value))
  if (!same) throw new Failure('already-exists', 'The id is taken by a row with other content, or by a deleted one.', { at: '/id' })
  return { status: 200, body: existing, headers: { location: `${path}/${id}` } }
}

export type Before<C extends Shape> = { current: Row<C> | null; since: Since }

/** What a PATCH made on an older revision is held against, null for one that says nothing of it. To be read ahead. */
export async function readBefore<C extends Shape>(
  context: Context,
  rows: RowStatements<C>,
  id: string,
  baseRevision: number | undefined,
): Promise<Before<C> | null> {
  if (baseRevision === undefined) return null
  const [current, since] = await Promise.all([context.load(rows, id), changedSince(context, baseRevision, [id])])
  return { current, since }
}

/** Changes the given fields of a live row. `before` is read here unless it was read ahead. */
export async function patchRow<C extends Shape>(
  context: Context,
  rows: RowStatements<C>,
  id: string,
  given: Record<string, unknown> & { baseRevision?: number | undefined },
  before?: Before<C> | null,
): Promise<Answer> {
  const { baseRevision, ...changes } = given
  const found = before === undefined ? await readBefore(context, rows, id, baseRevision) : before
  if (baseRevision !== undefined && found) {
    if (!found.current) throw await whyNot(context, rows, id)
    refuseConflicts(baseRevision, found.since, { current: found.current as unknown as Presented, changes })
  }
  const [row] = await context.db.run(rows.patch as never, {
    household: context.household!.id,
    id,
    changes: columnsOf(changes),
    ifRevision: finite(context.ifMatchRevision),
  })
  if (!row) throw await whyNot(context, rows, id)
  return { body: row }
}

/** Deletes a row so that it can be restored; deleting it again succeeds. */
export async function removeRow<C extends Shape>(context: Context, rows: RowStatements<C>, id: string): Promise<Answer> {
  const [row] = await context.db.run(rows.remove, { household: context.household!.id, id, ifRevision: finite(context.ifMatchRevision) })
  if (!row) {
    const failure = await whyNot(context, rows, id)
    if (failure.code !== 'deleted') throw failure
  }
  return { status: 204 }
}

/** Brings a deleted row back, within 30 days. */
export async function restoreRow<C extends Shape>(context: Context, rows: RowStatements<C>, id: string): Promise<Answer> {
  const [row] = await context.db.run(rows.restore, { household: context.household!.id, id })
  if (row) return { body: row }
  const [standing] = (await context.db.run(rows.standing, { household: context.household!.id, id })) as {
    deletedAt: string | null
  }[]
  if (!standing) throw notFound(rows.noun)
  if (standing.deletedAt === null) throw new Failure('not-deleted', 'It is not deleted.')
  throw new Failure('restore-expired', `It was deleted more than ${limits.restoreDays} days ago.`)
}

/** Why a write found no row: never there, deleted, or changed since. */
export async function whyNot<C extends Shape>(context: Context, rows: RowStatements<C>, id: string): Promise<Failure> {
  const [standing] = (await context.db.run(rows.standing, { household: context.household!.id, id })) as {
    deletedAt: string | null
    revision: number
  }[]
  if (!standing) return notFound(rows.noun)
  if (standing.deletedAt !== null) return new Failure('deleted', `It was deleted at ${standing.deletedAt}; restore it first.`)
  return new Failure('precondition-failed', `It changed since; its revision is ${standing.revision}.`, { at: 'If-Match:' })
}

function notFound(noun: string): Failure {
  return new Failure('not-found', `There is no such ${noun.replace(/ies$/, 'y').replace(/s$/, '')} in this household.`)
}

/** If-Match: * demands only that the row is there. */
export function finite(revision: number | null): number | null {
  return revision === Infinity ? null : revision
}
