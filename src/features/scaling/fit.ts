// Whether what runs on a server now fits on a smaller one: disk, memory and CPUs, with what was measured. Pure.
import type { Server } from '../../values/servers.ts'
import { diskFits, type Host } from './host.ts'

/** Of what `djinn advise --json` says. */
export type Measured = {
  why: string | null
  registered: number
  busiestHour: object | null
  resources: { cpu?: { used: number } }
}
export type Reason = { why: string; todo: string }

export const fitRule = {
  /** Where normal load should end. */
  memoryShareMax: 0.8,
  diskShareMax: 0.8,
  cpuShareMax: 0.6,
  /** PostgreSQL's buffers are a quarter of the memory. */
  bufferShare: 1 / 4,
} as const

const gigabytes = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GB`

export function fitOf(host: Host, to: Server, measured: Measured, idle: boolean): { reasons: Reason[]; evidence: Record<string, unknown> } {
  const reasons: Reason[] = []
  if (!diskFits(host, to)) {
    const todo = `rent a ${to.name} beside it, djinn restore the backup there, and change the address`
    reasons.push({
      why: `the disk has ${gigabytes(host.diskBytes)}, ${to.name} comes with ${gigabytes(to.diskBytes)}, and no disk is made smaller`,
      todo,
    })
  }
  if (host.diskUsedBytes > to.diskBytes * fitRule.diskShareMax) {
    reasons.push({
      why: `${gigabytes(host.diskUsedBytes)} of disk are in use, above 80 % of ${to.name}'s ${gigabytes(to.diskBytes)}`,
      todo: 'look what grew (du -xh / | sort -h), old logs and backups first',
    })
  }
  // Buffers become smaller with the server.
  const freed = Math.max(0, host.memorySharedBytes - to.memoryBytes * fitRule.bufferShare)
  const memory = host.memoryUsedBytes - freed
  if (memory > to.memoryBytes * fitRule.memoryShareMax) {
    reasons.push({
      why: `${gigabytes(memory)} of memory would be in use, above 80 % of ${to.name}'s ${gigabytes(to.memoryBytes)}`,
      todo: 'stay, or take what else runs there to another machine',
    })
  }
  const cpus = measured.resources.cpu?.used ?? null
  if (cpus !== null && cpus > to.cpus * fitRule.cpuShareMax) {
    reasons.push({
      why: `the busiest hour used ${cpus} CPUs, above 60 % of ${to.name}'s ${to.cpus}`,
      todo: 'stay: djinn advise says how many users a server takes',
    })
  }
  if (cpus === null && !idle) {
    const why = `what its busiest hour needs is not known: ${measured.why ?? 'CPUs were not measured'}`
    reasons.push({ why, todo: 'let it be watched for an hour of use, or say --idle where nobody uses it' })
  }
  return { reasons, evidence: { cpusUsed: cpus, memoryBytes: memory, diskUsedBytes: host.diskUsedBytes, registered: measured.registered } }
}
