// How segments of the write-ahead log and the forks between timelines are named, and which of them follow one another. Pure.

export type Segment = { timeline: number; number: bigint }
/** A finished segment of the archive, and the server's clock when its end was safe here. */
export type Archived = Segment & { file: string; atMs: number }
/** Where a timeline left the one before it. */
export type Fork = { timeline: number; parent: number; lsn: bigint }

const hex = (value: bigint | number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0')

/** PostgreSQL's own: timeline, and the number in two halves of which the lower counts segments of 4 GiB. */
export function segmentName({ timeline, number }: Segment, segmentBytes: number): string {
  const perHigh = 0x1_0000_0000n / BigInt(segmentBytes)
  return hex(timeline, 8) + hex(number / perHigh, 8) + hex(number % perHigh, 8)
}

export function segmentOf(name: string, segmentBytes: number): Segment | undefined {
  if (!/^[0-9A-F]{24}$/.test(name)) return undefined
  const perHigh = 0x1_0000_0000n / BigInt(segmentBytes)
  const part = (from: number) => BigInt(`0x${name.slice(from, from + 8)}`)
  return { timeline: Number(part(0)), number: part(8) * perHigh + part(16) }
}

export const historyName = (timeline: number) => `${hex(timeline, 8)}.history`
export function timelineOfHistory(name: string): number | undefined {
  const [, timeline] = /^([0-9A-F]{8})\.history$/.exec(name) ?? []
  return timeline === undefined ? undefined : Number.parseInt(timeline, 16)
}

/** 20260131T120000123Z: sorts as it counts, and every file system takes it. */
export const stampOf = (atMs: number) => new Date(atMs).toISOString().replaceAll(/[-:.]/g, '')
export function momentOf(stamp: string): number {
  const [, year, month, day, hour, minute, second, ms] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/.exec(stamp) ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`)
}

/** The forks that led to a timeline, oldest first, from the text of its history file. */
export function forksOf(timeline: number, history: string): Fork[] {
  const lines = history.split('\n').flatMap((line) => {
    const [, parent, high, low] = /^\s*(\d+)\s+([0-9A-Fa-f]+)\/([0-9A-Fa-f]+)/.exec(line) ?? []
    return parent === undefined ? [] : [{ parent: Number(parent), lsn: (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`) }]
  })
  return lines.map((line, index) => ({ ...line, timeline: lines[index + 1]?.parent ?? timeline }))
}

/** The timeline that a recovery from `from` along the forks reads a segment of. */
export function timelineAt(from: number, forks: readonly Fork[], number: bigint, segmentBytes: number): number {
  const started = forks.findIndex((fork) => fork.parent === from)
  const passed = started < 0 ? [] : forks.slice(started).filter((fork) => fork.lsn / BigInt(segmentBytes) <= number)
  return passed.at(-1)?.timeline ?? from
}
