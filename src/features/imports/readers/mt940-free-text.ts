// :86: texts without structure: ABN AMRO's columns and labels, card payments, and plain lines of any bank.
import type { Told } from './mt940-narrative.ts'
import { cleanWhitespace } from './text.ts'

/** Texts are broken after 65 characters; a line that long goes on in the next, a shorter one ends. */
const width = 65

// Labels of Dutch banks with the colon that ends them.
const names = 'IBAN|BIC|Naam|Omschrijving|Kenmerk|Machtiging|Incassant|Betalingskenm\\.|Rekening|REK|Voor|Adres'
const label = new RegExp(`(?<=^|[\\s/])(${names}):(?=\\s|$)`, 'gi')

/** Reads the lines of a narrative that has neither subfields nor code words. */
export function narrateFree(lines: readonly string[]): Told {
  const kept = lines.filter((line) => line.trim() !== '')
  const text = kept
    .map((line) => (line.length >= width ? line : `${line} `))
    .join('')
    .trim()
  return (
    narrateCard(text) ??
    narrateGiro(text) ??
    narrateLabels(text) ??
    narrateClauses(text) ??
    narrateNumberAndName(kept) ??
    narratePlain(kept, text)
  )
}

/** Card payments and withdrawals: terminal, time, shop and city, card; newer texts name the wallet and shop first. */
function narrateCard(text: string): Told | null {
  if (!/^(?:BEA|GEA)[ ,]/.test(text)) return null
  const card = /,PAS\d{1,4}/.exec(text)
  if (!card) return null
  const before = text.slice(0, card.index)
  const older = /\d\d\.\d\d\.\d\d\/\d\d[.:]\d\d\s+/.exec(before)
  // The older text has the time before the shop, the newer a column of blanks.
  const gap = before.search(/\s{2}/)
  const start = older ? older.index + older[0].length : gap
  if (start < 0 || before.slice(start).trim() === '') return null
  const rest = text.slice(card.index + 1).trimStart()
  return { name: before.slice(start).trim(), note: `${before.slice(0, start).trim()} ${rest}` }
}

/** ABN AMRO before IBAN: `GIRO` and a number, or a number with dots, then the name in the first column. */
function narrateGiro(text: string): Told | null {
  const account = /^(?:GIRO\s{1,12}[\d.]{3,15}|\d{1,3}(?:\.\d{2,3}){2,4})\s+(?=\S)/.exec(text)
  if (!account) return null
  const behind = text.slice(account[0].length)
  const column = behind.search(/\s{2}/)
  const name = column < 0 ? behind : behind.slice(0, column)
  return { name, note: column < 0 ? null : behind.slice(column) }
}

function narrateLabels(text: string): Told | null {
  const marks = [...text.matchAll(label)]
  const valueOf = (wanted: string): string | null => {
    const index = marks.findIndex((mark) => mark[1]?.toLowerCase() === wanted)
    const mark = marks[index]
    if (!mark) return null
    const end = marks[index + 1]?.index ?? text.length
    return cleanWhitespace(text.slice(mark.index + mark[0].length, end)).replace(/\/$/, '') || null
  }
  const name = valueOf('naam')
  if (name === null) return null
  const lead = cleanWhitespace(text.slice(0, marks[0]?.index ?? 0))
  // What precedes the labels is either the kind of transfer or, with other banks, the payer's own text.
  const note = valueOf('omschrijving') ?? valueOf('betalingskenm.') ?? (/^SEPA\b/.test(lead) ? null : lead)
  return { name, note, kind: lead }
}

/** mBank: clauses that end in a semicolon, OD: or DLA: before the other party and TYT.: before the text. */
function narrateClauses(text: string): Told | null {
  const clauses = text.split(';').map((clause) => clause.trim())
  const clause = (wanted: RegExp): string | null =>
    clauses
      .find((each) => wanted.test(each))
      ?.replace(wanted, '')
      .trim() || null
  const party = clause(/^(?:OD|DLA):/)
  // The address follows the name behind a column of blanks.
  const name = party?.split(/\s{2}/, 1)[0] ?? null
  return name === null ? null : { name, note: clause(/^TYT\.:/), kind: clauses[0] ?? null }
}

/** The account of the other party and its name on the first line, the payer's text on the next ones. */
function narrateNumberAndName(lines: readonly string[]): Told | null {
  const first = cleanWhitespace(lines[0] ?? '')
  const found = /^(?:[A-Z]{2}\d{2}[A-Z0-9]{8,30}|\d{7,10}) (?=\S)/.exec(first)
  if (!found || first.length > 60) return null
  return { name: first.slice(found[0].length), note: lines.slice(1).join(' ') }
}

function narratePlain(lines: readonly string[], text: string): Told {
  // 999 is the code of a text without subfields; the bank's own journal number may follow it.
  const plain = text.replace(/^999(?:PN\d{4})?\s*/, '')
  const words = cleanWhitespace(plain)
  if (lines.length <= 1) return words.length <= width ? told(words, null) : told(null, words)
  const first = (lines[0] ?? '').trim()
  // Words alone on a first line that no length broke say what the entry is; with digits it is some reference.
  const heads = plain === text && first.length <= 40 && /\p{L}{3}/u.test(first) && !/\d/.test(first)
  return heads ? told(first, lines.slice(1).join(' ')) : told(null, words)
}

function told(heading: string | null, note: string | null): Told {
  return { name: null, heading: heading || null, note }
}
