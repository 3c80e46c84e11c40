// How large this machine is, or what its control group leaves of it.
import { availableParallelism, totalmem } from 'node:os'
import { GB } from './quantity.ts'
import type { Size } from './rules.ts'

/** What a server sold as 4 GB keeps for itself before the system sees it is less than this part. */
const hiddenPartMax = 0.08

/** The memory that a machine was sold with: of 4 GB the system sees 3.7. */
export function nominalMemory(seenBytes: number): number {
  const whole = Math.ceil(seenBytes / GB) * GB
  return seenBytes >= whole * (1 - hiddenPartMax) ? whole : seenBytes
}

/** `limitBytes` is what a control group allows; 0 or more than there is when none does. */
export function memoryWithin(totalBytes: number, limitBytes: number): number {
  return limitBytes > 0 && limitBytes < totalBytes ? limitBytes : nominalMemory(totalBytes)
}

/** Node asks the control groups, of both versions, for memory and CPUs alike. */
export function thisMachine(): Size {
  return { memoryBytes: memoryWithin(totalmem(), process.constrainedMemory()), cpus: availableParallelism() }
}
