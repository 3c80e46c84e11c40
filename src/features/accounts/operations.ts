// Accounts: where the money is. The database keeps their balances.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { createRow, idListQuery, listRows, patchRow, readBefore, readRow, removeRow, restoreRow } from '../../http/collection.ts'
import { baseRevision } from '../../http/merge.ts'
import { operation, type Operation } from '../../http/operation.ts'
import { amount, currency, id, idParams, instant, listOf, text } from '../../http/parameters.ts'
import { accountRows, listAccounts } from './store.ts'

const kind = z.enum(['checking', 'savings', 'cash', 'creditCard', 'loan', 'investment', 'other'])

export const accountShape = z.strictObject({
  id,
  name: z.string(),
  kind,
  currency,
  institutionId: z.string().nullable(),
  note: z.string(),
  openingBalance: amount,
  balance: amount.meta({ description: 'Opening balance plus posted and reconciled transactions, in minor units.' }),
  pendingBalance: amount.meta({ description: 'Sum of the pending transactions, which `balance` leaves out.' }),
  closedAt: instant.nullable(),
  createdAt: instant,
  updatedAt: instant,
  revision: z.int().meta({ description: "The household's revision at the row's last change." }),
})

/** What an account is on a slow network. */
const essential = ['id', 'name', 'kind', 'currency', 'balance', 'closedAt', 'revision'] as const

const institutionId = z.string().min(1).max(64)
const draft = z.strictObject({
  id: id.optional(),
  name: text(100, 1),
  kind,
  currency,
  openingBalance: amount.optional(),
  institutionId: institutionId.nullable().optional(),
  note: text(2_000).optional(),
})
const changes = z.strictObject({
  baseRevision,
  name: text(100, 1).optional(),
  kind: kind.optional(),
  currency: currency.optional(),
  openingBalance: amount.optional(),
  institutionId: institutionId.nullable().optional(),
  note: text(2_000).optional(),
  closedAt: instant
    .nullable()
    .optional()
    .meta({ description: 'An instant closes the account to new and changed transactions; null opens it again.' }),
})

export type AccountNeeds = { isInstitution: (id: string) => Promise<boolean> }

export function accountOperations(needs: AccountNeeds): Operation[] {
  const shared = { tag: 'Accounts' } as const
  const checkInstitution = async (given: string | null | undefined) => {
    if (given !== null && given !== undefined && !(await needs.isInstitution(given))) {
      throw new Failure('institution-not-found', `There is no institution "${given}" in /api/system/institutions.`, {
        at: '/institutionId',
      })
    }
  }
  return [
    operation({
      ...shared,
      name: 'accounts.list',
      summary: 'All accounts, closed ones included',
      description: 'Ordered by id.',
      method: 'GET',
      path: '/api/accounts',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      essential,
      query: z.strictObject(idListQuery),
      answer: listOf(accountShape),
      row: accountShape,
      run: async (context, { query }) => ({ body: await listRows(context, 'accounts', listAccounts, query) }),
    }),
    operation({
      ...shared,
      name: 'accounts.create',
      summary: 'Open an account',
      method: 'POST',
      path: '/api/accounts',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      body: draft,
      answer: accountShape,
      row: accountShape,
      status: 201,
      refusals: ['already-exists', 'limit-reached', 'institution-not-found'],
      run: async (context, { body }) => {
        await checkInstitution(body.institutionId)
        return await createRow(context, accountRows, '/api/accounts', body, { openingBalance: 0, institutionId: null, note: '' })
      },
    }),
    operation({
      ...shared,
      name: 'accounts.read',
      summary: 'One account',
      method: 'GET',
      path: '/api/accounts/{id}',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      conditional: true,
      essential,
      params: idParams,
      answer: accountShape,
      row: accountShape,
      run: async (context, { params }) => ({ body: await readRow(context, accountRows, params.id) }),
    }),
    operation({
      ...shared,
      name: 'accounts.patch',
      summary: 'Change, close or reopen an account',
      description: 'The currency stays once there are transactions.',
      method: 'PATCH',
      path: '/api/accounts/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      body: changes,
      answer: accountShape,
      row: accountShape,
      refusals: ['conflict', 'deleted', 'precondition-failed', 'in-use', 'institution-not-found'],
      readAhead: (context, { params, body }) => readBefore(context, accountRows, params.id, body.baseRevision),
      run: async (context, { params, body, ahead }) => {
        await checkInstitution(body.institutionId)
        try {
          return await patchRow(context, accountRows, params.id, body, ahead)
        } catch (error) {
          // Each transaction carries its account's currency, held equal by this foreign key.
          if ((error as { constraint?: string }).constraint !== 'transaction_account') throw error
          throw new Failure('in-use', 'The account has transactions in its currency; open another one.', { at: '/currency', cause: error })
        }
      },
    }),
    operation({
      ...shared,
      name: 'accounts.delete',
      summary: 'Delete an account without transactions',
      description: 'One with transactions is closed instead: 409 `in-use`.',
      method: 'DELETE',
      path: '/api/accounts/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      status: 204,
      refusals: ['in-use', 'precondition-failed'],
      run: (context, { params }) => removeRow(context, accountRows, params.id),
    }),
    operation({
      ...shared,
      name: 'accounts.restore',
      summary: 'Bring a deleted account back, within 30 days',
      method: 'POST',
      path: '/api/accounts/{id}/restore',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      answer: accountShape,
      row: accountShape,
      refusals: ['not-deleted', 'restore-expired'],
      run: (context, { params }) => restoreRow(context, accountRows, params.id),
    }),
  ]
}
