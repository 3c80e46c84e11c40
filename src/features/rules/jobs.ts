// Forgets runs that can no longer be undone, and rules that were deleted so long ago that no phone is told of it.
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import type { Tasks } from '../../resources/queue.ts'
import { forgetRules, forgetRuns } from './run-store.ts'

/** A run may have changed 50,000 rows, so few go at a time. */
const runsAtOnce = 10

/** Runs as the keeper of the books; each turn is a transaction of its own, so that nobody waits long for it. */
export function ruleTasks(database: Database): Tasks {
  const inTurns = async (turn: typeof forgetRules, days: number, rows: number) => {
    for (let forgotten = rows; forgotten === rows;) {
      const [done] = await database.write({}, (tx) => tx.run(turn, { days, rows }), 'djinn_keeper')
      forgotten = done!.count
    }
  }
  return {
    forgetRules: async () => {
      await inTurns(forgetRuns, limits.ruleRunDays, runsAtOnce)
      await inTurns(forgetRules, limits.tombstoneDays, limits.statementRowsMax)
    },
  }
}

export const ruleSchedule = ['17 3 * * * forgetRules ?jobKey=forgetRules&max=5']
