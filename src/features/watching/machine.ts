// What the machine has left: memory, disk and CPU, read from the kernel's files; null where it does not tell.
import { readFileSync, statfsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

export type Memory = { bytes: number; availableBytes: number }
export type Disk = { bytes: number; availableBytes: number }
/** Seconds of all CPUs together since the start; `stolen` is what other guests of the host took. */
export type CpuSeconds = { busy: number; idle: number; stolen: number }

/** The kernel counts in hundredths of a second, on every architecture that Node runs on. */
const ticksPerSecond = 100

/** Text of a file, or null where there is none for us. */
function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

/** Of a container what its control group allows and holds, less the files it could drop; else of the machine. */
export function readMemory(root = '/'): Memory | null {
  const limit = Number(read(`${root}sys/fs/cgroup/memory.max`) ?? Number.NaN)
  const held = Number(read(`${root}sys/fs/cgroup/memory.current`) ?? Number.NaN)
  if (limit > 0 && Number.isFinite(limit) && held >= 0) {
    const droppable = Number(/^inactive_file (\d+)$/m.exec(read(`${root}sys/fs/cgroup/memory.stat`) ?? '')?.[1] ?? 0)
    return { bytes: limit, availableBytes: Math.max(0, limit - held + droppable) }
  }
  const text = read(`${root}proc/meminfo`)
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text ?? '')?.[1] ?? Number.NaN) * 1_024
  const memory = { bytes: bytes('MemTotal'), availableBytes: bytes('MemAvailable') }
  return Number.isNaN(memory.bytes + memory.availableBytes) ? null : memory
}

/** The file system of a folder; where a folder is closed to us, that of the one above it, which is the same unless it is mounted there. */
export function readDisk(folder: string): Disk | null {
  for (let path = resolve(folder); ; path = dirname(path)) {
    try {
      const { bsize, blocks, bfree, bavail } = statfsSync(path)
      // A folder of the kernel's own, as of an embedded PostgreSQL that names its data by a descriptor, is on no disk.
      if (blocks === 0) return null
      // What is kept for root is in use for everybody else, as `df` has it.
      return { bytes: bsize * (blocks - bfree + bavail), availableBytes: bsize * bavail }
    } catch {
      if (path === dirname(path)) return null
    }
  }
}

export function readCpu(root = '/'): CpuSeconds | null {
  const [, line] = /^cpu +(.+)$/m.exec(read(`${root}proc/stat`) ?? '') ?? []
  if (line === undefined) return null
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupts = 0, softInterrupts = 0, stolen = 0] = line
    .split(' ')
    .map(Number)
  return {
    busy: (user + nice + system + interrupts + softInterrupts) / ticksPerSecond,
    idle: (idle + waiting) / ticksPerSecond,
    stolen: stolen / ticksPerSecond,
  }
}

type ProcessTimes = { name: string; parent: number; own: number; ended: number }

/** proc(5): the name stands in parentheses and may hold any; then state, parent, ..., utime, stime, cutime, cstime. */
function timesOf(pid: number, root: string): ProcessTimes | null {
  const found = /^\d+ \((.*)\) \S (.*)$/s.exec(read(`${root}proc/${pid}/stat`) ?? '')
  if (!found) return null
  const fields = found[2]!.split(' ').map(Number)
  return { name: found[1]!, parent: fields[0]!, own: fields[10]! + fields[11]!, ended: fields[12]! + fields[13]! }
}

/** What PostgreSQL has used since its start, by one of its backends: the postmaster, its children, and those that ended. */
export function readDatabaseCpuSeconds(backend: number, root = '/'): number | null {
  const first = timesOf(backend, root)
  const postmaster = first?.name.startsWith('postgres') ? timesOf(first.parent, root) : null
  if (!first || !postmaster?.name.startsWith('postgres')) return null
  const children = read(`${root}proc/${first.parent}/task/${first.parent}/children`)
  if (children === null) return null
  const ticks = children
    .trim()
    .split(' ')
    .reduce((sum, child) => sum + (timesOf(Number(child), root)?.own ?? 0), postmaster.own + postmaster.ended)
  return ticks / ticksPerSecond
}
