// Every operation is entered here, whether it came as a request of its own or as a step of a batch.
import { z } from 'zod'
import { dayOf } from '../values/day.ts'
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'
import type { Database } from '../resources/database.ts'
import type { Reads } from '../resources/reads.ts'
import type { Transaction } from '../resources/transaction.ts'
import { answerRead } from './answer-read.ts'
import { answerWrite } from './answer-write.ts'
import type { Encoding } from './compress.ts'
import { revisionOfMatch } from './conditional.ts'
import { takeFields } from './fields.ts'
import { passGate, type Gate } from './gate.ts'
import type { Network } from './negotiate.ts'
import type { Answer, Context, Operation, Principal, Role } from './operation.ts'
import type { Cursors } from './page.ts'
import { loadFrom, ReadRun } from './read-run.ts'
import { unsigned, type Signer } from './signature.ts'
import { validate } from './validate.ts'

/** What a call brings besides its operation. */
export type Call = {
  requestId: string
  nowMs: number
  address: string
  principal: Principal | null
  /** Who signed it, where it is signed instead of sent in a session. */
  signer?: Signer | null
  /** Who calls, asked of the database again: for a household that was joined a moment ago, perhaps through another process. */
  authenticateAgain: () => Promise<Principal | null>
  /** The Djinn-Household header. */
  householdHeader: string | undefined
  params: Record<string, string>
  query: Record<string, unknown>
  /** Path and query as sent: part of the entity tag and of the idempotency scope. */
  url: string
  body: unknown
  network: Network
  headers: { ifNoneMatch?: string; ifMatch?: string; idempotencyKey?: string; lastEventId?: string }
}

export type Service = {
  database: Database
  /** Where reads may be answered that raise no revision; null without a replica. */
  replicas: Reads | null
  cursors: Cursors
  /** Distinguishes tags of other software or another history. */
  lineage: string
  /** What is switched off. */
  gate: Gate
  /** Told of every call that is entered, steps of batches included. */
  onCall?: (operation: Operation, call: Call) => void
}

/** What steps of a batch share; a request alone has all of it for itself. */
export type Shared = {
  /** Reads that nothing is written between. */
  run?: ReadRun
  /** The transaction that all writes of an atomic batch are in. */
  tx?: Transaction
}

export type Performed = {
  status: number
  headers: Record<string, string>
  body: string | Buffer | null
  /** Where the compressed body is kept, when it is the same for many. */
  encoded?: Map<Encoding, Buffer>
} & Pick<Answer, 'stream' | 'download'>

const rank: Record<Role, number> = { viewer: 1, editor: 2, owner: 3 }
const empty = z.strictObject({})

/** Validates, authorises, replays, runs and answers one call. Throws Failure for every refusal. */
export async function perform(service: Service, operation: Operation, call: Call, shared: Shared = {}): Promise<Performed> {
  const principal = await callerOf(operation, call)
  const household = authorise(operation, call, principal)
  passGate(service.gate, operation, principal?.userId ?? null)
  service.onCall?.(operation, call)
  const { fields, query: given } = takeFields(operation, call.query)
  const params = validate(operation.params ?? (empty as z.ZodType), call.params, '/path')
  const query = validate(operation.query ?? (empty as z.ZodType), given, '?')
  const body = readBody(operation, call.body)
  const scope = {
    household: call.signer?.household ?? household?.id ?? null,
    user: principal?.userId ?? null,
    device: call.signer?.id ?? principal?.sessionId ?? null,
    request: call.requestId,
  }
  const run = shared.run ?? new ReadRun(service, 0)
  const told = operation.conditional === true
  const reader = run.reader(scope, operation.criticality === 'report', told)
  const context: Context = {
    call,
    requestId: call.requestId,
    nowMs: call.nowMs,
    address: call.address,
    principal,
    household,
    today: dayOf(call.nowMs, household?.timeZone ?? 'UTC'),
    scope,
    db: shared.tx ?? reader,
    load: shared.tx ? loadFrom(shared.tx, scope.household) : (rows, id) => run.load(scope, rows, id, told),
    tx: null,
    database: service.database,
    reads: service.replicas ?? service.database,
    cursors: service.cursors,
    pageRows: call.network === 'slow' ? limits.pageRowsSlow : limits.pageRowsDefault,
    ifNoneMatch: call.headers.ifNoneMatch,
    ifMatchRevision: call.headers.ifMatch === undefined || operation.method === 'GET' ? null : revisionOfMatch(call.headers.ifMatch),
  }
  const input = { params, query, body, prepared: undefined as unknown, ahead: undefined as unknown }
  await operation.admit?.(context, input)
  if (operation.effect !== 'write') {
    return await answerRead(service, operation, context, input, fields, shared.tx?.raised ? null : reader)
  }
  return await answerWrite(service, operation, context, input, fields, shared.tx ?? null)
}

/** The household that a call names: in the path, else in the header; undefined stands for the caller's own. */
export function householdNamed(operation: Operation, call: Call): string | undefined {
  return operation.householdIn === 'path' ? call.params['id'] : call.householdHeader
}

/** Who calls; asked of the database again when the household is not known to be theirs: it may have been joined a moment ago. */
async function callerOf(operation: Operation, call: Call): Promise<Principal | null> {
  const named = householdNamed(operation, call)
  if (!call.principal || named === undefined || call.principal.memberships.has(named)) return call.principal
  if (operation.access === 'anonymous' || operation.access === 'user') return call.principal
  return await call.authenticateAgain()
}

/** Who calls for which household: 401 without a session, 404 for a household that is not the caller's, 403 below the role. */
function authorise(operation: Operation, call: Call, principal: Principal | null): Context['household'] {
  if (operation.access === 'anonymous') return null
  if (operation.access === 'signed') {
    if (!call.signer) throw unsigned(operation.signed!.refusal)
    return null
  }
  if (!principal)
    throw new Failure('unauthenticated', 'Send an access token: Authorization: Bearer <accessToken>.', { at: 'Authorization:' })
  if (operation.access === 'user') return null
  const id = householdNamed(operation, call) ?? principal.memberships.keys().next().value
  const membership = id === undefined ? undefined : principal.memberships.get(id)
  if (id === undefined || membership === undefined) {
    throw new Failure('not-found', 'There is no such household.', operation.householdIn === 'path' ? {} : { at: 'Djinn-Household:' })
  }
  if (rank[membership.role] < rank[operation.access]) {
    throw new Failure('forbidden', `This takes the role ${operation.access}; yours is ${membership.role}.`)
  }
  return { id, ...membership }
}

function readBody(operation: Operation, body: unknown): unknown {
  if (operation.body === 'file') return body
  if (operation.body) return validate(operation.body, body === undefined ? {} : body, '')
  if (body !== undefined) validate(empty, body, '')
  return undefined
}
