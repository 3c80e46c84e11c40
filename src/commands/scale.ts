// djinn scale: the runbook of a server that becomes larger or smaller, each step proved, resumable; and the whole path with its costs.
import { isatty } from 'node:tty'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { hostOf, local, overSsh, type Executor } from '../features/scaling/executor.ts'
import { growthPath, nextStep } from '../features/scaling/growth-path.ts'
import { hostLook, readHost, serverOf, type Host } from '../features/scaling/host.ts'
import { alone, newProgress, readProgress, writeProgress, type Progress } from '../features/scaling/progress.ts'
import { outcomeJson, outcomeText, pathText, planJson, planText, toldText } from '../features/scaling/report.ts'
import { stepsOf, type Wish } from '../features/scaling/steps.ts'
import { walk, type Outcome, type World } from '../features/scaling/walk.ts'
import { readConfig } from '../resources/config.ts'
import { servers } from '../values/servers.ts'

type Options = {
  to?: string
  plan?: boolean
  host?: string
  sshOption?: string[]
  dryRun?: boolean
  resume?: boolean
  restart?: boolean
  yes?: boolean
  json?: boolean
  idle?: boolean
  djinn?: string
  node?: string
  systemctl: string
  unit: string[]
  databaseUnit: string
  url: string
  opsUrl: string
  folder: string
  state?: string
}

const executable = fileURLToPath(new URL('../../bin/djinn.js', import.meta.url))
const exits: Record<Outcome['is'], number> = { done: 0, refused: 1, waits: 3, lost: 4 }

export function scaleCommand(): Command {
  return new Command('scale')
    .description(
      'Make a server larger or smaller, step by step, each proved before the next: status, backup, resize, resources, PostgreSQL, restart, health',
    )
    .addOption(new Option('--to <server>', 'which it becomes').choices(servers.map(({ name }) => name)))
    .addOption(new Option('--plan', 'show the whole path of growth with its costs, and which step the advisor takes next').conflicts('to'))
    .option('--host <user@host>', 'the server, by ssh with a key; this machine unless given')
    .option(
      '--ssh-option <word>',
      'a word for ssh, each by itself: --ssh-option=-p --ssh-option=2222',
      (word: string, before: string[]) => [...before, word],
      [],
    )
    .option('--dry-run', 'only look, and show what would be done')
    .option('--resume', 'go on with what is not proved yet')
    .option('--restart', 'forget a run that is not finished')
    .option('--yes', 'do not ask; what is done by hand at the provider is waited for all the same')
    .option('--idle', 'to a smaller one where nobody uses it, so that nothing was measured')
    .option('--djinn <command>', 'how djinn is called on the host, words between spaces')
    .option('--node <program>', 'Node there, where it is not on PATH; asks for health and metrics')
    .option('--systemctl <command>', 'how units are started and stopped there', 'systemctl')
    .option('--unit <name...>', 'of the service, in the order of their start', ['djinn.service'])
    .option('--database-unit <name>', 'of PostgreSQL; none for the embedded one', 'postgresql.service')
    .option('--url <url>', 'of the API, as the host reaches it', 'http://127.0.0.1:8080')
    .option('--ops-url <url>', "of the operators' port, likewise", 'http://127.0.0.1:9464')
    .option('--folder <folder>', "where PostgreSQL's data lies there, to look at its disk", '/')
    .option('--state <file>', 'where it is kept how far it came; under DJINN_DATA_DIR unless given')
    .option('--json', 'report as JSON; progress goes to standard error')
    .addHelpText(
      'after',
      '\nExit: 0 done; 1 a check failed, or it was refused; 3 waits for a person, then --resume; 4 the host was lost, then --resume; 78 a variable cannot be used\n' +
        '\nExample:\n  djinn scale --plan\n  djinn scale --to CX32 --host root@203.0.113.5 --dry-run\n  djinn scale --to CX32 --host root@203.0.113.5\n' +
        '  djinn scale --resume --host root@203.0.113.5 --yes',
    )
    .action(scale)
}

/** Nothing is known of the host, so nothing was begun. */
class HostLost extends Error {}

async function scale(options: Options) {
  try {
    await dispatch(options)
  } catch (error) {
    if (!(error instanceof HostLost)) throw error
    console.error(`djinn: ${error.message}`)
    process.exitCode = exits.lost
  }
}

async function dispatch(options: Options) {
  const executor = options.host === undefined ? local : overSsh(hostOf(options.host), options.sshOption)
  if (options.plan) return await showPath(executor, options)
  if (options.to === undefined && !options.resume) throw new Error('say which server with --to, or --plan, or --resume')
  const file = resolve(options.state ?? join(readConfig().dataDir, 'scale', `${executor.where.replaceAll(/[^A-Za-z0-9.@-]/g, '-')}.json`))
  if (options.dryRun) return await showPlan(executor, options, file)
  await alone(file, async () => {
    const progress = await progressOf(executor, options, file)
    if (progress) await go(executor, options, file, progress)
  })
}

async function lookAt(executor: Executor, folder: string): Promise<Host> {
  const ran = await executor.run(hostLook(folder))
  const host = readHost(ran)
  if (host) return host
  const said = (ran.errors || ran.out).trim().split('\n').at(-1) || `exit ${ran.code}`
  throw new (ran.lost ? HostLost : Error)(`${executor.where} does not say what it has: ${said}`)
}

const words = (text: string) => text.split(' ').filter((word) => word !== '')
const djinnOf = (options: Options) =>
  options.djinn !== undefined ? words(options.djinn) : options.host === undefined ? [process.execPath, executable] : ['djinn']

async function wishOf(executor: Executor, options: Options): Promise<Wish> {
  const before = await lookAt(executor, options.folder)
  return {
    to: servers.find(({ name }) => name === options.to)!,
    from: serverOf(before),
    before,
    djinn: djinnOf(options),
    node: options.node ?? (options.host === undefined ? process.execPath : 'node'),
    systemctl: words(options.systemctl),
    units: options.unit,
    databaseUnit: options.databaseUnit === 'none' ? null : options.databaseUnit,
    url: options.url,
    opsUrl: options.opsUrl,
    folder: options.folder,
    idle: options.idle === true,
  }
}

/** What was begun before, or a new one; null where there is nothing to do. */
async function progressOf(executor: Executor, options: Options, file: string): Promise<Progress | null> {
  const known = options.restart ? null : readProgress(file)
  if (options.resume) {
    if (!known) throw new Error(`nothing was begun for ${executor.where} (${file})`)
    if (options.to !== undefined && options.to !== known.wish.to.name)
      throw new Error(`what was begun is to ${known.wish.to.name}: --restart forgets it`)
    return known
  }
  if (known && known.finishedAt === null) {
    throw new Error(`a run to ${known.wish.to.name} is not finished (${file}): --resume goes on with it, --restart forgets it`)
  }
  const wish = await wishOf(executor, options)
  if (wish.from?.name === wish.to.name) {
    console.log(`${executor.where} is a ${wish.to.name} already. PostgreSQL is brought to it by: djinn tune --apply`)
    return null
  }
  return newProgress(executor.where, wish)
}

async function go(executor: Executor, options: Options, file: string, progress: Progress) {
  const steps = stepsOf(progress.wish)
  const write = options.json ? console.error : console.log
  const terminal = isatty(0) && !options.json
  if (!options.yes && !terminal) throw new Error('there is nobody to ask: --yes agrees beforehand, --dry-run only shows what would be done')
  const lines = terminal ? createInterface({ input: process.stdin, output: process.stdout }) : null
  const world: World = {
    executor,
    nowMs: Date.now,
    pause: (ms) => setTimeout(ms),
    ask: lines && (async (question) => /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim())),
    agreed: options.yes === true,
    keep: (now) => writeProgress(file, now),
    tell: (told) => write(toldText(told)),
  }
  try {
    write(`${planText(executor.where, progress.wish, steps)}\n`)
    const outcome = await walk(steps, progress, world)
    if (options.json) console.log(JSON.stringify(outcomeJson(outcome, progress, steps)))
    else console.log(`\n${outcomeText(outcome, progress)}`)
    process.exitCode = exits[outcome.is]
  } finally {
    lines?.close()
  }
}

/** Looks, and changes nothing: no file either. */
async function showPlan(executor: Executor, options: Options, file: string) {
  const known = options.resume ? readProgress(file) : null
  if (options.resume && !known) throw new Error(`nothing was begun for ${executor.where} (${file})`)
  const wish = known?.wish ?? (await wishOf(executor, options))
  const steps = stepsOf(wish)
  const plan = planText(executor.where, wish, steps)
  // A copy: what is proved by looking is shown and not kept.
  const progress = structuredClone(known ?? newProgress(executor.where, wish))
  const looking = steps.slice(
    0,
    steps.findIndex(({ name }) => name === 'backup'),
  )
  const outcome = await walk(looking, progress, {
    executor,
    nowMs: Date.now,
    pause: (ms) => setTimeout(ms),
    ask: null,
    agreed: true,
    keep: () => {},
    tell: options.json
      ? () => {}
      : ({ step, as, why }) => as !== 'begun' && console.log(`${step.name}: ${as}${why === undefined ? '' : `, ${why}`}`),
  })
  if (options.json)
    console.log(
      JSON.stringify({ outcome: outcome.is, ...(outcome.is === 'done' ? {} : outcome), ...planJson(executor.where, wish, steps) }),
    )
  else console.log(`${outcome.is === 'done' ? '' : `${outcomeText(outcome, progress)}\n`}\n${plan}\n\nNothing was changed.`)
  process.exitCode = exits[outcome.is]
}

async function showPath(executor: Executor, options: Options) {
  const host = await lookAt(executor, options.folder)
  const like = serverOf(host)
  const here = like === null ? null : servers.indexOf(like)
  const ran = await executor.run({ argv: [...djinnOf(options), 'advise', '--json'], timeoutMs: 60_000 })
  const advice = ran.code === 0 ? (JSON.parse(ran.out) as { advice: Parameters<typeof nextStep>[1] }).advice : null
  const next = advice && nextStep(here ?? 0, advice)
  const notAsked = advice === null ? ran.errors.trim().split('\n').at(-1) || `exit ${ran.code}` : null
  if (options.json) console.log(JSON.stringify({ path: growthPath, here: like?.name ?? null, next, notAsked }))
  else console.log(pathText(here, next, notAsked))
}
