// Takes a QIF file apart: lists opened by lines with !, entries ended by ^, fields by their first letter.

/** The fields of one entry as written; null where the entry has none. */
export type QifEntry = {
  line: number
  date: string | null
  amount: string | null
  payee: string | null
  memo: string | null
  number: string | null
  hasCategory: boolean
  splits: string[]
  /** Whether fields that occur once came twice: the ^ between two entries is missing. */
  joined: boolean
  text: string
}

/** A list of transactions and the account it is of, when the file names it. */
export type QifSection = { account: string | null; kind: string; entries: QifEntry[] }

const bankKinds = new Set(['bank', 'ccard', 'cash', 'oth a', 'oth l'])
// Lists of Quicken's own settings; nobody misses them.
const silentLists = new Set(['cat', 'class', 'memorized', 'tag', 'budget', 'prices', 'security'])

type Mode = { is: 'entries'; section: QifSection } | { is: 'account' } | { is: 'skipped'; list: string | null }

/** The sections of the file, and the lists that are skipped with the number of their entries. */
export function qifSections(text: string): { sections: QifSection[]; skipped: Map<string, number> } {
  const sections: QifSection[] = []
  const skipped = new Map<string, number>()
  let account: string | null = null
  let mode: Mode = { is: 'skipped', list: null }
  let fields: { line: number; texts: string[] } | undefined
  const end = (): void => {
    if (!fields) return
    if (mode.is === 'entries') mode.section.entries.push(toEntry(fields.line, fields.texts))
    else if (mode.is === 'account') account = accountName(fields.texts) ?? account
    else if (mode.list !== null) skipped.set(mode.list, (skipped.get(mode.list) ?? 0) + 1)
    fields = undefined
  }
  for (const [index, raw] of text.split(/\r\n|\n|\r/).entries()) {
    const line = raw.trim()
    if (line.startsWith('!')) {
      // An entry may end with its list when its ^ is missing.
      end()
      mode = opened(line, account, mode)
      if (mode.is === 'entries') sections.push(mode.section)
    } else if (line.startsWith('^')) end()
    else if (line !== '') {
      fields ??= { line: index + 1, texts: [] }
      fields.texts.push(line)
    }
  }
  end()
  return { sections, skipped }
}

/** What a line with ! opens; options and the like change nothing. */
function opened(line: string, account: string | null, mode: Mode): Mode {
  const name = line.slice(1).trim().toLowerCase()
  if (name.startsWith('account')) return { is: 'account' }
  if (!name.startsWith('type:')) return mode
  const kind = name.slice(5).trim().replace(/\s+/g, ' ')
  if (bankKinds.has(kind)) return { is: 'entries', section: { account, kind, entries: [] } }
  return { is: 'skipped', list: silentLists.has(kind) ? null : kind.slice(0, 40) }
}

function accountName(texts: readonly string[]): string | null {
  const name = texts
    .find((text) => text.startsWith('N'))
    ?.slice(1)
    .trim()
  return name ? name.slice(0, 200) : null
}

function toEntry(line: number, texts: readonly string[]): QifEntry {
  const found = new Map<string, string>()
  const splits: string[] = []
  let joined = false
  for (const text of texts) {
    const letter = text.charAt(0)
    const value = text.slice(1).trim()
    if (letter === '$') splits.push(value)
    if (letter === 'D' || letter === 'T') joined ||= found.has(letter)
    if (!found.has(letter)) found.set(letter, value)
  }
  return {
    line,
    date: found.get('D') || null,
    // Newer files write the amount twice, as T and as U.
    amount: found.get('T') || found.get('U') || null,
    payee: found.get('P') || null,
    memo: found.get('M') || null,
    number: found.get('N') || null,
    hasCategory: found.has('L'),
    splits,
    joined,
    text: texts.join(' '),
  }
}
