// How many users each step of the path takes, and what they cost, from what a request was measured to cost. Pure arithmetic.
import { cents, loadBalancerEurPerMonth, path, servers } from '../../src/values/servers.ts'

/** Of one kind of request: milliseconds of CPU of the API and of PostgreSQL, and its part of all requests. */
export type Kind = { name: string; share: number; apiMs: number; databaseMs: number; writes: boolean }

export type Assumptions = {
  kinds: readonly Kind[]
  requestsPerUserAndDay: number
  /** The busiest seconds, as a multiple of the mean of a day. */
  peakFactor: number
  bytesPerUser: number
  /** What a request may take of the CPUs, and data of a disk. */
  cpuShareMax: number
  diskShareMax: number
  /** Of what a write costs the primary, that its replay costs a replica. */
  replayShare: number
  volumeEurPerGb: number
  /** From so many users on a restart may not cost a request: two API servers and a replica. */
  twoOfEachFrom: number
}

/** Of `npm run bench -- saturation --quick` (docs/performance.md): API as measured there, PostgreSQL two cores over what pgbench reached. */
export const measured: Assumptions = {
  kinds: [
    { name: 'sync, nothing new', share: 0.5, apiMs: 0.1, databaseMs: 0.074, writes: false },
    { name: 'list', share: 0.2, apiMs: 0.42, databaseMs: 0.142, writes: false },
    { name: 'row', share: 0.1, apiMs: 0.13, databaseMs: 0.103, writes: false },
    { name: 'system data', share: 0.1, apiMs: 0.06, databaseMs: 0, writes: false },
    { name: 'create', share: 0.1, apiMs: 1.5, databaseMs: 3.86, writes: true },
  ],
  requestsPerUserAndDay: 72,
  peakFactor: 12,
  bytesPerUser: 250_000,
  cpuShareMax: 0.6,
  diskShareMax: 0.8,
  replayShare: 0.3,
  volumeEurPerGb: 0.05,
  twoOfEachFrom: 50_000,
}

export type Setup = {
  step: string
  apiCores: number
  primaryCores: number
  replicaCores: number
  shared: boolean
  twoOfEach: boolean
  shards: number
  diskGb: number
  eurPerMonth: number
  count: number
}

const [small, middle, large] = [servers[0]!, servers[1]!, servers[2]!]

/** The path, and beyond it as many shards as are needed: of each two of the largest, and API servers of four cores. */
export function setups(shards: number, apiServers: number): Setup[] {
  const one = servers.map((each, index) => ({
    step: path[index]!.step,
    apiCores: each.cpus,
    primaryCores: each.cpus,
    replicaCores: 0,
    shared: true,
    twoOfEach: false,
    diskGb: each.diskBytes / 1e9,
  }))
  const apart = { apiCores: small.cpus, primaryCores: middle.cpus, shared: false, diskGb: middle.diskBytes / 1e9 }
  const known = [
    ...one,
    { step: path[3]!.step, ...apart, replicaCores: 0, twoOfEach: false },
    { step: path[4]!.step, ...apart, replicaCores: small.cpus, twoOfEach: false },
    { step: path[5]!.step, ...apart, apiCores: 2 * small.cpus, replicaCores: small.cpus, twoOfEach: true },
  ].map((each, index) => ({ ...each, shards: 1, eurPerMonth: path[index]!.eurPerMonth, count: path[index]!.servers.length }))
  const beyond = {
    step:
      shards === 1
        ? `${apiServers} API servers CX32, database and replica CX42`
        : `${apiServers} API servers CX32, ${shards} shards of two CX42, directory of two CX32`,
    apiCores: apiServers * middle.cpus,
    primaryCores: shards * large.cpus,
    replicaCores: shards * large.cpus,
    shared: false,
    twoOfEach: true,
    shards,
    diskGb: (shards * large.diskBytes) / 1e9,
    eurPerMonth: cents(
      apiServers * middle.eurPerMonth +
        shards * 2 * large.eurPerMonth +
        (shards > 1 ? 2 * middle.eurPerMonth : 0) +
        loadBalancerEurPerMonth,
    ),
    count: apiServers + shards * 2 + (shards > 1 ? 2 : 0),
  }
  return [...known, beyond]
}

/** Cores in the busiest seconds. */
export function needs(users: number, { kinds, requestsPerUserAndDay, peakFactor }: Assumptions) {
  const perSecond = (users * requestsPerUserAndDay * peakFactor) / 86_400
  const cores = (of: readonly Kind[], ms: (kind: Kind) => number) =>
    (perSecond * of.reduce((sum, kind) => sum + kind.share * ms(kind), 0)) / 1_000
  const databaseMs = (kind: Kind) => kind.databaseMs
  return {
    perSecond,
    api: cores(kinds, ({ apiMs }) => apiMs),
    reads: cores(
      kinds.filter(({ writes }) => !writes),
      databaseMs,
    ),
    writes: cores(
      kinds.filter(({ writes }) => writes),
      databaseMs,
    ),
  }
}

export function takes(setup: Setup, users: number, assumed: Assumptions): boolean {
  const { api, reads, writes } = needs(users, assumed)
  const usable = (cores: number) => cores * assumed.cpuShareMax
  if (users >= assumed.twoOfEachFrom && !setup.twoOfEach) return false
  if (setup.shared) return api + reads + writes <= usable(setup.primaryCores)
  const database = setup.replicaCores === 0 ? reads + writes : reads + writes * (1 + assumed.replayShare)
  return (
    api <= usable(setup.apiCores) && writes <= usable(setup.primaryCores) && database <= usable(setup.primaryCores + setup.replicaCores)
  )
}

export type Line = {
  users: number
  perSecond: number
  apiCores: number
  databaseCores: number
  gigabytes: number
  setup: Setup
  eurPerMonth: number
  eurPerUser: number
}

/** The cheapest setup that takes them, its disks grown by volumes where data needs it. */
export function lineOf(users: number, assumed: Assumptions): Line {
  const { perSecond, api, reads, writes } = needs(users, assumed)
  const gigabytes = (users * assumed.bytesPerUser) / 1e9
  const apiServers = Math.max(2, Math.ceil(api / (middle.cpus * assumed.cpuShareMax)))
  let shards = 1
  while (!takes(setups(shards, apiServers).at(-1)!, users, assumed)) shards++
  const priced = setups(shards, apiServers)
    .filter((setup) => takes(setup, users, assumed))
    .map((setup) => {
      // A replica has a disk like its primary's.
      const copies = setup.replicaCores > 0 ? 2 : 1
      const volume = Math.max(0, gigabytes / assumed.diskShareMax - setup.diskGb) * copies
      return { setup, eurPerMonth: cents(setup.eurPerMonth + volume * assumed.volumeEurPerGb) }
    })
  const { setup, eurPerMonth } = priced.toSorted((a, b) => a.eurPerMonth - b.eurPerMonth)[0]!
  return { users, perSecond, apiCores: api, databaseCores: reads + writes, gigabytes, setup, eurPerMonth, eurPerUser: eurPerMonth / users }
}

export const counts = [1_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000]
export const eurPerUserMax = 0.002

export function table(assumed: Assumptions): string {
  const rows = counts.map((users) => {
    const { perSecond, apiCores, databaseCores, gigabytes, setup, eurPerMonth, eurPerUser } = lineOf(users, assumed)
    const verdict = eurPerUser < eurPerUserMax ? 'yes' : 'no'
    const number = (value: number) => (value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString('en'))
    return [
      users.toLocaleString('en'),
      number(perSecond),
      number(apiCores),
      number(databaseCores),
      number(gigabytes),
      setup.step,
      setup.count,
      eurPerMonth.toFixed(2),
      eurPerUser.toFixed(6),
      verdict,
    ]
  })
  const head = [
    'users',
    'requests/s at the peak',
    'cores of the API',
    'cores of PostgreSQL',
    'GB of data',
    'step',
    'servers',
    'EUR a month',
    'EUR a user',
    '< 0.002',
  ]
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
