// Mailed links: written down as requests for known and unknown addresses alike, worked off after the answer has gone.
import type { Logger } from 'pino'
import { limits } from '../../values/limits.ts'
import type { Database } from '../../resources/database.ts'
import type { Mailer } from '../../resources/mailer.ts'
import { insertLink, takeEmailRequests } from './store.ts'
import { hashToken, newToken } from './tokens.ts'

const sweepMs = 5_000

export type MailedLinks = { wake: () => void; close: () => Promise<void> }

/** Works off the requests, on `wake` and every few seconds; a request whose mail fails is taken up again. */
export function openMailedLinks(database: Database, mailer: Mailer | null, appUrl: string | undefined, log: Logger): MailedLinks {
  let running: Promise<void> = Promise.resolve()
  const work = async () => {
    await database.write({}, async (tx) => {
      for (const request of await tx.run(takeEmailRequests, {})) {
        const mail = await answerRequest(request, appUrl, async (token, purpose, minutes) => {
          await tx.run(insertLink, { hash: hashToken(token), request: request.id, purpose, user: request.userId, minutes })
        })
        if (mail === null) continue
        if (mailer) await mailer.send(mail)
        else log.warn({ to: mail.to, link: mail.link }, 'no mail is configured: hand this link to the person')
      }
    })
  }
  const wake = () => {
    running = running.then(work).catch((error: unknown) => log.error({ err: error }, 'mailed links wait for the next try'))
  }
  const timer = setInterval(wake, sweepMs)
  timer.unref()
  return {
    wake,
    close: async () => {
      clearInterval(timer)
      await running
    },
  }
}

type EmailRequest = { id: string; purpose: string; email: string; userId: string | null }
type KeepLink = (token: string, purpose: string, minutes: number) => Promise<void>

async function answerRequest(request: EmailRequest, appUrl: string | undefined, keep: KeepLink) {
  const link = (path: string, token: string) => `${appUrl ?? ''}/${path}#token=${token}`
  const token = newToken()
  if (request.purpose === 'confirm') {
    if (request.userId !== null) {
      return {
        to: request.email,
        link: '',
        subject: 'You have an account already',
        text: 'Someone, perhaps you, tried to sign up with this address. You have an account already: sign in, or recover your password.',
      }
    }
    await keep(token, 'confirm', limits.confirmLinkMinutes)
    return {
      to: request.email,
      link: link('confirm', token),
      subject: 'Finish your sign-up',
      text: `Open this link within a day to finish your sign-up:\n\n${link('confirm', token)}\n`,
    }
  }
  if (request.userId === null) return null
  await keep(token, 'recover', limits.recoveryLinkMinutes)
  return {
    to: request.email,
    link: link('recover', token),
    subject: 'Choose a new password',
    text: `Open this link within ${limits.recoveryLinkMinutes} minutes to choose a new password:\n\n${link('recover', token)}\n\nIf you did not ask for it, do nothing.`,
  }
}
