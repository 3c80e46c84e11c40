// Deleting a whole household, and bringing it back within 30 days.
import { Failure } from '../../values/failure.ts'
import { limits } from '../../values/limits.ts'
import { operation, type Context, type Operation } from '../../http/operation.ts'
import { finite } from '../../http/collection.ts'
import { idParams } from '../../http/parameters.ts'
import { householdShape, refuseUnlessOwner } from './household.ts'
import { deleteHousehold, enterHousehold, listHouseholds, readDeletion, restoreHousehold } from './store.ts'

type IdInput = { params: { id: string } }

export function deletionOperations(): Operation[] {
  // A household that is deleted is nobody's by role: who owned it is asked of the database, before any kept answer.
  const shared = {
    tag: 'Households',
    access: 'user',
    criticality: 'write',
    effect: 'write',
    params: idParams,
    admit: async (context: Context, { params }: IdInput) => void (await readOwned(context, params.id)),
  } as const
  return [
    operation({
      ...shared,
      name: 'households.remove',
      summary: 'Delete a household for all of its members',
      description: `Takes the role owner. It can be restored within ${limits.restoreDays} days; deleting it again succeeds. Whoever has no other household may found one.`,
      method: 'DELETE',
      path: '/api/households/{id}',
      status: 204,
      refusals: ['forbidden', 'precondition-failed'],
      run: async (context, { params }) => {
        const { deletedAt, revision } = await readOwned(context, params.id)
        if (deletedAt !== null) return { status: 204 }
        if (revision > (finite(context.ifMatchRevision) ?? Infinity)) {
          throw new Failure('precondition-failed', 'The household changed since you read it.', { at: 'If-Match:' })
        }
        const [, [gone]] = await Promise.all([
          context.db.run(enterHousehold, { id: params.id }),
          context.db.run(deleteHousehold, { id: params.id }),
        ])
        if (gone) context.tx!.raised = { household: params.id, revision: gone.revision }
        return { status: 204 }
      },
    }),
    operation({
      ...shared,
      name: 'households.restore',
      summary: 'Bring a deleted household back',
      description: 'Takes the role owner in it. Its members have it again.',
      method: 'POST',
      path: '/api/households/{id}/restore',
      answer: householdShape,
      refusals: ['forbidden', 'not-deleted', 'restore-expired'],
      run: async (context, { params }) => {
        const { deletedAt } = await readOwned(context, params.id)
        if (deletedAt === null) throw new Failure('not-deleted', 'It is not deleted.')
        const [, [back], rows] = await Promise.all([
          context.db.run(enterHousehold, { id: params.id }),
          context.db.run(restoreHousehold, { id: params.id, days: limits.restoreDays }),
          context.db.run(listHouseholds, { user: context.principal!.userId }),
        ])
        const row = rows.find((each) => each.id === params.id)
        if (!row) throw new Failure('restore-expired', `It was deleted more than ${limits.restoreDays} days ago.`)
        if (back) context.tx!.raised = { household: params.id, revision: back.revision }
        return { body: row }
      },
    }),
  ]
}

async function readOwned(context: Context, id: string) {
  const [found] = await context.db.run(readDeletion, { id, user: context.principal!.userId })
  // To those who did not own it, a deleted household is as good as none.
  refuseUnlessOwner(found?.deletedAt !== null && found?.role !== 'owner' ? null : found?.role)
  return found!
}
