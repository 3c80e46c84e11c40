// Until when a request is answered: one clock for all of them, since a timer and a race for each cost more than what most requests do.
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'

type Waiting = { untilMs: number; refuse: (failure: Failure) => void }

/** In the order in which they end: all have the same time. */
const waiting = new Set<Waiting>()
const lookEveryMs = 250
let clock: NodeJS.Timeout | undefined

/** The work's answer; refuses with `timeout` when it takes longer than a request may. */
export function withDeadline<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const entry: Waiting = { untilMs: performance.now() + limits.requestTimeoutMs, refuse: reject }
    waiting.add(entry)
    clock ??= setInterval(refuseLate, lookEveryMs).unref()
    work.then(
      (answer) => {
        waiting.delete(entry)
        resolve(answer)
      },
      (error: Error) => {
        waiting.delete(entry)
        reject(error)
      },
    )
  })
}

function refuseLate() {
  const nowMs = performance.now()
  for (const entry of waiting) {
    if (entry.untilMs > nowMs) return
    waiting.delete(entry)
    entry.refuse(new Failure('timeout', `The request took longer than ${limits.requestTimeoutMs / 1000} s.`, { retryAfterS: 5 }))
  }
}
