// Transfers: two transactions in two accounts that are made, changed and deleted as one.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { finite, idListQuery, listRows, removeRow, restoreRow, whyNot } from '../../http/collection.ts'
import { baseRevision, changedSince, refuseConflicts, type Since } from '../../http/merge.ts'
import { operation, type Context, type Operation } from '../../http/operation.ts'
import { day, id, idParams, instant, listOf, positiveAmount, text } from '../../http/parameters.ts'
import { newId } from '../../values/id.ts'
import {
  accountsOf,
  insertLegs,
  insertTransfer,
  listTransfers,
  patchLegs,
  readTransfers,
  removeLegs,
  restoreLegs,
  touchTransfer,
  transferRows,
} from './store.ts'
import { fieldsOf, legId, mergedTogether, present, type Transfer } from './transfer.ts'

const shape = (leg: z.ZodType) => z.strictObject({ id, from: leg, to: leg, createdAt: instant, updatedAt: instant, revision: z.int() })

const draft = z.strictObject({
  id: id.optional(),
  fromAccountId: id,
  toAccountId: id,
  date: day,
  amount: positiveAmount.meta({ description: 'Minor units that leave the one account.' }),
  toAmount: positiveAmount.optional().meta({ description: 'Minor units that reach the other; needed when the currencies differ.' }),
  note: text(2_000).optional(),
})
const changes = draft.omit({ id: true }).partial().extend({ baseRevision })

/** What a transfer is on a slow network. */
const essential = ['id', 'from', 'to', 'revision'] as const

export function transferOperations(leg: z.ZodObject): Operation[] {
  const transferShape = shape(leg)
  const shared = { tag: 'Transfers', row: transferShape } as const
  const references = ['account-not-found', 'transfer-to-itself', 'currency-mismatch', 'account-closed', 'amount-out-of-range'] as const
  return [
    operation({
      ...shared,
      name: 'transfers.list',
      summary: 'Transfers, newest first',
      description: 'Ordered by id, descending.',
      method: 'GET',
      path: '/api/transfers',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      essential,
      query: z.strictObject(idListQuery),
      answer: listOf(transferShape),
      run: async (context, { query }) => {
        const { data, nextCursor } = await listRows(context, 'transfers', listTransfers, query)
        return { body: { data: data.map(present), nextCursor } }
      },
    }),
    operation({
      ...shared,
      name: 'transfers.create',
      summary: 'Move money between two accounts',
      description: 'The ids of its transactions follow from its own: UUIDv8 of SHA-256("<id>/from") and SHA-256("<id>/to").',
      method: 'POST',
      path: '/api/transfers',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      body: draft,
      answer: transferShape,
      status: 201,
      refusals: ['already-exists', ...references],
      run: async (context, { body }) => {
        if (body.fromAccountId === body.toAccountId) throw toItself()
        const household = context.household!.id
        const transferId = body.id ?? newId()
        const [made, legs, [transfer]] = await Promise.all([
          context.db.run(insertTransfer, { household, id: transferId }),
          context.db.run(insertLegs, {
            household,
            id: transferId,
            fromId: legId(transferId, 'from'),
            toId: legId(transferId, 'to'),
            fromAccount: body.fromAccountId,
            toAccount: body.toAccountId,
            date: body.date,
            amount: body.amount,
            toAmount: body.toAmount ?? null,
            note: body.note ?? '',
          }),
          context.db.run(readTransfers, { household, ids: [transferId] }),
        ])
        if (made.length === 0) return sameAsBefore(transfer, body)
        if (legs.length === 0) throw await whyNoLegs(context, body)
        return { body: present(transfer!), headers: { location: `/api/transfers/${transferId}` } }
      },
    }),
    operation({
      ...shared,
      name: 'transfers.read',
      summary: 'One transfer',
      method: 'GET',
      path: '/api/transfers/{id}',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      essential,
      params: idParams,
      answer: transferShape,
      run: async (context, { params }) => ({ body: await read(context, params.id) }),
    }),
    operation({
      ...shared,
      name: 'transfers.patch',
      summary: 'Change a transfer',
      description: 'In one currency `amount` changes both legs; across currencies each has its own.',
      method: 'PATCH',
      path: '/api/transfers/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      body: changes,
      answer: transferShape,
      refusals: ['conflict', 'deleted', 'precondition-failed', 'transaction-reconciled', ...references],
      readAhead: (context, { params, body }) => readLegs(context, params.id, body.baseRevision),
      run: async (context, { params, body, ahead }) => {
        const household = context.household!.id
        const { baseRevision: base, ...wanted } = body
        if (base !== undefined && ahead) await refuseOverlap(context, params.id, base, wanted, ahead)
        // Sent together they take one round trip; a refusal afterwards rolls all of it back.
        const [[touched], legs, [row]] = await Promise.all([
          context.db.run(touchTransfer, { household, id: params.id, ifRevision: finite(context.ifMatchRevision) }),
          context.db.run(patchLegs, {
            household,
            id: params.id,
            fromAccount: body.fromAccountId ?? null,
            toAccount: body.toAccountId ?? null,
            date: body.date ?? null,
            amount: body.amount ?? null,
            toAmount: body.toAmount ?? null,
            note: body.note ?? null,
          }),
          context.db.run(readTransfers, { household, ids: [params.id] }),
        ])
        if (!touched) throw await whyNot(context, transferRows, params.id)
        const there = present(row!)
        const fromAccountId = body.fromAccountId ?? there.from.accountId
        const toAccountId = body.toAccountId ?? there.to.accountId
        if (fromAccountId === toAccountId) throw toItself()
        if (legs.length === 0) throw await whyNoLegs(context, { fromAccountId, toAccountId })
        return { body: there }
      },
    }),
    operation({
      ...shared,
      name: 'transfers.delete',
      summary: 'Delete a transfer with both legs',
      method: 'DELETE',
      path: '/api/transfers/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      status: 204,
      refusals: ['precondition-failed', 'transaction-reconciled', 'account-closed'],
      run: async (context, { params }) => {
        const [answer] = await Promise.all([
          removeRow(context, transferRows, params.id),
          context.db.run(removeLegs, { household: context.household!.id, id: params.id }),
        ])
        return answer
      },
    }),
    operation({
      ...shared,
      name: 'transfers.restore',
      summary: 'Bring a deleted transfer back, within 30 days',
      method: 'POST',
      path: '/api/transfers/{id}/restore',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      answer: transferShape,
      refusals: ['not-deleted', 'restore-expired', 'account-not-found', 'account-closed'],
      run: async (context, { params }) => {
        const household = context.household!.id
        const [, , [row]] = await Promise.all([
          restoreRow(context, transferRows, params.id),
          context.db.run(restoreLegs, { household, id: params.id }),
          context.db.run(readTransfers, { household, ids: [params.id] }),
        ])
        return { body: present(row!) }
      },
    }),
  ]
}

type Before = { row: Parameters<typeof present>[0] | undefined; since: Since }

/** What a change made on an older revision is held against: the legs as they are, and what changed of them since. */
async function readLegs(context: Context, transferId: string, base: number | undefined): Promise<Before | null> {
  if (base === undefined) return null
  const ids = [legId(transferId, 'from'), legId(transferId, 'to')]
  const [[row], since] = await Promise.all([
    context.db.run(readTransfers, { household: context.household!.id, ids: [transferId] }),
    changedSince(context, base, ids),
  ])
  return { row, since }
}

/** Refuses a change made on an older revision when others changed the same of its legs. */
async function refuseOverlap(context: Context, transferId: string, base: number, wanted: Record<string, unknown>, { row, since }: Before) {
  if (!row) throw await whyNot(context, transferRows, transferId)
  const there = present(row)
  refuseConflicts(base, since, {
    current: there,
    comparable: fieldsOf(there),
    changes: wanted,
    columns: mergedTogether,
  })
}

async function read(context: Context, transferId: string): Promise<Transfer> {
  const [row] = await context.db.run(readTransfers, { household: context.household!.id, ids: [transferId] })
  if (!row) throw new Failure('not-found', 'There is no such transfer in this household.')
  return present(row)
}

function sameAsBefore(row: Parameters<typeof present>[0] | undefined, body: z.infer<typeof draft>) {
  const there = row ? present(row) : null
  const same =
    there &&
    there.from.accountId === body.fromAccountId &&
    there.to.accountId === body.toAccountId &&
    there.from.date === body.date &&
    there.from.amount === -body.amount &&
    there.to.amount === (body.toAmount ?? body.amount) &&
    there.from.note === (body.note ?? '')
  if (!same) throw new Failure('already-exists', 'The id is taken by a transfer with other content, or by a deleted one.', { at: '/id' })
  return { status: 200, body: there, headers: { location: `/api/transfers/${there.id}` } }
}

function toItself() {
  return new Failure('transfer-to-itself', 'A transfer needs two different accounts.', { at: '/toAccountId' })
}

async function whyNoLegs(context: Context, wanted: { fromAccountId: string; toAccountId: string }): Promise<Failure> {
  const accounts = await context.db.run(accountsOf, { household: context.household!.id, ids: [wanted.fromAccountId, wanted.toAccountId] })
  for (const name of ['fromAccountId', 'toAccountId'] as const) {
    if (!accounts.some((account) => account.id === wanted[name])) {
      return new Failure('account-not-found', 'There is no such account in this household.', { at: `/${name}` })
    }
  }
  const differ = accounts[0]!.currency !== accounts[1]!.currency
  return new Failure(
    'currency-mismatch',
    differ
      ? `The accounts are in ${accounts[0]!.currency} and ${accounts[1]!.currency}: say with toAmount what arrives.`
      : 'Both accounts are in one currency, so what arrives is what left.',
    { at: '/toAmount' },
  )
}
