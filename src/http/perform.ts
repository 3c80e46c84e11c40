// Every operation is entered here, whether it came as a request of its own or as a step of a batch.
import { z } from 'zod'
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'
import type { Database, Scope } from '../resources/database.ts'
import { entityTag, matchesNone, revisionOfMatch, variantOf } from './conditional.ts'
import type { Answer, Context, Operation, Principal, Role } from './operation.ts'
import type { Cursors } from './page.ts'
import { hashRequest, keepForReplay, openWrite, readKey } from './replay.ts'
import { RevisionedReader } from './revision.ts'
import { validate } from './validate.ts'

/** What a call brings besides its operation. */
export type Call = {
  requestId: string
  nowMs: number
  address: string
  principal: Principal | null
  /** The Djinn-Household header. */
  householdHeader: string | undefined
  params: Record<string, string>
  query: Record<string, unknown>
  /** Path and query as sent: part of the entity tag and of the idempotency scope. */
  url: string
  body: unknown
  bodyBytes: Buffer
  headers: { ifNoneMatch?: string; ifMatch?: string; idempotencyKey?: string }
}

export type Service = {
  database: Database
  cursors: Cursors
  /** Distinguishes tags of other software or another history. */ lineage: string
}

export type Performed = { status: number; headers: Record<string, string>; body: string | Buffer | null }

const rank: Record<Role, number> = { viewer: 1, editor: 2, owner: 3 }
const empty = z.strictObject({})
const fieldsQuery = z.object({ fields: z.string().min(1).max(1_000) })

/** Validates, authorises, replays, runs and answers one call. Throws Failure for every refusal. */
export async function perform(service: Service, operation: Operation, call: Call): Promise<Performed> {
  const household = authorise(operation, call)
  const { fields, query: given } = takeFields(operation, call.query)
  const params = validate(operation.params ?? (empty as z.ZodType), call.params, '/path')
  const query = validate(operation.query ?? (empty as z.ZodType), given, '?')
  const body = readBody(operation, call.body)
  const scope = {
    household: household?.id ?? null,
    user: call.principal?.userId ?? null,
    device: call.principal?.sessionId ?? null,
    request: call.requestId,
  }
  const variant = variantOf(service.lineage, household?.id ?? '', call.principal?.userId ?? '', call.url)
  const context: Context = {
    requestId: call.requestId,
    nowMs: call.nowMs,
    address: call.address,
    principal: call.principal,
    household,
    scope,
    db: undefined as never,
    tx: null,
    database: service.database,
    cursors: service.cursors,
    ifNoneMatch: call.headers.ifNoneMatch,
    ifMatchRevision: call.headers.ifMatch === undefined || operation.method === 'GET' ? null : revisionOfMatch(call.headers.ifMatch),
  }
  const reader = new RevisionedReader(service.database, scope)
  context.db = reader
  const input = { params, query, body, prepared: undefined as unknown }
  if (operation.effect === 'write') {
    if (operation.prepare) input.prepared = await operation.prepare(context, input)
    return await write(service, operation, call, context, scope, input)
  }
  const conditional = operation.conditional === true && household !== null
  if (conditional && call.headers.ifNoneMatch !== undefined) {
    const revision = await reader.readRevision()
    if (matchesNone(call.headers.ifNoneMatch, revision, variant)) {
      return { status: 304, headers: { etag: entityTag(revision, variant) }, body: null }
    }
  }
  const answer = await operation.run(context, input)
  const headers = { ...answer.headers }
  if (conditional && reader.revision !== null) headers['etag'] = entityTag(reader.revision, variant)
  return finish(operation, { ...answer, headers }, fields)
}

async function write(
  service: Service,
  operation: Operation,
  call: Call,
  context: Context,
  scope: Scope,
  input: Parameters<Operation['run']>[1],
): Promise<Performed> {
  const user = call.principal!.userId
  const claim = {
    method: operation.method,
    path: call.url.split('?')[0]!,
    key: readKey(call.headers.idempotencyKey),
    requestHash: hashRequest(`${scope.household ?? ''}?${call.url.split('?')[1] ?? ''}`, call.bodyBytes),
  }
  return await service.database.write(scope, async (tx) => {
    const kept = await openWrite(tx, scope.household ?? null, user, claim)
    if (kept) return { ...kept, headers: { ...kept.headers, 'idempotency-replayed': 'true' } }
    const answer = await operation.run({ ...context, db: tx, tx }, input)
    const headers: Record<string, string> = { ...answer.headers }
    const revision = answer.revision ?? (answer.body as { revision?: number } | undefined)?.revision
    if (typeof revision === 'number' && scope.household) {
      const address = headers['location'] ?? claim.path
      headers['etag'] = entityTag(revision, variantOf(service.lineage, scope.household, user, address))
    }
    const performed = finish(operation, { ...answer, headers }, null)
    keepForReplay(tx, user, claim, {
      status: performed.status,
      headers: performed.headers,
      body: performed.body === null ? null : String(performed.body),
    })
    return performed
  })
}

/** Who calls for which household: 401 without a session, 404 for a household that is not the caller's, 403 below the role. */
function authorise(operation: Operation, call: Call): { id: string; role: Role } | null {
  if (operation.access === 'anonymous') return null
  if (!call.principal)
    throw new Failure('unauthenticated', 'Send an access token: Authorization: Bearer <accessToken>.', { at: 'Authorization:' })
  if (operation.access === 'user') return null
  const id = call.householdHeader ?? call.principal.memberships.keys().next().value
  const role = id === undefined ? undefined : call.principal.memberships.get(id)
  if (id === undefined || role === undefined) {
    throw new Failure('not-found', 'There is no such household.', { at: 'Djinn-Household:' })
  }
  if (rank[role] < rank[operation.access]) throw new Failure('forbidden', `This takes the role ${operation.access}; yours is ${role}.`)
  return { id, role }
}

/** Splits `fields` off the query of operations that answer rows, and checks each name. */
function takeFields(operation: Operation, query: Record<string, unknown>): { fields: string[] | null; query: Record<string, unknown> } {
  if (!operation.row || query['fields'] === undefined) return { fields: null, query }
  const { fields: given, ...rest } = query
  const names = validate(fieldsQuery, { fields: given }, '?')
    .fields.split(',')
    .map((name) => name.trim())
  const known = operation.row.shape
  const unknown = names.filter((name) => !Object.hasOwn(known, name))
  if (unknown.length > 0 || names.length > limits.fieldsMax) {
    throw new Failure('invalid-request', `There is no field "${unknown[0] ?? ''}" here; there are ${Object.keys(known).join(', ')}.`, {
      errors: [{ pointer: '?fields', code: 'unknown-field', detail: unknown.join(', ') }],
    })
  }
  return { fields: [...new Set(names)], query: rest }
}

function readBody(operation: Operation, body: unknown): unknown {
  if (operation.body === 'file') return body
  if (operation.body) return validate(operation.body, body === undefined ? {} : body, '')
  if (body !== undefined) validate(empty, body, '')
  return undefined
}

function finish(operation: Operation, answer: Answer, fields: string[] | null): Performed {
  const headers = answer.headers ?? {}
  if (answer.bytes) {
    return { status: answer.status ?? 200, headers: { ...headers, 'content-type': answer.bytes.mediaType }, body: answer.bytes.content }
  }
  const status = answer.status ?? operation.status ?? 200
  if (answer.body === undefined) return { status: status === 200 ? 204 : status, headers, body: null }
  const body = fields ? select(answer.body as Record<string, unknown>, fields) : answer.body
  return { status, headers: { ...headers, 'content-type': 'application/json; charset=utf-8' }, body: JSON.stringify(body) }
}

function select(body: Record<string, unknown>, fields: string[]): unknown {
  if (Array.isArray(body['data'])) return { ...body, data: body['data'].map((row) => pick(row as Record<string, unknown>, fields)) }
  return pick(body, fields)
}

function pick(row: Record<string, unknown>, fields: string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {}
  for (const field of fields) picked[field] = row[field]
  return picked
}
