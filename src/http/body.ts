// What a request brings: its headers, and its body as strict JSON or the bytes of a file.
import type { FastifyRequest } from 'fastify'
import { Failure } from '../values/failure.ts'
import { decodeUtf8, readJson } from '../values/json.ts'
import type { Operation } from './operation.ts'
import { readUpload } from './upload.ts'

/** The bytes as they were sent; none where there is no body, or one that is read as a form. */
export function bytesOf(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
}

/** A header of the request; several of one name are one list. */
export function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

export async function readRequestBody(operation: Operation, request: FastifyRequest): Promise<unknown> {
  const encoding = header(request, 'content-encoding')
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Failure('unsupported-media-type', 'Send the body without Content-Encoding.', { at: 'Content-Encoding:' })
  }
  const mediaType = (header(request, 'content-type') ?? '').split(';')[0]!.trim().toLowerCase()
  if (operation.body === 'file') return await readUpload(request, mediaType)
  const bodyBytes = bytesOf(request)
  // A form is left to whoever reads its parts, so it looks like no body here.
  if (bodyBytes.length === 0 && mediaType !== 'multipart/form-data') return undefined
  if (mediaType !== 'application/json') {
    throw new Failure('unsupported-media-type', 'Send the body as application/json.', { at: 'Content-Type:' })
  }
  return readJson(decodeUtf8(bodyBytes))
}
