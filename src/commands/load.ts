// djinn load: calls a running service as phones do, at a rate that does not wait for answers, and reports how it did.
import { readFile, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { isIP } from 'node:net'
import { Command, InvalidArgumentError, Option } from 'commander'
import { demoSignIn } from '../app/demo.ts'
import { Connections } from '../load/connections.ts'
import type { Session } from '../load/phone.ts'
import { reportPage } from '../load/report-page.ts'
import { reportText } from '../load/report-text.ts'
import type { Report } from '../load/report.ts'
import { planOf, ready, runLoad, type Wanted } from '../load/run.ts'
import { ratePerSMax, scaled, scenarioNames, scenarios, secondsMax, type Arrivals, type ScenarioName } from '../load/scenario.ts'
import { readSessions, signIn, signUp, signUpsMax } from '../load/sessions.ts'
import { vegetaLines } from '../load/vegeta.ts'
import { dayOf } from '../values/day.ts'

/** What a run ends with, beside 0 (all that was measured is met) and 1 (it could not run). */
export const exits = { notMet: 2, void: 3, interrupted: 130 } as const

const connectionsMax = 15_000

type Options = {
  url: string
  scenario: ScenarioName
  tokens?: string
  signUp?: number
  rate?: number
  duration?: number
  connections?: number
  arrivals: Arrivals
  seed: number
  ops?: string
  json?: string | true
  html?: string
  export?: 'vegeta'
  yesItIsMine?: boolean
}

export function loadCommand(): Command {
  return new Command('load')
    .description('Call a running service as phones do, at a rate that does not wait for answers, and report how it did')
    .option('--url <url>', 'the API', 'http://127.0.0.1:8080')
    .addOption(new Option('--scenario <name>', scenarioHelp()).choices(scenarioNames).default('normal'))
    .option('--tokens <file>', 'sessions, one {"accessToken","userId","householdId"} a line; without it, the demo signs in')
    .option('--sign-up <count>', 'register so many users instead', whole(1, signUpsMax))
    .option('--rate <per-second>', "the scenario's highest rate", whole(1, ratePerSMax))
    .option('--duration <time>', 'its length, such as 20s or 5m', duration)
    .option('--connections <count>', 'how many are kept open', whole(1, connectionsMax))
    .addOption(new Option('--arrivals <kind>', 'when requests are due').choices(['poisson', 'constant']).default('poisson'))
    .option('--seed <number>', 'equal seeds plan equal requests', whole(0, 2 ** 31 - 1), 1)
    .option('--ops <url>', "the operators' port, for what the server says of itself")
    .option('--json [file]', 'the report as JSON, to a file or instead of the text')
    .option('--html <file>', 'the report as one page with plots')
    .addOption(new Option('--export <form>', 'print the requests in place of sending them').choices(['vegeta']))
    .option('--yes-it-is-mine', 'call a service that is not on this machine')
    .addHelpText(
      'after',
      '\nExit: 0 targets met, 1 it could not run, 2 a target not met, 3 void (the generator was the limit), 130 interrupted\n' +
        '\nExample:\n  djinn load --rate 20 --duration 20s --html report.html\n' +
        '  djinn load --scenario peak --tokens sessions.jsonl --ops http://127.0.0.1:9464 --json report.json\n' +
        '  djinn load --tokens sessions.jsonl --export vegeta > targets.jsonl && vegeta attack -format=json -targets=targets.jsonl -rate=100',
    )
    .action(load)
}

async function load(options: Options) {
  const url = readUrl('--url', options.url)
  if (!isLoopback(url) && !options.yesItIsMine) {
    throw new Error(`${url.hostname} is not this machine; --yes-it-is-mine says that you may put load on it`)
  }
  if (options.tokens !== undefined && options.signUp !== undefined) throw new Error('name --tokens or --sign-up, not both')
  const scenario = scenarios[options.scenario]
  const read = options.tokens === undefined ? null : readSessions(await readFile(options.tokens, 'utf8'), options.tokens)
  const interrupted = new AbortController()
  const wanted: Wanted = {
    url,
    ops: options.ops === undefined ? null : readUrl('--ops', options.ops),
    scenario: options.scenario,
    stretches: scaled(scenario.stretches, { ratePerS: options.rate, seconds: options.duration }),
    connections: options.connections ?? scenario.connections,
    arrivals: options.arrivals,
    seed: options.seed,
    today: dayOf(Date.now(), 'UTC'),
    sessions: (connections, progress) => sessionsOf(options, read, url, connections, progress),
    say,
    signal: interrupted.signal,
  }
  if (options.export) return await exportVegeta(wanted)
  const interrupt = () => {
    // The second time it is meant at once.
    if (interrupted.signal.aborted) process.exit(exits.interrupted)
    interrupted.abort()
  }
  process.on('SIGINT', interrupt)
  try {
    await tell(await runLoad(wanted), options)
  } finally {
    process.off('SIGINT', interrupt)
  }
}

async function sessionsOf(
  { signUp: count }: Options,
  read: Session[] | null,
  url: URL,
  connections: Connections,
  progress: Parameters<Wanted['sessions']>[1],
): Promise<Session[]> {
  if (read !== null) return read
  if (count !== undefined) return await signUp(connections, url, count, dayOf(Date.now(), 'UTC'), progress)
  return [await signIn(connections, url, demoSignIn)]
}

async function tell(report: Report, { json, html }: Options) {
  console.log(json === true ? JSON.stringify(report) : reportText(report))
  if (typeof json === 'string') await writeFile(json, `${JSON.stringify(report, null, 2)}\n`)
  if (html !== undefined) await writeFile(html, reportPage(report))
  if (report.interrupted) process.exitCode = exits.interrupted
  else if (report.generator.void) process.exitCode = exits.void
  else if (report.targets.some((target) => target.met === false)) process.exitCode = exits.notMet
}

async function exportVegeta(wanted: Wanted) {
  const connections = new Connections(wanted.url)
  try {
    const phones = await ready(wanted, connections)
    for (const line of vegetaLines(planOf(wanted, phones.length), phones, wanted.url, wanted.seed, wanted.today)) {
      if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain')
    }
  } finally {
    connections.close()
  }
}

/** To the error output, which a person sees where the report goes to a file; counts only so often. */
let saidAtMs = 0
function say(what: string, done?: number, of?: number) {
  const nowMs = performance.now()
  if (done !== undefined && done !== of && nowMs - saidAtMs < 2_000) return
  saidAtMs = nowMs
  console.error(`djinn load: ${what}${done === undefined ? '' : ` ${done}${of === undefined ? '' : ` of ${of}`}`}`)
}

export function isLoopback({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function readUrl(option: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.pathname !== '/' || url.username !== '') {
    throw new Error(`${option} must be http://host:port, not ${JSON.stringify(text)}`)
  }
  return url
}

function whole(min: number, max: number) {
  return (text: string): number => {
    if (!/^\d{1,10}$/.test(text) || Number(text) < min || Number(text) > max) {
      throw new InvalidArgumentError(`A whole number from ${min} to ${max}.`)
    }
    return Number(text)
  }
}

function duration(text: string): number {
  const [, count, unit] = /^(\d{1,5})(s|m|h)$/.exec(text) ?? []
  const seconds = Number(count) * { s: 1, m: 60, h: 3_600 }[(unit ?? 's') as 's' | 'm' | 'h']
  if (!(seconds >= 1 && seconds <= secondsMax))
    throw new InvalidArgumentError(`A time such as 20s, 5m or 1h, at most ${secondsMax / 3_600}h.`)
  return seconds
}

function scenarioHelp(): string {
  return scenarioNames.map((name) => `${name}: ${scenarios[name].why}`).join('; ')
}
