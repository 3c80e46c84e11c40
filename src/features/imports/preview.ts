// From a bank's file to a staged preview, and from staged rows to what the answer shows.
import { Failure } from '../../values/failure.ts'
import { newId } from '../../values/id.ts'
import { limits } from '../../values/limits.ts'
import type { Context } from '../../http/operation.ts'
import type { Row } from '../../resources/statement.ts'
import { readFileApart, type Reading } from './reading.ts'
import { UnreadableFile, type ReadResult, type Statement } from './statement.ts'
import { accountsForImport, assignAccount, classify, readRows, rememberedAccounts, stageRows, summarise } from './store.ts'

export type KeptStatement = { key: string; currency: string | null; label: string | null; accountId: string | null }
export type Summary = { new: number; duplicate: number; matched: number; error: number }

/** Reads the file or refuses with the line and the reason. */
export async function readOrRefuse(bytes: Uint8Array, reading: Reading): Promise<ReadResult> {
  let result: ReadResult
  try {
    result = presentable(await readFileApart(bytes, reading))
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
    if (error.message.startsWith('mapping: ')) throw new Failure('import-mapping-invalid', error.message.slice(9), { at: '/mapping' })
    if (/^the file has more than \d+ (?:rows|entries)$/.test(error.message))
      throw new Failure('import-too-many-rows', error.message, { at: '/file' })
    const where = error.line === null ? '' : `Line ${error.line}: `
    throw new Failure('import-unreadable', where + error.message, {
      errors: [{ pointer: '/file', code: 'import-unreadable', detail: error.message }],
      extra: { line: error.line, reason: error.message },
    })
  }
  const rows = result.statements.reduce((sum, statement) => sum + statement.rows.length + statement.unreadable.length, 0)
  if (rows > limits.importRowsMax) {
    throw new Failure('import-too-many-rows', `The file has ${rows} rows; ${limits.importRowsMax} is the most.`, { at: '/file' })
  }
  return result
}

/** Labels and warnings quote the file, and a quotation may end within a character that takes two units. */
function presentable(result: ReadResult): ReadResult {
  for (const statement of result.statements) statement.label = statement.label?.toWellFormed() ?? null
  return { ...result, warnings: result.warnings.map((warning) => warning.toWellFormed()) }
}

/** At most so many units of a text, with no half of a character left: PostgreSQL keeps none. */
function cut(text: string | null, length: number): string | null {
  return text === null
    ? null
    : text
        .slice(0, length)
        .replace(/[\ud800-\udbff]$/, '')
        .toWellFormed()
}

/** Which account each statement goes to: the one asked for, else the one it went to last time. */
export async function assignAccounts(context: Context, statements: readonly Statement[], asked: string | null): Promise<KeptStatement[]> {
  const household = context.household!.id
  const remembered = new Map(
    (await context.db.run(rememberedAccounts, { household, keys: statements.map((statement) => statement.key) })).map((row) => [
      row.key,
      row.accountId,
    ]),
  )
  if (statements.length === 1 && asked !== null) remembered.set(statements[0]!.key, asked)
  const open = statements.filter((statement) => !remembered.has(statement.key))
  if (asked !== null && open.length === 1) remembered.set(open[0]!.key, asked)
  const kept = statements.map(({ key, currency, label }) => ({ key, currency, label, accountId: remembered.get(key) ?? null }))
  await checkAccounts(context, kept, () => '?accountId')
  return kept
}

/** Refuses accounts that are not there, closed, or in another currency than their statement. */
export async function checkAccounts(context: Context, statements: readonly KeptStatement[], at: (key: string) => string) {
  const ids = [...new Set(statements.map((statement) => statement.accountId).filter((account) => account !== null))]
  if (ids.length === 0) return
  const accounts = new Map((await context.db.run(accountsForImport, { household: context.household!.id, ids })).map((row) => [row.id, row]))
  for (const { key, currency, accountId } of statements) {
    if (accountId === null) continue
    const account = accounts.get(accountId)
    if (!account) throw new Failure('account-not-found', 'There is no such account in this household.', { at: at(key) })
    if (account.closed) throw new Failure('account-closed', 'The account is closed; open it again first.', { at: at(key) })
    if (currency !== null && account.currency !== currency) {
      throw new Failure('currency-mismatch', `The statement ${key} is in ${currency}, the account in ${account.currency}.`, { at: at(key) })
    }
  }
}

/** Stages the rows in chunks and classifies them. */
export async function stage(
  context: Context,
  importId: string,
  result: ReadResult,
  statements: readonly KeptStatement[],
): Promise<Summary> {
  const household = context.household!.id
  const accountOf = new Map(statements.map((statement) => [statement.key, statement.accountId]))
  const rows = result.statements
    .flatMap((statement) => [
      ...statement.rows.map((row) => ({
        line: row.line,
        statement: statement.key,
        account_id: accountOf.get(statement.key),
        status: 'new',
        date: row.date,
        amount: row.amountMinor,
        payee: cut(row.payee, 200),
        raw_payee: cut(row.rawPayee, 1_000),
        note: cut(row.note, 2_000),
        external_id: cut(row.externalId, 255),
        pending: row.status === 'pending',
        original_amount: row.original?.amountMinor ?? null,
        original_currency: row.original?.currency ?? null,
        transaction_id: newId(),
      })),
      ...statement.unreadable.map((row) => ({
        line: row.line,
        statement: statement.key,
        account_id: accountOf.get(statement.key),
        status: 'error',
        reason: cut(`${row.reason} (${row.text})`, 500),
        pending: false,
      })),
    ])
    .toSorted((a, b) => a.line - b.line)
    .map((row, index) => ({ ...row, row: index + 1 }))
  for (let start = 0; start < rows.length; start += limits.importChunkRows) {
    await context.db.run(stageRows, { household, id: importId, rows: rows.slice(start, start + limits.importChunkRows) })
  }
  await context.db.run(classify, { household, id: importId, fresh: statements.map((statement) => statement.key) })
  return await countRows(context, importId)
}

export async function countRows(context: Context, importId: string): Promise<Summary> {
  const summary: Summary = { new: 0, duplicate: 0, matched: 0, error: 0 }
  for (const { status, count } of await context.db.run(summarise, { household: context.household!.id, id: importId }))
    summary[status as keyof Summary] = count
  return summary
}

/** Gives statements their accounts at the commit; answers the keys that had none before. */
export async function reassign(
  context: Context,
  importId: string,
  statements: KeptStatement[],
  accounts: Record<string, string>,
): Promise<string[]> {
  const unknown = Object.keys(accounts).find((key) => !statements.some((statement) => statement.key === key))
  if (unknown !== undefined) {
    throw new Failure('invalid-request', `The file has no statement "${unknown}".`, {
      errors: [{ pointer: pointerOf(unknown), code: 'unknown-field', detail: 'There is no such statement.' }],
    })
  }
  const fresh: string[] = []
  for (const statement of statements) {
    // The key comes out of a file and may be the name of something that every object has.
    const account = Object.hasOwn(accounts, statement.key) ? accounts[statement.key] : undefined
    if (account === undefined || account === statement.accountId) continue
    statement.accountId = account
    fresh.push(statement.key)
  }
  await checkAccounts(context, statements, pointerOf)
  const missing = statements.filter((statement) => statement.accountId === null)
  if (missing.length > 0) {
    throw new Failure('import-account-missing', `Say with accounts to which account the statement ${missing[0]!.key} goes.`, {
      errors: missing.map(({ key }) => ({
        pointer: pointerOf(key),
        code: 'import-account-missing',
        detail: 'The statement has no account.',
      })),
    })
  }
  for (const statement of statements.filter(({ key }) => fresh.includes(key))) {
    await context.db.run(assignAccount, {
      household: context.household!.id,
      id: importId,
      statement: statement.key,
      account: statement.accountId!,
    })
  }
  return fresh
}

function pointerOf(key: string): string {
  return `/accounts/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** All staged rows, in statements of at most 1,000, sent together. */
export async function presentRows(context: Context, importId: string, total: number) {
  const size = limits.statementRowsMax
  const pages = Array.from({ length: Math.ceil(total / size) }, (_, page) =>
    context.db.run(readRows, { household: context.household!.id, id: importId, after: page * size, upTo: (page + 1) * size }),
  )
  return (await Promise.all(pages)).flat().map(presentRow)
}

function presentRow(row: Row<typeof readRows.columns>) {
  const transaction =
    row.date === null
      ? null
      : {
          id: row.matchId ?? row.transactionId,
          accountId: row.accountId,
          date: row.date,
          amount: row.amount,
          payee: row.payee ?? '',
          rawPayee: row.rawPayee,
          note: row.note ?? '',
          externalId: row.externalId,
          status: row.pending ? 'pending' : 'posted',
          original: row.originalAmount === null ? null : { amount: row.originalAmount, currency: row.originalCurrency },
        }
  return { row: row.row, line: row.line, statement: row.statement, status: row.status, reason: row.reason, transaction }
}
