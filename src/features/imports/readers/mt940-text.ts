// Text of MT940 files: besides what every reader decodes, the DOS code pages that some banks still write.
import { decodeText } from './text.ts'

/** What code pages 437, 850 and 852 agree on, which are the letters of western and central European text. */
const dosLetters = new Map<number, string>()
const codes = '81ü 82é 83â 84ä 87ç 89ë 8eÄ 90É 93ô 94ö 99Ö 9aÜ a0á a1í a2ó a3ú e1ß'
for (const code of codes.split(' ')) dosLetters.set(Number.parseInt(code.slice(0, 2), 16), code.slice(2))

/** Decodes a file; a DOS code page is recognised by letters where other encodings have signs. */
export function decodeMt940(bytes: Uint8Array): string {
  if (!isDosText(bytes)) return decodeText(bytes)
  const parts: string[] = []
  let start = 0
  bytes.forEach((byte, index) => {
    const letter = byte < 0x80 ? undefined : dosLetters.get(byte)
    if (letter === undefined) return
    parts.push(decodeText(bytes.subarray(start, index)), letter)
    start = index + 1
  })
  return parts.join('') + decodeText(bytes.subarray(start))
}

/** In windows-1252 these bytes are quotes and signs, none of which stands within a word; its letters are others. */
function isDosText(bytes: Uint8Array): boolean {
  let within = false
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0
    if (byte < 0x80) continue
    if (!dosLetters.has(byte)) return false
    // A blank (0xa0) or a letter of both (0xe1) proves nothing.
    if (byte === 0xa0 || byte === 0xe1) continue
    if (isAsciiLetter(bytes[index - 1]) && isAsciiLetter(bytes[index + 1])) within = true
  }
  return within
}

function isAsciiLetter(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a))
}
