// What proves a step, from what programs said of the host: each answers proved, not yet, or what to do. Pure.
import type { Ran } from './executor.ts'
import { fitOf } from './fit.ts'
import { isLike, readHost, type Host } from './host.ts'
import type { Seen, Verdict, Wish } from './steps.ts'

const lastLine = ({ errors, out }: Ran) => (errors.trim() || out.trim()).split('\n').at(-1)!.slice(0, 300) || 'it said nothing'
const refused = (why: string, todo: string): Verdict => ({ is: 'refused', why, todo })

function json(ran: Ran): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(ran.out)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

type Red = { section: string; check: string; value: number | null; unit: string; verdict: string }

/** What a stop or a start makes worse, or a backup cannot be made under. What a larger server cures is no reason against it. */
const matters = new Set([
  'database: answers',
  'database: transactions since the last freeze',
  'locks: longest open transaction',
  'replication: lag of the slowest replica',
])

export const calm =
  (smaller: boolean) =>
  ({ looks: [look] }: Seen): Verdict => {
    const said = json(look!) as { complete: boolean; checks: Red[] } | null
    if (!said || !Array.isArray(said.checks))
      return refused(`djinn inspect could not look: ${lastLine(look!)}`, 'djinn inspect must run on the host: see --djinn')
    const red = said.checks.filter(({ verdict }) => verdict === 'red')
    const against = red.filter(
      ({ section, check }) => matters.has(`${section}: ${check}`) || (smaller && ['host', 'disk'].includes(section)),
    )
    const names = (checks: Red[]) => checks.map(({ section, check, value, unit }) => `${section}: ${check} (${value} ${unit})`)
    if (against.length > 0 || !said.complete)
      return refused(
        `red: ${names(against).join(', ') || 'the database could not be looked at'}`,
        'djinn inspect shows what is meant; mend it, then --resume',
      )
    return { is: 'proved', evidence: { checks: said.checks.length, redAndNoReason: names(red) } }
  }

export const fits =
  (wish: Wish) =>
  ({ looks: [advice, look] }: Seen): Verdict => {
    const host = readHost(look!)
    if (!host) return refused(`the host did not say what it has: ${lastLine(look!)}`, 'it must have getconf, cat and df')
    const said = json(advice!) as { capacity?: Parameters<typeof fitOf>[2] } | null
    if (!said?.capacity)
      return refused(`djinn advise could not judge: ${lastLine(advice!)}`, 'djinn advise must run on the host: see --djinn')
    const { reasons, evidence } = fitOf(host, wish.to, said.capacity, wish.idle)
    return reasons.length === 0
      ? { is: 'proved', evidence }
      : refused(reasons.map(({ why }) => why).join('; '), reasons.map(({ todo }) => todo).join('; '))
  }

/** A backup of before that serves for so long: what was written since would be lost with it. */
export const backupAgeMsMax = 60 * 60_000

export function backedUp({ acts, proof, nowMs }: Seen): Verdict {
  const [made] = acts ?? []
  const said = made ? json(made) : proof
  if (made && said?.['ok'] !== true) {
    return refused(`djinn backup did not say that it is whole: ${lastLine(made)}`, 'run djinn backup on the host, then --resume')
  }
  const { id, finishedAt } = said ?? {}
  const ageMs = nowMs - Date.parse(String(finishedAt))
  // Clocks of two machines may differ by minutes.
  return Math.abs(ageMs) <= backupAgeMsMax
    ? { is: 'proved', evidence: { id, finishedAt } }
    : refused(
        `the backup is of ${String(finishedAt)}, not of this hour`,
        'look at the clocks of both machines, then --resume, which makes another',
      )
}

export function inactive({ looks: [look] }: Seen): Verdict {
  const states = look!.out.trim().split('\n')
  // A unit that was never there is as inactive as one that ended; the start will say so.
  return states.every((state) => ['inactive', 'failed', 'unknown'].includes(state))
    ? { is: 'proved', evidence: { states } }
    : refused(`still running: ${states.join(', ')}`, 'see journalctl of the units, then --resume')
}

export const active =
  (units: readonly string[]) =>
  ({ looks: [look] }: Seen): Verdict => {
    const states = look!.out.trim().split('\n')
    return look!.code === 0 && states.length === units.length && states.every((state) => state === 'active')
      ? { is: 'proved', evidence: { states } }
      : {
          is: 'not yet',
          why: `${units.join(', ')}: ${states.join(', ')}`,
          todo: 'journalctl -e -u UNIT says why it does not start; mend it, then --resume',
        }
  }

const gigabytes = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GB`
const described = ({ cpus, memoryBytes, diskBytes }: Host) =>
  `${cpus} CPUs, ${gigabytes(memoryBytes)} of memory, ${gigabytes(diskBytes)} of disk`

export const resized =
  ({ to, before }: Wish) =>
  ({ looks: [look] }: Seen): Verdict => {
    const host = readHost(look!)
    const todo = `power off, resize to ${to.name}, power on; then --resume`
    if (!host) return { is: 'not yet', why: `the host does not answer: ${lastLine(look!)}`, todo }
    if (host.bootId === before.bootId) return { is: 'not yet', why: `it was not started anew, and has ${described(host)}`, todo }
    return isLike(host, to)
      ? { is: 'proved', evidence: { was: described(before), is: described(host), bootId: host.bootId } }
      : { is: 'not yet', why: `it has ${described(host)}`, todo }
  }

export const resources =
  ({ to, before }: Wish) =>
  ({ looks: [look] }: Seen): Verdict => {
    const host = readHost(look!)
    if (!host) return refused(`the host did not say what it has: ${lastLine(look!)}`, 'look whether it has started, then --resume')
    const wrong = [
      ...(host.cpus === to.cpus ? [] : [`${host.cpus} CPUs, not ${to.cpus}`]),
      ...(isLike({ ...host, cpus: to.cpus }, to) ? [] : [`${gigabytes(host.memoryBytes)} of memory, not ${gigabytes(to.memoryBytes)}`]),
      ...(host.diskBytes >= before.diskBytes
        ? []
        : [`${gigabytes(host.diskBytes)} of disk, less than the ${gigabytes(before.diskBytes)} of before`]),
    ]
    return wrong.length === 0
      ? { is: 'proved', evidence: { cpus: host.cpus, memoryBytes: host.memoryBytes, diskBytes: host.diskBytes } }
      : refused(`it has ${wrong.join(', ')}`, `resize it to ${to.name} at the provider, then --resume`)
  }

type Compared = { name: string; wanted: string; actual: string | null; standing: string; overriddenBy: string | null }

/** `waiting`: written, and in effect with the next start. */
export const tuned =
  (enough: 'waiting' | 'equal') =>
  ({ looks: [look] }: Seen): Verdict => {
    const said = json(look!) as { settings?: Compared[] } | null
    const todo = 'djinn tune --check on the host shows each setting; mend it, then --resume'
    if (!said?.settings) return { is: 'not yet', why: `djinn tune --check could not compare: ${lastLine(look!)}`, todo }
    const wrong = said.settings.filter(({ standing }) => standing !== 'equal' && standing !== enough)
    if (wrong.length > 0) {
      const list = wrong.map(
        ({ name, actual, wanted, overriddenBy }) => `${name} is ${actual}, not ${wanted}${overriddenBy ? ` (set by ${overriddenBy})` : ''}`,
      )
      return refused(list.join('; '), todo)
    }
    return { is: 'proved', evidence: Object.fromEntries(said.settings.map(({ name, wanted }) => [name, wanted])) }
  }

export function ready({ looks: [look] }: Seen): Verdict {
  return look!.code === 0
    ? { is: 'proved', evidence: { said: look!.out.slice(0, 200) } }
    : { is: 'not yet', why: lastLine(look!), todo: 'journalctl -e -u UNIT, djinn inspect; then --resume' }
}

/** A rate of fewer requests says nothing. */
const requestsMin = 100
/** The target of the service. */
const errorShareMax = 0.001

/** Counters begin with the process, which has only just started. */
export function answersWell({ looks: [look] }: Seen): Verdict {
  const todo = 'djinn inspect and the log say what fails; to go back, scale to the server of before'
  if (look!.code !== 0) return { is: 'not yet', why: `no metrics: ${lastLine(look!)}`, todo }
  const sum = (name: string) =>
    [...look!.out.matchAll(new RegExp(`^${name}(?:\\{[^\\n]*\\})? (\\S+)$`, 'gm'))].reduce((total, [, value]) => total + Number(value), 0)
  const requests = sum('djinn_requests_total')
  const errors = sum('djinn_errors_total')
  const evidence = { requests, errors }
  if (requests < requestsMin) {
    const why = `${errors} errors in ${requests} requests since the start`
    return errors === 0 ? { is: 'not yet', why, todo, atLast: { ...evidence, note: 'few requests came' } } : { is: 'not yet', why, todo }
  }
  return errors <= requests * errorShareMax
    ? { is: 'proved', evidence }
    : refused(`${errors} errors in ${requests} requests since the start`, todo)
}
