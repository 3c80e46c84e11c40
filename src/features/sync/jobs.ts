// Forgets what was deleted long ago: phones that are older than that start anew.
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import type { Tasks } from '../../resources/queue.ts'
import { statement } from '../../resources/statement.ts'

const forgetDeleted = statement(
  'sync.forgetDeleted',
  { days: 'int4', most: 'int4' },
  { forgotten: 'int8' },
  'select forget_deleted(now() - make_interval(days => :days), :most) as forgotten',
)

/** Runs as the keeper of the books; each turn is a transaction of its own, so that nobody waits long for it. */
export function syncTasks(database: Database): Tasks {
  return {
    forgetDeleted: async () => {
      for (;;) {
        const [turn] = await database.write(
          {},
          (tx) => tx.run(forgetDeleted, { days: limits.tombstoneDays, most: limits.statementRowsMax }),
          'djinn_keeper',
        )
        if (turn!.forgotten < limits.statementRowsMax) return
      }
    },
  }
}

export const syncSchedule = ['37 3 * * * forgetDeleted ?jobKey=forgetDeleted&max=5']
