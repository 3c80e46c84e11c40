// A line of the first look: a value beside its threshold, red where it is over. Pure.
import { limits } from '../../values/limits.ts'

export type Check = {
  section: string
  check: string
  /** Null where it cannot be known. */
  value: number | null
  unit: string
  threshold: number | null
  /** On which side of the threshold trouble lies. */
  over: 'above' | 'below'
  verdict: 'ok' | 'red' | 'unknown'
  /** What is meant, the worst first. */
  details: string[]
}

export const thresholds = {
  cpuPercent: 80,
  /** Of the load average of a minute: programs that run or wait, for each CPU. */
  loadPerCpu: 2,
  memoryPercent: 80,
  diskPercent: 80,
  connections: 80,
  transactionS: 60,
  hitPercent: 95,
  deadRowsPercent: 20,
  bloatPercent: 40,
  lagS: 10,
  queueWaitS: 300,
  redisAnswerMs: limits.redisAnswerMs,
  redisMemoryPercent: 80,
  backupHours: 26,
  drillDays: 35,
  /** A table is read from end to end so often, on average by each scan, only for want of an index. */
  scannedRows: 10_000,
  /** PostgreSQL vacuums by force at 200 million and stops at 2,000 million. */
  transactionIdsMillions: 500,
} as const

export const looked = {
  detailsMax: 5,
  unusedIndexBytesMin: 8 * 1024 * 1024,
  bloatBytesMin: 8 * 1024 * 1024,
  /** Statistics of less time say nothing of what is never used. */
  statisticsDaysMin: 7,
  hitBlocksMin: 10_000,
  /** A statement that was slow once or twice is no kind. */
  callsMin: 5,
} as const

type Draft = Omit<Check, 'verdict' | 'over' | 'details'> & { over?: Check['over']; details?: string[] }

/** Over its threshold is beyond it, not at it. */
export function judged({ over = 'above', details = [], ...draft }: Draft): Check {
  const { value, threshold } = draft
  const isRed = value !== null && threshold !== null && (over === 'above' ? value > threshold : value < threshold)
  return {
    ...draft,
    value: value === null ? null : Math.round(value * 100) / 100,
    over,
    details: details.slice(0, looked.detailsMax),
    verdict: value === null ? 'unknown' : isRed ? 'red' : 'ok',
  }
}

export const share = (part: number, of: number) => (of > 0 ? (100 * part) / of : 0)
