// What is counted of Redis; without one the counters are there and have nothing to tell.
import { Level, Tally, Timing } from './exposition.ts'
import type { RedisTrouble } from './redis.ts'

export type RedisPurpose = 'limit' | 'session'

const boundsS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05]

export class RedisFigures {
  /** Null without a Redis. */
  usable: (() => boolean) | null = null
  readonly #trips = new Timing('djinn_redis_trip_seconds', 'Time until Redis answered', 'purpose', boundsS)
  readonly #failures = new Tally('djinn_redis_failures_total', 'Times that Redis became unusable', ['reason'])
  readonly #fallbacks = new Tally('djinn_redis_fallbacks_total', 'Limits decided in the memory of the process in place of Redis')

  readonly instruments = [
    new Level('djinn_redis_up', 'Whether Redis can be used', [], (level) => {
      if (this.usable) level.set(this.usable() ? 1 : 0)
    }),
    this.#trips,
    this.#failures,
    this.#fallbacks,
  ]

  trip(purpose: RedisPurpose, durationMs: number) {
    this.#trips.observeMs(durationMs, this.#trips.of(purpose))
  }

  failed(reason: RedisTrouble) {
    this.#failures.of(reason).value++
  }

  fellBack() {
    this.#fallbacks.of().value++
  }
}
