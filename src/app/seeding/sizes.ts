// How many transactions each household has: most have few, a stated few have very many, the sum is exact.
import { drawFrom } from './draw.ts'

/** What the few large ones have: as many as the targets of the service speak of. */
export const largeRows = 50_000
/** One large household for so many rows, and the fewest rows with which there is one. */
const rowsPerLarge = 1_000_000
const rowsForLarge = 4 * largeRows
/** Of the logarithm: half of the households have less than half of the mean, one in a hundred more than six times. */
const sigma = 1.2
const shareMax = 0.4

export function largeHouseholds(users: number, mean: number): number {
  const total = users * mean
  return total < rowsForLarge || users < 2 ? 0 : Math.min(users - 1, Math.max(1, Math.floor(total / rowsPerLarge)))
}

/** Rows by household; their sum is users x mean. */
export function householdSizes(users: number, mean: number, seed: number): Int32Array {
  const large = largeHouseholds(users, mean)
  const rest = users * mean - large * largeRows
  const draw = drawFrom(seed, -1)
  const weights = new Float64Array(users)
  let sum = 0
  for (let number = 0; number < users; number++) {
    // Box-Muller; 1 - draw() is never 0.
    const normal = Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw())
    weights[number] = Math.exp(sigma * Math.min(normal, 4))
  }
  const isLarge = new Set(Array.from({ length: large }, (_, nth) => Math.floor(((nth + 0.5) * users) / large)))
  for (let number = 0; number < users; number++) if (!isLarge.has(number)) sum += weights[number]!
  const sizes = new Int32Array(users)
  const sizeMax = Math.max(Math.floor(largeRows * shareMax), 2 * mean)
  let left = rest
  for (let number = 0; number < users; number++) {
    if (isLarge.has(number)) sizes[number] = largeRows
    else left -= sizes[number] = Math.min(sizeMax, Math.floor((rest * weights[number]!) / sum))
  }
  // What rounding left over, one each.
  for (let number = 0; left > 0; number = (number + 1) % users) {
    if (isLarge.has(number)) continue
    sizes[number]!++
    left--
  }
  return sizes
}

export type Batch = { number: number; from: number; to: number; rows: number }

/** Households that are written in one transaction: so many rows, or so many households. */
const batchRows = 20_000
const batchHouseholds = 200

export function batchesOf(sizes: Int32Array): Batch[] {
  const batches: Batch[] = []
  let from = 0
  let rows = 0
  for (let number = 0; number < sizes.length; number++) {
    rows += sizes[number]!
    if (rows < batchRows && number + 1 - from < batchHouseholds && number + 1 < sizes.length) continue
    batches.push({ number: batches.length, from, to: number + 1, rows })
    from = number + 1
    rows = 0
  }
  return batches
}
