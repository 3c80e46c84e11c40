// The whole household as one JSON text, written while it is sent: a row a line, in an order that the same content always has.
import { limits } from '../../values/limits.ts'
import type { Runner } from '../../resources/transaction.ts'
import { readHousehold, readSection } from './store.ts'
import { sections, type Section } from './sections.ts'

export const documentVersion = 1

/** Chunks of the document; `reads` sees one moment. Read back into an empty household it gives the same document again. */
export async function* householdDocument(reads: Runner, household: string): AsyncGenerator<string> {
  const [head] = await reads.run(readHousehold, { household })
  yield `{"format":"djinn","version":${documentVersion},\n"household":${head!.line}`
  for (const section of sections) {
    yield `,\n${JSON.stringify(section.name)}:[`
    let before = '\n'
    for await (const lines of pagesOf(reads, household, section)) {
      yield before + lines.join(',\n')
      before = ',\n'
    }
    yield before === '\n' ? ']' : '\n]'
  }
  yield '}\n'
}

async function* pagesOf(reads: Runner, household: string, section: Section): AsyncGenerator<string[]> {
  let last: Record<string, unknown> | undefined
  for (;;) {
    const after = last && Object.fromEntries(Object.keys(section.key).map((field) => [`after_${field}`, last![field]]))
    const rows = (await reads.run(readSection(section, last !== undefined), { household, rows: limits.statementRowsMax, ...after })) as {
      line: string
    }[]
    if (rows.length > 0) yield rows.map((row) => row.line)
    if (rows.length < limits.statementRowsMax) return
    last = rows.at(-1)
  }
}
