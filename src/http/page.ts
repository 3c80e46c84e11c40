// Cursors of lists: opaque, keyset, signed, and bound to the household, the list and its filters.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'

const macBytes = 12

export class Cursors {
  readonly #secret: Buffer
  constructor(secret: Buffer) {
    this.#secret = secret
  }

  /** `binding` names what the cursor belongs to; a cursor read under another binding is refused. */
  encode(binding: string, position: readonly (string | number)[]): string {
    const payload = Buffer.from(JSON.stringify(position))
    return Buffer.concat([this.#mac(binding, payload), payload]).toString('base64url')
  }

  decode(binding: string, cursor: string): (string | number)[] {
    const bytes = Buffer.from(cursor, 'base64url')
    const payload = bytes.subarray(macBytes)
    const genuine =
      bytes.length > macBytes &&
      bytes.toString('base64url') === cursor &&
      timingSafeEqual(bytes.subarray(0, macBytes), this.#mac(binding, payload))
    if (!genuine) {
      throw new Failure('invalid-cursor', 'The cursor is not one of this list with these filters in this household.', { at: '?cursor' })
    }
    return JSON.parse(payload.toString('utf8')) as (string | number)[]
  }

  #mac(binding: string, payload: Buffer): Buffer {
    return createHmac('sha256', this.#secret).update(binding).update('\0').update(payload).digest().subarray(0, macBytes)
  }
}

/** A page of a list: `rows` holds one more than `limit` when there is a next page. */
export function page<R>(cursors: Cursors, binding: string, rows: R[], limit: number, position: (row: R) => (string | number)[]) {
  const more = rows.length > limit
  const data = more ? rows.slice(0, limit) : rows
  return { data, nextCursor: more ? cursors.encode(binding, position(data.at(-1)!)) : null }
}

export const pageLimits = { default: limits.pageRowsDefault, max: limits.pageRowsMax }
