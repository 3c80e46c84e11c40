// Runs the steps of a batch: writes one after the other, the reads between two writes together.
import { createHash } from 'node:crypto'
import { Failure } from '../../values/failure.ts'
import { limits } from '../../values/limits.ts'
import { readNetwork } from '../../http/negotiate.ts'
import type { ChargeSteps } from '../../http/charge.ts'
import type { Operation } from '../../http/operation.ts'
import { householdNamed, perform, type Call, type Performed, type Service, type Shared } from '../../http/perform.ts'
import { ReadRun } from '../../http/read-run.ts'
import { toFailure, toProblem } from '../../http/refusals.ts'
import { readKey } from '../../http/replay.ts'
import type { FindRoute } from '../../http/routes.ts'
import { refusalCodes } from '../../values/refusal-codes.ts'
import type { Step } from './operations.ts'
import { checkConstraintsNow, deferConstraints } from './store.ts'

export type BatchNeeds = {
  service: Service
  findRoute: FindRoute
  /** Refuses a step whose class is shed at the moment. */
  shed: (operation: Operation) => void
  /** Takes from the caller's minute what the steps cost. */
  charge: ChargeSteps
  /** Told of what went wrong on our side. */
  onError: (error: unknown, operation: string) => void
}

/** A step that found its operation, or the refusal that it is. */
type Prepared = { step: Step; call: Call; operation: Operation } | { step: Step; refusal: Failure; requestId: string }
type Outcome = { step: Step; performed: Performed }

/** Headers that a step may set; the others are of the request that carries it. */
const stepHeaders = new Set([
  'djinn-household',
  'if-match',
  'if-none-match',
  'idempotency-key',
  'save-data',
  'ect',
  'downlink',
  'rtt',
  'djinn-network',
  'content-type',
  'accept',
])

/** Answers each step's result as JSON text, in order. */
export async function runBatch(
  needs: BatchNeeds,
  outer: Call,
  steps: readonly Step[],
  atomic: boolean,
): Promise<{ results: string[]; headers: Record<string, string> }> {
  const batchKey = readKey(outer.headers.idempotencyKey)
  // What is left of the limit after the last step is what the answer tells.
  // The request itself has paid for the first.
  const paid = await needs.charge(outer.principal, outer.address, steps.length - 1)
  const headers = { ...paid.headers }
  const prepared = steps.map((step, index) => {
    try {
      if (index > paid.granted) throw paid.refusal!
      return prepare(needs, outer, step, index, batchKey)
    } catch (error) {
      return { step, refusal: toFailure(error), requestId: outer.requestId }
    }
  })
  if (prepared.some((one) => 'operation' in one && one.operation.noStore)) headers['cache-control'] = 'no-store'
  const outcomes = atomic ? await runAtomic(needs, outer, prepared) : await runInOrder(needs, prepared)
  return { results: outcomes.map(resultText), headers }
}

function prepare(needs: BatchNeeds, outer: Call, step: Step, index: number, batchKey: string | null): Prepared {
  const { operation, params, query } = needs.findRoute(step.method, step.path)
  const { path, body, access, effect } = operation
  if (path === '/api/batch' || body === 'file' || access === 'anonymous' || access === 'signed' || effect === 'stream') {
    throw new Failure('not-in-batch', `${operation.name} cannot be part of a batch.`, { at: `/operations/${index}/path` })
  }
  needs.shed(operation)
  return { step, operation, call: { ...callOf(outer, step, batchKey), params, query } }
}

function callOf(outer: Call, step: Step, batchKey: string | null): Call {
  const given = new Map(Object.entries(step.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
  for (const name of given.keys()) {
    if (!stepHeaders.has(name)) throw new Failure('invalid-request', `A step does not take the header ${name}.`, { at: `${name}:` })
  }
  const header = (name: string) => given.get(name)
  const hinted = ['save-data', 'ect', 'downlink', 'rtt', 'djinn-network'].some((name) => given.has(name))
  return {
    ...outer,
    params: {},
    query: {},
    url: step.path,
    body: step.body,
    householdHeader: header('djinn-household') ?? outer.householdHeader,
    network: hinted ? readNetwork(header) : outer.network,
    headers: {
      ifNoneMatch: header('if-none-match'),
      ifMatch: header('if-match'),
      lastEventId: undefined,
      idempotencyKey: header('idempotency-key') ?? (batchKey === null || step.method === 'GET' ? undefined : keyOfStep(batchKey, step.id)),
    },
  }
}

/** A step's part of the batch's key: a digest, as the id may have any characters and both together any length. */
function keyOfStep(batchKey: string, stepId: string): string {
  return `batch ${createHash('sha256')
    .update(JSON.stringify([batchKey, stepId]))
    .digest('base64url')}`
}

async function runInOrder(needs: BatchNeeds, prepared: readonly Prepared[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (let index = 0; index < prepared.length;) {
    const run = readsFrom(prepared, index)
    if (run.length > 0) outcomes.push(...(await runReads(needs, run)))
    else outcomes.push(await attempt(needs, prepared[index]!, {}))
    index += Math.max(1, run.length)
  }
  return outcomes
}

/** The reads from a position up to the next write. */
function readsFrom(prepared: readonly Prepared[], start: number): Prepared[] {
  const end = prepared.findIndex((one, index) => index >= start && 'operation' in one && one.operation.effect !== 'read')
  return prepared.slice(start, end === -1 ? prepared.length : end)
}

/** Reads that nothing is written between share readers and loaders; equal ones are one. */
async function runReads(needs: BatchNeeds, reads: readonly Prepared[]): Promise<Outcome[]> {
  const run = new ReadRun(needs.service, reads.length > 1 ? limits.loaderWaitMs : 0)
  const known = new Map<string, Promise<Outcome>>()
  return await Promise.all(
    reads.map(async (one) => {
      // One that was refused on its own account is no copy of an equal one that was not.
      if ('refusal' in one) return await attempt(needs, one, { run })
      const key = JSON.stringify([one.step.method, one.step.path, one.step.headers, one.step.body])
      const same = known.get(key) ?? attempt(needs, one, { run })
      known.set(key, same)
      return { ...(await same), step: one.step }
    }),
  )
}

async function attempt(needs: BatchNeeds, one: Prepared, shared: Shared): Promise<Outcome> {
  if ('refusal' in one) return refused(one.step, one.refusal, one.requestId)
  try {
    const performed = await perform(needs.service, one.operation, one.call, shared)
    return { step: one.step, performed }
  } catch (error) {
    const failure = toFailure(error)
    if (refusalCodes[failure.code][0] >= 500) needs.onError(error, one.operation.name)
    return refused(one.step, failure, one.call.requestId)
  }
}

/** Leaves the transaction with what was answered up to then. */
class Undone extends Error {
  readonly outcomes: Outcome[]
  constructor(outcomes: Outcome[]) {
    super('The batch was undone.')
    this.outcomes = outcomes
  }
}

async function runAtomic(needs: BatchNeeds, outer: Call, prepared: readonly Prepared[]): Promise<Outcome[]> {
  const household = atomicHousehold(outer, prepared)
  const scope = { household, user: outer.principal!.userId, device: outer.principal!.sessionId, request: outer.requestId }
  const undo = (done: readonly Outcome[], culprit: Outcome): Outcome[] => {
    const rest = new Failure('batch-undone', `Nothing of the batch was done, because of the operation "${culprit.step.id}".`)
    return prepared.map((one, index) => (index === done.length ? culprit : refused(one.step, rest, outer.requestId)))
  }
  const refusal = prepared.findIndex((one) => 'refusal' in one)
  if (refusal !== -1) return undo(prepared.slice(0, refusal) as never, await attempt(needs, prepared[refusal]!, {}))
  try {
    return await needs.service.database.write(scope, async (tx) => {
      const outcomes: Outcome[] = []
      for (const one of prepared as Extract<Prepared, { call: Call }>[]) {
        try {
          const performed = await perform(needs.service, one.operation, one.call, { tx })
          // What is checked at the commit otherwise: the failure shall be of the step that caused it.
          if (one.operation.effect === 'write') await Promise.all([tx.run(checkConstraintsNow, {}), tx.run(deferConstraints, {})])
          outcomes.push({ step: one.step, performed })
        } catch (error) {
          if (isRetryable(error)) throw error
          const failure = toFailure(error)
          if (refusalCodes[failure.code][0] >= 500) needs.onError(error, one.operation.name)
          throw new Undone(undo(outcomes, refused(one.step, failure, outer.requestId)))
        }
      }
      return outcomes
    })
  } catch (error) {
    if (error instanceof Undone) return error.outcomes
    throw error
  }
}

function isRetryable(error: unknown): boolean {
  return ['40001', '40P01'].includes((error as { code?: string }).code ?? '')
}

/** An atomic batch is one transaction in one household. */
function atomicHousehold(outer: Call, prepared: readonly Prepared[]): string {
  const own = outer.principal!.memberships.keys().next().value
  const households = new Set<string | undefined>()
  prepared.forEach((one, index) => {
    if ('refusal' in one) return
    if (one.operation.access === 'user') {
      throw new Failure('not-in-batch', `${one.operation.name} is not of a household and cannot be part of an atomic batch.`, {
        at: `/operations/${index}/path`,
      })
    }
    households.add(householdNamed(one.operation, one.call) ?? own)
    if (households.size > 1) {
      throw new Failure('not-in-batch', 'An atomic batch is of one household.', { at: `/operations/${index}/headers/Djinn-Household` })
    }
  })
  return [...households][0] ?? own ?? ''
}

function refused(step: Step, failure: Failure, requestId: string): Outcome {
  const problem = toProblem(failure, step.path.split('?')[0]!, requestId)
  const headers: Record<string, string> = { ...failure.headers, 'content-type': 'application/problem+json; charset=utf-8' }
  if (failure.retryAfterS !== undefined) headers['retry-after'] = String(failure.retryAfterS)
  return { step, performed: { status: problem.status, headers, body: JSON.stringify(problem) } }
}

function resultText({ step, performed }: Outcome): string {
  const { status, headers, body } = performed
  return `{"id":${JSON.stringify(step.id)},"status":${status},"headers":${JSON.stringify(headers)},"body":${body === null ? 'null' : String(body)}}`
}
