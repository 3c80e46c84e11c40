// Mail by SMTP when it is configured.
import type { Transporter } from 'nodemailer'

export type Mail = { to: string; subject: string; text: string }
export type Mailer = {
  /** `refused` is for good: the server does not take this address. What may pass by itself is thrown. */
  send: (mail: Mail) => Promise<'sent' | 'refused'>
  close: () => void
}

/** A server that is silent for so long is down; all together stays within the time of a shutdown. */
const timeouts = { connectionTimeout: 3_000, greetingTimeout: 3_000, socketTimeout: 8_000 }

/** Null without SMTP: then links are logged for the operator instead. */
export function makeMailer(smtpUrl: string | undefined, from: string | undefined): Mailer | null {
  if (smtpUrl === undefined) return null
  let opening: Promise<Transporter> | undefined
  // Loaded with the first mail: it takes 28 MB.
  const open = () =>
    (opening ??= import('nodemailer').then(({ createTransport }) => createTransport({ url: smtpUrl, ...timeouts }, { from })))
  return {
    send: async (mail) => {
      const transport = await open()
      try {
        // As an object the address is one address, whatever commas it holds.
        await transport.sendMail({ ...mail, to: { name: '', address: mail.to }, from })
        return 'sent'
      } catch (error) {
        const { code, command, responseCode = 0 } = error as { code?: string; command?: string; responseCode?: number }
        if (code === 'EENVELOPE' && (command === 'API' || (command === 'RCPT TO' && responseCode >= 500))) return 'refused'
        throw error
      }
    },
    close: () => void opening?.then((transport) => transport.close()),
  }
}
