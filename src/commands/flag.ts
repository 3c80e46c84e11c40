// djinn flag: switches parts of the service while it runs, and tells who did.
import { userInfo } from 'node:os'
import { Argument, Command, InvalidArgumentError } from 'commander'
import { withDatabase } from '../app/resources.ts'
import {
  flagHistory,
  listFlags,
  setFlag,
  showFlag,
  toDefault,
  type FlagChange,
  type FlagStanding,
} from '../features/flags/administration.ts'
import { readConfig } from '../resources/config.ts'
import type { Database } from '../resources/database.ts'
import { flagNames, flags, isFlagName } from '../values/flags.ts'
import { limits } from '../values/limits.ts'

type Json = { json?: boolean }

const exits = '\nExit: 0 done, 1 no such flag or value, or the database cannot be reached\n'

export function flagCommand(): Command {
  const command = new Command('flag')
    .description('Switch parts of the service while it runs: registration, read-only mode, features; every process follows within a second')
    .addHelpText(
      'after',
      `${exits}\nExample:\n  djinn flag list\n  djinn flag set readOnly on --reason "moving to a larger server"\n  djinn flag set imports 25%`,
    )
  command
    .command('list')
    .description('All flags, what they are, and who changed them last')
    .option('--json', 'one JSON document')
    .addHelpText('after', `${exits}\nExample:\n  djinn flag list --json`)
    .action((options: Json) => onDatabase(async (database) => list(await listFlags(database), options)))
  command
    .command('show')
    .description('One flag: what it is, what it takes, who changed it last')
    .addArgument(nameArgument())
    .option('--json', 'one JSON document')
    .addHelpText('after', `${exits}\nExample:\n  djinn flag show registration`)
    .action((name: string, options: Json) => onDatabase(async (database) => show(await showFlag(database, name), options)))
  command
    .command('set')
    .description(`Set a flag; ${toDefault} takes it back`)
    .addArgument(nameArgument())
    .argument('<value>', 'on, off, a percentage of the users, or one of its words')
    .option('--by <name>', 'who changes it; the user of the system unless given')
    .option('--reason <text>', 'why, kept with the change')
    .option('--json', 'report as JSON')
    .addHelpText('after', `${exits}\nExample:\n  djinn flag set registration invite --reason "until the new server is there"`)
    .action((name: string, value: string, options: Json & { by?: string; reason?: string }) => set(name, value, options))
  command
    .command('history')
    .description('Who changed flags, when, from what to what; newest first')
    .addArgument(nameArgument('[name]'))
    .option('--limit <count>', 'how many changes', rowsOf, limits.flagChangesShown)
    .option('--before <number>', 'go on behind the change of this number', numberOf)
    .option('--json', 'one JSON document')
    .addHelpText('after', `${exits}\nExample:\n  djinn flag history imports --json`)
    .action((name: string | undefined, options: Json & { limit: number; before?: number }) =>
      onDatabase(async (database) =>
        history(await flagHistory(database, { name: name ?? null, before: options.before ?? null, rows: options.limit }), options),
      ),
    )
  return command
}

function nameArgument(form = '<name>'): Argument {
  return new Argument(form, `one of ${flagNames.join(', ')}`)
}

async function onDatabase(work: (database: Database) => Promise<void>) {
  await withDatabase(readConfig(), work)
}

async function set(name: string, value: string, options: Json & { by?: string; reason?: string }) {
  const by = options.by ?? systemUser()
  await onDatabase(async (database) => {
    const done = await setFlag(database, { name, value, by, reason: options.reason ?? null })
    if (options.json) console.log(JSON.stringify({ ...done, by }))
    else if (done.changed) console.log(`${done.name}: ${done.old} -> ${done.value}, on every process within a second.`)
    else console.log(`${done.name} was ${done.value} already.`)
  })
}

/** Whoever runs this; a container's user may have no name. */
function systemUser(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}

function list(standings: readonly FlagStanding[], { json }: Json) {
  if (json) return console.log(JSON.stringify({ flags: standings }))
  const width = Math.max(...standings.map(({ name }) => name.length))
  for (const flag of standings) {
    const standard = flag.value === flag.default ? 'default' : `default ${flag.default}`
    console.log(`${flag.name.padEnd(width)}  ${flag.value.padEnd(6)}  ${standard.padEnd(12)}  ${flag.summary}`)
  }
}

function show(flag: FlagStanding, { json }: Json) {
  if (json) return console.log(JSON.stringify(flag))
  console.log(`${flag.name} is ${flag.value} (default ${flag.default}).\n${flag.summary}.\nTakes: ${flag.takes}.`)
  if (flag.changedAt === null) console.log('It was never changed.')
  else console.log(`Changed at ${flag.changedAt} by ${flag.changedBy}${flag.reason === null ? '' : `: ${flag.reason}`}.`)
}

function history(changes: readonly FlagChange[], { json }: Json) {
  if (json) return console.log(JSON.stringify({ changes }))
  if (changes.length === 0) console.log('No flag was changed.')
  for (const { number, name, at, by, reason, ...change } of changes) {
    const standard = isFlagName(name) ? `default (${flags[name].default})` : 'default'
    const why = reason === null ? '' : `: ${reason}`
    console.log(`${number}  ${at}  ${name}  ${change.old ?? standard} -> ${change.new ?? standard}  by ${by}${why}`)
  }
}

function rowsOf(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= limits.statementRowsMax) return Number(text)
  throw new InvalidArgumentError(`A whole number from 1 to ${limits.statementRowsMax}.`)
}

function numberOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('The number of a change, as the history shows it.')
}
