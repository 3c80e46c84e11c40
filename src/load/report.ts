// The report of a run as one JSON document; docs/load.md describes its members.
import type { GeneratorWatch } from './generator-watch.ts'
import type { Histogram } from './histogram.ts'
import { mix } from './mix.ts'
import { boundText, type ServerFigures } from './ops-metrics.ts'
import type { Recorder, Tally } from './recorder.ts'
import type { Arrivals } from './scenario.ts'

export type Quantiles = { p50: number; p90: number; p95: number; p99: number; p999: number; max: number }
export type Figures = {
  count: number
  perSecond: number
  errors: number
  outcomes: Record<string, number>
  codes: Record<string, number>
  correctedMs: Quantiles
  rawMs: Quantiles
}
export type Target = { name: string; must: string; is: string; met: boolean | null }

export type Setting = {
  url: string
  scenario: string
  ratePerS: number
  seconds: number
  arrivals: Arrivals
  seed: number
  /** Sessions there are, and how many of them have a turn. */
  phones: number
  phonesCalling: number
  connections: number
}

export type Report = {
  report: 'djinn load'
  version: 1
  setting: Setting
  startedAt: string
  /** How long requests were sent. */
  seconds: number
  interrupted: boolean
  planned: { perSecond: number }
  sent: number
  unanswered: number
  connections: { asked: number; open: number; reopened: number; requestsThatWaited: number }
  total: Figures
  operations: (Figures & { name: string; share: number; plannedShare: number })[]
  overTime: {
    atS: number
    seconds: number
    due: number
    answered: number
    errors: number
    p50Ms: number
    p95Ms: number
    p99Ms: number
    lagMsMax: number
  }[]
  histogram: { fromMs: number; toMs: number; count: number }[]
  generator: {
    seconds: number
    limitedSeconds: number
    void: boolean
    lagMs: Quantiles
    loopDelayMsMax: number
    cpuShare: number
  }
  server: ServerFigures | null
  machine: { cpus: number; loadAverageBefore: number[]; loadAverageAfter: number[]; node: string }
  targets: Target[]
}

export type Outcome = {
  setting: Setting
  startedAt: string
  seconds: number
  interrupted: boolean
  unanswered: number
  connections: Report['connections']
  recorder: Recorder
  watch: Pick<GeneratorWatch, 'seconds' | 'limitedSeconds' | 'void' | 'delayMsMax' | 'cpuShare'>
  server: ServerFigures | null
  machine: Report['machine']
}

const p95MsBelow = 100
const errorShareBelow = 0.001
const databaseP95MsBelow = 30

export function makeReport(run: Outcome): Report {
  const { setting, recorder, watch, server } = run
  const total = figures(recorder.total, run.seconds)
  const binS = recorder.binMs / 1_000
  return {
    report: 'djinn load',
    version: 1,
    setting,
    startedAt: run.startedAt,
    seconds: rounded(run.seconds),
    interrupted: run.interrupted,
    planned: { perSecond: setting.ratePerS },
    sent: recorder.sent,
    unanswered: run.unanswered,
    connections: run.connections,
    total,
    operations: mix.map(({ name, share }) => {
      const tally = recorder.steps.get(name)!
      const part = total.count === 0 ? 0 : tally.count / total.count
      return { name, share: rounded(part, 4), plannedShare: share, ...figures(tally, run.seconds) }
    }),
    overTime: recorder.bins.slice(0, Math.max(1, Math.ceil(run.seconds / binS))).map((bin, index) => ({
      atS: index * binS,
      seconds: binS,
      due: bin.due,
      answered: bin.answered,
      errors: bin.errors,
      p50Ms: rounded(bin.corrected.quantileMs(0.5)),
      p95Ms: rounded(bin.corrected.quantileMs(0.95)),
      p99Ms: rounded(bin.corrected.quantileMs(0.99)),
      lagMsMax: rounded(bin.lagMsMax),
    })),
    histogram: recorder.total.corrected.steps(),
    generator: {
      seconds: watch.seconds,
      limitedSeconds: watch.limitedSeconds,
      void: watch.void,
      lagMs: quantiles(recorder.lag),
      loopDelayMsMax: rounded(watch.delayMsMax),
      cpuShare: rounded(watch.cpuShare),
    },
    server,
    machine: run.machine,
    targets: targets(total, run.unanswered, server),
  }
}

function targets(total: Figures, unanswered: number, server: ServerFigures | null): Target[] {
  const { p95 } = total.correctedMs
  const all = total.count + unanswered
  const errorShare = all === 0 ? null : (total.errors + unanswered) / all
  const statements = server?.statementMs ?? null
  const within = server?.statementsWithin30Ms ?? null
  return [
    {
      name: 'p95, corrected',
      must: `< ${p95MsBelow} ms`,
      is: all === 0 ? 'no requests' : `${p95} ms`,
      met: total.count === 0 ? null : p95 < p95MsBelow,
    },
    {
      name: 'errors',
      must: `< ${errorShareBelow * 100} %`,
      is: errorShare === null ? 'no requests' : `${rounded(errorShare * 100, 3)} %`,
      met: errorShare === null ? null : errorShare < errorShareBelow,
    },
    {
      name: 'database p95',
      must: `< ${databaseP95MsBelow} ms`,
      is: statements === null ? 'not measured (--ops)' : boundText(statements.p95),
      met: within === null ? null : within >= 0.95,
    },
  ]
}

function figures(tally: Tally, seconds: number): Figures {
  return {
    count: tally.count,
    perSecond: seconds === 0 ? 0 : rounded(tally.count / seconds),
    errors: tally.errors,
    outcomes: Object.fromEntries([...tally.outcomes].toSorted(([one], [other]) => one.localeCompare(other))),
    codes: Object.fromEntries([...tally.codes].toSorted(([one], [other]) => one.localeCompare(other))),
    correctedMs: quantiles(tally.corrected),
    rawMs: quantiles(tally.raw),
  }
}

function quantiles(histogram: Histogram): Quantiles {
  const at = (share: number) => rounded(histogram.quantileMs(share))
  return { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), p999: at(0.999), max: rounded(histogram.maxMs) }
}

function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits))
}
