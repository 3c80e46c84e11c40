// German and Polish :86: texts: a transaction code, then numbered subfields, with SEPA's labels within the purpose.
import type { Told } from './mt940-narrative.ts'

/** Subfields are cut after 27 characters, whatever stands there. */
const cutAfter = 27

// The `+` labels stand anywhere, the `:` labels of cooperative banks at the start of a word.
const plusLabels = 'EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|PURP|RREF|BREF|RETR|IBAN|BIC'
const colonLabels = 'EREF|KREF|MREF|CRED|SVWZ|ABWA|ABWE'
const labels = new RegExp(`(?:${plusLabels})\\+|(?<=^|\\s)(?:${colonLabels}):\\s`, 'g')

/** Reads a text such as `105?00LASTSCHRIFT?20SVWZ+Strom?32STADTWERKE`; the fourth character is the separator. */
export function narrateSubfields(text: string): Told {
  const separator = text.charAt(3)
  const byNumber = new Map<number, string[]>()
  let last: string[] | undefined
  for (const piece of text.slice(4).split(separator)) {
    const digits = /^\d\d/.exec(piece)
    if (digits) {
      last = byNumber.get(Number(digits[0])) ?? []
      byNumber.set(Number(digits[0]), last)
      last.push(piece.slice(2))
    } else if (last) {
      // A separator that no number follows is a character of the text.
      last.push(`${last.pop() ?? ''}${separator}${piece}`)
    }
  }
  const pieces = (from: number, to: number): string[] => {
    const numbers = [...byNumber.keys()].filter((number) => number >= from && number <= to)
    return numbers.toSorted((a, b) => a - b).flatMap((number) => byNumber.get(number) ?? [])
  }
  // Only the German layout continues the purpose there; Polish banks keep dates and references in these numbers.
  const purpose = [...pieces(20, 29), ...(separator === '?' ? pieces(60, 63) : [])]
  const { note, party } = readPurpose(joinCut(purpose))
  const name = joinCut(pieces(32, 33)).replaceAll('\n', ' ').trim()
  const kind = pieces(0, 0).join(' ').trim()
  return { name: name || party, note, kind: kind || null }
}

/** Pieces that were cut go together again as they were; behind a shorter one a line ended. */
function joinCut(pieces: readonly string[]): string {
  return pieces
    .map((piece) => (piece.length === cutAfter ? piece : `${piece}\n`))
    .join('')
    .trimEnd()
}

/** What the payer wrote (SVWZ, or what no label claims) and the party on whose behalf it was paid (ABWA, ABWE). */
function readPurpose(purpose: string): { note: string | null; party: string | null } {
  const free: string[] = []
  const written: string[] = []
  let party: string | null = null
  let label = ''
  let start = 0
  const close = (end: number): void => {
    const value = purpose.slice(start, end)
    if (label === '') free.push(value)
    else if (label === 'SVWZ') written.push(value)
    else if (label === 'ABWA' || label === 'ABWE') party ??= value.trim() || null
    // A reference ends with its line; what comes after it without a label is text again.
    else if (value.includes('\n')) free.push(value.slice(value.indexOf('\n') + 1))
  }
  for (const found of purpose.matchAll(labels)) {
    close(found.index)
    label = found[0].slice(0, found[0].search(/[+:]/))
    start = found.index + found[0].length
  }
  close(purpose.length)
  const note = written.join(' ').trim() || free.join(' ').trim()
  return { note: note || null, party }
}
