// Compresses answers of 1,024 bytes and more as the caller accepts: zstd, gzip (level 5) or br.
import { LRUCache } from 'lru-cache'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { limits } from '../values/limits.ts'

const gzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gzip)
const brotli = promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliCompress)
const zstd = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdCompress)

/** Larger bodies leave the event loop: the hop to a thread costs about as much as compressing 16 KB does. */
const syncBytesMax = 16 * 1024
/** A window that holds the whole of a small body, and no more memory than that takes: with zlib's 268 KB, a third went into getting it. */
const smallGzipOptions = { level: limits.gzipLevel, windowBits: 14, memLevel: 6, chunkSize: 4 * 1024 }
const brotliOptions = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }
const zstdOptions = { params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } }

export type Encoding = 'zstd' | 'gzip' | 'br'
// Cheapest first, among what the caller weighs equally.
const known: Encoding[] = ['zstd', 'gzip', 'br']

/** What was chosen for headers seen before: phones send few different ones. */
const chosen = new LRUCache<string, { encoding: Encoding | null }>({ max: 200 })

/** The encoding of an Accept-Encoding header that weighs most, or null for none of ours. */
export function chooseEncoding(header: string | undefined): Encoding | null {
  if (!header) return null
  const before = chosen.get(header)
  if (before) return before.encoding
  const encoding = weighEncodings(header)
  chosen.set(header, { encoding })
  return encoding
}

function weighEncodings(header: string): Encoding | null {
  const weights = new Map<string, number>()
  for (const part of header.split(',')) {
    const [name = '', ...parameters] = part.trim().toLowerCase().split(';')
    const q = parameters.map((parameter) => /^\s*q=([\d.]+)\s*$/.exec(parameter)?.[1]).find((value) => value !== undefined)
    weights.set(name.trim(), q === undefined ? 1 : Number(q))
  }
  const weigh = (name: string) => weights.get(name) ?? (name === 'gzip' ? (weights.get('*') ?? 0) : 0)
  const best = known.toSorted((a, b) => weigh(b) - weigh(a))[0]!
  const identity = weights.get('identity') ?? 0
  return weigh(best) > 0 && weigh(best) >= identity ? best : null
}

/** The body compressed, or null when it is better sent as it is. */
export async function compress(body: Buffer, encoding: Encoding | null): Promise<Buffer | null> {
  if (encoding === null || body.length < limits.compressBytesMin) return null
  const small = body.length <= syncBytesMax
  switch (encoding) {
    case 'gzip':
      return small ? zlib.gzipSync(body, smallGzipOptions) : await gzip(body, { level: limits.gzipLevel })
    case 'zstd':
      return small ? zlib.zstdCompressSync(body, zstdOptions) : await zstd(body, zstdOptions)
    case 'br':
      return small ? zlib.brotliCompressSync(body, brotliOptions) : await brotli(body, brotliOptions)
  }
}
