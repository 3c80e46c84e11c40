// Each hot endpoint at saturation beside its limit, measured in turn in one run: what the service adds to what the machine can do.
import { newId } from '../../src/values/id.ts'
import { limits } from '../../src/values/limits.ts'
import { median } from './figure.ts'
import { generatorShareMax, inTurn, requestText, saturate, type Saturated } from './saturate.ts'
import { cpuMs, cpuMsOfChildren, spentMs } from './saturation/cpu.ts'
import { openBare } from './saturation/bare.ts'
import { makeLimits, type Limit } from './saturation/limits.ts'
import { findPgbench, runPgbench, type Manner } from './saturation/pgbench.ts'
import { checkSent } from './saturation/sent.ts'
import { createPath, findPhones, listPath, type Phones } from './saturation/phones.ts'
import { openWorld, type Size, type World } from './saturation/world.ts'
import { memoryMb } from './service.ts'

type Plan = {
  size: Size
  rounds: number
  warmUpMs: number
  countedMs: number
  pgbench: { reads: Effort; create: Effort }
}
/** Seconds of each run, of which the later half counts, and the client counts that are tried. A write compiles many triggers first and waits for the disk. */
type Effort = { seconds: number; clients: number[] }

const plans: Record<'full' | 'quick', Plan> = {
  full: {
    size: { users: 5_000, transactions: 200 },
    ...{ rounds: 5, warmUpMs: 1_000, countedMs: 4_000 },
    pgbench: { reads: { seconds: 6, clients: [2, 4, 8, 16, 32] }, create: { seconds: 10, clients: [4, 8, 16, 32] } },
  },
  quick: {
    size: { users: 2_000, transactions: 100 },
    ...{ rounds: 3, warmUpMs: 400, countedMs: 1_600 },
    pgbench: { reads: { seconds: 4, clients: [4, 8] }, create: { seconds: 8, clients: [8, 16] } },
  },
}
const connections = 64
/** Writes that find no connection of the pool free wait for one, which tells nothing of them. */
const writingConnections = limits.poolConnectionsMax - 1
/** The first requests compile, connect and plan; a few at a time, for this long. */
const firstMs = 1_000
const systemPath = '/api/system/categories'

type Name = 'list' | 'row' | 'unchanged' | 'system' | 'create' | 'sync'
type Endpoint = { name: Name; status: number; next: () => string; target: number | null; connections: number }

export type Row = {
  name: Name
  perSecond: number
  limitPerSecond: number | null
  ratio: number | null
  cpuMsPerRequest: number
  rssMb: number
}
/** What is told beside the figures of a row. */
export type Measured = Row & { target: number | null; postgresMsPerRequest: number; generatorShare: number }

type Round = Saturated & { cpuMsPerRequest: number; postgresMsPerRequest: number }

export async function measureSaturation({ quick = false } = {}): Promise<Measured[]> {
  const say = (line: string) => console.error(`saturation: ${line}`)
  const plan = quick ? plans.quick : plans.full
  const pgbench = findPgbench(say)
  if (pgbench === null) say('NO LIMITS of list, row, create and sync: PGBENCH IS NOT HERE (test/tools/get-debian.sh)')
  const world = await openWorld(plan.size, say)
  try {
    say('asking for what the phones have kept')
    const phones = await findPhones(world)
    say(`${phones.readers.length} phones read, ${phones.writers.length} write, over ${connections} connections`)
    const endpoints = endpointsOf(world, phones)
    const bare = await openBare(world.url, systemPath, phones.readers[0]!.headers)
    try {
      const made = await makeLimits(world, phones)
      for (const endpoint of endpoints) await checkSent(world, endpoint, made)
      const scripts = await findManners(pgbench, made, plan, say)
      for (const endpoint of endpoints) await measureRound(world, { ...endpoint, connections: 4 }, { warmUpMs: 0, countedMs: firstMs })
      const rounds = new Map<Name, Round[]>()
      const limited = new Map<Name, number[]>()
      const rss = new Map<Name, number>()
      for (let round = 1; round <= plan.rounds; round++) {
        say(`round ${round} of ${plan.rounds}`)
        for (const endpoint of endpoints) {
          const limit = scripts.get(endpoint.name)
          if (limit && pgbench) append(limited, endpoint.name, await runPgbench(pgbench, limit.url, limit.script, limit.manner))
          if (endpoint.name === 'system') append(limited, 'system', (await saturate(bare.url, { ...endpoint, ...plan })).perSecond)
          append(rounds, endpoint.name, await measureRound(world, endpoint, plan))
          rss.set(endpoint.name, memoryMb(world.apiPid).now)
        }
      }
      return endpoints.map((endpoint) => summarise(endpoint, rounds, limited, rss.get(endpoint.name)!, say))
    } finally {
      bare.close()
    }
  } finally {
    await world.close()
  }
}

function endpointsOf(world: World, { readers, writers }: Phones): Endpoint[] {
  const get = (path: string, headers: Record<string, string>) => requestText(world.url, 'GET', path, headers)
  let created = 0
  const today = new Date().toISOString().slice(0, 10)
  const create = () => {
    const { accountId, categoryId, headers } = writers[created++ % writers.length]!
    const body = { id: newId(), accountId, date: today, amount: -(100 + (created % 9_000)), payee: `Shop ${created % 700}`, categoryId }
    return requestText(world.url, 'POST', createPath, { ...headers, 'idempotency-key': newId() }, JSON.stringify(body))
  }
  const rows = readers.flatMap(({ rows: ids }, index) => ids.map((_, nth) => readers[(index + nth) % readers.length]!))
  const lists = readers.map(({ headers }) => get(listPath, headers))
  const byTurns = rows.map((phone, index) => get(`${createPath}/${phone.rows[index % phone.rows.length]!}`, phone.headers))
  const unchanged = readers.map(({ headers, listTag }) => get(listPath, { ...headers, 'if-none-match': listTag }))
  const system = readers.map(({ headers }) => get(systemPath, headers))
  const syncs = readers.map(({ headers, syncPath, syncTag }) => get(syncPath, { ...headers, 'if-none-match': syncTag }))
  return [
    { name: 'list', connections, status: 200, next: inTurn(lists), target: 0.3 },
    { name: 'row', connections, status: 200, next: inTurn(byTurns), target: 0.25 },
    { name: 'unchanged', connections, status: 304, next: inTurn(unchanged), target: 2 },
    { name: 'system', connections, status: 200, next: inTurn(system), target: 0.6 },
    { name: 'create', connections: writingConnections, status: 201, next: create, target: 0.5 },
    { name: 'sync', connections, status: 304, next: inTurn(syncs), target: null },
  ]
}

/** The client count at which pgbench is fastest, tried once for each script. */
async function findManners(pgbench: string | null, made: Record<string, Limit>, plan: Plan, say: (line: string) => void) {
  const found = new Map<string, Limit & { manner: Manner }>()
  if (pgbench === null) return found
  for (const [name, limit] of Object.entries(made)) {
    const { seconds, clients: counts } = plan.pgbench[name === 'create' ? 'create' : 'reads']
    const tried: { manner: Manner; rate: number }[] = []
    for (const clients of counts) {
      const manner = { clients, seconds, planning: limit.planning }
      tried.push({ manner, rate: await runPgbench(pgbench, limit.url, limit.script, manner) })
    }
    say(`pgbench of ${name}: ${tried.map(({ manner, rate }) => `${Math.round(rate)}/s with ${manner.clients} clients`).join(', ')}`)
    found.set(name, { ...limit, manner: tried.toSorted((a, b) => b.rate - a.rate)[0]!.manner })
  }
  return found
}

async function measureRound(world: World, { name, ...load }: Endpoint, plan: Pick<Plan, 'warmUpMs' | 'countedMs'>): Promise<Round> {
  const looks: { api: number; postgres: Map<number, number> }[] = []
  const atEdges = () => void looks.push({ api: cpuMs(world.apiPid), postgres: cpuMsOfChildren(world.postmasterPid) })
  const done = await saturate(world.url, { ...load, ...plan, atEdges }).catch((error: Error) => {
    throw new Error(`${name}: ${error.message}`, { cause: error })
  })
  const [before, after] = looks
  return {
    ...done,
    cpuMsPerRequest: (after!.api - before!.api) / done.requests,
    postgresMsPerRequest: spentMs(before!.postgres, after!.postgres) / done.requests,
  }
}

function append<T>(lists: Map<Name, T[]>, name: Name, value: T) {
  lists.set(name, [...(lists.get(name) ?? []), value])
}

function summarise(
  { name, target }: Endpoint,
  rounds: Map<Name, Round[]>,
  limited: Map<Name, number[]>,
  rssMb: number,
  say: (line: string) => void,
): Measured {
  const middle = (of: Name, value: (round: Round) => number) => median(rounds.get(of)!.map(value))
  const perSecond = middle(name, (round) => round.perSecond)
  const limitRates = limited.get(name)
  const limitPerSecond = name === 'unchanged' ? middle('list', (round) => round.perSecond) : limitRates ? median(limitRates) : null
  const generatorShare = middle(name, (round) => round.generatorShare)
  if (generatorShare > generatorShareMax)
    say(`THE GENERATOR WAS THE LIMIT of ${name}: it took ${Math.round(generatorShare * 100)} % of a core`)
  return {
    name,
    perSecond,
    limitPerSecond,
    ratio: limitPerSecond === null ? null : perSecond / limitPerSecond,
    cpuMsPerRequest: middle(name, (round) => round.cpuMsPerRequest),
    rssMb,
    target,
    postgresMsPerRequest: middle(name, (round) => round.postgresMsPerRequest),
    generatorShare,
  }
}
