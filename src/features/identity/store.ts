// SQL of users, sessions, refresh tokens and mailed links.
import { statement } from '../../resources/statement.ts'

export const userColumns = {
  id: 'uuid',
  email: 'text',
  displayName: 'text',
  locale: 'text?',
  tier: 'text',
  preferences: 'jsonb',
  createdAt: 'timestamptz',
} as const
const userSelect = `u.id, u.email, u.display_name as "displayName", u.locale, u.tier, u.preferences, u.created_at as "createdAt"`

export const insertUser = statement(
  'users.insert',
  { id: 'uuid', email: 'text', emailKey: 'text', passwordHash: 'text', displayName: 'text' },
  userColumns,
  `insert into users as u (id, email, email_key, password_hash, display_name)
  values (:id, :email, :emailKey, :passwordHash, :displayName) returning ${userSelect}`,
)

export const userByEmail = statement(
  'users.byEmail',
  { emailKey: 'text' },
  { ...userColumns, passwordHash: 'text', secondFactor: 'bool' },
  `select ${userSelect}, u.password_hash as "passwordHash",
    exists (select from second_factors f where f.user_id = u.id and f.enabled_at is not null) as "secondFactor"
  from users u where u.email_key = :emailKey`,
)

/** How a sign-in finds the password when it commits; a change of it or of the second factor at that moment is waited for. */
export const lockPassword = statement(
  'users.lockPassword',
  { id: 'uuid' },
  { passwordHash: 'text' },
  'select password_hash as "passwordHash" from users where id = :id for share',
)

/** Makes sign-ins wait. */
export const lockUser = statement('users.lock', { id: 'uuid' }, { id: 'uuid' }, 'select id from users where id = :id for no key update')

export const userById = statement(
  'users.byId',
  { id: 'uuid' },
  { ...userColumns, passwordHash: 'text' },
  `select ${userSelect}, u.password_hash as "passwordHash" from users u where u.id = :id`,
)

export const patchUser = statement(
  'users.patch',
  { id: 'uuid', displayName: 'text?', locale: 'text?', preferences: 'jsonb?' },
  userColumns,
  `update users u set display_name = coalesce(:displayName, u.display_name), locale = coalesce(:locale, u.locale),
    preferences = coalesce(:preferences, u.preferences), updated_at = now()
  where u.id = :id returning ${userSelect}`,
)

export const setPassword = statement(
  'users.setPassword',
  { id: 'uuid', passwordHash: 'text' },
  { id: 'uuid' },
  'update users set password_hash = :passwordHash, updated_at = now() where id = :id returning id',
)

export const insertSession = statement(
  'sessions.insert',
  { id: 'uuid', user: 'uuid', deviceName: 'text?', accessHash: 'bytea', accessSeconds: 'int4', refreshDays: 'int4' },
  { id: 'uuid' },
  `insert into sessions (id, user_id, device_name, access_hash, access_expires_at, refresh_expires_at)
  values (:id, :user, :deviceName, :accessHash, now() + make_interval(secs => :accessSeconds), now() + make_interval(days => :refreshDays))
  returning id`,
)

/** Keeps a user's sessions bounded: those unused for longest end first. */
export const endOldestSessions = statement(
  'sessions.endOldest',
  { user: 'uuid', keep: 'int4' },
  { id: 'uuid' },
  `update sessions set revoked_at = now(), revoked_reason = 'too many sessions'
  where id in (select s.id from sessions s where s.user_id = :user and s.revoked_at is null order by s.last_used_at desc, s.id desc offset :keep)
  returning id`,
)

export const sessionByAccess = statement(
  'sessions.byAccess',
  { accessHash: 'bytea' },
  { id: 'uuid', userId: 'uuid', tier: 'text', expiresAtMs: 'int8' },
  `select s.id, s.user_id as "userId", u.tier, (extract(epoch from s.access_expires_at) * 1000)::bigint as "expiresAtMs"
  from sessions s join users u on u.id = s.user_id
  where s.access_hash = :accessHash and s.revoked_at is null and s.access_expires_at > now()`,
)

export const membershipsOf = statement(
  'sessions.memberships',
  { user: 'uuid' },
  { householdId: 'uuid', role: 'text', timeZone: 'text', baseCurrency: 'text' },
  `select m.household_id as "householdId", m.role, h.time_zone as "timeZone", h.base_currency as "baseCurrency" from memberships m join households h on h.household_id = m.household_id
  where m.user_id = :user and h.deleted_at is null order by (m.role = 'owner') desc, m.created_at, m.household_id limit 100`,
)

export const listSessions = statement(
  'sessions.list',
  { user: 'uuid' },
  { id: 'uuid', deviceName: 'text?', createdAt: 'timestamptz', lastUsedAt: 'timestamptz' },
  `select id, device_name as "deviceName", created_at as "createdAt", last_used_at as "lastUsedAt" from sessions
  where user_id = :user and revoked_at is null and refresh_expires_at > now() order by last_used_at desc, id desc limit 100`,
)

export const revokeSession = statement(
  'sessions.revoke',
  { user: 'uuid', id: 'uuid', reason: 'text' },
  { id: 'uuid' },
  `update sessions set revoked_at = now(), revoked_reason = :reason where user_id = :user and id = :id and revoked_at is null returning id`,
)

export const revokeOtherSessions = statement(
  'sessions.revokeOthers',
  { user: 'uuid', kept: 'uuid?', reason: 'text' },
  { id: 'uuid' },
  `update sessions set revoked_at = now(), revoked_reason = :reason
  where user_id = :user and id is distinct from :kept and revoked_at is null returning id`,
)

export const insertRefresh = statement(
  'refreshTokens.insert',
  { hash: 'bytea', session: 'uuid' },
  {},
  'insert into refresh_tokens (hash, session_id) values (:hash, :session)',
)

/** Locks the session's family: refreshes that come at once take turns. */
export const lockRefresh = statement(
  'refreshTokens.lock',
  { hash: 'bytea' },
  { sessionId: 'uuid', userId: 'uuid', usedMsAgo: 'int8?', nonce: 'bytea?', live: 'bool' },
  `select s.id as "sessionId", s.user_id as "userId", (extract(epoch from clock_timestamp() - t.used_at) * 1000)::bigint as "usedMsAgo",
    t.successor_nonce as nonce, s.revoked_at is null and s.refresh_expires_at > now() as live
  from refresh_tokens t join sessions s on s.id = t.session_id where t.hash = :hash for update of s`,
)

export const useRefresh = statement(
  'refreshTokens.use',
  { hash: 'bytea', nonce: 'bytea' },
  {},
  'update refresh_tokens set used_at = clock_timestamp(), successor_nonce = :nonce where hash = :hash',
)

/** Whether the token that followed has itself been used: then the old one is no lost answer but a copy. */
export const refreshState = statement(
  'refreshTokens.state',
  { hash: 'bytea' },
  { used: 'bool' },
  'select used_at is not null as used from refresh_tokens where hash = :hash',
)

export const renewSession = statement(
  'sessions.renew',
  { id: 'uuid', accessHash: 'bytea', accessSeconds: 'int4', refreshDays: 'int4' },
  {},
  `update sessions set access_hash = :accessHash, access_expires_at = now() + make_interval(secs => :accessSeconds),
    refresh_expires_at = now() + make_interval(days => :refreshDays), last_used_at = now() where id = :id`,
)

export const insertEmailRequest = statement(
  'emailRequests.insert',
  { id: 'uuid', purpose: 'text', email: 'text', emailKey: 'text', draft: 'jsonb?' },
  {},
  'insert into email_requests (id, purpose, email, email_key, draft) values (:id, :purpose, :email, :emailKey, :draft)',
)

/** The oldest that waits, but for those that failed already. The lock leaves room for a link that refers to it. */
export const takeEmailRequest = statement(
  'emailRequests.take',
  { without: 'uuid[]' },
  { id: 'uuid', purpose: 'text', email: 'text', userId: 'uuid?' },
  `select r.id, r.purpose, r.email, (select u.id from users u where u.email_key = r.email_key) as "userId" from email_requests r
  where r.handled_at is null and r.created_at > now() - interval '1 day' and r.id <> all (:without)
  order by r.created_at limit 1 for no key update of r skip locked`,
)

export const handleEmailRequest = statement(
  'emailRequests.handle',
  { id: 'uuid' },
  {},
  'update email_requests set handled_at = now() where id = :id',
)

export const insertLink = statement(
  'emailLinks.insert',
  { hash: 'bytea', request: 'uuid', purpose: 'text', user: 'uuid?', minutes: 'int4' },
  {},
  `insert into email_links (hash, request_id, purpose, user_id, expires_at)
  values (:hash, :request, :purpose, :user, now() + make_interval(mins => :minutes))`,
)

/** A new password ends every link that could set another. */
export const endLinks = statement(
  'emailLinks.end',
  { user: 'uuid' },
  {},
  'update email_links set used_at = now() where user_id = :user and used_at is null',
)

export const useLink = statement(
  'emailLinks.use',
  { hash: 'bytea', purpose: 'text' },
  { userId: 'uuid?', email: 'text', emailKey: 'text', draft: 'jsonb?' },
  `update email_links l set used_at = now() from email_requests r
  where l.hash = :hash and l.purpose = :purpose and l.used_at is null and l.expires_at > now() and r.id = l.request_id
  returning l.user_id as "userId", r.email, r.email_key as "emailKey", r.draft`,
)

/** Kept for a while after their end, for whoever asks where they were signed in. */
export const sweepSessions = statement(
  'sessions.sweep',
  { days: 'int4' },
  {},
  'delete from sessions where least(revoked_at, refresh_expires_at) < now() - make_interval(days => :days)',
)

export const sweepEmailRequests = statement(
  'emailRequests.sweep',
  { days: 'int4' },
  {},
  'delete from email_requests where handled_at is not null and created_at < now() - make_interval(days => :days)',
)

/** Households of others in which the user is the only owner. */
export const householdsWithoutOtherOwner = statement(
  'erasure.orphans',
  { user: 'uuid', rows: 'int4' },
  { id: 'uuid', name: 'text' },
  'select id, name from orphaned_households(:user) order by id limit :rows',
)

/** Erases the transaction's user. */
export const eraseUser = statement('erasure.user', {}, { household: 'uuid' }, 'select household from erase_user()')
