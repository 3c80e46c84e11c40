// Notifications: the inbox of what others did, and what a person wants to be told of.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { limits } from '../../values/limits.ts'
import { operation, type Operation } from '../../http/operation.ts'
import { page } from '../../http/page.ts'
import { booleanParameter, id, idParams, instant, listOf, pageQuery } from '../../http/parameters.ts'
import { columnsOf } from '../../resources/rows.ts'
import { deviceOperations } from './devices.ts'
import {
  ensureSettings,
  listNotifications,
  markAllNotifications,
  markNotification,
  patchSettings,
  readNotification,
  readSettings,
} from './store.ts'

const notificationShape = z.strictObject({
  id,
  householdId: id,
  event: z.enum(['transactionReceived', 'budgetExceeded', 'billReminder']),
  data: z.record(z.string(), z.unknown()).meta({
    description:
      'transactionReceived: `kind` is transaction, transfer, import or transactions (many at once), with the ids of what it names, the `actorId` or, of what a bank pushed, the `feedId`, and a `count` of the last two.',
  }),
  createdAt: instant,
  readAt: instant.nullable(),
})

const time = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'must be a time such as 22:30' })
  .nullable()
const settings = {
  transactionReceived: z.boolean(),
  budgetExceeded: z.boolean(),
  billReminder: z.boolean(),
  quietFrom: time.meta({ description: 'From then on nothing is pushed, until `quietTo`; what comes meanwhile is pushed at its end.' }),
  quietTo: time,
}
const settingsShape = z.strictObject({
  ...settings,
  timeZone: z.string().nullable().meta({ description: "Of the quiet hours; null is the household's." }),
})
const standard: z.infer<typeof settingsShape> = {
  transactionReceived: true,
  budgetExceeded: true,
  billReminder: true,
  quietFrom: null,
  quietTo: null,
  timeZone: null,
}

export type NotificationNeeds = { isTimeZone: (zone: string) => boolean }

export function pushOperations(needs: NotificationNeeds): Operation[] {
  const shared = { tag: 'Notifications', access: 'user' } as const
  const timeZone = z
    .string()
    .max(64)
    .refine(needs.isTimeZone, { error: 'must be an IANA time zone such as Europe/Madrid', params: { code: 'unknown-time-zone' } })
    .nullable()
  return [
    ...deviceOperations(),
    operation({
      ...shared,
      name: 'notifications.list',
      method: 'GET',
      path: '/api/notifications',
      criticality: 'list',
      effect: 'read',
      summary: 'Your inbox over all your households, newest first',
      description: `Kept ${limits.notificationDays} days.`,
      query: z.strictObject({ ...pageQuery, unread: booleanParameter.optional() }),
      answer: listOf(notificationShape),
      row: notificationShape,
      run: async (context, { query }) => {
        const { userId: user } = context.principal!
        const binding = `notifications ${user} ${String(query.unread)}`
        const limit = query.limit ?? context.pageRows
        const [after] = query.cursor === undefined ? [] : context.cursors.decode(binding, query.cursor)
        const rows = await context.db.run(listNotifications(query.unread, after !== undefined), {
          user,
          rows: limit + 1,
          ...(after === undefined ? {} : { after }),
        })
        return { body: page(context.cursors, binding, rows, limit, (row) => [row.id]) }
      },
    }),
    operation({
      ...shared,
      name: 'notifications.settings',
      method: 'GET',
      path: '/api/notifications/settings',
      criticality: 'list',
      effect: 'read',
      summary: 'What you are told of, and your quiet hours',
      answer: settingsShape,
      row: settingsShape,
      run: async (context) => {
        const [row] = await context.db.run(readSettings, { user: context.principal!.userId })
        return { body: row ?? standard }
      },
    }),
    operation({
      ...shared,
      name: 'notifications.patchSettings',
      method: 'PATCH',
      path: '/api/notifications/settings',
      criticality: 'write',
      effect: 'write',
      summary: 'Choose what you are told of, and your quiet hours',
      description: 'What you do not want to hear of does not come into the inbox either. Quiet hours may go over midnight; null ends them.',
      body: z.strictObject({ ...settings, timeZone }).partial(),
      answer: settingsShape,
      run: async (context, { body }) => {
        const { userId: user } = context.principal!
        const [, [row]] = await Promise.all([
          context.db.run(ensureSettings, { user }),
          context.db.run(patchSettings, { user, changes: columnsOf(body) }),
        ])
        return { body: row }
      },
    }),
    operation({
      ...shared,
      name: 'notifications.readAll',
      method: 'POST',
      path: '/api/notifications/read',
      criticality: 'write',
      effect: 'write',
      summary: 'Mark everything as read',
      description: 'With `upTo`, the id of the newest one that was shown, what came in since stays unread.',
      body: z.strictObject({ upTo: id.optional() }),
      answer: z.strictObject({ marked: z.int() }),
      run: async (context, { body }) => {
        const [row] = await context.db.run(markAllNotifications, { user: context.principal!.userId, upTo: body.upTo ?? null })
        return { status: 200, body: row }
      },
    }),
    operation({
      ...shared,
      name: 'notifications.read',
      method: 'GET',
      path: '/api/notifications/{id}',
      criticality: 'list',
      effect: 'read',
      summary: 'One notification',
      params: idParams,
      answer: notificationShape,
      row: notificationShape,
      run: async (context, { params }) => {
        const [row] = await context.db.run(readNotification, { user: context.principal!.userId, id: params.id })
        if (!row) throw noNotification()
        return { body: row }
      },
    }),
    operation({
      ...shared,
      name: 'notifications.patch',
      method: 'PATCH',
      path: '/api/notifications/{id}',
      criticality: 'write',
      effect: 'write',
      summary: 'Mark one as read, or as unread',
      description: 'One that is read before it was pushed is pushed no more.',
      params: idParams,
      body: z.strictObject({ read: z.boolean().optional() }),
      answer: notificationShape,
      run: async (context, { params, body }) => {
        const [row] = await context.db.run(markNotification, { user: context.principal!.userId, id: params.id, read: body.read ?? null })
        if (!row) throw noNotification()
        return { body: row }
      },
    }),
  ]
}

function noNotification() {
  return new Failure('not-found', 'You have no such notification.')
}
