// What the advisor tells, as text for a terminal. Pure but for colours.
import { styleText } from 'node:util'
import { path } from '../../values/servers.ts'
import type { Advice, Answer, Verdict } from './advice.ts'
import type { Capacity, Room } from './capacity.ts'
import { rules } from './rules.ts'
import type { Step } from './servers.ts'

const titles: Record<Step, string> = {
  redis: 'Redis',
  replica: 'A read replica',
  cdn: 'A CDN',
  queue: 'A queue of its own',
  server: 'A bigger server',
  horizontal: 'A second API server',
  microservices: 'Microservices (probably never for this application)',
}
const colours: Record<Verdict, 'green' | 'yellow' | 'red'> = { 'not yet': 'green', soon: 'yellow', now: 'red' }

export const number = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1))

function amount(value: number | null, unit: string, windowMs: number): string {
  if (value === null) return windowMs === 0 ? 'not declared' : 'not measured'
  return unit === 'declared' ? (value > 0 ? 'yes' : 'no') : `${number(value)} ${unit}`
}

const windowText = (ms: number) => (ms === 0 ? 'declared' : ms >= 2 * 86_400_000 ? `${ms / 86_400_000} days` : `${ms / 3_600_000} h`)

export function adviceText({ advice, capacity }: Answer): string {
  const said = new Map(rules.map((rule) => [rule.trigger, rule]))
  const lines: string[] = []
  for (const [step, ofStep] of Map.groupBy(advice, ({ trigger }) => said.get(trigger)!.step)) {
    const cost = ofStep[0]!.costEurPerMonth
    lines.push(`${titles[step]}${cost > 0 ? `, EUR ${cost.toFixed(2)} more a month` : ', nothing more a month'}`)
    for (const one of ofStep) lines.push(...adviceLines(one, said.get(one.trigger)!.says))
    lines.push('')
  }
  lines.push(
    'What it costs a month, step by step; each can be taken back:',
    ...path.map(({ step, eurPerMonth }) => `  ${eurPerMonth.toFixed(2).padStart(6)}  ${step}`),
    '',
  )
  lines.push(...capacityLines(capacity))
  return lines.join('\n')
}

function adviceLines({ trigger, verdict, value, threshold, unit, windowMs, cheaperFix, forecastDate }: Advice, says: string): string[] {
  const limit = unit === 'declared' ? '' : ` (above ${number(threshold)}; ${windowText(windowMs)})`
  const when = forecastDate === null ? '' : `, by ${forecastDate} as it grows`
  return [
    `  ${styleText(colours[verdict], verdict.padEnd(7))}  ${trigger.padEnd(24)}  ${says}: ${amount(value, unit, windowMs)}${limit}${when}`,
    ...(cheaperFix === null ? [] : [`           first: ${cheaperFix}`]),
  ]
}

function roomText(name: string, { used, usable, unit, users }: Room): string {
  const inUnit = (value: number) => (unit === 'bytes' ? `${(value / 1024 ** 3).toFixed(1)} GB` : `${number(value)} ${unit}`)
  return `  ${name.padEnd(12)}  ${inUnit(used)} of ${inUnit(usable)}: ${users === null ? 'no sign that users take of it' : `${users} users`}`
}

function capacityLines({
  users,
  limitedBy,
  why,
  registered,
  room,
  busiestHour,
  cpuMsPerRequest,
  requestsPerSecond,
  resources,
}: Capacity): string[] {
  const lines =
    users === null
      ? [`How many users this server takes is not known yet: ${why}.`]
      : [
          `This server takes ${users} users as they are now, limited by its ${limitedBy === 'cpu' ? 'CPU' : limitedBy}: ${room} more than the ${registered} registered.`,
        ]
  if (busiestHour) {
    const { from, requests, requestsPerSecond: rate, activeUsers } = busiestHour
    lines.push(`  Its busiest hour in 7 days began ${from}: ${requests} requests (${number(rate)} a second) of ${activeUsers} users.`)
  }
  if (cpuMsPerRequest !== null) {
    lines.push(
      `  A request costs ${number(cpuMsPerRequest)} ms of CPU${requestsPerSecond === null ? '' : `; the CPUs take ${number(requestsPerSecond)} a second`}.`,
    )
  }
  for (const [name, resource] of Object.entries(resources)) lines.push(roomText(name, resource))
  return lines
}
