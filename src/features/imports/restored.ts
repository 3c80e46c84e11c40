// A household's own document among the imports: it is not previewed but read into an empty household at once, whole or not at all.
import { createHash } from 'node:crypto'
import type { Context, Upload } from '../../http/operation.ts'

export type HouseholdDocument = { transactions: number }

/** What the exports do for the imports. */
export type RestoreNeeds = {
  readDocument: (bytes: Uint8Array) => Promise<HouseholdDocument>
  /** Answers the id that the restore is remembered under. */
  restore: (context: Context, document: HouseholdDocument) => Promise<string>
  /** How many transactions it brought, undefined when there is no such restore in the household. */
  restoredTransactions: (context: Context, id: string) => Promise<number | undefined>
}

export async function restoreUpload(needs: RestoreNeeds, context: Context, { bytes, fileName }: Upload, document: HouseholdDocument) {
  const id = await needs.restore(context, document)
  const now = new Date(context.nowMs).toISOString()
  return {
    body: {
      id,
      format: 'djinn',
      fileName,
      fileDigest: createHash('sha256').update(bytes).digest('hex'),
      status: 'committed',
      mapping: null,
      statements: [],
      warnings: [],
      summary: { new: document.transactions, duplicate: 0, matched: 0, error: 0 },
      result: restoredResult(document.transactions),
      committedAt: now,
      undoneAt: null,
      createdAt: now,
      updatedAt: now,
      revision: context.tx!.raised?.revision ?? 0,
      rows: [],
    },
  }
}

/** What a commit of it answers: it is done already. */
export function restoredResult(transactions: number) {
  return { created: transactions, duplicate: 0, matched: 0 }
}
