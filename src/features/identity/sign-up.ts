// Sign-up: at once without mail configured, else by the link that is mailed.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import type { Registration } from '../../values/flags.ts'
import { newId } from '../../values/id.ts'
import { operation, type Context, type Operation } from '../../http/operation.ts'
import { currency, text } from '../../http/parameters.ts'
import type { IdentityNeeds, InvitationPlace } from './operations.ts'
import { deviceName, email, keyOf, linkExpired, password, refuseWeak, signedIn } from './credentials.ts'
import { hashPassword, verifyPassword } from './hashing.ts'
import { presentUser } from './me.ts'
import { startSession } from './sessions.ts'
import { insertEmailRequest, insertUser, useLink } from './store.ts'
import { hashToken } from './tokens.ts'

export function signUpOperations(needs: IdentityNeeds): Operation[] {
  const shared = { tag: 'Identity', method: 'POST', access: 'anonymous', criticality: 'auth', noStore: true } as const
  const timeZone = z
    .string()
    .max(64)
    .refine(needs.isTimeZone, { error: 'must be an IANA time zone', params: { code: 'unknown-time-zone' } })

  return [
    operation({
      ...shared,
      name: 'auth.register',
      path: '/api/auth/register',
      effect: 'own',
      status: 201,
      alsoStatuses: { 202: 'With mail configured: the mailed link finishes it' },
      summary: 'Sign up',
      description:
        'Without mail configured: 201 with tokens, or 409 for a known address. With mail: 202 for every address; the mailed link leads to `/api/auth/register/confirm`. ' +
        'With the token of an open `invitation` you join its household at once; the operator may let nobody sign up without one, or nobody at all (`registration` of `/api/system/config/mobile`).',
      body: z.strictObject({
        email,
        password,
        displayName: text(100).optional(),
        currency: currency.optional(),
        timeZone: timeZone.optional(),
        deviceName: deviceName.optional(),
        invitation: z.string().min(1).max(200).optional().meta({ description: 'The token of an invitation to a household.' }),
      }),
      answer: z.union([signedIn, z.strictObject({ status: z.literal('check-email') })]),
      refusals: ['email-taken', 'password-too-weak', 'rate-limited', 'registration-closed', 'invitation-required', 'link-expired'],
      run: async (context, { body }) => {
        refuseClosed(needs.registration())
        await refuseWeak(body.password, body)
        await needs.chargeLogin(context.address, keyOf(body.email))
        const invitation = await invitationOf(context, needs, body.email, body.invitation)
        const passwordHash = await hashPassword(body.password)
        const draft = {
          displayName: body.displayName ?? '',
          currency: body.currency ?? 'EUR',
          timeZone: body.timeZone ?? 'UTC',
          passwordHash,
          ...(invitation === null ? {} : { invitation }),
        }
        if (needs.mailConfigured) {
          await context.database.write(context.scope, async (tx) => {
            await tx.run(insertEmailRequest, {
              id: newId(),
              purpose: 'confirm',
              email: body.email.trim(),
              emailKey: keyOf(body.email),
              draft,
            })
          })
          needs.mailedLinks.wake()
          return { status: 202, body: { status: 'check-email' } }
        }
        return await signUp(context, needs, { email: body.email.trim(), ...draft }, body.deviceName ?? null)
      },
    }),
    operation({
      ...shared,
      name: 'auth.confirm',
      path: '/api/auth/register/confirm',
      effect: 'own',
      status: 201,
      summary: 'Finish a sign-up with the mailed token',
      description: 'The password of the sign-up once more: so nobody opens an account for another, whose password they know.',
      body: z.strictObject({ token: z.string().max(200), password, deviceName: deviceName.optional() }),
      answer: signedIn,
      refusals: ['link-expired', 'wrong-credentials', 'email-taken', 'registration-closed', 'invitation-required'],
      run: async (context, { body }) => {
        refuseClosed(needs.registration())
        const { email: address, draft } = await context.database.write(context.scope, async (tx) => {
          const [found] = await tx.run(useLink, { hash: hashToken(body.token), purpose: 'confirm' })
          if (!found) throw linkExpired()
          const signingUp = found.draft as Omit<SignUp, 'email'>
          if (!(await verifyPassword(body.password, signingUp.passwordHash))) {
            throw new Failure('wrong-credentials', 'It is not the password of the sign-up.', { at: '/password' })
          }
          // In here, so that the link is not used up: it works once everybody may sign up again.
          refuseUninvited(needs, signingUp)
          return { email: found.email, draft: signingUp }
        })
        return await signUp(context, needs, { email: address, ...draft }, body.deviceName ?? null)
      },
    }),
  ]
}

type SignUp = {
  email: string
  displayName: string
  currency: string
  timeZone: string
  passwordHash: string
  invitation?: InvitationPlace
}

function refuseClosed(registration: Registration) {
  if (registration === 'closed') throw new Failure('registration-closed', 'Nobody can sign up at the moment.')
}

function invitationRequired() {
  return new Failure('invitation-required', 'Signing up takes an open invitation to a household, for this address or for none.', {
    at: '/invitation',
  })
}

function refuseUninvited(needs: IdentityNeeds, { invitation }: Pick<SignUp, 'invitation'>) {
  if (needs.registration() === 'invite' && invitation === undefined) throw invitationRequired()
}

/** Where the invitation that came along is looked up; refuses one that is not open, and a sign-up without where it takes one. */
async function invitationOf(context: Context, needs: IdentityNeeds, address: string, token: string | undefined) {
  const required = needs.registration() === 'invite'
  const place = token === undefined ? null : needs.invitations.placeOf(token)
  if (place && (await needs.invitations.isOpen(context.db, place, keyOf(address)))) return place
  if (required) throw invitationRequired()
  if (token === undefined) return null
  throw new Failure('link-expired', 'The invitation was used, revoked, is too old, or is for somebody else; ask for a new one.', {
    at: '/invitation',
  })
}

async function signUp(context: Context, needs: IdentityNeeds, person: SignUp, device: string | null) {
  const userId = newId()
  const householdId = newId()
  refuseUninvited(needs, person)
  const body = await context.database.write({ ...context.scope, user: userId, household: householdId }, async (tx) => {
    const name = person.displayName === '' ? 'My household' : `${person.displayName}'s household`.slice(0, 100)
    const [[user], session, household] = await Promise.all([
      tx.run(insertUser, {
        id: userId,
        email: person.email,
        emailKey: keyOf(person.email),
        passwordHash: person.passwordHash,
        displayName: person.displayName,
      }),
      startSession(tx, userId, device),
      needs.foundHome(tx, { householdId, userId, name, currency: person.currency, timeZone: person.timeZone }),
    ])
    // Somebody else may have joined by it meanwhile: then the sign-up stands where it needs none.
    const joined = person.invitation !== undefined && (await needs.invitations.join(tx, person.invitation, userId))
    if (!joined && needs.registration() === 'invite') throw invitationRequired()
    return {
      accessToken: session.accessToken,
      refreshToken: session.refreshToken,
      expiresIn: session.expiresIn,
      user: presentUser(user!),
      household,
    }
  })
  return { status: 201, body }
}
