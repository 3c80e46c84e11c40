// The user of the session, asked of the database.
import { Failure } from '../../values/failure.ts'
import type { Context } from '../../http/operation.ts'
import { userById } from './store.ts'

/** Refuses when they are gone: a session is known here for up to a second after its user was erased. */
export async function readSelf(context: Context) {
  const [user] = await context.db.run(userById, { id: context.principal!.userId })
  if (!user) throw noSelf()
  return user
}

export function noSelf() {
  return new Failure('unauthenticated', 'The session has ended.', { at: 'Authorization:' })
}
