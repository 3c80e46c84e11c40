// The path of growth: what is rented at each step, its price, what is done to get there and to go back, and which the advisor takes next. Pure.
import { cents, path, servers } from '../../values/servers.ts'

export type PathStep = {
  step: string
  servers: readonly string[]
  balancers: number
  eurPerMonth: number
  /** More than the step before it. */
  moreEurPerMonth: number
  commands: readonly string[]
  back: readonly string[]
}

const resize = (name: string) => [`djinn scale --to ${name} --dry-run`, `djinn scale --to ${name}`]

/** By position in the path. */
const ways: readonly { commands: readonly string[]; back: readonly string[] }[] = [
  { commands: ['djinn serve'], back: [] },
  { commands: resize('CX32'), back: ['djinn scale --to CX22'] },
  { commands: resize('CX42'), back: ['djinn scale --to CX32'] },
  {
    commands: [
      'on a new CX32: install PostgreSQL, djinn restore of a fresh djinn backup, djinn verify',
      'there: djinn tune --memory 8GB --cpus 4 --apply, systemctl restart postgresql',
      'on the API server: DATABASE_URL and DATABASE_DIRECT_URL name the new one over the private network, systemctl restart the service',
      'djinn scale --to CX22 on the API server, which now needs less',
    ],
    back: ['djinn backup there, djinn restore on the API server, the old DATABASE_URL, systemctl restart the service'],
  },
  {
    commands: [
      'on a new CX22: pg_basebackup --write-recovery-conf from the database server, systemctl start postgresql',
      'on the API server: DATABASE_REPLICA_URLS names it, systemctl restart the service',
    ],
    back: ['without DATABASE_REPLICA_URLS, systemctl restart the service; then the replica is deleted'],
  },
  {
    commands: [
      'on a new CX22: the service with the same variables, djinn serve; REDIS_URL on both where limits must be exact',
      'the load balancer sends to both, and looks at /health/ready',
    ],
    back: ['the load balancer sends to one; then the other is deleted'],
  },
]

export const growthPath: readonly PathStep[] = path.map((one, index) => ({
  ...one,
  moreEurPerMonth: index === 0 ? one.eurPerMonth : cents(one.eurPerMonth - path[index - 1]!.eurPerMonth),
  ...ways[index]!,
}))

type Judged = { trigger: string; verdict: string; cheaperFix: string | null }

/** Prefixes of the advisor's triggers that ask for the first step behind this one that gives it. */
const answers: readonly { triggers: string; from: number }[] = [
  // Databases and API apart, or several, answer what the largest single server does not.
  { triggers: 'server-', from: 1 },
  { triggers: 'replica-', from: 4 },
  { triggers: 'horizontal-', from: 5 },
]

export type Next = { step: PathStep; verdict: string; triggers: string[]; first: string[] }

/** `here` is the position of the server that it is now. What has tripped goes before what will; the cheapest step that helps before the others. */
export function nextStep(here: number, advice: readonly Judged[]): Next | null {
  for (const verdict of ['now', 'soon']) {
    for (const { triggers, from } of answers) {
      const tripped = advice.filter((one) => one.verdict === verdict && one.trigger.startsWith(triggers))
      const step = growthPath[Math.max(here + 1, from)]
      // A second server for want of CPU or memory comes after a larger one.
      const larger =
        triggers === 'horizontal-' && here < servers.length - 1 && tripped.every(({ trigger }) => /-(cpu|memory|p95)$/.test(trigger))
      const taken = larger ? growthPath[here + 1] : step
      if (tripped.length > 0 && taken) {
        return {
          step: taken,
          verdict,
          triggers: tripped.map(({ trigger }) => trigger),
          first: [...new Set(tripped.flatMap(({ cheaperFix }) => (cheaperFix === null ? [] : [cheaperFix])))],
        }
      }
    }
  }
  return null
}
