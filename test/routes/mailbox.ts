// A real SMTP server that keeps what it was sent.
import { EventEmitter, once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

export type Letter = { to: string; subject: string; text: string; token: string | null }

export type Mailbox = {
  url: string
  letters: Letter[]
  /** Addresses that the server refuses for good (550). */
  refused: Set<string>
  /** How often a refused address was tried. */
  refusals: number
  /** While set, everybody is put off (451). */
  busy: boolean
  /** The letter with this number for the address, counted from 1, once it is there. */
  letter: (to: string, number?: number) => Promise<Letter>
  /** Resolves when somebody is put off. */
  puttingOff: () => Promise<unknown>
  close: () => Promise<void>
}

export async function openMailbox(): Promise<Mailbox> {
  const arrivals = new EventEmitter()
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    logger: false,
    onRcptTo: ({ address }, _session, done) => {
      if (mailbox.busy) {
        arrivals.emit('put off')
        return done(Object.assign(new Error('Try again later'), { responseCode: 451 }))
      }
      if (!mailbox.refused.has(address)) return done()
      mailbox.refusals++
      done(Object.assign(new Error('No such user'), { responseCode: 550 }))
    },
    onData: (stream, session, done) => {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        mailbox.letters.push(readLetter(session.envelope.rcptTo[0]!.address, Buffer.concat(parts).toString('utf8')))
        done()
        arrivals.emit('letter')
      })
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const mailbox: Mailbox = {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    letters: [],
    refused: new Set(),
    refusals: 0,
    busy: false,
    letter: async (to, number = 1) => {
      for (;;) {
        const found = mailbox.letters.filter((letter) => letter.to === to)[number - 1]
        if (found) return found
        await once(arrivals, 'letter', { signal: AbortSignal.timeout(15_000) })
      }
    },
    puttingOff: () => once(arrivals, 'put off', { signal: AbortSignal.timeout(15_000) }),
    close: async () => {
      server.close()
      await once(server.server, 'close')
    },
  }
  return mailbox
}

function readLetter(to: string, raw: string): Letter {
  const [head = '', body = ''] = raw.split(/\r\n\r\n([^]*)/)
  const text = /^content-transfer-encoding: quoted-printable/im.test(head)
    ? body.replaceAll('=\r\n', '').replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    : body
  return {
    to,
    subject: /^subject: (.*)$/im.exec(head)?.[1]?.trim() ?? '',
    text,
    token: /#token=([A-Za-z0-9_-]+)/.exec(text)?.[1] ?? null,
  }
}
