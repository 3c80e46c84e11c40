// Quantiles of durations that were counted in buckets, as Prometheus' histogram_quantile reads them.

/**
 * The duration below which a share of what was counted lies, in the unit of the bounds; null without any.
 * `counts` are those of each bucket alone, the last one being above all bounds.
 */
export function quantileOf(share: number, counts: ArrayLike<number>, bounds: readonly number[]): number | null {
  let total = 0
  for (let index = 0; index < counts.length; index++) total += counts[index]!
  if (total <= 0) return null
  const wanted = share * total
  let below = 0
  for (let index = 0; index < bounds.length; index++) {
    const here = counts[index]!
    if (here > 0 && below + here >= wanted) {
      const from = index === 0 ? 0 : bounds[index - 1]!
      return from + (bounds[index]! - from) * ((wanted - below) / here)
    }
    below += here
  }
  // Beyond the last bound nothing is known but that.
  return bounds.at(-1)!
}
