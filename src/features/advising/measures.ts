// What a process saw in a stretch of time, and how stretches are put together. Pure.

/** A statement of the service by its name in the code, outside of writes: what a cache could answer. */
export type StatementUse = { calls: number; totalMs: number }

export type MachineUse = {
  cpus: number
  /** Time of all CPUs together: at work, and in all. */
  busyMs: number
  allMs: number
  memoryBytes: number
  /** The most that was in use. */
  memoryUsedBytes: number
  diskBytes: number
  diskUsedBytes: number
}

/** What is of the whole service: only the process that gathers has it. */
export type ServiceUse = {
  watchedMs: number
  /** Null where PostgreSQL is on another machine. */
  databaseCpuMs: number | null
  connections: number
  connectionsMax: number
  blocksHit: number
  blocksRead: number
  /** Active within an hour, at the most. */
  users: number
  registered: number
  sizeBytes: number
  replicas: number
  /** Indexes that the migrations made and the database lacked. */
  missing: string[]
  /** A dump or a base backup ran. */
  backup: boolean
  /** Rows read from end to end, of large tables. */
  scannedRows: Record<string, number>
}

export type Measures = {
  watchedMs: number
  /** How long of it the API was served. */
  servedMs: number
  /** And of that with a Redis that shares limits and sessions; unknown of what was kept before there was one. */
  sharedMs?: number
  /** Answers by the buckets of their durations, downloads left out. */
  answers: number[]
  /** The longest request of each operation that took a second at least. */
  longestMs: Record<string, number>
  timeouts: number
  reads: number
  writes: number
  publicBytes: number
  privateBytes: number
  /** Those that reads called most. */
  statements: Record<string, StatementUse>
  /** Of all statements. */
  statementMs: number
  poolWaits: number
  poolWaitMs: number
  /** CPU time of the process. */
  cpuMs: number
  machine: MachineUse | null
  service: ServiceUse | null
}

/** A stretch of five minutes, later of an hour, as one process of a host saw it. */
export type Piece = { slot: number; minutes: number; host: string; process: string; measures: Measures }

export const slotMinutes = 5
export const slotMs = slotMinutes * 60_000
export const slotsOfHour = 60 / slotMinutes
export const slotOf = (nowMs: number) => Math.floor(nowMs / slotMs)
export const hourOf = (slot: number) => Math.floor(slot / slotsOfHour)

/** The longest names that are kept of each list. */
export const statementsKept = 5
export const operationsKept = 5
export const tablesKept = 5
const namesKept = 20

export function noMeasures(buckets: number): Measures {
  return {
    watchedMs: 0,
    servedMs: 0,
    sharedMs: 0,
    answers: Array<number>(buckets).fill(0),
    longestMs: {},
    timeouts: 0,
    reads: 0,
    writes: 0,
    publicBytes: 0,
    privateBytes: 0,
    statements: {},
    statementMs: 0,
    poolWaits: 0,
    poolWaitMs: 0,
    cpuMs: 0,
    machine: null,
    service: null,
  }
}

/** What is counted adds up, what is a level keeps its highest; processes `beside` each other on a host see one and the same machine. */
export function join(one: Measures, other: Measures, how: 'beside' | 'after'): Measures {
  return {
    watchedMs: one.watchedMs + other.watchedMs,
    servedMs: one.servedMs + other.servedMs,
    sharedMs: (one.sharedMs ?? 0) + (other.sharedMs ?? 0),
    answers: one.answers.map((count, index) => count + (other.answers[index] ?? 0)),
    longestMs: top(united(one.longestMs, other.longestMs, Math.max), operationsKept, (longestMs) => longestMs),
    timeouts: one.timeouts + other.timeouts,
    reads: one.reads + other.reads,
    writes: one.writes + other.writes,
    publicBytes: one.publicBytes + other.publicBytes,
    privateBytes: one.privateBytes + other.privateBytes,
    statements: top(
      united(one.statements, other.statements, (a, b) => ({ calls: a.calls + b.calls, totalMs: a.totalMs + b.totalMs })),
      statementsKept,
      ({ calls }) => calls,
    ),
    statementMs: one.statementMs + other.statementMs,
    poolWaits: one.poolWaits + other.poolWaits,
    poolWaitMs: one.poolWaitMs + other.poolWaitMs,
    cpuMs: one.cpuMs + other.cpuMs,
    machine: one.machine && other.machine ? joinMachines(one.machine, other.machine, how) : (one.machine ?? other.machine),
    service: one.service && other.service ? joinServices(one.service, other.service) : (one.service ?? other.service),
  }
}

function joinMachines(one: MachineUse, other: MachineUse, how: 'beside' | 'after'): MachineUse {
  const longer = one.allMs >= other.allMs ? one : other
  return {
    cpus: Math.max(one.cpus, other.cpus),
    busyMs: how === 'after' ? one.busyMs + other.busyMs : longer.busyMs,
    allMs: how === 'after' ? one.allMs + other.allMs : longer.allMs,
    memoryBytes: Math.max(one.memoryBytes, other.memoryBytes),
    memoryUsedBytes: Math.max(one.memoryUsedBytes, other.memoryUsedBytes),
    diskBytes: Math.max(one.diskBytes, other.diskBytes),
    diskUsedBytes: Math.max(one.diskUsedBytes, other.diskUsedBytes),
  }
}

function joinServices(one: ServiceUse, other: ServiceUse): ServiceUse {
  const { databaseCpuMs: cpu } = one
  return {
    watchedMs: one.watchedMs + other.watchedMs,
    databaseCpuMs: cpu === null || other.databaseCpuMs === null ? (cpu ?? other.databaseCpuMs) : cpu + other.databaseCpuMs,
    connections: Math.max(one.connections, other.connections),
    connectionsMax: Math.max(one.connectionsMax, other.connectionsMax),
    blocksHit: one.blocksHit + other.blocksHit,
    blocksRead: one.blocksRead + other.blocksRead,
    users: Math.max(one.users, other.users),
    registered: Math.max(one.registered, other.registered),
    sizeBytes: Math.max(one.sizeBytes, other.sizeBytes),
    replicas: Math.max(one.replicas, other.replicas),
    missing: [...new Set([...one.missing, ...other.missing])].toSorted().slice(0, namesKept),
    backup: one.backup || other.backup,
    scannedRows: top(
      united(one.scannedRows, other.scannedRows, (a, b) => a + b),
      tablesKept,
      (rows) => rows,
    ),
  }
}

function united<V>(one: Record<string, V>, other: Record<string, V>, both: (a: V, b: V) => V): Record<string, V> {
  const all = new Map(Object.entries(one))
  for (const [name, value] of Object.entries(other)) {
    const known = all.get(name)
    all.set(name, known === undefined ? value : both(known, value))
  }
  return Object.fromEntries(all)
}

/** The largest entries of a list, the largest first. */
export function top<V>(of: Record<string, V>, most: number, size: (value: V) => number): Record<string, V> {
  return Object.fromEntries(
    Object.entries(of)
      .toSorted(([, one], [, other]) => size(other) - size(one))
      .slice(0, most),
  )
}

/** Pieces of one stretch, host by host: what was beside and after each other is put together. */
export function byHost(pieces: readonly Piece[]): Map<string, Measures> {
  const hosts = new Map<string, Measures>()
  for (const [host, ofHost] of Map.groupBy(pieces, (piece) => piece.host)) {
    const slots = [...Map.groupBy(ofHost, (piece) => piece.slot).values()].map((beside) =>
      beside.map(({ measures }) => measures).reduce((one, other) => join(one, other, 'beside')),
    )
    hosts.set(
      host,
      slots.reduce((one, other) => join(one, other, 'after')),
    )
  }
  return hosts
}

/** What is old is kept by the hour: one piece for each host and hour. */
export function byHour(pieces: readonly Piece[]): Piece[] {
  return [...Map.groupBy(pieces, (piece) => hourOf(piece.slot))].flatMap(([hour, ofHour]) =>
    [...byHost(ofHour)].map(([host, measures]) => ({
      slot: hour * slotsOfHour,
      minutes: 60,
      host,
      process: ofHour
        .filter((piece) => piece.host === host)
        .map((piece) => piece.process)
        .toSorted()[0]!,
      measures,
    })),
  )
}
