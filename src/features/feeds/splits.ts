// Splits of a transaction whose amount the bank changed: nothing is lost and the sum holds.
import { Failure } from '../../values/failure.ts'
import { allocate, amountMinorMax } from '../../values/money.ts'

export type Split = { amount: number; categoryId: string | null; note: string }

/**
 * In proportion, by largest remainder, where all splits are of one sign: a tip falls on every part of the bill. Where some are of the
 * other sign, such as a deposit that was handed back, the largest takes the whole difference. `at` points to the amount.
 */
export function rescaleSplits(splits: readonly Split[], before: number, after: number, at: string): Split[] {
  if (before === after) return [...splits]
  const isOneSided = splits.every(({ amount }) => amount >= 0) || splits.every(({ amount }) => amount <= 0)
  if (isOneSided && before !== 0) {
    const amounts = allocate(
      after,
      splits.map(({ amount }) => Math.abs(amount)),
    )
    return splits.map((split, index) => ({ ...split, amount: amounts[index]! }))
  }
  const largest = splits.reduce((best, split, index) => (Math.abs(split.amount) > Math.abs(splits[best]!.amount) ? index : best), 0)
  // The difference of two amounts may be larger than either.
  const amount = BigInt(splits[largest]!.amount) + BigInt(after) - BigInt(before)
  if (amount > BigInt(amountMinorMax) || amount < -BigInt(amountMinorMax)) {
    throw new Failure('amount-out-of-range', 'A split would leave +-(2^53-1) minor units.', { at })
  }
  return splits.map((split, index) => (index === largest ? { ...split, amount: Number(amount) } : split))
}
