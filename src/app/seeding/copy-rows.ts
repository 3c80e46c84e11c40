// Rows in the binary format of COPY: what PostgreSQL takes without parsing a text.

const header = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
/** PostgreSQL counts days from 2000-01-01. */
const epochDay = 10_957
const bytesFirst = 64 * 1024
/** -infinity as a date. */
export const beforeAllDays = -0x8000_0000 + epochDay

export class CopyRows {
  #bytes = Buffer.allocUnsafe(bytesFirst)
  #length = header.copy(this.#bytes)
  rows = 0
  readonly into: string
  readonly #columns: number

  /** `into` is the table with its columns, as COPY names them. */
  constructor(into: string) {
    this.into = into
    this.#columns = into.split(',').length
  }

  row(): this {
    this.#room(2)
    this.#length = this.#bytes.writeInt16BE(this.#columns, this.#length)
    this.rows++
    return this
  }

  none(): this {
    this.#room(4)
    this.#length = this.#bytes.writeInt32BE(-1, this.#length)
    return this
  }

  bytes(value: Uint8Array): this {
    this.#room(4 + value.length)
    this.#length = this.#bytes.writeInt32BE(value.length, this.#length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
    return this
  }

  text(value: string): this {
    const room = 3 * value.length
    this.#room(4 + room)
    const length = this.#bytes.write(value, this.#length + 4)
    this.#bytes.writeInt32BE(length, this.#length)
    this.#length += 4 + length
    return this
  }

  json(value: string): this {
    this.#room(5 + 3 * value.length)
    // Version 1 of the binary form is the text.
    this.#bytes[this.#length + 4] = 1
    const length = this.#bytes.write(value, this.#length + 5)
    this.#bytes.writeInt32BE(length + 1, this.#length)
    this.#length += 5 + length
    return this
  }

  /** A UUID of 10 bytes that are common and the place. */
  id(prefix: Uint8Array, place: number): this {
    this.#room(20)
    const at = this.#bytes.writeInt32BE(16, this.#length)
    this.#bytes.set(prefix, at)
    this.#bytes[at + 10] = 0
    this.#bytes[at + 11] = 0
    this.#length = this.#bytes.writeUInt32BE(place, at + 12)
    return this
  }

  bool(value: boolean): this {
    this.#room(5)
    this.#length = this.#bytes.writeInt32BE(1, this.#length)
    this.#bytes[this.#length++] = value ? 1 : 0
    return this
  }

  int4(value: number): this {
    this.#room(8)
    this.#length = this.#bytes.writeInt32BE(value, this.#bytes.writeInt32BE(4, this.#length))
    return this
  }

  int8(value: number): this {
    this.#room(12)
    const high = Math.floor(value / 4_294_967_296)
    this.#length = this.#bytes.writeInt32BE(8, this.#length)
    this.#length = this.#bytes.writeInt32BE(high, this.#length)
    this.#length = this.#bytes.writeUInt32BE(value - high * 4_294_967_296, this.#length)
    return this
  }

  /** A day by its number since 1970-01-01. */
  day(value: number): this {
    return this.int4(value - epochDay)
  }

  /** Milliseconds of 1970. */
  instant(valueMs: number): this {
    return this.int8((valueMs - epochDay * 86_400_000) * 1_000)
  }

  end(): Buffer {
    this.#room(2)
    this.#length = this.#bytes.writeInt16BE(-1, this.#length)
    return this.#bytes.subarray(0, this.#length)
  }

  #room(more: number) {
    if (this.#length + more <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(2 * this.#bytes.length + more)
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
