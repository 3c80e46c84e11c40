// What the operator does with accounts: lists them, signs them out, makes links of recovery, turns a lost second factor off, sets their tier.
import { newId } from '../../values/id.ts'
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import { statement, type Row } from '../../resources/statement.ts'
import { keyOf } from './credentials.ts'
import { dropSecondFactor } from './second-factor-store.ts'
import { linkTo } from './mailed-links.ts'
import { handleEmailRequest, insertEmailRequest, insertLink, revokeOtherSessions } from './store.ts'
import { hashToken, newToken } from './tokens.ts'

const accountColumns = {
  id: 'uuid',
  email: 'text',
  displayName: 'text',
  tier: 'text',
  secondFactor: 'bool',
  sessions: 'int4',
  createdAt: 'timestamptz',
} as const
export type UserAccount = Row<typeof accountColumns>

const listUsers = statement(
  'users.list',
  { after: 'uuid?', rows: 'int4' },
  accountColumns,
  `select u.id, u.email, u.display_name as "displayName", u.tier,
    exists (select from second_factors f where f.user_id = u.id and f.enabled_at is not null) as "secondFactor",
    (select count(*)::int from sessions s where s.user_id = u.id and s.revoked_at is null and s.refresh_expires_at > now()) as sessions,
    u.created_at as "createdAt"
  from users u where :after is null or u.id > :after order by u.id limit :rows`,
)

const findUser = statement(
  'users.find',
  { emailKey: 'text' },
  { id: 'uuid' },
  'select id from users where email_key = :emailKey for update',
)

const setTier = statement(
  'users.setTier',
  { id: 'uuid', tier: 'text' },
  { tier: 'text' },
  'update users set tier = :tier, updated_at = now() where id = :id and tier <> :tier returning tier',
)

/** All users, those who signed up first before the others, a thousand a statement. */
export async function* everyUser(database: Database): AsyncGenerator<UserAccount> {
  for (let after: string | null = null; ;) {
    const position: string | null = after
    const users: UserAccount[] = await database.write({}, (tx) => tx.run(listUsers, { after: position, rows: limits.statementRowsMax }))
    yield* users
    if (users.length < limits.statementRowsMax) return
    after = users.at(-1)!.id
  }
}

/** Turns the second factor of whoever lost it off; whether one was on. */
export async function disableSecondFactor(database: Database, email: string): Promise<boolean> {
  return await forUser(database, email, async (tx, user) => (await tx.run(dropSecondFactor, { user }))[0]?.enabled ?? false)
}

/** Ends all sessions and answers how many; their access ends within the second. */
export async function signOut(database: Database, email: string): Promise<number> {
  return await forUser(
    database,
    email,
    async (tx, user) => (await tx.run(revokeOtherSessions, { user, kept: null, reason: 'signed out by the operator' })).length,
  )
}

/** A link by which somebody without mail chooses a new password: as mailed, it works once and for a few minutes. */
export async function recoveryLink(database: Database, email: string, appUrl: string | undefined): Promise<string> {
  return await forUser(database, email, async (tx, user) => {
    const id = newId()
    const token = newToken()
    await tx.run(insertEmailRequest, { id, purpose: 'recover', email, emailKey: keyOf(email), draft: null })
    await tx.run(handleEmailRequest, { id })
    await tx.run(insertLink, { hash: hashToken(token), request: id, purpose: 'recover', user, minutes: limits.recoveryLinkMinutes })
    return linkTo(appUrl, 'recover', token)
  })
}

/** Sets the tier, which decides the limit of requests; whether it was another. */
export async function changeTier(database: Database, email: string, tier: 'standard' | 'premium'): Promise<boolean> {
  return await forUser(database, email, async (tx, id) => (await tx.run(setTier, { id, tier })).length > 0)
}

type Work<T> = (tx: Parameters<Parameters<Database['write']>[1]>[0], userId: string) => Promise<T>

async function forUser<T>(database: Database, email: string, work: Work<T>): Promise<T> {
  return await database.write({}, async (tx) => {
    const [user] = await tx.run(findUser, { emailKey: keyOf(email) })
    if (!user) throw new Error(`There is no user with the address ${email}.`)
    return await work(tx, user.id)
  })
}
