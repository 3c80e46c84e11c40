// The flags as this process knows them: read when they are told to have changed, asked in memory by every call.
import type { Logger } from 'pino'
import type { Gate } from '../../http/gate.ts'
import type { Database } from '../../resources/database.ts'
import { Level } from '../../resources/exposition.ts'
import type { Notifications } from '../../resources/notifications.ts'
import { limits } from '../../values/limits.ts'
import {
  featureNames,
  flagNames,
  flags,
  isFlagName,
  readFlagValue,
  seedOf,
  shareOf,
  standingOf,
  wholeShare,
  type FeatureName,
  type FlagName,
  type Registration,
} from '../../values/flags.ts'
import { readFlags } from './store.ts'

export const flagsChannel = 'djinn_flags'

export class Flags implements Gate {
  readonly #database: Database
  readonly #notifications: Notifications
  readonly #log: Logger
  readonly #values = Object.fromEntries(flagNames.map((name) => [name, flags[name].default])) as Record<FlagName, string>
  readonly #shares = Object.fromEntries(featureNames.map((name) => [name, shareOf(flags[name].default)])) as Record<FeatureName, number>
  readonly #seeds = Object.fromEntries(featureNames.map((name) => [name, seedOf(name)])) as Record<FeatureName, number>
  readonly #handlers: (() => void)[] = []
  #reading: Promise<void> | undefined
  /** Told to have changed since the read under way began. */
  #again = false
  #failing = false
  #timer: NodeJS.Timeout | undefined
  readOnly = false
  registration: Registration = 'open'

  readonly instruments = [
    new Level('djinn_read_only', 'Whether whatever writes is refused', [], (level) => level.set(this.readOnly ? 1 : 0)),
    new Level('djinn_feature_share', 'The share of the users that a feature is on for', ['flag'], (level) => {
      for (const name of featureNames) level.set(this.#shares[name] / wholeShare, name)
    }),
  ]

  constructor(resources: { database: Database; notifications: Notifications; log: Logger }) {
    this.#database = resources.database
    this.#notifications = resources.notifications
    this.#log = resources.log
    this.#notifications.on(flagsChannel, () => void this.read())
    this.#notifications.onGap(() => void this.read())
    this.#notifications.onDoubt(() => void this.read())
  }

  /** Reads them, and goes on looking while changes could be missed. What cannot be read is as it was last known, at first the defaults. */
  async open() {
    await this.read()
    this.#timer = setInterval(() => {
      if (this.#failing || !this.#notifications.listening) void this.read()
    }, limits.flagsLookMs)
    this.#timer.unref()
  }

  isOn(feature: FeatureName, user: string | null): boolean {
    const share = this.#shares[feature]
    if (share === wholeShare || share === 0) return share !== 0
    return user === null || standingOf(this.#seeds[feature], user) < share
  }

  /** Whether the feature is on for anybody at all. */
  isOnForAny(feature: FeatureName): boolean {
    return this.#shares[feature] > 0
  }

  /** Called after a change. */
  onChange(handler: () => void) {
    this.#handlers.push(handler)
  }

  /** Reads them anew; whoever calls during a read gets one that begins after it. */
  async read(): Promise<void> {
    if (this.#reading) {
      this.#again = true
      return await this.#reading
    }
    this.#reading = this.#readUntilLast().finally(() => (this.#reading = undefined))
    await this.#reading
  }

  async #readUntilLast() {
    do {
      this.#again = false
      try {
        this.#take(new Map((await this.#database.reader({}).run(readFlags, {})).map((row) => [row.name, row.value])))
        this.#failing = false
      } catch (error) {
        if (!this.#failing) this.#log.warn({ err: error }, 'the flags cannot be read; they stay as they were last known')
        this.#failing = true
      }
    } while (this.#again)
  }

  #take(read: ReadonlyMap<string, string>) {
    const changed: Record<string, [string, string]> = {}
    for (const name of flagNames) {
      const kept = read.get(name) ?? flags[name].default
      // Another version of the service may know values that this one does not: then it goes on as it was.
      const value = readFlagValue(name, kept)
      if (value === null) this.#log.warn({ flag: name, value: kept }, 'a flag has a value that this version does not know')
      else if (value !== this.#values[name]) {
        changed[name] = [this.#values[name], value]
        this.#values[name] = value
      }
    }
    const unknown = [...read.keys()].filter((name) => !isFlagName(name))
    if (unknown.length > 0) this.#log.debug({ flags: unknown }, 'flags that this version does not know are left out')
    if (Object.keys(changed).length === 0) return
    for (const name of featureNames) this.#shares[name] = shareOf(this.#values[name])
    this.readOnly = this.#values.readOnly === 'on'
    this.registration = this.#values.registration as Registration
    this.#log.info({ flags: changed }, 'flags changed')
    for (const handler of this.#handlers) handler()
  }

  close() {
    clearInterval(this.#timer)
  }
}
