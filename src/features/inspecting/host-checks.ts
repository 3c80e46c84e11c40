// The first look at the machine that this runs on. Pure.
import { judged, share, thresholds, type Check } from './check.ts'

export type Host = {
  cpus: number
  load: number
  /** Of all CPUs, over the time of the look. */
  cpuPercent: number | null
  memory: { bytes: number; availableBytes: number } | null
  disks: Record<string, { bytes: number; availableBytes: number }>
}

const gb = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GB`

export function hostChecks({ cpus, load, cpuPercent, memory, disks }: Host): Check[] {
  return [
    judged({ section: 'host', check: 'CPU', value: cpuPercent, unit: '%', threshold: thresholds.cpuPercent, details: [`${cpus} CPUs`] }),
    judged({ section: 'host', check: 'load for each CPU', value: load / cpus, unit: 'programs', threshold: thresholds.loadPerCpu }),
    judged({
      section: 'host',
      check: 'memory',
      value: memory && share(memory.bytes - memory.availableBytes, memory.bytes),
      unit: '%',
      threshold: thresholds.memoryPercent,
      details: memory ? [`${gb(memory.availableBytes)} of ${gb(memory.bytes)} left`] : [],
    }),
    ...Object.entries(disks).map(([name, { bytes, availableBytes }]) =>
      judged({
        section: 'disk',
        check: name === 'data' ? "of PostgreSQL's data" : 'of the service',
        value: share(bytes - availableBytes, bytes),
        unit: '%',
        threshold: thresholds.diskPercent,
        details: [`${gb(availableBytes)} of ${gb(bytes)} left`],
      }),
    ),
  ]
}

/** Where PostgreSQL is on another machine, that one's disk and CPU are to be looked at there. */
export const elsewhere = judged({
  section: 'disk',
  check: "of PostgreSQL's data",
  value: null,
  unit: '%',
  threshold: thresholds.diskPercent,
  details: ['PostgreSQL is on another machine, or its folder is not told: look there'],
})
