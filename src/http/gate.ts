// What is open at the moment. Asked of every call, so it is a look in memory that allocates nothing.
import type { FeatureName } from '../values/flags.ts'
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'
import type { Operation } from './operation.ts'

export type Gate = {
  /** Whatever writes is refused. */
  readonly readOnly: boolean
  /** Whether the feature is on for the user; for a call that is of no user, whether it is on for anybody. */
  isOn: (feature: FeatureName, user: string | null) => boolean
}

/** Whether it is refused while nothing may be written. */
export function isWriting({ method, goesOnReadOnly = false }: Operation): boolean {
  return method !== 'GET' && !goesOnReadOnly
}

/** Refuses what is shut. */
export function passGate(gate: Gate, operation: Operation, user: string | null) {
  if (gate.readOnly && isWriting(operation)) {
    throw new Failure('read-only', 'The service can be read but not written at the moment; send it again later.', {
      retryAfterS: limits.readOnlyRetryS,
    })
  }
  const { feature } = operation
  if (feature !== undefined && !gate.isOn(feature, user)) {
    throw new Failure('feature-off', `The operator of this service has switched ${feature} off${user === null ? '' : ' for you'}.`, {
      extra: { feature },
    })
  }
}
