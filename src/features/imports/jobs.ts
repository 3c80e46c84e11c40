// Discards previews that nobody committed: the files of banks are not kept for nothing.
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import type { Tasks } from '../../resources/queue.ts'
import { dropFile, dropRows, importRows, stalePreviews } from './store.ts'

/** Finds them as the keeper of the books; each is discarded inside of its household, as its user would. */
export function importTasks(database: Database): Tasks {
  return {
    discardPreviews: async () => {
      const stale = await database.write(
        {},
        (tx) => tx.run(stalePreviews, { days: limits.previewDays, rows: limits.statementRowsMax }),
        'djinn_keeper',
      )
      for (const { household, id } of stale) {
        await database.write({ household }, async (tx) => {
          await Promise.all([
            tx.run(dropFile, { household, id }),
            tx.run(dropRows, { household, id }),
            tx.run(importRows.remove, { household, id, ifRevision: null }),
          ])
        })
      }
    },
  }
}

export const importSchedule = ['57 3 * * * discardPreviews ?jobKey=discardPreviews&max=5']
