// What the advisor answers, for its command and the console alike.
import type { Answer } from '../features/advising/advice.ts'
import { readAdvice } from '../features/advising/judge.ts'
import type { Database } from '../resources/database.ts'

export type { Advice, Answer } from '../features/advising/advice.ts'
export type { Capacity } from '../features/advising/capacity.ts'

/** `database` is the direct one, whose login may become djinn_keeper: `Resources.directDatabase`, or that of a command. */
export async function adviceOf(database: Database, nowMs: number = Date.now()): Promise<Answer> {
  return await readAdvice(database, nowMs)
}
