// An open transaction of the pool, and what the wire tells of it.
import type pg from 'pg'
import { gather, streamOf } from './gather.ts'
import type { Row, Shape, Statement } from './statement.ts'

export type Runner = {
  run: <P extends Shape, C extends Shape>(statement: Statement<P, C>, parameters: Row<P>) => Promise<Row<C>[]>
}

/** What happened on the wire, for metrics and for the tests that count. */
export type DatabaseObserver = {
  statement?: (name: string, durationMs: number, failed: boolean) => void
  /** `first` is the first statement of the transaction that waits. */
  roundTrip?: (first: string) => void
  /** A statement was sent outside of any write. */
  read?: (name: string) => void
  /** How long the pool took to give a connection. */
  poolWait?: (durationMs: number) => void
  /** A household has a new revision, committed; `session` is whose it is. */
  committed?: (household: string, revision: number, session: string | null) => void
}

type Send = (wanted: Statement, parameters: object) => Promise<pg.QueryResult>

/** An open transaction. Statements sent in one tick share a round trip; `begin` and the scope ride with the first. */
export class Transaction implements Runner {
  readonly #client: pg.PoolClient
  readonly #send: Send
  readonly #observer: DatabaseObserver | undefined
  readonly #scope: { text: string; values: (string | null)[] }
  readonly #begin: string
  #opening: Promise<unknown> | undefined
  #failure: unknown
  #inRoundTrip = false
  #first = ''
  readonly #unanswered = new Set<Promise<unknown>>()
  /** The household's new revision, known once the write is open. */
  raised: { household: string; revision: number } | undefined

  constructor(
    client: pg.PoolClient,
    send: Send,
    observer: DatabaseObserver | undefined,
    scope: { text: string; values: (string | null)[] },
    begin = 'begin',
  ) {
    this.#client = client
    this.#send = send
    this.#observer = observer
    this.#scope = scope
    this.#begin = begin
  }

  /** What is sent before the first answer comes shares its round trip. */
  #countRoundTrip() {
    if (this.#inRoundTrip) return
    this.#inRoundTrip = true
    this.#observer?.roundTrip?.(this.#first)
  }

  #open() {
    if (this.#opening) return
    gather(streamOf(this.#client))
    this.#opening = Promise.all([this.#client.query(this.#begin), this.#client.query(this.#scope)])
    this.#opening.catch(() => {})
  }

  async run<P extends Shape, C extends Shape>(wanted: Statement<P, C>, parameters: Row<P>): Promise<Row<C>[]> {
    this.#open()
    this.#first ||= wanted.name
    this.#countRoundTrip()
    gather(streamOf(this.#client))
    const sent = this.#send(wanted, parameters)
    this.#unanswered.add(sent)
    try {
      return (await sent).rows as Row<C>[]
    } catch (error) {
      // A failure makes PostgreSQL refuse what was sent behind it: the first error says why, and whether to try again.
      if ((error as { code?: string }).code === '25P02') {
        await this.#opening
        throw this.#failure ?? error
      }
      this.#failure ??= error
      throw error
    } finally {
      this.#inRoundTrip = false
      this.#unanswered.delete(sent)
    }
  }

  async commit() {
    if (!this.#opening) return
    this.#countRoundTrip()
    gather(streamOf(this.#client))
    // Statements sent with the commit and not awaited: their errors are the transaction's.
    const riding = Promise.all(this.#unanswered)
    riding.catch(() => {})
    const { command } = await this.#client.query('commit')
    await riding
    // PostgreSQL answers a COMMIT of a failed transaction with ROLLBACK and no error.
    if (command !== 'COMMIT') throw new Error('The transaction had failed and was rolled back.')
  }

  async rollback() {
    if (!this.#opening) return
    await this.#client.query('rollback')
  }
}
