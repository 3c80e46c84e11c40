// Identifiers: UUIDs, version 7 when we make them, any version when a client chose them.
import { getRandomValues } from 'node:crypto'
import { V7Generator } from 'uuidv7'

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Random numbers drawn many at a time: a call of the system for each id costs more than the id. */
const drawn = new Uint32Array(1_024)
let at = drawn.length
const generator = new V7Generator({
  nextUint32: () => {
    if (at === drawn.length) {
      getRandomValues(drawn)
      at = 0
    }
    return drawn[at++]!
  },
})

/** A new UUIDv7, rising within the process. */
export function newId(): string {
  return generator.generate().toString()
}

/** Whether the text is a lower-case UUID (RFC 9562, versions 1 to 8). */
export function isId(text: string): boolean {
  return form.test(text)
}
