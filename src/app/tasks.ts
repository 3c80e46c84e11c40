// The worker's table of contents: every task of the queue, and what is queued by the clock.
import { pushSchedule, pushTasks } from '../features/push/jobs.ts'
import type { Tasks } from '../resources/queue.ts'
import type { Resources } from './resources.ts'

export const schedule: readonly string[] = [...pushSchedule]

export function makeTasks(resources: Resources, nowMs: () => number = Date.now): Tasks {
  return {
    ...pushTasks({
      database: resources.directDatabase,
      gateway: resources.pushGateway,
      nowMs,
      onOutcome: (kind) => resources.metrics.push(kind),
    }),
  }
}
