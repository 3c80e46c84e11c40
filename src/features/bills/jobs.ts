// What bills do by the clock: occurrences are raised, recurring transactions made, and members reminded, each once after any downtime.
import { limits } from '../../values/limits.ts'
import { addDays, dayOf, daysBetween, type Day } from '../../values/day.ts'
import type { Database } from '../../resources/database.ts'
import type { Tasks } from '../../resources/queue.ts'
import type { Transaction } from '../../resources/transaction.ts'
import { reminderOn } from './bill.ts'
import { raiseDue } from './plan.ts'
import { dueHouseholds, forgetBills, listAlarms, lockHousehold, postOccurrence, remind } from './store.ts'

export type BillTaskNeeds = {
  /** As the keeper of the books: jobs are of all households. */
  database: Database
  nowMs: () => number
  /** Tells the devices of a household that it has a new revision. */
  announce: (household: string, revision: number) => void
}

type Household = { id: string; timeZone: string }

export function billTasks(needs: BillTaskNeeds): Tasks {
  return {
    keepBills: async () => {
      const nowMs = needs.nowMs()
      // Nowhere is it a later day than this.
      const latest = dayOf(nowMs, 'Pacific/Kiritimati')
      const failures: unknown[] = []
      let after = '00000000-0000-0000-0000-000000000000'
      for (;;) {
        const households = await needs.database.write(
          {},
          (tx) =>
            tx.run(dueHouseholds, {
              after,
              today: latest,
              planTo: addDays(latest, limits.billHorizonDays),
              rows: limits.billChunkHouseholds,
            }),
          'djinn_keeper',
        )
        for (const household of households) {
          // One household's trouble is not the others'.
          await keepHousehold(needs, household, nowMs).catch((error: unknown) => failures.push(error))
        }
        if (households.length < limits.billChunkHouseholds) break
        after = households.at(-1)!.id
      }
      if (failures.length > 0) throw failures[0]
    },
    forgetBills: async () => {
      for (;;) {
        const [turn] = await needs.database.write(
          {},
          (tx) => tx.run(forgetBills, { days: limits.tombstoneDays, most: limits.statementRowsMax }),
          'djinn_keeper',
        )
        if (turn!.forgotten < limits.statementRowsMax) return
      }
    },
  }
}

/** Does all that is due in a household, a bounded step a transaction. */
async function keepHousehold(needs: BillTaskNeeds, household: Household, nowMs: number) {
  const today = dayOf(nowMs, household.timeZone)
  const step = async (work: (tx: Transaction) => Promise<boolean>) => {
    const { more, before, revision } = await needs.database.write(
      { household: household.id },
      async (tx) => {
        const [locked] = await tx.run(lockHousehold, { household: household.id })
        const again = await work(tx)
        const [left] = await tx.run(lockHousehold, { household: household.id })
        return { more: again, before: locked!.revision, revision: left!.revision }
      },
      'djinn_keeper',
    )
    if (revision !== before) needs.announce(household.id, revision)
    return more
  }
  while (await step((tx) => raiseDue(tx, household.id, today)));
  while (await step((tx) => ringAlarms(tx, household, today)));
}

/** Makes the transactions that are due, then reminds of what is still unpaid; answers whether there is more. */
async function ringAlarms(tx: Transaction, { id: household, timeZone }: Household, today: Day): Promise<boolean> {
  const alarms = { household, today, rows: limits.billChunkRows }
  let due = await tx.run(listAlarms, alarms)
  const full = due.length === limits.billChunkRows
  const toPost = due.filter((alarm) => alarm.postDue)
  let done = 0
  for (const { billId, date } of toPost) {
    const [made] = await tx.run(postOccurrence, { household, bill: billId, date })
    if (made!.posted) done++
  }
  if (done > 0) due = await tx.run(listAlarms, alarms)
  const reminders = due
    .filter((alarm) => alarm.remindDue)
    .map((alarm) => {
      const { billId, date, payee, currency, amountMin, amountMax } = alarm
      const { told, next } = reminderOn(date, alarm.reminderDays, today, dayOf(Date.parse(alarm.createdAt), timeZone))
      const daysLeft = daysBetween(today, date)
      const data = { billId, date, payee, currency, amountMin, amountMax, daysLeft }
      return { bill_id: billId, date, next, key: told === null ? null : `bill:${billId}:${date}:${told}`, data }
    })
  if (reminders.length > 0) await tx.run(remind, { household, reminders })
  return full && done + reminders.length > 0
}

/** Every hour, since midnight comes at another one in each zone; a run that is missed is made up by the next. */
export const billSchedule = ['3 * * * * keepBills ?jobKey=keepBills&max=5', '27 3 * * * forgetBills ?jobKey=forgetBills&max=5']
