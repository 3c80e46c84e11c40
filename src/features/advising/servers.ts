// The servers that are rented by the month, and which of them this one is. Pure.

export type Server = { name: string; cpus: number; memoryBytes: number; eurPerMonth: number }

const GB = 1024 ** 3
export const servers: readonly Server[] = [
  { name: 'CX22', cpus: 2, memoryBytes: 4 * GB, eurPerMonth: 3.79 },
  { name: 'CX32', cpus: 4, memoryBytes: 8 * GB, eurPerMonth: 7.59 },
  { name: 'CX42', cpus: 8, memoryBytes: 16 * GB, eurPerMonth: 15.49 },
]
export const loadBalancerEurPerMonth = 5.39

/** What the system sees of 4 GB is a little less. */
const seenPart = 0.9

/** What of a server runs out. */
export type Scarce = 'cpus' | 'memoryBytes'
export type Machine = Record<Scarce, number>

/** The smallest that has as much of it as this one; null for a larger one than any of them. */
export function serverLike(machine: Machine, scarce: Scarce): Server | null {
  return servers.find((server) => server[scarce] >= machine[scarce] * seenPart) ?? null
}

/** The next that has more of it. */
export function nextServer(machine: Machine, scarce: Scarce): Server | null {
  const like = serverLike(machine, scarce)
  return like === null ? null : (servers[servers.indexOf(like) + 1] ?? null)
}

export type Step = 'redis' | 'replica' | 'cdn' | 'queue' | 'horizontal' | 'server' | 'microservices'

const cents = (eur: number) => Math.round(eur * 100) / 100

/**
 * What a step adds to the bill each month: Redis, a queue (it is in PostgreSQL already) and a CDN's free plan run on what is there; a replica is
 * one more of the smallest server; a second API server comes with a balancer; a microservice takes a server of its own at least.
 */
export function costOf(step: Step, machine: Machine, scarce: Scarce): number {
  const smallest = servers[0]!.eurPerMonth
  const another = cents(smallest + loadBalancerEurPerMonth)
  if (step === 'replica' || step === 'microservices') return smallest
  if (step === 'horizontal') return another
  if (step !== 'server') return 0
  const next = nextServer(machine, scarce)
  // Beyond the largest it is another beside it.
  return next === null ? another : cents(next.eurPerMonth - serverLike(machine, scarce)!.eurPerMonth)
}

/** The path, each with what all of it costs a month. */
export const path: readonly { step: string; eurPerMonth: number }[] = [
  ...servers.map(({ name, eurPerMonth }) => ({ step: `one server: ${name}`, eurPerMonth })),
  { step: 'API and database apart: CX22 + CX32', eurPerMonth: 11.38 },
  { step: 'and a read replica: + CX22', eurPerMonth: 15.17 },
  { step: 'two API servers, database, replica, load balancer', eurPerMonth: 24.35 },
]
