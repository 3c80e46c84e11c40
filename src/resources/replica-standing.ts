// What a replica is and how far it is, judged from what it and the primary say of themselves: no clock of theirs is read.
import { limits } from '../values/limits.ts'

/** Where the primary stood; positions are bytes of its log. */
export type PrimaryStanding = {
  system: string
  timeline: number
  databaseOid: number
  /** Up to where a replica can have it. */
  flushed: number
  /** Nothing is committed behind it. */
  written: number
}

export type ReplicaStanding = {
  inRecovery: boolean
  system: string
  timeline: number
  databaseOid: number
  /** Up to where reads see it. */
  replayed: number
}

/**
 * Why reads must never go there, in words that follow its name; null for a replica of this primary. `replayedBefore` is up to where it
 * had replayed before the primary was asked.
 */
export function refusalOf(primary: PrimaryStanding, replica: ReplicaStanding, replayedBefore: number): string | null {
  if (replica.system !== primary.system) return 'is of another cluster: its system identifier is not that of the primary'
  if (!replica.inRecovery) return 'is no replica: it is not in recovery (was it promoted?)'
  if (replica.databaseOid !== primary.databaseOid) return 'names another database of the cluster'
  if (replica.timeline !== primary.timeline) {
    return `follows timeline ${replica.timeline}, and the primary is on ${primary.timeline}`
  }
  if (replayedBefore > primary.written) return 'is ahead of the primary: it is of another history'
  return null
}

/** What a replica still lacks: positions of the primary, and when they were seen there. */
export class Lag {
  readonly #missing: { position: number; seenMs: number }[] = []
  #caughtUp = false
  readonly #floor: number

  /** Before `floor` a replica lacks what this process relies on: it counts from there on. */
  constructor(floor: number) {
    this.#floor = floor
  }

  /** The primary was there at that moment of our own clock. */
  seen(position: number, seenMs: number) {
    const last = this.#missing.at(-1)
    if ((last && last.position >= position) || this.#missing.length >= limits.replicaPositionsMax) return
    this.#missing.push({ position, seenMs })
  }

  replayed(position: number) {
    this.#caughtUp ||= position >= this.#floor
    while (this.#missing.length > 0 && this.#missing[0]!.position <= position) this.#missing.shift()
  }

  /** Whether it has come to where the primary was when this process began. */
  get caughtUp() {
    return this.#caughtUp
  }

  /** For how long the oldest of what it lacks has been there; 0 when it lacks nothing. */
  lagMs(nowMs: number): number {
    return this.#missing.length === 0 ? 0 : nowMs - this.#missing[0]!.seenMs
  }
}
