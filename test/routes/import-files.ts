// Bank files for the tests of imports, written as banks write them.
import assert from 'node:assert/strict'
import type { Djinn, Person, Reply } from '../harness.ts'

/** A row of a file: day, decimal amount, payee, and the bank's id where the format has one. */
export type Line = readonly [date: string, amount: string, payee: string, id?: string]
type Plain = readonly [date: string, amount: string, payee: string]

export const coffee: Plain = ['2026-02-03', '-3.20', 'Coffee Bar']
export const rent: Plain = ['2026-02-01', '-800.00', 'Landlord']
export const salary: Plain = ['2026-02-27', '2500.00', 'Example Works']

/** A CSV has no ids, so duplicates are counted by day, amount and payee. */
export function csv(...lines: Line[]): string {
  return ['Date,Description,Amount', ...lines.map(([date, amount, payee]) => `${date},${payee},${amount}`)].join('\n') + '\n'
}

export function ofx(account: string, currency: string, ...lines: Line[]): string {
  return `OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:UTF-8\nCHARSET:NONE\n\n<OFX>${ofxStatement(account, currency, ...lines)}</OFX>\n`
}

/** Two accounts in one file. */
export function ofxOf(...statements: string[]): string {
  return `OFXHEADER:100\nDATA:OFXSGML\n\n<OFX>${statements.join('\n')}</OFX>\n`
}

export function ofxStatement(account: string, currency: string, ...lines: Line[]): string {
  const entries = lines.map(
    ([date, amount, payee, id = '']) =>
      `<STMTTRN><TRNTYPE>OTHER<DTPOSTED>${date.replaceAll('-', '')}<TRNAMT>${amount}<FITID>${id}<NAME>${payee}</STMTTRN>`,
  )
  return `<BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>${currency}<BANKACCTFROM><ACCTID>${account}<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST>\n${entries.join('\n')}</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1>`
}

/** Previews a file for an account and commits it; answers what the commit said. */
export async function importFile(person: Person, account: string, file: string | Buffer, query = '') {
  const preview = await previewFile(person, account, file, query)
  const { status, body, text } = await person.post(`/api/imports/${preview.id}/commit`, {})
  assert.equal(status, 200, text)
  return { id: preview.id as string, preview, result: body as { created: number; duplicate: number; matched: number } }
}

export async function previewFile(person: Person, account: string | null, file: string | Buffer, query = '') {
  const { status, body, text } = await person.upload(`/api/imports?${account === null ? '' : `accountId=${account}`}${query}`, file)
  assert.equal(status, 201, text)
  return body
}

/** The rows of a preview in short: what each is, its day, amount and payee. */
export function brief(preview: Reply['body']): unknown[][] {
  return preview.rows.map((row: Reply['body']) => [
    row.status,
    ...(row.transaction ? [row.transaction.date, row.transaction.amount, row.transaction.payee] : []),
  ])
}

/** The live transactions of an account, newest first. */
export async function transactionsOf(person: Person, account: string): Promise<Reply['body'][]> {
  const { status, body, text } = await person.get(`/api/transactions?account=${account}&limit=100`)
  assert.equal(status, 200, text)
  return body.data
}

/** Their amounts, smallest first. */
export async function amountsOf(person: Person, account: string): Promise<number[]> {
  return (await transactionsOf(person, account)).map(({ amount }) => amount as number).toSorted((a, b) => a - b)
}

export async function balanceOf(person: Person, account: string): Promise<number> {
  const { status, body, text } = await person.get(`/api/accounts/${account}`)
  assert.equal(status, 200, text)
  return body.balance
}

/** Holds a refusal against its status, code and pointer. */
export function refused(reply: Reply, status: number, code: string, pointer?: string) {
  assert.equal(reply.status, status, reply.text)
  assert.equal(reply.body.code, code, reply.text)
  if (pointer !== undefined) assert.equal(reply.body.errors[0]?.pointer, pointer, reply.text)
}

/** The statements of imports that a call runs; jobs of the same process run their own meanwhile. */
export async function statementsOf(djinn: Djinn, work: () => Promise<unknown>): Promise<string[]> {
  return (await djinn.count(work)).statements.filter((name) => name.startsWith('imports.'))
}
