// Unpacks the tar stream of a base backup into a folder (ustar, as PostgreSQL writes it).
import { closeSync, fchownSync, lchownSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const blockBytes = 512
const text = (field: Buffer) => field.subarray(0, field.includes(0) ? field.indexOf(0) : field.length).toString('utf8')
const octal = (field: Buffer) => Number.parseInt(text(field).trim() || '0', 8)

/** Takes chunks of any size; `owner` is whose the files are to be, where we are root. */
export class TarReader {
  readonly #folder: string
  readonly #owner: number | undefined
  #held: Buffer = Buffer.alloc(0)
  #file: number | undefined
  #left = 0
  #padding = 0
  #ended = false
  files = 0
  bytes = 0

  constructor(folder: string, owner?: number) {
    this.#folder = folder
    this.#owner = owner
  }

  write(chunk: Buffer) {
    let rest = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk
    this.#held = Buffer.alloc(0)
    while (rest.length > 0 && !this.#ended) {
      if (this.#left > 0) {
        const part = rest.subarray(0, this.#left)
        for (let written = 0; written < part.length;) written += writeSync(this.#file!, part, written)
        this.#left -= part.length
        rest = rest.subarray(part.length)
        if (this.#left === 0) this.#close()
      } else if (this.#padding > 0) {
        const skipped = Math.min(this.#padding, rest.length)
        this.#padding -= skipped
        rest = rest.subarray(skipped)
      } else if (rest.length < blockBytes) {
        this.#held = Buffer.from(rest)
        return
      } else {
        this.#begin(rest.subarray(0, blockBytes))
        rest = rest.subarray(blockBytes)
      }
    }
  }

  /** Whether it ended between two files; a sender may leave out the blocks of zeros. */
  end() {
    if (this.#left > 0 || this.#held.length > 0) throw new Error('the archive ends within a file')
  }

  #begin(header: Buffer) {
    if (header.every((byte) => byte === 0)) {
      this.#ended = true
      return
    }
    const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0)
    if (sum !== octal(header.subarray(148, 156))) throw new Error('the archive has a broken header')
    const prefix = text(header.subarray(345, 500))
    const name = (prefix ? `${prefix}/` : '') + text(header.subarray(0, 100))
    if (name.startsWith('/') || name.split('/').includes('..'))
      throw new Error(`the archive leads out of its folder: ${JSON.stringify(name)}`)
    const path = join(this.#folder, name)
    const kind = String.fromCharCode(header[156]!)
    if (kind === '5') {
      mkdirSync(path, { recursive: true, mode: 0o700 })
      if (this.#owner !== undefined) lchownSync(path, this.#owner, this.#owner)
    } else if (kind === '0' || kind === '\0') {
      const size = octal(header.subarray(124, 136))
      this.#file = openSync(path, 'wx', 0o600)
      if (this.#owner !== undefined) fchownSync(this.#file, this.#owner, this.#owner)
      this.#left = size
      this.#padding = (blockBytes - (size % blockBytes)) % blockBytes
      this.files++
      this.bytes += size
      if (size === 0) this.#close()
    } else throw new Error(`the archive has an entry of kind ${JSON.stringify(kind)}: ${JSON.stringify(name)}`)
  }

  #close() {
    closeSync(this.#file!)
    this.#file = undefined
  }
}
