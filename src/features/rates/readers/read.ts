// Reads a file of exchange rates as the European Central Bank publishes it, in whichever of its forms.
import { limits } from '../../../values/limits.ts'
import { UnreadableRates, type RateFile } from '../rate-file.ts'
import { readEcbCsv } from './ecb-csv.ts'
import { readEcbXml } from './ecb-xml.ts'
import { looksLikeZip, unpack } from './zip.ts'

/** Throws UnreadableRates, and nothing else, for what cannot be read; `isInForce` tells which currencies are taken. */
export function readRateFile(bytes: Uint8Array, isInForce: (currency: string) => boolean): RateFile {
  if (bytes.length > limits.rateFileBytesMax) throw new UnreadableRates(null, 'the file is larger than 20 MiB')
  const text = decode(looksLikeZip(bytes) ? unpack(bytes) : bytes)
  return /^\s*</.test(text) ? readEcbXml(text, isInForce) : readEcbCsv(text, isInForce)
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new UnreadableRates(null, 'the file is no UTF-8 text', { cause: error })
  }
}
