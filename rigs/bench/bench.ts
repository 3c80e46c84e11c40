// npm run bench: measures the service and prints each figure beside its target.
import { Command } from 'commander'
import { printFigures, type Figure } from './figure.ts'
import { measureEvents } from './events.ts'
import { measureExports } from './exports.ts'
import { measureImports } from './imports.ts'
import { measureIndexes } from './indexes.ts'
import { measureReports } from './reports.ts'
import { measureRevisions } from './revisions.ts'
import { measureRoundTrips } from './round-trips.ts'
import { measureRules } from './rules.ts'
import { measureStart } from './start.ts'
import { measureSync } from './sync.ts'

const parts: Record<string, () => Promise<Figure[]>> = {
  'round-trips': measureRoundTrips,
  start: measureStart,
  imports: measureImports,
  exports: measureExports,
  indexes: measureIndexes,
  reports: measureReports,
  revisions: measureRevisions,
  rules: measureRules,
  sync: measureSync,
  events: measureEvents,
}

const program = new Command('bench')
  .description('Measure the service on this machine')
  .argument('[parts...]', `any of ${Object.keys(parts).join(', ')}; all when none is named`)
  .addHelpText('after', '\nExample:\n  npm run bench -- imports')
  .action(async (wanted: string[]) => {
    const unknown = wanted.find((name) => !parts[name])
    if (unknown !== undefined) program.error(`There is no part ${unknown}.`)
    for (const name of wanted.length > 0 ? wanted : Object.keys(parts)) {
      printFigures(await parts[name]!())
    }
  })
await program.parseAsync()
