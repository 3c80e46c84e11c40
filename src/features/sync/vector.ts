// The sync cursor: a version vector over the user's households, and how far a walk towards a fixed bound has come.
import { Failure } from '../../values/failure.ts'

/** Household -> the revision up to which the replica has everything. */
export type Vector = Record<string, number>

/** Behind which row of which kind in which household the next page begins. */
export type Position = { household: string; kind: number; revision: number; id: string }

export type SyncState = {
  /** Of which history the revisions are: a database restored from a backup counts them again. */
  epoch: string
  have: Vector
  /** The bound of the walk, fixed at its first page; none when the last answer was complete. */
  to?: Vector
  at?: Position
  /** The kinds that are fetched anew, when it is not all. */
  kinds?: string[]
}

/** Greater than every id: a walk that begins behind a revision begins behind all of its rows. */
export const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

export type Standing = { householdId: string; revision: number; forgottenRevision: number }

/** Refuses a cursor whose revisions are of another history, or older than the deletions that are still told. */
export function checkFresh(state: SyncState, epoch: string, standings: readonly Standing[]) {
  const byId = new Map(standings.map((standing) => [standing.householdId, standing]))
  const stale = Object.entries(state.have).some(([household, revision]) => {
    const standing = byId.get(household)
    return standing !== undefined && (revision < standing.forgottenRevision || revision > standing.revision)
  })
  if (stale || state.epoch !== epoch) {
    throw new Failure('cursor-expired', 'The cursor is too old: sync again without one. Keep what waits to be sent.', { at: '?cursor' })
  }
}

export function sameVector(one: Vector, other: Vector): boolean {
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name])
}

export function vectorOf(standings: readonly Standing[]): Vector {
  return Object.fromEntries(standings.map((standing) => [standing.householdId, standing.revision]))
}

/** Which of the households that the replica has are no longer the user's. */
export function lostHouseholds(have: Vector, now: Vector): string[] {
  return Object.keys(have).filter((household) => !Object.hasOwn(now, household))
}
