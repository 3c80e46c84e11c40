// Splits the body of an OFX file, SGML and XML alike, into tags and text with their lines.
// Every character is looked at a bounded number of times, so that a hostile file costs no more than its length.
import { UnreadableFile } from '../statement.ts'

export type TagSink = {
  start(name: string, line: number): void
  end(name: string, line: number): void
  text(text: string): void
}

type Markup = { kind: 'start' | 'end' | 'empty' | 'text' | 'skip'; content: string; end: number }

const tagsMax = 1_000_000
const tagName = /[A-Za-z][\w.:-]{0,99}/y
const declaration = /<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)/iy
const entity = /&(?:#(\d{1,7})|#[xX]([\dA-Fa-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));/g
const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

/** Sends the tags and texts of `text` from index `from` on to the sink; answers the number of the last line. */
export function scanTags(text: string, from: number, sink: TagSink): number {
  const lineAt = lineCounter(text)
  let tags = 0
  let sent = from
  let search = from
  for (let open = text.indexOf('<', search); open !== -1; open = text.indexOf('<', search)) {
    const markup = markupAt(text, open, lineAt)
    if (!markup) {
      // A bare `<` belongs to the text, for banks do not always escape it.
      search = open + 1
      continue
    }
    if (open > sent) sink.text(decodeEntities(text.slice(sent, open)))
    sent = search = markup.end
    if (markup.kind === 'text') sink.text(markup.content)
    if (markup.kind === 'text' || markup.kind === 'skip') continue
    const line = lineAt(open)
    if (++tags > tagsMax) throw new UnreadableFile(line, `The file has more than ${tagsMax} tags.`)
    if (markup.kind !== 'end') sink.start(markup.content, line)
    if (markup.kind !== 'start') sink.end(markup.content, line)
  }
  if (text.length > sent) sink.text(decodeEntities(text.slice(sent)))
  return lineAt(text.length)
}

/** Lines of ever greater indexes, counted once through; a file without line feeds is one of carriage returns. */
function lineCounter(text: string): (index: number) => number {
  const newline = text.includes('\n') ? '\n' : '\r'
  let line = 1
  let next = text.indexOf(newline)
  return (index) => {
    while (next !== -1 && next < index) {
      line++
      next = text.indexOf(newline, next + 1)
    }
    return line
  }
}

function markupAt(text: string, open: number, lineAt: (index: number) => number): Markup | undefined {
  const next = text[open + 1]
  if (next === '!') return declarationAt(text, open, lineAt)
  const close = tagEnd(text, open + 1)
  if (close === -1) return undefined
  if (next === '?') return { kind: 'skip', content: '', end: close + 1 }
  tagName.lastIndex = next === '/' ? open + 2 : open + 1
  const written = tagName.exec(text)?.[0]
  if (written === undefined) return undefined
  const rest = text.slice(tagName.lastIndex, close).trim()
  // `<b and c>` is a bank's text, not a tag: what follows a name are attributes or the slash of an empty element.
  if (rest !== '' && rest !== '/' && !(/^\s/.test(text[tagName.lastIndex] ?? '') && rest.includes('='))) return undefined
  const content = written.slice(written.lastIndexOf(':') + 1).toUpperCase()
  const kind = next === '/' ? 'end' : rest.endsWith('/') ? 'empty' : 'start'
  return { kind, content, end: close + 1 }
}

/** Comments and CDATA; a document type is refused, for its entities can multiply a small file without end. */
function declarationAt(text: string, open: number, lineAt: (index: number) => number): Markup | undefined {
  declaration.lastIndex = open
  if (declaration.test(text)) {
    throw new UnreadableFile(lineAt(open), 'The file declares a document type or entities, which are not read.')
  }
  if (text.startsWith('<!--', open)) {
    return { kind: 'skip', content: '', end: closeOf(text, '-->', open + 4, lineAt) }
  }
  if (text.startsWith('<![CDATA[', open)) {
    const end = closeOf(text, ']]>', open + 9, lineAt)
    return { kind: 'text', content: text.slice(open + 9, end - 3), end }
  }
  return undefined
}

function closeOf(text: string, mark: string, from: number, lineAt: (index: number) => number): number {
  const found = text.indexOf(mark, from)
  if (found === -1) throw new UnreadableFile(lineAt(from), `The file ends before a ${mark} that it needs; it is cut off.`)
  return found + mark.length
}

/** Index of the `>` of a tag, or -1 when another `<` or the end comes first. */
function tagEnd(text: string, from: number): number {
  for (let index = from; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 0x3e) return index
    if (code === 0x3c) return -1
  }
  return -1
}

/** Decodes what is surely an entity; a bare `&` and unknown names stay as the bank wrote them. */
export function decodeEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(entity, (whole, decimal?: string, hexadecimal?: string, name?: string) => {
    if (name !== undefined) return entities[name] ?? whole
    const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal)
    const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
    return isCharacter ? String.fromCodePoint(code) : whole
  })
}
