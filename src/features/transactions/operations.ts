// Transactions: what happened to the money, with splits, originals and what the bank said.
import { z } from 'zod'
import { finite, readRow, restoreRow, whyNot } from '../../http/collection.ts'
import { operation, type Context, type Operation, type Related } from '../../http/operation.ts'
import { page } from '../../http/page.ts'
import { day, id, idParams, integerParameter, listOf, pageQuery, updatedSince } from '../../http/parameters.ts'
import { amountMinorMax } from '../../values/money.ts'
import { listTransactions, removeSingle, transactionNature, transactionRows, filters, type Filter } from './store.ts'
import { status, transactionChanges, transactionDraft, transactionShape } from './transaction.ts'

import { create, patch, partOfTransfer, readBeforeCreate, readBeforePatch } from './writes.ts'

const listQuery = z.strictObject({
  ...pageQuery,
  account: id.optional(),
  category: id.optional().meta({ description: 'Also rows of which a split has it.' }),
  from: day.optional(),
  to: day.optional(),
  status: status.optional(),
  amountMin: integerParameter(-amountMinorMax, amountMinorMax).optional(),
  amountMax: integerParameter(-amountMinorMax, amountMinorMax).optional(),
  updatedSince,
  q: z.string().trim().min(1).max(100).optional().meta({ description: 'Part of the payee or note, in any case.' }),
})

/** What a transaction is in a list on a slow network. */
const essential = ['id', 'accountId', 'date', 'amount', 'currency', 'payee', 'categoryId', 'status', 'revision'] as const

export type TransactionNeeds = { related: readonly Related[] }

export function transactionOperations(needs: TransactionNeeds): Operation[] {
  const shared = { tag: 'Transactions', row: transactionShape } as const
  const references = ['account-not-found', 'category-not-found', 'account-closed', 'split-sum-mismatch', 'amount-out-of-range'] as const
  return [
    operation({
      ...shared,
      name: 'transactions.list',
      summary: 'Transactions, newest first',
      description: 'Ordered by date, then id, both descending.',
      method: 'GET',
      path: '/api/transactions',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      query: listQuery,
      answer: listOf(transactionShape),
      essential,
      related: needs.related,
      run: async (context, { query }) => ({ body: await list(context, query) }),
    }),
    operation({
      ...shared,
      name: 'transactions.create',
      summary: 'Add a transaction',
      method: 'POST',
      path: '/api/transactions',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      body: transactionDraft,
      answer: transactionShape,
      status: 201,
      refusals: ['already-exists', 'currency-mismatch', ...references],
      readAhead: (context, { body }) => readBeforeCreate(context, body),
      run: (context, { body, ahead }) => create(context, body, ahead),
    }),
    operation({
      ...shared,
      name: 'transactions.read',
      summary: 'One transaction',
      method: 'GET',
      path: '/api/transactions/{id}',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      essential,
      params: idParams,
      answer: transactionShape,
      run: async (context, { params }) => ({ body: await readRow(context, transactionRows, params.id) }),
    }),
    operation({
      ...shared,
      name: 'transactions.patch',
      summary: 'Change a transaction',
      description:
        'A reconciled one keeps amount, date and account until its status is set to posted. A leg of a transfer takes payee, note, category and status; the rest is changed through the transfer.',
      method: 'PATCH',
      path: '/api/transactions/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      body: transactionChanges,
      answer: transactionShape,
      refusals: [
        'conflict',
        'deleted',
        'precondition-failed',
        'transaction-reconciled',
        'part-of-transfer',
        'currency-mismatch',
        ...references,
      ],
      readAhead: (context, { params, body }) => readBeforePatch(context, params.id, body),
      run: (context, { params, body, ahead }) => patch(context, params.id, body, ahead),
    }),
    operation({
      ...shared,
      name: 'transactions.delete',
      summary: 'Delete a transaction',
      method: 'DELETE',
      path: '/api/transactions/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      status: 204,
      refusals: ['precondition-failed', 'transaction-reconciled', 'part-of-transfer', 'account-closed'],
      run: async (context, { params }) => {
        const household = context.household!.id
        const [gone] = await context.db.run(removeSingle, { household, id: params.id, ifRevision: finite(context.ifMatchRevision) })
        if (!gone) {
          const [nature] = await context.db.run(transactionNature, { household, id: params.id })
          if (nature?.transferId && nature.deletedAt === null) throw partOfTransfer(nature.transferId)
          const failure = await whyNot(context, transactionRows, params.id)
          if (failure.code !== 'deleted') throw failure
        }
        return { status: 204 }
      },
    }),
    operation({
      ...shared,
      name: 'transactions.restore',
      summary: 'Bring a deleted transaction back, within 30 days',
      method: 'POST',
      path: '/api/transactions/{id}/restore',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      answer: transactionShape,
      refusals: ['not-deleted', 'restore-expired', 'part-of-transfer', 'account-not-found', 'account-closed', 'category-not-found'],
      readAhead: (context, { params }) => context.db.run(transactionNature, { household: context.household!.id, id: params.id }),
      run: async (context, { params, ahead: [nature] }) => {
        if (nature?.transferId && nature.deletedAt !== null) throw partOfTransfer(nature.transferId)
        return await restoreRow(context, transactionRows, params.id)
      },
    }),
  ]
}

async function list(context: Context, query: z.infer<typeof listQuery>) {
  const { limit = context.pageRows, cursor, ...given } = query
  const household = context.household!.id
  const wanted = (Object.keys(filters) as Filter[]).filter((name) => given[name] !== undefined)
  const values = Object.fromEntries(
    wanted.map((name) => [name, name === 'q' ? `%${given.q!.replaceAll(/[\\%_]/g, '\\$&')}%` : given[name]]),
  )
  const binding = `transactions ${household} ${JSON.stringify(wanted.map((name) => [name, given[name]]))}`
  const position = cursor === undefined ? {} : (([afterDate, afterId]) => ({ afterDate, afterId }))(context.cursors.decode(binding, cursor))
  const rows = await context.db.run(listTransactions(wanted, cursor !== undefined), {
    household,
    rows: limit + 1,
    ...values,
    ...position,
  })
  return page(context.cursors, binding, rows, limit, (row) => [row.date, row.id])
}
