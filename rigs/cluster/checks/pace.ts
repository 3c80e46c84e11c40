// What two processes answer where one would, and how soon they refuse what is too much.
import { Connections } from '../../../src/load/connections.ts'
import type { Outcome } from '../../../src/load/connection.ts'
import { Histogram } from '../../../src/load/histogram.ts'
import { wireOf } from '../../../src/load/wire.ts'
import { atMost, reported, skipped, type Figure } from '../figure.ts'
import { callers, type Caller } from '../load.ts'
import type { World } from '../world.ts'

const measureMs = 4_000
const atOnce = 32
const spikePerS = 2_000
const spikeMs = 8_000
const shedMsMax = 50

export async function measureThroughput(world: World): Promise<Figure[]> {
  const people = await callers(world, 32)
  const replicas = world.replica === null ? undefined : { DATABASE_REPLICA_URLS: '' }
  if (replicas) await world.restart(replicas)
  await lists(world, people)
  await world.balancer.say('set server api/two state maint')
  const one = await lists(world, people)
  await world.balancer.say('set server api/two state ready')
  while (!(await world.balancer.isUp('two'))) await new Promise((resolve) => setTimeout(resolve, 20))
  const two = await lists(world, people)
  const figures = [
    reported('lists a second, one process', one, 'per second'),
    reported('lists a second, two processes on the same cores', two, 'per second'),
    reported('two processes against one', two / one, 'times'),
  ]
  if (!replicas) return [...figures, skipped('lists a second, two processes with a replica', world.absent.replica ?? 'no replica')]
  await world.restart()
  await lists(world, people)
  return [...figures, reported('lists a second, two processes with a replica', await lists(world, people), 'per second')]
}

/** As many lists as are answered one after the other, so many at once. */
async function lists(world: World, people: readonly Caller[]): Promise<number> {
  const url = new URL(world.balancer.url)
  const connections = new Connections(url)
  try {
    await connections.openAll(atOnce)
    const untilMs = performance.now() + measureMs
    let answered = 0
    const person = async ({ accessToken }: Caller) => {
      const bytes = wireOf(url, { method: 'GET', path: '/api/transactions?limit=20', headers: { Authorization: `Bearer ${accessToken}` } })
      while (performance.now() < untilMs) {
        const outcome = await new Promise<Outcome>((resolve) => connections.send(bytes, () => {}, resolve))
        if ('fault' in outcome || outcome.response.status !== 200) throw new Error(`a list was answered ${JSON.stringify(outcome)}`)
        answered++
      }
    }
    await Promise.all(people.slice(0, atOnce).map(person))
    return answered / (measureMs / 1_000)
  } finally {
    connections.close()
  }
}

/** More than they can answer, from one moment to the next. */
export async function checkSpike(world: World): Promise<Figure[]> {
  const people = await callers(world, 32)
  await world.restart({ SHEDDING: 'on' })
  const url = new URL(world.balancer.url)
  const connections = new Connections(url)
  const shed = new Histogram()
  const outcomes = new Map<string, number>()
  try {
    await connections.openAll(512)
    const pending = new Set<Promise<void>>()
    let sent = 0
    const one = async (number: number) => {
      const { accessToken } = people[number % people.length]!
      const path = number % 4 === 0 ? '/api/reports/cash-flow?from=2025-02&to=2026-01' : '/api/transactions?limit=20'
      const bytes = wireOf(url, { method: 'GET', path, headers: { Authorization: `Bearer ${accessToken}` } })
      let sentMs = 0
      const outcome = await new Promise<Outcome>((resolve) => connections.send(bytes, () => (sentMs = performance.now()), resolve))
      const status = 'fault' in outcome ? outcome.fault : String(outcome.response.status)
      outcomes.set(status, (outcomes.get(status) ?? 0) + 1)
      if (status === '503') shed.add(performance.now() - sentMs)
    }
    const startMs = performance.now()
    await new Promise<void>((resolve) => {
      const pace = setInterval(() => {
        const nowMs = performance.now() - startMs
        if (nowMs > spikeMs) {
          clearInterval(pace)
          resolve()
        }
        for (const due = (Math.min(nowMs, spikeMs) / 1_000) * spikePerS; sent < due; sent++) {
          const settled: Promise<void> = one(sent).finally(() => pending.delete(settled))
          pending.add(settled)
        }
      }, 5)
    })
    await Promise.all(pending)
    const name = `spike of ${spikePerS}/s: p99 of what is shed, from when it is sent`
    const told = [...outcomes].map(([status, count]) => reported(`spike: answered ${status}`, count, `of ${sent}`))
    if (shed.count < 100) return [...told, skipped(name, `only ${shed.count} were shed: this machine answers more`)]
    return [
      atMost(name, shed.quantileMs(0.99), 'ms', shedMsMax),
      reported('spike: half of what is shed is told within', shed.quantileMs(0.5), 'ms'),
      ...told,
    ]
  } finally {
    connections.close()
    await world.restart()
  }
}
