// Who and what for: the other party, the note and the amount of purchase of a CAMT.053 entry.
import { minorFromDecimal } from '../../../values/money.ts'
import type { ReadOptions, StatementRow } from '../statement.ts'
import { find, findAll, textAt, type Element } from './camt053-xml.ts'
import { cleanWhitespace } from './text.ts'

type Narrated = Pick<StatementRow, 'payee' | 'rawPayee' | 'note' | 'original'>

export type NarrateSettings = {
  account: string
  currency: string
  exponentOf: ReadOptions['exponentOf']
  credit: boolean
}

/** The payments an entry is made of. */
export function transactionsOf(entry: Element): Element[] {
  return findAll(entry, 'NtryDtls', 'TxDtls')
}

/** The words of a row: of one payment when it is given, else of the entry alone. */
export function narrateEntry(entry: Element, transaction: Element | undefined, amountMinor: number, settings: NarrateSettings): Narrated {
  const reversal = ['true', '1'].includes(textAt(entry, 'RvslInd') ?? '')
  const name = transaction ? otherParty(transaction, reversal, settings) : null
  const additional = textAt(transaction, 'AddtlTxInf') ?? textAt(entry, 'AddtlNtryInf')
  const rawPayee = name ?? additional ?? (transaction ? remittance(transaction, '') || null : null)
  const payee = cleanWhitespace(name ?? additional ?? '') || null
  const note = (transaction && remittance(transaction, payee ?? '')) || cleanWhitespace(additional ?? '')
  return {
    payee,
    rawPayee,
    note: note === '' || note === payee ? null : note,
    original: original(entry, transaction, amountMinor, settings),
  }
}

type Side = { name: string | null; account: string | null }

function side(parties: Element | undefined, role: 'Cdtr' | 'Dbtr'): Side {
  const ultimate = role === 'Cdtr' ? 'UltmtCdtr' : 'UltmtDbtr'
  const account = find(parties, `${role}Acct`, 'Id')
  return {
    name: nameOf(find(parties, role)) ?? nameOf(find(parties, ultimate)),
    account: (textAt(account, 'IBAN') ?? textAt(account, 'Othr', 'Id'))?.replace(/\s/g, '') ?? null,
  }
}

/** Versions from 8 on wrap the party in `Pty`, or name a bank as `Agt`. */
function nameOf(party: Element | undefined): string | null {
  return textAt(party, 'Nm') ?? textAt(party, 'Pty', 'Nm') ?? textAt(party, 'Agt', 'FinInstnId', 'Nm')
}

/**
 * The party that is not the account's owner: the creditor of a debit, the debtor of a credit. The parties of a reversal
 * are those of the payment reversed, which went the other way.
 */
function otherParty(transaction: Element, reversal: boolean, { account, credit }: NarrateSettings): string | null {
  const parties = find(transaction, 'RltdPties')
  if (!parties) return null
  const expected = side(parties, credit === reversal ? 'Cdtr' : 'Dbtr')
  const opposite = side(parties, credit === reversal ? 'Dbtr' : 'Cdtr')
  if (expected.name !== null && expected.account !== account) return expected.name
  // Banks disagree on the roles of returned payments; an account that is not this one gives the other party away.
  if (opposite.name !== null && opposite.account !== account) {
    if (opposite.account !== null || (reversal && expected.name === null)) return opposite.name
  }
  return expected.name
}

/** What the payer wrote, without parts that say the payee again. */
function remittance(transaction: Element, payee: string): string {
  const information = find(transaction, 'RmtInf')
  if (!information) return ''
  const parts: string[] = []
  const seen = new Set<string>()
  const add = (elements: readonly Element[]): void => {
    for (const element of elements) {
      const text = cleanWhitespace(element.text)
      // Beyond a few parts only exact repeats are looked for, lest a file of many tiny parts takes for ever.
      const said = seen.has(text) || (seen.size < 20 && parts.some((part) => part.includes(text)))
      if (text === '' || text === payee || said) continue
      seen.add(text)
      parts.push(text)
    }
  }
  add(findAll(information, 'Ustrd'))
  add(findAll(information, 'Strd', 'CdtrRefInf', 'Ref'))
  add(findAll(information, 'Strd', 'AddtlRmtInf'))
  return parts.join(' ')
}

/** The amount in the currency of purchase; one that cannot be read is left out, for the row stands without it. */
function original(
  entry: Element,
  transaction: Element | undefined,
  amountMinor: number,
  { currency, exponentOf }: NarrateSettings,
): StatementRow['original'] {
  for (const holder of [transaction, entry]) {
    if (!holder) continue
    const stated = [find(holder, 'AmtDtls', 'InstdAmt', 'Amt'), find(holder, 'AmtDtls', 'TxAmt', 'Amt')]
    if (holder === transaction) stated.push(find(holder, 'Amt'))
    for (const amount of stated) {
      const other = amount?.currency?.trim()
      if (!amount || !other || other === currency) continue
      const exponent = exponentOf(other)
      const text = amount.text.trim()
      const minor = exponent !== undefined && /^[\d.]+$/.test(text) ? minorFromDecimal(text, exponent) : undefined
      if (minor) return { amountMinor: amountMinor < 0 ? -minor : minor, currency: other }
    }
  }
  return null
}
