// Sums of a report as numbers of JSON, which hold whole numbers up to 2^53-1: a larger one is refused, never rounded.
import { Failure } from '../../values/failure.ts'
import { amountMinorMax } from '../../values/money.ts'

export function safe(amountMinor: bigint): number {
  if (amountMinor > BigInt(amountMinorMax) || amountMinor < -BigInt(amountMinorMax)) {
    throw new Failure('amount-out-of-range', 'A sum of this report leaves +-(2^53-1) minor units; ask for less at once.')
  }
  return Number(amountMinor)
}
