// Builds the elements of an OFX file out of its tags: SGML leaves need no end tag, aggregates do.
import { UnreadableFile } from '../statement.ts'
import { scanTags } from './ofx-tags.ts'
import type { TagSink } from './ofx-tags.ts'

export type OfxElement = { name: string; line: number; value: string; children: OfxElement[] | undefined }

const depthMax = 64

/**
 * The aggregates that an entry's meaning hangs on: one of them left open is a damaged file, while any other name without
 * text and end tag may be an empty leaf of SGML, whose apparent children belong to its parent.
 */
const aggregates = new Set([
  'OFX',
  'SIGNONMSGSRSV1',
  'SONRS',
  'STATUS',
  'FI',
  'BANKMSGSRSV1',
  'CREDITCARDMSGSRSV1',
  'INVSTMTMSGSRSV1',
  'STMTTRNRS',
  'CCSTMTTRNRS',
  'INVSTMTTRNRS',
  'STMTRS',
  'CCSTMTRS',
  'INVSTMTRS',
  'BANKACCTFROM',
  'CCACCTFROM',
  'INVACCTFROM',
  'BANKACCTTO',
  'CCACCTTO',
  'LEDGERBAL',
  'AVAILBAL',
  'BANKTRANLIST',
  'BANKTRANLISTP',
  'INVTRANLIST',
  'INVBANKTRAN',
  'STMTTRN',
  'STMTTRNP',
  'PAYEE',
  'EXTDPAYEE',
  'CURRENCY',
  'ORIGCURRENCY',
])

const statements = new Set(['STMTRS', 'CCSTMTRS', 'INVSTMTRS'])

/** The `OFX` elements of a text from index `from` on, and whether Intuit's own elements are among theirs. */
export function readElements(text: string, from: number, isXml: boolean): { roots: OfxElement[]; isIntuit: boolean } {
  const builder = new ElementBuilder(isXml)
  builder.finish(scanTags(text, from, builder))
  return { roots: builder.roots, isIntuit: builder.isIntuit }
}

export function childOf(element: OfxElement | undefined, name: string): OfxElement | undefined {
  return element?.children?.find((child) => child.name === name)
}

/** The text of a child, or undefined when it is absent or empty. */
export function valueOf(element: OfxElement | undefined, name: string): string | undefined {
  return childOf(element, name)?.value || undefined
}

class ElementBuilder implements TagSink {
  readonly roots: OfxElement[] = []
  isIntuit = false
  private readonly open: OfxElement[] = []
  private readonly isXml: boolean

  constructor(isXml: boolean) {
    this.isXml = isXml
  }

  start(name: string, line: number): void {
    this.closeLeaf()
    // Some SGML writers leave out the end tag of an entry; the next one then ends it, and nothing is lost.
    const earlier = this.isXml || !isEntry(name) ? -1 : this.indexOf(name)
    if (earlier !== -1) this.close(earlier, line)
    if (this.open.length >= depthMax) throw new UnreadableFile(line, `Elements nest deeper than ${depthMax} levels.`)
    if (name.startsWith('INTU.')) this.isIntuit = true
    this.open.push({ name, line, value: '', children: undefined })
  }

  end(name: string, line: number): void {
    if (this.open.at(-1)?.name !== name) this.closeLeaf()
    const index = this.indexOf(name)
    if (index !== -1) return this.close(index, line)
    // Some banks end the statement of a card as if it were that of an account.
    const statement = statements.has(name) ? this.open.findLastIndex((element) => statements.has(element.name)) : -1
    if (statement !== -1) return this.close(statement, line)
    // The late end tag of a leaf is harmless, that of an aggregate says that its beginning is missing.
    if (aggregates.has(name)) throw new UnreadableFile(line, `</${name}> ends nothing that is open.`)
  }

  text(text: string): void {
    const top = this.open.at(-1)
    if (top && text.trim() !== '') top.value += text
  }

  finish(line: number): void {
    const left = this.open.findLast((element) => aggregates.has(element.name))
    if (!left) return
    throw new UnreadableFile(line, `The file ends before ${left.name} of line ${left.line} does; it is cut off.`)
  }

  /** Index of the innermost open element of the name; a leaf is not looked for outside of its aggregate. */
  private indexOf(name: string): number {
    const isAggregate = aggregates.has(name)
    for (let index = this.open.length - 1; index >= 0; index--) {
      const found = this.open[index]?.name ?? ''
      if (found === name) return index
      if (!isAggregate && aggregates.has(found)) return -1
    }
    return -1
  }

  private closeLeaf(): void {
    const top = this.open.at(-1)
    if (!top || top.value === '' || top.children || aggregates.has(top.name)) return
    this.open.pop()
    this.attach(top)
  }

  /** Closes the open element at the index and whatever is still open inside it. */
  private close(index: number, line: number): void {
    while (this.open.length > index + 1) {
      const inner = this.open.pop()
      if (inner) this.closeUnended(inner, line)
    }
    const element = this.open.pop()
    if (element) this.attach(element)
  }

  private closeUnended(element: OfxElement, line: number): void {
    const mayLackEnd = this.isXml ? !element.children && !aggregates.has(element.name) : !aggregates.has(element.name)
    if (!this.isXml && isEntry(element.name)) return this.attach(element)
    if (!mayLackEnd) {
      throw new UnreadableFile(line, `${element.name} of line ${element.line} is not ended where it should be.`)
    }
    const children = element.children ?? []
    element.children = undefined
    this.attach(element)
    for (const child of children) this.attach(child)
  }

  /** Empty leaves are dropped: they say nothing, and a large file has many. */
  private attach(element: OfxElement): void {
    const parent = this.open.at(-1)
    element.value = element.value.trim()
    if (!parent) {
      if (element.name === 'OFX') this.roots.push(element)
    } else if (element.value !== '' || element.children || aggregates.has(element.name)) {
      if (parent.children) parent.children.push(element)
      else parent.children = [element]
    }
  }
}

function isEntry(name: string): boolean {
  return name === 'STMTTRN' || name === 'STMTTRNP'
}
