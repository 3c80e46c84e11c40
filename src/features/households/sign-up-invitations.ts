// An invitation brought along to a sign-up: whether it is open to the address, and joining by it in the sign-up's own transaction.
import { statement } from '../../resources/statement.ts'
import type { Runner, Transaction } from '../../resources/transaction.ts'
import { acceptToken } from './invitation-store.ts'
import { readInvitationToken } from './invitation-token.ts'
import { listHouseholds } from './store.ts'

/** Where an invitation is looked up, as it can be kept until a sign-up is confirmed: the token itself is kept nowhere. */
export type InvitationPlace = { household: string; hash: string }

const isOpenFor = statement(
  'invitations.isOpenFor',
  { household: 'uuid', hash: 'bytea', addressKey: 'text' },
  { open: 'bool' },
  'select invitation_is_open(:household, :hash, :addressKey) as open',
)

const lookUp = ({ household, hash }: InvitationPlace) => ({ household, hash: Buffer.from(hash, 'base64url') })

export const signUpInvitations = {
  /** Null when it cannot be a token. */
  placeOf: (token: string): InvitationPlace | null => {
    const place = readInvitationToken(token)
    return place && { household: place.household, hash: place.hash.toString('base64url') }
  },

  isOpen: async (db: Runner, place: InvitationPlace, addressKey: string): Promise<boolean> =>
    (await db.run(isOpenFor, { ...lookUp(place), addressKey }))[0]!.open,

  /** Makes the transaction's user, who is new, a member; whether it did. The last thing of its transaction, which is in that household from then on. */
  join: async (tx: Transaction, place: InvitationPlace, user: string): Promise<boolean> => {
    const [[outcome], rows] = await Promise.all([tx.run(acceptToken, lookUp(place)), tx.run(listHouseholds, { user })])
    const joined = rows.find((row) => row.id === place.household)
    if (!outcome?.joined || !joined) return false
    tx.raised = { household: joined.id, revision: joined.revision }
    return true
  },
}
