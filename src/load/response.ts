// Reads HTTP/1.1 answers off a socket (RFC 9112), as far as a server of ours makes them: one at a time, by length or in chunks.
import { gunzipSync } from 'node:zlib'

export type Response = {
  status: number
  etag: string | undefined
  gzip: boolean
  /** Whether the server closes the connection behind it. */
  last: boolean
  body: Buffer
}

const headEnd = Buffer.from('\r\n\r\n')
const lineEnd = Buffer.from('\r\n')
const none = Buffer.alloc(0)

/** What a broken answer is thrown as. */
export class BrokenAnswer extends Error {}

export class ResponseReader {
  #bytes: Buffer = none
  readonly #bytesMax: number

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Whether anything of the next answer has come. */
  get begun(): boolean {
    return this.#bytes.length > 0
  }

  /** Takes what came; answers the response once it is whole. */
  take(bytes: Buffer): Response | null {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes])
    if (this.#bytes.length > this.#bytesMax) throw new BrokenAnswer('too long')
    for (;;) {
      const end = this.#bytes.indexOf(headEnd)
      if (end < 0) return null
      const head = this.#bytes.toString('latin1', 0, end)
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? NaN)
      if (!(status >= 100)) throw new BrokenAnswer('not HTTP/1.1')
      if (status < 200) {
        this.#bytes = this.#bytes.subarray(end + 4)
        continue
      }
      const body = bodyOf(this.#bytes, end + 4, status, head)
      if (body === null) return null
      if (body.end !== this.#bytes.length) throw new BrokenAnswer('more than was asked for')
      this.#bytes = none
      return {
        status,
        etag: field(head, 'etag'),
        gzip: field(head, 'content-encoding') === 'gzip',
        last: field(head, 'connection')?.toLowerCase() === 'close',
        body: body.bytes,
      }
    }
  }
}

/** The value of a header; the names are ours, so they need no escaping. */
function field(head: string, name: string): string | undefined {
  return new RegExp(`\\r\\n${name}:[ \\t]*([^\\r]*?)[ \\t]*(?:\\r|$)`, 'i').exec(head)?.[1]
}

function bodyOf(bytes: Buffer, start: number, status: number, head: string): { bytes: Buffer; end: number } | null {
  if (status === 204 || status === 304) return { bytes: none, end: start }
  if (field(head, 'transfer-encoding')?.toLowerCase() === 'chunked') return chunksOf(bytes, start)
  const length = Number(field(head, 'content-length') ?? NaN)
  if (!Number.isSafeInteger(length) || length < 0) throw new BrokenAnswer('without a length')
  return bytes.length < start + length ? null : { bytes: bytes.subarray(start, start + length), end: start + length }
}

function chunksOf(bytes: Buffer, start: number): { bytes: Buffer; end: number } | null {
  const chunks: Buffer[] = []
  for (let at = start; ;) {
    const end = bytes.indexOf(lineEnd, at)
    if (end < 0) return null
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16)
    if (!(size >= 0)) throw new BrokenAnswer('a chunk without a size')
    const next = end + 2 + size + 2
    if (bytes.length < next) return null
    // No trailers: Djinn sends none.
    if (size === 0) return { bytes: Buffer.concat(chunks), end: next }
    chunks.push(bytes.subarray(end + 2, end + 2 + size))
    at = next
  }
}

/** The value of a JSON answer, undefined where there is none; throws BrokenAnswer where it is not JSON. */
export function bodyValue({ body, gzip }: Response): unknown {
  if (body.length === 0) return undefined
  try {
    return JSON.parse((gzip ? gunzipSync(body) : body).toString('utf8'))
  } catch {
    throw new BrokenAnswer('not JSON')
  }
}
