// Pure rules: what a push does to what is there. Nothing is read or written here.
import { isDeepStrictEqual } from 'node:util'
import type { Row } from '../../resources/statement.ts'
import type { equalEntries, handWritten, knownByIds } from './intake-store.ts'
import type { Outcome, Push, Pushed } from './shapes.ts'
import { rescaleSplits, type Split } from './splits.ts'

export type Known = Row<typeof handWritten.columns>
export type Found = {
  byIds: Row<typeof knownByIds.columns>[]
  equal: Row<typeof equalEntries.columns>[]
  byHand: Known[]
}
export type Columns = Record<string, unknown>

/** What is to be written, in columns, and what is to be answered. */
export type Settlement = {
  created: Columns[]
  updated: Columns[]
  remembered: Columns[]
  withdrawn: string[]
  released: string[]
  results: { externalId: string; transactionId: string | null; outcome: Outcome }[]
}

export type Means = {
  newId: () => string
  /** What one unit of the original cost in the account's currency. */
  rateOf: (amount: number, original: { amount: number; currency: string }) => string | null
}

/** How a pushed row was found to be a transaction that is there. */
type Match = { known: Known; by: 'id' | 'pendingId' | 'entry' | 'hand' }

export function settle({ transactions, removed = [] }: Push, found: Found, means: Means): Settlement {
  const byId = new Map(found.byIds.toReversed().map((known) => [known.namedBy, known]))
  const superseders = findSuperseders(transactions)
  const matches = match(transactions, superseders, byId, found)
  const settlement: Settlement = { created: [], updated: [], remembered: [], withdrawn: [], released: [], results: [] }
  const taken = new Set([...matches.values()].map(({ known }) => known.id))
  const settled = new Set<string>()
  transactions.forEach((row, index) => {
    if (superseders.has(index))
      return void settlement.results.push({ externalId: row.externalId, transactionId: null, outcome: 'unchanged' })
    const matched = matches.get(index)
    const pending = row.pendingExternalId === undefined ? undefined : byId.get(row.pendingExternalId)
    const isOther = pending !== undefined && pending.id !== matched?.known.id
    // Its posted entry came by another way, such as a file, and so the pending one is gone.
    const isGone = isOther && matched !== undefined && !taken.has(pending.id) && isWithdrawable(pending)
    if (isGone && !settlement.withdrawn.includes(pending.id)) settlement.withdrawn.push(pending.id)
    const aliases = [row.externalId]
    if (row.pendingExternalId !== undefined && (!isOther || isGone)) aliases.push(row.pendingExternalId)
    if (!matched) return create(settlement, row, aliases, means)
    // Two rows of one transaction: the first one says what it is.
    const again = settled.has(matched.known.id)
    settled.add(matched.known.id)
    bring(settlement, row, index, aliases, matched, again, means)
  })
  for (const [index, superseder] of superseders) settlement.results[index]!.transactionId = settlement.results[superseder]!.transactionId
  for (const externalId of removed) withdraw(settlement, externalId, byId.get(externalId), taken)
  // An authorisation that was posted in parts is remembered as the first of them.
  const remembered = new Map(settlement.remembered.toReversed().map((each) => [each['external_id'], each]))
  return { ...settlement, remembered: [...remembered.values()] }
}

/** Rows that another row of the push names as what it was while pending. */
function findSuperseders(rows: readonly Pushed[]): Map<number, number> {
  const named = new Map<string, number>()
  rows.forEach(({ pendingExternalId }, index) => {
    if (pendingExternalId !== undefined && !named.has(pendingExternalId)) named.set(pendingExternalId, index)
  })
  const superseders = new Map<number, number>()
  rows.forEach(({ externalId }, index) => {
    const by = named.get(externalId)
    if (by !== undefined && by !== index && !superseders.has(by)) superseders.set(index, by)
  })
  return superseders
}

/** By its own id, by the id it had while pending, as an equal entry that no feed named yet, as one typed by hand: in this order for all rows. */
function match(rows: readonly Pushed[], superseders: Map<number, number>, byId: Map<string, Known>, found: Found): Map<number, Match> {
  const matches = new Map<number, Match>()
  const taken = new Set<string>()
  const take = (index: number, known: Known, by: Match['by']) => {
    matches.set(index, { known, by })
    taken.add(known.id)
  }
  const open = () => [...rows.entries()].filter(([index]) => !matches.has(index) && !superseders.has(index))
  for (const [index, row] of open()) {
    const known = byId.get(row.externalId)
    if (known) take(index, known, 'id')
  }
  for (const [index, row] of open()) {
    const known = row.pendingExternalId === undefined ? undefined : byId.get(row.pendingExternalId)
    // What was posted under another id is another entry: banks post one authorisation in parts.
    if (known && !taken.has(known.id) && !isPosted(known)) take(index, known, 'pendingId')
  }
  for (const known of found.equal) {
    const index = known.rows.find((each) => !matches.has(each) && !superseders.has(each))
    if (index !== undefined && !taken.has(known.id)) take(index, known, 'entry')
  }
  const pairs = open().flatMap(([index, row]) =>
    found.byHand
      .map((known) => ({ index, known, days: Math.abs(Date.parse(known.date) - Date.parse(row.date)) / 86_400_000 }))
      .filter(({ known, days }) => known.amount === row.amount && days <= 3),
  )
  for (const { index, known } of pairs.toSorted((a, b) => a.days - b.days || a.index - b.index || (a.known.id < b.known.id ? -1 : 1))) {
    if (!matches.has(index) && !taken.has(known.id)) take(index, known, 'hand')
  }
  return matches
}

/** The bank has posted it; a person may call something posted that the bank has not. */
function isPosted(known: Known): boolean {
  return known.status !== 'pending' && (known.origin === null || known.origin === 'met' || known.saidStatus === 'posted')
}

function isWithdrawable(known: Known): boolean {
  return (
    known.origin === 'made' &&
    known.saidStatus === 'pending' &&
    known.status === 'pending' &&
    !known.isDeleted &&
    !known.isTransfer &&
    !known.isElsewhere
  )
}

function create(settlement: Settlement, row: Pushed, aliases: string[], means: Means) {
  const id = means.newId()
  settlement.created.push({
    id,
    date: row.date,
    amount: row.amount,
    payee: row.payee,
    note: row.note ?? '',
    status: row.status,
    raw_payee: row.rawPayee ?? row.payee,
    external_id: row.externalId,
    ...originalColumns(row.original ?? null, row.amount, means),
  })
  remember(settlement, aliases, id, 'made', { status: row.status, payee: row.payee, note: row.note ?? '' })
  settlement.results.push({ externalId: row.externalId, transactionId: id, outcome: 'created' })
}

function bring(settlement: Settlement, row: Pushed, index: number, aliases: string[], { known, by }: Match, again: boolean, means: Means) {
  const answer = (outcome: Outcome) => void settlement.results.push({ externalId: row.externalId, transactionId: known.id, outcome })
  // What is pending in an answer that came late does not undo what the bank has posted; what was typed by hand is not of the bank yet.
  const isLate = row.status === 'pending' && by !== 'hand' && isPosted(known)
  const isGone = known.isDeleted && !known.isWithdrawn
  const said = {
    status: isLate && known.saidStatus !== null ? known.saidStatus : row.status,
    payee: isLate && known.saidPayee !== null ? known.saidPayee : row.payee,
    note: (isLate ? null : row.note) ?? known.saidNote ?? row.note ?? '',
  }
  const ids = [...new Set([...aliases, ...known.ids])]
  const saidBefore = { status: known.saidStatus, payee: known.saidPayee, note: known.saidNote }
  if (!again && (ids.length > known.ids.length || known.isWithdrawn || !isDeepStrictEqual(said, saidBefore))) {
    remember(settlement, ids, known.id, known.origin ?? (by === 'hand' ? 'adopted' : 'met'), said)
  } else if (again && aliases.some((alias) => !known.ids.includes(alias))) {
    remember(settlement, aliases, known.id, known.origin ?? 'met', said)
  }
  if (isGone) return answer('deleted')
  if (isLate || again) return answer('unchanged')
  if (known.status === 'reconciled' || known.isElsewhere) return answer(saysOtherwise(row, known) ? 'kept' : 'unchanged')
  const before = columnsOf(known)
  const after = follow(row, index, known, by, means)
  if (!known.isWithdrawn && isDeepStrictEqual(before, after)) return answer('unchanged')
  settlement.updated.push({ id: known.id, ...after })
  answer(by === 'hand' || by === 'entry' ? 'adopted' : 'updated')
}

function saysOtherwise(row: Pushed, known: Known): boolean {
  return row.date !== known.sourceDate || row.amount !== known.sourceAmount || (row.rawPayee ?? row.payee) !== known.rawPayee
}

function columnsOf(known: Known): Columns {
  return {
    date: known.date,
    amount: known.amount,
    payee: known.payee,
    note: known.note,
    splits: known.splits,
    status: known.status,
    raw_payee: known.rawPayee,
    external_id: known.externalId,
    source_date: known.sourceDate,
    source_amount: known.sourceAmount,
    original_amount: known.originalAmount,
    original_currency: known.originalCurrency,
    original_rate: known.originalRate,
  }
}

/** The columns as the bank has them now, but for what a person edited, what a rule made of it, and the money of a transfer's leg. */
function follow(row: Pushed, index: number, known: Known, by: Match['by'], means: Means): Columns {
  const before = columnsOf(known)
  const isFree = (field: string) => !known.editedFields.includes(field)
  const followsAmount = isFree('amount') && !known.isTransfer
  const amount = followsAmount ? row.amount : known.amount
  const hasNewOriginal = followsAmount && row.original !== undefined
  const original = hasNewOriginal ? row.original! : originalOf(known)
  const isSameOriginal = amount === known.amount && isDeepStrictEqual(original, originalOf(known))
  // The bank's own id of a file is kept beside the feed's; the feed's own id follows when the entry is posted.
  const hasOwnId = known.externalId !== null && !(by === 'pendingId' && known.ids.includes(known.externalId))
  return {
    ...before,
    date: isFree('date') && !known.isTransfer ? row.date : known.date,
    amount,
    splits: known.splits === null ? null : rescaleSplits(known.splits as Split[], known.amount, amount, `/transactions/${index}/amount`),
    payee: isFree('payee') && known.payee === known.saidPayee ? row.payee : known.payee,
    note: isFree('note') && known.note === known.saidNote ? (row.note ?? known.note) : known.note,
    status: known.status === 'pending' ? row.status : known.status,
    raw_payee: row.rawPayee ?? row.payee,
    external_id: hasOwnId ? known.externalId : row.externalId,
    source_date: row.date,
    source_amount: row.amount,
    ...(isSameOriginal ? {} : originalColumns(original, amount, means)),
  }
}

function originalOf(known: Known): { amount: number; currency: string } | null {
  return known.originalAmount === null ? null : { amount: known.originalAmount, currency: known.originalCurrency! }
}

function originalColumns(original: { amount: number; currency: string } | null, amount: number, means: Means): Columns {
  return {
    original_amount: original?.amount ?? null,
    original_currency: original?.currency ?? null,
    original_rate: original && means.rateOf(amount, original),
  }
}

function remember(
  settlement: Settlement,
  ids: readonly string[],
  transactionId: string,
  origin: string,
  said: { status: string; payee: string; note: string },
) {
  settlement.remembered.push(...ids.map((externalId) => ({ external_id: externalId, transaction_id: transactionId, origin, ...said })))
}

/** The bank took a pending entry back: what the feed made goes, what a person typed is theirs again, what was posted stays. */
function withdraw(settlement: Settlement, externalId: string, known: Known | undefined, taken: ReadonlySet<string>) {
  const answer = (outcome: Outcome) => void settlement.results.push({ externalId, transactionId: known?.id ?? null, outcome })
  if (!known) return answer('unchanged')
  if (known.isDeleted) return answer(known.isWithdrawn ? 'unchanged' : 'deleted')
  if (taken.has(known.id)) return answer('kept')
  if (isWithdrawable(known)) {
    if (!settlement.withdrawn.includes(known.id)) settlement.withdrawn.push(known.id)
    return answer('removed')
  }
  if (known.origin === 'adopted' && known.saidStatus === 'pending' && !settlement.released.includes(known.id))
    settlement.released.push(known.id)
  answer('kept')
}
