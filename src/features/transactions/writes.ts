// What the writes of transactions decide before the statement: originals and their rates, legs of transfers, and why no row was found.
import { Failure } from '../../values/failure.ts'
import { createRow, finite, readBefore, whyNot } from '../../http/collection.ts'
import { refuseConflicts } from '../../http/merge.ts'
import type { Context } from '../../http/operation.ts'
import { accountCurrency, insertTransaction, patchTransaction, transactionNature, transactionRows } from './store.ts'
import { completeSplits, editedFields, rateOf, type TransactionChanges, type TransactionDraft } from './transaction.ts'

/** What a new row needs beforehand: with an original amount the account's currency, for the rate. */
export async function readBeforeCreate(context: Context, body: TransactionDraft): Promise<string | null> {
  return body.original ? await currencyOf(context, body.accountId) : null
}

export async function create(context: Context, body: TransactionDraft, currency: string | null) {
  const { original, splits, ...plain } = body
  const columns = original ? originalColumns(currency, body.amount, original) : null
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
    if ((await currencyOf(context, body.accountId)) === null) throw accountNotFound()
    return made
  })
}

/** Fields that only make sense together: who changes one collides with who changed another. */
const mergedTogether = {
  amount: ['amount', 'splits'],
  splits: ['amount', 'splits'],
  original: ['original_amount', 'original_currency'],
}

/** What a patch is decided by: the row it was made on, its nature, and the currency of the account it moves to. */
export async function readBeforePatch(context: Context, transactionId: string, body: TransactionChanges) {
  const ofMoney = ['accountId', 'date', 'amount', 'splits', 'original'].some((name) => Object.hasOwn(body, name))
  const [before, [nature], currency] = await Promise.all([
    readBefore(context, transactionRows, transactionId, body.baseRevision),
    ofMoney ? context.db.run(transactionNature, { household: context.household!.id, id: transactionId }) : [],
    body.accountId === undefined ? undefined : currencyOf(context, body.accountId),
  ])
  return { before, nature, currency }
}

export async function patch(
  context: Context,
  transactionId: string,
  body: TransactionChanges,
  { before, nature, currency }: Awaited<ReturnType<typeof readBeforePatch>>,
) {
  const household = context.household!.id
  const { original, splits, baseRevision, ...plain } = body
  if (baseRevision !== undefined && before) {
    const { current, since } = before
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
  if (nature?.transferId && nature.deletedAt === null) throw partOfTransfer(nature.transferId)
  if (nature) Object.assign(changes, originalsOfPatch(nature, currency === undefined ? nature.currency : currency, body))
  const [row] = await context.db.run(patchTransaction, {
    household,
    id: transactionId,
    changes,
    ifRevision: finite(context.ifMatchRevision),
    edited: editedFields(body),
  })
  if (row) return { body: row }
  const why = await whyNot(context, transactionRows, transactionId)
  if (why.code === 'precondition-failed' && currency === null) throw accountNotFound()
  throw why
}

type Nature = { amount: number; originalAmount: number | null; originalCurrency: string | null }

/** The original's columns after a patch: a new original, none, or the old one at the rate of a changed amount. */
function originalsOfPatch(nature: Nature, currency: string | null, body: TransactionChanges) {
  if (body.original === null) return { original_amount: null, original_currency: null, original_rate: null }
  const original =
    body.original ?? (nature.originalAmount === null ? null : { amount: nature.originalAmount, currency: nature.originalCurrency! })
  if (original === null) return {}
  return originalColumns(currency, body.amount ?? nature.amount, original)
}

/** The currency of an account, null when there is none. */
async function currencyOf(context: Context, accountId: string): Promise<string | null> {
  const [account] = await context.db.run(accountCurrency, { household: context.household!.id, id: accountId })
  return account?.currency ?? null
}

function originalColumns(currency: string | null, amountMinor: number, original: { amount: number; currency: string }) {
  if (currency === null) throw accountNotFound()
  if (original.amount < 0 !== amountMinor < 0 && original.amount !== 0 && amountMinor !== 0) {
    throw new Failure('currency-mismatch', 'The original amount has the sign of the amount.', { at: '/original/amount' })
  }
  if (currency === original.currency && original.amount !== amountMinor) {
    throw new Failure('currency-mismatch', `The account is in ${currency} too, so the original amount is the amount.`, {
      at: '/original/currency',
    })
  }
  return {
    original_amount: original.amount,
    original_currency: original.currency,
    original_rate: rateOf(amountMinor, currency, original),
  }
}

function accountNotFound() {
  return new Failure('account-not-found', 'There is no such account in this household.', { at: '/accountId' })
}

export function partOfTransfer(transferId: string) {
  return new Failure('part-of-transfer', `It is one leg of the transfer ${transferId}; change that one.`, { extra: { transferId } })
}
