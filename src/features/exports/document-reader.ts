// Reads a household's document: strict JSON of known sections, each row checked, and parents put before their children.
import { gunzipSync } from 'node:zlib'
import { Failure } from '../../values/failure.ts'
import { decodeUtf8, readJson } from '../../values/json.ts'
import { limits } from '../../values/limits.ts'
import { columnsOf } from '../../resources/rows.ts'
import { validate } from '../../http/validate.ts'
import { z } from 'zod'
import { documentVersion } from './household-document.ts'
import { householdFields, sections, type Section } from './sections.ts'

export type ReadDocument = {
  household: z.infer<typeof householdFields>
  /** By section: its rows as JSON texts of arrays with the names of columns, in chunks that one statement takes. */
  chunks: Record<string, string[]>
  transactions: number
}

type Row = Record<string, unknown>

const shape = z.strictObject({
  format: z.literal('djinn'),
  version: z.literal(documentVersion),
  household: householdFields,
  ...Object.fromEntries(sections.map((section) => [section.name, z.array(z.unknown()).max(limits.restoreRowsMax).optional()])),
})
const jsonLimits = { depthMax: 32, keysMax: 10_000_000, keysPerObjectMax: 10_000_000, itemsMax: 10_000_000 }

/** Reads the bytes, gzip or plain; refuses with `import-unreadable` and a pointer to what is wrong. */
export function readDocument(bytes: Uint8Array): ReadDocument {
  try {
    const value = readJson(decodeUtf8(unpacked(bytes)), jsonLimits)
    const document = validate(shape as z.ZodType<Row>, value, '')
    const chunks: ReadDocument['chunks'] = {}
    for (const section of sections) {
      const read = readRows(section, (document[section.name] as unknown[] | undefined) ?? [])
      chunks[section.name] = chunksOf(section.parent === undefined ? read : parentsFirst(read, section.parent, section.name))
    }
    return {
      household: document['household'] as ReadDocument['household'],
      chunks,
      transactions: (document['transactions'] as unknown[] | undefined)?.length ?? 0,
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new Failure('import-unreadable', `This is no document of a household: ${error.message}`, { errors: error.errors })
  }
}

function unpacked(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: limits.restoreBytesMax })
  } catch (error) {
    const large = (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE'
    throw new Failure('import-unreadable', large ? `it unpacks to more than ${limits.restoreBytesMax} bytes.` : 'it is not whole gzip.')
  }
}

function readRows(section: Section, rows: readonly unknown[]): Row[] {
  const row = z.strictObject(section.fields)
  return rows.map((value, index) => {
    const result = row.safeParse(value)
    if (result.success) return result.data
    const { path, message } = result.error.issues[0]!
    const pointer = `/${[section.name, index, ...path].map(String).join('/')}`
    throw new Failure('import-unreadable', `${pointer}: ${message}`, { errors: [{ pointer, code: 'malformed', detail: message }] })
  })
}

/** Rows in an order in which each stands behind the one it names. */
function parentsFirst(rows: readonly Row[], parent: string, name: string): Row[] {
  const known = new Set(rows.map((row) => row['id']))
  const placed = new Set<unknown>()
  const ordered: Row[] = []
  for (let waiting = [...rows]; waiting.length > 0;) {
    const left = waiting.filter((row) => {
      const above = row[parent]
      if (above !== null && known.has(above) && !placed.has(above)) return true
      ordered.push(row)
      placed.add(row['id'])
      return false
    })
    if (left.length === waiting.length) {
      const pointer = `/${name}/${rows.indexOf(left[0]!)}/${parent}`
      throw new Failure('import-unreadable', `${pointer}: it is above itself.`, { errors: [{ pointer, code: 'malformed' }] })
    }
    waiting = left
  }
  return ordered
}

function chunksOf(rows: readonly Row[]): string[] {
  const chunks: string[] = []
  for (let start = 0; start < rows.length; start += limits.importChunkRows) {
    chunks.push(JSON.stringify(rows.slice(start, start + limits.importChunkRows).map(columnsOf)))
  }
  return chunks
}
