// Forgets signatures that are too old to be accepted again: those of feeds that push do it themselves.
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import type { Tasks } from '../../resources/queue.ts'
import { sweepSignatures } from './store.ts'

/** Runs as the keeper of the books. */
export function feedTasks(database: Database): Tasks {
  return {
    sweepSignatures: async () => {
      await database.write({}, (tx) => tx.run(sweepSignatures, { seconds: 3 * limits.signatureAgeS }), 'djinn_keeper')
    },
  }
}

export const feedSchedule = ['27 3 * * * sweepSignatures ?jobKey=sweepSignatures&max=5']
