// Writes OFX for the tests of its reader.
import { readOfx } from '../../src/features/imports/readers/ofx.ts'
import type { ReadOptions, StatementRow } from '../../src/features/imports/statement.ts'

const exponents: Record<string, number> = { EUR: 2, USD: 2, AUD: 2, BRL: 2, JPY: 0, KWD: 3 }
export const options: ReadOptions = { exponentOf: (code) => exponents[code], currency: null }

export const read = (text: string, more: Partial<ReadOptions> = {}) => readOfx(Buffer.from(text), { ...options, ...more })

export function sgml(statements: string, encoding = 'ENCODING:UTF-8\nCHARSET:NONE'): string {
  return `OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\n${encoding}\nCOMPRESSION:NONE\n\n<OFX>\n${statements}</OFX>\n`
}

export function statement(entries: string, isXml = false): string {
  const text = `<BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS>
<STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>100<ACCTID>200300<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20260301<DTEND>20260331
${entries}</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1>
`
  return isXml ? ended(text) : text
}

/** One entry a line; a field of undefined is left out, and one that ends in its own end tag stays as it is. */
export function entry(fields: Record<string, string | undefined>): string {
  const all = { TRNTYPE: 'DEBIT', DTPOSTED: '20260302', TRNAMT: '-12.34', FITID: 'F1', NAME: 'Shop', ...fields }
  const tags = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`<${name}>${value}`]))
  return `<STMTTRN>${tags.join('')}</STMTTRN>\n`
}

/** The rows of one or several statements. */
export function rowsOf(statements: string): StatementRow[] {
  return read(sgml(statements)).statements.flatMap(({ rows }) => rows)
}

/** One property of the row that an entry with these fields becomes. */
export function field<Name extends keyof StatementRow>(name: Name, fields: Record<string, string | undefined>): StatementRow[Name] {
  const [row, ...others] = rowsOf(statement(entry(fields)))
  if (!row || others.length > 0) throw new Error('one entry is one row')
  return row[name]
}

/** Ends the leaves, as XML asks for. */
function ended(text: string): string {
  return text.replaceAll(/<([A-Z]+)>([^<\s][^<\r\n]*)/g, '<$1>$2</$1>')
}
