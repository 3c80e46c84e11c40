// Reads JSON character by character, so that every refusal names where it stands.
import { Failure } from './failure.ts'

export type JsonLimits = {
  /** Containers inside each other. */
  depthMax: number
  /** Keys of all objects together. */
  keysMax: number
  keysPerObjectMax: number
  /** Items of all arrays together. */
  itemsMax: number
}

/** Pointers and details end up in an answer, which must not echo a body of a megabyte. */
const pointerLengthMax = 1_024

export const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a]
export const [openObject, closeObject, openArray, closeArray] = [0x7b, 0x7d, 0x5b, 0x5d]
export const [minus, plus, dot, zero, nine] = [0x2d, 0x2b, 0x2e, 0x30, 0x39]

const escapes: Record<string, string> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

export class StrictReader {
  readonly #text: string
  readonly #limits: JsonLimits
  #at = 0
  #keys = 0
  #items = 0
  /** Where we are, for the pointer of a refusal; only the first `#level` entries count. */
  readonly #path: (string | number)[] = []
  #level = 0

  constructor(text: string, limits: JsonLimits) {
    this.#text = text
    this.#limits = limits
  }

  read(): unknown {
    if (this.#text === '') this.#refuse('The body is empty')
    const value = this.#value(this.#skipSpace())
    if (!Number.isNaN(this.#skipSpace())) this.#refuse('Text follows the value')
    return value
  }

  /** Reads the value that starts with `code` at the current place. */
  #value(code: number): unknown {
    if (code === quote) return this.#string()
    if (code === openObject) return this.#object()
    if (code === openArray) return this.#array()
    if (code === minus || (code >= zero && code <= nine)) return this.#number(code)
    if (code === 0x74 && this.#word('true')) return true
    if (code === 0x66 && this.#word('false')) return false
    if (code === 0x6e && this.#word('null')) return null
    return this.#refuse('A value is expected')
  }

  #object(): unknown {
    const level = this.#enter()
    const object: Record<string, unknown> = {}
    let code = this.#skipSpace()
    let keys = 0
    while (code !== closeObject) {
      if (keys > 0) {
        if (code !== comma) this.#refuse('A comma or } is expected')
        this.#at++
        code = this.#skipSpace()
      }
      if (code !== quote) this.#refuse('A key in double quotes is expected')
      const start = this.#at
      const key = this.#string()
      this.#path[level] = key
      this.#level = level + 1
      if (key === '__proto__') this.#refuse('The key __proto__ is not allowed', start)
      // The plain look-up is the fast one; inherited names such as `toString` are told apart by the second.
      if (object[key] !== undefined && Object.hasOwn(object, key)) this.#refuse('The key is there twice', start)
      if (++keys > this.#limits.keysPerObjectMax) this.#refuse(`An object has at most ${this.#limits.keysPerObjectMax} keys`, start)
      if (++this.#keys > this.#limits.keysMax) this.#refuse(`The body has at most ${this.#limits.keysMax} keys`, start)
      if (this.#skipSpace() !== colon) this.#refuse('A colon is expected')
      this.#at++
      object[key] = this.#value(this.#skipSpace())
      this.#level = level
      code = this.#skipSpace()
    }
    this.#at++
    return object
  }

  #array(): unknown[] {
    const level = this.#enter()
    const array: unknown[] = []
    let code = this.#skipSpace()
    while (code !== closeArray) {
      if (array.length > 0) {
        if (code !== comma) this.#refuse('A comma or ] is expected')
        this.#at++
        code = this.#skipSpace()
      }
      this.#path[level] = array.length
      this.#level = level + 1
      if (++this.#items > this.#limits.itemsMax) this.#refuse(`The body has at most ${this.#limits.itemsMax} array items`)
      array.push(this.#value(code))
      this.#level = level
      code = this.#skipSpace()
    }
    this.#at++
    return array
  }

  /** Steps into a container and answers the level of its members in the path. */
  #enter(): number {
    if (this.#level >= this.#limits.depthMax) this.#refuse(`Values nest at most ${this.#limits.depthMax} deep`)
    this.#at++
    return this.#level
  }

  /** Reads the string whose opening quote is at the current place. */
  #string(): string {
    const text = this.#text
    const start = this.#at + 1
    let at = start
    let seen = 0
    for (;;) {
      const code = text.charCodeAt(at)
      if (code === quote) break
      if (code === backslash) return this.#escapedString(start, at)
      // A comparison with NaN, past the end, is false, so it refuses as well.
      if (!(code >= 0x20)) this.#refuseInString(at)
      seen |= code
      at++
    }
    this.#at = at + 1
    const string = text.slice(start, at)
    if (seen > 0xff) this.#checkWellFormed(string, start)
    return string
  }

  /** The rest of a string whose first backslash is at `at`. */
  #escapedString(start: number, at: number): string {
    const text = this.#text
    let string = ''
    let chunk = start
    for (;;) {
      const code = text.charCodeAt(at)
      if (!(code >= 0x20)) this.#refuseInString(at)
      if (code !== quote && code !== backslash) {
        at++
        continue
      }
      const plain = text.slice(chunk, at)
      this.#checkWellFormed(plain, chunk)
      string += plain
      if (code === quote) break
      const letter = text.charAt(at + 1)
      if (letter === 'u') {
        const unit = this.#unit(at)
        if (unit === 0) this.#refuse('NUL is not allowed', at)
        if (unit >= 0xd800 && unit <= 0xdfff) {
          // Halves pair only within one notation: a raw half would mean that the text itself is ill-formed.
          const low = unit <= 0xdbff && text.startsWith('\\u', at + 6) ? this.#unit(at + 6) : 0
          if (low < 0xdc00 || low > 0xdfff) this.#refuse('A surrogate stands alone', at)
          string += String.fromCharCode(unit, low)
          at += 12
        } else {
          string += String.fromCharCode(unit)
          at += 6
        }
      } else {
        const character = escapes[letter]
        if (character === undefined) this.#refuse('There is no such escape', at)
        string += character
        at += 2
      }
      chunk = at
    }
    this.#at = at + 1
    return string
  }

  /** The code unit of the `\uXXXX` at a place. */
  #unit(at: number): number {
    const digits = this.#text.slice(at + 2, at + 6)
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#refuse('\\u needs four hexadecimal digits', at)
    return Number.parseInt(digits, 16)
  }

  #checkWellFormed(string: string, start: number) {
    if (!string.isWellFormed()) this.#refuse('A surrogate stands alone', start)
  }

  #number(first: number): number {
    const text = this.#text
    const start = this.#at
    let at = first === minus ? start + 1 : start
    const digits = at
    let code = text.charCodeAt(at)
    let value = 0
    while (code >= zero && code <= nine) {
      value = value * 10 + (code - zero)
      code = text.charCodeAt(++at)
    }
    if (at === digits) this.#refuse('A digit is expected', at)
    if (at - digits > 1 && text.charCodeAt(digits) === zero) this.#refuse('A number has no leading zeroes', start)
    if (code !== dot && code !== 0x65 && code !== 0x45) {
      // Past 2^53 the sum is inexact but no smaller than 2^53, so the comparison holds.
      if (value > Number.MAX_SAFE_INTEGER) this.#refuse('The integer is beyond 2^53-1', start, 'out-of-range')
      this.#at = at
      return first === minus && value !== 0 ? -value : value
    }
    if (code === dot) at = this.#digits(at + 1)
    code = text.charCodeAt(at)
    if (code === 0x65 || code === 0x45) {
      code = text.charCodeAt(at + 1)
      at = this.#digits(code === minus || code === plus ? at + 2 : at + 1)
    }
    this.#at = at
    value = Number(text.slice(start, at))
    if (!Number.isFinite(value)) this.#refuse('The number is too large', start, 'out-of-range')
    // Zero has no sign here: -0 equals 0 in every comparison but shows up as another value in storage.
    return value === 0 ? 0 : value
  }

  /** The place after one or more digits. */
  #digits(at: number): number {
    const start = at
    let code = this.#text.charCodeAt(at)
    while (code >= zero && code <= nine) code = this.#text.charCodeAt(++at)
    if (at === start) this.#refuse('A digit is expected', at)
    return at
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false
    this.#at += word.length
    return true
  }

  /** Skips white space and answers the code unit after it, NaN at the end. */
  #skipSpace(): number {
    let code = this.#text.charCodeAt(this.#at)
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = this.#text.charCodeAt(++this.#at)
    return code
  }

  #refuseInString(at: number): never {
    if (at >= this.#text.length) this.#refuse('A string is not closed', at)
    this.#refuse('A control character in a string must be escaped', at)
  }

  #refuse(what: string, at = this.#at, code: string = 'invalid-json'): never {
    const before = this.#text.slice(0, at)
    const lineStart = before.lastIndexOf('\n') + 1
    const line = before.split('\n').length
    const detail = `${what} (line ${line}, column ${at - lineStart + 1}).`
    throw new Failure('invalid-json', detail, { errors: [{ pointer: this.#pointer(), code, detail }] })
  }

  /** The place as a pointer; one too long to answer with stops at the last container that fits. */
  #pointer(): string {
    let pointer = ''
    for (const part of this.#path.slice(0, this.#level)) {
      if (typeof part === 'string' && part.length > pointerLengthMax) break
      const longer = `${pointer}/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`
      if (longer.length > pointerLengthMax) break
      pointer = longer
    }
    return pointer
  }
}
