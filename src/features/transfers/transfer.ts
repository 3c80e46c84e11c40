// Pure rules of transfers: the ids of the legs, the shape, and which changes collide.
import { createHash } from 'node:crypto'

/** The id of a leg follows from the transfer's, so that an offline client knows it too: UUIDv8 of SHA-256("<id>/<side>"). */
export function legId(transferId: string, side: 'from' | 'to'): string {
  const hex = createHash('sha256').update(`${transferId}/${side}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${((parseInt(hex[16]!, 16) & 3) | 8).toString(16)}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** The fields of a transfer, by which journal columns of its legs. */
export const mergedTogether = {
  fromAccountId: ['account_id'],
  toAccountId: ['account_id'],
  amount: ['amount'],
  toAmount: ['amount'],
}

/** A transfer as a draft would say it. */
export function fieldsOf({ from, to }: Transfer) {
  return {
    fromAccountId: from.accountId,
    toAccountId: to.accountId,
    date: from.date,
    amount: -from.amount,
    toAmount: to.amount,
    note: from.note,
  }
}

type Leg = {
  id: string
  revision: number
  accountId: string
  amount: number
  date: string
  note: string
  createdAt: string
  updatedAt: string
}
export type Transfer = { id: string; createdAt: string; updatedAt: string; revision: number; from: Leg; to: Leg }

/** Instants inside of jsonb are written with +00:00; ours end in Z. */
export function present(row: { from: unknown; to: unknown } & Record<string, unknown>): Transfer {
  const instants = (leg: Leg) => ({
    ...leg,
    createdAt: leg.createdAt.replace('+00:00', 'Z'),
    updatedAt: leg.updatedAt.replace('+00:00', 'Z'),
  })
  return { ...row, from: instants(row.from as Leg), to: instants(row.to as Leg) } as unknown as Transfer
}
