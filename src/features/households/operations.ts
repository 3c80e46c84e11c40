// Households: the tenants. Everyone gets one at sign-up, may found more and share them.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { newId } from '../../values/id.ts'
import { operation, type Operation } from '../../http/operation.ts'
import { currency, id, idParams, text } from '../../http/parameters.ts'
import { finite } from '../../http/collection.ts'
import type { Runner } from '../../resources/transaction.ts'
import { deletionOperations } from './deletion.ts'
import { householdShape } from './household.ts'
import { invitationOperations, type InvitationNeeds } from './invitations.ts'
import { memberOperations } from './members.ts'
import { insertMember } from './member-store.ts'
import { enterHousehold, insertHousehold, listHouseholds, patchHousehold } from './store.ts'

export type Founding = { id: string; userId: string; name: string; currency: string; timeZone: string }
/** Gives a new household what it starts with. */
export type Furnish = (tx: Runner, householdId: string) => Promise<void>

/** Makes a household with its first owner; the transaction is inside of it afterwards. */
export async function foundHousehold(tx: Runner, founding: Founding, furnish: Furnish) {
  await Promise.all([
    tx.run(enterHousehold, { id: founding.id }),
    tx.run(insertHousehold, { id: founding.id, name: founding.name, currency: founding.currency, timeZone: founding.timeZone }),
    tx.run(insertMember, { household: founding.id, user: founding.userId, role: 'owner' }),
    furnish(tx, founding.id),
  ])
}

export type HouseholdNeeds = InvitationNeeds & { furnish: Furnish; isTimeZone: (zone: string) => boolean }

export function householdOperations(needs: HouseholdNeeds): Operation[] {
  const { furnish, isTimeZone } = needs
  const timeZone = z
    .string()
    .max(64)
    .refine(isTimeZone, { error: 'must be an IANA time zone such as Europe/Madrid', params: { code: 'unknown-time-zone' } })
  const draft = z.strictObject({ id: id.optional(), name: text(100, 1), baseCurrency: currency, timeZone })
  const changes = draft.omit({ id: true }).partial()
  return [
    operation({
      name: 'households.list',
      summary: 'The households you belong to',
      tag: 'Households',
      method: 'GET',
      path: '/api/households',
      access: 'user',
      criticality: 'list',
      effect: 'read',
      answer: z.strictObject({ data: z.array(householdShape), nextCursor: z.null() }),
      row: householdShape,
      run: async (context) => ({
        body: { data: await context.db.run(listHouseholds, { user: context.principal!.userId }), nextCursor: null },
      }),
    }),
    operation({
      name: 'households.create',
      summary: 'Found another household',
      tag: 'Households',
      method: 'POST',
      path: '/api/households',
      access: 'user',
      criticality: 'write',
      effect: 'write',
      body: draft,
      answer: householdShape,
      status: 201,
      refusals: ['limit-reached', 'already-exists'],
      run: async (context, { body }) => {
        const founding = {
          id: body.id ?? newId(),
          userId: context.principal!.userId,
          name: body.name,
          currency: body.baseCurrency,
          timeZone: body.timeZone,
        }
        const headers = { location: `/api/households/${founding.id}` }
        const own = async () => (await context.db.run(listHouseholds, { user: founding.userId })).find((row) => row.id === founding.id)
        const there = body.id === undefined ? undefined : await own()
        if (there) {
          const same = there.name === body.name && there.baseCurrency === body.baseCurrency && there.timeZone === body.timeZone
          if (!same) throw new Failure('already-exists', 'You belong to a household with this id and other content.', { at: '/id' })
          return { status: 200, body: there, headers }
        }
        const [, made] = await Promise.all([foundHousehold(context.db, founding, furnish), own()])
        return { body: made, headers }
      },
    }),
    operation({
      name: 'households.read',
      summary: 'One household',
      tag: 'Households',
      method: 'GET',
      path: '/api/households/{id}',
      access: 'viewer',
      householdIn: 'path',
      criticality: 'list',
      effect: 'read',
      params: idParams,
      answer: householdShape,
      row: householdShape,
      run: async (context, { params }) => {
        const found = (await context.db.run(listHouseholds, { user: context.principal!.userId })).find((row) => row.id === params.id)
        if (!found) throw new Failure('not-found', 'There is no such household.')
        return { body: found }
      },
    }),
    operation({
      name: 'households.patch',
      summary: 'Change name, base currency or time zone',
      description: 'Takes the role owner.',
      tag: 'Households',
      method: 'PATCH',
      path: '/api/households/{id}',
      access: 'owner',
      householdIn: 'path',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      body: changes,
      answer: householdShape,
      refusals: ['precondition-failed'],
      run: async (context, { params, body }) => {
        const [row] = await context.db.run(patchHousehold, {
          id: params.id,
          user: context.principal!.userId,
          name: body.name ?? null,
          baseCurrency: body.baseCurrency ?? null,
          timeZone: body.timeZone ?? null,
          ifRevision: finite(context.ifMatchRevision),
        })
        if (!row) throw new Failure('precondition-failed', 'The household changed since you read it.', { at: 'If-Match:' })
        return { body: row }
      },
    }),
    ...deletionOperations(),
    ...memberOperations(),
    ...invitationOperations(needs),
  ]
}
