// People who read and write through the balancer at an even pace, whether answers come or not (an open loop), and what became of each request.
import { call } from '../../src/load/calls.ts'
import { Connections } from '../../src/load/connections.ts'
import type { Outcome } from '../../src/load/connection.ts'
import { Histogram } from '../../src/load/histogram.ts'
import type { Session } from '../../src/load/phone.ts'
import { signUp } from '../../src/load/sessions.ts'
import { wireOf } from '../../src/load/wire.ts'
import type { World } from './world.ts'

export const today = '2026-01-15'
const connectionsOpen = 64
/** Tries of a client that repeats what was not answered, and the wait before the first of them. */
const triesMax = 12
const firstWaitMs = 100
const waitMsMax = 2_000
const tickMs = 5

export type Caller = Session & { accountId: string }
export type Settled = { id: string; payee: string | null; outcome: string; tries: number; sends: number }
export type Loaded = {
  sent: number
  /** Those whose last outcome is no success, or that were sent more often than asked for. */
  failed: Settled[]
  /** Writes whose success was told. */
  acknowledged: string[]
  /** Writes of which nobody knows. */
  unknown: string[]
  repeated: number
  took: Histogram
}

/** Signs up people, each with an account. */
export async function callers(world: World, count: number): Promise<Caller[]> {
  const url = new URL(world.balancer.url)
  const connections = new Connections(url)
  try {
    await connections.openAll(16)
    const sessions = await signUp(connections, url, count, today, () => {})
    return await Promise.all(
      sessions.map(async (session) => {
        const { body } = await call(connections, url, ['GET', '/api/accounts'], session)
        return { ...session, accountId: (body as { data: { id: string }[] }).data[0]!.id }
      }),
    )
  } finally {
    connections.close()
  }
}

/**
 * Calls while the work is done, so many times a second: three of ten are writes, with an Idempotency-Key. With `repeats` a client sends
 * again, with the same key, what failed by no fault of its own; without, a request is sent once.
 */
export async function callWhile<T>(
  world: World,
  people: readonly Caller[],
  { ratePerS, repeats }: { ratePerS: number; repeats: boolean },
  work: () => Promise<T>,
): Promise<{ loaded: Loaded; done: T }> {
  const url = new URL(world.balancer.url)
  const connections = new Connections(url)
  const loaded: Loaded = { sent: 0, failed: [], acknowledged: [], unknown: [], repeated: 0, took: new Histogram() }
  const run = `run${process.pid}x${Math.round(performance.now())}`
  const pending = new Set<Promise<void>>()
  const one = async (number: number) => {
    const { bytes, id, payee } = requestOf(url, people[number % people.length]!, number, run)
    // What waits for a connection here is the generator's, and not the service's.
    let startMs = 0
    let [tries, sends] = [0, 0]
    const onSent = () => {
      if (sends++ === 0) startMs = performance.now()
    }
    let outcome: string
    let wait = firstWaitMs
    for (;;) {
      tries++
      outcome = told(await new Promise<Outcome>((resolve) => connections.send(bytes, onSent, resolve)))
      // As the client does: no answer, a refusal for now, a first try that still runs.
      if (!repeats || tries >= triesMax || !/^(?:5\d\d|409|refused|reset|broken|timeout)$/.test(outcome)) break
      loaded.repeated++
      await new Promise((resolve) => setTimeout(resolve, wait))
      wait = Math.min(waitMsMax, wait * 2)
    }
    loaded.took.add(performance.now() - startMs)
    const well = outcome === '200' || outcome === '201'
    if (payee !== null) (well ? loaded.acknowledged : loaded.unknown).push(payee)
    if (!well || (!repeats && sends !== 1)) loaded.failed.push({ id, payee, outcome, tries, sends })
  }
  try {
    await connections.openAll(connectionsOpen)
    const startMs = performance.now()
    const pace = setInterval(() => {
      const due = Math.floor(((performance.now() - startMs) / 1_000) * ratePerS)
      while (loaded.sent < due) {
        const settled: Promise<void> = one(loaded.sent++).finally(() => pending.delete(settled))
        pending.add(settled)
      }
    }, tickMs)
    const done = await work().finally(() => clearInterval(pace))
    await Promise.all(pending)
    return { loaded, done }
  } finally {
    connections.close()
  }
}

function told(outcome: Outcome): string {
  return 'fault' in outcome ? outcome.fault : String(outcome.response.status)
}

function requestOf(url: URL, { accessToken, accountId }: Caller, number: number, run: string) {
  const id = `${run}-${number}`
  const headers = { Authorization: `Bearer ${accessToken}`, 'X-Request-Id': id }
  const reading = (path: string) => ({ bytes: wireOf(url, { method: 'GET', path, headers }), id, payee: null })
  if (number % 10 >= 7) return reading('/api/accounts')
  if (number % 10 >= 3) return reading('/api/transactions?limit=20')
  const body = JSON.stringify({ accountId, date: today, amount: -100 - (number % 900), payee: id })
  const more = { 'Content-Type': 'application/json', 'Idempotency-Key': id }
  return { bytes: wireOf(url, { method: 'POST', path: '/api/transactions', headers: { ...headers, ...more }, body }), id, payee: id }
}

/** What the database has of the writes: what is there twice, what was told and is not there. */
export async function heldAgainst(world: World, { acknowledged, unknown }: Loaded): Promise<{ twice: string[]; lost: string[] }> {
  const rows = await world.sql<{ payee: string; count: number }>(
    'select payee, count(*)::int as count from transactions where payee = any($1) group by payee',
    [[...acknowledged, ...unknown]],
  )
  const counts = new Map(rows.map((row) => [row.payee, row.count]))
  return {
    twice: [...counts].filter(([, count]) => count > 1).map(([payee]) => payee),
    lost: acknowledged.filter((payee) => !counts.has(payee)),
  }
}
