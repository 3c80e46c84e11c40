// Who belongs where: everybody owns a household, a few belong to that of another besides.
import { between, drawFrom } from './draw.ts'
import type { Batch } from './sizes.ts'
import type { Membership, Person } from './tables.ts'

/** Of the users; half of them may only look. */
export const sharedShare = 0.04

/** The other household is one of the same batch, so that after each batch everything that is named is there. */
export function personOf(seed: number, number: number, batch: Batch): Person {
  const draw = drawFrom(seed ^ 0x5eed, number)
  const memberships: Membership[] = [{ household: number, role: 'owner' }]
  if (batch.to - batch.from > 1 && draw() < sharedShare) {
    const household = batch.from + ((number - batch.from + between(draw, 1, batch.to - batch.from - 1)) % (batch.to - batch.from))
    memberships.push({ household, role: draw() < 0.5 ? 'editor' : 'viewer' })
  }
  return { number, memberships }
}
