// Fetches the rates of the day, where the operator named a place to fetch them from.
import type { Logger } from 'pino'
import type { Database } from '../../resources/database.ts'
import { download } from '../../resources/download.ts'
import type { Tasks } from '../../resources/queue.ts'
import { dayOf } from '../../values/day.ts'
import { limits } from '../../values/limits.ts'
import { importRateFile } from './rate-import.ts'

export type RateNeeds = {
  /** As the keeper of the books. */
  database: Database
  /** Undefined where rates are imported by hand. */
  ratesUrl: string | undefined
  log: Pick<Logger, 'info' | 'warn'>
  nowMs: () => number
}

export function rateTasks({ database, ratesUrl, log, nowMs }: RateNeeds): Tasks {
  return {
    importRates: async () => {
      if (ratesUrl === undefined) return
      const bytes = await download(ratesUrl, { bytesMax: limits.rateFileBytesMax, timeoutMs: limits.rateDownloadMs })
      // One that differs must not keep those of today out; which of the two is right, the operator decides.
      const { added, left, differences } = await importRateFile(database, bytes, 'leave', dayOf(nowMs(), 'UTC'))
      log.info({ added }, 'imported exchange rates')
      for (const difference of differences) log.warn(difference, 'an exchange rate differs from what is there, and is left')
      if (left > differences.length) log.warn({ left }, 'more exchange rates differ than are named')
    },
  }
}

/** On weekdays at 16:30 UTC: the ECB publishes at about 16:00 in Frankfurt, which is an hour or two ahead. */
export const rateSchedule = ['30 16 * * 1-5 importRates ?jobKey=importRates&max=5']
