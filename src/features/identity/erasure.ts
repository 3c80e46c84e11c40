// Erasing oneself: access ends at once, and what nobody else belongs to is erased by a job.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { limits } from '../../values/limits.ts'
import { operation, type Context, type Operation } from '../../http/operation.ts'
import { keyOf, password } from './credentials.ts'
import { verifyPassword } from './hashing.ts'
import type { IdentityNeeds } from './operations.ts'
import { checkCode, spendCode } from './second-factor.ts'
import { noSelf, readSelf } from './self.ts'
import { eraseUser, householdsWithoutOtherOwner, listSessions } from './store.ts'

export function erasureOperation(needs: IdentityNeeds): Operation {
  return operation({
    tag: 'Me',
    name: 'me.erase',
    method: 'DELETE',
    path: '/api/me',
    access: 'user',
    criticality: 'auth',
    // A kept answer would be one of the user's traces, so a repeat meets 401.
    effect: 'own',
    noStore: true,
    status: 204,
    summary: 'Erase yourself, and the households that only you belong to',
    description:
      `Takes the password, and with a second factor on a \`code\`; neither within ${limits.freshSignInMs / 60_000} minutes after this session signed in. ` +
      'Every session ends at once; nothing of it can be restored. Households of others keep what you did in them, by an id that stands for nobody. ' +
      'While others belong to a household that only you own, it is refused: make one of them an owner, or remove them. Export first what you want to keep (`GET /api/me/export`).',
    body: z.strictObject({ password: password.optional(), code: z.string().max(64).optional() }),
    refusals: ['wrong-credentials', 'second-factor-required', 'rate-limited', 'last-owner'],
    run: async (context, { body }) => {
      const { userId: user } = context.principal!
      const fresh = body.password === undefined
      if (fresh) await refuseUnlessFresh(context)
      else await checkPassword(needs, context, body.password!, body.code)
      await context.database.write(context.scope, async (tx) => {
        const [, orphans] = await Promise.all([
          fresh || spendCode(tx, needs.vault, user, body.code, context.nowMs),
          tx.run(householdsWithoutOtherOwner, { user, rows: limits.householdsPerUserMax }),
        ])
        if (orphans.length > 0) {
          throw new Failure('last-owner', `Others belong to "${orphans[0]!.name}", which only you own: make one of them an owner first.`, {
            extra: { households: orphans.map((household) => household.id) },
          })
        }
        await tx.run(eraseUser, {})
      })
      return { status: 204 }
    },
  })
}

/** Who signed in a moment ago has just shown password and code. */
async function refuseUnlessFresh(context: Context) {
  const { userId, sessionId } = context.principal!
  const session = (await context.db.run(listSessions, { user: userId })).find((each) => each.id === sessionId)
  if (!session) throw noSelf()
  if (context.nowMs - Date.parse(session.createdAt) <= limits.freshSignInMs) return
  throw new Failure('wrong-credentials', 'Send the password: you signed in a while ago.', { at: '/password' })
}

async function checkPassword(needs: IdentityNeeds, context: Context, given: string, code: string | undefined) {
  const user = await readSelf(context)
  await needs.chargeLogin(context.address, keyOf(user.email))
  if (!(await verifyPassword(given, user.passwordHash)))
    throw new Failure('wrong-credentials', 'The password is wrong.', { at: '/password' })
  await checkCode(context.database, context.scope, needs.vault, user.id, code, context.nowMs)
}
