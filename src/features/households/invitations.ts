// Invitations: an owner makes one, whoever has its token joins by it, once and before it expires.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { newId } from '../../values/id.ts'
import { limits } from '../../values/limits.ts'
import { operation, type Operation } from '../../http/operation.ts'
import { id, idParams, instant } from '../../http/parameters.ts'
import { householdShape, role } from './household.ts'
import { hashInvitationToken, invitationLink, newInvitationToken, readInvitationToken } from './invitation-token.ts'
import {
  acceptToken,
  insertInvitation,
  insertInvitationToken,
  listInvitations,
  queueInvitationMail,
  readInvitationState,
  readToken,
  revokeInvitation,
} from './invitation-store.ts'
import { listHouseholds } from './store.ts'

export type InvitationNeeds = {
  /** An e-mail address as sign-up takes it, and what makes two spellings of one the same. */
  email: z.ZodType<string>
  emailKey: (address: string) => string
  mailConfigured: boolean
  /** Where the app is, for links that lead to it. */
  appUrl: string | undefined
}

const invitationShape = z.strictObject({
  id,
  role,
  email: z.string().nullable().meta({ description: 'When there is one, only the user of that address may accept.' }),
  invitedBy: id,
  expiresAt: instant,
  createdAt: instant,
  revision: z.int(),
})
const token = z.string().min(1).max(200)

export function invitationOperations(needs: InvitationNeeds): Operation[] {
  const managed = { tag: 'Sharing', householdIn: 'path', access: 'owner' } as const
  const accepted = { tag: 'Sharing', method: 'POST', access: 'user', body: z.strictObject({ token }), refusals: ['link-expired'] } as const
  return [
    operation({
      ...managed,
      name: 'invitations.create',
      feature: 'invitations',
      summary: 'Invite somebody',
      description:
        'Takes the role owner. The token is told once: here, and in the mail when mail is configured and `email` given. `link` is null unless the operator configured where the app is. ' +
        `It works once, until it expires, and only while you are an owner; a household has at most ${limits.invitationsOpenMax} open ones.`,
      method: 'POST',
      path: '/api/households/{id}/invitations',
      criticality: 'write',
      effect: 'write',
      status: 201,
      noStore: true,
      params: idParams,
      body: z.strictObject({
        role,
        email: needs.email.optional(),
        expiresInHours: z
          .int()
          .min(1)
          .max(limits.invitationHoursMax)
          .optional()
          .meta({ description: `${limits.invitationHoursDefault} unless given.`, default: limits.invitationHoursDefault }),
      }),
      answer: invitationShape.extend({
        token: z.string(),
        link: z.string().nullable(),
        mailed: z.boolean().meta({ description: 'Whether a mail is on its way.' }),
      }),
      refusals: ['limit-reached'],
      run: async (context, { body }) => {
        const household = context.household!.id
        const email = body.email?.trim() ?? null
        const invitation = newId()
        const made = newInvitationToken(household)
        const mailed = needs.mailConfigured && email !== null
        const [[row]] = await Promise.all([
          context.db.run(insertInvitation, {
            household,
            id: invitation,
            role: body.role,
            email,
            emailKey: email === null ? null : needs.emailKey(email),
            hours: body.expiresInHours ?? limits.invitationHoursDefault,
          }),
          context.db.run(insertInvitationToken, { household, hash: hashInvitationToken(made), invitation }),
          mailed ? context.db.run(queueInvitationMail, { id: invitation }) : [],
        ])
        const link = needs.appUrl === undefined ? null : invitationLink(needs.appUrl, made)
        return { body: { ...row, token: made, link, mailed } }
      },
    }),
    operation({
      ...managed,
      name: 'invitations.list',
      summary: 'Invitations that are open, newest first',
      description: 'Takes the role owner. Tokens are not told again.',
      method: 'GET',
      path: '/api/households/{id}/invitations',
      criticality: 'list',
      effect: 'read',
      params: idParams,
      answer: z.strictObject({ data: z.array(invitationShape), nextCursor: z.null() }),
      row: invitationShape,
      run: async (context) => ({
        body: { data: await context.db.run(listInvitations, { household: context.household!.id }), nextCursor: null },
      }),
    }),
    operation({
      ...managed,
      name: 'invitations.revoke',
      summary: 'Revoke an invitation',
      description: 'Takes the role owner. One that was accepted is `link-expired`: remove the member instead.',
      method: 'DELETE',
      path: '/api/households/{id}/invitations/{invitationId}',
      criticality: 'write',
      effect: 'write',
      status: 204,
      params: z.strictObject({ id, invitationId: id }),
      refusals: ['link-expired'],
      run: async (context, { params }) => {
        const wanted = { household: context.household!.id, id: params.invitationId }
        const [[found]] = await Promise.all([context.db.run(readInvitationState, wanted), context.db.run(revokeInvitation, wanted)])
        if (!found) throw new Failure('not-found', 'There is no such invitation in this household.')
        if (found.accepted) throw new Failure('link-expired', 'It was accepted already; remove the member instead.')
        return { status: 204 }
      },
    }),
    operation({
      ...accepted,
      name: 'invitations.preview',
      goesOnReadOnly: true,
      summary: 'What an invitation leads to',
      description:
        'So that the app can ask before joining. Refused alike when it is unknown, used, revoked, expired or for another address.',
      path: '/api/invitations/preview',
      criticality: 'list',
      effect: 'read',
      noStore: true,
      answer: z.strictObject({ household: z.strictObject({ name: z.string() }), role, expiresAt: instant }),
      run: async (context, { body }) => {
        const place = readInvitationToken(body.token)
        const [found] = place ? await context.db.run(readToken, place) : []
        if (!found?.open) throw notOpen()
        return { body: { household: { name: found.householdName }, role: found.role, expiresAt: found.expiresAt } }
      },
    }),
    operation({
      ...accepted,
      name: 'invitations.accept',
      summary: 'Join a household',
      description:
        'Answers the household, also when it is sent again by whoever joined by it. A member keeps the higher role: an invitation that would not raise it answers the household and stays open. ' +
        'Refused alike when it is unknown, used, revoked, expired or for another address.',
      path: '/api/invitations/accept',
      criticality: 'write',
      effect: 'write',
      answer: householdShape,
      refusals: ['link-expired', 'limit-reached'],
      admit: async (context, { body }) => {
        const place = readInvitationToken(body.token)
        const [found] = place ? await context.db.run(readToken, place) : []
        if (!found?.open && !found?.joined) throw notOpen()
      },
      run: async (context, { body }) => {
        const place = readInvitationToken(body.token)!
        const [[outcome], rows] = await Promise.all([
          context.db.run(acceptToken, place),
          context.db.run(listHouseholds, { user: context.principal!.userId }),
        ])
        const joined = rows.find((row) => row.id === place.household)
        if (outcome!.joined === null || !joined) throw notOpen()
        if (outcome!.joined) context.tx!.raised = { household: joined.id, revision: joined.revision }
        return { body: joined }
      },
    }),
  ]
}

function notOpen() {
  return new Failure('link-expired', 'The invitation was used, revoked, is too old, or is for somebody else; ask for a new one.', {
    at: '/token',
  })
}
