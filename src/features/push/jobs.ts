// What the worker does: decides whom to push to and when, sends, and remembers what became of it.
import { z } from 'zod'
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import type { Outcome, PushGateway, PushMessage } from '../../resources/push-gateway.ts'
import type { Tasks } from '../../resources/queue.ts'
import type { Transaction } from '../../resources/transaction.ts'
import {
  clearToken,
  fanOut,
  forgetNotifications,
  leaseDelivery,
  listPoked,
  markFailed,
  markSent,
  readDelivery,
  readPush,
  releaseDelivery,
  requeueDelivery,
  requeuePoke,
  requeuePush,
} from './delivery-store.ts'
import { backoffS, pokeMessage, pushMessage, quietUntil } from './notification.ts'

export type PushNeeds = {
  /** As the keeper of the books: jobs are of all households. */
  database: Database
  /** Null where push is not configured any more: what is still queued comes to nothing. */
  gateway: PushGateway | null
  /** Whether messages go to the user's devices at the moment; those that do not are not made up for. */
  isOn: (user: string) => boolean
  nowMs: () => number
  onOutcome: (kind: Outcome['kind'] | 'expired') => void
}

const pushJob = z.strictObject({ household: z.uuid(), notification: z.uuid() })
const deliverJob = z.strictObject({ household: z.uuid(), notification: z.uuid(), device: z.uuid(), untilMs: z.number() })
const pokeJob = z.strictObject({ household: z.uuid(), revision: z.int(), writer: z.uuid().nullable(), untilMs: z.number() })
type DeliverJob = z.infer<typeof deliverJob>

export function pushTasks(needs: PushNeeds): Tasks {
  const { gateway } = needs
  return {
    push: (payload) => push(needs, pushJob.parse(payload)),
    deliver: async (payload) => {
      const job = deliverJob.parse(payload)
      if (gateway) await deliver(needs, gateway, job)
    },
    poke: async (payload) => {
      const job = pokeJob.parse(payload)
      if (gateway) await poke(needs, gateway, job)
    },
    forgetNotifications: () => forget(needs),
  }
}

/** A line of the schedule each; at night, when few write. */
export const pushSchedule = ['17 3 * * * forgetNotifications ?jobKey=forgetNotifications&max=5']

function write<T>(needs: PushNeeds, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return needs.database.write({}, work, 'djinn_keeper')
}

async function push(needs: PushNeeds, job: z.infer<typeof pushJob>) {
  await write(needs, async (tx) => {
    const [found] = await tx.run(readPush, job)
    if (!found) return
    const { quietFrom, quietTo, timeZone } = found
    const nowMs = needs.nowMs()
    const endMs = quietFrom !== null && quietTo !== null ? quietUntil(nowMs, { from: quietFrom, to: quietTo, timeZone }) : null
    if (endMs !== null) await tx.run(requeuePush, { ...job, due: new Date(endMs).toISOString() })
    else await tx.run(fanOut, { ...job, untilMs: nowMs + limits.pushHoursMax * 3_600_000 })
  })
}

async function deliver(needs: PushNeeds, gateway: PushGateway, job: DeliverJob) {
  const { untilMs, ...delivery } = job
  const open = await write(needs, async (tx) => {
    const [found] = await tx.run(readDelivery, delivery)
    if (!found || found.done) return null
    const [lease] = await tx.run(leaseDelivery, { ...delivery, seconds: limits.pushLeaseS })
    if (lease) return { ...found, tries: lease.tries }
    // Another worker has it, or died with it: looked at again when its time is up.
    await tx.run(requeueDelivery, { ...job, waitMs: Math.max(1_000, found.leasedMs ?? limits.pushLeaseS * 1_000) })
    return null
  })
  if (!open) return
  const { token, userId, tries, event, actorName } = open
  if (!needs.isOn(userId)) {
    await write(needs, (tx) => tx.run(markFailed, { ...delivery, failure: 'push is switched off' }))
    return
  }
  const notification = { id: job.notification, householdId: job.household, event, data: open.data as Record<string, unknown>, actorName }
  const nowMs = needs.nowMs()
  const outcome = await send(needs, gateway, pushMessage(notification, token, nowMs, untilMs))
  // An outage is no message's fault, however long it is; an error while others get through is its own.
  const ownFault = outcome.kind === 'rejected' || (outcome.kind === 'retry' && outcome.blame === 'unknown' && gateway.working)
  await write(needs, async (tx) => {
    if (outcome.kind === 'sent') await tx.run(markSent, delivery)
    else if (outcome.kind === 'deadToken') {
      await tx.run(markFailed, { ...delivery, failure: outcome.reason })
      await tx.run(clearToken, { user: userId, device: job.device, token })
    } else if (outcome.kind === 'retry' && !ownFault) {
      const waitMs = Math.ceil(1_000 * (outcome.afterS ?? backoffS(tries, Math.random(), limits.pushBackoffSMax)))
      if (nowMs + waitMs < untilMs) await Promise.all([tx.run(releaseDelivery, delivery), tx.run(requeueDelivery, { ...job, waitMs })])
      else {
        needs.onOutcome('expired')
        await tx.run(markFailed, { ...delivery, failure: `given up: ${outcome.reason}` })
      }
    } else await tx.run(releaseDelivery, delivery)
  })
  // Counts as a try of this job; after 5 of them it stays as a dead letter.
  if (ownFault) throw new Error(`FCM: ${outcome.reason}`)
}

async function poke(needs: PushNeeds, gateway: PushGateway, job: z.infer<typeof pokeJob>) {
  const nowMs = needs.nowMs()
  // Whoever comes back later syncs anyway.
  if (nowMs >= job.untilMs) return
  const { household, revision, writer } = job
  const poked = await write(needs, (tx) => tx.run(listPoked, { household, writer, rows: limits.pokeDevicesMax }))
  const devices = poked.filter(({ userId }) => needs.isOn(userId))
  const outcomes = await Promise.all(
    devices.map(async ({ userId, device, token }) => {
      const outcome = await send(needs, gateway, pokeMessage(household, revision, token, nowMs, job.untilMs))
      if (outcome.kind === 'deadToken') await write(needs, (tx) => tx.run(clearToken, { user: userId, device, token }))
      return outcome
    }),
  )
  const later = outcomes.filter((outcome) => outcome.kind === 'retry')
  if (later.length === 0) return
  // All of them once more: a poke that comes twice replaces itself and costs nobody anything.
  const waitMs = 1_000 * Math.max(...later.map((outcome) => outcome.afterS ?? limits.pushBackoffSMax))
  if (nowMs + waitMs < job.untilMs) await write(needs, (tx) => tx.run(requeuePoke, { ...job, waitMs }))
}

async function send(needs: PushNeeds, gateway: PushGateway, message: PushMessage): Promise<Outcome> {
  const outcome = await gateway.send(message)
  needs.onOutcome(outcome.kind)
  return outcome
}

async function forget(needs: PushNeeds) {
  const rows = limits.statementRowsMax
  for (;;) {
    const gone = await write(needs, (tx) => tx.run(forgetNotifications, { days: limits.notificationDays, rows }))
    if (gone.length < rows) return
  }
}
