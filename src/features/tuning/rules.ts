// The settings of PostgreSQL for a machine of so much memory and so many CPUs, each with its rule and why. Pure.
import { GB, MB, memoryText } from './quantity.ts'

export type Size = { memoryBytes: number; cpus: number }

export type Setting = {
  name: string
  /** As postgresql.conf and ALTER SYSTEM take it. */
  value: string
  /** How it follows from the machine. */
  rule: string
  why: string
}

export const sizeLimits = { memoryBytesMin: 512 * MB, memoryBytesMax: 1024 * GB, cpusMax: 256 } as const

const clamp = (least: number, wanted: number, most: number) => Math.min(Math.max(wanted, least), most)
/** Whole megabytes, rounded down: nobody asks for 977,105 kB. */
const wholeMB = (bytes: number) => Math.floor(bytes / MB) * MB
const share = (memoryBytes: number, part: number, least: number, most: number) =>
  memoryText(clamp(least, wholeMB(memoryBytes * part), most))

/**
 * 4 GB and 2 CPUs give what the smallest server runs with. The machine may carry the API process as well (about 150 MB): it
 * lives in what effective_cache_size leaves.
 */
export function settingsFor({ memoryBytes, cpus }: Size): Setting[] {
  const sharedBuffers = clamp(128 * MB, wholeMB(memoryBytes / 4), 16 * GB)
  const maxWal = clamp(GB, Math.floor(memoryBytes / GB) * GB, 8 * GB)
  return [
    {
      name: 'shared_buffers',
      value: memoryText(sharedBuffers),
      rule: 'a quarter of the memory, 128MB to 16GB',
      why: "PostgreSQL's own cache of pages; the rest of the memory caches files, so more than a quarter keeps pages twice.",
    },
    {
      name: 'effective_cache_size',
      value: share(memoryBytes, 3 / 4, 256 * MB, Infinity),
      rule: 'three quarters of the memory',
      why: 'Takes no memory: tells the planner how much of the tables is likely cached, so that it trusts indexes.',
    },
    {
      name: 'maintenance_work_mem',
      value: share(memoryBytes, 1 / 16, 64 * MB, 2 * GB),
      rule: 'a sixteenth of the memory, 64MB to 2GB',
      why: 'For vacuum and for building indexes; three autovacuum workers may each take it.',
    },
    {
      name: 'work_mem',
      value: share(memoryBytes, 1 / 256, 4 * MB, 64 * MB),
      rule: 'a 256th of the memory, 4MB to 64MB',
      why: 'For one sort or hash of one statement: even if all 100 connections sort at once they take two fifths of the memory.',
    },
    {
      name: 'max_connections',
      value: String(clamp(50, 25 * Math.floor(memoryBytes / GB), 100)),
      rule: '25 a GB, 50 to 100',
      why: 'A connection costs 5 to 10 MB and CPUs run a few at a time; beyond 100, put PgBouncer in front (djinn pooler).',
    },
    {
      name: 'wal_buffers',
      value: memoryText(Math.min(wholeMB(sharedBuffers / 32), 16 * MB)),
      rule: '1/32 of shared_buffers, at most 16MB',
      why: 'Log that waits to be written; one segment of the log is 16MB, more is never used.',
    },
    {
      name: 'checkpoint_completion_target',
      value: '0.9',
      rule: 'the same everywhere',
      why: 'A checkpoint is spread over nine tenths of the time to the next, so that it does not slow requests down.',
    },
    {
      name: 'min_wal_size',
      value: memoryText(maxWal / 4),
      rule: 'a quarter of max_wal_size',
      why: 'Segments of the log that are kept and written anew, instead of made and removed.',
    },
    {
      name: 'max_wal_size',
      value: memoryText(maxWal),
      rule: 'as much as the memory in whole GB, 1GB to 8GB',
      why: 'Fewer checkpoints under load; takes disk (a tenth of the smallest server) and time to recover after a crash.',
    },
    {
      name: 'random_page_cost',
      value: '1.1',
      rule: 'the same everywhere: servers have SSDs',
      why: 'On an SSD a page elsewhere costs hardly more than the next one, so indexes are worth using.',
    },
    {
      name: 'effective_io_concurrency',
      value: '200',
      rule: 'the same everywhere: servers have SSDs',
      why: 'How many reads ahead a scan may ask of the disk at once.',
    },
    {
      name: 'default_statistics_target',
      value: '100',
      rule: 'the same everywhere',
      why: 'How closely columns are sampled; more makes planning slower, and our statements are simple.',
    },
    {
      name: 'max_worker_processes',
      value: String(Math.max(2, cpus)),
      rule: 'one a CPU, at least 2',
      why: 'Helpers of all kinds; one is taken by logical replication.',
    },
    {
      name: 'max_parallel_workers_per_gather',
      value: String(Math.min(Math.floor(cpus / 2), 4)),
      rule: 'half the CPUs, at most 4',
      why: 'One large report must not take every CPU from the requests beside it.',
    },
    {
      name: 'max_parallel_workers',
      value: String(cpus),
      rule: 'one a CPU',
      why: 'Of the helpers, how many may work for statements.',
    },
  ]
}
