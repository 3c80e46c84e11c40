// The documentation as one page of plain HTML, made from the OpenAPI document: no script, no network, readable on a phone.
import { refusalCodes } from '../values/refusal-codes.ts'
import type { DocumentedOperation, OpenApiDocument, Schema } from './openapi.ts'

const methodOrder = ['get', 'post', 'patch', 'delete']

export function docsPage(document: OpenApiDocument): string {
  const byTag = new Map<string, { path: string; method: string; operation: DocumentedOperation }[]>(
    document.tags.map((tag) => [tag.name, []]),
  )
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) byTag.get(operation.tags[0]!)!.push({ path, method, operation })
  }
  const sections = [...byTag].map(
    ([tag, entries]) =>
      `<section><h2 id="group-${slug(tag)}">${escape(tag)}</h2>${entries
        .toSorted((a, b) => a.path.localeCompare(b.path) || methodOrder.indexOf(a.method) - methodOrder.indexOf(b.method))
        .map(operationHtml)
        .join('')}</section>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(document.info.title)} API</title><style>${style}</style></head><body>
<a class="skip" href="#content">Skip to content</a>
<nav aria-label="Contents"><p class="brand">Djinn API <small>${escape(document.info.version)}</small></p><ul>
<li><a href="#start">First steps</a></li>${[...byTag.keys()].map((tag) => `<li><a href="#group-${slug(tag)}">${escape(tag)}</a></li>`).join('')}
<li><a href="#errors">Errors</a></li><li><a href="/api/openapi.json">OpenAPI document</a></li></ul></nav>
<main id="content"><h1>Djinn API</h1><p>${inline(document.info.description)}</p>${firstSteps}${sections.join('')}${errorsHtml()}</main></body></html>`
}

function operationHtml({ path, method, operation }: { path: string; method: string; operation: DocumentedOperation }): string {
  const body = operation.requestBody?.content['application/json']?.schema
  const successes = Object.entries(operation.responses).filter(([code]) => code.startsWith('2'))
  const answerSchema = successes[0]![1].content?.['application/json']?.schema
  const statuses = successes.map(([code, { description }]) => (successes.length > 1 ? `${code} (${escape(description)})` : code)).join(', ')
  const [security] = operation.security
  const role = operation['x-role'] ?? (security === undefined ? 'anyone' : 'bearer' in security ? 'signed in' : 'whoever signs it')
  const own = operation['x-codes'].filter(
    (code) => !['invalid-request', 'unauthenticated', 'rate-limited', 'internal', 'unavailable', 'timeout'].includes(code),
  )
  return `<details id="${slug(operation.operationId)}"><summary><code class="m ${method}">${method.toUpperCase()}</code> <code class="path">${escape(path).replaceAll('/', '/<wbr>')}</code>
<span class="what">${escape(operation.summary)}</span></summary>
${operation.description ? `<p>${inline(operation.description)}</p>` : ''}<p class="who">For: ${escape(role)}</p>
${
  operation.parameters.length > 0
    ? `<h4>Parameters</h4><dl>${operation.parameters
        .map(
          (parameter) =>
            `<dt><code>${escape(parameter.name)}</code> <small>${parameter.in}${parameter.required ? ', required' : ''}, ${typeOf(parameter.schema)}</small></dt><dd>${inline(parameter.description ?? '')}</dd>`,
        )
        .join('')}</dl>`
    : ''
}
${body ? `<h4>Body</h4>${schemaHtml(body)}` : operation.requestBody ? '<h4>Body</h4><p>The file, as <code>application/octet-stream</code> or the part <code>file</code> of <code>multipart/form-data</code>.</p>' : ''}
<h4>Answer ${statuses}</h4>${answerSchema ? schemaHtml(answerSchema) : '<p>No body.</p>'}
<h4>Refusals</h4><p class="codes">${own.map((code) => `<a href="#${code}"><code>${code}</code></a>`).join(' ') || 'Only those that every call shares.'}</p></details>`
}

function schemaHtml(schema: Schema, depth = 0): string {
  const inner = (schema['type'] === 'array' ? schema['items'] : schema) as Schema
  const choices = (inner['anyOf'] ?? inner['oneOf']) as Schema[] | undefined
  const objects = choices?.filter((choice) => choice['properties'])
  if (objects && objects.length > 0) return objects.map((choice) => schemaHtml(choice, depth)).join('<p>or</p>')
  const properties = inner['properties'] as Record<string, Schema> | undefined
  if (!properties) return `<p>${typeOf(schema)}</p>`
  const required = new Set((inner['required'] as string[] | undefined) ?? [])
  return `<dl>${Object.entries(properties)
    .map(([name, property]) => {
      const nested = depth < 2 && hasProperties(property) ? schemaHtml(bare(property), depth + 1) : ''
      return `<dt><code>${escape(name)}</code>${required.has(name) ? '' : '<span aria-hidden="true">?</span>'} <small>${typeOf(property)}${required.has(name) ? '' : ', optional'}</small></dt><dd>${inline(String(property['description'] ?? ''))}${nested}</dd>`
    })
    .join('')}</dl>`
}

function bare(schema: Schema): Schema {
  const choices = (schema['anyOf'] ?? schema['oneOf']) as Schema[] | undefined
  return choices?.length === 2 && choices.some((choice) => choice['type'] === 'null')
    ? choices.find((choice) => choice['type'] !== 'null')!
    : schema
}

function hasProperties(schema: Schema): boolean {
  const inner = bare(schema)
  return Boolean(
    inner['properties'] ??
    (inner['items'] as Schema | undefined)?.['properties'] ??
    (inner['anyOf'] as Schema[] | undefined)?.some((choice) => choice['properties']),
  )
}

function typeOf(schema: Schema): string {
  const choices = (schema['anyOf'] ?? schema['oneOf']) as Schema[] | undefined
  if (choices) return [...new Set(choices.map(typeOf))].join(' or ')
  if (schema['enum']) return (schema['enum'] as unknown[]).map((value) => `<code>${escape(String(value))}</code>`).join(' | ')
  if (schema['const'] !== undefined) return `<code>${escape(String(schema['const']))}</code>`
  if (schema['type'] === 'array') return `list of ${typeOf((schema['items'] as Schema | undefined) ?? {})}`
  const length = schema['maxLength'] === undefined ? '' : `, at most ${String(schema['maxLength'])} characters`
  const type = schema['format'] ?? schema['type'] ?? 'any'
  return escape(Array.isArray(type) ? type.join(' or ') : String(type)) + length
}

function errorsHtml(): string {
  return `<section><h2 id="errors">Errors</h2><p>Every refusal is a problem document (RFC 9457, <code>application/problem+json</code>) with one of these codes; <code>errors[]</code> points at what is wrong.</p>
<dl>${Object.entries(refusalCodes)
    .map(([code, [status, title]]) => `<dt id="${code}"><code>${code}</code> <small>${status}</small></dt><dd>${escape(title)}.</dd>`)
    .join('')}</dl></section>`
}

const firstSteps = `<section><h2 id="start">First steps</h2><p>Sign up, keep the <code>accessToken</code>, open an account, add a transaction:</p>
<pre tabindex="0">curl -s localhost:8080/api/auth/register -H 'Content-Type: application/json' \\
  -d '{"email":"me@example.org","password":"a long pass phrase"}'
export TOKEN=...   # the accessToken
curl -s localhost:8080/api/accounts -H "Authorization: Bearer $TOKEN" \\
  -H 'Content-Type: application/json' -d '{"name":"Current","kind":"checking","currency":"EUR"}'
curl -s "localhost:8080/api/imports?accountId=ID" -H "Authorization: Bearer $TOKEN" \\
  -H 'Content-Type: application/octet-stream' --data-binary @statement.ofx</pre></section>`

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function inline(text: string): string {
  return escape(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')
}

function slug(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
}

const style = `:root{--ink:#1b1d21;--soft:#565b66;--line:#dcdfe5;--paper:#fff;--code:#f3f4f7;--link:#0a58ca}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaee;--soft:#a9afbb;--line:#363b45;--paper:#15171b;--code:#22262d;--link:#8ab4f8}}
*{box-sizing:border-box}body{margin:0;font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper);display:grid;grid-template-columns:15rem minmax(0,1fr)}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:1rem;background:var(--paper);padding:.5rem}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1.5rem 1rem;border-right:1px solid var(--line)}nav ul{list-style:none;margin:0;padding:0}nav a{display:block;padding:.3rem 0}
.brand{font-weight:700;margin:0 0 .75rem}main{max-width:56rem;padding:1rem 2rem 6rem}a{color:var(--link)}h1{font-size:1.9rem}h2{margin:2.5rem 0 .75rem;font-size:1.35rem}
h4{margin:1rem 0 .25rem;font-size:.95rem}code,pre{font:.9em ui-monospace,monospace}code{overflow-wrap:anywhere}pre{background:var(--code);padding:1rem;overflow:auto;border-radius:.5rem}
details{border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0;padding:0 .9rem}summary{cursor:pointer;padding:.6rem 0}details[open]{padding-bottom:1rem}
.m{display:inline-block;min-width:4.2em;font-weight:700}.get{color:#0b7a4b}.post{color:#9a4d00}.patch{color:#6b3fa0}.delete{color:#b3261e}
@media (prefers-color-scheme:dark){.get{color:#6fd3a4}.post{color:#ffb870}.patch{color:#c9a6ff}.delete{color:#ff9a92}}
.what{color:var(--soft);margin-left:.5rem}.who{color:var(--soft)}small{color:var(--soft)}dl{margin:.25rem 0;padding-left:.75rem;border-left:2px solid var(--line)}dt{margin-top:.5rem}dd{margin:0 0 0 1rem}
@media (max-width:48rem){body{display:block}nav{position:static;height:auto;border-right:0;border-bottom:1px solid var(--line);padding:1rem}nav ul{columns:2}main{padding:1rem}.what{display:block;margin-left:0}}`
