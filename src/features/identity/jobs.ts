// Sweeps out what nobody can use any more: sessions long ended, mailed links of the past.
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import type { Tasks } from '../../resources/queue.ts'
import { sweepEmailRequests, sweepSessions } from './store.ts'

/** Runs as the keeper of the books. */
export function identityTasks(database: Database): Tasks {
  return {
    sweepSessions: async () => {
      await database.write(
        {},
        async (tx) => {
          await Promise.all([
            tx.run(sweepSessions, { days: limits.endedSessionDays }),
            tx.run(sweepEmailRequests, { days: limits.endedSessionDays }),
          ])
        },
        'djinn_keeper',
      )
    },
  }
}

export const identitySchedule = ['47 3 * * * sweepSessions ?jobKey=sweepSessions&max=5']
