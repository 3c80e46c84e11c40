// An answer that is made while it is sent: in bounded memory, at the reader's pace, for a bounded time.
import { pipeline, Readable, type Transform } from 'node:stream'
import zlib from 'node:zlib'
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'
import type { Encoding } from './compress.ts'
import type { Download } from './operation.ts'

const compressors: Record<Encoding, () => Transform> = {
  gzip: () => zlib.createGzip({ level: limits.gzipLevel }),
  zstd: () => zlib.createZstdCompress({ params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } }),
  br: () => zlib.createBrotliCompress({ params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }),
}

/**
 * The stream of a download. What fails before the first chunk is thrown, and so answered as a refusal; what fails later breaks the
 * connection off, so that nobody takes a part for the whole. Whoever does not read for 15 s is cut: a transaction waits for them.
 */
export async function openDownload(
  { chunks }: Download,
  encoding: Encoding | null,
  onEnd: (error: Error | null | undefined) => void,
): Promise<Readable> {
  const iterator = chunks[Symbol.asyncIterator]()
  const first = await iterator.next()
  const source = Readable.from(watched(iterator, first), { highWaterMark: 1 })
  const last = encoding ? compressors[encoding]() : source
  const timer = setTimeout(() => last.destroy(tooSlow()), limits.downloadMsMax)
  const done = (error?: Error | null) => {
    clearTimeout(timer)
    onEnd(error)
  }
  if (encoding) pipeline(source, last as Transform, done)
  else source.once('close', () => done(source.errored))
  return last

  async function* watched(rest: AsyncIterator<string>, head: IteratorResult<string>) {
    try {
      for (let next = head; next.done !== true; next = await rest.next()) {
        const stalled = setTimeout(() => last.destroy(tooSlow()), limits.receiveTimeoutMs)
        try {
          yield next.value
        } finally {
          clearTimeout(stalled)
        }
      }
    } finally {
      await rest.return?.()
    }
  }
}

function tooSlow() {
  return new Failure('timeout', 'The answer was not read in time.')
}
