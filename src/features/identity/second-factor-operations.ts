// The second factor of one's own account: set up, confirmed, its recovery codes renewed, turned off.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { limits } from '../../values/limits.ts'
import { operation, type Context, type Operation } from '../../http/operation.ts'
import { instant } from '../../http/parameters.ts'
import { keyOf, password } from './credentials.ts'
import { verifyPassword } from './hashing.ts'
import type { IdentityNeeds } from './operations.ts'
import { checkCode, makePendingSecret, openSecret, renewRecoveryCodes, spendCode, wrongCode } from './second-factor.ts'
import { dropSecondFactor, enableSecondFactor, lockPendingSecret, secondFactorState } from './second-factor-store.ts'
import { lockUser, revokeOtherSessions } from './store.ts'
import { readSelf } from './self.ts'
import { base32, keyUri, stepOfCode } from './totp.ts'

const code = z.string().max(64).meta({ description: 'Six digits of the authenticator app, or a recovery code. Each is good once.' })
const recoveryCodes = z
  .array(z.string())
  .meta({ description: `${limits.recoveryCodes} codes, each good once in place of one of the app. Shown this once.` })

export function secondFactorOperations(needs: IdentityNeeds): Operation[] {
  const shared = { tag: 'Me', access: 'user', criticality: 'auth', noStore: true } as const
  const { vault } = needs

  /** The password, and with a factor in force a code, before anything is written; the code stays good for the write. */
  async function check(context: Context, body: { password: string; code?: string | undefined }) {
    const { userId } = context.principal!
    const user = await readSelf(context)
    await needs.chargeLogin(context.address, keyOf(user.email))
    if (!(await verifyPassword(body.password, user.passwordHash))) {
      throw new Failure('wrong-credentials', 'The password is wrong.', { at: '/password' })
    }
    await checkCode(context.database, context.scope, vault, userId, body.code, context.nowMs)
    return user
  }

  /** Takes the code of a call that only a factor in force makes sense of. */
  async function spend(context: Context, typed: string) {
    if (!(await spendCode(context.db, vault, context.principal!.userId, typed, context.nowMs))) {
      throw new Failure('not-found', 'No second factor is on.')
    }
  }

  return [
    operation({
      ...shared,
      name: 'me.secondFactor',
      method: 'GET',
      path: '/api/me/second-factor',
      effect: 'read',
      summary: 'Whether a second factor is on',
      answer: z.strictObject({ enabled: z.boolean(), enabledAt: instant.nullable(), recoveryCodesLeft: z.int() }),
      run: async (context) => {
        const [state] = await context.db.run(secondFactorState, { user: context.principal!.userId })
        return { body: { enabled: state !== undefined, ...(state ?? { enabledAt: null, recoveryCodesLeft: 0 }) } }
      },
    }),
    operation({
      ...shared,
      name: 'me.beginSecondFactor',
      method: 'POST',
      path: '/api/me/second-factor',
      effect: 'write',
      summary: 'Begin to set up a second factor',
      description: `Show \`uri\` as a QR code, or \`secret\` to be typed into an authenticator app, and confirm with its first code within ${limits.pendingFactorMinutes} minutes. Nothing changes until then; beginning again replaces what waits. With a second factor on, as for a new phone, a \`code\` of it is needed too.`,
      body: z.strictObject({ password, code: code.optional() }),
      answer: z.strictObject({
        secret: z.string().meta({ description: 'Base32.' }),
        uri: z.string().meta({ description: 'otpauth://totp/...', format: 'uri' }),
        expiresIn: z.int().meta({ description: 'Seconds until it must be confirmed.' }),
      }),
      refusals: ['wrong-credentials', 'second-factor-required', 'rate-limited'],
      prepare: (context, { body }) => check(context, body),
      run: async (context, { body, prepared: user }) => {
        await spendCode(context.db, vault, user.id, body.code, context.nowMs)
        const secret = await makePendingSecret(context.db, vault, user.id)
        return { body: { secret: base32(secret), uri: keyUri(secret, user.email), expiresIn: limits.pendingFactorMinutes * 60 } }
      },
    }),
    operation({
      ...shared,
      name: 'me.confirmSecondFactor',
      method: 'POST',
      path: '/api/me/second-factor/confirm',
      effect: 'write',
      summary: 'Turn the second factor on with its first code; every other session ends',
      description:
        'From then on signing in takes a code. Sessions that were open elsewhere end, since whoever had the password alone could have opened them.',
      body: z.strictObject({ code: z.string().max(64).meta({ description: 'Six digits of the authenticator app.' }) }),
      answer: z.strictObject({ enabledAt: instant, recoveryCodes }),
      refusals: ['wrong-credentials', 'not-found'],
      run: async (context, { body }) => {
        const { userId, sessionId } = context.principal!
        await context.db.run(lockUser, { id: userId })
        const [pending] = await context.db.run(lockPendingSecret, { user: userId })
        if (!pending) throw new Failure('not-found', 'No second factor waits to be confirmed; begin again.')
        const step = stepOfCode(openSecret(vault, userId, pending.secret), body.code.replaceAll(' ', ''), context.nowMs, 0)
        if (step === null) throw wrongCode('/code')
        const [[enabled], codes] = await Promise.all([
          context.db.run(enableSecondFactor, { user: userId, step }),
          renewRecoveryCodes(context.db, userId),
          context.db.run(revokeOtherSessions, { user: userId, kept: sessionId, reason: 'second factor' }),
        ])
        return { body: { enabledAt: enabled!.enabledAt, recoveryCodes: codes } }
      },
    }),
    operation({
      ...shared,
      name: 'me.renewRecoveryCodes',
      method: 'POST',
      path: '/api/me/second-factor/recovery-codes',
      effect: 'write',
      summary: 'New recovery codes; the old ones are void',
      body: z.strictObject({ password, code }),
      answer: z.strictObject({ recoveryCodes }),
      refusals: ['wrong-credentials', 'not-found', 'rate-limited'],
      prepare: (context, { body }) => check(context, body),
      run: async (context, { body }) => {
        await spend(context, body.code)
        return { body: { recoveryCodes: await renewRecoveryCodes(context.db, context.principal!.userId) } }
      },
    }),
    operation({
      ...shared,
      name: 'me.disableSecondFactor',
      method: 'POST',
      path: '/api/me/second-factor/disable',
      effect: 'write',
      status: 204,
      summary: 'Turn the second factor off',
      description: 'A POST, since not every HTTP client and proxy lets a DELETE carry a body.',
      body: z.strictObject({ password, code }),
      refusals: ['wrong-credentials', 'not-found', 'rate-limited'],
      prepare: (context, { body }) => check(context, body),
      run: async (context, { body }) => {
        await spend(context, body.code)
        await context.db.run(dropSecondFactor, { user: context.principal!.userId })
        return { status: 204 }
      },
    }),
  ]
}
