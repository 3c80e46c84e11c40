// A ZIP archive with one file in it, the form in which the ECB publishes its CSV (PKWARE APPNOTE 6.3, stored or deflated).
import { crc32, inflateRawSync } from 'node:zlib'
import { limits } from '../../../values/limits.ts'
import { UnreadableRates } from '../rate-file.ts'

const localHeader = 0x04034b50
const centralHeader = 0x02014b50
const endRecord = 0x06054b50
const endRecordBytes = 22
const commentBytesMax = 0xffff
const methods = { stored: 0, deflated: 8 }

export function looksLikeZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5)
}

/** The content of the only file of the archive. */
export function unpack(packed: Uint8Array): Uint8Array {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
  try {
    return unpackOnly(bytes)
  } catch (error) {
    if (error instanceof UnreadableRates) throw error
    // A field past the end, or bytes that do not inflate.
    throw new UnreadableRates(null, 'the ZIP archive is damaged', { cause: error })
  }
}

function unpackOnly(bytes: Buffer): Uint8Array {
  const end = findEnd(bytes)
  const entries = bytes.readUInt16LE(end + 10)
  if (entries !== 1) throw new UnreadableRates(null, `the ZIP archive has ${entries} files, not one; unpack it and import the right one`)
  const central = bytes.readUInt32LE(end + 16)
  if (bytes.readUInt32LE(central) !== centralHeader) throw new RangeError('no central directory')
  const encrypted = (bytes.readUInt16LE(central + 8) & 1) === 1
  if (encrypted) throw new UnreadableRates(null, 'the ZIP archive is encrypted; unpack it first')
  const method = bytes.readUInt16LE(central + 10)
  const [checksum, packedBytes, contentBytes] = [16, 20, 24].map((offset) => bytes.readUInt32LE(central + offset)) as [
    number,
    number,
    number,
  ]
  if (contentBytes > limits.rateFileBytesMax) throw new UnreadableRates(null, 'the file in the ZIP archive is larger than 20 MiB')
  const local = bytes.readUInt32LE(central + 42)
  if (bytes.readUInt32LE(local) !== localHeader) throw new RangeError('no local header')
  const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28)
  const data = bytes.subarray(start, start + packedBytes)
  if (method !== methods.stored && method !== methods.deflated) {
    throw new UnreadableRates(null, `the ZIP archive is packed in a way that is not read here (${method}); unpack it first`)
  }
  const content = method === methods.stored ? data : inflateRawSync(data, { maxOutputLength: Math.max(1, contentBytes) })
  if (content.length !== contentBytes || crc32(content) !== checksum) throw new RangeError('the checksum differs')
  return content
}

/** The record that ends the archive stands at its end, before a comment. */
function findEnd(bytes: Buffer): number {
  const last = bytes.length - endRecordBytes
  for (let at = last; at >= Math.max(0, last - commentBytesMax); at--) {
    if (bytes.readUInt32LE(at) === endRecord && at + endRecordBytes + bytes.readUInt16LE(at + 20) === bytes.length) return at
  }
  throw new RangeError('no end of the central directory')
}
