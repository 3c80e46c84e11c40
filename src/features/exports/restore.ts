// Puts a household's document into an empty household, all of it or nothing.
import { Worker } from 'node:worker_threads'
import { Failure, type FailurePoint } from '../../values/failure.ts'
import { newId } from '../../values/id.ts'
import { limits } from '../../values/limits.ts'
import type { Context } from '../../http/operation.ts'
import type { ReadDocument } from './document-reader.ts'
import { sections } from './sections.ts'
import { beginRestore, checkNow, finishSection, insertSection, keepRestore, readRestore, setHousehold } from './store.ts'

/** Reads the document in a thread of its own: one of 10 MiB takes a second of a core. */
export async function readDocumentApart(bytes: Uint8Array): Promise<ReadDocument> {
  const worker = new Worker(new URL(import.meta.url.endsWith('.ts') ? './reading-thread.ts' : './reading-thread.js', import.meta.url), {
    workerData: bytes,
    resourceLimits: { maxOldGenerationSizeMb: 1_024 },
  })
  const timer = setTimeout(() => void worker.terminate(), limits.requestTimeoutMs / 2)
  try {
    const answer = await new Promise<{ document: ReadDocument } | { reason: string; errors: FailurePoint[] }>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', () => reject(new Failure('import-unreadable', 'The document takes too long to read.')))
    })
    if ('document' in answer) return answer.document
    throw new Failure('import-unreadable', answer.reason, { errors: answer.errors })
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error
    throw new Failure('import-unreadable', 'The document takes too much memory to read.')
  } finally {
    clearTimeout(timer)
    void worker.terminate()
  }
}

/** Restores within the transaction of the caller; answers the id that it is remembered under. */
export async function restoreHousehold(context: Context, document: ReadDocument): Promise<string> {
  const household = context.household!.id
  if (context.household!.role !== 'owner') throw new Failure('forbidden', `This takes the role owner; yours is ${context.household!.role}.`)
  const [begun] = await context.db.run(beginRestore, { household })
  if (!begun!.empty) {
    throw new Failure(
      'household-not-empty',
      'A document is read into a household without accounts, transactions or categories of its own.',
      {
        at: 'Djinn-Household:',
      },
    )
  }
  const id = newId()
  try {
    await context.db.run(setHousehold, { household, ...document.household })
    for (const section of sections) {
      for (const rows of document.chunks[section.name]!) await context.db.run(insertSection(section), { household, rows })
    }
    for (const section of sections.filter((each) => each.late)) {
      for (const rows of document.chunks[section.name]!) await context.db.run(finishSection(section), { household, rows })
    }
    await context.db.run(checkNow, {})
    await context.db.run(keepRestore, { household, id, transactions: document.transactions })
  } catch (error) {
    throw inconsistent(error)
  }
  return id
}

/** What a document says that no household can be: ids twice, references to nothing, splits that do not sum. */
function inconsistent(error: unknown): unknown {
  const { code = '', constraint, table } = error as { code?: string; constraint?: string; table?: string }
  if (!/^(23|22)/.test(code)) return error
  const where = [table, constraint].filter((part) => part !== undefined).join(', ')
  return new Failure('import-unreadable', `The document contradicts itself (${where || 'a value out of range'}).`, { cause: error })
}

/** How many transactions a restore of this household put in, or undefined. */
export async function restoredTransactions(context: Context, id: string): Promise<number | undefined> {
  const [row] = await context.db.run(readRestore, { household: context.household!.id, id })
  return row?.transactions
}
