// Raises the occurrences of a bill up to the horizon: after a write of the bill, and by the clock.
import { addDays, type Day } from '../../values/day.ts'
import { limits } from '../../values/limits.ts'
import type { Runner } from '../../resources/transaction.ts'
import { firstScheduledDay, scheduledDays, type Schedule } from './schedule.ts'
import { duePlans, raiseOccurrences } from './store.ts'

export type Plan = { schedule: Schedule; endsOn: Day | null; nextDate: Day }

/** The days to raise now, at most a chunk of them, and the next one after these. */
export function planDays({ schedule, endsOn, nextDate }: Plan, today: Day): { days: Day[]; next: Day | null } {
  const pastMost = addDays(today, -limits.billPastDays)
  const to = addDays(today, limits.billHorizonDays)
  const days = scheduledDays(schedule, endsOn, nextDate > pastMost ? nextDate : pastMost, to, limits.billChunkRows + 1)
  if (days.length > limits.billChunkRows) return { days: days.slice(0, -1), next: days.at(-1)! }
  return { days, next: firstScheduledDay(schedule, endsOn, addDays(to, 1)) }
}

/** Raises the days of a plan, unless it has gone on meanwhile; answers whether there are more to raise now. */
export async function raisePlan(db: Runner, household: string, today: Day, bill: string, plan: Plan): Promise<boolean> {
  const { days, next } = planDays(plan, today)
  await db.run(raiseOccurrences, { household, bill, from: plan.nextDate, days, next })
  return next !== null && next <= addDays(today, limits.billHorizonDays)
}

/** Goes on with plans that are due, of one bill or of the first of the household; answers whether more is due. */
export async function raiseDue(db: Runner, household: string, today: Day, bill?: string): Promise<boolean> {
  const to = addDays(today, limits.billHorizonDays)
  const rows = bill === undefined ? limits.billChunkBills : 1
  const due = await db.run(duePlans(bill !== undefined), { household, to, rows, ...(bill === undefined ? {} : { id: bill }) })
  const more = await Promise.all(
    due.map((row) =>
      raisePlan(db, household, today, row.id, { schedule: row.schedule as Schedule, endsOn: row.endsOn, nextDate: row.nextDate }),
    ),
  )
  return due.length === rows && bill === undefined ? true : more.includes(true)
}

/** Raises all that is due of one bill, so that whoever wrote it sees it. */
export async function raiseBill(db: Runner, household: string, today: Day, bill: string) {
  while (await raiseDue(db, household, today, bill));
}

/** Whether a bill has days to raise now. */
export async function isDue(db: Runner, household: string, today: Day, bill: string): Promise<boolean> {
  const to = addDays(today, limits.billHorizonDays)
  return (await db.run(duePlans(true), { household, to, rows: 1, id: bill })).length > 0
}
