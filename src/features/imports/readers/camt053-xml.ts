// The XML of a CAMT message: streamed, and only the small trees a statement is read from are ever built.
import { SaxesParser } from 'saxes'
import { UnreadableFile } from '../statement.ts'

/** An element with its local name, its own text, its `Ccy` attribute and the children that may be needed. */
export type Element = { name: string; line: number; text: string; currency: string | null; children: Element[] }

/** What the reader is told of, in the order of the file; `statement` opens each `Stmt`. */
export type CamtHandler = {
  statement: (line: number) => void
  account: (element: Element) => void
  balance: (element: Element) => void
  entry: (element: Element) => void
}

/** Subtrees of an account, balance or entry that no field is read from: the larger half of a usual file. */
const unread = new Set([
  'PstlAdr',
  'CtctDtls',
  'BkTxCd',
  'RltdAgts',
  'RltdDts',
  'Svcr',
  'Chrgs',
  'Intrst',
  'Avlbty',
  'Tax',
  'Purp',
  'RtrInf',
  'SplmtryData',
])

/** Messages that look like a statement and are none, by the element that opens them. */
const refused = new Map([
  ['BkToCstmrAcctRpt', 'this is a camt.052 message: an intraday report, not a statement'],
  ['BkToCstmrDbtCdtNtfctn', 'this is a camt.054 message: a notification of debits and credits, not a statement'],
])

/** The schema nests less than 20 deep; a limit keeps a hostile file from nesting without end. */
const depthMax = 64

/** Streams the message to the handler; anything but well-formed XML with a statement message in it is refused. */
export function readCamtXml(text: string, handler: CamtHandler): void {
  const parser = new SaxesParser({ xmlns: false, position: false })
  const localNames = new Map<string, string>()
  // Only the path outside the trees is kept, and within a tree the elements that are open.
  const path: string[] = []
  const open: Element[] = []
  let depth = 0
  let skippingFrom = 0
  let messages = 0

  const refuse = (reason: string): never => {
    throw new UnreadableFile(parser.line, reason)
  }

  const localName = (name: string): string => {
    let local = localNames.get(name)
    if (local === undefined) {
      local = name.slice(name.indexOf(':') + 1)
      localNames.set(name, local)
    }
    return local
  }

  const startOutside = (name: string, currency: string | null): void => {
    const parent = path.at(-1)
    const reason = refused.get(name)
    if (reason !== undefined) refuse(reason)
    if (name === 'BkToCstmrStmt') messages++
    if (parent === 'BkToCstmrStmt' && name === 'Stmt') handler.statement(parser.line)
    const wanted = parent === 'Stmt' && path.at(-2) === 'BkToCstmrStmt'
    if (wanted && (name === 'Acct' || name === 'Bal' || name === 'Ntry')) {
      open.push({ name, line: parser.line, text: '', currency, children: [] })
    } else if (wanted || (parent === 'BkToCstmrStmt' && name !== 'Stmt')) {
      skippingFrom = depth
    } else {
      path.push(name)
    }
  }

  parser.on('opentag', (tag) => {
    depth++
    if (depth > depthMax) refuse(`the file nests elements more than ${depthMax} deep`)
    if (skippingFrom > 0) return
    const name = localName(tag.name)
    const currency = tag.attributes.Ccy ?? null
    const parent = open.at(-1)
    if (!parent) {
      startOutside(name, currency)
    } else if (unread.has(name)) {
      skippingFrom = depth
    } else {
      const element: Element = { name, line: parser.line, text: '', currency, children: [] }
      parent.children.push(element)
      open.push(element)
    }
  })
  parser.on('closetag', () => {
    const closed = depth--
    if (skippingFrom > 0) {
      if (closed === skippingFrom) skippingFrom = 0
      return
    }
    const element = open.pop()
    if (!element) path.pop()
    if (!element || open.length > 0) return
    if (element.name === 'Ntry') handler.entry(element)
    else if (element.name === 'Bal') handler.balance(element)
    else handler.account(element)
  })
  const addText = (part: string): void => {
    const element = skippingFrom === 0 ? open.at(-1) : undefined
    // The indentation of an element that has children is no text of it.
    if (element && element.children.length === 0) element.text += part
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  // A bank sends no document type; one with entities can make a small file grow without end.
  parser.on('doctype', () => refuse('the file declares a document type, which no bank statement needs'))
  parser.on('error', (error) => refuse(`the file is not well-formed XML: ${error.message}`))
  parser.write(text).close()

  if (messages === 0) throw new UnreadableFile(null, 'the file holds no CAMT.053 statement (BkToCstmrStmt)')
}

/** The first descendant on a path of child names, or undefined. Plain loops: this runs some 30 times for each entry. */
export function find(element: Element | undefined, ...names: string[]): Element | undefined {
  let found = element
  for (const name of names) {
    let next: Element | undefined
    for (const child of found?.children ?? []) {
      if (child.name !== name) continue
      next = child
      break
    }
    if (!next) return undefined
    found = next
  }
  return found
}

/** Every descendant on a path of child names. */
export function findAll(element: Element, ...names: string[]): Element[] {
  let found = [element]
  for (const name of names) {
    const next: Element[] = []
    for (const each of found) {
      for (const child of each.children) if (child.name === name) next.push(child)
    }
    found = next
  }
  return found
}

/** The trimmed text on a path of child names; null when there is none or it is blank. */
export function textAt(element: Element | undefined, ...names: string[]): string | null {
  return find(element, ...names)?.text.trim() || null
}
