// Ids that follow from seed, household and place: a run that is taken up again makes the same rows.
import { hash } from 'node:crypto'

const kinds = { user: 1, household: 2, account: 3, category: 4, transaction: 5, transfer: 6, session: 7 } as const
export type IdKind = keyof typeof kinds

/** The ids of a kind in a household but for their last 48 bits: as text, and as the three words of 32 bits they begin with. */
export type IdPrefix = { text: string; first: number; second: number; third: number }

/**
 * UUIDv8, rising with the household as ids by time do. The household is within the first 8 bytes, which is what PostgreSQL
 * compares first when it sorts; a seed has the 30 bits around it.
 */
export function idPrefix(seed: number, number: number, kind: IdKind): IdPrefix {
  const origin = originOf(seed)
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
  const variant = 0x8000 | (parseInt(origin.slice(4, 8), 16) & 0x3fff)
  const digits = `${origin.slice(0, 4)}${hex(number, 8)}8${hex(kinds[kind], 3)}${hex(variant, 4)}0000`
  const wordAt = (at: number) => parseInt(digits.slice(at, at + 8), 16) | 0
  return {
    text: `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-`,
    first: wordAt(0),
    second: wordAt(8),
    third: wordAt(16),
  }
}

const origins = new Map<number, string>()
function originOf(seed: number): string {
  let origin = origins.get(seed)
  if (origin === undefined) origins.set(seed, (origin = hash('sha256', `seed ${seed}`)))
  return origin
}

/** A place is below 2^32. */
export function idAt(prefix: IdPrefix, place: number): string {
  return prefix.text + place.toString(16).padStart(12, '0')
}

export const onlyId = (seed: number, number: number, kind: IdKind) => idAt(idPrefix(seed, number, kind), 0)

/** At most as many as the ids tell apart. */
export const usersMax = 2 ** 32

export function emailOf(seed: number, number: number): string {
  return seed === 1 ? `user${number + 1}@seed.example` : `user${number + 1}@s${seed}.seed.example`
}
