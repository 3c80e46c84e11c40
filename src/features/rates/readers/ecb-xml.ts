// The ECB's XML: Envelope > Cube > Cube time="2026-02-27" > Cube currency="USD" rate="1.0912"; one day, 90 days or all of history.
import { SaxesParser } from 'saxes'
import { quote, RateCollector, UnreadableRates, type Place, type RateFile } from '../rate-file.ts'

/** The cubes that nest in each other, outermost first, and the attributes that each must have. */
const cubes: readonly (readonly string[])[] = [[], ['time'], ['currency', 'rate']]

export function readEcbXml(text: string, isInForce: (currency: string) => boolean): RateFile {
  const collector = new RateCollector(isInForce)
  const parser = new SaxesParser({ xmlns: false, position: false })
  let place: Place = { line: 1, column: 1 }
  let depth = 0
  /** Within the subject, the sender or whatever else the envelope has beside its cube. */
  let skippingFrom = 0
  let day = ''

  const refuse = (reason: string, at: Place = place): never => {
    throw new UnreadableRates(at, reason)
  }
  parser.on('opentagstart', ({ name }) => {
    // The parser stands behind the name.
    place = { line: parser.line, column: Math.max(1, parser.column - name.length - 1) }
  })
  parser.on('opentag', ({ name, attributes }) => {
    depth++
    if (skippingFrom > 0) return
    const local = name.slice(name.indexOf(':') + 1)
    if (depth === 1) {
      if (local !== 'Envelope') refuse(`this is XML, but no rates of the ECB: it opens with ${quote(name)}, not with gesmes:Envelope`)
      return
    }
    if (depth === 2 && local !== 'Cube') {
      skippingFrom = depth
      return
    }
    const wanted = cubes[depth - 2]
    if (local !== 'Cube' || !wanted) return refuse(`${quote(name)} is not expected here`)
    for (const attribute of Object.keys(attributes)) {
      // An attribute that nobody knows might change what a rate means, such as a unit of 100.
      if (!wanted.includes(attribute)) refuse(`the attribute ${quote(attribute)} is not expected here`)
    }
    const [first, second] = wanted.map((attribute) => attributes[attribute] ?? refuse(`Cube has no ${attribute}`))
    if (second !== undefined) collector.add(first!, day, second, place)
    else if (first !== undefined) day = first
  })
  parser.on('closetag', () => {
    if (depth === skippingFrom) skippingFrom = 0
    depth--
  })
  const refuseText = (part: string) => {
    if (skippingFrom === 0 && depth > 0 && part.trim() !== '') refuse(`the text ${quote(part.trim())} is not expected here`, here())
  }
  const here = (): Place => ({ line: parser.line, column: Math.max(1, parser.column) })
  parser.on('text', refuseText)
  parser.on('cdata', refuseText)
  // One with entities can make a small file grow without end; the ECB's has none.
  parser.on('doctype', () => refuse('the file declares a document type, which no rates need', here()))
  parser.on('error', ({ message }) => refuse(`the file is not well-formed XML: ${message.slice(0, 200)}`, here()))
  parser.write(text).close()
  return collector.finish('ecb-xml')
}
