// Categories: what the money was for. A household starts with a copy of the system's defaults.
import { z } from 'zod'
import { createRow, idListQuery, listRows, patchRow, readBefore, readRow, removeRow, restoreRow } from '../../http/collection.ts'
import { baseRevision } from '../../http/merge.ts'
import { operation, type Operation } from '../../http/operation.ts'
import { id, idParams, instant, listOf, text } from '../../http/parameters.ts'
import type { Runner } from '../../resources/transaction.ts'
import { newId } from '../../values/id.ts'
import { categoryRows, insertDefaults, listCategories } from './store.ts'

const kind = z.enum(['income', 'expense'])
const icon = text(64, 1)
const color = z.string().regex(/^#[0-9a-fA-F]{6}$/, { error: 'must be a colour such as #1b7f4d' })

export const categoryShape = z.strictObject({
  id,
  name: z.string(),
  kind,
  parentId: id.nullable(),
  icon: z.string().nullable(),
  color: z.string().nullable(),
  archived: z.boolean(),
  systemKey: z.string().nullable().meta({ description: 'The default it was copied from.' }),
  createdAt: instant,
  updatedAt: instant,
  revision: z.int(),
})
const draft = z.strictObject({
  id: id.optional(),
  name: text(100, 1),
  kind,
  parentId: id.nullable().optional(),
  icon: icon.nullable().optional(),
  color: color.nullable().optional(),
  archived: z.boolean().optional(),
})
const changes = draft.omit({ id: true }).partial().extend({ baseRevision })

export type DefaultCategory = { key: string; name: string; kind: 'income' | 'expense'; parent: string | null; icon: string; color: string }

/** Copies the system's default categories into a new household. */
export async function copyDefaults(tx: Runner, household: string, defaults: readonly DefaultCategory[]) {
  const ids = new Map(defaults.map((category) => [category.key, newId()]))
  const rows = defaults.map((category) => ({
    id: ids.get(category.key),
    name: category.name,
    kind: category.kind,
    parent_id: category.parent === null ? null : ids.get(category.parent),
    icon: category.icon,
    color: category.color,
    system_key: category.key,
  }))
  await tx.run(insertDefaults, { household, categories: rows })
}

/** What a category is on a slow network. */
const essential = ['id', 'name', 'kind', 'parentId', 'archived', 'revision'] as const

export function categoryOperations(): Operation[] {
  const shared = { tag: 'Categories' } as const
  return [
    operation({
      ...shared,
      name: 'categories.list',
      summary: 'All categories',
      description: 'Ordered by id.',
      method: 'GET',
      path: '/api/categories',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      essential,
      query: z.strictObject(idListQuery),
      answer: listOf(categoryShape),
      row: categoryShape,
      run: async (context, { query }) => ({ body: await listRows(context, 'categories', listCategories, query) }),
    }),
    operation({
      ...shared,
      name: 'categories.create',
      summary: 'Add a category',
      method: 'POST',
      path: '/api/categories',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      body: draft,
      answer: categoryShape,
      row: categoryShape,
      status: 201,
      refusals: ['already-exists', 'limit-reached', 'category-not-found', 'category-kind-mismatch', 'category-cycle'],
      run: (context, { body }) =>
        createRow(context, categoryRows, '/api/categories', body, { parentId: null, icon: null, color: null, archived: false }),
    }),
    operation({
      ...shared,
      name: 'categories.read',
      summary: 'One category',
      method: 'GET',
      path: '/api/categories/{id}',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      essential,
      params: idParams,
      answer: categoryShape,
      row: categoryShape,
      run: async (context, { params }) => ({ body: await readRow(context, categoryRows, params.id) }),
    }),
    operation({
      ...shared,
      name: 'categories.patch',
      summary: 'Change, move or archive a category',
      method: 'PATCH',
      path: '/api/categories/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      body: changes,
      answer: categoryShape,
      row: categoryShape,
      refusals: ['conflict', 'deleted', 'precondition-failed', 'category-not-found', 'category-kind-mismatch', 'category-cycle'],
      readAhead: (context, { params, body }) => readBefore(context, categoryRows, params.id, body.baseRevision),
      run: (context, { params, body, ahead }) => patchRow(context, categoryRows, params.id, body, ahead),
    }),
    operation({
      ...shared,
      name: 'categories.delete',
      summary: 'Delete a category that nothing uses',
      description: 'One in use is archived instead: 409 `in-use`.',
      method: 'DELETE',
      path: '/api/categories/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      status: 204,
      refusals: ['in-use', 'precondition-failed'],
      run: (context, { params }) => removeRow(context, categoryRows, params.id),
    }),
    operation({
      ...shared,
      name: 'categories.restore',
      summary: 'Bring a deleted category back, within 30 days',
      method: 'POST',
      path: '/api/categories/{id}/restore',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      answer: categoryShape,
      row: categoryShape,
      refusals: ['not-deleted', 'restore-expired', 'category-not-found', 'category-kind-mismatch', 'category-cycle'],
      run: (context, { params }) => restoreRow(context, categoryRows, params.id),
    }),
  ]
}
