// How many users this server takes at what a request costs now and as its busiest hour was, and what runs out first. Pure.
import { limits } from '../../values/limits.ts'
import { count, dayMs, p95Ms, processes, registered as registeredOf, within, type Evidence, type Hour } from './evidence.ts'
import { fit } from './forecast.ts'

export type ResourceName = 'cpu' | 'memory' | 'disk' | 'connections'
export type Room = {
  /** In the busiest hour, and how much of it there is to use before a trigger trips. */
  used: number
  usable: number
  unit: string
  /** Null where nothing shows that users take any of it. */
  users: number | null
}

export type Capacity = {
  /** Null while there is not enough evidence: `why` says what is missing. */
  users: number | null
  limitedBy: ResourceName | null
  why: string | null
  registered: number
  /** Beyond those who are registered. */
  room: number | null
  busiestHour: { from: string; requests: number; requestsPerSecond: number; activeUsers: number; p95Ms: number | null } | null
  /** CPU time of this service and its database for a request. */
  cpuMsPerRequest: number | null
  /** What the CPUs take at that cost. */
  requestsPerSecond: number | null
  resources: Partial<Record<ResourceName, Room>>
}

export const capacityRule = {
  windowMs: 7 * dayMs,
  /** Of fewer requests no cost is told. */
  requestsMin: 1_000,
  /** Where triggers trip. */
  cpuShareMax: 0.8,
  memoryShareMax: 0.9,
  diskShareMax: 0.8,
  poolShareMax: 0.8,
  /** An hour of which less was seen is no point of a line. */
  hourMsMin: 10 * 60_000,
  /** However the line begins, requests cost something. */
  idleShareMax: 0.95,
  /** What a database takes before anybody is in it. */
  emptyDatabaseBytes: 24 * 1024 * 1024,
} as const

export function capacityOf(evidence: Evidence): Capacity {
  const hours = within(evidence.fairHours, evidence.nowMs, capacityRule.windowMs)
  const registered = registeredOf(evidence)
  const requests = (hour: Hour) => count(hour.all.answers)
  const busiest = hours.toSorted((one, other) => requests(other) - requests(one))[0]
  const nothing = {
    users: null,
    limitedBy: null,
    registered,
    room: null,
    busiestHour: null,
    cpuMsPerRequest: null,
    requestsPerSecond: null,
    resources: {},
  }
  if (!busiest || requests(busiest) < capacityRule.requestsMin) {
    return { ...nothing, why: `no hour of the last 7 days had ${capacityRule.requestsMin} requests` }
  }
  const seconds = Math.max(1, busiest.elapsedMs / 1_000)
  const busiestHour = {
    from: new Date(busiest.hour * 3_600_000).toISOString(),
    requests: requests(busiest),
    requestsPerSecond: rounded(requests(busiest) / seconds),
    activeUsers: busiest.all.service?.users ?? 0,
    p95Ms: rounded(p95Ms(busiest)),
  }
  const cpu = cpuOf(busiest, hours)
  const cpuMsPerRequest = rounded(cpu && cpu.ownMs / requests(busiest))
  const requestsPerSecond = rounded(cpu && cpu.ownMs > 0 ? (requests(busiest) * cpu.usableMs) / cpu.ownMs / seconds : null)
  const measured = { ...nothing, busiestHour, cpuMsPerRequest, requestsPerSecond }
  if (registered === 0) return { ...measured, why: 'nobody is registered, as far as PostgreSQL has counted yet' }
  const resources: Capacity['resources'] = {}
  if (cpu)
    resources.cpu = {
      used: rounded(cpu.ownMs / seconds / 1_000),
      usable: rounded(cpu.usableMs / seconds / 1_000),
      unit: 'CPUs',
      users: proportional(registered, cpu.ownMs, cpu.usableMs),
    }
  const memory = memoryOf(busiest, hours, registered)
  if (memory) resources.memory = memory
  const disk = diskOf(busiest, registered)
  if (disk) resources.disk = disk
  resources.connections = connectionsOf(busiest, registered)
  const bounds = Object.entries(resources).flatMap(([name, { users }]) => (users === null ? [] : [{ name: name as ResourceName, users }]))
  const [first] = bounds.toSorted((one, other) => one.users - other.users)
  if (!first) return { ...measured, resources, why: 'nothing shows yet what users take of this server' }
  return { ...measured, resources, users: first.users, limitedBy: first.name, why: null, room: Math.max(0, first.users - registered) }
}

/** Three decimals are more than anybody measures. */
function rounded<V extends number | null>(value: V): V {
  return (value === null ? null : Math.round(value * 1_000) / 1_000) as V
}

/** As many more users as there is more of it. */
export function proportional(users: number, used: number, usable: number): number | null {
  return used <= 0 ? null : Math.floor((users * Math.max(0, usable)) / used)
}

type CpuUse = { ownMs: number; usableMs: number }

/** What this service and a database beside it used, and what it may: the trigger's share of the CPUs less what others take. */
function usedCpu({ hosts, elapsedMs }: Hour): CpuUse | null {
  let ownMs = 0
  let usableMs = 0
  for (const { machine, cpuMs, service, watchedMs } of hosts) {
    if (!machine || machine.allMs === 0) continue
    // The database may have been watched for a part of the time only.
    const database =
      service?.databaseCpuMs == null || service.watchedMs === 0
        ? 0
        : (service.databaseCpuMs * Math.min(elapsedMs, watchedMs)) / service.watchedMs
    const own = cpuMs + database
    ownMs += own
    usableMs += Math.max(0, capacityRule.cpuShareMax * machine.allMs - Math.max(0, machine.busyMs - own))
  }
  return usableMs === 0 && ownMs === 0 ? null : { ownMs, usableMs }
}

/** The same of the busiest hour, less what is used when nobody asks: where a line through the hours begins. */
function cpuOf(busiest: Hour, hours: readonly Hour[]): CpuUse | null {
  const cpu = usedCpu(busiest)
  if (!cpu) return null
  const line = fit(
    hours.flatMap((hour) => {
      const used = hour.elapsedMs >= capacityRule.hourMsMin ? usedCpu(hour) : null
      return used ? [{ x: count(hour.all.answers) / hour.elapsedMs, y: used.ownMs / hour.elapsedMs }] : []
    }),
  )
  const begins = line && line.slope > 0 && line.sureness >= 2 ? Math.max(0, line.intercept) : 0
  const idleMs = Math.min(begins * busiest.elapsedMs, cpu.ownMs * capacityRule.idleShareMax)
  return { ownMs: cpu.ownMs - idleMs, usableMs: Math.max(0, cpu.usableMs - idleMs) }
}

/** Memory does not grow with every user; how it grew with active ones, hour by hour, says how it will. */
function memoryOf({ hosts, all }: Hour, hours: readonly Hour[], registered: number): Room | null {
  const machine = hosts.find((each) => each.machine !== null)?.machine
  if (!machine || machine.memoryBytes === 0) return null
  const usable = machine.memoryBytes * capacityRule.memoryShareMax
  const room = { used: machine.memoryUsedBytes, usable: Math.floor(usable), unit: 'bytes' }
  const active = all.service?.users ?? 0
  const line = fit(
    hours.flatMap(({ all: { service }, hosts: seen }) => {
      const used = seen.find((each) => each.machine !== null)?.machine?.memoryUsedBytes
      return service && used !== undefined ? [{ x: service.users, y: used }] : []
    }),
  )
  if (!line || line.slope <= 0 || line.sureness < 2 || active === 0) return { ...room, users: null }
  const activeMost = Math.max(0, (usable - line.intercept) / line.slope)
  return { ...room, users: Math.floor((registered * activeMost) / active) }
}

function diskOf({ hosts, all }: Hour, registered: number): Room | null {
  const machine = hosts.find((each) => each.machine !== null && each.machine.diskBytes > 0)?.machine
  if (!machine || !all.service) return null
  const usable = machine.diskBytes * capacityRule.diskShareMax
  const room = { used: machine.diskUsedBytes, usable: Math.floor(usable), unit: 'bytes' }
  const bytesPerUser = Math.max(0, all.service.sizeBytes - capacityRule.emptyDatabaseBytes) / registered
  if (bytesPerUser === 0) return { ...room, users: null }
  return { ...room, users: Math.max(0, Math.floor(registered + (usable - machine.diskUsedBytes) / bytesPerUser)) }
}

/** Connections of the pools that were busy on average: statements a second times how long they take. */
function connectionsOf(hour: Hour, registered: number): Room {
  const used = hour.all.statementMs / Math.max(1, hour.elapsedMs)
  const pools = limits.connectionsMax * (processes(hour) ?? 1)
  const most = Math.min(pools, hour.all.service?.connectionsMax ?? pools)
  const usable = most * capacityRule.poolShareMax
  return { used: rounded(used), usable, unit: 'connections', users: proportional(registered, used, usable) }
}
