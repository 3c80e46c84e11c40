// Mail by SMTP when it is configured.
import { createTransport } from 'nodemailer'

export type Mail = { to: string; subject: string; text: string }
export type Mailer = { send: (mail: Mail) => Promise<void>; close: () => void }

/** Null without SMTP: then links are logged for the operator instead. */
export function makeMailer(smtpUrl: string | undefined, from: string | undefined): Mailer | null {
  if (smtpUrl === undefined) return null
  const transport = createTransport(smtpUrl, { from })
  return {
    send: async (mail) => {
      await transport.sendMail({ ...mail, from })
    },
    close: () => transport.close(),
  }
}
