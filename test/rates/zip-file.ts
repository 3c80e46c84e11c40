// Makes ZIP archives for the tests, as PKWARE's APPNOTE lays them out.
import { crc32, deflateRawSync } from 'node:zlib'

export type Entry = { name: string; content: Buffer; stored?: boolean; flags?: number; method?: number; checksum?: number; bytes?: number }

/** An archive of the files, with a comment behind it when given. */
export function zipOf(entries: readonly Entry[], comment = ''): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const {
    name,
    content,
    stored = false,
    flags = 0,
    method = stored ? 0 : 8,
    checksum = crc32(content),
    bytes = content.length,
  } of entries) {
    const packed = stored ? content : deflateRawSync(content)
    // Version, flags, method, time, date, checksum and sizes are alike in both headers.
    const shared = Buffer.alloc(26)
    shared.writeUInt16LE(20, 0)
    shared.writeUInt16LE(flags, 2)
    shared.writeUInt16LE(method, 4)
    shared.writeUInt32LE(checksum, 10)
    shared.writeUInt32LE(packed.length, 14)
    shared.writeUInt32LE(bytes, 18)
    shared.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), shared, Buffer.from(name), packed])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), shared, tail, Buffer.from(name)]))
    parts.push(local)
    offset += local.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(entries.length, 4)
  end.writeUInt16LE(entries.length, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(offset, 12)
  end.writeUInt16LE(comment.length, 16)
  return Buffer.concat([...parts, central, Buffer.from('PK\x05\x06'), end, Buffer.from(comment)])
}
