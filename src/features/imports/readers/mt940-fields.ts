// The fields of an MT940 file: tags and their lines, past the envelopes and headers that banks put around them.

/** One field: its tag without colons, the line it starts at and its lines of text, the first without the tag. */
export type Field = { tag: string; line: number; lines: string[] }

/** Only tags of the format start a field: a wrapped text may well begin with something like `:12:`. */
const tags = new Set('20 21 25 25P 28 28C 60F 60M 61 86 62F 62M 64 65 NS 940 942 13D 34F 90C 90D'.split(' '))

/** Splits the text of a file into fields; lines before the first tag and between messages belong to none. */
export function readFields(text: string): Field[] {
  const fields: Field[] = []
  let current: Field | null = null
  let number = 0
  for (const whole of text.split(/\r\n|\n|\r/)) {
    number++
    // Some banks frame a message in control characters such as SOH and ETX.
    let line = whole.replace(/[\u0001-\u0008\u000b-\u001f\ufeff]/g, '')
    if (/^\{[1-5]:/.test(line)) {
      current = null
      const envelope = /\{2:[IO](\d{3})/.exec(line)
      // An envelope says what message follows before any tag does.
      if (envelope?.[1] === '942') fields.push({ tag: '942', line: number, lines: [''] })
      const body = line.indexOf('{4:')
      if (body < 0) continue
      line = line.slice(body + 3)
    }
    const found = /^\s{0,8}:([0-9]{2,3}[A-Z]?|NS):/.exec(line)
    if (found?.[1] !== undefined && tags.has(found[1])) {
      current = { tag: found[1], line: number, lines: [line.slice(found[0].length)] }
      fields.push(current)
    } else if (/^-(?:\}|XXX|\s*$)/.test(line)) {
      current = null
    } else {
      current?.lines.push(line)
    }
  }
  return fields
}
