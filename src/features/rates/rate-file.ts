// What a file of exchange rates says, and how a reader refuses one: the same for all formats.
import { isRate } from '../../values/conversion.ts'
import { isDay, type Day } from '../../values/day.ts'

/** Units of the currency for one euro on the day, as a decimal numeral. */
export type DatedRate = { currency: string; day: Day; rate: string }

export type RateFile = {
  format: 'ecb-xml' | 'ecb-csv'
  /** In the order of the file; no currency has two of one day. */
  rates: DatedRate[]
  /** Rates left out because their currency is not in force any more, by its code. */
  skipped: ReadonlyMap<string, number>
}

/** Where in the file something stands; both count from 1. */
export type Place = { line: number; column: number }

/** A file that cannot be read whole: nothing of it is taken. */
export class UnreadableRates extends Error {
  readonly place: Place | null
  constructor(place: Place | null, reason: string, options?: ErrorOptions) {
    super(place === null ? reason : `line ${place.line}, column ${place.column}: ${reason}`, options)
    this.name = 'UnreadableRates'
    this.place = place
  }
}

/** A piece of the file for a message: short, and with nothing in it that a terminal would obey. */
export function quote(piece: string): string {
  return JSON.stringify(piece.length > 40 ? `${piece.slice(0, 40)}…` : piece).replaceAll(/[\u007f-\u009f\u2028-\u202e]/g, '?')
}

/** Takes the rates of a file one by one, each checked. */
export class RateCollector {
  readonly #isInForce: (currency: string) => boolean
  readonly #rates: DatedRate[] = []
  readonly #skipped = new Map<string, number>()
  /** The currencies of each day. */
  readonly #seen = new Map<string, Set<string>>()
  #day = ''
  #ofDay = new Set<string>()

  constructor(isInForce: (currency: string) => boolean) {
    this.#isInForce = isInForce
  }

  add(currency: string, day: string, rate: string, place: Place) {
    checkCurrency(currency, place)
    // Files go day by day, so this is once for some 30 rates.
    if (day !== this.#day) this.#turnTo(day, place)
    if (!isRate(rate)) throw new UnreadableRates(place, `${quote(rate)} is no rate of ${currency}: a positive number such as 1.0912`)
    if (this.#ofDay.has(currency)) throw new UnreadableRates(place, `the rate of ${currency} on ${day} is there twice`)
    this.#ofDay.add(currency)
    if (this.#isInForce(currency)) this.#rates.push({ currency, day, rate })
    else this.#skipped.set(currency, (this.#skipped.get(currency) ?? 0) + 1)
  }

  #turnTo(day: string, place: Place) {
    if (!isDay(day)) throw new UnreadableRates(place, `${quote(day)} is no day such as 2026-02-27`)
    this.#day = day
    this.#ofDay = this.#seen.get(day) ?? new Set()
    this.#seen.set(day, this.#ofDay)
  }

  finish(format: RateFile['format']): RateFile {
    if (this.#seen.size === 0) throw new UnreadableRates(null, 'the file has no rates')
    return { format, rates: this.#rates, skipped: this.#skipped }
  }
}

export function checkCurrency(currency: string, place: Place) {
  if (!/^[A-Z]{3}$/.test(currency)) throw new UnreadableRates(place, `${quote(currency)} is no currency code such as USD`)
  if (currency === 'EUR') throw new UnreadableRates(place, 'EUR is what all rates are given for, and has none itself')
}
