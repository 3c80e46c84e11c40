// The plan of a resize: which steps, in which order, what each runs, how it is proved and how one goes back. Pure.
import type { Server } from '../../values/servers.ts'
import type { Order, Ran } from './executor.ts'
import { hostLook, type Host } from './host.ts'
import * as judges from './judges.ts'

export type StepName = 'status' | 'fits' | 'backup' | 'tune' | 'stop' | 'resize' | 'resources' | 'restart' | 'tuned' | 'health' | 'errors'

export type Evidence = Readonly<Record<string, unknown>>
export type Verdict =
  | { is: 'proved'; evidence: Evidence }
  /** Looked at again until the time is over; then `atLast` counts, or it is refused. */
  | { is: 'not yet'; why: string; todo: string; atLast?: Evidence }
  | { is: 'refused'; why: string; todo: string }

/** What a check is made of. */
export type Seen = {
  /** Of the step's looks, in order. */
  looks: readonly Ran[]
  /** Of what the step did just now; null when it is only looked at again. */
  acts: readonly Ran[] | null
  /** What this step was proved by before. */
  proof: Evidence | null
  nowMs: number
}

export type Step = {
  name: StepName
  title: string
  /** What changes something; each may be done again. */
  acts: readonly Order[]
  /** What only looks. */
  looks: readonly Order[]
  check: (seen: Seen) => Verdict
  /** Asked of whoever is there before it is begun. */
  question?: string
  /** What a person does elsewhere. */
  byHand?: readonly string[]
  /** Once that step was begun, this one is history and not looked at again: it may have been undone on purpose. */
  until?: StepName
  /** How long it may take until it is proved, looked at so often. */
  patience: { forMs: number; everyMs: number }
  expectedS: number
  /** How to go back from here. */
  back: string
}

/** What is to be done, and how the host is spoken to. */
export type Wish = {
  to: Server
  /** Null for a machine that is none of the rented. */
  from: Server | null
  before: Host
  djinn: readonly string[]
  node: string
  systemctl: readonly string[]
  /** Of the service, in the order of their start. */
  units: readonly string[]
  /** Null where PostgreSQL is the embedded one, which the service starts. */
  databaseUnit: string | null
  url: string
  opsUrl: string
  folder: string
  /** The operator says that nobody uses it, so that nothing measured is asked for. */
  idle: boolean
}

const minuteMs = 60_000
const once = { forMs: 0, everyMs: 0 }
const order = (argv: readonly string[], timeoutMs = minuteMs): Order => ({ argv, timeoutMs })

const fetchScript =
  'fetch(process.argv[1],{signal:AbortSignal.timeout(5000)}).then(async(a)=>{process.stdout.write(await a.text());process.exitCode=a.ok?0:1},(e)=>{console.error(String(e.cause??e));process.exitCode=1})'
const get = ({ node }: Wish, url: string) => order([node, '-e', fetchScript, url], 15_000)

export const isSmaller = ({ to, before }: Pick<Wish, 'to' | 'before'>) => to.memoryBytes < before.memoryBytes

export function stepsOf(wish: Wish): Step[] {
  const down = isSmaller(wish)
  const { status, fits, backup, stop, resize, resources, restart, tuned, health, errors } = everyStep(wish)
  // PostgreSQL with the buffers of a large server might not start on a small one: it learns of the small one before.
  const steps: Step[] = down
    ? [status, fits, backup, { ...tuneStep(wish), until: 'stop' }, stop, resize, resources, restart, tuned, health, errors]
    : [status, backup, stop, resize, resources, tuneStep(wish), restart, tuned, health, errors]
  const minutes = Math.round(downtimeS(steps) / 60)
  stop.question = `Stop the service now? About ${minutes} minutes begin in which nobody is answered.`
  return steps
}

/** Nobody is answered from here on, until there. */
const downtime = { from: 'stop', to: 'health' } as const

export function downtimeS(steps: readonly Step[]): number {
  const index = (name: StepName) => steps.findIndex((step) => step.name === name)
  return steps.slice(index(downtime.from), index(downtime.to) + 1).reduce((sum, { expectedS }) => sum + expectedS, 0)
}

/** How long it was; null before its end. */
export function downtimeMs({
  begun,
  proofs,
}: {
  begun: Partial<Record<StepName, string>>
  proofs: Partial<Record<StepName, { at: string }>>
}): number | null {
  const [from, to] = [begun[downtime.from], proofs[downtime.to]?.at]
  return from === undefined || to === undefined ? null : Date.parse(to) - Date.parse(from)
}

const sizeWords = ({ to }: Wish) => ['--memory', `${to.memoryBytes / 1024 ** 3}GB`, '--cpus', String(to.cpus)]
const units = ({ units: names, databaseUnit }: Wish) => [...(databaseUnit === null ? [] : [databaseUnit]), ...names]

function tuneStep(wish: Wish): Step {
  const { djinn, systemctl, databaseUnit } = wish
  const start = databaseUnit === null ? [] : [order([...systemctl, 'start', databaseUnit])]
  return {
    name: 'tune',
    title: `PostgreSQL is given the settings of ${wish.to.name}`,
    acts: [...start, order([...djinn, 'tune', ...sizeWords(wish), '--apply', '--json'])],
    looks: [order([...djinn, 'tune', ...sizeWords(wish), '--check', '--json'])],
    check: judges.tuned('waiting'),
    patience: { forMs: minuteMs, everyMs: 2_000 },
    expectedS: 5,
    back: `djinn tune --apply with the size of ${wish.from?.name ?? 'the old server'}, then restart PostgreSQL`,
  }
}

function everyStep(wish: Wish) {
  const { to, from, djinn, systemctl, folder } = wish
  const name = from?.name ?? 'the old server'
  return {
    status: {
      name: 'status',
      title: 'Nothing is red that a resize would make worse',
      acts: [],
      looks: [order([...djinn, 'inspect', '--json'])],
      check: judges.calm(isSmaller(wish)),
      until: 'stop',
      patience: once,
      expectedS: 5,
      back: 'nothing was changed',
    },
    fits: {
      name: 'fits',
      title: `${to.name} is large enough`,
      acts: [],
      looks: [order([...djinn, 'advise', '--json']), hostLook(folder)],
      check: judges.fits(wish),
      until: 'stop',
      patience: once,
      expectedS: 5,
      back: 'nothing was changed',
    },
    backup: {
      name: 'backup',
      title: 'A fresh backup',
      acts: [order([...djinn, 'backup', '--json'], 60 * minuteMs)],
      looks: [],
      check: judges.backedUp,
      until: 'stop',
      patience: once,
      expectedS: 120,
      back: 'nothing was changed; the backup stays',
    },
    stop: {
      name: 'stop',
      title: 'The service and PostgreSQL end in order',
      // In the order opposite to their start.
      acts: [order([...systemctl, 'stop', ...units(wish).toReversed()], 3 * minuteMs)],
      looks: [order([...systemctl, 'is-active', ...units(wish)])],
      check: judges.inactive,
      question: '',
      until: 'resize',
      patience: once,
      expectedS: 15,
      back: [...systemctl, 'start', ...units(wish)].join(' '),
    },
    resize: {
      name: 'resize',
      title: `The server becomes a ${to.name}, by hand at the provider`,
      acts: [],
      looks: [hostLook(folder)],
      check: judges.resized(wish),
      byHand: [
        'Power the server off (its console at the provider, or: systemctl poweroff).',
        `Resize it to ${to.name}, "CPU and RAM only": with a larger disk there is no way back to ${isSmaller(wish) ? 'it' : name}.`,
        'Power it on.',
      ],
      until: 'resources',
      patience: { forMs: 10 * minuteMs, everyMs: 5_000 },
      expectedS: 180,
      back: `power off, resize to ${name}, power on`,
    },
    resources: {
      name: 'resources',
      title: `CPUs, memory and disk are those of ${to.name}`,
      acts: [],
      looks: [hostLook(folder)],
      check: judges.resources(wish),
      patience: once,
      expectedS: 2,
      back: `power off, resize to ${name}, power on`,
    },
    restart: {
      name: 'restart',
      title: 'PostgreSQL and the service start with what is new',
      acts: [order([...systemctl, 'restart', ...units(wish)], 3 * minuteMs)],
      looks: [order([...systemctl, 'is-active', ...units(wish)])],
      check: judges.active(units(wish)),
      patience: { forMs: minuteMs, everyMs: 2_000 },
      expectedS: 15,
      back: `as for resize, then djinn tune --apply with the size of ${name}, then restart again`,
    },
    tuned: {
      name: 'tuned',
      title: 'All settings are in effect',
      acts: [],
      looks: [order([...djinn, 'tune', ...sizeWords(wish), '--check', '--json'])],
      check: judges.tuned('equal'),
      patience: { forMs: minuteMs, everyMs: 2_000 },
      expectedS: 5,
      back: `as for resize, then djinn tune --apply with the size of ${name}, then restart again`,
    },
    health: {
      name: 'health',
      title: 'The service is ready',
      acts: [],
      looks: [get(wish, `${wish.url}/health/ready`)],
      check: judges.ready,
      patience: { forMs: 2 * minuteMs, everyMs: 1_000 },
      expectedS: 5,
      back: `as for resize, then djinn tune --apply with the size of ${name}, then restart again`,
    },
    errors: {
      name: 'errors',
      title: 'Requests are answered without errors',
      acts: [],
      looks: [get(wish, `${wish.opsUrl}/metrics`)],
      check: judges.answersWell,
      patience: { forMs: minuteMs, everyMs: 5_000 },
      expectedS: 60,
      back: `as for resize, then djinn tune --apply with the size of ${name}, then restart again`,
    },
  } satisfies Partial<Record<StepName, Step>>
}
