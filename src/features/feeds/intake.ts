// The walk of a push: opened as the household's one writer, settled by the rules, written whole or not at all.
import { Failure } from '../../values/failure.ts'
import { newId } from '../../values/id.ts'
import type { Context } from '../../http/operation.ts'
import { toFailure } from '../../http/refusals.ts'
import { unsigned } from '../../http/signature.ts'
import type { Runner, Transaction } from '../../resources/transaction.ts'
import {
  countPush,
  equalEntries,
  handWritten,
  insertPushed,
  knownByIds,
  openPush,
  raisedRevision,
  releaseAdopted,
  rememberRows,
  updatePushed,
  withdrawPushed,
} from './intake-store.ts'
import { settle, type Settlement } from './settlement.ts'
import type { Push } from './shapes.ts'

type Original = { amount: number; currency: string }
export type IntakeNeeds = {
  /** Applies the household's rules to new transactions, in the same transaction. */
  applyRules: (tx: Runner, household: string, wanted: { transactionIds: string[] }) => Promise<unknown>
  rateOf: (amountMinor: number, accountCurrency: string, original: Original) => string | null
}

/** Takes a push whose signature was checked; answers what became of each row. */
export async function takePush(context: Context, push: Push, needs: IntakeNeeds) {
  const { results } = await context.database
    .write(context.scope, (tx) => takeWithin(tx, context, push, needs))
    .catch((error: unknown) => {
      const failure = toFailure(error)
      if (failure.code !== 'amount-out-of-range' || error instanceof Failure) throw error
      // A balance leaves its range by all rows together.
      throw new Failure(failure.code, failure.message, { at: '/transactions', cause: error })
    })
  const count = (...outcomes: string[]) => results.filter(({ outcome }) => outcomes.includes(outcome)).length
  return {
    created: count('created'),
    updated: count('updated', 'adopted'),
    unchanged: count('unchanged', 'kept', 'deleted'),
    removed: count('removed'),
    results,
  }
}

async function takeWithin(tx: Transaction, context: Context, push: Push, needs: IntakeNeeds): Promise<Settlement> {
  const { keyId, signature, signedAtMs, household, id: feed } = context.call.signer!
  const rows = push.transactions.map((row, nth) => ({ nth, date: row.date, amount: row.amount, raw_payee: row.rawPayee ?? row.payee }))
  const ids = [
    ...new Set([...push.transactions.flatMap((row) => [row.externalId, row.pendingExternalId ?? row.externalId]), ...(push.removed ?? [])]),
  ]
  // Sent together: the reads wait behind the opening, which waits for the household's other writers.
  const [[opened], byIds, equal, byHand] = await Promise.all([
    tx.run(openPush, { feed, keyId, signature, signedAt: new Date(signedAtMs).toISOString() }),
    tx.run(knownByIds, { household, feed, ids }),
    tx.run(equalEntries, { household, feed, rows }),
    tx.run(handWritten, { household, feed, rows }),
  ])
  refuseUnlessOpen(opened!.standing)
  const currency = opened!.currency!
  checkCurrencies(push, currency)
  const rateOf = (amount: number, original: Original) => needs.rateOf(amount, currency, original)
  const settlement = settle(push, { byIds, equal, byHand }, { newId, rateOf })
  await write(tx, household, feed, settlement, needs)
  return settlement
}

function refuseUnlessOpen(standing: string) {
  if (standing === 'gone') throw unsigned('feed-refused')
  if (standing === 'replayed') {
    throw new Failure('feed-replayed', 'This very push was received before; sign anew what is to be sent again.', {
      at: 'Djinn-Signature:',
    })
  }
  if (standing === 'paused') throw new Failure('feed-paused', 'The feed is paused; a member of the household can let it go on.')
  if (standing === 'accountGone') throw new Failure('account-not-found', 'The account of the feed was deleted.')
  if (standing === 'accountClosed') throw new Failure('account-closed', 'The account of the feed is closed; open it again first.')
}

function checkCurrencies(push: Push, currency: string) {
  const mismatch = (at: string, detail: string) => new Failure('currency-mismatch', detail, { at })
  push.transactions.forEach(({ currency: sent = currency, amount, original }, index) => {
    const at = `/transactions/${index}`
    if (sent !== currency) throw mismatch(`${at}/currency`, `The account of the feed is in ${currency}.`)
    if (!original) return
    if (original.amount < 0 !== amount < 0 && original.amount !== 0 && amount !== 0) {
      throw mismatch(`${at}/original/amount`, 'The original amount has the sign of the amount.')
    }
    if (original.currency === currency && original.amount !== amount) {
      throw mismatch(`${at}/original/currency`, `The account is in ${currency} too, so the original amount is the amount.`)
    }
  })
}

async function write(tx: Transaction, household: string, feed: string, settlement: Settlement, needs: IntakeNeeds) {
  const { created, updated, remembered, withdrawn, released, results } = settlement
  const count = (...outcomes: string[]) => results.filter(({ outcome }) => outcomes.includes(outcome)).length
  const counts = { created: created.length, updated: updated.length, removed: count('removed') }
  // They ride with the commit, which waits for them and fails with the first that does.
  const ride = (wanted: unknown[], run: () => Promise<unknown>) => void (wanted.length > 0 && run().catch(() => {}))
  ride(withdrawn, () => tx.run(withdrawPushed, { household, ids: withdrawn }))
  ride(released, () => tx.run(releaseAdopted, { household, ids: released }))
  ride(updated, () => tx.run(updatePushed, { household, feed, rows: updated }))
  ride(created, () => tx.run(insertPushed, { household, feed, rows: created }))
  ride(remembered, () => tx.run(rememberRows, { household, feed, rows: remembered }))
  tx.run(countPush, { household, feed, ...counts }).catch(() => {})
  if (created.length > 0) await needs.applyRules(tx, household, { transactionIds: created.map(({ id }) => id as string) })
  // A push that wrote no row raised nothing, and nobody is woken for it.
  tx.run(raisedRevision, { household }).then(
    ([raised]) => {
      if (raised) tx.raised = { household, revision: raised.revision }
    },
    () => {},
  )
}
