// SQL of feeds and their secrets.
import { listStatements, rowStatements } from '../../resources/rows.ts'
import { statement } from '../../resources/statement.ts'

const columns = {
  id: 'uuid',
  accountId: 'uuid',
  name: 'text',
  paused: 'bool',
  keyId: 'text',
  oldKeys: 'jsonb',
  lastPushAt: 'timestamptz?',
  counts: 'jsonb',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
  revision: 'int8',
} as const
const usage = (what: string) => `(select ${what} from feed_usage u where u.household_id = t.household_id and u.feed_id = t.id)`
const select = `t.id, t.account_id as "accountId", t.name, t.paused, t.key_id as "keyId",
  (select coalesce(jsonb_agg(jsonb_build_object('keyId', k.key_id,
      'expiresAt', to_char(k.expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) order by k.expires_at), '[]')
    from feed_keys k where k.household_id = t.household_id and k.feed_id = t.id and k.expires_at > now()) as "oldKeys",
  ${usage('u.last_push_at')} as "lastPushAt",
  coalesce(${usage(`jsonb_build_object('pushes', u.pushes, 'created', u.created, 'updated', u.updated, 'removed', u.removed)`)},
    '{"pushes":0,"created":0,"updated":0,"removed":0}') as counts,
  t.created_at as "createdAt", t.updated_at as "updatedAt", t.revision`
const key = { household: 'uuid', id: 'uuid' } as const

export const feedRows = rowStatements({
  noun: 'feeds',
  table: 'feeds',
  columns,
  select,
  insert: ['household_id', 'id', 'account_id', 'name', 'key_id'],
  patch: ['name', 'paused'],
})

export const listFeeds = listStatements({ noun: 'feeds', table: 'feeds', alias: 't', columns, select, order: 'asc' })

export const insertKey = statement(
  'feeds.insertKey',
  { ...key, keyId: 'text', secret: 'bytea' },
  {},
  'insert into feed_keys (household_id, feed_id, key_id, secret) values (:household, :id, :keyId, :secret)',
)

/** Lets the secret in use end after so many hours, and drops those that have ended. */
export const endKeysLater = statement(
  'feeds.endKeysLater',
  { ...key, hours: 'int4' },
  {},
  `with ended as (
    delete from feed_keys where household_id = :household and feed_id = :id and expires_at <= now()
  )
  update feed_keys set expires_at = now() + make_interval(hours => :hours)
  where household_id = :household and feed_id = :id and expires_at is null`,
)

export const endKeys = statement('feeds.endKeys', key, {}, 'delete from feed_keys where household_id = :household and feed_id = :id')

export const nameKey = statement(
  'feeds.nameKey',
  { ...key, keyId: 'text', ifRevision: 'int8?' },
  { revision: 'int8' },
  `update feeds t set key_id = :keyId
  where t.household_id = :household and t.id = :id and t.deleted_at is null and (:ifRevision is null or t.revision <= :ifRevision)
  returning t.revision`,
)

/** Asked before a household is known: whose secret it is, and the secret sealed. */
export const sealedSecret = statement(
  'feeds.sealedSecret',
  { feed: 'uuid', keyId: 'text' },
  { household: 'uuid', secret: 'bytea' },
  'select c.household_id as household, c.secret from feed_credential(:feed, :keyId) c',
)

export const sweepSignatures = statement(
  'feeds.sweepSignatures',
  { seconds: 'int4' },
  {},
  'delete from feed_signatures where signed_at < now() - make_interval(secs => :seconds)',
)
