// The :86: text of MT940: from a bank's subfields, code words or columns to the other party and the note.
import type { Field } from './mt940-fields.ts'
import { narrateCodeWords } from './mt940-code-words.ts'
import { narrateFree } from './mt940-free-text.ts'
import { narrateSubfields } from './mt940-subfields.ts'
import { cleanWhitespace } from './text.ts'

/**
 * What a narrative says. Where no party is named, `kind`, the bank's word for the sort of entry, stands in for it, or
 * `heading`, the first words of a text without structure, which belong to the note otherwise.
 */
export type Told = {
  name: string | null
  note: string | null
  kind?: string | null
  heading?: string | null
  original?: { amount: string; currency: string } | null
}

export type Narrative = {
  payee: string | null
  rawPayee: string | null
  note: string | null
  original: { amount: string; currency: string } | null
}

/** The words of one entry: its :86: fields, its :NS: fields and what follows the references of its :61: line. */
export function narrate(narrative: readonly Field[], subfields: readonly Field[], supplement: string): Narrative {
  const lines = narrative.flatMap((field) => field.lines)
  const whole = lines.map((line) => line.trim()).filter((line) => line !== '')
  const told = tell(lines, narrative, subfields)
  // Behind the references banks write a name, an account number, a code or a kind of entry: only words are of use.
  const words = cleanWhitespace(supplement)
  const extra = /[\p{L}]{3}/u.test(words) && !/^(?:\/|[A-Z]{2}\d{2}[A-Z0-9]{8,30}$)/.test(words) ? words : null
  const party = told.name ?? extra
  const raw = party ?? told.heading ?? told.kind ?? null
  const payee = cleanWhitespace(raw ?? '') || null
  const heading = party === null ? '' : (told.heading ?? '')
  const note = cleanWhitespace(`${heading} ${told.note ?? ''}`) || null
  const ofPurchase = /^\/OCMT\/([A-Z]{3})(\d{1,15},\d{0,3})(?:\/|$)/.exec(words)
  const original = ofPurchase ? { currency: ofPurchase[1] ?? '', amount: ofPurchase[2] ?? '' } : null
  return {
    payee,
    rawPayee: raw?.trim() || whole.join(' ') || null,
    note: note === payee ? null : note,
    original: told.original ?? original,
  }
}

function tell(lines: readonly string[], narrative: readonly Field[], subfields: readonly Field[]): Told {
  // A few banks send two :86: fields, the first with the code alone, the second with code and subfields.
  const structured = narrative.find((field) => isSubfielded(field.lines[0] ?? ''))
  if (structured) return narrateSubfields(structured.lines.join('').trimStart())
  if (/^\s*\/[A-Z]{2,4}\//.test(lines[0] ?? '')) {
    // Rabobank, whose words these are, cuts elsewhere and keeps the blanks.
    const keepsBlanks = lines.some((line) => /\/(?:ORDP|BENM)\//.test(line))
    const told = narrateCodeWords((keepsBlanks ? lines.join('') : joinWrapped(lines)).trim())
    if (told) return told
  }
  if (lines.some((line) => line.trim() !== '')) return narrateFree(lines)
  return narrateNumbered(subfields.flatMap((field) => field.lines))
}

/** A transaction code of three digits, the separator the bank chose, and the first subfield's number. */
function isSubfielded(line: string): boolean {
  return /^\s*\d{3}[?~<>^|!§]\d\d/.test(line)
}

/** A line of 64 characters in a text broken after each 65 has lost the blank it ended in. */
export function joinWrapped(lines: readonly string[]): string {
  return lines.map((line, index) => (line.length === 64 && index < lines.length - 1 ? `${line} ` : line)).join('')
}

/** The :NS: field of home-banking programs: 01 to 14 the purpose, 15 and 16 the name, 17 the kind of entry. */
function narrateNumbered(lines: readonly string[]): Told {
  const texts = (from: number, to: number): string | null =>
    lines
      .filter((line) => /^\d\d/.test(line) && Number(line.slice(0, 2)) >= from && Number(line.slice(0, 2)) <= to)
      .map((line) => line.slice(2).trim())
      .join(' ') || null
  return { name: texts(15, 16), note: texts(1, 14), kind: texts(17, 17) }
}
