// Holds the settings of a live server against those wanted: as values, whatever units they are written in. Pure.
import type { ServerSetting } from '../../resources/server-settings.ts'
import { amountOf, memoryText } from './quantity.ts'
import type { Setting } from './rules.ts'

/** A setting as a server has it; its bounds do not matter here. */
export type LiveSetting = Omit<ServerSetting, 'min' | 'max'>

/** `waiting`: the files have the wanted value, and the next start takes it. */
export type Standing = 'equal' | 'waiting' | 'differs' | 'unknown'

export type Compared = {
  name: string
  wanted: string
  /** As people read it; null when the server does not know the setting. */
  actual: string | null
  standing: Standing
  needsRestart: boolean
  /** Why ALTER SYSTEM does not change it, if so. */
  overriddenBy: string | null
}

/** Sources that go before the configuration files. */
const stronger: Record<string, string> = {
  'command line': "the server's command line",
  'environment variable': "the server's environment",
  database: 'ALTER DATABASE',
  user: 'ALTER ROLE',
  'database user': 'ALTER ROLE ... IN DATABASE',
  client: 'the connection itself',
  override: 'the server itself',
}

export function compare(wanted: Setting[], live: LiveSetting[]): Compared[] {
  const byName = new Map(live.map((one) => [one.name, one]))
  return wanted.map(({ name, value }) => {
    const one = byName.get(name)
    if (!one) return { name, wanted: value, actual: null, standing: 'unknown', needsRestart: false, overriddenBy: null }
    const needsRestart = one.context === 'postmaster'
    const target = amountOf(value, one.unit)
    const equal = amountOf(one.setting, one.unit) === target
    const waits = !equal && one.pendingRestart && one.configured !== null && amountOf(one.configured, one.unit) === target
    return {
      name,
      wanted: value,
      actual: readable(one),
      standing: equal ? 'equal' : waits ? 'waiting' : 'differs',
      needsRestart,
      overriddenBy: stronger[one.source] ?? null,
    }
  })
}

function readable({ setting, unit }: LiveSetting): string {
  const amount = amountOf(setting, unit)
  return unit !== null && unit.endsWith('B') && amount !== undefined && amount > 0 ? memoryText(amount) : setting
}
