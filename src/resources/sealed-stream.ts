// A stream at rest: compressed, encrypted and authenticated piece by piece (AES-256-GCM), so that a cut, a flip or another order is found.
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { backupLimits } from '../values/backup-limits.ts'

/** What a stream is sealed with; `id` tells keys apart and says nothing of them. */
export type SealingKey = { secret: Buffer; id: Buffer; hides: boolean }

/** Of what was read something is not as it was written. */
export class Damaged extends Error {}
/** The stream is whole as far as one can tell, and sealed with another key. */
export class OtherKey extends Error {}

const magic = Buffer.from('DJINNSE1')
const idBytes = 8
const saltBytes = 32
const headerBytes = magic.length + idBytes + saltBytes
const tagBytes = 16
const lengthBytes = 4
const lastBit = 0x8000_0000

const derived = (secret: Buffer, salt: Buffer, info: string, bytes: number) =>
  Buffer.from(hkdfSync('sha256', secret, salt, Buffer.from(info), bytes))

export function sealingKey(secret: Buffer): SealingKey {
  return { secret, id: derived(secret, Buffer.alloc(0), 'djinn sealed stream: id', idBytes), hides: true }
}

/** Known to everybody: what is sealed with it is checked like any other, and hidden from nobody. */
export const openKey: SealingKey = {
  secret: createHash('sha256').update('djinn sealed stream: no secret').digest(),
  id: Buffer.alloc(idBytes),
  hides: false,
}

/** The place of a piece and whether it is the last are in its nonce; the key is of this stream alone, so no nonce comes twice. */
function nonceOf(number: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32BE(number, 7)
  nonce[11] = last ? 1 : 0
  return nonce
}

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)
export const packed = (piece: Buffer): Promise<Buffer> => compress(piece, { params: { [constants.ZSTD_c_compressionLevel]: 3 } })

/** Seals pieces one by one. `name` is what the stream is, and a stream of another name does not open in its place. */
export class Sealer {
  readonly header: Buffer
  readonly #key: Buffer
  #number = 0

  constructor(key: SealingKey, name: string) {
    const salt = randomBytes(saltBytes)
    this.header = Buffer.concat([magic, key.id, salt])
    this.#key = derived(key.secret, salt, `djinn sealed stream: ${name}`, 32)
  }

  /** `piece` is packed already. */
  seal(piece: Buffer, last: boolean): Buffer {
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonceOf(this.#number++, last))
    const length = Buffer.alloc(lengthBytes)
    length.writeUInt32BE(piece.length + (last ? lastBit : 0))
    const body = cipher.update(piece)
    cipher.final()
    return Buffer.concat([length, body, cipher.getAuthTag()])
  }
}

/** Cuts what comes into pieces of one size. */
async function* pieces(source: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Buffer> {
  let gathered: Buffer[] = []
  let bytes = 0
  for await (let chunk of source) {
    while (bytes + chunk.length >= backupLimits.sealedPieceBytes) {
      const rest = backupLimits.sealedPieceBytes - bytes
      yield Buffer.concat([...gathered, chunk.subarray(0, rest)])
      chunk = chunk.subarray(rest)
      gathered = []
      bytes = 0
    }
    if (chunk.length > 0) gathered.push(chunk)
    bytes += chunk.length
  }
  yield Buffer.concat(gathered)
}

/** Seals a whole stream; several pieces are compressed at a time, in threads. */
export async function* seal(source: AsyncIterable<Buffer> | Iterable<Buffer>, key: SealingKey, name: string): AsyncGenerator<Buffer> {
  const sealer = new Sealer(key, name)
  yield sealer.header
  const waiting: Promise<Buffer>[] = []
  for await (const piece of pieces(source)) {
    const packing = packed(piece)
    packing.catch(() => {})
    waiting.push(packing)
    if (waiting.length > backupLimits.sealedPiecesAtOnce) yield sealer.seal(await waiting.shift()!, false)
  }
  while (waiting.length > 0) yield sealer.seal(await waiting.shift()!, waiting.length === 0)
}

/** Takes so many bytes at a time from chunks of any size; fewer at the end. */
class Chunks {
  readonly #source: AsyncIterator<Buffer>
  #held: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  async take(bytes: number): Promise<Buffer> {
    const parts = [this.#held]
    let have = this.#held.length
    while (have < bytes) {
      const { done, value } = await this.#source.next()
      if (done) break
      parts.push(value)
      have += value.length
    }
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    this.#held = all.subarray(bytes)
    return all.subarray(0, bytes)
  }

  async close() {
    await this.#source.return?.()
  }
}

export type UnsealOptions = {
  /** The stream is still being written, or its writer died: it has no end, and its last piece may be torn. */
  unfinished?: boolean
}

/** Opens a sealed stream; throws Damaged or OtherKey before it gives anything that is not as it was. */
export async function* unseal(
  source: AsyncIterable<Buffer>,
  key: SealingKey,
  name: string,
  { unfinished = false }: UnsealOptions = {},
): AsyncGenerator<Buffer> {
  const chunks = new Chunks(source)
  try {
    const header = await chunks.take(headerBytes)
    if (header.length < headerBytes) {
      if (unfinished) return
      throw new Damaged(`${name} is cut off`)
    }
    if (!header.subarray(0, magic.length).equals(magic)) throw new Damaged(`${name} is no sealed stream`)
    if (!header.subarray(magic.length, magic.length + idBytes).equals(key.id)) throw new OtherKey(`${name} is sealed with another key`)
    const streamKey = derived(key.secret, header.subarray(magic.length + idBytes), `djinn sealed stream: ${name}`, 32)
    for (let number = 0; ; number++) {
      const lengthField = await chunks.take(lengthBytes)
      const field = lengthField.length < lengthBytes ? 0 : lengthField.readUInt32BE()
      const last = field >= lastBit
      const length = last ? field - lastBit : field
      if (length > backupLimits.sealedPieceBytes + backupLimits.sealedPieceSpareBytes) throw new Damaged(`${name} is damaged`)
      const sealed = lengthField.length < lengthBytes ? Buffer.alloc(0) : await chunks.take(length + tagBytes)
      if (sealed.length < length + tagBytes) {
        if (unfinished) return
        throw new Damaged(`${name} is cut off`)
      }
      const piece = opened(streamKey, number, last, sealed.subarray(0, length), sealed.subarray(length))
      if (piece === undefined) {
        if (unfinished && (await chunks.take(1)).length === 0) return
        throw new Damaged(`${name} is damaged`)
      }
      const plain = await decompress(piece, { maxOutputLength: backupLimits.sealedPieceBytes })
      if (plain.length > 0) yield plain
      if (!last) continue
      if ((await chunks.take(1)).length > 0) throw new Damaged(`${name} goes on behind its end`)
      return
    }
  } finally {
    await chunks.close()
  }
}

function opened(key: Buffer, number: number, last: boolean, body: Buffer, tag: Buffer): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(number, last), { authTagLength: tagBytes })
  decipher.setAuthTag(tag)
  const plain = decipher.update(body)
  try {
    decipher.final()
    return plain
  } catch {
    return undefined
  }
}
