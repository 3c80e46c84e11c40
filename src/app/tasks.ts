// The worker's table of contents: every task of the queue, and what is queued by the clock.
import { feedSchedule, feedTasks } from '../features/feeds/jobs.ts'
import { householdSchedule, householdTasks } from '../features/households/jobs.ts'
import { identitySchedule, identityTasks } from '../features/identity/jobs.ts'
import { importSchedule, importTasks } from '../features/imports/jobs.ts'
import { pushSchedule, pushTasks } from '../features/push/jobs.ts'
import { rateSchedule, rateTasks } from '../features/rates/jobs.ts'
import { syncSchedule, syncTasks } from '../features/sync/jobs.ts'
import { forgetAnswers, replaySchedule } from '../http/replay.ts'
import type { Tasks } from '../resources/queue.ts'
import type { Resources } from './resources.ts'

/** At night, when few write; rates when they are published. */
export const schedule: readonly string[] = [
  ...pushSchedule,
  ...syncSchedule,
  ...identitySchedule,
  ...householdSchedule,
  ...importSchedule,
  ...rateSchedule,
  ...feedSchedule,
  ...replaySchedule,
]

export function makeTasks(resources: Resources, nowMs: () => number = Date.now): Tasks {
  const { directDatabase } = resources
  return {
    ...syncTasks(directDatabase),
    ...identityTasks(directDatabase),
    ...householdTasks({
      database: directDatabase,
      mailer: resources.mailer,
      appUrl: resources.config.appUrl,
      log: resources.log,
    }),
    ...importTasks(directDatabase),
    ...rateTasks({ database: directDatabase, ratesUrl: resources.config.ratesUrl, log: resources.log, nowMs }),
    ...feedTasks(directDatabase),
    forgetAnswers: () => forgetAnswers(directDatabase),
    ...pushTasks({
      database: directDatabase,
      gateway: resources.pushGateway,
      nowMs,
      onOutcome: (kind) => resources.metrics.push(kind),
    }),
  }
}
