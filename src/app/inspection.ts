// The first look at a service that may be in trouble: the machine that this runs on, and the database wherever it is.
import { availableParallelism, loadavg } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import type { Check } from '../features/inspecting/check.ts'
import { databaseChecks, unreachable } from '../features/inspecting/database-checks.ts'
import { elsewhere, hostChecks, type Host } from '../features/inspecting/host-checks.ts'
import { lookAt } from '../features/inspecting/look.ts'
import { redisChecks } from '../features/inspecting/redis-checks.ts'
import { readCpu, readDisk, readMemory } from '../features/watching/machine.ts'
import type { Config } from '../resources/config.ts'
import { lookAtRedis } from '../resources/redis-look.ts'
import { withDatabase } from './resources.ts'

export type { Check } from '../features/inspecting/check.ts'

/** How long the CPUs are looked at. */
const sampleMs = 1_000

async function hostOf(config: Config, folder: string | null): Promise<Host> {
  const before = readCpu()
  await setTimeout(sampleMs)
  const after = readCpu()
  const busy = before && after ? after.busy + after.stolen - before.busy - before.stolen : 0
  const all = before && after ? busy + after.idle - before.idle : 0
  const service = readDisk(config.dataDir)
  const data = config.databaseUrl === undefined ? service : folder === null ? null : readDisk(folder)
  return {
    cpus: availableParallelism(),
    load: loadavg()[0]!,
    cpuPercent: all > 0 ? (100 * busy) / all : null,
    memory: readMemory(),
    disks: { ...(data ? { data } : {}), ...(service ? { service } : {}) },
  }
}

const onThisMachine = (address: string | null) => address === null || address === '::1' || address.startsWith('127.')

/** `complete` is false where the database could not be looked at: then there is the host, and why. */
export async function inspect(config: Config): Promise<{ complete: boolean; checks: Check[] }> {
  const redis = config.redisUrl === undefined ? [] : redisChecks(await lookAtRedis(config.redisUrl))
  const look = await withDatabase(config, lookAt).catch((error: Error & { code?: string }) => error)
  if (look instanceof Error) {
    return {
      complete: false,
      checks: [...hostChecks(await hostOf(config, null)), unreachable(look.message || String(look.code)), ...redis],
    }
  }
  const folder = onThisMachine(look.server.address) ? look.server.folder : null
  const host = await hostOf(config, folder)
  return { complete: true, checks: [...hostChecks(host), ...(host.disks['data'] ? [] : [elsewhere]), ...databaseChecks(look), ...redis] }
}
