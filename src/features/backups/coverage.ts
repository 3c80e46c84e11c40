// Which moments the backups can be brought back to. Pure.
import { lsnOf } from '../../resources/replication.ts'
import type { Manifest } from './manifest.ts'
import type { Reached } from './repository.ts'
import { segmentName, timelineAt, type Archived, type Fork } from './wal-names.ts'

export type Archive = {
  segments: ReadonlyMap<string, Archived>
  begun: ReadonlySet<string>
  reached: Reached | undefined
  /** Of the newest timeline there is. */
  forks: readonly Fork[]
}

/** From a base on every moment until `toMs`; `missing` is the first segment that is not there. */
export type Range = { base: Manifest; fromMs: number; toMs: number; missing: string; segments: number }

/** The segments that a recovery from a base reads, in their order, as far as they are there, and the first that is not. */
export function chainOf(base: Manifest, archive: Archive): { names: string[]; missing: string } {
  const bytes = BigInt(base.segmentBytes)
  const carried = lsnOf(base.stopLsn) / bytes
  const nameOf = (number: bigint) =>
    segmentName({ timeline: timelineAt(base.timeline, archive.forks, number, base.segmentBytes), number }, base.segmentBytes)
  const names: string[] = []
  for (let number = lsnOf(base.startLsn) / bytes; ; number++) {
    const name = nameOf(number)
    if (archive.segments.has(name)) names.push(name)
    // One that is not finished is the end, whatever came after it.
    else if (archive.begun.has(name)) return { names: [...names, name], missing: nameOf(number + 1n) }
    // What starts the copy it carries with it.
    else if (number > carried) return { names, missing: name }
  }
}

/** A base reaches from when it was finished to where the log behind it breaks off. */
export function rangeOf(base: Manifest, archive: Archive): Range {
  const fromMs = Date.parse(base.finishedAt)
  const { names, missing } = chainOf(base, archive)
  const { reached } = archive
  const last = names.at(-1)
  const isEnd = reached !== undefined && last !== undefined && last >= segmentOfLsn(reached, base)
  const lastWhole = names.findLast((name) => archive.segments.has(name))
  const toMs = isEnd ? Date.parse(reached.at) : lastWhole === undefined ? fromMs : archive.segments.get(lastWhole)!.atMs
  return { base, fromMs, toMs: Math.max(fromMs, toMs), missing, segments: names.length }
}

function segmentOfLsn({ timeline, lsn }: Reached, { segmentBytes }: Manifest): string {
  const at = lsnOf(lsn)
  // At a segment's very beginning the one before it was the last.
  const number = at % BigInt(segmentBytes) === 0n && at > 0n ? at / BigInt(segmentBytes) - 1n : at / BigInt(segmentBytes)
  return segmentName({ timeline, number }, segmentBytes)
}

export type Choice = { range: Range } | { refusal: string }

/** The newest base from which the moment, or without one the end, can be reached. */
export function choose(ranges: readonly Range[], targetMs: number | null): Choice {
  if (ranges.length === 0) return { refusal: 'there is no finished backup' }
  const fitting = ranges.filter(({ fromMs, toMs }) => targetMs === null || (fromMs <= targetMs && targetMs <= toMs))
  const range = fitting.at(-1)
  if (range) return { range }
  const spans = joined(ranges).map(([fromMs, toMs]) => `${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString()}`)
  return { refusal: `the backups cover ${spans.join(', and ')}; ${new Date(targetMs!).toISOString()} is outside` }
}

/** Spans that overlap are one. */
export function joined(ranges: readonly Range[]): [number, number][] {
  const spans: [number, number][] = []
  for (const { fromMs, toMs } of ranges.toSorted((one, other) => one.fromMs - other.fromMs)) {
    const last = spans.at(-1)
    if (last && fromMs <= last[1]) last[1] = Math.max(last[1], toMs)
    else spans.push([fromMs, toMs])
  }
  return spans
}
