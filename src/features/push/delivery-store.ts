// SQL of sending: run by the worker as the keeper of the books, over all households.
import { statement } from '../../resources/statement.ts'

/** What the `push` job decides from; no row when there is nobody to tell any more, or it has been read. */
export const readPush = statement(
  'pushes.read',
  { household: 'uuid', notification: 'uuid' },
  { quietFrom: 'text?', quietTo: 'text?', timeZone: 'text' },
  `select to_char(s.quiet_from, 'HH24:MI') as "quietFrom", to_char(s.quiet_to, 'HH24:MI') as "quietTo", coalesce(s.time_zone, h.time_zone) as "timeZone"
  from notifications n
  join households h on h.household_id = n.household_id and h.deleted_at is null
  join memberships m on m.household_id = n.household_id and m.user_id = n.user_id
  left join notification_settings s on s.user_id = n.user_id
  where n.household_id = :household and n.id = :notification and n.read_at is null`,
)

/** A second from now at least: where the clock of the database is ahead, the job must not run and run. */
export const requeuePush = statement(
  'pushes.requeue',
  { household: 'uuid', notification: 'uuid', due: 'timestamptz' },
  {},
  `select from enqueue('push', jsonb_build_object('household', :household, 'notification', :notification), 'push:' || :notification,
    greatest(:due, now() + interval '1 second'))`,
)

/** A job for each device of the person that did not have it yet. */
export const fanOut = statement(
  'pushes.fanOut',
  { household: 'uuid', notification: 'uuid', untilMs: 'int8' },
  { device: 'uuid' },
  `select d.id as device
  from notifications n join devices d on d.user_id = n.user_id and d.push_token is not null,
    lateral enqueue('deliver', jsonb_build_object('household', n.household_id, 'notification', n.id, 'device', d.id, 'untilMs', :untilMs),
      'deliver:' || n.id || ':' || d.id)
  where n.household_id = :household and n.id = :notification and not exists (
    select from deliveries x where x.household_id = n.household_id and x.notification_id = n.id and x.device_id = d.id
      and (x.sent_at is not null or x.failure is not null))`,
)

const delivery = { household: 'uuid', notification: 'uuid', device: 'uuid' } as const
const isDelivery = 'household_id = :household and notification_id = :notification and device_id = :device'

/** What to send where; no row when the device was signed out, lost its token, or needs it no more. */
export const readDelivery = statement(
  'deliveries.read',
  delivery,
  { event: 'text', data: 'jsonb', actorName: 'text?', userId: 'uuid', token: 'text', done: 'bool', leasedMs: 'int8?' },
  `select n.event, n.data, nullif(a.display_name, '') as "actorName", n.user_id as "userId", d.push_token as token,
    coalesce(x.sent_at is not null or x.failure is not null, false) as done, ceil(extract(epoch from x.leased_until - now()) * 1000)::bigint as "leasedMs"
  from notifications n
  join memberships m on m.household_id = n.household_id and m.user_id = n.user_id
  join devices d on d.user_id = n.user_id and d.id = :device and d.push_token is not null
  join sessions s on s.id = d.session_id and s.revoked_at is null and s.refresh_expires_at > now()
  left join deliveries x on x.household_id = n.household_id and x.notification_id = n.id and x.device_id = d.id
  left join users a on a.id = (n.data ->> 'actorId')::uuid
  where n.household_id = :household and n.id = :notification and n.read_at is null`,
)

/** Takes the delivery for oneself; no row when somebody else holds it or it is done. */
export const leaseDelivery = statement(
  'deliveries.lease',
  { ...delivery, seconds: 'int4' },
  { tries: 'int4' },
  `insert into deliveries as x (household_id, notification_id, device_id, tries, leased_until)
  values (:household, :notification, :device, 1, now() + make_interval(secs => :seconds))
  on conflict (household_id, notification_id, device_id) do update set tries = x.tries + 1, leased_until = excluded.leased_until
    where x.sent_at is null and x.failure is null and (x.leased_until is null or x.leased_until <= now())
  returning x.tries`,
)

export const markSent = statement(
  'deliveries.sent',
  delivery,
  {},
  `update deliveries set sent_at = now(), leased_until = null where ${isDelivery}`,
)

export const markFailed = statement(
  'deliveries.failed',
  { ...delivery, failure: 'text' },
  {},
  `update deliveries set failure = :failure, leased_until = null where ${isDelivery}`,
)

export const releaseDelivery = statement(
  'deliveries.release',
  delivery,
  {},
  `update deliveries set leased_until = null where ${isDelivery}`,
)

export const requeueDelivery = statement(
  'deliveries.requeue',
  { ...delivery, untilMs: 'int8', waitMs: 'int8' },
  {},
  `select from enqueue('deliver', jsonb_build_object('household', :household, 'notification', :notification, 'device', :device,
    'untilMs', :untilMs), 'deliver:' || :notification || ':' || :device, now() + :waitMs * interval '1 millisecond')`,
)

/** Only while it is the token that was tried: the app may have brought another one meanwhile. */
export const clearToken = statement(
  'devices.clearToken',
  { user: 'uuid', device: 'uuid', token: 'text' },
  { id: 'uuid' },
  `update devices set push_token = null, updated_at = now() where user_id = :user and id = :device and push_token = :token returning id`,
)

/** Devices that hear of a change without a sign: phones. */
export const listPoked = statement(
  'pokes.devices',
  { household: 'uuid', writer: 'uuid?', rows: 'int4' },
  { userId: 'uuid', device: 'uuid', token: 'text' },
  `select d.user_id as "userId", d.id as device, d.push_token as token
  from memberships m
  join devices d on d.user_id = m.user_id and d.push_token is not null and d.platform <> 'web' and d.session_id is distinct from :writer
  join sessions s on s.id = d.session_id and s.revoked_at is null and s.refresh_expires_at > now()
  where m.household_id = :household order by d.last_seen_at desc, d.id limit :rows`,
)

export const requeuePoke = statement(
  'pokes.requeue',
  { household: 'uuid', revision: 'int8', writer: 'uuid?', untilMs: 'int8', waitMs: 'int8' },
  {},
  `select from enqueue('poke', jsonb_build_object('household', :household, 'revision', :revision, 'writer', :writer, 'untilMs', :untilMs),
    'poke:' || :household || ':' || coalesce(:writer::text, 'all'), now() + :waitMs * interval '1 millisecond')`,
)

/** Run by the processes that write, as the app. */
export const queuePokes = statement(
  'pokes.queue',
  { households: 'uuid[]', revisions: 'int8[]', writers: 'text[]', until: 'timestamptz' },
  {},
  `select from queue_pokes(:households, :revisions, :writers::uuid[], :until)`,
)

/** Old notifications, some at a time. */
export const forgetNotifications = statement(
  'notifications.forget',
  { days: 'int4', rows: 'int4' },
  { id: 'uuid' },
  `delete from notifications n using (
    select household_id, id from notifications where created_at < now() - make_interval(days => :days) order by created_at limit :rows) o
  where n.household_id = o.household_id and n.id = o.id returning n.id`,
)
