// Rules over history: a preview that writes nothing, a run with its report, and the undo of a run.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { newId } from '../../values/id.ts'
import { limits } from '../../values/limits.ts'
import { operation, type Context, type Operation } from '../../http/operation.ts'
import { page } from '../../http/page.ts'
import { amount, day, id, idParams, instant, listOf, pageQuery } from '../../http/parameters.ts'
import type { Runner } from '../../resources/transaction.ts'
import { applyToScope, type Scope } from './apply.ts'
import { ruleTrial, type Trial } from './rule.ts'
import { dropOldRuns, finishRun, insertRun, listChanges, listRuns, markUndone, readRun, undoChunk } from './run-store.ts'
import { chosenRules, countScope, hasAccount, missingReferences, previewRules } from './store.ts'

const ruleIds = z
  .array(id)
  .min(1)
  .max(limits.rulesMax)
  .refine((ids) => new Set(ids).size === ids.length, { error: 'must not name a rule twice' })
  .optional()
  .meta({ description: 'These rules, enabled or not, in their own order; all that are enabled unless given.' })
const scopeFields = { from: day.optional(), to: day.optional(), accountId: id.optional() }
const runBody = z.strictObject({ ruleIds, ...scopeFields })
const previewBody = z
  .strictObject({ rule: ruleTrial.optional(), ruleIds, ...scopeFields })
  .refine(({ rule, ruleIds: named }) => rule === undefined || named === undefined, {
    error: 'must not stand beside ruleIds',
    path: ['rule'],
  })

const fields = z.strictObject({ categoryId: id.nullable().optional(), payee: z.string().optional(), note: z.string().optional() })
const changeShape = z.strictObject({
  transactionId: id,
  date: day,
  amount,
  payee: z.string(),
  ruleIds: z.array(id).meta({ description: 'The rules that set something in it, in their order; none for a draft.' }),
  before: fields.meta({ description: 'The fields that change, as they were.' }),
  after: fields,
})
const counts = {
  examined: z.int().meta({ description: 'Rows that were looked at.' }),
  matched: z.int().meta({ description: 'Rows that some rule matched.' }),
  changed: z.int().meta({ description: 'Rows in which something changes.' }),
}
const previewShape = z.strictObject({
  ...counts,
  data: z.array(changeShape).meta({ description: `The newest ${limits.rulePreviewRows} of the rows that change.` }),
  truncated: z.boolean().meta({ description: 'Whether more rows change.' }),
})
const runShape = z.strictObject({
  id,
  ruleIds: z.array(id).nullable().meta({ description: 'The rules that were asked for; null for all that were enabled.' }),
  from: day.nullable(),
  to: day.nullable(),
  accountId: id.nullable(),
  ...counts,
  perRule: z.array(z.strictObject({ ruleId: id, matched: z.int(), changed: z.int() })),
  startedAt: instant,
  undoneAt: instant.nullable(),
  undone: z.int().nullable().meta({ description: 'Rows that the undo put back.' }),
  kept: z.int().nullable().meta({ description: 'Rows of which the undo left something, since it was changed after the run.' }),
  revision: z.int(),
})
const runWithChanges = runShape.extend({ changes: z.array(changeShape), nextCursor: z.string().nullable() })

export function runOperations(): Operation[] {
  const shared = { tag: 'Rules' } as const
  const references = ['rule-not-found', 'account-not-found', 'limit-reached'] as const
  const bound = `At most ${limits.ruleRowsMax} rows are looked at: where there are more, 409 \`limit-reached\`, and \`from\`, \`to\` or \`accountId\` narrow it.`
  return [
    operation({
      ...shared,
      name: 'rules.preview',
      feature: 'rules',
      goesOnReadOnly: true,
      summary: 'What a rule, or some rules, would change in history',
      description: `Writes nothing. \`rule\` is a draft as it would be created. ${bound}`,
      method: 'POST',
      path: '/api/rules/preview',
      access: 'editor',
      criticality: 'report',
      effect: 'own',
      body: previewBody,
      answer: previewShape,
      refusals: ['category-not-found', ...references],
      run: async (context, { body }) => ({
        // On a connection of its own: it may take a second, and what rides the shared one must not wait for it.
        body: await context.database.write(context.scope, (tx) => preview(tx, context.household!.id, body)),
      }),
    }),
    operation({
      ...shared,
      name: 'rules.run',
      feature: 'rules',
      summary: 'Apply rules to history',
      description: `Answers a report, by which the run can be undone for ${limits.ruleRunDays} days. ${bound}`,
      method: 'POST',
      path: '/api/rules/run',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      body: runBody,
      answer: runShape,
      status: 201,
      refusals: references,
      run: (context, { body }) => run(context, body),
    }),
    operation({
      ...shared,
      name: 'rules.runs.list',
      summary: 'Runs, newest first',
      description: `Ordered by id, descending. The last ${limits.ruleRunsKept} are kept, for ${limits.ruleRunDays} days.`,
      method: 'GET',
      path: '/api/rules/runs',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      query: z.strictObject(pageQuery),
      answer: listOf(runShape),
      row: runShape,
      run: async (context, { query }) => {
        const { limit, after, paged } = pageOf(context, `rule runs ${context.household!.id}`, query)
        const rows = await context.db.run(listRuns(after !== undefined), { household: context.household!.id, rows: limit + 1, ...after })
        return { body: paged(rows, (row) => row.id) }
      },
    }),
    operation({
      ...shared,
      name: 'rules.runs.read',
      summary: 'One run with what it changed',
      description: 'Changes are ordered by transactionId, and paged.',
      method: 'GET',
      path: '/api/rules/runs/{id}',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      params: idParams,
      query: z.strictObject(pageQuery),
      answer: runWithChanges,
      row: runWithChanges,
      run: async (context, { params, query }) => {
        const key = { household: context.household!.id, id: params.id }
        const { limit, after, paged } = pageOf(context, `rule run ${key.household} ${key.id}`, query)
        const [found, rows] = await Promise.all([
          readOrRefuse(context.db, key),
          context.db.run(listChanges(after !== undefined), { ...key, rows: limit + 1, ...after }),
        ])
        const { data, nextCursor } = paged(rows, (row) => row.transactionId)
        return { body: { ...found, changes: data.map((row) => presentChange(row, row.ruleIds)), nextCursor } }
      },
    }),
    operation({
      ...shared,
      name: 'rules.runs.undo',
      summary: 'Undo a run',
      description:
        'Puts back what the run changed, except what was changed again since, by a person or by a later run: such rows are counted in `kept`. Undoing again answers the same and does nothing.',
      method: 'DELETE',
      path: '/api/rules/runs/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      answer: z.strictObject({ undone: z.int(), kept: z.int() }),
      run: (context, { params }) => undo(context, params.id),
    }),
  ]
}

async function preview(tx: Runner, household: string, body: z.infer<typeof previewBody>) {
  const { rule, ruleIds: ids, ...scope } = body
  const rules = rule === undefined ? await choose(tx, household, ids) : [await checkTrial(tx, household, { ...rule, id: null })]
  await checkScope(tx, household, scope)
  const [told] = await tx.run(previewRules, { household, rules, scope, rows: limits.ruleRowsMax, shown: limits.rulePreviewRows })
  const data = (told!.data as (Changed & { settledBy: (number | null)[] })[]).map((row) => {
    const settled = [...new Set(row.settledBy)].filter((nth) => nth !== null).toSorted((one, other) => one - other)
    return presentChange(
      row,
      settled.map((nth) => rules[nth - 1]!.id).filter((each) => each !== null),
    )
  })
  const { examined, matched, changed } = told!
  return { examined, matched, changed, data, truncated: changed > data.length }
}

async function run(context: Context, body: z.infer<typeof runBody>) {
  const { ruleIds: ids, ...scope } = body
  const key = { household: context.household!.id, id: newId() }
  const rules = await choose(context.db, key.household, ids)
  await checkScope(context.db, key.household, scope)
  await context.db.run(insertRun, {
    ...key,
    ruleIds: ids ?? null,
    from: scope.from ?? null,
    to: scope.to ?? null,
    account: scope.accountId ?? null,
  })
  const { perRule, ...counted } = await applyToScope(context.db, key.household, rules, scope, key.id)
  const [[made]] = await Promise.all([
    context.db.run(finishRun, { ...key, ...counted, perRule: perRule.map((each, index) => ({ ruleId: rules[index]!.id, ...each })) }),
    context.db.run(dropOldRuns, { household: key.household, kept: limits.ruleRunsKept }),
  ])
  return { body: made, headers: { location: `/api/rules/runs/${key.id}` } }
}

async function undo(context: Context, runId: string) {
  const key = { household: context.household!.id, id: runId }
  const found = await readOrRefuse(context.db, key)
  if (found.undoneAt !== null) return { body: { undone: found.undone, kept: found.kept }, revision: found.revision }
  const rows = limits.ruleChunkRows
  const undoBehind = async (after: string | null) => (await context.db.run(undoChunk, { ...key, after, rows }))[0]!
  let [undone, kept] = [0, 0]
  for (let after: string | null = null, full = true; full;) {
    const chunk = await undoBehind(after)
    undone += chunk.undone
    kept += chunk.examined - chunk.undone
    after = chunk.last
    full = chunk.examined === rows
  }
  const [marked] = await context.db.run(markUndone, { ...key, undone, kept })
  return { body: { undone, kept }, revision: marked!.revision }
}

async function readOrRefuse(db: Runner, key: { household: string; id: string }) {
  const [found] = await db.run(readRun, key)
  if (!found) throw new Failure('not-found', 'There is no such run in this household.')
  return found
}

/** The named rules, or all that are enabled. */
async function choose(tx: Runner, household: string, ids: readonly string[] | undefined): Promise<Trial[]> {
  const rules = (await tx.run(chosenRules, { household, ids: ids ? [...ids] : null })) as (Trial & { id: string })[]
  const missing = ids?.findIndex((wanted) => !rules.some((rule) => rule.id === wanted)) ?? -1
  if (missing !== -1) throw new Failure('rule-not-found', 'There is no such rule in this household.', { at: `/ruleIds/${missing}` })
  return rules
}

/** A draft is held to what a rule that is kept is held to. */
async function checkTrial(tx: Runner, household: string, rule: Trial): Promise<Trial> {
  const [missing] = await tx.run(missingReferences, { household, category: rule.actions.categoryId ?? null, conditions: rule.conditions })
  if (missing!.category) {
    throw new Failure('category-not-found', 'There is no such category in this household.', { at: '/rule/actions/categoryId' })
  }
  if (missing!.condition !== null) {
    throw new Failure('account-not-found', 'There is no such account in this household.', {
      at: `/rule/conditions/${missing!.condition}/value`,
    })
  }
  return rule
}

async function checkScope(tx: Runner, household: string, scope: Scope) {
  const [[account], [counted]] = await Promise.all([
    tx.run(hasAccount, { household, id: scope.accountId ?? null }),
    tx.run(countScope, { household, scope, most: limits.ruleRowsMax + 1 }),
  ])
  if (!account!.there) throw new Failure('account-not-found', 'There is no such account in this household.', { at: '/accountId' })
  if (counted!.count > limits.ruleRowsMax) {
    throw new Failure('limit-reached', `More than ${limits.ruleRowsMax} rows; narrow it with from, to or accountId.`)
  }
}

type Changed = {
  transactionId: string
  date: string
  amount: number
  payee: string
  categoryBefore: string | null
  categoryAfter: string | null
  payeeBefore: string | null
  payeeAfter: string | null
  noteBefore: string | null
  noteAfter: string | null
}

/** Only the fields that change are shown: those with something behind them. */
function presentChange(row: Changed, by: readonly string[]) {
  const { transactionId, date, amount: amountMinor, payee } = row
  const side = (at: 'Before' | 'After') => ({
    ...(row.categoryAfter === null ? {} : { categoryId: row[`category${at}`] }),
    ...(row.payeeAfter === null ? {} : { payee: row[`payee${at}`] }),
    ...(row.noteAfter === null ? {} : { note: row[`note${at}`] }),
  })
  return { transactionId, date, amount: amountMinor, payee, ruleIds: by, before: side('Before'), after: side('After') }
}

/** The page that a query asks for in a list by ids. */
function pageOf(context: Context, binding: string, query: { limit?: number | undefined; cursor?: string | undefined }) {
  const limit = query.limit ?? context.pageRows
  const [position] = query.cursor === undefined ? [] : context.cursors.decode(binding, query.cursor)
  return {
    limit,
    after: position === undefined ? undefined : { after: position as string },
    paged: <R>(rows: R[], idOf: (row: R) => string) => page(context.cursors, binding, rows, limit, (row) => [idOf(row)]),
  }
}
