// What the advisor answers, for its command and the console alike.
import type { Advice, Answer } from '../features/advising/advice.ts'
import type { Capacity } from '../features/advising/capacity.ts'
import { readAdvice } from '../features/advising/judge.ts'
import { rules } from '../features/advising/rules.ts'
import type { Step } from '../features/advising/servers.ts'
import type { Database } from '../resources/database.ts'

export type { Advice, Answer } from '../features/advising/advice.ts'
export type { Capacity } from '../features/advising/capacity.ts'

/** With what a page shows beside it: the step that a trigger is of, and the trigger in words. */
export type ExplainedAdvice = Advice & { step: Step; says: string }

/** `database` is the direct one, whose login may become djinn_keeper: `Resources.directDatabase`, or that of a command. */
export async function adviceOf(database: Database, nowMs: number = Date.now()): Promise<Answer> {
  return await readAdvice(database, nowMs)
}

const explanations = new Map(rules.map(({ trigger, step, says }) => [trigger, { step, says }]))

/** The same for the console. */
export async function explainedAdviceOf(
  database: Database,
  nowMs: number = Date.now(),
): Promise<{ advice: ExplainedAdvice[]; capacity: Capacity }> {
  const { advice, capacity } = await adviceOf(database, nowMs)
  return { advice: advice.map((one) => ({ ...one, ...explanations.get(one.trigger)! })), capacity }
}
