// npm run bench: measures the service and prints each figure beside its target.
import { Command } from 'commander'
import { figuresJson, printFigures, type Figure } from './figure.ts'

/** Prints what it measured, or answers it for the JSON. */
type Part = (options: { json: boolean; quick: boolean }) => Promise<object[]>

function figures(name: string, measure: () => Promise<Figure[]>): Part {
  return async ({ json }) => {
    const measured = await measure()
    if (!json) printFigures(measured)
    return figuresJson(name, measured)
  }
}

/** Loaded when asked for: what one part brings along must not weigh on another. */
const parts: Record<string, Part> = {
  saturation: async ({ json, quick }) => {
    const [{ measureSaturation }, { printSaturation, saturationJson }] = await Promise.all([
      import('./saturation.ts'),
      import('./saturation/table.ts'),
    ])
    const measured = await measureSaturation({ quick })
    if (!json) printSaturation(measured)
    return saturationJson(measured)
  },
  'round-trips': figures('round-trips', async () => (await import('./round-trips.ts')).measureRoundTrips()),
  start: figures('start', async () => (await import('./start.ts')).measureStart()),
  imports: figures('imports', async () => (await import('./imports.ts')).measureImports()),
  exports: figures('exports', async () => (await import('./exports.ts')).measureExports()),
  indexes: figures('indexes', async () => (await import('./indexes.ts')).measureIndexes()),
  reports: figures('reports', async () => (await import('./reports.ts')).measureReports()),
  revisions: figures('revisions', async () => (await import('./revisions.ts')).measureRevisions()),
  rules: figures('rules', async () => (await import('./rules.ts')).measureRules()),
  sync: figures('sync', async () => (await import('./sync.ts')).measureSync()),
  events: figures('events', async () => (await import('./events.ts')).measureEvents()),
}

const program = new Command('bench')
  .description('Measure the service on this machine')
  .argument('[parts...]', `any of ${Object.keys(parts).join(', ')}; all when none is named`)
  .option('--quick', 'saturation alone, unless parts are named, with fewer rows and rounds: in less than 4 minutes')
  .option('--json', 'one JSON array on standard output, and nothing else there')
  .addHelpText('after', '\nExample:\n  npm run bench -- imports\n  npm run -s bench -- --quick --json')
  .action(async (wanted: string[], { quick = false, json = false }: { quick?: boolean; json?: boolean }) => {
    const unknown = wanted.find((name) => !parts[name])
    if (unknown !== undefined) program.error(`There is no part ${unknown}.`)
    const measured: object[] = []
    for (const name of wanted.length > 0 ? wanted : quick ? ['saturation'] : Object.keys(parts)) {
      measured.push(...(await parts[name]!({ quick, json })))
    }
    if (json) console.log(JSON.stringify(measured))
  })
await program.parseAsync()
