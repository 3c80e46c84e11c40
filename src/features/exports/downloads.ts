// How many exports run at once: each keeps a transaction open for as long as its reader takes.
import { Failure } from '../../values/failure.ts'
import { limits } from '../../values/limits.ts'
import type { Context, Download } from '../../http/operation.ts'
import type { Runner } from '../../resources/transaction.ts'

let running = 0

/** A download of what `write` makes of one moment of the household. */
export function downloadOf(
  context: Context,
  file: Omit<Download, 'chunks'>,
  write: (reads: Runner) => AsyncIterable<string>,
): { download: Download } {
  return { download: { ...file, chunks: chunks() } }

  async function* chunks() {
    if (running >= limits.downloadsAtOnce) {
      throw new Failure('unavailable', `At most ${limits.downloadsAtOnce} exports run at once.`, { retryAfterS: 2 })
    }
    running++
    const reads = await context.database.openSnapshot(context.scope).catch((error: unknown) => {
      running--
      throw error
    })
    try {
      yield* write(reads)
    } finally {
      running--
      await reads.close()
    }
  }
}
