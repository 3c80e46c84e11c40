// What is counted of replicas; named to Prometheus also where there is none.
import { Level, Tally } from './exposition.ts'

export type Standing = { name: string; usable: boolean; lagMs: number | null; why: string | null }

export class ReplicaMetrics {
  readonly reads = new Tally('djinn_household_reads_total', 'Reads of households that a replica may answer, by who did', ['server'])
  readonly returns = new Tally('djinn_replica_returns_total', 'Reads that a replica left to the primary', ['replica', 'reason'])
  /** Set by whoever has replicas. */
  standing: () => readonly Standing[] = () => []

  readonly instruments = [
    this.reads,
    this.returns,
    new Level('djinn_replica_usable', 'Whether reads go to the replica', ['replica'], (level) => {
      for (const { name, usable } of this.standing()) level.set(usable ? 1 : 0, name)
    }),
    new Level('djinn_replica_lag_seconds', 'For how long the replica has lacked what the primary has', ['replica'], (level) => {
      level.clear()
      for (const { name, lagMs } of this.standing()) if (lagMs !== null) level.set(lagMs / 1_000, name)
    }),
  ]
}
