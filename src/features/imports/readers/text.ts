// Bytes of a bank file to text: banks declare encodings wrongly or not at all, so the bytes have the last word.

/**
 * Decodes a file. A byte order mark comes first, then what the file declares (a name or label of the WHATWG list), then
 * a guess: UTF-8 when the bytes are valid UTF-8, else windows-1252. A declaration that the bytes refute is not followed.
 * NUL characters come out as spaces: no bank means one and PostgreSQL stores none.
 */
export function decodeText(bytes: Uint8Array, declared?: string | null): string {
  const text = decoderFor(bytes, declared)?.decode(bytes) ?? guess(bytes)
  return text.includes('\0') ? text.replaceAll('\0', ' ') : text
}

/** Collapses every run of whitespace and control characters to one space, and trims. */
export function cleanWhitespace(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim()
}

/** The decoder the bytes or the declaration name for certain; undefined when it is left to a guess. */
function decoderFor(bytes: Uint8Array, declared: string | null | undefined): TextDecoder | undefined {
  const sixteen = utf16Of(bytes)
  if (sixteen) return new TextDecoder(sixteen)
  const encoding = knownEncoding(declared)
  // A declared UTF-16 without a mark or zero bytes is a file that was recoded after it was written.
  if (!encoding || encoding.startsWith('utf-16')) return undefined
  if (encoding !== 'utf-8') return new TextDecoder(encoding)
  return mostlyUtf8(bytes) ? new TextDecoder('utf-8') : undefined
}

/** The WHATWG name of a declared encoding, or undefined for one that no decoder knows. */
function knownEncoding(declared: string | null | undefined): string | undefined {
  if (!declared) return undefined
  try {
    return new TextDecoder(declared.trim()).encoding
  } catch {
    return undefined
  }
}

/** UTF-16 by its mark, or by the zero halves of the two ASCII characters that open every text format of a bank. */
function utf16Of(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const [a, b, c, d] = bytes
  if (a === 0xff && b === 0xfe) return 'utf-16le'
  if (a === 0xfe && b === 0xff) return 'utf-16be'
  if (a && b === 0 && c && d === 0) return 'utf-16le'
  if (a === 0 && b && c === 0 && d) return 'utf-16be'
  return undefined
}

/**
 * Whether declared UTF-8 may be believed although some bytes are wrong: banks that cut a name to a number of bytes cut
 * letters in two, and a few of those must not turn every other letter of the file into two.
 */
function mostlyUtf8(bytes: Uint8Array): boolean {
  let good = 0
  let bad = 0
  for (const [character] of new TextDecoder('utf-8').decode(bytes).matchAll(/[\u0080-\uffff]/g)) {
    if (character === '\ufffd') bad++
    else good++
  }
  return bad === 0 || good > bad
}

function guess(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}
