// Identity: sign-up, sign-in, refresh, sign-out, password change, recovery, and what is one's own.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import type { Registration } from '../../values/flags.ts'
import { newId } from '../../values/id.ts'
import { operation, type Operation } from '../../http/operation.ts'
import type { ChargeLogin } from '../../http/charge.ts'
import type { Runner, Transaction } from '../../resources/transaction.ts'
import type { Vault } from '../../resources/vault.ts'
import { email, keyOf, linkExpired, password, refuseWeak, tokens } from './credentials.ts'
import { erasureOperation } from './erasure.ts'
import { hashPassword, verifyPassword } from './hashing.ts'
import type { MailedLinks } from './mailed-links.ts'
import { meOperations } from './me.ts'
import { secondFactorOperations } from './second-factor-operations.ts'
import { readSelf } from './self.ts'
import { rotate } from './sessions.ts'
import { signInOperation } from './sign-in.ts'
import { signUpOperations } from './sign-up.ts'
import { endLinks, insertEmailRequest, revokeOtherSessions, revokeSession, setPassword, useLink } from './store.ts'
import { hashToken } from './tokens.ts'

export type NewHome = { householdId: string; userId: string; name: string; currency: string; timeZone: string }

/** Where an invitation to a household is looked up. */
export type InvitationPlace = { household: string; hash: string }

export type IdentityNeeds = {
  /** Founds the household that everyone gets at sign-up and answers it. */
  foundHome: (tx: Runner, home: NewHome) => Promise<{ id: string }>
  /** Who may sign up at the moment. */
  registration: () => Registration
  /** Invitations that are brought along to a sign-up. */
  invitations: {
    placeOf: (token: string) => InvitationPlace | null
    isOpen: (db: Runner, place: InvitationPlace, addressKey: string) => Promise<boolean>
    /** Makes the new user a member, as the last thing of the transaction; whether it did. */
    join: (tx: Transaction, place: InvitationPlace, user: string) => Promise<boolean>
  }
  isTimeZone: (zone: string) => boolean
  mailConfigured: boolean
  mailedLinks: MailedLinks
  chargeLogin: ChargeLogin
  /** Seals the secrets of second factors. */
  vault: Vault
}

export function identityOperations(needs: IdentityNeeds): Operation[] {
  const shared = { tag: 'Identity', method: 'POST', access: 'anonymous', criticality: 'auth', noStore: true } as const
  return [
    ...signUpOperations(needs),
    signInOperation(needs),
    erasureOperation(needs),
    operation({
      ...shared,
      name: 'auth.refresh',
      goesOnReadOnly: true,
      path: '/api/auth/refresh',
      effect: 'own',
      summary: 'Exchange the refresh token for new tokens',
      description: 'The old token may be sent again within 10 s (a lost answer) and gets the same tokens; later it ends the session.',
      body: z.strictObject({ refreshToken: z.string().min(1).max(200) }),
      answer: z.strictObject(tokens),
      refusals: ['refresh-refused'],
      run: async (context, { body }) => {
        const rotation = await context.database.write(context.scope, (tx) => rotate(tx, body.refreshToken))
        if ('reused' in rotation)
          throw new Failure('refresh-refused', 'The refresh token was used before; the session has ended.', { at: '/refreshToken' })
        return { body: rotation.tokens }
      },
    }),
    operation({
      ...shared,
      name: 'auth.logout',
      goesOnReadOnly: true,
      path: '/api/auth/logout',
      access: 'user',
      effect: 'write',
      status: 204,
      summary: 'End this session',
      run: async (context) => {
        const { userId, sessionId } = context.principal!
        await context.db.run(revokeSession, { user: userId, id: sessionId, reason: 'logout' })
        return { status: 204 }
      },
    }),
    operation({
      ...shared,
      name: 'auth.password',
      path: '/api/auth/password',
      access: 'user',
      effect: 'write',
      status: 204,
      summary: 'Change the password; every other session ends',
      body: z.strictObject({ currentPassword: password, newPassword: password }),
      refusals: ['wrong-credentials', 'password-too-weak', 'rate-limited'],
      prepare: async (context, { body }) => {
        const user = await readSelf(context)
        await needs.chargeLogin(context.address, keyOf(user.email))
        await refuseWeak(body.newPassword, user, '/newPassword')
        if (!(await verifyPassword(body.currentPassword, user.passwordHash))) {
          throw new Failure('wrong-credentials', 'The current password is wrong.', { at: '/currentPassword' })
        }
        return await hashPassword(body.newPassword)
      },
      run: async (context, { prepared }) => {
        const { userId, sessionId } = context.principal!
        await Promise.all([
          context.db.run(setPassword, { id: userId, passwordHash: prepared }),
          context.db.run(endLinks, { user: userId }),
          context.db.run(revokeOtherSessions, { user: userId, kept: sessionId, reason: 'password change' }),
        ])
        return { status: 204 }
      },
    }),
    operation({
      ...shared,
      name: 'auth.recovery',
      path: '/api/auth/recovery',
      effect: 'own',
      status: 202,
      summary: 'Ask for a link that sets a new password',
      description: 'Answers alike for known and unknown addresses. The link is mailed; without mail it is logged for the operator.',
      body: z.strictObject({ email }),
      answer: z.strictObject({ status: z.literal('check-email') }),
      refusals: ['rate-limited'],
      run: async (context, { body }) => {
        await needs.chargeLogin(context.address, keyOf(body.email))
        await context.database.write(context.scope, async (tx) => {
          await tx.run(insertEmailRequest, {
            id: newId(),
            purpose: 'recover',
            email: body.email.trim(),
            emailKey: keyOf(body.email),
            draft: null,
          })
        })
        needs.mailedLinks.wake()
        return { status: 202, body: { status: 'check-email' } }
      },
    }),
    operation({
      ...shared,
      name: 'auth.recover',
      path: '/api/auth/recovery/confirm',
      effect: 'own',
      status: 204,
      summary: 'Set a new password with the mailed token; every session ends',
      body: z.strictObject({ token: z.string().max(200), newPassword: password }),
      refusals: ['link-expired', 'password-too-weak'],
      run: async (context, { body }) => {
        await refuseWeak(body.newPassword, { email: '' }, '/newPassword')
        const passwordHash = await hashPassword(body.newPassword)
        await context.database.write(context.scope, async (tx) => {
          const [link] = await tx.run(useLink, { hash: hashToken(body.token), purpose: 'recover' })
          if (!link?.userId) throw linkExpired()
          await Promise.all([
            tx.run(setPassword, { id: link.userId, passwordHash }),
            tx.run(endLinks, { user: link.userId }),
            tx.run(revokeOtherSessions, { user: link.userId, kept: null, reason: 'recovery' }),
          ])
        })
        return { status: 204 }
      },
    }),
    ...meOperations(),
    ...secondFactorOperations(needs),
  ]
}
