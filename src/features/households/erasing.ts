// Erases households that nobody belongs to, or that were deleted longer ago than they can be restored.
import { z } from 'zod'
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import type { Tasks } from '../../resources/queue.ts'
import { eraseSome, householdsToErase } from './store.ts'

const job = z.strictObject({ household: z.uuid() })

/** Runs as the keeper of the books; each turn is a transaction of its own, and a worker that died goes on where it was. */
export function erasingTasks(database: Database): Tasks {
  const erase = async (household: string) => {
    for (let left = true; left;) {
      const [turn] = await database.write(
        { household },
        (tx) => tx.run(eraseSome, { household, most: limits.erasedRowsAtOnce }),
        'djinn_keeper',
      )
      left = turn!.left
    }
  }
  return {
    eraseHousehold: (payload) => erase(job.parse(payload).household),
    eraseForgotten: async () => {
      const found = await database.write(
        {},
        (tx) => tx.run(householdsToErase, { days: limits.restoreDays, rows: limits.statementRowsMax }),
        'djinn_keeper',
      )
      for (const { household } of found) await erase(household)
    },
  }
}

export const erasingSchedule = ['7 4 * * * eraseForgotten ?jobKey=eraseForgotten&max=5']
