// The client of an app: everything is read from the device and written to it at once; the server hears of it when it can be reached.
import { uuidv7 } from 'uuidv7'
import { ApiError, OfflineError, type Api } from './api.ts'
import { deliver, RetryLater, type Conflict, type Resolution } from './delivery.ts'
import { legId } from './digest.ts'
import { readEvents } from './event-stream.ts'
import { Outbox, type Entry } from './outbox.ts'
import { pull, type Pulled } from './pull.ts'
import { keyOf, Replica, type Tables } from './replica.ts'
import { transferOf, type Kind, type Rows } from './rows.ts'
import { emptyMeta, type Meta, type Storage } from './storage.ts'
import { viewOf } from './view.ts'

export type ClientOptions = {
  api: Api
  storage: Storage
  /** Decides when others changed the same fields; without it theirs stay. */
  onConflict?: (conflict: Conflict) => Resolution | Promise<Resolution>
  /** The server refused for good what the user did: tell them. */
  onRejected?: (entry: Entry, problem: Record<string, unknown>) => void
  /** Something changed in what the user sees. */
  onChange?: () => void
}

type Written = Exclude<Kind, 'households' | 'occurrences'> | 'transfers'

const retryMsMin = 1_000
const retryMsMax = 60_000
const pullEveryMs = 300_000

export class DjinnClient {
  readonly #options: ClientOptions
  readonly #replica: Replica
  readonly #outbox: Outbox
  readonly #meta: Meta
  #view: Tables | undefined
  #syncing: Promise<Pulled> | undefined
  #live: AbortController | undefined
  /** How often there was a reason to sync: one that comes during a sync may be too late for it. */
  #wakes = 0

  private constructor(options: ClientOptions, replica: Replica, meta: Meta) {
    this.#options = options
    this.#replica = replica
    this.#meta = meta
    this.#outbox = new Outbox(meta.outbox)
  }

  /** Opens the replica that the device has, empty on the first time. */
  static async open(options: ClientOptions): Promise<DjinnClient> {
    const kept = await options.storage.load()
    return new DjinnClient(options, new Replica(kept.rows), { ...emptyMeta, ...kept.meta })
  }

  /** How much waits to be sent. */
  get waiting(): number {
    return this.#outbox.size
  }

  /** The rows of a kind as the user sees them: confirmed ones with the outbox laid over. */
  rows<K extends Kind>(kind: K): Rows[K][] {
    return [...this.#tables()[kind].values()] as Rows[K][]
  }

  row<K extends Kind>(kind: K, id: string, householdId = this.homeId()): Rows[K] | null {
    return this.#tables()[kind].get(keyOf(householdId, id)) ?? null
  }

  /** What the server has confirmed, without the outbox. */
  confirmed<K extends Kind>(kind: K): Rows[K][] {
    return [...this.#replica.tables[kind].values()] as Rows[K][]
  }

  /** The household that writes go to unless they say: the oldest that is the user's own, else the oldest. */
  homeId(): string {
    const rank = ({ role, id }: Rows['households']) => `${role === 'owner' ? 0 : 1} ${id}`
    const [home] = this.confirmed('households').toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1))
    if (!home) throw new Error('The replica is empty: sync once before the first write.')
    return home.id
  }

  async create(kind: Written, draft: Record<string, unknown>, householdId = this.homeId()): Promise<string> {
    const id = (draft['id'] as string | undefined) ?? uuidv7()
    const body = Object.fromEntries(Object.entries(draft).filter(([name]) => name !== 'id'))
    await this.#write({ kind, action: 'create', id, householdId, body, baseRevision: null, seen: {} })
    return id
  }

  async update(kind: Written, id: string, changes: Record<string, unknown>, householdId = this.homeId()): Promise<void> {
    // A walk that was cut off may have brought one leg of a transfer and not yet the other.
    const ids = kind === 'transfers' ? [await legId(id, 'from'), await legId(id, 'to')] : [id]
    const table = kind === 'transfers' ? 'transactions' : kind
    const rows = ids.map((each) => this.row(table, each, householdId))
    const row = rows.find((each) => each !== null)
    if (!row) throw new Error(`There is no ${kind} ${id} on this device.`)
    const [from, to] = rows as (Rows['transactions'] | null)[]
    const seen: Record<string, unknown> = kind !== 'transfers' ? { ...row } : from && to ? transferOf(from, to) : {}
    const confirmed = this.#replica.tables[table].get(keyOf(householdId, row.id))
    await this.#write({
      kind,
      action: 'update',
      id,
      householdId,
      body: changes,
      baseRevision: confirmed?.revision ?? null,
      seen: Object.fromEntries(Object.keys(changes).map((field) => [field, seen[field] ?? null])),
    })
  }

  async remove(kind: Written, id: string, householdId = this.homeId()): Promise<void> {
    await this.#write({ kind, action: 'delete', id, householdId, body: {}, baseRevision: null, seen: {} })
  }

  async restore(kind: Written, id: string, householdId = this.homeId()): Promise<void> {
    await this.#write({ kind, action: 'restore', id, householdId, body: {}, baseRevision: null, seen: {} })
  }

  async #write(what: Omit<Entry, 'key' | 'sent' | 'legs'>) {
    const legs = what.kind === 'transfers' ? { legs: { from: await legId(what.id, 'from'), to: await legId(what.id, 'to') } } : {}
    this.#outbox.add({ ...what, ...legs, key: uuidv7(), sent: false })
    this.#changed()
    await this.#options.storage.commit({ rows: [], meta: { outbox: this.#outbox.entries } })
    this.#wake()
  }

  /** Sends what waits, then pulls what changed. Calls at the same time share one run. Throws when the server cannot be reached. */
  async sync(): Promise<Pulled> {
    this.#syncing ??= this.#syncOnce().finally(() => (this.#syncing = undefined))
    return await this.#syncing
  }

  async #syncOnce(): Promise<Pulled> {
    const { api, storage, onConflict = () => 'theirs' as const, onRejected = () => {} } = this.#options
    try {
      // What others did is pulled even while the server postpones what we did.
      const postponed = await deliver({
        api,
        storage,
        outbox: this.#outbox,
        replica: this.#replica,
        newKey: uuidv7,
        onConflict,
        onRejected,
      }).catch((error: unknown) => {
        if (error instanceof RetryLater) return error
        throw error
      })
      const pulled = await pull({ api, storage, replica: this.#replica, meta: this.#meta, onLost: (household) => this.#giveUp(household) })
      if (postponed) throw postponed
      return pulled
    } finally {
      this.#changed()
    }
  }

  /** What waits for a household that is no longer the user's can never be sent. */
  async #giveUp(household: string) {
    for (const entry of this.#outbox.entries.filter((one) => one.householdId === household)) {
      this.#outbox.remove(entry)
      this.#options.onRejected?.(entry, { code: 'not-found', detail: 'You are no longer a member of the household.' })
    }
    await this.#options.storage.commit({ rows: [], meta: { outbox: this.#outbox.entries } })
  }

  #tables(): Tables {
    this.#view ??= viewOf(this.#replica.tables, this.#outbox.entries)
    return this.#view
  }

  #changed() {
    this.#view = undefined
    this.#options.onChange?.()
  }

  /** Stays in sync until stop(): on each poke of the server, on each write, and now and then. */
  start() {
    if (this.#live) return
    const live = new AbortController()
    this.#live = live
    void this.#keepInSync(live.signal)
    void this.#listen(live.signal)
  }

  stop() {
    this.#live?.abort()
    this.#live = undefined
  }

  #wake() {
    this.#wakes++
    this.#live?.signal.dispatchEvent(new Event('wake'))
  }

  async #keepInSync(signal: AbortSignal) {
    let retryMs = retryMsMin
    while (!signal.aborted) {
      const wakes = this.#wakes
      try {
        await this.sync()
        retryMs = retryMsMin
        if (this.#outbox.size === 0 && wakes === this.#wakes) await woken(signal, pullEveryMs, 'wake')
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return
        const askedMs = error instanceof RetryLater ? error.afterMs : error instanceof ApiError ? error.retryAfterMs : null
        // Many phones that lost one server must not come back at one moment.
        const waitMs = (askedMs ?? retryMs) * (1 + Math.random() / 2)
        retryMs = Math.min(retryMs * 2, retryMsMax)
        // A server that said when is not asked sooner, whatever the user does.
        await (askedMs === null ? woken(signal, waitMs, 'wake') : woken(signal, waitMs))
      }
    }
  }

  async #listen(signal: AbortSignal) {
    let lastEventId = ''
    while (!signal.aborted) {
      let waitMs = retryMsMin
      try {
        const answer = await this.#options.api.send(
          'events',
          { headers: lastEventId === '' ? {} : { 'last-event-id': lastEventId } },
          signal,
        )
        if (answer.status === 401) return
        if (!answer.ok || !answer.body) {
          // Switched off, it is pulled now and then; a server that has no room says when it may be asked again.
          const askedMs = Number(answer.headers.get('retry-after') ?? 0) * 1_000
          waitMs = answer.status === 403 ? pullEveryMs : Math.max(waitMs, askedMs || 0)
          throw new OfflineError(`status ${answer.status}`)
        }
        for await (const event of readEvents(answer.body)) {
          lastEventId = event.id
          const ended = event.event === 'end'
          // Signed out, the next call finds the session ended and tells the app.
          if (!ended || event.data.includes('signedOut')) this.#wake()
          if (ended && event.data.includes('signedOut')) return
          // The user has more devices open than streams, and coming back at once would take the place of another; or streams are switched off.
          if (ended && /replaced|off/.test(event.data)) waitMs = pullEveryMs
        }
      } catch {
        // Falls back to the wait below, and to pulling now and then.
      }
      await woken(signal, waitMs * (1 + Math.random()))
    }
  }
}

/** Waits, but no longer than until the client is stopped or one of the events comes. */
async function woken(signal: AbortSignal, waitMs: number, ...events: string[]) {
  if (signal.aborted) return
  const names = ['abort', ...events]
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      for (const name of names) signal.removeEventListener(name, done)
      resolve()
    }
    const timer = setTimeout(done, waitMs)
    for (const name of names) signal.addEventListener(name, done)
  })
}
