// Transactions: what happened to the money, with splits, originals and what the bank said.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { createRow, finite, readRow, restoreRow, whyNot } from '../../http/collection.ts'
import { changedSince, refuseConflicts } from '../../http/merge.ts'
import { operation, type Context, type Operation, type Related } from '../../http/operation.ts'
import { page } from '../../http/page.ts'
import { day, id, idParams, integerParameter, listOf, pageQuery } from '../../http/parameters.ts'
import { amountMinorMax } from '../../values/money.ts'
import {
  accountCurrency,
  insertTransaction,
  listTransactions,
  patchTransaction,
  removeSingle,
  transactionNature,
  transactionRows,
  filters,
  type Filter,
} from './store.ts'
import {
  completeSplits,
  editedFields,
  rateOf,
  status,
  transactionChanges,
  transactionDraft,
  transactionShape,
  type TransactionChanges,
  type TransactionDraft,
} from './transaction.ts'

const listQuery = z.strictObject({
  ...pageQuery,
  account: id.optional(),
  category: id.optional().meta({ description: 'Also rows of which a split has it.' }),
  from: day.optional(),
  to: day.optional(),
  status: status.optional(),
  amountMin: integerParameter(-amountMinorMax, amountMinorMax).optional(),
  amountMax: integerParameter(-amountMinorMax, amountMinorMax).optional(),
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
      run: (context, { body }) => create(context, body),
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
      run: (context, { params, body }) => patch(context, params.id, body),
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
      run: async (context, { params }) => {
        const [nature] = await context.db.run(transactionNature, { household: context.household!.id, id: params.id })
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

async function create(context: Context, body: TransactionDraft) {
  const { original, splits, ...plain } = body
  // Only a row with an original amount needs the account's currency beforehand, for its rate.
  const columns = original ? await originalColumns(context, body.accountId, body.amount, original) : null
  const sent: Record<string, unknown> & { id?: string } = {
    ...plain,
    splits: completeSplits(splits),
    original: columns && { ...original, rate: columns.original_rate },
  }
  const defaults = {
    payee: '',
    note: '',
    categoryId: null,
    status: 'posted',
    externalId: null,
    editedFields: editedFields(body),
  }
  return await createRow(context, transactionRows, '/api/transactions', sent, defaults, async (draft) => {
    const made = await context.db.run(insertTransaction, { draft: { ...draft, ...columns } })
    if (made.length > 0) return made
    const [account] = await context.db.run(accountCurrency, { household: context.household!.id, id: body.accountId })
    if (!account) throw accountNotFound()
    return made
  })
}

/** Fields that only make sense together: who changes one collides with who changed another. */
const mergedTogether = {
  amount: ['amount', 'splits'],
  splits: ['amount', 'splits'],
  original: ['original_amount', 'original_currency'],
}

async function patch(context: Context, transactionId: string, body: TransactionChanges) {
  const household = context.household!.id
  const { original, splits, baseRevision, ...plain } = body
  if (baseRevision !== undefined) {
    const [current, since] = await Promise.all([
      context.load(transactionRows, transactionId),
      changedSince(context, baseRevision, [transactionId]),
    ])
    if (!current) throw await whyNot(context, transactionRows, transactionId)
    const wanted = {
      ...plain,
      ...(splits === undefined ? {} : { splits: completeSplits(splits) }),
      ...(original === undefined ? {} : { original }),
    }
    const shown = current.original as { amount: number; currency: string } | null
    const comparable = { ...current, original: shown && { amount: shown.amount, currency: shown.currency } }
    refuseConflicts(baseRevision, since, { current, comparable, changes: wanted, columns: mergedTogether })
  }
  const changes: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(plain)) changes[name.replace('Id', '_id')] = value
  if (splits !== undefined) changes['splits'] = completeSplits(splits)
  if (['accountId', 'date', 'amount', 'splits', 'original'].some((name) => Object.hasOwn(body, name))) {
    const [nature] = await context.db.run(transactionNature, { household, id: transactionId })
    if (nature?.transferId && nature.deletedAt === null) throw partOfTransfer(nature.transferId)
    if (nature) Object.assign(changes, await originalsOfPatch(context, nature, body))
  }
  const [row] = await context.db.run(patchTransaction, {
    household,
    id: transactionId,
    changes,
    ifRevision: finite(context.ifMatchRevision),
    edited: editedFields(body),
  })
  if (row) return { body: row }
  const why = await whyNot(context, transactionRows, transactionId)
  if (why.code === 'precondition-failed' && body.accountId !== undefined) {
    const [account] = await context.db.run(accountCurrency, { household, id: body.accountId })
    if (!account) throw accountNotFound()
  }
  throw why
}

type Nature = { accountId: string; amount: number; originalAmount: number | null; originalCurrency: string | null }

/** The original's columns after a patch: a new original, none, or the old one at the rate of a changed amount. */
async function originalsOfPatch(context: Context, nature: Nature, body: TransactionChanges) {
  if (body.original === null) return { original_amount: null, original_currency: null, original_rate: null }
  const original =
    body.original ?? (nature.originalAmount === null ? null : { amount: nature.originalAmount, currency: nature.originalCurrency! })
  if (original === null) return {}
  return await originalColumns(context, body.accountId ?? nature.accountId, body.amount ?? nature.amount, original)
}

async function originalColumns(context: Context, accountId: string, amountMinor: number, original: { amount: number; currency: string }) {
  const [account] = await context.db.run(accountCurrency, { household: context.household!.id, id: accountId })
  if (!account) throw accountNotFound()
  if (original.amount < 0 !== amountMinor < 0 && original.amount !== 0 && amountMinor !== 0) {
    throw new Failure('currency-mismatch', 'The original amount has the sign of the amount.', { at: '/original/amount' })
  }
  if (account.currency === original.currency && original.amount !== amountMinor) {
    throw new Failure('currency-mismatch', `The account is in ${account.currency} too, so the original amount is the amount.`, {
      at: '/original/currency',
    })
  }
  return {
    original_amount: original.amount,
    original_currency: original.currency,
    original_rate: rateOf(amountMinor, account.currency, original),
  }
}

function accountNotFound() {
  return new Failure('account-not-found', 'There is no such account in this household.', { at: '/accountId' })
}

function partOfTransfer(transferId: string) {
  return new Failure('part-of-transfer', `It is one leg of the transfer ${transferId}; change that one.`, { extra: { transferId } })
}
