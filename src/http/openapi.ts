// The OpenAPI 3.1 document, made from the operations: what is documented is what runs.
import { z } from 'zod'
import { refusalCodes, type RefusalCode } from '../values/refusal-codes.ts'
import { limits } from '../values/limits.ts'
import { isWriting } from './gate.ts'
import type { Operation } from './operation.ts'
import { signatureHeaders } from './signature.ts'

export type OpenApiDocument = {
  openapi: '3.1.0'
  info: { title: string; version: string; description: string; license: { name: string; identifier: string } }
  tags: { name: string }[]
  paths: Record<string, Record<string, DocumentedOperation>>
  components: Record<string, Record<string, unknown>>
}
export type DocumentedOperation = {
  operationId: string
  tags: string[]
  summary: string
  description?: string
  parameters: { name: string; in: string; required: boolean; description?: string; schema: Schema }[]
  requestBody?: { required: boolean; content: Record<string, { schema: Schema }> }
  responses: Record<string, { description: string; headers?: Record<string, unknown>; content?: Record<string, { schema: Schema }> }>
  security: Record<string, string[]>[]
  'x-role'?: string
  'x-codes': string[]
}
export type Schema = { [key: string]: unknown }

// A token that is dead is refused where none is needed, too.
const everyRefusal: RefusalCode[] = [
  'invalid-request',
  'unauthenticated',
  'rate-limited',
  'internal',
  'overloaded',
  'unavailable',
  'timeout',
]

/** The document of these operations. Schemas are the ones that check the requests. */
export function openApiDocument(operations: readonly Operation[], version: string): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {}
  for (const operation of operations) (paths[operation.path] ??= {})[operation.method.toLowerCase()] = documentOperation(operation)
  return {
    openapi: '3.1.0',
    info: {
      title: 'Djinn',
      version,
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        'A personal-finance backend for mobile apps. Amounts are integers of minor units; days are calendar dates; instants are UTC (RFC 3339). ' +
        'Errors are RFC 9457 problem documents with a `code` of a closed list. Every POST, PATCH and DELETE of a signed-in user honours `Idempotency-Key`.',
    },
    tags: [...new Set(operations.map((operation) => operation.tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The accessToken of sign-up, sign-in or refresh.' },
        ...Object.fromEntries(
          Object.entries(signatureHeaders).map(([name, description]) => [
            schemeOf(name),
            { type: 'apiKey', in: 'header', name, description },
          ]),
        ),
      },
      schemas: { Problem: problemSchema() },
    },
  }
}

function documentOperation(operation: Operation): DocumentedOperation {
  const codes = refusalsOf(operation)
  const status = String(operation.status ?? 200)
  const documented: DocumentedOperation = {
    operationId: operation.name,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    parameters: parametersOf(operation),
    responses: {
      [status]: {
        description: operation.answer || operation.answerType ? 'The answer' : 'Done',
        ...(operation.conditional ? { headers: { ETag: { schema: { type: 'string' } } } } : {}),
        ...(operation.answer ? { content: { 'application/json': { schema: toSchema(operation.answer, 'output') } } } : {}),
        ...(operation.answerType ? { content: { [operation.answerType]: { schema: { type: 'string' } } } } : {}),
      },
    },
    security: securityOf(operation),
    'x-codes': codes,
  }
  if (isOfHousehold(operation)) documented['x-role'] = operation.access
  if (operation.body === 'file') {
    const file = { type: 'string', format: 'binary', maxLength: limits.importBytesMax }
    documented.requestBody = {
      required: true,
      content: {
        'application/octet-stream': { schema: file },
        'multipart/form-data': { schema: { type: 'object', properties: { file }, required: ['file'] } },
      },
    }
  } else if (operation.body) {
    documented.requestBody = { required: true, content: { 'application/json': { schema: toSchema(operation.body, 'input') } } }
  }
  for (const [answer, codesOfStatus] of Map.groupBy(codes, (code) => String(refusalCodes[code][0]))) {
    documented.responses[answer] = {
      description: codesOfStatus.join(', '),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    }
  }
  if (operation.conditional) documented.responses['304'] = { description: 'Nothing changed since If-None-Match' }
  const { content } = documented.responses[status]!
  for (const [also, description] of Object.entries(alsoStatusesOf(operation))) {
    documented.responses[also] = { description, ...(content && also !== '304' ? { content } : {}) }
  }
  return documented
}

/** A signed call takes all three headers together. */
function securityOf(operation: Operation): Record<string, string[]>[] {
  if (operation.access === 'anonymous') return []
  return operation.signed ? [Object.fromEntries(Object.keys(signatureHeaders).map((name) => [schemeOf(name), []]))] : [{ bearer: [] }]
}

function schemeOf(header: string): string {
  return header.replace('Djinn-', 'signed')
}

function isOfHousehold(operation: Operation): boolean {
  return !['anonymous', 'signed', 'user'].includes(operation.access)
}

function alsoStatusesOf(operation: Operation): Readonly<Record<number, string>> {
  const statuses: Record<number, string> = { ...operation.alsoStatuses }
  const chosenId = operation.status === 201 && 'id' in ((operation.body as z.ZodObject | undefined)?.shape ?? {})
  if (chosenId) statuses[200] = 'The id is there already, with the same content'
  return statuses
}

/** Every code that the operation may refuse with, those of its kind included. */
export function refusalsOf(operation: Operation): RefusalCode[] {
  const codes = new Set<RefusalCode>([...everyRefusal, ...(operation.refusals ?? [])])
  if (operation.signed) codes.delete('unauthenticated')
  if (operation.signed) codes.add(operation.signed.refusal)
  else if (operation.params || isOfHousehold(operation)) codes.add('not-found')
  if (operation.access === 'editor' || operation.access === 'owner') codes.add('forbidden')
  if (operation.body) for (const code of ['too-large', 'unsupported-media-type'] as const) codes.add(code)
  if (operation.body && operation.body !== 'file') codes.add('invalid-json')
  if (operation.query && 'cursor' in ((operation.query as z.ZodObject).shape ?? {})) codes.add('invalid-cursor')
  if (isWriting(operation)) codes.add('read-only')
  if (operation.feature !== undefined) codes.add('feature-off')
  if (operation.effect === 'write') {
    for (const code of ['invalid-idempotency-key', 'idempotency-in-progress', 'idempotency-key-reused', 'precondition-failed'] as const)
      codes.add(code)
  }
  return [...codes].toSorted((a, b) => refusalCodes[a][0] - refusalCodes[b][0] || a.localeCompare(b))
}

function parametersOf(operation: Operation): DocumentedOperation['parameters'] {
  const parameters: DocumentedOperation['parameters'] = []
  const add = (schema: z.ZodType | undefined, place: 'path' | 'query') => {
    if (!schema) return
    const { properties = {}, required = [] } = toSchema(schema, 'input') as { properties?: Record<string, Schema>; required?: string[] }
    for (const [name, property] of Object.entries(properties)) {
      const { description, ...rest } = property
      parameters.push({
        name,
        in: place,
        required: place === 'path' || required.includes(name),
        ...(description === undefined ? {} : { description: String(description) }),
        schema: rest,
      })
    }
  }
  add(operation.params, 'path')
  add(operation.query, 'query')
  const header = (name: string, description: string, schema: Schema) =>
    parameters.push({ name, in: 'header', required: false, description, schema })
  if (operation.row && operation.method !== 'DELETE') {
    parameters.push({
      name: 'fields',
      in: 'query',
      required: false,
      description: `Fields to answer, comma-separated: ${Object.keys(operation.row.shape).join(', ')}.`,
      schema: { type: 'string' },
    })
  }
  if (isOfHousehold(operation) && operation.householdIn !== 'path')
    header('Djinn-Household', 'The household; without it, your own.', { type: 'string', format: 'uuid' })
  if (operation.conditional || operation.alsoStatuses?.[304])
    header('If-None-Match', 'The ETag you have; 304 when nothing changed.', { type: 'string' })
  if (operation.effect === 'write') {
    header('Idempotency-Key', 'A repeat with the same key and body answers the same and runs nothing twice.', {
      type: 'string',
      minLength: 1,
      maxLength: limits.idempotencyKeyLengthMax,
    })
    if (operation.method === 'PATCH' || operation.method === 'DELETE')
      header('If-Match', 'The ETag you changed; 412 when the row changed since.', { type: 'string' })
  }
  return parameters
}

function toSchema(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema: _, ...made } = z.toJSONSchema(schema, { io, unrepresentable: 'any', target: 'draft-2020-12' }) as Schema
  return made
}

function problemSchema(): Schema {
  return {
    type: 'object',
    required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'requestId', 'errors'],
    properties: {
      type: { type: 'string' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      instance: { type: 'string' },
      code: { type: 'string', enum: Object.keys(refusalCodes) },
      requestId: { type: 'string' },
      errors: {
        type: 'array',
        items: {
          type: 'object',
          required: ['pointer', 'code'],
          properties: {
            pointer: { type: 'string', description: 'JSON pointer into the body, `?name` for a query parameter, `Name:` for a header.' },
            code: { type: 'string' },
            detail: { type: 'string' },
          },
        },
      },
    },
  }
}
