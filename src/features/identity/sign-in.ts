// Signing in: the password first, then the second factor where there is one.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { operation, type Context, type Operation } from '../../http/operation.ts'
import { deviceName, email, keyOf, password, tokens } from './credentials.ts'
import { verifyPassword } from './hashing.ts'
import { presentUser, userShape } from './me.ts'
import type { IdentityNeeds } from './operations.ts'
import { lockFactor, tryCode } from './second-factor.ts'
import { startSession } from './sessions.ts'
import { lockPassword, userByEmail } from './store.ts'

const credentials = z.strictObject({
  email,
  password,
  totp: z
    .string()
    .max(64)
    .optional()
    .meta({ description: 'Where a second factor is on: six digits of the authenticator app, or a recovery code. Each is good once.' }),
  deviceName: deviceName.optional(),
})

export function signInOperation(needs: IdentityNeeds): Operation {
  return operation({
    tag: 'Identity',
    name: 'auth.login',
    goesOnReadOnly: true,
    method: 'POST',
    path: '/api/auth/login',
    access: 'anonymous',
    criticality: 'auth',
    effect: 'own',
    noStore: true,
    summary: 'Sign in',
    description:
      'With the right password and a second factor on, a call without `totp` is 401 `second-factor-required`: ask for the code and send all of it again. A wrong code is `wrong-credentials` at `/totp`.',
    body: credentials,
    answer: z.strictObject({ ...tokens, user: userShape }),
    refusals: ['wrong-credentials', 'second-factor-required', 'rate-limited'],
    run: (context, { body }) => signIn(needs, context, body),
  })
}

async function signIn(needs: IdentityNeeds, context: Context, body: z.infer<typeof credentials>) {
  await needs.chargeLogin(context.address, keyOf(body.email))
  const [user] = await context.db.run(userByEmail, { emailKey: keyOf(body.email) })
  if (!(await verifyPassword(body.password, user?.passwordHash ?? null))) throw wrongCredentials()
  const { id, passwordHash, secondFactor } = user!
  const begin = (tx: Parameters<typeof startSession>[0]) => startSession(tx, id, body.deviceName ?? null)
  const session = await context.database.write({ ...context.scope, user: id }, async (tx) => {
    // Most have no second factor: then the session rides along, and goes back when one was set up at this moment.
    const [[standing], factor, early] = await Promise.all([
      tx.run(lockPassword, { id }),
      lockFactor(tx, id),
      secondFactor ? null : begin(tx),
    ])
    if (standing?.passwordHash !== passwordHash) throw wrongCredentials()
    if (factor === null) return early ?? (await begin(tx))
    if (body.totp === undefined || early) {
      throw new Failure('second-factor-required', 'Send a code of your authenticator app too, or a recovery code.', { at: '/totp' })
    }
    const refusal = await tryCode(tx, needs.vault, factor, { typed: body.totp, nowMs: context.nowMs, at: '/totp' })
    return refusal ?? (await begin(tx))
  })
  if (session instanceof Failure) throw session
  const { accessToken, refreshToken, expiresIn } = session
  return { body: { accessToken, refreshToken, expiresIn, user: presentUser(user!) } }
}

function wrongCredentials() {
  return new Failure('wrong-credentials', 'The e-mail address or the password is wrong.')
}
