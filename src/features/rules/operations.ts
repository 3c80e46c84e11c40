// Rules: what is made of transactions as they arrive, and on demand of those that are there.
import { z } from 'zod'
import { createRow, patchRow, readRow, removeRow, restoreRow } from '../../http/collection.ts'
import { operation, type Context, type Operation } from '../../http/operation.ts'
import { page } from '../../http/page.ts'
import { idParams, listOf, pageQuery, updatedSince } from '../../http/parameters.ts'
import { ruleChanges, ruleDraft, ruleShape } from './rule.ts'
import { runOperations } from './runs.ts'
import { insertRule, listRules, makeRoom, ruleRows } from './store.ts'

const listQuery = z.strictObject({ ...pageQuery, updatedSince })
/** What a rule is on a slow network. */
const essential = ['id', 'name', 'position', 'enabled', 'revision'] as const

export function ruleOperations(): Operation[] {
  const shared = { tag: 'Rules', row: ruleShape } as const
  const references = ['category-not-found', 'account-not-found'] as const
  return [
    ...runOperations(),
    operation({
      ...shared,
      name: 'rules.list',
      summary: 'All rules, in the order in which they run',
      description: 'Ordered by position.',
      method: 'GET',
      path: '/api/rules',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      essential,
      query: listQuery,
      answer: listOf(ruleShape),
      run: async (context, { query }) => ({ body: await list(context, query) }),
    }),
    operation({
      ...shared,
      name: 'rules.create',
      feature: 'rules',
      summary: 'Add a rule',
      description:
        'It runs on what imports and feeds bring from now on; history is changed by a run. Conditions look at a row as it came, not at what an earlier rule makes of it; the first rule that sets a field wins it. Fields that a person set, the categories of split rows and the legs of transfers stay as they are.',
      method: 'POST',
      path: '/api/rules',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      body: ruleDraft,
      answer: ruleShape,
      status: 201,
      refusals: ['already-exists', 'limit-reached', ...references],
      run: (context, { body }) =>
        createRow(context, ruleRows, '/api/rules', body, { enabled: true, stop: false }, async (draft) => {
          await freePosition(context, draft['id'] as string, body.position)
          return await context.db.run(insertRule, { draft })
        }),
    }),
    operation({
      ...shared,
      name: 'rules.read',
      summary: 'One rule',
      method: 'GET',
      path: '/api/rules/{id}',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      essential,
      params: idParams,
      answer: ruleShape,
      run: async (context, { params }) => ({ body: await readRow(context, ruleRows, params.id) }),
    }),
    operation({
      ...shared,
      name: 'rules.patch',
      feature: 'rules',
      summary: 'Change, move, enable or disable a rule',
      description: 'With `position` it is put before the rule that has it.',
      method: 'PATCH',
      path: '/api/rules/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      body: ruleChanges,
      answer: ruleShape,
      refusals: ['conflict', 'deleted', 'precondition-failed', ...references],
      run: async (context, { params, body }) => {
        await freePosition(context, params.id, body.position)
        return await patchRow(context, ruleRows, params.id, body)
      },
    }),
    operation({
      ...shared,
      name: 'rules.delete',
      summary: 'Delete a rule',
      description: 'What it changed stays.',
      method: 'DELETE',
      path: '/api/rules/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      status: 204,
      refusals: ['precondition-failed'],
      run: (context, { params }) => removeRow(context, ruleRows, params.id),
    }),
    operation({
      ...shared,
      name: 'rules.restore',
      summary: 'Bring a deleted rule back to its position, within 30 days',
      method: 'POST',
      path: '/api/rules/{id}/restore',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      answer: ruleShape,
      refusals: ['not-deleted', 'restore-expired', 'limit-reached', ...references],
      run: async (context, { params }) => {
        await context.db.run(makeRoom, { household: context.household!.id, id: params.id, position: null })
        return await restoreRow(context, ruleRows, params.id)
      },
    }),
  ]
}

/** Rules that others are put before move on; what follows is refused or has the place. */
async function freePosition(context: Context, id: string, position: number | undefined) {
  if (position !== undefined) await context.db.run(makeRoom, { household: context.household!.id, id, position })
}

async function list(context: Context, query: z.infer<typeof listQuery>) {
  const household = context.household!.id
  const binding = `rules ${household} ${query.updatedSince ?? ''}`
  const limit = query.limit ?? context.pageRows
  const [after] = query.cursor === undefined ? [] : context.cursors.decode(binding, query.cursor)
  const rows = await context.db.run(listRules(after !== undefined, query.updatedSince !== undefined), {
    household,
    rows: limit + 1,
    ...(query.updatedSince === undefined ? {} : { updatedSince: query.updatedSince }),
    ...(after === undefined ? {} : { after: after as number }),
  })
  return page(context.cursors, binding, rows, limit, (row) => [row.position])
}
