// One account's statement of an OFX file: whose it is, in which currency, and its entries.
import { UnreadableFile } from '../statement.ts'
import type { ReadOptions, Statement, StatementRow } from '../statement.ts'
import { childOf, valueOf } from './ofx-elements.ts'
import type { OfxElement } from './ofx-elements.ts'
import { currencyOf, isMovement, readEntry } from './ofx-entry.ts'
import type { EntryContext } from './ofx-entry.ts'
import { readRate } from './ofx-values.ts'
import { cleanWhitespace } from './text.ts'

const accountOf: Record<string, { aggregate: string; kind: string | undefined }> = {
  STMTRS: { aggregate: 'BANKACCTFROM', kind: undefined },
  CCSTMTRS: { aggregate: 'CCACCTFROM', kind: 'credit card' },
  INVSTMTRS: { aggregate: 'INVACCTFROM', kind: 'investment' },
}

const kindOfType: Record<string, string> = {
  MONEYMRKT: 'money market',
  CREDITLINE: 'credit line',
  CD: 'certificate of deposit',
}

export function isStatement(element: OfxElement): boolean {
  return Object.hasOwn(accountOf, element.name)
}

/** A statement whose rows have their FITIDs as sent, and how much was left out: investment transactions and mere balances. */
type Reading = { statement: Statement; trades: number; balances: number }

export function readStatement(element: OfxElement, options: ReadOptions): Reading {
  const currency = childOf(element, 'CURDEF') ?? currencyOfEntries(element)
  const [code, exponent] = currency ? currencyOf(currency, options.exponentOf) : assumedCurrency(options)
  const context = { currency: code ?? '', exponent: exponent ?? 0, exponentOf: options.exponentOf, isPending: false }
  const rows: StatementRow[] = []
  let balances = 0
  collectEntries(element, context, (entry, own) => {
    if (code === undefined) throw new UnreadableFile(element.line, 'The statement names no currency (CURDEF).')
    if (isMovement(entry)) rows.push(readEntry(entry, own))
    else balances++
  })
  return {
    statement: { ...accountNames(element), currency: currency ? (code ?? null) : null, rows, unreadable: [] },
    trades: tradesOf(element),
    balances,
  }
}

/** The currency that an entry gives as its own at a rate of 1: banks that leave CURDEF empty say the statement's there. */
function currencyOfEntries(element: OfxElement): OfxElement | undefined {
  if (element.name === 'CURRENCY') {
    const rate = readRate(valueOf(element, 'CURRATE') ?? '1')
    return rate && rate.numerator === rate.denominator ? childOf(element, 'CURSYM') : undefined
  }
  for (const child of element.children ?? []) {
    const found = currencyOfEntries(child)
    if (found) return found
  }
  return undefined
}

/** The chosen account's currency where the file names none. */
function assumedCurrency(options: ReadOptions): [string, number] | [] {
  const exponent = options.currency === null ? undefined : options.exponentOf(options.currency)
  return options.currency === null || exponent === undefined ? [] : [options.currency, exponent]
}

type Take = (entry: OfxElement, context: EntryContext) => void

function collectEntries(element: OfxElement, context: EntryContext, take: Take): void {
  for (const child of element.children ?? []) {
    const isPending = context.isPending || child.name === 'BANKTRANLISTP' || child.name === 'STMTTRNP'
    const own = isPending === context.isPending ? context : { ...context, isPending }
    if (child.name === 'STMTTRN' || child.name === 'STMTTRNP') take(child, own)
    else if (child.children) collectEntries(child, own, take)
  }
}

function tradesOf(element: OfxElement): number {
  const list = childOf(element, 'INVTRANLIST')?.children ?? []
  return list.filter((child) => child.children && child.name !== 'INVBANKTRAN').length
}

/** Key and label of the account; only the last digits go into the label, which is shown and logged more widely. */
function accountNames(element: OfxElement): Pick<Statement, 'key' | 'label'> {
  const { aggregate, kind } = accountOf[element.name] ?? { aggregate: '', kind: undefined }
  const account = childOf(element, aggregate)
  const number = (valueOf(account, 'ACCTID') ?? '').replace(/\s/g, '')
  const bank = (valueOf(account, 'BANKID') ?? valueOf(account, 'BROKERID') ?? '').replace(/\s/g, '')
  const type = cleanWhitespace(valueOf(account, 'ACCTTYPE') ?? '')
  const named = kind ?? kindOfType[type.toUpperCase()] ?? type.toLowerCase()
  const last = (number.replace(/\D/g, '') || number).slice(-4)
  return {
    key: [bank, number].filter((part) => part !== '').join('/') || 'ofx',
    label: last === '' ? named || null : `${named || 'account'} ...${last}`,
  }
}
