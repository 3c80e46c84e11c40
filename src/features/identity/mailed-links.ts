// Mailed links: written down as requests for known and unknown addresses alike, worked off after the answer has gone.
import type { Logger } from 'pino'
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import type { Mailer } from '../../resources/mailer.ts'
import { handleEmailRequest, insertLink, takeEmailRequest } from './store.ts'
import { hashToken, newToken } from './tokens.ts'

const sweepMs = 5_000
/** How many requests whose mail fails a round passes over before it takes the mail server for down. */
const failuresMax = 5

export type MailedLinks = { wake: () => void; close: () => Promise<void> }

/** Works off the requests, on `wake` and every few seconds; a request whose mail fails is taken up again for a day. */
export function openMailedLinks(database: Database, mailer: Mailer | null, appUrl: string | undefined, log: Logger): MailedLinks {
  let running: Promise<void> = Promise.resolve()
  const workOne = async (failed: string[]) =>
    await database.write({}, async (tx) => {
      // Locked until its mail is on the way, so that no other process sends it as well.
      const [request] = await tx.run(takeEmailRequest, { without: failed })
      if (!request) return false
      if (!mailer) {
        // The link itself would be a key to the account, for whoever reads the log.
        if (request.userId !== null) {
          log.warn(
            { request: request.id, userId: request.userId },
            'no mail is configured: djinn user recovery-link makes the link that a person asked for',
          )
        }
        await tx.run(handleEmailRequest, { id: request.id })
        return true
      }
      const mail = await answerRequest(request, appUrl, async (token, purpose, minutes) => {
        // In a transaction of its own: the link must work by the time somebody can read the mail.
        await database.write({}, (own) =>
          own.run(insertLink, { hash: hashToken(token), request: request.id, purpose, user: request.userId, minutes }),
        )
      })
      if (mail) {
        try {
          if ((await mailer.send(mail)) === 'refused') log.warn({ request: request.id }, 'the mail server refuses the address')
        } catch (error) {
          failed.push(request.id)
          log.error({ err: error, request: request.id }, 'a mailed link waits for the next try')
          return failed.length < failuresMax
        }
      }
      await tx.run(handleEmailRequest, { id: request.id })
      return true
    })
  const work = async () => {
    const failed: string[] = []
    while (!closing && (await workOne(failed)));
  }
  let closing = false
  const wake = () => {
    running = running.then(work).catch((error: unknown) => log.error({ err: error }, 'mailed links wait for the next try'))
  }
  const timer = setInterval(wake, sweepMs)
  timer.unref()
  return {
    wake,
    close: async () => {
      closing = true
      clearInterval(timer)
      await running
    },
  }
}

/** Where the app takes a token; a fragment is sent to no server. */
export function linkTo(appUrl: string | undefined, path: 'confirm' | 'recover', token: string): string {
  return `${appUrl ?? ''}/${path}#token=${token}`
}

type EmailRequest = { id: string; purpose: string; email: string; userId: string | null }
type KeepLink = (token: string, purpose: string, minutes: number) => Promise<void>

async function answerRequest(request: EmailRequest, appUrl: string | undefined, keep: KeepLink) {
  const link = (path: 'confirm' | 'recover', token: string) => linkTo(appUrl, path, token)
  const token = newToken()
  if (request.purpose === 'confirm') {
    if (request.userId !== null) {
      return {
        to: request.email,
        subject: 'You have an account already',
        text: 'Someone, perhaps you, tried to sign up with this address. You have an account already: sign in, or recover your password.',
      }
    }
    await keep(token, 'confirm', limits.confirmLinkMinutes)
    return {
      to: request.email,
      subject: 'Finish your sign-up',
      text: `Open this link within a day to finish your sign-up:\n\n${link('confirm', token)}\n`,
    }
  }
  if (request.userId === null) return null
  await keep(token, 'recover', limits.recoveryLinkMinutes)
  return {
    to: request.email,
    subject: 'Choose a new password',
    text: `Open this link within ${limits.recoveryLinkMinutes} minutes to choose a new password:\n\n${link('recover', token)}\n\nIf you did not ask for it, do nothing.`,
  }
}
