// A household as answers show it, and what its roles mean.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { currency, id, instant } from '../../http/parameters.ts'
import type { Role } from '../../http/operation.ts'

export const role = z.enum(['owner', 'editor', 'viewer']).meta({
  description: 'viewer reads; editor writes the books as well; owner also manages the household, its members and its audit trail.',
})

export const householdShape = z.strictObject({
  id,
  name: z.string(),
  baseCurrency: currency,
  timeZone: z.string(),
  role,
  createdAt: instant,
  updatedAt: instant,
  revision: z.int(),
})

/** Refuses everybody but an owner, by what the database says of them now: a session may not have heard yet. */
export function refuseUnlessOwner(found: string | null | undefined): asserts found is Extract<Role, 'owner'> {
  if (found === null || found === undefined) throw new Failure('not-found', 'There is no such household.')
  if (found !== 'owner') throw new Failure('forbidden', `This takes the role owner; yours is ${found}.`)
}
