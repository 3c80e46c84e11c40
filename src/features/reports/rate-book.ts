// The rates that a report converts by, and which of them it used. A currency without a rate in force on a day has none: never a guess.
import type { Day } from '../../values/day.ts'
import { factorOf } from '../../values/conversion.ts'
import { unchanged, type Factor } from '../../values/converted-sum.ts'
import { exponentOf } from '../../values/money.ts'
import { rateInForce, type RateSeries } from '../../values/rate-series.ts'

/** A rate in force: units for one euro, and the day it was published for. */
export type Rate = { rate: string; day: Day }
export type RateOf = (currency: string, day: Day) => Rate | undefined

/** Rates are units for one euro: its own is 1. */
export const euro = 'EUR'

export class RateBook {
  readonly base: string
  readonly #rateOf: RateOf
  readonly #factors = new Map<string, Factor | null>()
  /** By currency: the days whose rates were used, with them. */
  readonly #used = new Map<string, Map<Day, string>>()
  /** Whether anything was to be converted, with a rate or without. */
  asked = false

  constructor(base: string, rateOf: RateOf) {
    this.base = base
    this.#rateOf = (currency, day) => (currency === euro ? { rate: '1', day } : rateOf(currency, day))
  }

  /** What a minor unit of the currency is worth in the base's on that day; null when a rate is missing. */
  factor(currency: string, day: Day): Factor | null {
    if (currency === this.base) return unchanged
    this.asked = true
    const key = `${currency} ${day}`
    let factor = this.#factors.get(key)
    if (factor === undefined) {
      factor = this.#find(currency, day)
      this.#factors.set(key, factor)
    }
    return factor
  }

  #find(currency: string, day: Day): Factor | null {
    const [from, to] = [this.#rateOf(currency, day), this.#rateOf(this.base, day)]
    const [fromExponent, toExponent] = [exponentOf(currency), exponentOf(this.base)]
    if (!from || !to || fromExponent === undefined || toExponent === undefined) return null
    for (const [code, { rate, day: own }] of [
      [currency, from],
      [this.base, to],
    ] as const) {
      if (code === euro) continue
      const days = this.#used.get(code) ?? new Map<Day, string>()
      this.#used.set(code, days.set(own, rate))
    }
    return factorOf({ fromExponent, toExponent, fromRate: from.rate, toRate: to.rate })
  }

  /** Of each currency: the first and last day whose rate was used, and of how many days. */
  get spans(): { currency: string; from: Day; to: Day; count: number }[] {
    return inOrder(this.#used).map(([currency, days]) => {
      const sorted = [...days.keys()].toSorted()
      return { currency, from: sorted[0]!, to: sorted.at(-1)!, count: sorted.length }
    })
  }

  /** Each rate that was used. */
  get all(): { currency: string; day: Day; rate: string }[] {
    return inOrder(this.#used).flatMap(([currency, days]) => inOrder(days).map(([day, rate]) => ({ currency, day, rate })))
  }
}

/** Rates of many days, as they are read for a range. */
export function bySeries(series: readonly ({ currency: string } & RateSeriesRow)[]): RateOf {
  const known = new Map<string, RateSeries>(
    series.map(({ currency, days, rates }) => [currency, { days: days as Day[], rates: rates as string[] }]),
  )
  return (currency, day) => {
    const own = known.get(currency)
    return own && rateInForce(own, day)
  }
}
type RateSeriesRow = { days: readonly string[]; rates: readonly string[] }

/** Rates of single days, as they are read for pairs. */
export function byPair(pairs: readonly { currency: string; day: Day; rate: string | null; rateDay: Day | null }[]): RateOf {
  const known = new Map(pairs.map((pair) => [`${pair.currency} ${pair.day}`, pair]))
  return (currency, day) => {
    const found = known.get(`${currency} ${day}`)
    return found?.rate == null || found.rateDay === null ? undefined : { rate: found.rate, day: found.rateDay }
  }
}

function inOrder<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1))
}
