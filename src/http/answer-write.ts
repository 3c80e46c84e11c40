// The answer of an operation that writes: one transaction around the run, the key's replay and the kept answer in it.
import type { Transaction } from '../resources/transaction.ts'
import { finish } from './answer-read.ts'
import { entityTag, variantOf } from './conditional.ts'
import type { Context, Input, Operation, Upload } from './operation.ts'
import type { Performed, Service } from './perform.ts'
import { loadFrom } from './read-run.ts'
import { findKept, hashRequest, keepForReplay, makeClaim, openWrite, readKey } from './replay.ts'

/** With `outer` the write is part of that transaction, and whoever opened it commits. */
export async function answerWrite(
  service: Service,
  operation: Operation,
  context: Context,
  input: Input & { prepared: unknown; ahead: unknown },
  fields: string[] | null,
  outer: Transaction | null,
): Promise<Performed> {
  const { call, scope } = context
  const user = call.principal!.userId
  const [path = '', search = ''] = call.url.split('?', 2)
  const content = operation.body === 'file' ? (call.body as Upload).bytes : call.body
  const claim = await makeClaim(
    user,
    {
      method: operation.method,
      path,
      key: readKey(call.headers.idempotencyKey),
      requestHash: hashRequest(`${scope.household ?? ''}?${search}`, content),
    },
    operation.noStore === true,
  )
  if (operation.prepare) {
    // What is prepared may be refused by what the first call changed: a repeat of a password change has the old password.
    const kept = await findKept(context.db, user, claim)
    if (kept) return kept
    input.prepared = await operation.prepare(context, input)
  }
  const work = async (tx: Transaction): Promise<Performed> => {
    const household = scope.household
    const inside: Context = { ...context, db: tx, tx, load: loadFrom(tx, household) }
    const opening = openWrite(tx, household, user, claim, operation.access)
    const reading = operation.readAhead?.(inside, input)
    // Nobody asks for it when the key was used before.
    reading?.catch(() => {})
    const kept = await opening
    if (kept) return kept
    const answer = await operation.run(inside, { ...input, ahead: await reading })
    const headers: Record<string, string> = { ...answer.headers }
    const revision = answer.revision ?? (answer.body as { revision?: number } | undefined)?.revision
    if (typeof revision === 'number' && household) {
      headers['etag'] = entityTag(revision, variantOf(service.lineage, household, user, headers['location'] ?? path))
    }
    const performed = finish(operation, { ...answer, headers }, fields)
    keepForReplay(tx, user, claim, {
      status: performed.status,
      headers: performed.headers,
      body: performed.body === null ? null : String(performed.body),
    })
    return performed
  }
  return outer ? await work(outer) : await service.database.write(scope, work)
}
