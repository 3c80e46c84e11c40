// The log: JSON lines on standard error for the journal of the system, which also rotates them; no secret and no address passes.
import { pino, type Logger } from 'pino'

const redacted = '[redacted]'

/** Fields that hold a secret whatever it looks like, at any depth, and in JSON that somebody quoted. */
const secretFields =
  '(?:current|new|old)?password|(?:access|refresh|push|fcm|device|id)?_?token|authorization|cookie|set-cookie|totp|otp|secret|sharedSecret|signature|recoveryCode|link|uri'
const patterns: [RegExp, string][] = [
  [new RegExp(`"(${secretFields})":"(?:[^"\\\\]|\\\\.)*"`, 'gi'), `"$1":"${redacted}"`],
  [new RegExp(`\\\\"(${secretFields})\\\\"\\s*:\\s*\\\\".*?(?<!\\\\)\\\\"`, 'gi'), `\\"$1\\":\\"${redacted}\\"`],
  [/"(recoveryCodes)":\[[^\]]*\]/gi, `"$1":"${redacted}"`],
  // Of a request's body the code is a second factor's; that of an error says what it is.
  [/("body":\{[^}]*"code":)"[^"]*"/g, `$1"${redacted}"`],
  [/\b(Bearer|Basic)\s+[^\s"\\]+/gi, `$1 ${redacted}`],
  // The user and password of a URL.
  [/:\/\/[^\s"\\/@]+@/g, `://${redacted}@`],
  // A hash of a password, whose salt and digest hold slashes.
  [/\$argon2[^\s"\\]*/g, redacted],
  // Tokens of FCM, then whatever else is as long as a token: names and ids are shorter.
  [/[\w-]{11,64}:[\w-]{60,}/g, redacted],
  [/(?<![\w-])[\w-]{40,}(?![\w-])/g, redacted],
  // A recovery code.
  [/\b[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){3}\b/gi, redacted],
  // A shared secret of a second factor, in base 32.
  [/\b[A-Z2-7]{26,}\b/g, redacted],
  // E-mail addresses, as they are and as they stand in a URL.
  [/[^\s"`<>()[\],:;\\/@=?&]+(?:@|%40)[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu, '[address]'],
]

/** The last gate of every line: what may have come in with an error's message is taken out by its looks. */
export function scrub(line: string): string {
  let clean = line
  for (const [pattern, replacement] of patterns) clean = clean.replace(pattern, replacement)
  return clean
}

export function makeLog(level: string, write?: (line: string) => void): Logger {
  // Synchronous, so that the last line before a crash is there; lines are few (see http/observe.ts).
  const standardError = write ? null : pino.destination({ dest: 2, sync: true })
  const writeLine = write ?? ((line: string) => void standardError?.write(line))
  return pino(
    {
      level,
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      // Errors of the database driver carry their whole connection; what helps is the message, the code and the stack.
      serializers: { err: ({ name, message, code, constraint, stack }) => ({ name, message, code, constraint, stack }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    { write: (line) => writeLine(scrub(line)) },
  )
}
