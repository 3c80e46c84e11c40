// Asks the database all that the first look shows.
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import { missingIndexes, readIndexNames, shippedIndexes } from '../../resources/indexes.ts'
import { readSlowKinds } from '../../resources/slow-kinds.ts'
import { looked } from './check.ts'
import type { DatabaseLook } from './database-checks.ts'
import {
  readBackupState,
  readActivity,
  readBloat,
  readQueue,
  readReplicas,
  readServer,
  readTableState,
  readUnusedIndexes,
} from './store.ts'

const rows = 100

export async function lookAt(database: Database): Promise<DatabaseLook> {
  return await database.write(
    {},
    async (tx) => {
      const [[server], activity, tables, unused, indexes, bloat, replicas, [queue], slow, [backups]] = await Promise.all([
        tx.run(readServer, {}),
        tx.run(readActivity, { rows }),
        tx.run(readTableState, { rows: limits.watchTablesMax }),
        tx.run(readUnusedIndexes, { bytesMin: looked.unusedIndexBytesMin, rows }),
        tx.run(readIndexNames, {}),
        tx.run(readBloat, { bytesMin: looked.bloatBytesMin, rows }),
        tx.run(readReplicas, {}),
        tx.run(readQueue, {}),
        tx.run(readSlowKinds, { slowMs: limits.slowStatementMs, rows: limits.slowStatementsShown }),
        tx.run(readBackupState, {}),
      ])
      const missing = missingIndexes(indexes, shippedIndexes())
      return { server: server!, activity, tables, unused, missing, bloat, replicas, queue: queue!, slow, backups: backups! }
    },
    'djinn_keeper',
  )
}
