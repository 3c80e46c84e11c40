// What an operator does with flags, from the command line or the console: lists, shows and sets them, and looks who did.
import type { Database } from '../../resources/database.ts'
import type { Row } from '../../resources/statement.ts'
import { flagNames, flags, isFlagName, readFlagValue, valuesOf, type FlagName } from '../../values/flags.ts'
import { limits } from '../../values/limits.ts'
import { lastChanges, listChanges, lockFlags, readFlags, resetFlag, signChange, writeFlag } from './store.ts'

/** In place of a value: back to the default. */
export const toDefault = 'default'

export type FlagStanding = {
  name: FlagName
  value: string
  default: string
  kind: 'choice' | 'switch' | 'share'
  /** The values that it takes, in words. */
  takes: string
  summary: string
  /** Null for one that was never changed. */
  changedAt: string | null
  changedBy: string | null
  reason: string | null
}

/** Who changed what; `old` and `new` are null where it was, or became, the default. */
export type FlagChange = Row<(typeof listChanges)['columns']>

/** A name or value that there is none of; its message says which there are. */
export class FlagRefused extends Error {
  readonly about: 'name' | 'value' | 'by' | 'reason'
  constructor(about: FlagRefused['about'], message: string) {
    super(message)
    this.name = 'FlagRefused'
    this.about = about
  }
}

/** All flags as the database has them. `database` is past any pooler, as the role that owns the schema. */
export async function listFlags(database: Database): Promise<FlagStanding[]> {
  const [rows, changes] = await database.write({}, (tx) => Promise.all([tx.run(readFlags, {}), tx.run(lastChanges, {})]), 'djinn_keeper')
  const values = new Map(rows.map((row) => [row.name, row.value]))
  const last = new Map(changes.map((change) => [change.name, change]))
  return flagNames.map((name) => {
    const { default: standard, kind, summary } = flags[name]
    const change = last.get(name)
    return {
      name,
      value: values.get(name) ?? standard,
      default: standard,
      kind,
      takes: valuesOf(name),
      summary,
      changedAt: change?.at ?? null,
      changedBy: change?.by ?? null,
      reason: change?.reason ?? null,
    }
  })
}

export async function showFlag(database: Database, name: string): Promise<FlagStanding> {
  const known = nameOf(name)
  return (await listFlags(database)).find((flag) => flag.name === known)!
}

export type Wanted = { name: string; value: string; by: string; reason?: string | null }

/** Sets a flag for every process, within a second; `old` and `value` are what it was and is. */
export async function setFlag(
  database: Database,
  wanted: Wanted,
): Promise<{ name: FlagName; old: string; value: string; changed: boolean }> {
  const name = nameOf(wanted.name)
  const value = valueOf(name, wanted.value)
  const by = told('by', wanted.by, limits.flagOperatorLengthMax)
  if (by === '') throw new FlagRefused('by', 'Say who changes it.')
  const reason = told('reason', wanted.reason ?? '', limits.flagReasonLengthMax)
  const old = await database.write(
    {},
    async (tx) => {
      const [, rows] = await Promise.all([tx.run(lockFlags, {}), tx.run(readFlags, {}), tx.run(signChange, { by, reason })])
      await (value === null ? tx.run(resetFlag, { name }) : tx.run(writeFlag, { name, value }))
      return rows.find((row) => row.name === name)?.value ?? flags[name].default
    },
    'djinn_keeper',
  )
  const now = value ?? flags[name].default
  return { name, old, value: now, changed: now !== old }
}

/** Changes of one flag or of all, newest first; `before` goes on behind the number of a change. */
export async function flagHistory(
  database: Database,
  { name = null, before = null, rows = limits.flagChangesShown }: { name?: string | null; before?: number | null; rows?: number },
): Promise<FlagChange[]> {
  const asked = { name: name === null ? null : nameOf(name), before, rows: Math.min(rows, limits.statementRowsMax) }
  return await database.write({}, (tx) => tx.run(listChanges, asked), 'djinn_keeper')
}

function nameOf(name: string): FlagName {
  if (isFlagName(name)) return name
  throw new FlagRefused('name', `There is no flag ${JSON.stringify(name)}. There are: ${flagNames.join(', ')}.`)
}

/** Null for the default. */
function valueOf(name: FlagName, text: string): string | null {
  if (text === toDefault) return null
  const value = readFlagValue(name, text)
  if (value !== null) return value
  throw new FlagRefused('value', `${name} takes ${valuesOf(name)}, or ${toDefault} (${flags[name].default}), not ${JSON.stringify(text)}.`)
}

function told(about: 'by' | 'reason', text: string, most: number): string {
  const one = text.trim()
  if (one.length > most) throw new FlagRefused(about, `${about} has at most ${most} characters.`)
  if (/\p{Cc}/u.test(one)) throw new FlagRefused(about, `${about} has characters that cannot be shown.`)
  return one
}
