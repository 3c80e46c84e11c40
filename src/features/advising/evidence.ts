// What was kept, hour by hour, and the figures that are read from it. Pure.
import { requestBoundsS } from '../../resources/metrics.ts'
import { quantileOf } from '../../values/quantile.ts'
import { byHost, hourOf, join, slotMs, slotsOfHour, type Measures, type Piece } from './measures.ts'

export const hourMs = slotMs * slotsOfHour
export const dayMs = 24 * hourMs

export type Hour = {
  /** Hours of the epoch. */
  hour: number
  hosts: Measures[]
  all: Measures
  /** How much of it there is evidence of. */
  elapsedMs: number
}

export type SlowKind = { query: string; calls: number; meanUs: number; totalUs: number }
export type Index = { name: string; table: string; definition: string }
/** By name; see facts.ts. */
export type Facts = ReadonlyMap<string, number>

export type Evidence = {
  nowMs: number
  pieces: readonly Piece[]
  hours: readonly Hour[]
  /** The same without what an index that was missing then, and is back, had made slow: it says nothing of this server. */
  fairHours: readonly Hour[]
  facts: Facts
  /** Missing now. */
  missing: readonly Index[]
  /** Kinds of statement whose mean is above 100 ms, the costliest first. */
  slowest: readonly SlowKind[]
}

export function evidenceOf(
  nowMs: number,
  pieces: readonly Piece[],
  now: { facts: Facts; missing: readonly Index[]; slowest: readonly SlowKind[] },
): Evidence {
  const stillMissing = new Set(now.missing.map(({ name }) => name))
  const repaired = new Set(
    pieces.filter(({ measures }) => measures.service?.missing.some((name) => !stillMissing.has(name))).map(({ slot }) => slot),
  )
  const fair = pieces.filter(({ slot }) => !repaired.has(slot))
  return { nowMs, pieces, hours: hoursOf(pieces, nowMs), fairHours: hoursOf(fair, nowMs), ...now }
}

function hoursOf(pieces: readonly Piece[], nowMs: number): Hour[] {
  return [...Map.groupBy(pieces, (piece) => hourOf(piece.slot))]
    .map(([hour, ofHour]) => {
      const hosts = [...byHost(ofHour).values()]
      const slots = new Map(ofHour.map(({ slot, minutes }) => [slot, minutes * 60_000]))
      const elapsedMs = [...slots].reduce((sum, [slot, lengthMs]) => sum + Math.max(0, Math.min(lengthMs, nowMs - slot * slotMs)), 0)
      return { hour, hosts, all: hosts.reduce((one, other) => join(one, other, 'beside')), elapsedMs }
    })
    .toSorted((one, other) => one.hour - other.hour)
}

export const within = (hours: readonly Hour[], nowMs: number, windowMs: number) =>
  hours.filter(({ hour }) => (hour + 1) * hourMs > nowMs - windowMs)

/** So few say nothing of a percentile or a share. */
const answersMin = 20
const callsMin = 100
const bytesMin = 1024 * 1024
/** An hour that was seen for less says nothing of a load that lasts. */
const sustainedMs = 10 * 60_000

export const count = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0)

/** The duration that a share of the answers keep within; null of too few. */
export function quantileMs(answers: readonly number[], share: number): number | null {
  return count(answers) < answersMin ? null : 1_000 * quantileOf(share, answers, requestBoundsS)!
}

export const p95Ms = ({ all }: Hour) => quantileMs(all.answers, 0.95)

/** Percent of the CPUs of the machine that PostgreSQL runs on. */
export function databaseCpuPercent({ hosts }: Hour): number | null {
  const at = hosts.find(({ service }) => service !== null && service.databaseCpuMs !== null)
  if (!at?.machine || !at.service || at.service.watchedMs < sustainedMs) return null
  return (100 * at.service.databaseCpuMs!) / (at.service.watchedMs * at.machine.cpus)
}

const highest = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}

export const cpuPercent = ({ hosts }: Hour) =>
  highest(
    hosts.map(({ machine }) =>
      machine && machine.allMs >= sustainedMs * machine.cpus * 0.9 ? (100 * machine.busyMs) / machine.allMs : null,
    ),
  )
export const memoryPercent = ({ hosts }: Hour) =>
  highest(hosts.map(({ machine }) => (machine && machine.memoryBytes > 0 ? (100 * machine.memoryUsedBytes) / machine.memoryBytes : null)))
export const diskPercent = ({ hosts }: Hour) =>
  highest(hosts.map(({ machine }) => (machine && machine.diskBytes > 0 ? (100 * machine.diskUsedBytes) / machine.diskBytes : null)))
export const connections = ({ all }: Hour) => all.service?.connections ?? null

/** Processes that serve beside each other: a restart, in which one follows the other, makes no two. */
export const processes = ({ all, elapsedMs }: Hour) => (all.servedMs === 0 ? null : Math.max(1, Math.round(all.servedMs / elapsedMs)))

/** Those of them that share nothing by Redis. */
export const processesApart = ({ all, elapsedMs }: Hour) =>
  all.servedMs === 0 ? null : Math.max(1, Math.round((all.servedMs - (all.sharedMs ?? 0)) / elapsedMs))

export function busiestStatement({ all, elapsedMs }: Hour): { name: string; perMinute: number; share: number } | null {
  const [first] = Object.entries(all.statements).toSorted(([, one], [, other]) => other.calls - one.calls)
  if (!first || elapsedMs === 0) return null
  const [name, { calls, totalMs }] = first
  return { name, perMinute: (calls * 60_000) / Math.max(elapsedMs, 60_000), share: all.statementMs > 0 ? totalMs / all.statementMs : 0 }
}

export function longestOperation(hours: readonly Hour[]): { name: string; ms: number } | null {
  const all = hours.flatMap(({ all: { longestMs } }) => Object.entries(longestMs)).toSorted(([, one], [, other]) => other - one)
  return all[0] ? { name: all[0][0], ms: all[0][1] } : null
}

export function readsPerWrite(hours: readonly Hour[]): number | null {
  const reads = count(hours.map(({ all }) => all.reads))
  const writes = count(hours.map(({ all }) => all.writes))
  return reads + writes < callsMin ? null : reads / Math.max(writes, 1)
}

export function publicPercent(hours: readonly Hour[]): number | null {
  const open = count(hours.map(({ all }) => all.publicBytes))
  const all = open + count(hours.map((hour) => hour.all.privateBytes))
  return all < bytesMin ? null : (100 * open) / all
}

/** p95 while a backup ran, as a multiple of what it is otherwise. */
export function backupSlowdown(pieces: readonly Piece[]): number | null {
  const during = new Set(pieces.filter(({ measures }) => measures.service?.backup).map(({ slot }) => slot))
  const answers = (of: (slot: number) => boolean) => {
    const all = pieces.filter(({ slot }) => of(slot)).map(({ measures }) => measures.answers)
    return all.length === 0 ? [] : all.reduce((one, other) => one.map((value, index) => value + other[index]!))
  }
  const slow = quantileMs(
    answers((slot) => during.has(slot)),
    0.95,
  )
  const usual = quantileMs(
    answers((slot) => !during.has(slot)),
    0.95,
  )
  return slow === null || usual === null || usual === 0 ? null : slow / usual
}

export function bufferHitPercent(hours: readonly Hour[]): number | null {
  const hit = count(hours.map(({ all }) => all.service?.blocksHit ?? 0))
  const read = count(hours.map(({ all }) => all.service?.blocksRead ?? 0))
  return hit + read < 10_000 ? null : (100 * hit) / (hit + read)
}

/** How many have an account, as PostgreSQL estimates: the highest of a day, since after a crash it has to count anew. */
export function registered({ hours, nowMs }: Pick<Evidence, 'hours' | 'nowMs'>): number {
  return Math.max(0, ...within(hours, nowMs, dayMs).map(({ all }) => all.service?.registered ?? 0))
}
