// What the user sees: the confirmed rows with everything from the outbox laid over them, balances included.
import type { Entry } from './outbox.ts'
import { keyOf, type Change, type Tables } from './replica.ts'
import type { Account, Bill, Category, Rule, Transaction } from './rows.ts'

/** Lays the entries over copies of the tables, in order. */
export function viewOf(confirmed: Tables, entries: readonly Entry[]): Tables {
  if (entries.length === 0) return confirmed
  const view: Tables = {
    households: confirmed.households,
    accounts: new Map(confirmed.accounts),
    categories: new Map(confirmed.categories),
    transactions: new Map(confirmed.transactions),
    budgets: new Map(confirmed.budgets),
    rules: new Map(confirmed.rules),
    bills: new Map(confirmed.bills),
    occurrences: confirmed.occurrences,
  }
  const touched = new Set<string>()
  for (const entry of entries) layOver(view, entry, touched)
  adjustBalances(confirmed, view, touched)
  return view
}

function layOver(view: Tables, entry: Entry, touched: Set<string>) {
  if (entry.kind === 'transfers') {
    for (const side of ['from', 'to'] as const) layLeg(view, entry, side, touched)
    return
  }
  const key = keyOf(entry.householdId, entry.id)
  if (entry.kind === 'transactions') touched.add(key)
  const table = view[entry.kind] as Map<string, Account | Category | Transaction | Rule | Bill>
  if (entry.action === 'delete') table.delete(key)
  if (entry.action === 'create') table.set(key, draftRow(view, entry))
  if (entry.action === 'update') {
    const row = table.get(key)
    if (row) table.set(key, { ...row, ...entry.body, ...openedWith(row, entry) } as typeof row)
  }
}

/** An account that opens with more has more. */
function openedWith(row: Account | Category | Transaction | Rule | Bill, { body }: Entry): Partial<Account> {
  if (!('openingBalance' in row) || typeof body['openingBalance'] !== 'number') return {}
  return { balance: row.balance + body['openingBalance'] - row.openingBalance }
}

/** One leg of a transfer that waits to be sent. */
function layLeg(view: Tables, entry: Entry, side: 'from' | 'to', touched: Set<string>) {
  const { legs, body } = entry
  if (!legs) return
  const key = keyOf(entry.householdId, legs[side])
  touched.add(key)
  if (entry.action === 'delete') view.transactions.delete(key)
  const known = view.transactions.get(key)
  if (entry.action === 'restore' || entry.action === 'delete' || (entry.action === 'update' && !known)) return
  const ownAmount = side === 'to' ? (body['toAmount'] ?? (acrossCurrencies(view, entry) ? undefined : body['amount'])) : body['amount']
  const amount = ownAmount as number | undefined
  const accountId = body[side === 'from' ? 'fromAccountId' : 'toAccountId'] as string | undefined
  const changes = {
    ...(amount === undefined ? {} : { amount: side === 'from' ? -amount : amount }),
    ...(accountId === undefined ? {} : { accountId }),
    ...(body['date'] === undefined ? {} : { date: body['date'] }),
    ...(body['note'] === undefined ? {} : { note: body['note'] }),
  }
  const other = side === 'from' ? 'to' : 'from'
  const otherAccount = (body[other === 'from' ? 'fromAccountId' : 'toAccountId'] as string | undefined) ?? known?.transfer?.accountId ?? ''
  const transfer = { id: entry.id, side, transactionId: legs[other], accountId: otherAccount }
  const row = known ?? draftRow(view, { ...entry, kind: 'transactions', id: legs[side], body: changes })
  view.transactions.set(key, { ...row, ...changes, transfer } as Transaction)
}

/** Whether the legs that are there already are in two currencies: then each amount is of its own. */
function acrossCurrencies(view: Tables, { householdId, legs }: Entry): boolean {
  const [from, to] = [legs!.from, legs!.to].map((leg) => view.transactions.get(keyOf(householdId, leg)))
  return from !== undefined && to !== undefined && from.currency !== to.currency
}

function draftRow(view: Tables, entry: Entry): Account & Category & Transaction & Rule & Bill {
  const { householdId, id, body } = entry
  const stamps = { id, householdId, createdAt: '', updatedAt: '', revision: 0 }
  const defaults: Record<string, object> = {
    accounts: { note: '', institutionId: null, openingBalance: 0, balance: body['openingBalance'] ?? 0, pendingBalance: 0, closedAt: null },
    categories: { parentId: null, icon: null, color: null, archived: false, systemKey: null },
    budgets: {
      name: '',
      currency: view.households.get(keyOf(householdId, householdId))?.baseCurrency ?? '',
      startsOn: '',
      rollover: false,
      alertLevels: [80, 100],
      note: '',
    },
    transactions: {
      currency: view.accounts.get(keyOf(householdId, String(body['accountId'])))?.currency ?? '',
      payee: '',
      rawPayee: null,
      note: '',
      categoryId: null,
      splits: null,
      status: 'posted',
      original: null,
      externalId: null,
      importId: null,
      transfer: null,
    },
    rules: { position: lastPosition(view, householdId) + 1, enabled: true, stop: false },
    bills: { accountId: null, currency: '', categoryId: null, endsOn: null, reminderDays: [], autoPost: false, note: '' },
  }
  return { ...defaults[entry.kind], ...stamps, ...body } as unknown as Account & Category & Transaction & Rule & Bill
}

function lastPosition(view: Tables, householdId: string): number {
  return Math.max(0, ...[...view.rules.values()].filter((rule) => rule.householdId === householdId).map((rule) => rule.position))
}

/** Moves the balances by what the outbox changes of the rows. */
function adjustBalances(confirmed: Tables, view: Tables, touched: ReadonlySet<string>) {
  for (const key of touched) {
    shift(view.accounts, confirmed.transactions.get(key), -1)
    shift(view.accounts, view.transactions.get(key), 1)
  }
}

/**
 * The accounts as they are after changes that the server confirmed, until the next pull brings its own word: without them a
 * balance would jump back when the network is gone between the two.
 */
export function movedAccounts(confirmed: Tables, changes: readonly Change[]): Change[] {
  const accounts = new Map(confirmed.accounts)
  for (const [kind, key, row] of changes) {
    if (kind !== 'transactions') continue
    const rows = [confirmed.transactions.get(key), (row ?? undefined) as Transaction | undefined]
    const reflected = accountOf(accounts, rows[1])
    // An account that was pulled at this revision or a later one has the change in it.
    if (reflected && reflected.revision >= row!.revision) continue
    shift(accounts, rows[0], -1)
    shift(accounts, rows[1], 1)
  }
  return [...accounts]
    .filter(([key, account]) => account !== confirmed.accounts.get(key))
    .map(([key, account]) => ['accounts', key, account])
}

function accountOf(accounts: ReadonlyMap<string, Account>, row: Transaction | undefined): Account | undefined {
  return row && accounts.get(keyOf(row.householdId, row.accountId))
}

function shift(accounts: Map<string, Account>, row: Transaction | undefined, sign: 1 | -1) {
  const account = accountOf(accounts, row)
  if (!row || !account) return
  const field = row.status === 'pending' ? 'pendingBalance' : 'balance'
  accounts.set(keyOf(row.householdId, row.accountId), { ...account, [field]: account[field] + sign * row.amount })
}
