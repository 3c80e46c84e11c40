// Gathers which households this process wrote to, and now and then queues a silent poke for the devices of the others.
import type { Logger } from 'pino'
import { limits } from '../../values/limits.ts'
import type { Announcements } from '../../resources/announcements.ts'
import type { Database } from '../../resources/database.ts'
import { queuePokes } from './delivery-store.ts'

type Written = { revision: number; writer: string | null }

export class Pokes {
  readonly #database: Database
  readonly #log: Logger
  readonly #written = new Map<string, Written>()
  #timer: NodeJS.Timeout | undefined
  #queueing: Promise<void> = Promise.resolve()

  constructor(resources: { announcements: Announcements; database: Database; log: Logger }) {
    this.#database = resources.database
    this.#log = resources.log
    // Other processes gather their own.
    resources.announcements.on((household, revision, own) => own && this.#gather(household, revision, own.session))
  }

  /** A household that two sessions wrote to has news for both. */
  #gather(household: string, revision: number, session: string | null) {
    const before = this.#written.get(household)
    const writer = before === undefined || before.writer === session ? session : null
    this.#written.set(household, { revision: Math.max(revision, before?.revision ?? 0), writer })
    this.#timer ??= setTimeout(() => this.#flush(), limits.pokeGatherMs)
    this.#timer.unref()
  }

  #flush() {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const entries = [...this.#written]
    this.#written.clear()
    const until = new Date(Date.now() + limits.pokeMinutesMax * 60_000).toISOString()
    for (let start = 0; start < entries.length; start += limits.statementRowsMax) {
      const some = entries.slice(start, start + limits.statementRowsMax)
      const parameters = {
        households: some.map(([household]) => household),
        revisions: some.map(([, written]) => written.revision),
        writers: some.map(([, written]) => written.writer) as string[],
        until,
      }
      this.#queueing = this.#queueing
        .then(() => this.#database.write({}, (tx) => tx.run(queuePokes, parameters)))
        .then(() => {})
        .catch((error: unknown) => this.#log.warn({ err: error }, 'devices could not be poked'))
    }
  }

  async close() {
    this.#flush()
    await this.#queueing
  }
}
