// Chooses among the columns of a CSV file, one role after the other: a column that is taken is not free for the next.
import type { CsvMapping } from '../statement.ts'
import type { Profile } from './csv-columns.ts'
import type { HeaderCell, Role } from './csv-headers.ts'
import type { CsvRecord } from './csv-table.ts'
import { parseDate } from './dates.ts'

/** Columns beside the mapping's, known by their headers only. */
export type OtherColumns = {
  account: number | null
  accountName: number | null
  status: number | null
  fee: number | null
  /** A second date, for entries that are not booked yet. */
  otherDate: number | null
  originalAmount: number | null
  originalCurrency: number | null
}

type Candidate = { column: number; profile: Profile; rank: number }

/** The columns that are still free, and the choice among them for each role. */
export class Columns {
  readonly #header: readonly HeaderCell[]
  readonly #profiles: readonly Profile[]
  readonly #sampled: number
  readonly #taken = new Set<number>()

  constructor(header: readonly HeaderCell[], profiles: readonly Profile[], rows: number) {
    this.#header = header
    this.#profiles = profiles
    this.#sampled = Math.min(rows, Math.max(0, ...profiles.map(({ filled }) => filled)))
  }

  take(...columns: (number | number[] | null | undefined)[]): void {
    for (const column of columns.flat()) if (column !== null && column !== undefined) this.#taken.add(column)
  }

  date(): number | undefined {
    const datelike = (profile: Profile): boolean => profile.dates * 2 >= profile.filled
    return this.#takeFirst([
      this.#headed('date', (profile) => datelike(profile) && profile.dates * 2 >= this.#sampled),
      this.#headed('date', datelike).filter(({ profile }) => profile.filled > 0 || this.#sampled === 0),
      // A few rows may stand above many closing lines.
      this.#headed('date', (profile) => profile.plainDates > 0),
      this.#free().filter(({ profile }) => profile.plainDates * 2 >= this.#sampled && profile.plainDates > 0),
    ])
  }

  amount(): CsvMapping['amount'] | undefined {
    const numeric = (profile: Profile): boolean => profile.numerals * 2 >= profile.filled
    const filled = (profile: Profile): boolean => numeric(profile) && profile.numerals * 2 >= this.#sampled
    const single = this.#headed('amount', filled)[0]
    const debit = this.#headed('debit', numeric)[0]
    const credit = this.#headed('credit', numeric).find(({ column }) => column !== debit?.column)
    if (single) return this.#takeAmount({ column: single.column, invert: false })
    if (debit && credit) return this.#takeAmount({ debit: debit.column, credit: credit.column })
    const some = this.#headed('amount', (profile) => profile.numerals > 0 || numeric(profile))[0] ?? credit
    if (some) return this.#takeAmount({ column: some.column, invert: false })
    // A lone column of debits counts what left the account.
    if (debit) return this.#takeAmount({ column: debit.column, invert: true })
    return this.#unheadedAmount()
  }

  direction(): number | null {
    const headed = this.#headed('direction', directed)
    const both = this.#free().find(({ profile }) => {
      return directed(profile) && profile.debitWords > 0 && profile.creditWords > 0 && profile.filled * 2 >= this.#sampled
    })
    return (headed[0] ?? both)?.column ?? null
  }

  currency(): number | null {
    const coded = (profile: Profile): boolean => profile.currencies * 10 >= profile.filled * 9
    const found = this.#takeFirst([
      this.#headed('currency', (profile) => coded(profile) && (profile.filled > 0 || this.#sampled === 0)),
      this.#free().filter(({ column, profile }) => {
        return coded(profile) && profile.currencies * 2 > this.#sampled && !this.#has(column, 'originalCurrency')
      }),
    ])
    return found ?? null
  }

  payee(): number | null {
    const used = (profile: Profile): boolean => profile.filled > 0 || this.#sampled === 0
    const worded = (profile: Profile): boolean => used(profile) && profile.texts * 2 >= profile.filled
    const described = this.#headed('description', (profile) => used(profile) && !directed(profile))
    // Where a header names a note but no party, the other words are kinds and categories.
    const unheaded = this.#headed('note', used).length > 0 ? [] : this.#texts()
    return this.#takeFirst([this.#headed('payee', worded), described, unheaded]) ?? null
  }

  note(): number | null {
    const used = (profile: Profile): boolean => profile.filled > 0 || this.#sampled === 0
    const described = this.#headed('description', (profile) => used(profile) && !directed(profile))
    const unheaded = this.#header.length === 0 ? this.#texts().filter(({ profile }) => profile.distinct > 1) : []
    return this.#takeFirst([this.#headed('note', used), described, unheaded]) ?? null
  }

  /** Only a column that calls itself an id, with a value of its own in every dated row, is one. */
  externalId(rows: readonly CsvRecord[], date: number): number | null {
    const dated = rows.filter(({ cells }) => parseDate(cells[date] ?? ''))
    const unique = this.#headed('externalId', () => true).filter(({ column }) => {
      return new Set(cellsOf(dated, column)).size === dated.length
    })
    return this.#takeFirst([unique]) ?? null
  }

  others(rows: readonly CsvRecord[], date: number): OtherColumns {
    const dated = rows.filter(({ cells }) => parseDate(cells[date] ?? ''))
    const account = this.#headed('account', () => true).find(({ column, rank }) => {
      const values = cellsOf(dated, column)
      const distinct = new Set(values).size
      // `IBAN` and the like may as well be the other party's, which would differ from row to row.
      const own = rank <= 5 || distinct === 1 || (distinct <= 20 && distinct * 3 <= values.length)
      return own && values.length === dated.length && values.every((value) => /\d\D*\d\D*\d\D*\d/.test(value.slice(0, 60)))
    })
    const first = (role: Role): number | null => this.#headed(role, (profile) => profile.filled > 0)[0]?.column ?? null
    return {
      account: account?.column ?? null,
      accountName: first('accountName'),
      status: first('status'),
      fee: this.#headed('fee', (profile) => profile.numerals === profile.filled)[0]?.column ?? null,
      otherDate: this.#headed('date', (profile) => profile.dates * 2 >= this.#sampled)[0]?.column ?? null,
      originalAmount: first('originalAmount'),
      originalCurrency: first('originalCurrency'),
    }
  }

  /** Free columns whose header may mean the role and whose cells do not contradict it, the best first. */
  #headed(role: Role, agrees: (profile: Profile) => boolean): Candidate[] {
    const found = this.#free().flatMap((candidate) => {
      const rank = this.#header[candidate.column]?.roles.get(role)
      return rank === undefined || !agrees(candidate.profile) ? [] : [{ ...candidate, rank }]
    })
    return found.toSorted((a, b) => a.rank - b.rank)
  }

  #free(): Candidate[] {
    return this.#profiles.flatMap((profile, column) => (this.#taken.has(column) ? [] : [{ column, profile, rank: 0 }]))
  }

  #has(column: number, ...roles: Role[]): boolean {
    return roles.some((role) => this.#header[column]?.roles.has(role))
  }

  #takeFirst(lists: Candidate[][]): number | undefined {
    const column = lists.flat()[0]?.column
    this.take(column)
    return column
  }

  #takeAmount(amount: CsvMapping['amount']): CsvMapping['amount'] {
    this.take(amountColumns(amount))
    return amount
  }

  #unheadedAmount(): CsvMapping['amount'] | undefined {
    const numeric = this.#free().filter(({ column, profile }) => {
      const other = this.#has(column, 'balance', 'account', 'externalId', 'originalAmount', 'fee', 'date')
      return !other && profile.filled > 0 && profile.numerals * 5 >= profile.filled * 4
    })
    const money = numeric.filter(({ profile }) => profile.money * 2 >= profile.filled)
    const [first, second] = money
    // Two columns that fill each other's gaps are debits and credits, in the order banks print them.
    if (first && second && first.profile.filled + second.profile.filled === this.#sampled) {
      return this.#takeAmount({ debit: first.column, credit: second.column })
    }
    const full = (money.length > 0 ? money : numeric).find(({ profile }) => profile.filled * 2 >= this.#sampled)
    return full && this.#takeAmount({ column: full.column, invert: false })
  }

  /** Columns of words, the wordiest first. */
  #texts(): Candidate[] {
    return this.#free()
      .filter(({ column, profile }) => {
        const other = this.#has(column, 'status', 'account', 'accountName', 'direction', 'balance', 'currency')
        return !other && profile.texts * 2 > profile.filled && profile.length >= profile.texts * 3
      })
      .toSorted((a, b) => b.profile.length * b.profile.distinct - a.profile.length * a.profile.distinct)
  }
}

/** Whether nearly all cells are words for debit or credit. */
function directed({ filled, debitWords, creditWords }: Profile): boolean {
  return filled > 0 && (debitWords + creditWords) * 10 >= filled * 9
}

/** The columns that an amount is read from. */
export function amountColumns(amount: CsvMapping['amount'] | undefined): number[] {
  if (amount === undefined) return []
  return 'column' in amount ? [amount.column] : [amount.debit, amount.credit]
}

/** The cells of a column that are not blank. */
export function cellsOf(rows: readonly CsvRecord[], column: number): string[] {
  return rows.flatMap(({ cells }) => cells[column] || [])
}
