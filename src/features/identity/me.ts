// One's own profile, preferences and sessions.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { operation, type Operation } from '../../http/operation.ts'
import { id, idParams, instant, text } from '../../http/parameters.ts'
import { noSelf, readSelf } from './self.ts'
import { listSessions, patchUser, revokeOtherSessions, revokeSession } from './store.ts'

export const userShape = z.strictObject({
  id,
  email: z.string(),
  displayName: z.string(),
  locale: z.string().nullable(),
  tier: z.enum(['standard', 'premium']),
  preferences: z.record(z.string(), z.unknown()),
  createdAt: instant,
})

const preference = z.union([z.string().max(200), z.number(), z.boolean(), z.null()])
const sessionShape = z.strictObject({
  id,
  deviceName: z.string().nullable(),
  createdAt: instant,
  lastUsedAt: instant,
  current: z.boolean(),
})

type User = { id: string; email: string; displayName: string; locale: string | null; tier: string; preferences: unknown; createdAt: string }

/** The user as answers show it. */
export function presentUser({ id: userId, email, displayName, locale, tier, preferences, createdAt }: User) {
  return { id: userId, email, displayName, locale, tier, preferences, createdAt }
}

export function meOperations(): Operation[] {
  const shared = { tag: 'Me', access: 'user', criticality: 'auth' } as const
  return [
    operation({
      ...shared,
      name: 'me.read',
      method: 'GET',
      path: '/api/me',
      effect: 'read',
      summary: 'Your profile and preferences',
      answer: userShape,
      row: userShape,
      run: async (context) => {
        return { body: presentUser(await readSelf(context)) }
      },
    }),
    operation({
      ...shared,
      name: 'me.patch',
      method: 'PATCH',
      path: '/api/me',
      effect: 'write',
      summary: 'Change your profile and preferences',
      answer: userShape,
      description: '`preferences` is replaced as a whole: up to 50 names with texts, numbers, booleans or null.',
      body: z.strictObject({
        displayName: text(100).optional(),
        locale: z
          .string()
          .regex(/^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8}){0,3}$/)
          .optional(),
        preferences: z
          .record(z.string().min(1).max(50), preference)
          .refine((value) => Object.keys(value).length <= 50, { error: 'holds at most 50 names' })
          .optional(),
      }),
      run: async (context, { body }) => {
        const [user] = await context.db.run(patchUser, {
          id: context.principal!.userId,
          displayName: body.displayName ?? null,
          locale: body.locale ?? null,
          preferences: body.preferences ?? null,
        })
        if (!user) throw noSelf()
        return { body: user }
      },
    }),
    operation({
      ...shared,
      name: 'me.sessions',
      method: 'GET',
      path: '/api/me/sessions',
      effect: 'read',
      summary: 'Where you are signed in',
      answer: z.strictObject({ data: z.array(sessionShape), nextCursor: z.null() }),
      run: async (context) => {
        const rows = await context.db.run(listSessions, { user: context.principal!.userId })
        return { body: { data: rows.map((row) => ({ ...row, current: row.id === context.principal!.sessionId })), nextCursor: null } }
      },
    }),
    operation({
      ...shared,
      name: 'me.endSession',
      goesOnReadOnly: true,
      method: 'DELETE',
      path: '/api/me/sessions/{id}',
      effect: 'write',
      status: 204,
      summary: 'End one session',
      params: idParams,
      run: async (context, { params }) => {
        const [ended] = await context.db.run(revokeSession, { user: context.principal!.userId, id: params.id, reason: 'ended by its user' })
        if (!ended) throw new Failure('not-found', 'You have no such session.')
        return { status: 204 }
      },
    }),
    operation({
      ...shared,
      name: 'me.endOtherSessions',
      goesOnReadOnly: true,
      method: 'DELETE',
      path: '/api/me/sessions',
      effect: 'write',
      status: 204,
      summary: 'End every session but this one',
      run: async (context) => {
        await context.db.run(revokeOtherSessions, {
          user: context.principal!.userId,
          kept: context.principal!.sessionId,
          reason: 'ended by its user',
        })
        return { status: 204 }
      },
    }),
  ]
}
