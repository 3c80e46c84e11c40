// Puts the evidence of the days before yesterday together by the hour, and forgets what is older than 30 days.
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import type { Tasks } from '../../resources/queue.ts'
import { byHour, hourOf, slotOf, slotsOfHour, type Measures } from './measures.ts'
import { forgetEvidence, takeOldestHour, writeEvidence } from './store.ts'

const hourMs = 3_600_000

export function advisingTasks(database: Database, nowMs: () => number): Tasks {
  return {
    keepEvidence: async () => {
      // Whole hours, or the rest of one would come as an hour of its own and take the place of the first.
      const fineFrom = hourOf(slotOf(nowMs() - limits.evidenceFineHours * hourMs)) * slotsOfHour
      while (await keepHour(database, fineFrom));
      const before = slotOf(nowMs() - limits.evidenceDays * 24 * hourMs)
      await database.write({}, (tx) => tx.run(forgetEvidence, { before }), 'djinn_keeper')
    },
  }
}

/** One hour, in a transaction of its own; whether there was one. */
async function keepHour(database: Database, before: number): Promise<boolean> {
  return await database.write(
    {},
    async (tx) => {
      const pieces = await tx.run(takeOldestHour, { before, slots: slotsOfHour })
      for (const hour of byHour(pieces.map((piece) => ({ ...piece, measures: piece.measures as Measures }))))
        await tx.run(writeEvidence, hour)
      return pieces.length > 0
    },
    'djinn_keeper',
  )
}

export const advisingSchedule = ['11 * * * * keepEvidence ?jobKey=keepEvidence&max=5']
