// A whole run: phones made ready, the open loop driven, the report made.
import { availableParallelism, loadavg } from 'node:os'
import { readyPhones, type Progress } from './calls.ts'
import { answerTimeoutMs, Connections } from './connections.ts'
import { drive } from './drive.ts'
import { GeneratorWatch } from './generator-watch.ts'
import { chargedPerRequest, plan, type Planned } from './mix.ts'
import { scrape, serverFigures } from './ops-metrics.ts'
import type { Phone, Session } from './phone.ts'
import { randomOf } from './random.ts'
import { Recorder } from './recorder.ts'
import { makeReport, type Report } from './report.ts'
import { arrivals, highestRate, secondsOf, type Arrivals, type Stretch } from './scenario.ts'

export type Wanted = {
  url: URL
  ops: URL | null
  scenario: string
  stretches: readonly Stretch[]
  connections: number
  arrivals: Arrivals
  seed: number
  today: string
  /** Gets the sessions, on connections to the server. */
  sessions: (connections: Connections, progress: Progress) => Promise<Session[]>
  /** Says what is under way, for a person who waits. */
  say: (what: string, done?: number, of?: number) => void
  signal: AbortSignal
  drainMs?: number
}

/** The default limit of a user, per minute; a server may be started with another. */
const usualLimitPerMinute = 100

/** A warning when the tokens are too few for the usual limit of requests, else null. */
export function tooFewTokens(highestPerS: number, tokens: number): string | null {
  const each = Math.round((highestPerS * 60 * chargedPerRequest) / tokens)
  if (each <= usualLimitPerMinute) return null
  const enough = Math.ceil((highestPerS * 60 * chargedPerRequest) / usualLimitPerMinute)
  return `each of ${tokens} tokens makes ${each} requests a minute, and the default limit is ${usualLimitPerMinute}: expect 429 unless the server has a higher RATE_LIMIT_AUTHENTICATED (or bring ${enough} tokens)`
}

export function planOf(wanted: Pick<Wanted, 'stretches' | 'arrivals' | 'seed'>, phones: number): Generator<Planned> {
  const moments = arrivals(wanted.stretches, wanted.arrivals, randomOf(wanted.seed, -1))
  return plan(moments, phones, highestRate(wanted.stretches), randomOf(wanted.seed, -2))
}

/** Opens some connections, gets the sessions, and lets each phone that will call see what is there. */
export async function ready(wanted: Wanted, connections: Connections, say = wanted.say): Promise<Phone[]> {
  await connections.openAll(Math.min(16, wanted.connections))
  const sessions = await wanted.sessions(connections, (done, of) => say('signing up', done, of))
  const warning = tooFewTokens(highestRate(wanted.stretches), sessions.length)
  if (warning !== null) say(warning)
  const calling = phonesOf(planOf(wanted, sessions.length))
  return await readyPhones(connections, wanted.url, sessions, calling, (done, of) => say('phones sync for the first time', done, of))
}

/** Those that a plan lets call. */
function phonesOf(planned: Iterable<Planned>): Set<number> {
  const calling = new Set<number>()
  for (const { phone } of planned) calling.add(phone)
  return calling
}

export async function runLoad(wanted: Wanted): Promise<Report> {
  const { url, stretches, seed, today, signal, say } = wanted
  const connections = new Connections(url)
  try {
    const phones = await ready(wanted, connections)
    say(`opening ${wanted.connections} connections`)
    await connections.openAll(wanted.connections - connections.open)
    connections.reopened = connections.waited = 0
    const before = wanted.ops === null ? [] : await scrape(wanted.ops)
    const loadAverageBefore = loads()
    const seconds = secondsOf(stretches)
    const recorder = new Recorder(seconds)
    const watch = new GeneratorWatch()
    say(`sending for ${seconds} s`)
    const startedAt = new Date().toISOString()
    const startMs = performance.now()
    watch.start()
    const telling = setInterval(() => say('requests sent', recorder.sent), 5_000)
    const unanswered = await drive({
      ...{ url, phones, connections, recorder, watch, seed, today, signal },
      plan: planOf(wanted, phones.length),
      drainMs: wanted.drainMs ?? answerTimeoutMs + 1_000,
    })
    clearInterval(telling)
    watch.stop()
    const after = wanted.ops === null ? [] : await scrape(wanted.ops)
    return makeReport({
      setting: {
        ...{ url: url.origin, scenario: wanted.scenario, ratePerS: highestRate(stretches), seconds, arrivals: wanted.arrivals, seed },
        ...{ phones: phones.length, phonesCalling: phonesOf(planOf(wanted, phones.length)).size, connections: wanted.connections },
      },
      startedAt,
      seconds: signal.aborted ? Math.min(seconds, (performance.now() - startMs) / 1_000) : seconds,
      interrupted: signal.aborted,
      unanswered,
      connections: {
        ...{ asked: wanted.connections, open: connections.open, reopened: connections.reopened },
        requestsThatWaited: connections.waited,
      },
      recorder,
      watch,
      server: wanted.ops === null ? null : serverFigures(before, after),
      machine: { cpus: availableParallelism(), loadAverageBefore, loadAverageAfter: loads(), node: process.versions.node },
    })
  } finally {
    connections.close()
  }
}

function loads(): number[] {
  return loadavg().map((value) => Number(value.toFixed(2)))
}
