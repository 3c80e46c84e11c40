// A file sent to an operation: as octets, or as the one part of a form.
import type { FastifyRequest } from 'fastify'
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'
import type { Upload } from './operation.ts'

export async function readUpload(request: FastifyRequest, mediaType: string): Promise<Upload> {
  if (mediaType !== 'multipart/form-data') {
    const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    if (bytes.length > limits.importBytesMax) throw new Failure('too-large', `A file has at most ${limits.importBytesMax} bytes.`)
    return { bytes, fileName: null }
  }
  let upload: Upload | undefined
  try {
    for await (const part of request.parts()) {
      if (part.type !== 'file' || part.fieldname !== 'file') {
        throw new Failure('invalid-request', 'The form has one part: the file, named "file".', {
          errors: [{ pointer: `/${part.fieldname}`, code: 'unknown-field', detail: 'There is no such part.' }],
        })
      }
      upload = { bytes: await part.toBuffer(), fileName: cleanFileName(part.filename) }
    }
  } catch (error) {
    // What the parser of forms throws itself has no code: no boundary, or an end before the last part's.
    if (error instanceof Failure || (error as { code?: string }).code !== undefined) throw error
    throw new Failure('invalid-request', `The form cannot be read: ${(error as Error).message}.`, { at: 'Content-Type:', cause: error })
  }
  if (!upload) throw new Failure('invalid-request', 'Send the file in a part named "file".', { at: '/file' })
  return upload
}

/** A file name that PostgreSQL can keep: no control characters and no half of a character. */
function cleanFileName(name: string | undefined): string | null {
  return (
    name
      ?.replaceAll(/\p{Cc}/gu, '')
      .slice(0, 255)
      .toWellFormed() || null
  )
}
