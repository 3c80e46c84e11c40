// A household's rows as the tables take them: one stream of COPY for each table of a batch.
import { hash } from 'node:crypto'
import { defaultCategories } from '../../features/system/data/categories.ts'
import { legId } from '../../features/transfers/transfer.ts'
import { keepBooks, type Books, type Sums } from './books.ts'
import { beforeAllDays, CopyRows, word } from './copy-rows.ts'
import { currencies, payees, notes, type SeedHousehold, type SeedTransaction } from './history.ts'
import { emailOf, idAt, idPrefix, type IdKind, type IdPrefix } from './ids.ts'

export type Membership = { household: number; role: 'owner' | 'editor' | 'viewer' }
export type Person = { number: number; memberships: Membership[] }
/** `atMs` is when the run began: rows are of then, however often it is taken up again. */
export type Facts = { seed: number; atMs: number; passwordHash: string }

const noId: IdPrefix = { text: '00000000-0000-0000-0000-', first: 0, second: 0, third: 0 }
const parentOf = defaultCategories.map(({ parent }) => (parent === null ? -1 : defaultCategories.findIndex(({ key }) => key === parent)))

const wordsOf = (texts: readonly string[]) => texts.map((text) => word(text))
const defaults = defaultCategories.map(({ name, icon, color, key, kind }) => wordsOf([name, kind]).concat(wordsOf([icon, color, key])))
const payeeWords = wordsOf(payees)
const noteWords = new Map(['', ...notes].map((note) => [note, word(note)]))
const currencyWords = new Map(currencies.map((currency) => [currency, word(currency)]))
const statuses = { posted: word('posted'), pending: word('pending') }
const sides = { from: word('from'), to: word('to') }
const grains = { day: word('day'), month: word('month') }

export function bytesOfId(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}

export class Tables {
  readonly #facts: Facts
  readonly #knownMonth: number
  // In the order of their references, though nothing looks at it while a batch is written.
  readonly users = new CopyRows('users (id, email, email_key, password_hash, display_name, created_at, updated_at)')
  readonly households = new CopyRows('households (household_id, name, base_currency, time_zone, created_at, updated_at, revision)')
  readonly memberships = new CopyRows('memberships (household_id, user_id, role, created_at, updated_at, revision)')
  readonly accounts = new CopyRows(
    'accounts (household_id, id, name, kind, currency, opening_balance, balance, pending_balance, created_at, updated_at, revision)',
  )
  readonly categories = new CopyRows(
    'categories (household_id, id, name, kind, parent_id, icon, color, system_key, created_at, updated_at, revision)',
  )
  readonly transfers = new CopyRows('transfers (household_id, id, created_at, updated_at, revision)')
  readonly transactions = new CopyRows(
    'transactions (household_id, id, account_id, currency, date, amount, payee, note, category_id, splits, status, transfer_id, transfer_side, created_at, updated_at, revision)',
  )
  readonly splits = new CopyRows('splits (household_id, transaction_id, position, amount, category_id)')
  readonly monthlyTotals = new CopyRows(
    'monthly_totals (household_id, month, account_id, category_id, transfer, inflow, outflow, pending_inflow, pending_outflow, count)',
  )
  readonly categoryTotals = new CopyRows(
    'category_totals (household_id, grain, period, currency, category_id, inflow, outflow, pending_inflow, pending_outflow, count)',
  )
  readonly accountMonths = new CopyRows('account_months (household_id, account_id, month, posted)')
  readonly balanceChanges = new CopyRows('balance_changes (household_id, account_id, known_at, date, posted)')
  readonly balanceMonths = new CopyRows('balance_months (household_id, account_id, known_month, month, posted)')
  readonly digests = new CopyRows('replica_digests (household_id, kind, count, digest)')

  constructor(facts: Facts) {
    this.#facts = facts
    const at = new Date(facts.atMs)
    this.#knownMonth = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1) / 86_400_000
  }

  all(): CopyRows[] {
    return Object.values(this).filter((value) => value instanceof CopyRows)
  }

  addPerson({ number, memberships }: Person) {
    const { seed, atMs, passwordHash } = this.#facts
    const user = this.#prefix(number, 'user')
    const email = emailOf(seed, number)
    this.users
      .row()
      .id(user, 0)
      .text(email)
      .text(email)
      .text(passwordHash)
      .text(`Seeded ${number + 1}`)
      .instant(atMs)
      .instant(atMs)
    for (const { household, role } of memberships) {
      this.memberships.row().id(this.#prefix(household, 'household'), 0).id(user, 0).text(role).instant(atMs).instant(atMs).int8(1)
    }
  }

  addHousehold(household: SeedHousehold) {
    const { atMs } = this.#facts
    const { number, currency, timeZone, accounts, transfers } = household
    const own = this.#prefix(number, 'household')
    const account = this.#prefix(number, 'account')
    const category = this.#prefix(number, 'category')
    const transfer = this.#prefix(number, 'transfer')
    const books = keepBooks(household)
    this.households
      .row()
      .id(own, 0)
      .text(`Household ${number + 1}`)
      .text(currency)
      .text(timeZone)
      .instant(atMs)
      .instant(atMs)
      .int8(1)
    accounts.forEach(({ name, kind, currency: held, openingBalance }, place) => {
      this.accounts.row().id(own, 0).id(account, place).text(name).text(kind).text(held).int8(openingBalance)
      this.accounts.int8(books.balances[place]!).int8(books.pendingBalances[place]!).instant(atMs).instant(atMs).int8(1)
    })
    defaults.forEach(([name, kind, icon, color, key], place) => {
      const parent = parentOf[place]!
      this.categories.row().id(own, 0).id(category, place).word(name!).word(kind!)
      if (parent < 0) this.categories.none()
      else this.categories.id(category, parent)
      this.categories.word(icon!).word(color!).word(key!).instant(atMs).instant(atMs).int8(1)
    })
    for (let place = 0; place < transfers; place++) this.transfers.row().id(own, 0).id(transfer, place).instant(atMs).instant(atMs).int8(1)
    const transactions = this.#addTransactions(household, own, account, category, transfer)
    this.#addBooks(household, books, own, account, category)
    this.#addDigest(own, 'accounts', new Mix().places(account, accounts.length))
    this.#addDigest(own, 'categories', new Mix().places(category, defaultCategories.length))
    this.#addDigest(own, 'transactions', transactions)
  }

  #addTransactions(household: SeedHousehold, own: IdPrefix, account: IdPrefix, category: IdPrefix, transfer: IdPrefix): Mix {
    const { atMs } = this.#facts
    const prefix = this.#prefix(household.number, 'transaction')
    const mix = new Mix()
    const rows = this.transactions
    const held = household.accounts.map(({ currency }) => currencyWords.get(currency)!)
    household.transactions.forEach((made, place) => {
      rows.row().id(own, 0)
      if (made.side === null) {
        rows.id(prefix, place)
        mix.add(idAt(prefix, place))
      } else {
        const leg = legId(idAt(transfer, made.transfer), made.side)
        rows.bytes(bytesOfId(leg))
        mix.add(leg)
      }
      rows.id(account, made.account).word(held[made.account]!).day(made.day).int8(made.amount)
      rows.word(payeeWords[made.payee]!).word(noteWords.get(made.note)!)
      // The splits of a row say what it was for.
      if (made.category < 0 || made.splits) rows.none()
      else rows.id(category, made.category)
      if (made.splits) this.#addSplits(made, own, prefix, place, category)
      else rows.none()
      rows.word(made.pending ? statuses.pending : statuses.posted)
      if (made.side === null) rows.none().none()
      else rows.id(transfer, made.transfer).word(sides[made.side])
      rows.instant(atMs).instant(atMs).int8(1)
    })
    return mix
  }

  #addSplits(made: SeedTransaction, own: IdPrefix, transaction: IdPrefix, place: number, category: IdPrefix) {
    const splits = made.splits!
    const told = splits.map((split) => ({
      note: '',
      amount: split.amount,
      categoryId: split.category < 0 ? null : idAt(category, split.category),
    }))
    this.transactions.json(JSON.stringify(told))
    splits.forEach((split, nth) => {
      this.splits
        .row()
        .id(own, 0)
        .id(transaction, place)
        .int4(nth + 1)
        .int8(split.amount)
      if (split.category < 0) this.splits.none()
      else this.splits.id(category, split.category)
    })
  }

  #addBooks(household: SeedHousehold, books: Books, own: IdPrefix, account: IdPrefix, category: IdPrefix) {
    const { atMs } = this.#facts
    const addCategory = (rows: CopyRows, place: number) => (place < 0 ? rows.id(noId, 0) : rows.id(category, place))
    for (const total of books.monthlyTotals) {
      this.monthlyTotals.row().id(own, 0).day(total.month).id(account, total.account)
      addSums(addCategory(this.monthlyTotals, total.category).bool(total.transfer), total)
    }
    for (const total of books.categoryTotals) {
      this.categoryTotals.row().id(own, 0).word(grains[total.grain]).day(total.period).word(currencyWords.get(total.currency)!)
      addSums(addCategory(this.categoryTotals, total.category), total)
    }
    const addChange = (place: number, day: number, posted: number) => {
      if (posted !== 0) this.balanceChanges.row().id(own, 0).id(account, place).instant(atMs).day(day).int8(posted)
    }
    const addMonth = (place: number, month: number, posted: number) => {
      if (posted !== 0) this.balanceMonths.row().id(own, 0).id(account, place).day(this.#knownMonth).day(month).int8(posted)
    }
    household.accounts.forEach(({ openingBalance }, place) => {
      addChange(place, beforeAllDays, openingBalance)
      addMonth(place, beforeAllDays, openingBalance)
    })
    for (const change of books.balanceChanges) addChange(change.account, change.day, change.posted)
    for (const { account: place, day: month, posted } of books.accountMonths) {
      addMonth(place, month, posted)
      if (posted !== 0) this.accountMonths.row().id(own, 0).id(account, place).day(month).int8(posted)
    }
  }

  #addDigest(own: IdPrefix, kind: string, mix: Mix) {
    if (mix.count > 0) this.digests.row().id(own, 0).text(kind).int8(mix.count).bytes(mix.digest())
  }

  #prefix(number: number, kind: IdKind): IdPrefix {
    return idPrefix(this.#facts.seed, number, kind)
  }
}

function addSums(rows: CopyRows, sums: Sums) {
  rows.int8(sums.inflow).int8(sums.outflow).int8(sums.pendingInflow).int8(sums.pendingOutflow).int8(sums.count)
}

/** As row_digest() of the database: rows of revision 1, by exclusive or of the first 8 bytes of a SHA-256. */
class Mix {
  count = 0
  #high = 0
  #low = 0

  add(id: string): this {
    // Latin-1 text is made in a third of the time of a Buffer.
    const digest = hash('sha256', `${id}:1`, 'latin1')
    this.#high ^= int4At(digest, 0)
    this.#low ^= int4At(digest, 4)
    this.count++
    return this
  }

  places(prefix: IdPrefix, count: number): this {
    for (let place = 0; place < count; place++) this.add(idAt(prefix, place))
    return this
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(8)
    bytes.writeInt32BE(this.#low, bytes.writeInt32BE(this.#high, 0))
    return bytes
  }
}

function int4At(latin1: string, at: number): number {
  return (latin1.charCodeAt(at) << 24) | (latin1.charCodeAt(at + 1) << 16) | (latin1.charCodeAt(at + 2) << 8) | latin1.charCodeAt(at + 3)
}
