// Prometheus metrics: counters in memory, so that a scrape never touches the database.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from '@prometheus-io/client'

export class Metrics {
  readonly registry = new Registry()
  readonly #durations: Histogram<'operation'>
  readonly #requests: Counter<'operation' | 'status'>
  readonly #errors: Counter<'operation'>
  readonly #statements: Histogram<'statement'>
  readonly #roundTrips: Counter
  readonly #pushes: Counter<'outcome'>

  constructor(gauges: { connections: () => number; pool: () => { total: number; idle: number; waiting: number } }) {
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry })
    this.#durations = new Histogram({
      name: 'djinn_request_duration_seconds',
      help: 'Time from the parsed request to its answer',
      labelNames: ['operation'],
      registers,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 30],
    })
    this.#requests = new Counter({
      name: 'djinn_requests_total',
      help: 'Answered requests',
      labelNames: ['operation', 'status'],
      registers,
    })
    this.#errors = new Counter({ name: 'djinn_errors_total', help: 'Answers of 500 and above', labelNames: ['operation'], registers })
    this.#statements = new Histogram({
      name: 'djinn_statement_duration_seconds',
      help: 'Time of a statement from sending to its last row',
      labelNames: ['statement'],
      registers,
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.03, 0.1, 0.5, 5],
    })
    this.#roundTrips = new Counter({ name: 'djinn_database_round_trips_total', help: 'Waits for the database', registers })
    this.#pushes = new Counter({
      name: 'djinn_pushes_total',
      help: 'Messages given to FCM, by what became of them',
      labelNames: ['outcome'],
      registers,
    })
    const connections: Gauge = new Gauge({
      name: 'djinn_active_connections',
      help: 'Open connections to the API',
      registers,
      collect: () => connections.set(gauges.connections()),
    })
    const pool: Gauge<'state'> = new Gauge({
      name: 'djinn_pool_connections',
      help: 'Connections to the database',
      labelNames: ['state'],
      registers,
      collect: () => {
        const { total, idle, waiting } = gauges.pool()
        pool.set({ state: 'busy' }, total - idle)
        pool.set({ state: 'idle' }, idle)
        pool.set({ state: 'waited_for' }, waiting)
      },
    })
  }

  request(operation: string, status: number, durationMs: number) {
    this.#durations.observe({ operation }, durationMs / 1000)
    this.#requests.inc({ operation, status: String(status) })
    if (status >= 500) this.#errors.inc({ operation })
  }

  statement(name: string, durationMs: number) {
    this.#statements.observe({ statement: name }, durationMs / 1000)
  }

  push(outcome: string) {
    this.#pushes.inc({ outcome })
  }

  roundTrip() {
    this.#roundTrips.inc()
  }
}
