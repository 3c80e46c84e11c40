// Writes the client's types from the OpenAPI document: what each operation takes and answers, by its name.
import { writeFileSync } from 'node:fs'
import { Cursors } from '../../src/http/page.ts'
import { openApiDocument, type DocumentedOperation, type Schema } from '../../src/http/openapi.ts'
import { makeFeatures } from '../../src/app/features.ts'
import { readConfig } from '../../src/resources/config.ts'

/** The operations as they are declared; nothing is opened for it. */
async function readDocument() {
  const nothing = new Proxy({}, { get: () => () => Promise.resolve([]) }) as never
  const database = { reader: () => nothing } as never
  const features = await makeFeatures(
    {
      config: readConfig({}),
      database,
      notifications: nothing,
      announcements: nothing,
      mailer: null,
      metrics: nothing,
      flags: nothing,
      log: nothing,
      installation: { epoch: '' },
    } as never,
    {
      service: { database, replicas: null, cursors: new Cursors(Buffer.alloc(32)), lineage: '', gate: nothing },
      windows: () => nothing,
      chargeSteps: nothing,
      shed: () => {},
    },
  )
  features.endStreams()
  void features.close()
  return openApiDocument(features.operations, '0')
}

export async function clientTypes(): Promise<string> {
  const document = await readDocument()
  const lines: string[] = []
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) lines.push(operationType(path, method, operation))
  }
  return [
    '// Generated from the OpenAPI document by `npm run client-types`; do not edit.\n',
    '/** What each operation takes and answers, by its operationId. */',
    `export type Operations = {\n${lines.toSorted().join('\n')}\n}\n`,
    `/** Where each operation is. */`,
    `export const routes = {\n${Object.entries(document.paths)
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, { operationId }]) => `  '${operationId}': ['${method.toUpperCase()}', '${path}'],`),
      )
      .toSorted()
      .join('\n')}\n} as const satisfies Record<keyof Operations, readonly [string, string]>\n`,
  ].join('\n')
}

function operationType(path: string, method: string, operation: DocumentedOperation): string {
  const params = parametersType(operation, 'path')
  const query = parametersType(operation, 'query')
  const body = operation.requestBody?.content['application/json']?.schema
  const answer = Object.entries(operation.responses).find(([status]) => status.startsWith('2'))?.[1].content?.['application/json']?.schema
  const bodyType = body ? typeOf(body, 2) : operation.requestBody ? 'Blob | Uint8Array' : 'undefined'
  return `  /** ${method.toUpperCase()} ${path}: ${operation.summary} */\n  '${operation.operationId}': {\n    params: ${params}\n    query: ${query}\n    body: ${bodyType}\n    answer: ${answer ? typeOf(answer, 2) : 'undefined'}\n  }`
}

function parametersType(operation: DocumentedOperation, place: 'path' | 'query'): string {
  const parameters = operation.parameters.filter((parameter) => parameter.in === place)
  if (parameters.length === 0) return 'Record<never, never>'
  return `{ ${parameters.map((one) => `${one.name}${one.required ? '' : '?'}: ${typeOf(one.schema, 3)}`).join('; ')} }`
}

function typeOf(schema: Schema, depth: number): string {
  const choices = (schema['anyOf'] ?? schema['oneOf']) as Schema[] | undefined
  if (choices) return [...new Set(choices.map((one) => typeOf(one, depth)))].join(' | ')
  if (schema['enum']) return (schema['enum'] as unknown[]).map((value) => JSON.stringify(value).replaceAll('"', "'")).join(' | ')
  if (schema['const'] !== undefined) return JSON.stringify(schema['const']).replaceAll('"', "'")
  if (Array.isArray(schema['type'])) return schema['type'].map((type) => typeOf({ ...schema, type }, depth)).join(' | ')
  switch (schema['type']) {
    case 'object':
      return objectType(schema, depth)
    case 'array': {
      const items = typeOf((schema['items'] as Schema | undefined) ?? {}, depth)
      return items.includes(' | ') ? `(${items})[]` : `${items}[]`
    }
    case 'integer':
    case 'number':
      return 'number'
    case 'string':
    case 'boolean':
    case 'null':
      return schema['type']
    default:
      return 'unknown'
  }
}

function objectType(schema: Schema, depth: number): string {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>)
  if (properties.length === 0) {
    const rest = schema['additionalProperties']
    return `Record<string, ${typeof rest === 'object' && rest !== null ? typeOf(rest as Schema, depth) : 'unknown'}>`
  }
  const required = new Set((schema['required'] ?? []) as string[])
  const indent = '  '.repeat(depth + 1)
  const lines = properties.map(([name, property]) => {
    const key = /^[a-zA-Z_]\w*$/.test(name) ? name : `'${name}'`
    return `${indent}${key}${required.has(name) ? '' : '?'}: ${typeOf(property, depth + 1)}`
  })
  return `{\n${lines.join('\n')}\n${'  '.repeat(depth)}}`
}

export const typesFile = new URL('../../src/client/operations.ts', import.meta.url)
if (import.meta.main) writeFileSync(typesFile, await clientTypes())
