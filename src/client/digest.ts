// The digest of a replica: the exclusive or, over all rows of a kind, of the first 8 bytes of SHA-256 of "<id>:<revision>".

const encoder = new TextEncoder()

export async function rowDigest(row: { id: string; revision: number }): Promise<bigint> {
  const hash = await globalThis.crypto.subtle.digest('SHA-256', encoder.encode(`${row.id}:${row.revision}`))
  return new DataView(hash).getBigUint64(0)
}

/** 16 hexadecimal digits, as the server writes them. */
export async function digestOf(rows: Iterable<{ id: string; revision: number }>): Promise<string> {
  const each = await Promise.all([...rows].map(rowDigest))
  return each
    .reduce((mixed, one) => mixed ^ one, 0n)
    .toString(16)
    .padStart(16, '0')
}

/** The id of a transfer's leg: UUID version 8 of SHA-256 of "<id>/<side>". */
export async function legId(transferId: string, side: 'from' | 'to'): Promise<string> {
  const hash = await globalThis.crypto.subtle.digest('SHA-256', encoder.encode(`${transferId}/${side}`))
  const hex = [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const variant = ((parseInt(hex[16]!, 16) & 3) | 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
