// Ids that follow from seed, household and place: a run that is taken up again makes the same rows.
import { hash } from 'node:crypto'

const kinds = { user: 1, household: 2, account: 3, category: 4, transaction: 5, transfer: 6, session: 7 } as const
export type IdKind = keyof typeof kinds

/** The first 24 characters of the ids of a kind in a household: UUIDv8, rising with the household as ids by time do. */
export function idPrefix(seed: number, number: number, kind: IdKind): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
  const origin = hash('sha256', `seed ${seed}`).slice(0, 8)
  return `${origin}-${hex(number >>> 14, 4)}-8${hex(kinds[kind], 3)}-${hex(0x8000 | (number & 0x3fff), 4)}-`
}

export function idAt(prefix: string, place: number): string {
  return prefix + place.toString(16).padStart(12, '0')
}

export const onlyId = (seed: number, number: number, kind: IdKind) => idAt(idPrefix(seed, number, kind), 0)

/** At most as many as the ids tell apart. */
export const usersMax = 1 << 30

export function emailOf(seed: number, number: number): string {
  return seed === 1 ? `user${number + 1}@seed.example` : `user${number + 1}@s${seed}.seed.example`
}
