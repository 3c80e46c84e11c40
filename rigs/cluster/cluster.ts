// npm run cluster: several processes on this machine, to look at or to check.
import { Command, InvalidArgumentError } from 'commander'
import { lineOf, type Figure } from './figure.ts'
import { openWorld, type World } from './world.ts'

type Say = (line: string) => void
type Check = (world: World, options: { restarts: number; say: Say }) => Promise<Figure[]>

/** In the order in which they are made; each is loaded when it is wanted. */
const checks: Record<string, Check> = {
  suite: async (world, { say }) => (await import('./checks/suite.ts')).checkSuite(world, say),
  telling: async (world) => (await import('./checks/telling.ts')).checkTelling(world),
  stalled: async (world) => (await import('./checks/stalled.ts')).checkStalled(world),
  'own-reads': async (world) => (await import('./checks/own-reads.ts')).checkOwnReads(world),
  restarts: async (world, { restarts, say }) => (await import('./checks/restarts.ts')).checkRestarts(world, restarts, say),
  crashes: async (world, { restarts, say }) => (await import('./checks/restarts.ts')).checkCrashes(world, restarts, say),
  throughput: async (world) => (await import('./checks/pace.ts')).measureThroughput(world),
  spike: async (world) => (await import('./checks/pace.ts')).checkSpike(world),
  limits: async (world) => (await import('./checks/limits.ts')).checkLimits(world),
}

const program = new Command('cluster')
  .description('Bring up PostgreSQL, a replica, Redis, PgBouncer, two API processes, a worker and HAProxy on the loopback, until Ctrl-C')
  .option('--check', 'check what several processes promise, print the figures, and stop')
  .option('--only <names>', `of the checks: ${Object.keys(checks).join(', ')}`, namesOf)
  .option('--restarts <count>', 'how many restarts, and how many crashes', countOf, 20)
  .option('--json', 'print the figures as JSON')
  .addHelpText(
    'after',
    '\nExit: 0 all checked is met, 1 something is not\n\nExample:\n  npm run -s cluster -- --check --only restarts,stalled --json',
  )
  .action(run)

function namesOf(text: string): string[] {
  const names = text.split(',')
  const unknown = names.find((name) => !(name in checks))
  if (unknown !== undefined) throw new InvalidArgumentError(`there is no check "${unknown}"`)
  return names
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('a number from 1 on')
  return Number(text)
}

async function run(options: { check?: boolean; only?: string[]; restarts: number; json?: boolean }) {
  const say: Say = (line) => console.error(line)
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve('interrupted'))
  })
  const opening = openWorld(say)
  const first = await Promise.race([opening, interrupted])
  const world = first === 'interrupted' ? await opening : first
  try {
    for (const [part, why] of Object.entries(world.absent)) say(`without ${part}: ${why}`)
    if (first === 'interrupted') return
    if (!options.check) {
      console.log(`\nThe cluster is up; Ctrl-C stops it.\n  ${world.addresses().join('\n  ')}\n`)
      await interrupted
      return
    }
    const figures = await Promise.race([checkAll(world, options.only ?? Object.keys(checks), options.restarts, say), interrupted])
    if (figures === 'interrupted') return void (process.exitCode = 130)
    console.log(options.json ? JSON.stringify(figures, null, 2) : figures.map(lineOf).join('\n'))
    if (figures.some(({ pass }) => pass === false)) process.exitCode = 1
  } finally {
    say('stopping')
    await world.close()
  }
}

async function checkAll(world: World, names: readonly string[], restarts: number, say: Say): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const name of Object.keys(checks).filter((each) => names.includes(each))) {
    const fromMs = performance.now()
    say(`${name} ...`)
    const found = await checks[name]!(world, { restarts, say }).catch((error: unknown): Figure[] => {
      say(`${name}: ${(error as Error).stack}\nthe logs of all processes are in ${world.keepLogs(name)}`)
      return [{ name: `${name} could not be checked`, pass: false, figure: null, unit: '', limit: null }]
    })
    for (const figure of found) say(`  ${lineOf(figure)}`)
    say(`${name}: ${Math.round((performance.now() - fromMs) / 1_000)} s`)
    figures.push(...found)
  }
  return figures
}

await program.parseAsync()
// Nothing is left that could hold it; what an interrupted check was about is gone.
process.exit()
