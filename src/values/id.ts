// Identifiers: UUIDs, version 7 when we make them, any version when a client chose them.
import { uuidv7 } from 'uuidv7'

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** A new UUIDv7, rising within the process. */
export const newId = uuidv7

/** Whether the text is a lower-case UUID (RFC 9562, versions 1 to 8). */
export function isId(text: string): boolean {
  return form.test(text)
}
