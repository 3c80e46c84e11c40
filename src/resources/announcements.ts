// Tells every process that a household has a new revision: this one at once, the others gathered into a NOTIFY now and then.
// A NOTIFY in each write's own transaction would make all commits wait for each other (PostgreSQL holds one lock for them).
import { randomUUID } from 'node:crypto'
import type { Notifications } from './notifications.ts'

const channel = 'djinn_revisions'
const gatherMs = 100
/** A NOTIFY carries less than 8,000 bytes; an entry takes at most 53. */
const entriesMax = 140

/** `own` is given for what this process wrote: the session that did, or null. Another process tells of its writes by itself. */
export type Announced = (household: string, revision: number, own?: { session: string | null }) => void

export class Announcements {
  readonly #notifications: Notifications
  readonly #origin = randomUUID()
  readonly #handlers: Announced[] = []
  readonly #waiting = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(notifications: Notifications) {
    this.#notifications = notifications
    notifications.on(channel, (payload) => this.#hear(payload))
  }

  /** Called with each household that was written, by whichever process. */
  on(handler: Announced) {
    this.#handlers.push(handler)
  }

  announce(household: string, revision: number, session: string | null) {
    this.#tell(household, revision, { session })
    this.#waiting.set(household, revision)
    this.#timer ??= setTimeout(() => void this.#send(), gatherMs)
    this.#timer.unref()
  }

  #tell(household: string, revision: number, own?: { session: string | null }) {
    for (const handler of this.#handlers) handler(household, revision, own)
  }

  async #send() {
    this.#timer = undefined
    const entries = [...this.#waiting].map(([household, revision]) => `${household} ${revision}`)
    this.#waiting.clear()
    for (let start = 0; start < entries.length; start += entriesMax) {
      await this.#notifications.notify(channel, [this.#origin, ...entries.slice(start, start + entriesMax)].join(','))
    }
  }

  #hear(payload: string) {
    const [origin, ...entries] = payload.split(',')
    if (origin === this.#origin) return
    for (const entry of entries) {
      const [household = '', revision = '0'] = entry.split(' ')
      this.#tell(household, Number(revision))
    }
  }

  /** Tells what is still to be told. */
  async close() {
    clearTimeout(this.#timer)
    if (this.#waiting.size > 0) await this.#send()
  }
}
