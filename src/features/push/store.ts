// SQL of devices, the inbox and its settings, as their user sees them.
import { composedStatement, statement, type Shape } from '../../resources/statement.ts'

const deviceColumns = {
  id: 'uuid',
  platform: 'text',
  name: 'text?',
  pushToken: 'text?',
  sessionId: 'uuid',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
  lastSeenAt: 'timestamptz',
} as const
const deviceSelect = `d.id, d.platform, d.name, d.push_token as "pushToken", d.session_id as "sessionId", d.created_at as "createdAt",
  d.updated_at as "updatedAt", d.last_seen_at as "lastSeenAt"`

export const listDevices = statement(
  'devices.list',
  { user: 'uuid' },
  deviceColumns,
  `select ${deviceSelect} from devices d where d.user_id = :user order by d.last_seen_at desc, d.id desc limit 100`,
)

export const readDevice = statement(
  'devices.read',
  { user: 'uuid', id: 'uuid' },
  deviceColumns,
  `select ${deviceSelect} from devices d where d.user_id = :user and d.id = :id`,
)

export const deviceOfToken = statement(
  'devices.ofToken',
  { user: 'uuid', token: 'text' },
  { id: 'uuid' },
  'select id from devices where user_id = :user and push_token = :token',
)

/** Before a device gets a token: every other one that had it is the same installation as it was. */
export const freeToken = statement(
  'devices.freeToken',
  { token: 'text', device: 'uuid' },
  {},
  'select from free_push_token(:token, :device)',
)

/** Registers an installation for the session that it signed in with, or says anew what it is. */
export const putDevice = statement(
  'devices.put',
  { user: 'uuid', id: 'uuid', session: 'uuid', platform: 'text', token: 'text?', keepToken: 'bool', name: 'text?', keepName: 'bool' },
  { ...deviceColumns, made: 'bool' },
  `insert into devices as d (user_id, id, session_id, platform, push_token, name) values (:user, :id, :session, :platform, :token, :name)
  on conflict (user_id, id) do update set session_id = excluded.session_id, platform = excluded.platform,
    push_token = case when :keepToken then d.push_token else excluded.push_token end,
    name = case when :keepName then d.name else excluded.name end, updated_at = now(), last_seen_at = now()
  returning ${deviceSelect}, xmax = 0 as made`,
)

/** Keeps a user's devices bounded: those seen longest ago go first. */
export const dropOldestDevices = statement(
  'devices.dropOldest',
  { user: 'uuid', keep: 'int4' },
  { id: 'uuid' },
  `delete from devices where user_id = :user and id in (
    select d.id from devices d where d.user_id = :user order by d.last_seen_at desc, d.id desc offset :keep) returning id`,
)

/** A token that a device tells of is of the session it tells it in. */
export const patchDevice = statement(
  'devices.patch',
  { user: 'uuid', id: 'uuid', session: 'uuid?', platform: 'text?', token: 'text?', keepToken: 'bool', name: 'text?', keepName: 'bool' },
  deviceColumns,
  `update devices d set session_id = coalesce(:session, d.session_id), platform = coalesce(:platform, d.platform),
    push_token = case when :keepToken then d.push_token else :token end, name = case when :keepName then d.name else :name end,
    updated_at = now(), last_seen_at = case when :session is null then d.last_seen_at else now() end
  where d.user_id = :user and d.id = :id returning ${deviceSelect}`,
)

export const removeDevice = statement(
  'devices.remove',
  { user: 'uuid', id: 'uuid' },
  { id: 'uuid' },
  'delete from devices where user_id = :user and id = :id returning id',
)

const notificationColumns = {
  id: 'uuid',
  householdId: 'uuid',
  event: 'text',
  data: 'jsonb',
  createdAt: 'timestamptz',
  readAt: 'timestamptz?',
} as const
const notificationSelect = `n.id, n.household_id as "householdId", n.event, n.data, n.created_at as "createdAt", n.read_at as "readAt"`

/** Newest first: ids rise with time. */
export function listNotifications(unread: boolean | undefined, after: boolean) {
  const kind = unread === undefined ? '' : unread ? '.unread' : '.read'
  const parameters: Record<string, string> = { user: 'uuid', rows: 'int4' }
  if (after) parameters['after'] = 'uuid'
  return composedStatement(
    `notifications.list${kind}${after ? '.after' : ''}`,
    parameters as Shape,
    notificationColumns,
    () => `select ${notificationSelect} from notifications n where n.user_id = :user${after ? ' and n.id < :after' : ''}
      ${unread === undefined ? '' : `and n.read_at is ${unread ? '' : 'not '}null`}
    order by n.id desc limit :rows`,
  )
}

export const readNotification = statement(
  'notifications.read',
  { user: 'uuid', id: 'uuid' },
  notificationColumns,
  `select ${notificationSelect} from notifications n where n.user_id = :user and n.id = :id`,
)

export const markNotification = statement(
  'notifications.mark',
  { user: 'uuid', id: 'uuid', read: 'bool?' },
  notificationColumns,
  `update notifications n set read_at = case when :read then coalesce(n.read_at, now()) when :read is null then n.read_at end
  where n.user_id = :user and n.id = :id returning ${notificationSelect}`,
)

export const markAllNotifications = statement(
  'notifications.markAll',
  { user: 'uuid', upTo: 'uuid?' },
  { marked: 'int8' },
  `with marked as (
    update notifications n set read_at = now() where n.user_id = :user and n.read_at is null and (:upTo is null or n.id <= :upTo) returning 1
  )
  select count(*) as marked from marked`,
)

const settingsColumns = {
  transactionReceived: 'bool',
  budgetExceeded: 'bool',
  billReminder: 'bool',
  quietFrom: 'text?',
  quietTo: 'text?',
  timeZone: 'text?',
} as const
const settingsSelect = `s.transaction_received as "transactionReceived", s.budget_exceeded as "budgetExceeded", s.bill_reminder as "billReminder",
  to_char(s.quiet_from, 'HH24:MI') as "quietFrom", to_char(s.quiet_to, 'HH24:MI') as "quietTo", s.time_zone as "timeZone"`

export const readSettings = statement(
  'notificationSettings.read',
  { user: 'uuid' },
  settingsColumns,
  `select ${settingsSelect} from notification_settings s where s.user_id = :user`,
)

export const ensureSettings = statement(
  'notificationSettings.ensure',
  { user: 'uuid' },
  {},
  'insert into notification_settings (user_id) values (:user) on conflict (user_id) do nothing',
)

/** Columns that the patch leaves out keep their values. */
export const patchSettings = statement(
  'notificationSettings.patch',
  { user: 'uuid', changes: 'jsonb' },
  settingsColumns,
  `update notification_settings s set transaction_received = r.transaction_received, budget_exceeded = r.budget_exceeded,
    bill_reminder = r.bill_reminder, quiet_from = r.quiet_from, quiet_to = r.quiet_to, time_zone = r.time_zone, updated_at = now()
  from notification_settings o, lateral jsonb_populate_record(o, :changes) r
  where o.user_id = :user and s.user_id = o.user_id returning ${settingsSelect}`,
)
