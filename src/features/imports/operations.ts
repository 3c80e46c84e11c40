// Imports: a bank's file is previewed row by row, committed exactly as previewed, and undone as a whole.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { newId } from '../../values/id.ts'
import { limits } from '../../values/limits.ts'
import { operation, type Context, type Operation, type Upload } from '../../http/operation.ts'
import { id, idParams, listOf } from '../../http/parameters.ts'
import { idListQuery, listRows, readRow } from '../../http/collection.ts'
import type { Runner } from '../../resources/transaction.ts'
import { assignAccounts, countRows, presentRows, readOrRefuse, reassign, stage, type KeptStatement, type Summary } from './preview.ts'
import { restoredResult, restoreUpload, type RestoreNeeds } from './restored.ts'
import { commitBody, fileQuery, importShape, mappingShape, previewShape } from './shapes.ts'
import {
  adoptMatched,
  classify,
  accountsForImport,
  dropFile,
  dropRows,
  importRows,
  insertNew,
  keepFile,
  listImports,
  readKeptFile,
  releaseMatched,
  removeImported,
} from './store.ts'

export type ImportNeeds = RestoreNeeds & {
  /** Runs the household's rules over the rows that an import added. */
  applyRules: (tx: Runner, household: string, rows: { importId: string }) => Promise<void>
}

export function importOperations(needs: ImportNeeds): Operation[] {
  const shared = { tag: 'Imports' } as const
  const switched = { ...shared, feature: 'imports' } as const
  const references = [
    'account-not-found',
    'account-closed',
    'currency-mismatch',
    'import-unreadable',
    'import-mapping-invalid',
    'import-too-many-rows',
  ] as const
  return [
    operation({
      ...switched,
      name: 'imports.preview',
      summary: "Read a bank's file and preview what it would add",
      description:
        "The file itself as application/octet-stream, or multipart/form-data with the part `file`. OFX, QFX, QIF, CSV, CAMT.053 and MT940; nothing is added before the commit. A household's own document (`format=djinn`) is read in at once, by its owner.",
      method: 'POST',
      path: '/api/imports',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      query: fileQuery,
      body: 'file',
      answer: previewShape,
      status: 201,
      refusals: [...references, 'household-not-empty'],
      prepare: async (context, { query, body }) => {
        if (query.format === 'djinn') return await needs.readDocument((body as unknown as Upload).bytes)
        const currency = query.accountId === undefined ? null : await currencyOf(context, query.accountId)
        return await readOrRefuse((body as unknown as Upload).bytes, {
          format: query.format ?? 'auto',
          currency,
          ...(query.dateOrder ? { dateOrder: query.dateOrder } : {}),
        })
      },
      run: async (context, { query, body, prepared }) => {
        if ('transactions' in prepared) return await restoreUpload(needs, context, body as unknown as Upload, prepared)
        const { bytes, fileName } = body as unknown as Upload
        const household = context.household!.id
        const importId = newId()
        const statements = await assignAccounts(context, prepared.statements, query.accountId ?? null)
        await context.db.run(importRows.insert!, {
          draft: {
            household_id: household,
            id: importId,
            format: prepared.format,
            file_name: fileName,
            file_digest: createHash('sha256').update(bytes).digest('hex'),
            status: 'previewed',
            mapping: prepared.mapping,
            statements,
            warnings: prepared.warnings.slice(0, 100),
            summary: {},
          },
        })
        await context.db.run(keepFile, { household, id: importId, content: bytes })
        const summary = await stage(context, importId, prepared, statements)
        return { ...(await present(context, importId, { summary })), headers: { location: `/api/imports/${importId}` } }
      },
    }),
    operation({
      ...shared,
      name: 'imports.list',
      summary: 'Imports, newest first',
      description: 'Ordered by id, descending.',
      method: 'GET',
      path: '/api/imports',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      essential: ['id', 'format', 'fileName', 'status', 'summary', 'createdAt', 'revision'],
      query: z.strictObject(idListQuery),
      answer: listOf(importShape),
      row: importShape,
      run: async (context, { query }) => ({ body: await listRows(context, 'imports', listImports, query) }),
    }),
    operation({
      ...shared,
      name: 'imports.read',
      summary: 'One import with all of its rows',
      method: 'GET',
      path: '/api/imports/{id}',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      params: idParams,
      answer: previewShape,
      row: previewShape,
      run: async (context, { params }) => {
        const row = await readRow(context, importRows, params.id)
        return { body: { ...row, rows: await presentRows(context, params.id, totalOf(row.summary as Summary)) } }
      },
    }),
    operation({
      ...switched,
      name: 'imports.patch',
      summary: 'Read the file again with another mapping or account, before the commit',
      method: 'PATCH',
      path: '/api/imports/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      body: z.strictObject({
        mapping: mappingShape.partial().optional(),
        accountId: id.optional(),
        dateOrder: z.enum(['dmy', 'mdy']).optional(),
      }),
      answer: previewShape,
      refusals: ['import-committed', 'import-undone', ...references],
      run: async (context, { params, body }) => {
        const household = context.household!.id
        const before = await previewed(context, params.id)
        const [file] = await context.db.run(readKeptFile, { household, id: params.id })
        const oldAccount = (before.statements as KeptStatement[]).length === 1 ? (before.statements as KeptStatement[])[0]!.accountId : null
        const account = body.accountId ?? oldAccount
        const currency = account === null ? null : await currencyOf(context, account)
        const mapping =
          before.mapping === null && body.mapping === undefined ? undefined : { ...(before.mapping as object | null), ...body.mapping }
        const result = await readOrRefuse(file!.content, {
          format: before.format as never,
          currency,
          ...(mapping ? { mapping: mapping } : {}),
          ...(body.dateOrder ? { dateOrder: body.dateOrder } : {}),
        })
        const statements = await assignAccounts(context, result.statements, account)
        await context.db.run(dropRows, { household, id: params.id })
        const summary = await stage(context, params.id, result, statements)
        return await present(context, params.id, { summary, statements, mapping: result.mapping, warnings: result.warnings.slice(0, 100) })
      },
    }),
    operation({
      ...switched,
      name: 'imports.commit',
      summary: 'Do what the preview said',
      description:
        'Rows that meanwhile became duplicates are not added twice. The rules are applied to what is added. A preview with unreadable rows is refused unless `skipErrors` is true.',
      method: 'POST',
      path: '/api/imports/{id}/commit',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      body: commitBody,
      answer: z.strictObject({ created: z.int(), duplicate: z.int(), matched: z.int() }),
      refusals: [
        'import-committed',
        'import-undone',
        'import-has-errors',
        'import-account-missing',
        'account-not-found',
        'account-closed',
        'currency-mismatch',
        'amount-out-of-range',
      ],
      run: async (context, { params, body }) => {
        const restored = await needs.restoredTransactions(context, params.id)
        return restored === undefined ? await commit(needs, context, params.id, body) : { body: restoredResult(restored) }
      },
    }),
    operation({
      ...shared,
      name: 'imports.undo',
      summary: 'Undo a committed import as a whole, or discard a preview',
      method: 'DELETE',
      path: '/api/imports/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      status: 204,
      refusals: ['transaction-reconciled', 'account-closed'],
      run: async (context, { params }) => {
        const household = context.household!.id
        const key = { household, id: params.id }
        const [row] = await context.db.run(importRows.byIds, { household, ids: [params.id] })
        if (row?.status === 'committed') {
          for (let removed: number = limits.importChunkRows; removed === limits.importChunkRows;) {
            const [chunk] = await context.db.run(removeImported, { ...key, rows: limits.importChunkRows })
            removed = chunk!.count
          }
          await context.db.run(releaseMatched, key)
          await patch(context, params.id, { status: 'undone', undone_at: new Date(context.nowMs).toISOString() })
          return { status: 204 }
        }
        if (row?.status === 'undone') return { status: 204 }
        if (row) {
          await Promise.all([
            context.db.run(dropFile, key),
            context.db.run(dropRows, key),
            context.db.run(importRows.remove, { ...key, ifRevision: null }),
          ])
          return { status: 204 }
        }
        const [standing] = await context.db.run(importRows.standing, key)
        if (!standing) throw new Failure('not-found', 'There is no such import in this household.')
        return { status: 204 }
      },
    }),
  ]
}

async function commit(needs: ImportNeeds, context: Context, importId: string, body: z.infer<typeof commitBody>) {
  const household = context.household!.id
  const key = { household, id: importId }
  const before = await previewed(context, importId)
  const summary = before.summary as Summary
  if (summary.error > 0 && body.skipErrors !== true) {
    throw new Failure('import-has-errors', `${summary.error} rows could not be read; mend the file or the mapping, or send skipErrors.`, {
      at: '/skipErrors',
    })
  }
  const statements = before.statements as KeptStatement[]
  const fresh = await reassign(context, importId, statements, body.accounts ?? {})
  await context.db.run(classify, { ...key, fresh })
  const counted = await countRows(context, importId)
  const total = totalOf(counted)
  for (let after = 0; counted.new > 0 && after < total; after += limits.importChunkRows) {
    await context.db.run(insertNew, { ...key, after, upTo: after + limits.importChunkRows })
  }
  if (counted.new > 0) await needs.applyRules(context.db, household, { importId })
  if (counted.matched > 0) await context.db.run(adoptMatched, key)
  const result = { created: counted.new, duplicate: counted.duplicate, matched: counted.matched }
  const row = await patch(context, importId, {
    status: 'committed',
    committed_at: new Date(context.nowMs).toISOString(),
    result,
    statements,
    summary: counted,
  })
  await context.db.run(dropFile, key)
  return { body: result, revision: row.revision }
}

function totalOf(summary: Summary): number {
  return summary.new + summary.duplicate + summary.matched + summary.error
}

async function previewed(context: Context, importId: string) {
  const row = await readRow(context, importRows, importId)
  if (row.status === 'committed') throw new Failure('import-committed', `The import was committed at ${row.committedAt}.`)
  if (row.status === 'undone') throw new Failure('import-undone', 'The import was undone; send the file again.')
  return row
}

async function patch(context: Context, importId: string, changes: Record<string, unknown>) {
  const [row] = await context.db.run(importRows.patch!, { household: context.household!.id, id: importId, changes, ifRevision: null })
  return row!
}

async function present(context: Context, importId: string, changes: Record<string, unknown> & { summary: Summary }) {
  const row = await patch(context, importId, changes)
  return { body: { ...row, rows: await presentRows(context, importId, totalOf(changes.summary)) } }
}

async function currencyOf(context: Context, accountId: string): Promise<string> {
  const [account] = await context.db.run(accountsForImport, { household: context.household!.id, ids: [accountId] })
  if (!account) throw new Failure('account-not-found', 'There is no such account in this household.', { at: '?accountId' })
  if (account.closed) throw new Failure('account-closed', 'The account is closed; open it again first.', { at: '?accountId' })
  return account.currency
}
