// Reads a bank's file in whatever format it is; long files in a thread of their own, so that nobody else waits.
import { Worker } from 'node:worker_threads'
import { exponentOf } from '../../values/money.ts'
import { limits } from '../../values/limits.ts'
import { looksLikeCamt053, readCamt053 } from './readers/camt053.ts'
import { looksLikeCsv, readCsv } from './readers/csv.ts'
import { looksLikeMt940, readMt940 } from './readers/mt940.ts'
import { looksLikeOfx, readOfx } from './readers/ofx.ts'
import { looksLikeQif, readQif } from './readers/qif.ts'
import { UnreadableFile, type CsvMapping, type ImportFormat, type ReadOptions, type ReadResult } from './statement.ts'

export const formats = ['auto', 'ofx', 'qfx', 'qif', 'csv', 'camt053', 'mt940'] as const
export type WantedFormat = (typeof formats)[number]

export type Reading = { format: WantedFormat; currency: string | null; dateOrder?: 'dmy' | 'mdy'; mapping?: Partial<CsvMapping> }

const readers: Record<ImportFormat, (bytes: Uint8Array, options: ReadOptions) => ReadResult> = {
  ofx: readOfx,
  qfx: readOfx,
  qif: readQif,
  csv: readCsv,
  camt053: readCamt053,
  mt940: readMt940,
}
// The most particular first: almost any text passes for CSV.
const looks: [ImportFormat, (bytes: Uint8Array) => boolean][] = [
  ['ofx', looksLikeOfx],
  ['camt053', looksLikeCamt053],
  ['mt940', looksLikeMt940],
  ['qif', looksLikeQif],
  ['csv', looksLikeCsv],
]

/** Reads the bytes; throws UnreadableFile with line and reason when it cannot be read whole. */
export function readFile(bytes: Uint8Array, reading: Reading): ReadResult {
  if (bytes.length === 0) throw new UnreadableFile(null, 'The file is empty.')
  const format = reading.format === 'auto' ? looks.find(([, fits]) => fits(bytes))?.[0] : reading.format
  if (format === undefined) throw new UnreadableFile(null, 'The file is none of OFX, QFX, QIF, CSV, CAMT.053 and MT940.')
  return readers[format](bytes, { ...reading, exponentOf })
}

/** Shorter files are read sooner than a thread starts (about 40 ms). */
const inlineBytesMax = 64 * 1024

/** As readFile, off the event loop when the file is long. */
export async function readFileApart(bytes: Uint8Array, reading: Reading): Promise<ReadResult> {
  if (bytes.length <= inlineBytesMax) return readFile(bytes, reading)
  const worker = new Worker(new URL(import.meta.url.endsWith('.ts') ? './reading-thread.ts' : './reading-thread.js', import.meta.url), {
    workerData: { bytes, reading },
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  })
  const timer = setTimeout(() => void worker.terminate(), limits.requestTimeoutMs / 2)
  try {
    const answer = await new Promise<{ result: ReadResult } | { line: number | null; reason: string }>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', () => reject(new UnreadableFile(null, 'The file takes too long to read.')))
    })
    if ('reason' in answer) throw new UnreadableFile(answer.line, answer.reason)
    return answer.result
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY')
      throw new UnreadableFile(null, 'The file takes too much memory to read.')
    throw error
  } finally {
    clearTimeout(timer)
    void worker.terminate()
  }
}
