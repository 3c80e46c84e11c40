// Which of the rented servers this one is, and what a step adds to the bill. Pure.
import { cents, loadBalancerEurPerMonth, seenPart, servers, type Server } from '../../values/servers.ts'

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
