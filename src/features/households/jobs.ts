// Mails invitations once the transaction that made them is committed, and sweeps out those that ended long ago.
import type { Logger } from 'pino'
import { z } from 'zod'
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import type { Mail, Mailer } from '../../resources/mailer.ts'
import type { Tasks } from '../../resources/queue.ts'
import { hashInvitationToken, invitationLink, newInvitationToken } from './invitation-token.ts'
import { insertInvitationToken, readInvitationMail, requeueInvitationMail, sweepInvitations } from './invitation-store.ts'

export type HouseholdTaskNeeds = {
  /** As the keeper of the books. */
  database: Database
  /** Null where mail is not configured any more: what is still queued comes to nothing. */
  mailer: Mailer | null
  appUrl: string | undefined
  log: Logger
}

const mailJob = z.strictObject({ household: z.uuid(), invitation: z.uuid() })
const againMinutes = 5

export function householdTasks(needs: HouseholdTaskNeeds): Tasks {
  return {
    mailInvitation: (payload) => mailInvitation(needs, mailJob.parse(payload)),
    sweepInvitations: async () => {
      await needs.database.write({}, (tx) => tx.run(sweepInvitations, { days: limits.endedInvitationDays }), 'djinn_keeper')
    },
  }
}

export const householdSchedule = ['43 3 * * * sweepInvitations ?jobKey=sweepInvitations&max=5']

async function mailInvitation({ database, mailer, appUrl, log }: HouseholdTaskNeeds, { household, invitation }: z.infer<typeof mailJob>) {
  if (!mailer || appUrl === undefined) return
  // A token of its own for each mail: none is ever kept, so the one that the owner was told cannot be sent.
  const token = newInvitationToken(household)
  const open = await database.write(
    {},
    async (tx) => {
      const [found] = await tx.run(readInvitationMail, { household, id: invitation })
      if (found) await tx.run(insertInvitationToken, { household, hash: hashInvitationToken(token), invitation })
      return found
    },
    'djinn_keeper',
  )
  if (!open) return
  try {
    if ((await mailer.send(mailOf(open, invitationLink(appUrl, token)))) === 'refused') {
      log.warn({ invitation }, 'the mail server refuses the address')
    }
  } catch (error) {
    // A mail server that is down for an hour is no reason to give up.
    if (!open.tryAgain) throw error
    log.error({ err: error, invitation }, 'an invitation waits for the next try')
    await database.write({}, (tx) => tx.run(requeueInvitationMail, { household, invitation, minutes: againMinutes }), 'djinn_keeper')
  }
}

type Open = { email: string; role: string; expiresAt: string; householdName: string; inviter: string }

function mailOf({ email, role, expiresAt, householdName, inviter }: Open, link: string): Mail {
  // Names are others' to choose: on one line, they cannot pass for the text around them.
  const [household, name] = [householdName, inviter].map((chosen) => chosen.replaceAll(/\s+/g, ' ').trim())
  const work = role === 'viewer' ? 'read it' : role === 'editor' ? 'read and write it' : 'own it together'
  return {
    to: email,
    subject: `${name} shares a household with you`,
    text:
      `${name} invites you to the household "${household}", to ${work}.\n\nOpen this link until ${expiresAt.slice(0, 10)} to join:\n\n${link}\n\n` +
      'It works once, and only for this address. If you do not know who sent it, do nothing.\n',
  }
}
