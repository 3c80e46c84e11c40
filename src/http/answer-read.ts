// The answer of an operation that writes nothing in a transaction of ours: 304 from the revision, rows as the network can take them.
import { entityTag, matchesNone, namesTag, variantOf } from './conditional.ts'
import { selectFields } from './fields.ts'
import { varyOnNetwork } from './negotiate.ts'
import type { Answer, Context, Input, Operation, Related } from './operation.ts'
import type { Performed, Service } from './perform.ts'
import type { RevisionedReader } from './revision.ts'

type Row = Record<string, unknown>
type Page = { data: Row[]; nextCursor: string | null; prefetched?: Page; included?: Record<string, unknown[]> }

export async function answerRead(
  service: Service,
  operation: Operation,
  context: Context,
  input: Input & { prepared: unknown; ahead: unknown },
  fields: string[] | null,
  /** None behind a write of the same transaction: the revision outside is of before, and the one inside is not the last word yet. */
  reader: RevisionedReader | null,
): Promise<Performed> {
  const { call, household, principal } = context
  const quality = operation.essential && call.network === 'slow' ? 'essential' : 'full'
  const headers: Record<string, string> = operation.essential ? { 'djinn-quality': quality, vary: varyOnNetwork } : {}
  const conditional = operation.conditional === true && household !== null && reader !== null
  const variant = variantOf(
    service.lineage,
    household?.id ?? '',
    principal?.userId ?? '',
    call.url,
    ...(operation.essential && call.network !== 'ordinary' ? [call.network] : []),
    ...(operation.daily ? [context.today] : []),
  )
  if (conditional && call.headers.ifNoneMatch !== undefined) {
    const revision = await reader.readRevision()
    if (matchesNone(call.headers.ifNoneMatch, revision, variant)) {
      return { status: 304, headers: { ...headers, etag: entityTag(revision, variant) }, body: null }
    }
  }
  const answer = await operation.run(context, input)
  if (call.network === 'fast' && operation.related && isPage(answer.body)) {
    answer.body = await enrich(operation, operation.related, context, input, answer, answer.body)
  }
  Object.assign(headers, answer.headers)
  if (conditional && reader.revision !== null && !answer.beyondHousehold) {
    headers['etag'] ??= entityTag(reader.revision, variant)
    if (isPage(answer.body)) headers['last-modified'] ??= new Date(reader.raisedS * 1000).toUTCString()
  }
  const ownRevision = (answer.body as { revision?: unknown } | undefined)?.revision
  if (typeof ownRevision === 'number') {
    // With the row's revision in it the tag serves If-Match too.
    headers['etag'] ??= entityTag(ownRevision, answer.beyondHousehold ? variantOf(variant, JSON.stringify(answer.body)) : variant)
  }
  const performed = finish(operation, { ...answer, headers }, fields ?? (quality === 'essential' ? operation.essential! : null))
  // Who gives a tag of its own has compared it itself: the tag of a sync answers a cursor that is up to date, and no other.
  return answer.headers?.['etag'] === undefined ? tagged(performed, operation, context, variant) : performed
}

/** Reads without a household's revision carry a tag of their row's revision, or of their content. */
function tagged(performed: Performed, operation: Operation, { call }: Context, variant: string): Performed {
  const { status, headers, body } = performed
  if (operation.method !== 'GET' || operation.noStore || status !== 200 || body === null) return performed
  const etag = headers['etag'] ?? `"${variantOf(variant, String(body))}"`
  return namesTag(call.headers.ifNoneMatch, etag)
    ? { status: 304, headers: { ...headers, etag }, body: null }
    : { ...performed, headers: { ...headers, etag } }
}

/** Adds the rows that the page names, and the page behind it. */
async function enrich(
  operation: Operation,
  related: readonly Related[],
  context: Context,
  input: Input & { prepared: unknown; ahead: unknown },
  answer: Answer,
  page: Page,
): Promise<Page> {
  const enriched: Page = { ...page }
  if (page.nextCursor !== null) {
    const behind = await operation.run(context, { ...input, query: { ...(input.query as object), cursor: page.nextCursor } })
    enriched.prefetched = behind.body as Page
    answer.beyondHousehold ||= behind.beyondHousehold ?? false
  }
  const rows = [...page.data, ...(enriched.prefetched?.data ?? [])]
  const included = related.map(async ({ name, rows: statements, ids }) => {
    const wanted = new Set(rows.flatMap((row) => ids(row)).filter((id) => id !== null))
    const found = await Promise.all([...wanted].map((id) => context.load(statements, id)))
    return [name, found.filter((row) => row !== null)] as const
  })
  enriched.included = Object.fromEntries(await Promise.all(included))
  return enriched
}

function isPage(body: unknown): body is Page {
  return typeof body === 'object' && body !== null && Array.isArray((body as Page).data)
}

/** Makes bytes of an answer. */
export function finish(operation: Operation, answer: Answer, fields: readonly string[] | null): Performed {
  const headers = answer.headers ?? {}
  if (answer.bytes) {
    const { content, mediaType, ...kept } = answer.bytes
    return { status: answer.status ?? 200, headers: { ...headers, 'content-type': mediaType }, body: content, ...kept }
  }
  if (answer.stream) {
    return { status: 200, headers: { ...headers, 'content-type': operation.answerType! }, body: null, stream: answer.stream }
  }
  if (answer.download) {
    const { mediaType, fileName } = answer.download
    const named = { 'content-type': mediaType, 'content-disposition': `attachment; filename="${fileName}"` }
    return { status: 200, headers: { ...headers, ...named }, body: null, download: answer.download }
  }
  const status = answer.status ?? operation.status ?? 200
  if (answer.body === undefined) return { status: status === 200 ? 204 : status, headers, body: null }
  const body = fields ? selectFields(answer.body as Row, fields) : answer.body
  return { status, headers: { ...headers, 'content-type': 'application/json; charset=utf-8' }, body: JSON.stringify(body) }
}
