// CPU time of processes as the kernel counts it.
import { readdirSync, readFileSync } from 'node:fs'

/** Of a second; the kernel tells user space so whatever its own clock. */
const ticksPerSecond = 100

type Stat = { parent: number; ms: number }

function statOf(pid: number): Stat | null {
  try {
    // The name stands in brackets and may have spaces.
    const [, rest = ''] = /^.*\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? []
    const fields = rest.split(' ')
    return { parent: Number(fields[1]), ms: ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond }
  } catch {
    // It ended meanwhile.
    return null
  }
}

/** User and system time of a process so far. */
export function cpuMs(pid: number): number {
  const stat = statOf(pid)
  if (!stat) throw new Error(`there is no process ${pid}`)
  return stat.ms
}

/** The same of the children of a process, such as PostgreSQL's backends, by their pid. */
export function cpuMsOfChildren(pid: number): Map<number, number> {
  const children = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = statOf(Number(name))
    if (stat?.parent === pid) children.set(Number(name), stat.ms)
  }
  return children
}

/** What the children took between two looks; those that ended in between are not counted. */
export function spentMs(before: Map<number, number>, after: Map<number, number>): number {
  let sum = 0
  for (const [pid, ms] of after) sum += ms - (before.get(pid) ?? 0)
  return sum
}
