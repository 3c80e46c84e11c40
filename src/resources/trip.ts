// Statements that travel together: written at once behind one Sync, which makes them one transaction and one round trip.
import pg from 'pg'
import utils from 'pg/lib/utils.js'
import { gather, type Stream } from './gather.ts'
import { types } from './types.ts'

/** A statement with its values in order; without a name it is parsed anew. */
export type Leg = { name?: string; text: string; values: unknown[] }

/** The messages of PostgreSQL's protocol (chapter 54), as pg's connection sends them. */
type Wire = {
  parse: (message: { name: string; text: string }) => void
  bind: (message: { statement: string; values: unknown[]; valueMapper: (value: unknown) => unknown }) => void
  describe: (message: { type: 'P'; name: string }) => void
  execute: () => void
  sync: () => void
  stream: Stream
  /** What pg knows to be prepared, and what is on its way to be. */
  parsedStatements: Record<string, string>
  submittedNamedStatements: Record<string, string>
}
type Column = { name: string; dataTypeID: number }

/** Makes rows of one statement: objects with its columns' names. */
class RowReader {
  readonly #names: string[]
  readonly #parsers: ((text: string) => unknown)[]

  constructor(columns: readonly Column[]) {
    this.#names = columns.map((column) => column.name)
    this.#parsers = columns.map((column) => types.getTypeParser(column.dataTypeID) as unknown as (text: string) => unknown)
  }

  read(values: readonly (string | null)[]): object {
    const row: Record<string, unknown> = {}
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      row[this.#names[index]!] = value === null ? null : this.#parsers[index]!(value)
    }
    return row
  }
}

/** How the rows of a connection's statements are read, by name: told once, and not described again. */
const readers = new WeakMap<Wire, Map<string, RowReader>>()

/**
 * Answers the rows of each statement. Refused as a whole by the first error, which undoes all of it. It runs as one implicit
 * transaction, so that what `set_config(..., true)` sets in one leg holds in those behind it and not a moment longer.
 */
export function travel(client: pg.Client | pg.PoolClient, legs: readonly Leg[]): Promise<object[][]> {
  return new Promise((resolve, reject) => {
    client.query(new Trip(legs, resolve, reject))
  })
}

/** The same in a transaction in which all statements see one moment; its commit ends it also behind one that failed. */
export async function travelInSnapshot(client: pg.Client | pg.PoolClient, legs: readonly Leg[]): Promise<object[][]> {
  // Queued in one tick, so nothing of another request comes between them.
  const sent = [client.query('begin isolation level repeatable read read only'), travel(client, legs), client.query('commit')] as const
  const [begun, read, committed] = await Promise.allSettled(sent)
  for (const one of [begun, read, committed]) if (one.status === 'rejected') throw one.reason
  return (read as PromiseFulfilledResult<object[][]>).value
}

/** What pg's client calls as the messages of its turn come in: a query of several statements. */
class Trip extends pg.Query {
  /** Of the leg whose messages come now: what pg takes down as prepared when it hears so. */
  name: string | undefined
  text: string
  readonly #legs: readonly Leg[]
  readonly #resolve: (rows: object[][]) => void
  readonly #reject: (error: Error) => void
  readonly #rows: object[][] = []
  #leg = 0
  #known: Map<string, RowReader> | undefined
  #reader: RowReader | undefined
  #broken: Error | undefined

  constructor(legs: readonly Leg[], resolve: (rows: object[][]) => void, reject: (error: Error) => void) {
    super('')
    this.#legs = legs
    this.#resolve = resolve
    this.#reject = reject
    this.name = legs[0]!.name
    this.text = legs[0]!.text
    this.#rows.push([])
  }

  override submit = (connection: unknown) => {
    const wire = connection as Wire
    this.#known = readers.get(wire)
    if (!this.#known) readers.set(wire, (this.#known = new Map()))
    this.#reader = this.#known.get(this.name ?? '')
    gather(wire.stream)
    for (const { name = '', text, values } of this.#legs) {
      const prepared = name !== '' && (wire.parsedStatements[name] !== undefined || wire.submittedNamedStatements[name] !== undefined)
      if (!prepared) {
        wire.parse({ name, text })
        if (name !== '') wire.submittedNamedStatements[name] = text
      }
      wire.bind({ statement: name, values, valueMapper: utils.prepareValue })
      if (name === '' || !this.#known.has(name)) wire.describe({ type: 'P', name: '' })
      wire.execute()
    }
    wire.sync()
  }

  handleRowDescription({ fields }: { fields: Column[] }) {
    this.#reader = new RowReader(fields)
    if (this.name !== undefined) this.#known!.set(this.name, this.#reader)
  }

  handleDataRow({ fields }: { fields: (string | null)[] }) {
    try {
      this.#rows[this.#leg]!.push(this.#reader!.read(fields))
    } catch (error) {
      this.#broken ??= error as Error
    }
  }

  handleCommandComplete() {
    const next = this.#legs[++this.#leg]
    if (!next) return
    this.#rows.push([])
    this.name = next.name
    this.text = next.text
    this.#reader = next.name === undefined ? undefined : this.#known!.get(next.name)
  }

  handleError(error: Error, connection: unknown) {
    // Legs behind the one that failed were skipped: they are not prepared, and pg has taken note of the failed one alone.
    const { submittedNamedStatements } = connection as Wire
    for (const { name } of this.#legs.slice(this.#leg)) if (name !== undefined) delete submittedNamedStatements[name]
    this.#reject(error)
  }

  handleReadyForQuery() {
    if (this.#broken) this.#reject(this.#broken)
    else this.#resolve(this.#rows)
  }
}
