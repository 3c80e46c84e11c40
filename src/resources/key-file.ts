// A key in a file of its own: 32 bytes as base64 or hex, which nobody but its owner may read.
import { readFileSync, statSync } from 'node:fs'

/** Reads it; an Error says in a sentence why it cannot be used, and never quotes it. */
export function readKeyFile(file: string): Buffer {
  let text: string
  try {
    const { mode, uid } = statSync(file)
    if ((mode & 0o077) !== 0) throw new Error(`${file} may be read by others: chmod 600 ${file}`)
    const self = process.getuid?.()
    if (self !== undefined && self !== 0 && uid !== self && uid !== 0) throw new Error(`${file} belongs to somebody else`)
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw code === undefined ? error : new Error(`${file} cannot be read (${code})`, { cause: error })
  }
  const key = /^[0-9a-f]{64}$/i.test(text)
    ? Buffer.from(text, 'hex')
    : /^[A-Za-z0-9+/]{43}=$/.test(text)
      ? Buffer.from(text, 'base64')
      : null
  if (key === null) throw new Error(`${file} holds no key: it takes 32 bytes as base64 (openssl rand -base64 32) or hex`)
  if (new Set(key).size < 10) throw new Error(`${file} holds a key that anybody can guess`)
  return key
}
