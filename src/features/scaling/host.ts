// What a server has, as the server itself says: CPUs, memory, disk, and which start this is. Pure.
import { seenPart, servers, type Server } from '../../values/servers.ts'
import type { Order, Ran } from './executor.ts'

export type Host = {
  cpus: number
  memoryBytes: number
  memoryUsedBytes: number
  /** Of what is in use, PostgreSQL's buffers nearly all. */
  memorySharedBytes: number
  diskBytes: number
  diskUsedBytes: number
  /** Another one after every start. */
  bootId: string
}

/** What a file system keeps for itself, and GB of 1000 beside those of 1024. */
const diskSeenMax = 1.08

export function hostLook(folder: string): Order {
  const script = 'getconf _NPROCESSORS_ONLN && cat /proc/meminfo /proc/sys/kernel/random/boot_id && df -P -B1 -- "$1"'
  return { argv: ['sh', '-c', script, 'sh', folder], timeoutMs: 30_000 }
}

/** Null for what does not say all of it. */
export function readHost({ code, out }: Ran): Host | null {
  const cpus = Number(/^\d+$/m.exec(out)?.[0])
  const kilobytes = (name: string) => 1_024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(out)?.[1])
  const bootId = /^[0-9a-f]{8}-[0-9a-f-]{27}$/m.exec(out)?.[0]
  const [, blocks, used] = /^\/?\S+\s+(\d+)\s+(\d+)\s+\d+\s+\d+%\s+\S/m.exec(out) ?? []
  const host = {
    cpus,
    memoryBytes: kilobytes('MemTotal'),
    memoryUsedBytes: kilobytes('MemTotal') - kilobytes('MemAvailable'),
    memorySharedBytes: kilobytes('Shmem'),
    diskBytes: Number(blocks),
    diskUsedBytes: Number(used),
  }
  return code === 0 && bootId !== undefined && Object.values(host).every((value) => Number.isFinite(value) && value >= 0)
    ? { ...host, bootId }
    : null
}

/** Whether it is this server: as many CPUs, and its memory less what the system hides of it. */
export const isLike = ({ cpus, memoryBytes }: Pick<Host, 'cpus' | 'memoryBytes'>, server: Server) =>
  cpus === server.cpus && memoryBytes >= server.memoryBytes * seenPart && memoryBytes <= server.memoryBytes

/** Which of the rented servers it is; null for any other machine. */
export const serverOf = (host: Host): Server | null => servers.find((server) => isLike(host, server)) ?? null

/** A disk that was grown beyond what a server comes with: no provider takes it back. */
export const diskFits = ({ diskBytes }: Host, server: Server) => diskBytes <= server.diskBytes * diskSeenMax
