// Forgets budgets that were deleted long ago: phones that are older than that start anew.
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import type { Tasks } from '../../resources/queue.ts'
import { forgetBudgets } from './store.ts'

/** Runs as the keeper of the books; each turn is a transaction of its own, so that nobody waits long for it. */
export function budgetTasks(database: Database): Tasks {
  return {
    forgetBudgets: async () => {
      for (;;) {
        const [turn] = await database.write(
          {},
          (tx) => tx.run(forgetBudgets, { days: limits.tombstoneDays, most: limits.statementRowsMax }),
          'djinn_keeper',
        )
        if (turn!.forgotten < limits.statementRowsMax) return
      }
    },
  }
}

export const budgetSchedule = ['33 3 * * * forgetBudgets ?jobKey=forgetBudgets&max=5']
