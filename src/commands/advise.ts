// djinn advise: whether more machinery is worth its price yet, what is cheaper, and how many users this server still takes.
import { setTimeout } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { adviceOf } from '../app/advice.ts'
import { withDatabase } from '../app/resources.ts'
import { facts, readFact } from '../features/advising/facts.ts'
import { declare, undeclare } from '../features/advising/judge.ts'
import { adviceText } from '../features/advising/report.ts'
import { readConfig } from '../resources/config.ts'
import type { Database } from '../resources/database.ts'

type Options = { json?: boolean; watch?: boolean; declare?: string[]; forget?: string[] }

const watchMs = 60_000

export function adviseCommand(): Command {
  return new Command('advise')
    .description(
      'Judge each trigger of more machinery by what was measured: not yet, soon or now, the cheaper fix first; and how many users this server takes',
    )
    .addOption(new Option('--json', 'report as JSON').conflicts('watch'))
    .option('--watch', 'again every minute, until Ctrl-C')
    .option('--declare <fact=value...>', 'say what no machine can measure; kept until it is forgotten')
    .option('--forget <fact...>', 'take back what was declared')
    .addHelpText(
      'after',
      `\nFacts:\n${facts.map(({ name, says, kind }) => `  ${`${name}=${kind === 'yes' ? 'yes|no' : 'N'}`.padEnd(24)}${says}`).join('\n')}\n` +
        '\nExit: 0 it could judge, whatever the verdicts; 1 it could not; 78 a variable cannot be used\n' +
        '\nExample:\n  djinn advise\n  djinn advise --declare team-size=6 zero-downtime=no --json',
    )
    .action(async (options: Options) => {
      // Read before anything is opened or written.
      const said = (options.declare ?? []).map(readFact)
      const gone = options.forget ?? []
      for (const name of gone) if (!facts.some((fact) => fact.name === name)) readFact(name)
      await withDatabase(readConfig(), async (database) => {
        for (const fact of said) await declare(database, fact)
        for (const name of gone) await undeclare(database, name)
        if (options.watch) await watch(database)
        else {
          const answer = await adviceOf(database)
          console.log(options.json ? JSON.stringify(answer) : adviceText(answer))
        }
      })
    })
}

async function watch(database: Database) {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  process.once('SIGTERM', () => stop.abort())
  while (!stop.signal.aborted) {
    const text = adviceText(await adviceOf(database))
    console.log(`${process.stdout.isTTY ? '\x1b[2J\x1b[H' : ''}${new Date().toISOString()}\n\n${text}\n`)
    await setTimeout(watchMs, undefined, { signal: stop.signal }).catch(() => {})
  }
}
