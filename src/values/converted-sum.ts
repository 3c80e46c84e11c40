// A sum of amounts that are converted at different rates: exact until it is rounded, once.
import { roundHalfAway } from './conversion.ts'

/** What one minor unit is worth in another currency's, as a fraction. */
export type Factor = { numerator: bigint; denominator: bigint }

export const unchanged: Factor = { numerator: 1n, denominator: 1n }

export class ConvertedSum {
  #numerator = 0n
  #denominator = 1n

  add(amountMinor: bigint, { numerator, denominator }: Factor) {
    if (amountMinor === 0n) return
    if (denominator === this.#denominator) {
      this.#numerator += amountMinor * numerator
      return
    }
    this.#numerator = this.#numerator * denominator + amountMinor * numerator * this.#denominator
    this.#denominator *= denominator
  }

  /** The sum in minor units, half away from zero. */
  rounded(): bigint {
    return roundHalfAway(this.#numerator, this.#denominator)
  }
}
