// How long `npm start` takes until /health answers, on an empty directory and on one with data, and the memory at rest.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, type Figure } from './figure.ts'
import { memoryMb, startService } from './service.ts'

const restMs = 5_000

export async function measureStart(): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'djinn-bench-'))
  try {
    const first = await startService(dataDir)
    await first.stop()
    const again: number[] = []
    let idle = 0
    for (let round = 0; round < 3; round++) {
      const service = await startService(dataDir)
      again.push(service.readyMs)
      if (round === 0) {
        await new Promise((resolve) => setTimeout(resolve, restMs))
        idle = memoryMb(service.child.pid!).now
      }
      await service.stop()
    }
    return [
      { name: '/health after npm start, empty directory', value: first.readyMs, unit: 'ms', target: 5_000 },
      { name: '/health after npm start, second start (median of 3)', value: median(again), unit: 'ms', target: 2_000 },
      { name: 'API process at rest', value: idle, unit: 'MB', target: 150 },
    ]
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}
