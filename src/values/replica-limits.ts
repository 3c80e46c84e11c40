// The limits of read replicas, which are among all limits.
import assert from 'node:assert/strict'

export const replicaLimits = {
  replicasMax: 8,
  /** Connections to one replica for reports; short reads share `readingConnectionsMax` more. */
  replicaConnectionsMax: 8,
  /** A replica that lacks what was there before this is left out. */
  replicaLagMsMax: 1_000,
  /** How often replicas are asked how they stand, and how long they may take to say so. */
  replicaProbeMs: 200,
  replicaProbeTimeoutMs: 500,
  replicaPositionsMax: 5_000,
} as const

const { replicaProbeMs, replicaProbeTimeoutMs } = replicaLimits
assert(replicaProbeMs + replicaProbeTimeoutMs < 1_000, 'A replica that is dead is left out within a second.')
