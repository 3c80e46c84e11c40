// Devices: the installations of the app that a user is reached on.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { newId } from '../../values/id.ts'
import { limits } from '../../values/limits.ts'
import { operation, type Context, type Operation } from '../../http/operation.ts'
import { id, idParams, instant, text } from '../../http/parameters.ts'
import { deviceOfToken, dropOldestDevices, freeToken, listDevices, patchDevice, putDevice, readDevice, removeDevice } from './store.ts'

const platform = z.enum(['android', 'ios', 'web'])

const deviceShape = z.strictObject({
  id,
  platform,
  name: z.string().nullable(),
  pushToken: z.string().nullable().meta({ description: 'Null when there is none, or FCM called it dead: send the current one.' }),
  current: z.boolean().meta({ description: 'Whether it is the one that asks.' }),
  createdAt: instant,
  updatedAt: instant,
  lastSeenAt: instant,
})

const pushToken = z
  .string()
  .max(1_024)
  .regex(/^[\x21-\x7e]+$/, { error: 'must be the registration token of FCM' })
  .nullable()
  .meta({ description: "FCM's registration token of this installation." })
const name = text(100, 1).nullable()

type Device = { sessionId: string } & Omit<z.infer<typeof deviceShape>, 'current' | 'platform'> & { platform: string }

function present(context: Context, { sessionId, id: deviceId, platform: kind, name: given, pushToken: token, ...times }: Device) {
  return {
    id: deviceId,
    platform: kind,
    name: given,
    pushToken: token,
    current: sessionId === context.principal!.sessionId,
    createdAt: times.createdAt,
    updatedAt: times.updatedAt,
    lastSeenAt: times.lastSeenAt,
  }
}

function noDevice() {
  return new Failure('not-found', 'You have no such device.')
}

export function deviceOperations(): Operation[] {
  const shared = { tag: 'Devices', access: 'user' } as const
  return [
    operation({
      ...shared,
      name: 'devices.list',
      method: 'GET',
      path: '/api/devices',
      criticality: 'list',
      effect: 'read',
      summary: 'Your devices, the one seen last first',
      answer: z.strictObject({ data: z.array(deviceShape), nextCursor: z.null() }),
      row: deviceShape,
      run: async (context) => {
        const rows = await context.db.run(listDevices, { user: context.principal!.userId })
        return { body: { data: rows.map((row) => present(context, row)), nextCursor: null } }
      },
    }),
    operation({
      ...shared,
      name: 'devices.create',
      method: 'POST',
      path: '/api/devices',
      criticality: 'auth',
      effect: 'write',
      status: 201,
      summary: 'Register this device, at each start of the app',
      description:
        'A device with the id, else with the token, is changed and answered with 200; what is left out stays. A token leaves whichever device, of whichever user, had it. ' +
        `The device is of the session that registers it and goes with it. At most ${limits.devicesPerUserMax} a user: those seen longest ago go.`,
      body: z.strictObject({ id: id.optional(), platform, pushToken: pushToken.optional(), name: name.optional() }),
      answer: deviceShape,
      run: async (context, { body }) => {
        const { userId: user, sessionId: session } = context.principal!
        const token = body.pushToken ?? null
        const known = body.id === undefined && token !== null ? await context.db.run(deviceOfToken, { user, token }) : []
        const device = body.id ?? known[0]?.id ?? newId()
        const [, [row]] = await Promise.all([
          token === null ? null : context.db.run(freeToken, { token, device }),
          context.db.run(putDevice, {
            user,
            id: device,
            session,
            platform: body.platform,
            token,
            keepToken: body.pushToken === undefined,
            name: body.name ?? null,
            keepName: body.name === undefined,
          }),
          context.db.run(dropOldestDevices, { user, keep: limits.devicesPerUserMax }),
        ])
        return { status: row!.made ? 201 : 200, body: present(context, row!), headers: { location: `/api/devices/${device}` } }
      },
    }),
    operation({
      ...shared,
      name: 'devices.read',
      method: 'GET',
      path: '/api/devices/{id}',
      criticality: 'list',
      effect: 'read',
      summary: 'One device',
      params: idParams,
      answer: deviceShape,
      row: deviceShape,
      run: async (context, { params }) => {
        const [row] = await context.db.run(readDevice, { user: context.principal!.userId, id: params.id })
        if (!row) throw noDevice()
        return { body: present(context, row) }
      },
    }),
    operation({
      ...shared,
      name: 'devices.patch',
      method: 'PATCH',
      path: '/api/devices/{id}',
      criticality: 'write',
      effect: 'write',
      summary: 'Change a device: a new token, another name',
      description: 'A device that tells of its token is of the session that tells it from then on.',
      params: idParams,
      body: z.strictObject({ platform: platform.optional(), pushToken: pushToken.optional(), name: name.optional() }),
      answer: deviceShape,
      run: async (context, { params, body }) => {
        const { userId: user, sessionId } = context.principal!
        const token = body.pushToken ?? null
        if (token !== null) {
          // Asked first: the token of a device that is not there must not leave the one that has it.
          const [there] = await context.db.run(readDevice, { user, id: params.id })
          if (!there) throw noDevice()
          await context.db.run(freeToken, { token, device: params.id })
        }
        const [row] = await context.db.run(patchDevice, {
          user,
          id: params.id,
          session: token === null ? null : sessionId,
          platform: body.platform ?? null,
          token,
          keepToken: body.pushToken === undefined,
          name: body.name ?? null,
          keepName: body.name === undefined,
        })
        if (!row) throw noDevice()
        return { body: present(context, row) }
      },
    }),
    operation({
      ...shared,
      name: 'devices.delete',
      method: 'DELETE',
      path: '/api/devices/{id}',
      criticality: 'write',
      effect: 'write',
      status: 204,
      summary: 'Forget a device: it is pushed to no more',
      params: idParams,
      run: async (context, { params }) => {
        const [gone] = await context.db.run(removeDevice, { user: context.principal!.userId, id: params.id })
        if (!gone) throw noDevice()
        return { status: 204 }
      },
    }),
  ]
}
