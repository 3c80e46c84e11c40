// The OpenAPI document: well-formed, complete, and true of what the service answers.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { DocumentedOperation, OpenApiDocument, Schema } from '../../src/http/openapi.ts'
import { refusalCodes, type RefusalCode } from '../../src/values/refusal-codes.ts'
import { open } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

const reply = await djinn.call('GET', '/api/openapi.json')
const document = reply.body as OpenApiDocument
const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation, name: `${method.toUpperCase()} ${path}` })),
)
const schemasOf = ({ parameters, requestBody, responses }: DocumentedOperation): Schema[] => [
  ...parameters.map((parameter) => parameter.schema),
  ...[requestBody?.content, ...Object.values(responses).map((response) => response.content)].flatMap((content) =>
    Object.values(content ?? {}).map((each) => each.schema),
  ),
]

const types = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'])
/** What JSON Schema 2020-12 demands of the keywords that the document uses; any other keyword fails. */
const keywords: Record<string, (value: unknown) => boolean> = {
  type: (value) => [value].flat().every((each) => types.has(each as string)),
  properties: (value) => Object.values(value as object).every(assertSchema),
  required: (value) => Array.isArray(value) && new Set(value).size === value.length,
  additionalProperties: (value) => typeof value === 'boolean' || assertSchema(value),
  propertyNames: (value) => assertSchema(value),
  items: (value) => assertSchema(value),
  prefixItems: (value) => (value as unknown[]).every(assertSchema),
  anyOf: (value) => (value as unknown[]).length > 0 && (value as unknown[]).every(assertSchema),
  oneOf: (value) => (value as unknown[]).length > 0 && (value as unknown[]).every(assertSchema),
  allOf: (value) => (value as unknown[]).length > 0 && (value as unknown[]).every(assertSchema),
  enum: (value) => Array.isArray(value) && value.length > 0,
  pattern: (value) => new RegExp(value as string, 'u') instanceof RegExp,
  minimum: Number.isFinite,
  maximum: Number.isFinite,
  exclusiveMinimum: Number.isFinite,
  exclusiveMaximum: Number.isFinite,
  minLength: (value) => Number.isInteger(value),
  maxLength: (value) => Number.isInteger(value),
  minItems: (value) => Number.isInteger(value),
  maxItems: (value) => Number.isInteger(value),
  const: () => true,
  default: () => true,
  format: (value) => typeof value === 'string',
  description: (value) => typeof value === 'string',
  $ref: (value) => {
    const [root, ...path] = (value as string).split('/')
    return (
      root === '#' && path.reduce<unknown>((inner, part) => (inner as Record<string, unknown> | undefined)?.[part], document) !== undefined
    )
  },
}

function assertSchema(schema: unknown): boolean {
  assert.ok(typeof schema === 'object' && schema !== null && !Array.isArray(schema), `no schema: ${JSON.stringify(schema)}`)
  for (const [keyword, value] of Object.entries(schema)) {
    assert.ok(keywords[keyword]?.(value), `${keyword}: ${JSON.stringify(value)?.slice(0, 200)}`)
  }
  return true
}

test('the document is public JSON of OpenAPI 3.1', () => {
  assert.equal(reply.status, 200)
  assert.equal(reply.headers['content-type'], 'application/json; charset=utf-8')
  assert.equal(reply.headers['cache-control'], 'public, max-age=300')
  assert.match(document.openapi, /^3\.1\.\d+$/)
  assert.ok(document.info.title && document.info.version && document.info.license.identifier)
})

test('every operation of the service has its entry, and there are no others', () => {
  const served = djinn.api.operations.map((operation) => `${operation.method} ${operation.path} ${operation.name}`)
  assert.deepEqual(documented.map((each) => `${each.name} ${each.operation.operationId}`).toSorted(), served.toSorted())
  assert.equal(new Set(documented.map((each) => each.operation.operationId)).size, documented.length)
})

test('every path that the contract names is there', () => {
  const paths = Object.keys(document.paths)
  for (const path of ['register', 'login', 'refresh', 'logout', 'password', 'recovery'])
    assert.ok(paths.includes(`/api/auth/${path}`), path)
  for (const path of [
    'me',
    'me/sessions',
    'households',
    'accounts',
    'categories',
    'transactions',
    'transfers',
    'imports',
    'rules',
    'audit',
  ]) {
    assert.ok(paths.includes(`/api/${path}`), path)
  }
})

test('every schema is JSON Schema whose references lead somewhere', () => {
  for (const { name, operation } of documented) {
    for (const schema of schemasOf(operation)) assert.doesNotThrow(() => assertSchema(schema), name)
  }
  for (const schema of Object.values(document.components['schemas']!)) assertSchema(schema)
  assert.throws(() => assertSchema({ type: 'int' }), 'the check can fail')
  assert.throws(() => assertSchema({ properties: { a: { $ref: '#/components/schemas/Nothing' } } }), 'the check can fail')
})

test('every path parameter is declared, required and in the path, and no parameter is declared twice', () => {
  for (const { name, path, operation } of documented) {
    const inPath = operation.parameters.filter((parameter) => parameter.in === 'path')
    assert.deepEqual(
      inPath.map((parameter) => parameter.name).toSorted(),
      [...path.matchAll(/\{(\w+)\}/g)].map((found) => found[1]!).toSorted(),
      name,
    )
    assert.ok(
      inPath.every((parameter) => parameter.required),
      name,
    )
    const keys = operation.parameters.map((parameter) => `${parameter.in} ${parameter.name.toLowerCase()}`)
    assert.equal(new Set(keys).size, keys.length, name)
  }
})

test('every operation has a known tag, a summary, a success and who may call it', () => {
  const tags = new Set(document.tags.map((tag) => tag.name))
  for (const { name, operation } of documented) {
    assert.ok(operation.summary.length > 3, name)
    assert.ok(operation.tags.length === 1 && tags.has(operation.tags[0]!), name)
    assert.ok(
      Object.keys(operation.responses).some((status) => /^2\d\d$/.test(status)),
      name,
    )
    for (const requirement of operation.security) {
      for (const scheme of Object.keys(requirement)) assert.ok(scheme in document.components['securitySchemes']!, name)
    }
  }
})

test('the codes of every refusal are documented with their status, and all of them are on the closed list', () => {
  for (const { name, operation } of documented) {
    const statuses = new Set<string>()
    for (const code of operation['x-codes']) {
      const [status] = refusalCodes[code as RefusalCode] ?? assert.fail(`${name}: ${code} is on no list`)
      statuses.add(String(status))
      const response = operation.responses[status]!
      assert.ok(response.description.split(', ').includes(code), `${name}: ${code}`)
      assert.deepEqual(Object.keys(response.content ?? {}), ['application/problem+json'])
    }
    const refusals = Object.keys(operation.responses).filter((status) => /^[45]/.test(status))
    assert.deepEqual(new Set(refusals), statuses, name)
  }
  const problem = document.components['schemas']!['Problem'] as { properties: { code: { enum: string[] } } }
  assert.deepEqual(problem.properties.code.enum, Object.keys(refusalCodes))
})

test('what is answered is documented: statuses, and codes of refusals', async () => {
  const ana = await djinn.person()
  const draft = { id: '0192f0c0-0000-7000-8000-00000000000a', name: 'Purse', kind: 'cash', currency: 'EUR' }
  const wrong = { email: ana.email, password: 'a wrong phrase 1188' }
  const calls: [string, string, unknown?, Record<string, string>?][] = [
    ['POST', '/api/accounts', draft],
    ['POST', '/api/accounts', draft],
    ['POST', '/api/accounts', { ...draft, name: 'Chest' }],
    ['POST', '/api/accounts', { ...draft, id: undefined, institutionId: 'none' }],
    ['POST', '/api/accounts', draft, { 'idempotency-key': 'x'.repeat(256) }],
    ['POST', '/api/accounts', draft, { 'content-type': 'text/plain' }],
    ['GET', '/api/accounts'],
    ['GET', '/api/accounts', undefined, { 'if-none-match': '*' }],
    ['GET', '/api/accounts?cursor=AAAA'],
    ['GET', '/api/accounts', undefined, { 'djinn-household': draft.id }],
    ['GET', `/api/accounts/${ana.userId}`],
    ['PATCH', `/api/accounts/${draft.id}`, { name: 'Tin' }, { 'if-match': '"0.x"' }],
    ['POST', `/api/accounts/${draft.id}/restore`],
    ['DELETE', `/api/accounts/${draft.id}`],
    ['PATCH', `/api/accounts/${draft.id}`, { name: 'Tin' }],
    ['GET', '/api/system/currencies', undefined, { 'if-none-match': (await djinn.call('GET', '/api/system/currencies')).headers['etag']! }],
    ['GET', '/api/system/currencies', undefined, { authorization: 'Bearer dead' }],
    ['POST', '/api/auth/register', { email: ana.email, password: 'lantern orchard velvet 8261' }],
    ['POST', '/api/auth/register', { email: 'weak@example.org', password: 'short' }],
    ['POST', '/api/auth/login', wrong],
    ['POST', '/api/auth/login', wrong, { authorization: 'Bearer dead' }],
    ['POST', '/api/auth/refresh', { refreshToken: 'none' }],
    ['POST', '/api/auth/recovery', { email: 'nobody@example.org' }],
    ['POST', '/api/auth/recovery/confirm', { token: 'none', newPassword: 'lantern orchard velvet 8261' }],
    ['POST', '/api/auth/register/confirm', { token: 'none', password: 'none' }],
    ['POST', '/api/auth/password', { currentPassword: wrong.password, newPassword: 'lantern orchard velvet 8261' }],
    ['DELETE', `/api/me/sessions/${ana.userId}`],
    ['POST', '/api/auth/logout'],
    ['GET', '/api/me'],
  ]
  for (const [method, path, body, headers = {}] of calls) {
    const answer = await ana.call(method, path, { headers, ...(body === undefined ? {} : { body }) })
    const plain = path.split('?')[0]!
    const entry = documented.find(
      (each) => each.method === method.toLowerCase() && new RegExp(`^${each.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(plain),
    )
    assert.ok(entry, path)
    assert.ok(entry.operation.responses[answer.status], `${entry.name} answers ${answer.status}, which is not documented`)
    if (answer.status >= 400)
      assert.ok(
        entry.operation['x-codes'].includes(answer.body.code),
        `${entry.name} refuses with ${answer.body.code}, which is not documented`,
      )
  }
})

test('the docs are a page that names every operation and every code, and runs no script', async () => {
  const { status, headers, text } = await djinn.call('GET', '/docs')
  assert.equal(status, 200)
  assert.equal(headers['content-type'], 'text/html; charset=utf-8')
  assert.match(headers['content-security-policy'] ?? '', /default-src 'none'/)
  assert.match(text, /^<!doctype html>\s*<html lang="en">/)
  assert.doesNotMatch(text, /<script|javascript:|undefined|\[object Object\]/i)
  for (const { operation } of documented)
    assert.ok(
      text.includes(operation.operationId.replaceAll('.', '-').toLowerCase()) || text.includes(operation.operationId),
      operation.operationId,
    )
  for (const code of Object.keys(refusalCodes)) assert.equal(text.split(`id="${code}"`).length, 2, `${code} is explained once`)
  const ids = [...text.matchAll(/ id="([^"]+)"/g)].map((found) => found[1]!)
  assert.equal(new Set(ids).size, ids.length, 'every id is there once')
  for (const [, target] of text.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.includes(target!), `#${target} leads somewhere`)
})
