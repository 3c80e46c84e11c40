// Evidence as a service would have left it, hour by hour.
import { evidenceOf, hourMs, type Evidence } from '../../src/features/advising/evidence.ts'
import {
  noMeasures,
  slotOf,
  slotsOfHour,
  type MachineUse,
  type Measures,
  type Piece,
  type ServiceUse,
} from '../../src/features/advising/measures.ts'
import { bucketCount } from '../../src/features/advising/recorder.ts'
import { requestBoundsS } from '../../src/resources/metrics.ts'

/** The end of a day and of an hour, so that whole hours lie before it. */
export const nowMs = Date.UTC(2026, 5, 1)
export const GB = 1024 ** 3

export type Draft = Partial<Omit<Measures, 'machine' | 'service'>> & {
  machine?: Partial<MachineUse> | null
  service?: Partial<ServiceUse> | null
  host?: string
  process?: string
  /** Hours before now at which it began. */
  hoursAgo?: number
}

export function machine(draft: Partial<MachineUse> = {}): MachineUse {
  return {
    cpus: 2,
    busyMs: 0,
    allMs: 2 * hourMs,
    memoryBytes: 4 * GB,
    memoryUsedBytes: GB,
    diskBytes: 40 * GB,
    diskUsedBytes: 10 * GB,
    ...draft,
  }
}

export function service(draft: Partial<ServiceUse> = {}): ServiceUse {
  return {
    watchedMs: hourMs,
    databaseCpuMs: 0,
    connections: 10,
    connectionsMax: 100,
    blocksHit: 0,
    blocksRead: 0,
    users: 10,
    registered: 100,
    sizeBytes: GB,
    replicas: 0,
    missing: [],
    backup: false,
    scannedRows: {},
    ...draft,
  }
}

/** An hour of one process of one host, which gathers. */
export function hour(draft: Draft = {}): Piece {
  const { host = 'one', process = 'p', hoursAgo = 1, machine: ofMachine = {}, service: ofService = {}, ...measures } = draft
  return {
    slot: slotOf(nowMs) - hoursAgo * slotsOfHour,
    minutes: 60,
    host,
    process,
    measures: {
      ...noMeasures(bucketCount),
      watchedMs: hourMs,
      servedMs: hourMs,
      ...measures,
      machine: ofMachine && machine(ofMachine),
      service: ofService && service(ofService),
    },
  }
}

/** So many answers, all of them exactly at a bound of the buckets: a p95 that is what it says. */
export function answersAt(ms: number, many = 1_000): number[] {
  const index = requestBoundsS.indexOf(ms / 1_000)
  const answers = Array<number>(bucketCount).fill(0)
  answers[index] = many
  return answers
}

type Now = { facts?: Record<string, number>; missing?: Evidence['missing']; slowest?: Evidence['slowest'] }

export function evidence(pieces: readonly Piece[], { facts = {}, missing = [], slowest = [] }: Now = {}): Evidence {
  return evidenceOf(nowMs, pieces, { facts: new Map(Object.entries(facts)), missing, slowest })
}
