// Members: who belongs to a household, in which role, and how they leave it.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { limits } from '../../values/limits.ts'
import { operation, type Context, type Operation } from '../../http/operation.ts'
import { id, idParams, instant } from '../../http/parameters.ts'
import { finite } from '../../http/collection.ts'
import { refuseUnlessOwner, role } from './household.ts'
import { deleteMember, listMembers, readMember, readStanding, setRole } from './member-store.ts'

export const memberShape = z.strictObject({
  userId: id,
  displayName: z.string(),
  email: z.string().nullable().meta({ description: "Owners see everybody's address, others only their own; else null." }),
  role,
  createdAt: instant.meta({ description: 'When they joined.' }),
  updatedAt: instant,
  revision: z.int(),
})
const memberParams = z.strictObject({ id, userId: id })

export function memberOperations(): Operation[] {
  const shared = { tag: 'Sharing', householdIn: 'path' } as const
  return [
    operation({
      ...shared,
      name: 'members.list',
      summary: 'Who belongs to the household',
      description: `In the order in which they joined; at most ${limits.membersMax}.`,
      method: 'GET',
      path: '/api/households/{id}/members',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      params: idParams,
      answer: z.strictObject({ data: z.array(memberShape), nextCursor: z.null() }),
      row: memberShape,
      run: async (context) => ({ body: { data: await context.db.run(listMembers, callOf(context)), nextCursor: null } }),
    }),
    operation({
      ...shared,
      name: 'members.patch',
      summary: "Change a member's role",
      description:
        'Takes the role owner. To hand the household over, make somebody else an owner; then step down or leave, or not: there may be several owners, and always is one. Both steps in an atomic batch are one.',
      method: 'PATCH',
      path: '/api/households/{id}/members/{userId}',
      access: 'owner',
      criticality: 'write',
      effect: 'write',
      params: memberParams,
      body: z.strictObject({ role }),
      answer: memberShape,
      refusals: ['last-owner', 'precondition-failed'],
      run: async (context, { params, body }) => {
        const call = { ...callOf(context), member: params.userId }
        const [standing] = await context.db.run(readStanding, call)
        if (standing!.memberRole === null) throw noSuchMember()
        if (standing!.memberRevision! > (finite(context.ifMatchRevision) ?? Infinity)) {
          throw new Failure('precondition-failed', 'The member changed since you read it.', { at: 'If-Match:' })
        }
        if (standing!.memberRole !== body.role) {
          if (standing!.memberRole === 'owner') refuseLastOwner(standing!.owners, '/role')
          await context.db.run(setRole, { household: call.household, member: call.member, role: body.role })
        }
        const [member] = await context.db.run(readMember, call)
        return { body: member }
      },
    }),
    operation({
      ...shared,
      name: 'members.remove',
      summary: 'Remove a member, or leave',
      description:
        'An owner removes anybody; everybody may remove themself, but for the last owner. Access ends within the second, on every device. Whoever has left is answered 404 from then on.',
      method: 'DELETE',
      path: '/api/households/{id}/members/{userId}',
      access: 'viewer',
      criticality: 'write',
      effect: 'write',
      status: 204,
      params: memberParams,
      refusals: ['forbidden', 'last-owner'],
      run: async (context, { params }) => {
        const call = { ...callOf(context), member: params.userId }
        const [standing] = await context.db.run(readStanding, call)
        if (call.member !== call.caller) refuseUnlessOwner(standing!.callerRole)
        if (standing!.memberRole === null) throw noSuchMember()
        if (standing!.memberRole === 'owner') refuseLastOwner(standing!.owners)
        await context.db.run(deleteMember, { household: call.household, member: call.member })
        return { status: 204 }
      },
    }),
  ]
}

function callOf(context: Context) {
  return { household: context.household!.id, caller: context.principal!.userId }
}

function noSuchMember() {
  return new Failure('not-found', 'There is no such member in this household.')
}

/** Exact, as the write holds the household's revision; the database refuses it by itself too. */
function refuseLastOwner(owners: number, at?: string) {
  if (owners === 1)
    throw new Failure('last-owner', 'They are the only owner: make somebody else one first.', at === undefined ? {} : { at })
}
