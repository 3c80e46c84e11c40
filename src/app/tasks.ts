// The worker's table of contents: every task of the queue, and what is queued by the clock.
import { advisingSchedule, advisingTasks } from '../features/advising/jobs.ts'
import { erasingSchedule, erasingTasks } from '../features/households/erasing.ts'
import { budgetSchedule, budgetTasks } from '../features/budgets/jobs.ts'
import { feedSchedule, feedTasks } from '../features/feeds/jobs.ts'
import { householdSchedule, householdTasks } from '../features/households/jobs.ts'
import { billSchedule, billTasks } from '../features/bills/jobs.ts'
import { identitySchedule, identityTasks } from '../features/identity/jobs.ts'
import { importSchedule, importTasks } from '../features/imports/jobs.ts'
import { pushSchedule, pushTasks } from '../features/push/jobs.ts'
import { rateSchedule, rateTasks } from '../features/rates/jobs.ts'
import { ruleSchedule, ruleTasks } from '../features/rules/jobs.ts'
import { syncSchedule, syncTasks } from '../features/sync/jobs.ts'
import { forgetAnswers, replaySchedule } from '../http/replay.ts'
import type { Tasks } from '../resources/queue.ts'
import type { Resources } from './resources.ts'

/** At night, when few write; rates when they are published; bills by the hour. */
export const schedule: readonly string[] = [
  ...pushSchedule,
  ...syncSchedule,
  ...identitySchedule,
  ...householdSchedule,
  ...erasingSchedule,
  ...importSchedule,
  ...rateSchedule,
  ...ruleSchedule,
  ...budgetSchedule,
  ...feedSchedule,
  ...replaySchedule,
  ...billSchedule,
  ...advisingSchedule,
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
    ...erasingTasks(directDatabase),
    ...importTasks(directDatabase),
    ...rateTasks({ database: directDatabase, ratesUrl: resources.config.ratesUrl, log: resources.log, nowMs }),
    ...billTasks({
      database: directDatabase,
      nowMs,
      announce: (household, revision) => resources.announcements.announce(household, revision, null),
    }),
    ...ruleTasks(directDatabase),
    ...budgetTasks(directDatabase),
    ...feedTasks(directDatabase),
    ...advisingTasks(directDatabase, nowMs),
    forgetAnswers: () => forgetAnswers(directDatabase),
    ...pushTasks({
      database: directDatabase,
      gateway: resources.pushGateway,
      isOn: (user) => resources.flags.isOn('push', user),
      nowMs,
      onOutcome: (kind) => resources.metrics.push(kind),
    }),
  }
}
