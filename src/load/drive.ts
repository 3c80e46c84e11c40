// The open loop: each request goes at its moment, whether others have come back or not.
import type { Connections } from './connections.ts'
import type { Outcome } from './connection.ts'
import type { GeneratorWatch } from './generator-watch.ts'
import type { Planned, StepName } from './mix.ts'
import type { Phone } from './phone.ts'
import { randomOf } from './random.ts'
import type { Recorder } from './recorder.ts'
import { bodyValue, type Response } from './response.ts'
import { wireOf } from './wire.ts'

export type Drive = {
  url: URL
  plan: Iterator<Planned>
  phones: readonly Phone[]
  connections: Pick<Connections, 'send'>
  recorder: Recorder
  watch: Pick<GeneratorWatch, 'dispatched'>
  seed: number
  today: string
  /** Ends the run; what is under way is given a moment to come back. */
  signal: AbortSignal
  /** How long answers are waited for after the last request. */
  drainMs: number
}

/** Sends the plan; resolves when all is answered, or the time for it has passed. Answers how many are not. */
export async function drive(run: Drive): Promise<number> {
  const startMs = performance.now()
  const since = () => performance.now() - startMs
  let underWay = 0
  let ended = false
  let settledOne = () => {}
  const dispatch = ({ index, atMs, phone: number, step: wanted }: Planned) => {
    const phone = run.phones[number]!
    const request = phone.request(wanted, { random: randomOf(run.seed, index + 1), today: run.today })
    const nowMs = since()
    run.recorder.dispatched(atMs, nowMs)
    run.watch.dispatched(nowMs - atMs)
    let sentMs = nowMs
    underWay++
    run.connections.send(
      wireOf(run.url, request),
      () => (sentMs = since()),
      (outcome) => {
        // What is cut when all is over was not answered, and is told as that.
        if (ended) return
        const endMs = since()
        underWay--
        run.recorder.settled({ step: request.step, dueMs: atMs, sentMs, endMs, ...judge(phone, request.step, outcome) })
        settledOne()
      },
    )
  }
  await new Promise<void>((resolve) => {
    let next = run.plan.next()
    const go = () => {
      while (!next.done && next.value.atMs <= since() && !run.signal.aborted) {
        dispatch(next.value)
        next = run.plan.next()
      }
      if (next.done || run.signal.aborted) return resolve()
      // No longer than a tenth of a second, so that an interrupt is heard.
      setTimeout(go, Math.max(1, Math.min(100, next.value.atMs - since())))
    }
    go()
  })
  if (underWay > 0) {
    await new Promise<void>((resolve) => {
      const patience = setTimeout(resolve, run.signal.aborted ? 1_000 : run.drainMs)
      settledOne = () => {
        if (underWay > 0) return
        clearTimeout(patience)
        resolve()
      }
    })
  }
  ended = true
  return underWay
}

type Judged = { outcome: string; error: boolean; codes: string[] }

/** What the answer is: the phone learns from a good one, and a batch is as good as its steps. */
export function judge(phone: Phone, step: StepName, outcome: Outcome): Judged {
  if ('fault' in outcome) return { outcome: outcome.fault, error: true, codes: [] }
  const { status } = outcome.response
  if (status === 304 || status === 204) return { outcome: String(status), error: false, codes: [] }
  try {
    if (status >= 300) return { outcome: String(status), error: true, codes: codesOf([bodyValue(outcome.response)]) }
    const body = needed(step, outcome.response)
    phone.learn(step, { status, etag: outcome.response.etag, body })
    const failed = step === 'batch' ? (body as { results: Result[] }).results.filter((result) => result.status >= 300) : []
    return { outcome: String(status), error: failed.length > 0, codes: codesOf(failed.map((result) => result.body)) }
  } catch {
    return { outcome: 'broken', error: true, codes: [] }
  }
}

type Result = { status: number; body: unknown }

/** The body where a phone looks into it; to read the others would only take processor time from the server. */
function needed(step: StepName, response: Response): unknown {
  return step === 'config' || step === 'row' || step === 'add' || step === 'account' ? undefined : bodyValue(response)
}

function codesOf(problems: unknown[]): string[] {
  return problems.map((problem) => (problem as { code?: string } | undefined)?.code ?? 'no-code')
}
