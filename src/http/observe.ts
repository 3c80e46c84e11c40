// What is told of a finished request: always to the metrics, and to the log when it failed or was slow.
import type { Logger } from 'pino'
import type { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'
import { noOperation, type Metrics } from '../resources/metrics.ts'
import type { Operation } from './operation.ts'

/** `refusal` is what it was refused with, and `error` what was thrown. */
export type Finished = { requestId: string; status: number; startedMs: number; refusal?: Failure; error?: unknown }
export type Observe = (operation: Operation | null, finished: Finished) => void

/**
 * At 1,000 requests a second a line each would be 15 GB a day and a tenth of a CPU, and nobody reads them: metrics say how many and how
 * long. So `info` has slow ones (500 ms), `warn` and `error` those that failed, `debug` all. In an outage lines are bounded too.
 */
export function makeObserve(metrics: Metrics, log: Logger, now: () => number = () => performance.now()): Observe {
  let second = 0
  let lines = 0
  let leftOut = 0
  const mayWrite = (nowMs: number): boolean => {
    const current = Math.floor(nowMs / 1_000)
    if (current !== second) {
      second = current
      lines = 0
    }
    if (lines++ < limits.requestLinesPerSecondMax) return true
    leftOut++
    return false
  }
  return (operation, { requestId, status, startedMs, refusal, error }) => {
    const nowMs = now()
    const durationMs = nowMs - startedMs
    metrics.request(operation?.name ?? noOperation, status, durationMs)
    if (refusal?.code === 'timeout') metrics.timeout(operation?.name ?? noOperation)
    // Shed and read-only, they are counted by the thousand and one line said why.
    const expected = refusal?.code === 'overloaded' || refusal?.code === 'read-only'
    const level = expected
      ? 'debug'
      : refusal?.code === 'internal'
        ? 'error'
        : status >= 500
          ? 'warn'
          : durationMs > limits.slowRequestMs
            ? 'info'
            : 'debug'
    if (level === 'debug' && !log.isLevelEnabled('debug')) return
    if (level !== 'debug' && !mayWrite(nowMs)) return
    const told = leftOut > 0 && level !== 'debug' ? { linesLeftOut: leftOut } : {}
    if (level !== 'debug') leftOut = 0
    const failure = status >= 500 ? { err: refusal?.code === 'internal' ? error : (refusal?.cause ?? refusal) } : {}
    const message =
      level === 'error'
        ? 'a request failed'
        : level === 'warn'
          ? (refusal?.message ?? 'a request failed')
          : level === 'info'
            ? 'a slow request'
            : 'a request'
    log[level](
      { requestId, operation: operation?.name, status, durationMs: Math.round(durationMs), code: refusal?.code, ...failure, ...told },
      message,
    )
  }
}
