// The open event streams of this process: who is poked when a household changes, and who is sent away.
import type { Logger } from 'pino'
import { limits } from '../../values/limits.ts'
import type { EventSink } from '../../http/operation.ts'
import type { Announcements } from '../../resources/announcements.ts'
import type { Database } from '../../resources/database.ts'
import type { Notifications } from '../../resources/notifications.ts'
import { liveSessions, readRevisions } from './store.ts'

type Vector = Record<string, number>
type Stream = { user: string; session: string; sink: EventSink; vector: Vector }

export class EventHub {
  readonly #database: Database
  readonly #log: Logger
  readonly #streams = new Set<Stream>()
  readonly #byUser = new Map<string, Set<Stream>>()
  readonly #byHousehold = new Map<string, Set<Stream>>()
  readonly #beat: NodeJS.Timeout
  /** For each read under way of where households stand, what was announced meanwhile: it may be newer than the answer. */
  readonly #heard = new Set<Vector>()
  #closed = false

  constructor(resources: { database: Database; notifications: Notifications; announcements: Announcements; log: Logger }) {
    this.#database = resources.database
    this.#log = resources.log
    resources.announcements.on((household, revision) => {
      for (const stream of this.#byHousehold.get(household) ?? []) this.#poke(stream, household, revision)
      for (const heard of this.#heard) heard[household] = Math.max(heard[household] ?? 0, revision)
    })
    resources.notifications.on('djinn_sessions', (session) => {
      const affected = [...this.#streams].filter((stream) => stream.session === session)
      if (affected.length > 0) this.#attend(this.#endSignedOut(affected))
    })
    // Households gained or lost.
    resources.notifications.on('djinn_users', (user) => this.#attend(this.#refreshAll(this.#byUser.get(user) ?? [])))
    resources.notifications.onGap(() => this.#attend(this.#endSignedOut([...this.#streams]), this.#refreshAll(this.#streams)))
    this.#beat = setInterval(() => {
      for (const stream of this.#streams) stream.sink.write(': beat\n\n')
      this.#attend(this.#endSignedOut([...this.#streams]))
    }, limits.eventBeatMs)
    this.#beat.unref()
  }

  get open(): number {
    return this.#streams.size
  }

  /** Adds a stream; beyond the limit of a user the oldest one ends. Answers what to call when the client is gone. */
  async add(user: string, session: string, sink: EventSink, lastEventId: string | undefined): Promise<() => void> {
    const own = this.#byUser.get(user) ?? new Set()
    this.#byUser.set(user, own)
    while (own.size >= limits.eventStreamsPerUserMax) {
      const oldest = own.values().next().value!
      this.#end(oldest, 'replaced')
    }
    const stream: Stream = { user, session, sink, vector: readVector(lastEventId) ?? {} }
    this.#streams.add(stream)
    own.add(stream)
    sink.write(`retry: ${limits.eventRetryMs}\n: open\n\n`)
    // Its request came in before the process was asked to end.
    if (this.#closed) this.#end(stream, 'restart')
    try {
      await this.#refresh(stream)
    } catch (error) {
      // A stream that is open and pokes for nothing would be trusted; one that ends is opened anew.
      this.#log.warn({ err: error }, 'an event stream could not be opened')
      this.#end(stream, 'restart')
    }
    return () => this.#remove(stream)
  }

  /** Reads where the user's households stand: subscribes to them and pokes for those that moved on. */
  async #refresh(stream: Stream) {
    const heard: Vector = {}
    this.#heard.add(heard)
    const rows = await this.#database
      .reader({ user: stream.user })
      .run(readRevisions, {})
      .finally(() => this.#heard.delete(heard))
    if (!this.#streams.has(stream)) return
    const now = new Map(rows.map((row) => [row.householdId, Math.max(row.revision, heard[row.householdId] ?? 0)]))
    for (const household of Object.keys(stream.vector)) {
      if (now.has(household)) continue
      delete stream.vector[household]
      this.#byHousehold.get(household)?.delete(stream)
      this.#send(stream, 'lost', { householdId: household })
    }
    for (const [household, revision] of now) {
      const subscribed = this.#byHousehold.get(household) ?? new Set()
      this.#byHousehold.set(household, subscribed.add(stream))
      // An id that is ahead is of another history, as after a restored backup.
      if (stream.vector[household]! > revision) delete stream.vector[household]
      this.#poke(stream, household, revision)
    }
  }

  #poke(stream: Stream, household: string, revision: number) {
    if ((stream.vector[household] ?? -1) >= revision) return
    stream.vector[household] = revision
    this.#send(stream, 'revision', { householdId: household, revision })
  }

  #send(stream: Stream, event: string, data: object) {
    stream.sink.write(`id: ${writeVector(stream.vector)}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  /** Ends the streams whose session was revoked or ran out. */
  async #endSignedOut(streams: readonly Stream[]) {
    for (let start = 0; start < streams.length; start += limits.statementRowsMax) {
      const some = streams.slice(start, start + limits.statementRowsMax)
      const live = await this.#database.reader({}).run(liveSessions, { ids: some.map((stream) => stream.session) })
      const ids = new Set(live.map((row) => row.id))
      for (const stream of some) if (!ids.has(stream.session)) this.#end(stream, 'signedOut')
    }
  }

  /** Ends the streams of users that may have none any more. */
  endUnless(mayHave: (user: string) => boolean) {
    for (const stream of [...this.#streams]) if (!mayHave(stream.user)) this.#end(stream, 'off')
  }

  async #refreshAll(streams: Iterable<Stream>) {
    for (const stream of [...streams]) await this.#refresh(stream)
  }

  #attend(...works: Promise<void>[]) {
    for (const work of works) work.catch((error: unknown) => this.#log.warn({ err: error }, 'event streams could not be checked'))
  }

  #end(stream: Stream, reason: string) {
    if (!this.#streams.has(stream)) return
    this.#send(stream, 'end', { reason })
    this.#remove(stream)
    stream.sink.end()
  }

  #remove(stream: Stream) {
    this.#streams.delete(stream)
    const own = this.#byUser.get(stream.user)
    own?.delete(stream)
    if (own?.size === 0) this.#byUser.delete(stream.user)
    for (const household of Object.keys(stream.vector)) {
      const subscribed = this.#byHousehold.get(household)
      subscribed?.delete(stream)
      if (subscribed?.size === 0) this.#byHousehold.delete(household)
    }
  }

  /** Ends all; who comes back by itself does so at a moment of its own, since thousands at one would find no room. */
  close() {
    this.#closed = true
    clearInterval(this.#beat)
    for (const stream of this.#streams) {
      stream.sink.write(`retry: ${Math.round(limits.eventRetryMs * (0.2 + Math.random()))}\n`)
      this.#end(stream, 'restart')
    }
  }
}

/** An event's id is where the households stood after it: `<household>.<revision>` joined by commas. */
function writeVector(vector: Vector): string {
  return Object.entries(vector)
    .map(([household, revision]) => `${household}.${revision}`)
    .join(',')
}

/** What a client says it knows; anything malformed is as if it said nothing. */
function readVector(text: string | undefined): Vector | null {
  if (text === undefined || text.length > limits.headerBytesMax) return null
  const entries = text.split(',').map((entry) => /^([0-9a-f-]{36})\.(\d{1,16})$/.exec(entry.trim()))
  if (entries.some((entry) => entry === null)) return null
  return Object.fromEntries(entries.map((entry) => [entry![1]!, Number(entry![2])]))
}
