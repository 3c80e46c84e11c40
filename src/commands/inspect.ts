// djinn inspect: the runbook's first look, every value beside the threshold that it must not pass.
import { Command } from 'commander'
import { inspect } from '../app/inspection.ts'
import { inspectionText } from '../features/inspecting/report.ts'
import { readConfig } from '../resources/config.ts'

export function inspectCommand(): Command {
  return new Command('inspect')
    .description(
      'The first look: host, disk, connections, locks, statements, indexes, tables, replication, queue, backups; red where over a threshold',
    )
    .option('--json', 'report as JSON')
    .addHelpText(
      'after',
      '\nExit: 0 it could look, whatever it saw; 1 the database could not be looked at; 78 a variable cannot be used\n' +
        '\nExample:\n  djinn inspect\n  DATABASE_URL=postgres://... djinn inspect --json | jq \'.checks[] | select(.verdict == "red")\'',
    )
    .action(async (options: { json?: boolean }) => {
      const { complete, checks } = await inspect(readConfig())
      console.log(
        options.json ? JSON.stringify({ ok: checks.every(({ verdict }) => verdict !== 'red'), complete, checks }) : inspectionText(checks),
      )
      process.exitCode = complete ? 0 : 1
    })
}
