// Gives settings to a live server, all or a clear word on which, and says what they wait for.
import { setTimeout } from 'node:timers/promises'
import type { ServerSetting, ServerSettings } from '../../resources/server-settings.ts'
import { compare, type Compared } from './comparison.ts'
import { amountOf } from './quantity.ts'
import type { Setting } from './rules.ts'

/** A server reads its files again within moments; a setting that does not count by then will not. */
const settleTriesMax = 50
const settleTryMs = 100

export type Applied = {
  /** Written by ALTER SYSTEM, in order. */
  applied: string[]
  /** Of these, those that count from the next start on. */
  restart: string[]
  /** Of these, those that something stronger than ALTER SYSTEM keeps as they are, and what. */
  overridden: { name: string; actual: string; by: string }[]
}

export async function standingOf(server: ServerSettings, wanted: Setting[]): Promise<Compared[]> {
  return compare(wanted, await server.read(wanted.map((one) => one.name)))
}

export async function apply(server: ServerSettings, wanted: Setting[]): Promise<Applied> {
  const names = wanted.map((one) => one.name)
  const refusal = (await server.refusal(names)) ?? unacceptable(wanted, await server.read(names))
  if (refusal !== null) throw new Error(`${refusal}. Nothing was changed`)
  const applied: string[] = []
  try {
    await server.alter(wanted, (name) => applied.push(name))
  } catch (error) {
    const failed = names[applied.length]!
    const before = applied.length === 0 ? 'nothing was changed' : `before it these were written: ${applied.join(', ')}`
    throw new Error(`the server refused ${failed} (${(error as Error).message}); ${before}`, { cause: error })
  }
  await server.reload()
  const standings = await settle(server, wanted)
  const changed = standings.filter((one) => one.standing !== 'equal')
  return {
    applied,
    restart: changed.filter((one) => one.needsRestart && one.overriddenBy === null).map((one) => one.name),
    overridden: changed
      .filter((one) => one.overriddenBy !== null)
      .map(({ name, actual, overriddenBy }) => ({ name, actual: actual!, by: overriddenBy! })),
  }
}

/** What a version of PostgreSQL does not know or does not take, before anything is written. */
function unacceptable(wanted: Setting[], live: ServerSetting[]): string | null {
  for (const { name, value } of wanted) {
    const one = live.find((each) => each.name === name)
    if (!one) return `the server knows no ${name}`
    const amount = amountOf(value, one.unit)
    const [least, most] = [amountOf(one.min ?? '', one.unit), amountOf(one.max ?? '', one.unit)]
    if (amount === undefined || (least !== undefined && amount < least) || (most !== undefined && amount > most)) {
      return `the server takes ${name} from ${one.min} to ${one.max}${one.unit === null ? '' : ` (${one.unit})`}, not ${value}`
    }
  }
  return null
}

async function settle(server: ServerSettings, wanted: Setting[]): Promise<Compared[]> {
  for (let tries = 1; ; tries++) {
    const standings = await standingOf(server, wanted)
    const open = standings.filter((one) => one.standing === 'differs' && !one.needsRestart && one.overriddenBy === null)
    if (open.length === 0) return standings
    if (tries === settleTriesMax)
      throw new Error(`written, yet not in effect: ${open.map((one) => one.name).join(', ')}; see the server's log`)
    await setTimeout(settleTryMs)
  }
}
