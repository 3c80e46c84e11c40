// What is told of an event on a phone, and when a person is left alone. Pure: times and zones arrive as arguments.
import type { PushMessage } from '../../resources/push-gateway.ts'

export type NotificationEvent = 'transactionReceived' | 'budgetExceeded' | 'billReminder'

export type Notification = {
  id: string
  householdId: string
  event: string
  data: Record<string, unknown>
  /** Who did it, when that is a person with a name. */
  actorName: string | null
}

type Words = { title: string; body: string }

/** Says what happened and neither amounts nor payees: the words pass through others' servers and show on locked screens. */
export function wordsOf({ event, data, actorName }: Notification): Words {
  const who = actorName ?? 'A member of your household'
  const count = Number(data['count'] ?? 0)
  if (event === 'budgetExceeded') return { title: 'Budget', body: `A budget has reached ${String(data['level'] ?? 100)} %.` }
  if (event === 'billReminder') return { title: 'Bill', body: 'A bill is due soon.' }
  if (data['feedId'] !== undefined) return { title: 'New in your household', body: `Your bank sent ${counted(count || 1)}.` }
  const what: Record<string, string> = {
    transfer: 'made a transfer',
    import: `imported ${counted(count)}`,
    transactions: `added ${counted(count)}`,
  }
  return { title: 'New in your household', body: `${who} ${what[String(data['kind'])] ?? 'added a transaction'}.` }
}

function counted(count: number): string {
  return count === 1 ? 'a transaction' : `${count} transactions`
}

/** Ids that the app opens the right page with; the rest it has by sync. */
const told = new Set(['kind', 'transactionId', 'transferId', 'importId', 'budgetId', 'billId'])

/**
 * A notification as FCM takes it. A message that comes twice replaces itself (`tag`, `apns-collapse-id`); of those that wait for a phone
 * to come back, Android keeps one an event: FCM allows 4 collapse keys a token, which are the 3 events and `sync`.
 */
export function pushMessage(notification: Notification, token: string, nowMs: number, untilMs: number): PushMessage {
  const { id, householdId, event, data } = notification
  const lifeS = Math.max(0, Math.floor((untilMs - nowMs) / 1000))
  const ids = Object.entries(data).filter(([name]) => told.has(name))
  return {
    token,
    notification: wordsOf(notification),
    data: { event, notificationId: id, householdId, ...Object.fromEntries(ids.map(([name, value]) => [name, String(value)])) },
    android: { priority: 'HIGH', collapse_key: event, ttl: `${lifeS}s`, notification: { tag: id, channel_id: event } },
    apns: {
      headers: {
        'apns-push-type': 'alert',
        'apns-priority': '10',
        'apns-collapse-id': id,
        'apns-expiration': String(Math.floor(untilMs / 1000)),
      },
      payload: { aps: { sound: 'default', 'thread-id': householdId } },
    },
    webpush: { headers: { TTL: String(lifeS), Urgency: 'high', Topic: event }, notification: { tag: id } },
  }
}

/** Wakes the app without a sign, so that it syncs: `revision` is what the household has come to. */
export function pokeMessage(householdId: string, revision: number, token: string, nowMs: number, untilMs: number): PushMessage {
  return {
    token,
    data: { event: 'sync', householdId, revision: String(revision) },
    android: { priority: 'NORMAL', collapse_key: 'sync', ttl: `${Math.max(0, Math.floor((untilMs - nowMs) / 1000))}s` },
    apns: {
      // Apple takes background pushes with priority 5 only.
      headers: {
        'apns-push-type': 'background',
        'apns-priority': '5',
        'apns-collapse-id': householdId,
        'apns-expiration': String(Math.floor(untilMs / 1000)),
      },
      payload: { aps: { 'content-available': 1 } },
    },
  }
}

/** Wall-clock times `HH:MM`; the hours go over midnight when they end before they begin. */
export type QuietHours = { from: string; to: string; timeZone: string }

/**
 * When the quiet hours that hold at an instant end (milliseconds of the epoch), or null when it is not quiet. The beginning counts, the
 * end does not. Where clocks are put back over the end, it is quiet until the later one; where they are put forward over it, until
 * the time that stands for it.
 */
export function quietUntil(nowMs: number, { from, to, timeZone }: QuietHours): number | null {
  const today = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone).toPlainDate()
  const begin = Temporal.PlainTime.from(from)
  const end = Temporal.PlainTime.from(to)
  const overMidnight = Temporal.PlainTime.compare(begin, end) > 0
  for (const day of [today.subtract({ days: 1 }), today]) {
    const last = overMidnight ? day.add({ days: 1 }) : day
    const begins = day.toPlainDateTime(begin).toZonedDateTime(timeZone, { disambiguation: 'compatible' }).epochMilliseconds
    const ends = last.toPlainDateTime(end).toZonedDateTime(timeZone, { disambiguation: 'later' }).epochMilliseconds
    if (begins <= nowMs && nowMs < ends) return ends
  }
  return null
}

/** How long to wait before the next try when FCM does not say: 2, 4, 8 s and so on. `spread` (0 to 1) keeps devices from coming all at once. */
export function backoffS(tries: number, spread: number, maxS: number): number {
  return Math.min(maxS, 2 ** Math.min(tries, 10)) * (0.75 + spread / 4)
}
