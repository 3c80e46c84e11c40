// System data as ready bytes: serialised once, single flight, replaced within the second when an operator changes it.
import { hash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Encoding } from '../../http/compress.ts'
import type { Database } from '../../resources/database.ts'
import type { Notifications } from '../../resources/notifications.ts'
import { currencies } from '../../values/currencies.ts'
import { defaultCategories } from './data/categories.ts'
import { countries } from './data/countries.ts'
import { institutions } from './data/institutions.ts'
import { timeZones } from './data/timezones.ts'
import { readSystemData } from './store.ts'

export const systemNames = ['institutions', 'categories', 'currencies', 'countries', 'timezones', 'config/mobile'] as const
export type SystemName = (typeof systemNames)[number]

/** How long the database is waited for when something may have changed unheard. */
const lookMs = 500
const hourMs = 3_600_000
const keptMs: Record<SystemName, number> = {
  institutions: 24 * hourMs,
  categories: 24 * hourMs,
  currencies: 24 * hourMs,
  countries: 7 * 24 * hourMs,
  timezones: 7 * 24 * hourMs,
  'config/mobile': hourMs,
}

/** Ready to be sent: `encoded` keeps the bytes as they were compressed for whoever asked first. */
export type Entry = { content: unknown; bytes: Buffer; encoded: Map<Encoding, Buffer>; etag: string }
type Kept = { entry: Promise<Entry>; untilMs: number; loading: boolean }

const shipped: Record<SystemName, () => unknown> = {
  institutions: () => institutions,
  categories: () => defaultCategories,
  currencies: () => [...currencies.values()],
  countries: () => countries,
  timezones: () => timeZones().map((zone) => ({ id: zone })),
  'config/mobile': () => ({
    minimumVersion: { ios: '1.0.0', android: '1.0.0' },
    syncIntervalSeconds: 900,
    pageSize: { fast: 20, slow: 10 },
    importBytesMax: 10_485_760,
    batchOperationsMax: 10,
  }),
}

export class Catalog {
  readonly #database: Database
  readonly #notifications: Notifications
  readonly #kept = new Map<SystemName, Kept>()
  readonly #onLook: (hit: boolean) => void
  readonly #live: Partial<Record<SystemName, () => object>>

  /** `live` are members that are of this moment, whatever the data say; `forget` is called when they change. */
  constructor(
    database: Database,
    notifications: Notifications,
    onLook: (hit: boolean) => void = () => {},
    live: Partial<Record<SystemName, () => object>> = {},
  ) {
    this.#live = live
    this.#database = database
    this.#notifications = notifications
    this.#onLook = onLook
    notifications.on('djinn_system', (name) => this.#kept.delete(name as SystemName))
    notifications.onGap(() => this.#kept.clear())
  }

  forget(name: SystemName) {
    this.#kept.delete(name)
  }

  async read(name: SystemName): Promise<{ entry: Entry; hit: boolean }> {
    const found = this.#kept.get(name)
    const kept = found && found.untilMs > Date.now() ? found : undefined
    if (kept && (kept.loading || this.#notifications.listening)) {
      this.#onLook(true)
      return { entry: await kept.entry, hit: true }
    }
    this.#onLook(false)
    const load = this.#load(name)
    const entry = kept ? this.#renewed(kept.entry, load) : load
    const loaded: Kept = { entry, untilMs: kept?.untilMs ?? Date.now() + keptMs[name], loading: true }
    this.#kept.set(name, loaded)
    const forget = () => void (this.#kept.get(name) === loaded && this.#kept.delete(name))
    entry.then(() => (loaded.loading = false), forget)
    return { entry: await entry, hit: false }
  }

  /** While changes could be missed, it is looked again; a database that cannot say leaves what was last known. */
  async #renewed(kept: Promise<Entry>, load: Promise<Entry>): Promise<Entry> {
    const known = await kept
    const late = setTimeout(lookMs, known, { ref: false })
    const entry = await Promise.race([load, late]).catch(() => known)
    return entry.etag === known.etag ? known : entry
  }

  async #load(name: SystemName): Promise<Entry> {
    const [replaced] = await this.#database.reader({}).run(readSystemData, { name })
    const kept = replaced?.content ?? shipped[name]()
    const live = this.#live[name]?.()
    const content = live === undefined ? kept : { ...(kept as object), ...live }
    const bytes = Buffer.from(JSON.stringify(Array.isArray(content) ? { data: content, nextCursor: null } : content))
    return { content, bytes, encoded: new Map(), etag: `"${hash('sha256', bytes, 'base64url').slice(0, 16)}"` }
  }
}
