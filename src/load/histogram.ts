// A log-linear histogram, as HdrHistogram counts: values in ms from 1 µs up, each kept within 1/128 of itself.

const linearBits = 7
const linear = 2 ** linearBits
/** Up to 2^31 µs, some 36 minutes: longer than any run waits. */
const microsecondsMax = 2 ** 31 - 1
const halves = 31 - linearBits

/** A quantile lies within this share of the exact one, or half a microsecond where that is more. */
export const relativeErrorMax = 1 / linear

export class Histogram {
  readonly #counts = new Uint32Array(linear + (halves * linear) / 2)
  count = 0
  maxMs = 0

  add(valueMs: number) {
    this.#counts[slotOf(Math.min(microsecondsMax, Math.max(0, Math.round(valueMs * 1_000))))]!++
    this.count++
    if (valueMs > this.maxMs) this.maxMs = valueMs
  }

  /** The value that a share of all values does not exceed: the `ceil(share * count)`-th smallest; 0 without any. */
  quantileMs(share: number): number {
    if (this.count === 0) return 0
    const rank = Math.max(1, Math.ceil(share * this.count))
    let seen = 0
    for (let slot = 0; slot < this.#counts.length; slot++) {
      seen += this.#counts[slot]!
      if (seen >= rank) return Math.min(this.maxMs, middleOf(slot) / 1_000)
    }
    return this.maxMs
  }

  /** How many values are at least so long, as far as slots tell. */
  countFrom(valueMs: number): number {
    const from = slotOf(Math.min(microsecondsMax, Math.round(valueMs * 1_000)))
    return this.#counts.subarray(from).reduce((sum, count) => sum + count, 0)
  }

  merge(other: Histogram) {
    for (let slot = 0; slot < this.#counts.length; slot++) this.#counts[slot]! += other.#counts[slot]!
    this.count += other.count
    this.maxMs = Math.max(this.maxMs, other.maxMs)
  }

  /** Counts by steps of a sixth of a power of ten, from the first used to the last. */
  steps(): { fromMs: number; toMs: number; count: number }[] {
    const counts = new Map<number, number>()
    this.#counts.forEach((count, slot) => {
      const step = Math.floor(Math.log10(Math.max(1, middleOf(slot))) * 6)
      if (count > 0) counts.set(step, (counts.get(step) ?? 0) + count)
    })
    const [first, last] = [Math.min(...counts.keys()), Math.max(...counts.keys())]
    const edgeMs = (step: number) => Number((10 ** (step / 6 - 3)).toPrecision(3))
    return Array.from({ length: counts.size === 0 ? 0 : last - first + 1 }, (_, index) => ({
      fromMs: edgeMs(first + index),
      toMs: edgeMs(first + index + 1),
      count: counts.get(first + index) ?? 0,
    }))
  }
}

/** Values below 128 have a slot each; above, each doubling has 64. */
function slotOf(microseconds: number): number {
  if (microseconds < linear) return microseconds
  const shift = 31 - Math.clz32(microseconds) - linearBits + 1
  return linear + ((shift - 1) * linear) / 2 + (microseconds >> shift) - linear / 2
}

/** The middle of a slot's values. */
function middleOf(slot: number): number {
  if (slot < linear) return slot
  const shift = Math.floor((slot - linear) / (linear / 2)) + 1
  const top = ((slot - linear) % (linear / 2)) + linear / 2
  return (top + 0.5) * 2 ** shift
}
