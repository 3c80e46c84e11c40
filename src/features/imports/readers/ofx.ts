// Reads OFX and QFX: SGML of versions 1.x and XML of 2.x, both as leniently as banks write them,
// yet whole or not at all.
import { UnreadableFile } from '../statement.ts'
import type { ReadOptions, ReadResult, Statement } from '../statement.ts'
import { readElements, valueOf } from './ofx-elements.ts'
import type { OfxElement } from './ofx-elements.ts'
import { quote } from './ofx-entry.ts'
import { settleIds } from './ofx-ids.ts'
import { isStatement, readStatement } from './ofx-statement.ts'
import { decodeText } from './text.ts'

const headLength = 4096
const root = /<(?:[a-z]\w{0,31}:)?ofx(?=[\s>])/i

/** Whether the head of a file is one of OFX; cheap, and no promise that the rest can be read. */
export function looksLikeOfx(bytes: Uint8Array): boolean {
  const head = headOf(bytes)
  return /^\s*OFXHEADER\s*:|<\?OFX\s/im.test(head) || root.test(head)
}

export function readOfx(bytes: Uint8Array, options: ReadOptions): ReadResult {
  const text = decodeText(bytes, declaredEncoding(headOf(bytes)))
  const start = text.search(root)
  if (start === -1) throw new UnreadableFile(null, 'The file has no OFX element.')
  const prolog = text.slice(0, start)
  const documentType = prolog.search(/<!(?:DOCTYPE|ENTITY)/i)
  if (documentType !== -1) {
    const line = prolog.slice(0, documentType).split(/\r\n?|\n/).length
    throw new UnreadableFile(line, 'The file declares a document type or entities, which are not read.')
  }
  const { roots, isIntuit } = readElements(text, start, /<\?(?:xml|ofx)\s/i.test(prolog))
  const found = { statements: [] as OfxElement[], states: [] as State[] }
  for (const element of roots) collect(element, false, found)
  return { format: isIntuit ? 'qfx' : 'ofx', mapping: null, ...readAll(found.statements, found.states, options) }
}

/** What a bank says of its own answer: to one request for a statement, or of the sign-on and the rest. */
type State = { line: number; isOfStatement: boolean; severity: string; words: string }

function readAll(elements: readonly OfxElement[], states: readonly State[], options: ReadOptions) {
  const failed = states.filter((state) => state.severity === 'ERROR')
  const fatal = failed.find((state) => state.isOfStatement)
  if (fatal) throw new UnreadableFile(fatal.line, `The bank answers with an error in place of a statement: ${fatal.words}.`)
  const warnings: string[] = []
  const byAccount = new Map<string, Statement>()
  for (const element of elements) {
    const { statement, trades, balances } = readStatement(element, options)
    // A file may send one account in several parts; together they are one statement, and their ids are told apart in it.
    const account = JSON.stringify([statement.key, statement.currency])
    const earlier = byAccount.get(account)
    if (earlier) for (const row of statement.rows) earlier.rows.push(row)
    else byAccount.set(account, statement)
    const name = statement.label ?? statement.key
    if (trades > 0) warnings.push(`${name}: ${trades} investment transactions were left out; only cash entries are read.`)
    if (balances > 0) warnings.push(`${name}: balances among the entries, which name no amount, were left out (${balances}).`)
  }
  const statements = [...byAccount.values()]
  const [first] = failed
  if (first && statements.every((statement) => statement.rows.length === 0)) {
    throw new UnreadableFile(first.line, `The bank answers with an error: ${first.words}.`)
  }
  if (statements.length === 0) throw new UnreadableFile(null, 'The file holds no statement of an account.')
  for (const statement of statements) settleIds(statement.rows)
  for (const state of states) warnings.push(`The bank says: ${state.words}.`)
  return { statements, warnings }
}

function collect(element: OfxElement, isOfStatement: boolean, into: { statements: OfxElement[]; states: State[] }): void {
  if (isStatement(element)) into.statements.push(element)
  else if (element.name === 'STATUS') {
    const state = stateOf(element, isOfStatement)
    if (state) into.states.push(state)
  } else {
    for (const child of element.children ?? []) collect(child, element.name.endsWith('STMTTRNRS'), into)
  }
}

/** A STATUS worth telling: an error other than 0, or a warning with words. */
function stateOf(element: OfxElement, isOfStatement: boolean): State | undefined {
  const code = valueOf(element, 'CODE')
  const message = valueOf(element, 'MESSAGE')
  const severity = valueOf(element, 'SEVERITY')?.toUpperCase() ?? ''
  const isError = severity === 'ERROR' && !/^0+$/.test(code ?? '')
  if (!isError && !(severity === 'WARN' && message !== undefined)) return undefined
  const words = `code ${quote(code ?? '')}${message === undefined ? '' : `, ${quote(message)}`}`
  return { line: element.line, isOfStatement, severity, words }
}

/** The first characters of a file with every byte for one, without the zero bytes of UTF-16. */
function headOf(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes.subarray(0, headLength)).replaceAll('\0', '')
}

/** What the header declares; null where the bytes tell better, as banks write UTF-8 under every Latin declaration. */
function declaredEncoding(head: string): string | null {
  const end = head.search(root)
  const header = end === -1 ? head : head.slice(0, end)
  const xml = /<\?xml\s[^>]{0,200}?encoding\s{0,9}=\s{0,9}["']([\w.:-]{1,40})["']/i.exec(header)?.[1]
  if (/^(?:us-ascii|iso-8859-1|windows-1252)$/i.test(xml ?? '')) return null
  if (xml !== undefined) return xml
  if (/ENCODING\s{0,9}:\s{0,9}UTF-?8/i.test(header)) return 'utf-8'
  // The keys may follow each other without a break, so the value ends where its own form does.
  const found = /CHARSET\s{0,9}:\s{0,9}(?:(?:ISO-?)?(8859-\d{1,2})|(?:CP|WINDOWS-)?(125\d)|(UTF-?8))/i.exec(header)
  if (found?.[3]) return 'utf-8'
  if (found?.[1]) return found[1] === '8859-1' ? null : `iso-${found[1]}`
  return found?.[2] && found[2] !== '1252' ? `windows-${found[2]}` : null
}
